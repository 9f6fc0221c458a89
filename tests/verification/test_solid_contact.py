"""Contact found by search in three dimensions: meshes that do not match, hand-over, friction, tangent, partition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.interfaces.surface_contact import SurfaceContact
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.alone import alone
from tests.readings import reaction, searched_forces_along
from tests.small import Array, solved_step
from tests.solid_contact import EDGE, FRICTION, MODULUS, SETTINGS, slider, two_cubes

ITERATIVE = replace(SETTINGS, linear="iterative", linear_tolerance=1e-8)


def contact_of(model: ElectrodeModel) -> SurfaceContact:
    """Its contact by search."""
    assert model.surface_contact is not None
    return model.surface_contact


def pressed(
    model: ElectrodeModel, settings: SolverSettings = SETTINGS, press: float = -0.01
) -> ElectrodeModel:
    """In two steps, as the second one goes by what the first one remembers."""
    solver = NewtonSolver(model, settings)
    for part in (0.5, 1.0):
        model.control("press").value = part * press
        solved_step(model, solver, 1.0)
    return model


@pytest.mark.parametrize(("stiffness", "scatter"), [(1.0e4, 0.02), (1.0e5, 0.1), (3.0e5, 0.15)])
def test_meshes_that_do_not_match_press_evenly(stiffness: float, scatter: float) -> None:
    """Cubes of two and of three elements an edge: the pressure is even to so much of itself, the force exact."""
    model = pressed(two_cubes(MPI.COMM_SELF, stiffness=stiffness))
    places, pressure, area = contact_of(model).pressures()
    exact = 0.01 / (2.0 * EDGE / MODULUS + 1.0 / stiffness)
    force = reaction(model, "top", 0, 2)
    assert np.sum(area) == pytest.approx(EDGE**2, rel=1e-6)
    assert np.ptp(places[:, :2], axis=0) == pytest.approx([EDGE, EDGE], rel=0.1)
    assert -force == pytest.approx(np.sum(pressure * area), rel=1e-5)
    assert -force == pytest.approx(
        exact * EDGE**2, rel=4e-3
    )  # a quarter of a per cent of strain is not quite small
    spread = np.sqrt(np.sum(area * (pressure - exact) ** 2) / np.sum(area)) / exact
    assert spread < scatter


def test_either_order_of_the_bodies_and_of_the_axes_gives_the_same_force() -> None:
    def force(swapped: bool = False, order: tuple[int, ...] = (0, 1, 2)) -> float:
        model = pressed(two_cubes(MPI.COMM_SELF, swapped=swapped, order=order), press=-0.02)
        return reaction(model, "top", 0, order.index(2))

    known = force()
    assert known < -100.0
    assert force(swapped=True) == pytest.approx(known, rel=1e-9)
    # Turned round, and mirrored: every triangle then has its nodes the other way round.
    assert force(order=(2, 0, 1)) == pytest.approx(known, rel=1e-9)
    assert force(order=(0, 2, 1)) == pytest.approx(known, rel=1e-9)


@pytest.mark.parallel(partition="owner")
@pytest.mark.parametrize("owner", ["default", "seam"])
def test_any_partition_gives_the_same_force(comm: MPI.Intracomm, owner: str) -> None:
    force = alone(comm, "force", lambda self: reaction(pressed(two_cubes(self)), "top", 0, 2))
    together = pressed(two_cubes(comm, owner=owner))
    assert reaction(together, "top", 0, 2) == pytest.approx(force, rel=1e-9)
    assert reaction(together, "bottom", 0, 2) == pytest.approx(-force, rel=1e-9)


def slid(
    model: ElectrodeModel,
    settings: SolverSettings = SETTINGS,
    steps: int = 6,
    pull: float = 0.1,
) -> Array:
    """Forces on the top, shape (steps + 1, 3): pressed, and pulled along in every step, half as much across."""
    solver = NewtonSolver(model, settings)
    forces = []
    for number in range(steps + 1):
        model.control("press").value = -0.01
        model.control("pull").value, model.control("across").value = pull * number, 0.5 * pull * number
        solved_step(model, solver, 1.0)
        forces.append([reaction(model, "top", 0, axis) for axis in range(3)])
    return np.array(forces)


@pytest.mark.parallel(partition="owner")
@pytest.mark.parametrize("owner", ["default", "seam"])
def test_sliding_hands_over_to_search_and_keeps_pressure_and_friction(
    comm: MPI.Intracomm, owner: str
) -> None:
    model = slider(comm, owner, count=3)
    forces = slid(model, pull=0.05)
    share = model.facet_constants.values(model.state.paired)
    assert model.comm.allreduce(float(np.sum(share))) == 0.0
    assert forces[0, 2] < -100.0
    # The upper block stands 0.3 and 0.15 of 4 µm beyond the lower one; the rest carries about the same pressure.
    left = (4.0 - 0.3) * (4.0 - 0.15) / 16.0
    assert left < forces[-1, 2] / forces[0, 2] < 1.0
    assert np.all(np.abs(np.diff(forces[1:, 2])) < 0.05 * -forces[0, 2])
    along = np.hypot(forces[1:, 0], forces[1:, 1])
    np.testing.assert_allclose(along, -FRICTION * forces[1:, 2], rtol=0.04)
    np.testing.assert_allclose(forces[1:, 1], 0.5 * forces[1:, 0], rtol=0.02)
    below = [reaction(model, "bottom", 0, axis) for axis in range(3)]
    np.testing.assert_allclose(below, -forces[-1], rtol=1e-7, atol=1e-6)


@pytest.mark.parallel
def test_the_iterative_solver_finds_the_same_contacts(comm: MPI.Intracomm) -> None:
    known = alone(comm, "slid", lambda self: slid(slider(self), steps=2, pull=0.3))
    found = slid(slider(comm), ITERATIVE, steps=2, pull=0.3)
    np.testing.assert_allclose(found, known, rtol=1e-6)


@pytest.mark.parametrize("stiffening_depth", [np.inf, 2.0e-4])
def test_the_tangent_is_the_derivative_of_the_forces(stiffening_depth: float) -> None:
    """On curved facets, with friction at slips about as large as a contact creeps."""
    model = slider(MPI.COMM_SELF, stiffening_depth=stiffening_depth)
    slid(model, steps=3)
    contact, rng = contact_of(model), np.random.default_rng(3)
    unknowns, previous = model.state.unknowns.x.array, model.state.previous.x.array
    previous += 1e-3 * rng.standard_normal(len(previous))
    model.prepare_step(1.0, previous.copy())
    unknowns += 2e-4 * rng.standard_normal(len(unknowns))
    pairs = contact.pairs
    assert pairs is not None and len(pairs.gap) > 40
    nodes = contact.surfaces.reference + contact.surfaces.displacement(previous)
    bend = nodes[:, 3] - 0.5 * (nodes[:, 1] + nodes[:, 2])
    assert np.abs(bend).max() > 1e-3
    direction = rng.standard_normal(len(unknowns))
    rows, columns, values = contact.stiffness()
    room = contact.pattern()
    size = len(unknowns)
    assert np.isin(rows * size + columns, room[0] * size + room[1]).all()
    expected = np.zeros(size)
    np.add.at(expected, rows, values * direction[columns])

    difference = searched_forces_along(model, direction, 1e-9)
    assert np.linalg.norm(expected) > 1.0
    assert np.linalg.norm(difference - expected) < 1e-5 * np.linalg.norm(expected)
    friction = replace(pairs, law=replace(pairs.law, stiffness=np.zeros(len(pairs.gap))))
    contact.pairs = friction
    rows, columns, values = contact.stiffness()
    expected[:] = 0.0
    np.add.at(expected, rows, values * direction[columns])
    difference = searched_forces_along(model, direction, 1e-9)
    assert np.linalg.norm(expected) > 1.0
    assert np.linalg.norm(difference - expected) < 1e-5 * np.linalg.norm(expected)
