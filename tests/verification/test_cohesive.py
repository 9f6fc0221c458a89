"""Known answer 10: one cohesive interface pulled apart at 0°, 45° and 90°."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.interfaces import dissipation
from fem.loads import Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import reaction, residual
from tests.small import grid, host, law, mesh_of, midpoints, model_on

STRENGTH, ENERGY, STIFFNESS, CONTACT = 20.0, 0.31, 2.0e5, 3.0e5
ONSET, FINAL = STRENGTH / STIFFNESS, 2.0 * ENERGY / STRENGTH
WIDTH, TILT = 0.8, 0.4
SETTINGS = SolverSettings(force_tolerance=2e-6, displacement_tolerance=1e-9, maximum_iterations=25)


def pair(comm: MPI.Intracomm, shear_ratio: float, young: float = 1e9) -> ElectrodeModel:
    """Two nearly rigid blocks; the interface between them is turned by ``TILT`` out of the horizontal."""
    points, cells = grid(1, 2, WIDTH, 1.0)
    turn = np.array([[np.cos(TILT), -np.sin(TILT)], [np.sin(TILT), np.cos(TILT)]])
    mesh = mesh_of(comm, points @ turn.T, cells)
    along = np.array([-np.sin(TILT), np.cos(TILT)])
    boundaries = {
        "bottom": lambda x: np.isclose(along @ x[:2], 0.0),
        "top": lambda x: np.isclose(along @ x[:2], 1.0),
    }
    grain = (midpoints(mesh)[:, :2] @ along > 0.5).astype(np.int32)
    # The first phase in the alphabet is '+'; it is the upper block here, so that a sign error shows.
    loads = [Support("bottom", 0), Support("bottom", 1), Support("top", 0, "across"), Support("top", 1, "up")]
    return model_on(
        mesh,
        boundaries,
        [host("alpha", youngs_modulus=young), host("beta", youngs_modulus=young)],
        loads,
        grain=grain,
        phases=["beta", "alpha"],
        laws={
            "alpha|beta": law(
                STRENGTH, ENERGY, shear_ratio=shear_ratio, stiffness=STIFFNESS, contact_stiffness=CONTACT
            )
        },
    )


class Puller:
    """Moves the upper block by an opening at an angle to the interface's normal and reads force and work."""

    def __init__(self, model: ElectrodeModel, degrees: float):
        self.model, self.solver = model, NewtonSolver(model, SETTINGS)
        angle = np.deg2rad(degrees)
        normal, tangent = np.array([-np.sin(TILT), np.cos(TILT)]), np.array([np.cos(TILT), np.sin(TILT)])
        self.direction = np.cos(angle) * normal + np.sin(angle) * tangent
        self.dissipation = model.facet_constants.projection(
            dissipation.fracture_dissipation(model.history_value, model.cohesive)
        )
        value = self.model.facet_history.value(model.state.largest_opening)
        self.history = model.facet_constants.projection(value)

    def to(self, opening: float) -> float:
        """Nominal traction along the direction of pulling in MPa."""
        model = self.model
        model.control("across").value, model.control("up").value = opening * self.direction
        model.prepare_step(1.0)
        outcome = self.solver.solve()
        assert outcome.converged, outcome
        force = np.array([reaction(model, "top", 0, component) for component in (0, 1)])
        model.commit()
        return float(force @ self.direction) / WIDTH

    def dissipated(self) -> float:
        """Fracture dissipation in J/m²."""
        model = self.model
        return model.comm.allreduce(float(np.sum(model.facet_constants.integrals(self.dissipation)))) / WIDTH


@pytest.mark.parametrize(
    ("degrees", "shear_ratio"),
    [
        (0.0, 1.0),
        (45.0, 1.0),
        (90.0, 1.0),
        (0.0, 0.6),
        pytest.param(45.0, 0.6, marks=pytest.mark.parallel),
        (90.0, 0.6),
    ],
)
def test_separation(comm: MPI.Intracomm, degrees: float, shear_ratio: float) -> None:
    angle = np.deg2rad(degrees)
    # Effective opening per opening along the direction.
    share = float(np.hypot(np.cos(angle), shear_ratio * np.sin(angle)))
    puller = Puller(pair(comm, shear_ratio), degrees)
    # The law is linear between these openings, so that the trapezoidal rule is exact.
    openings = (
        np.concatenate([np.linspace(0.0, ONSET, 4), np.linspace(ONSET, FINAL, 16)[1:], [1.02 * FINAL]])
        / share
    )
    tractions, dissipated, damage = [], [], []
    for opening in openings:
        tractions.append(puller.to(float(opening)))
        dissipated.append(puller.dissipated())
        damage.append(puller.model.mean_damage())
    # The work against the direction of pulling is the work of separation.
    area = float(np.trapezoid(tractions, openings))
    assert area == pytest.approx(ENERGY, rel=1e-3)
    assert max(tractions) == pytest.approx(STRENGTH * share, rel=1e-3)
    assert int(np.argmax(tractions)) == 3
    assert abs(tractions[-1]) < 1e-5
    assert np.all(np.diff(damage) >= -1e-14) and damage[3] < 1e-9 and damage[-1] == pytest.approx(1.0)
    assert np.all(np.diff(dissipated) >= -1e-14)
    assert dissipated[-1] == pytest.approx(ENERGY, rel=1e-3)
    expected = np.clip((openings * share - ONSET) / (FINAL - ONSET), 0.0, 1.0)
    np.testing.assert_allclose(dissipated, ENERGY * expected, atol=1e-5 * ENERGY)


@pytest.mark.parametrize("degrees", [0.0, pytest.param(45.0, marks=pytest.mark.parallel), 90.0])
def test_unloading_goes_through_the_origin(comm: MPI.Intracomm, degrees: float) -> None:
    puller = Puller(pair(comm, 0.6), degrees)
    model = puller.model
    far = 0.4 * FINAL
    for opening in np.linspace(0.0, far, 12)[1:]:
        peak = puller.to(float(opening))
    damage, spent = model.mean_damage(), puller.dissipated()
    assert 0.5 < damage < 1.0 and spent > 0.0
    for share in (0.7, 0.3, 0.0, 0.3, 0.7, 1.0):
        assert puller.to(share * far) == pytest.approx(share * peak, abs=2e-4 * peak)
        assert model.mean_damage() == pytest.approx(damage, rel=1e-10)
        assert puller.dissipated() == pytest.approx(spent, rel=1e-10)
    # And it goes on from there, on the envelope.
    beyond = 0.6 * FINAL
    angle = np.deg2rad(degrees)
    share = float(np.hypot(np.cos(angle), 0.6 * np.sin(angle)))
    left = 1.0 - FINAL * (share * beyond - ONSET) / (share * beyond * (FINAL - ONSET))
    assert puller.to(beyond) == pytest.approx(left * STIFFNESS * share**2 * beyond, rel=1e-3)


@pytest.mark.parallel
def test_contact_of_a_broken_interface(comm: MPI.Intracomm) -> None:
    puller = Puller(pair(comm, 1.0), 0.0)
    for opening in np.linspace(0.0, 1.1 * FINAL, 8)[1:]:
        puller.to(float(opening))
    assert puller.model.mean_damage() == pytest.approx(1.0)
    assert abs(puller.to(0.5 * FINAL)) < 1e-5
    depth = 1e-4
    assert puller.to(-depth) == pytest.approx(-CONTACT * depth, rel=1e-3)
    assert abs(puller.to(0.2 * FINAL)) < 1e-5


@pytest.mark.parallel
def test_damage_growth_is_relaxed_but_not_the_motion(comm: MPI.Intracomm) -> None:
    model = pair(comm, 1.0)
    model.relaxation_time = 3.0
    puller = Puller(model, 0.0)
    target, history = 0.5 * FINAL, 0.0
    for _ in range(4):
        traction = puller.to(target)
        history += (
            1.0 / (1.0 + 3.0) * max(target - history, 0.0)
        )  # backward Euler of κ̇ = ⟨δ - κ⟩ / τ with dt = 1
        damage = FINAL * (history - ONSET) / (history * (FINAL - ONSET))
        assert model.mean_damage() == pytest.approx(damage, rel=1e-3)
        assert traction == pytest.approx((1.0 - damage) * STIFFNESS * target, rel=1e-3)
    # An open gap moves freely whatever the relaxation time.
    for _ in range(60):
        puller.to(1.5 * FINAL)
    assert abs(puller.to(1.4 * FINAL)) < 1e-5


@pytest.mark.parallel
def test_forces_on_the_two_sides_balance(comm: MPI.Intracomm) -> None:
    model = pair(comm, 0.6)
    puller = Puller(model, 30.0)
    puller.to(0.5 * FINAL)
    for component in (0, 1):
        dofs = np.unique(np.asarray(model.state.space.sub(0).sub(component).dofmap.list))
        owned = dofs[dofs < model.state.dofs.owned]
        total = model.comm.allreduce(float(np.sum(residual(model)[owned])))
        assert abs(total) < 1e-5
