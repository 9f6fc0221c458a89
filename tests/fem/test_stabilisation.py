"""Resistance of snapping grains: against departures from the expected motion only, and its work is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.loads import Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from tests.fem.bodies import WIDTH, held, law, move, two_grains
from tests.readings import residual, set_displacement
from tests.small import Array, grid, host, mesh_of, midpoints, model_on, p, sides

STIFFNESS = 100.0
EXPECTED, DEPARTURE = np.array([0.05, 0.3]), np.array([0.02, -0.01])


def on_grains(model: ElectrodeModel, values: Array) -> Array:
    """Sum of an array like the unknowns' over the displacement dofs of each grain, shape (grains, 2)."""
    owned, sums = model.state.dofs.owned, np.zeros((2, 2))
    for component in (0, 1):
        dofs = np.asarray(model.state.space.sub(0).sub(component).dofmap.list)
        for grain in (0, 1):
            of_grain = np.unique(dofs[model.domain.cell_grain == grain])
            sums[grain, component] = np.sum(values[of_grain[of_grain < owned]])
    return np.asarray(model.comm.allreduce(sums))


@pytest.mark.parallel
def test_nothing_resists_the_expected_motion(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())
    state = model.state
    move(model, 1, EXPECTED)
    expected = state.unknowns.x.array.copy()
    model.prepare_step(1.0, expected)
    free = residual(model)
    model.stabilisation.resist({1}, STIFFNESS)
    np.testing.assert_allclose(residual(model), free, rtol=0.0, atol=1e-13)

    move(model, 1, EXPECTED + DEPARTURE)
    resisted = residual(model)
    row = Observer(model).measure()
    model.stabilisation.release(0.0, 0.0)
    force = on_grains(model, resisted - residual(model))
    np.testing.assert_allclose(force, STIFFNESS * WIDTH * np.array([-DEPARTURE, DEPARTURE]), atol=1e-10)
    # The force rises from nothing to what it is at the end of the step.
    work = 0.5 * STIFFNESS * WIDTH * float(DEPARTURE @ (EXPECTED + DEPARTURE))
    assert row["stabilisation_dissipation_pJ_um"] == pytest.approx(work, rel=1e-10)


def test_without_an_expectation_grains_are_held_where_they_are(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())
    model.prepare_step(1.0)
    model.stabilisation.resist({0, 1}, STIFFNESS)
    move(model, 1, DEPARTURE)
    observer = Observer(model)
    assert observer.resisted_share() == 0.0
    row = observer.measure()
    work = abs(row["external_work_pJ_um"]) + abs(row["chemical_work_pJ_um"])
    share = row["stabilisation_dissipation_pJ_um"] / work
    assert observer.resisted_share() == pytest.approx(share, rel=1e-12) and share > 0.1
    assert row["stabilisation_dissipation_pJ_um"] == pytest.approx(
        0.5 * STIFFNESS * WIDTH * float(DEPARTURE @ DEPARTURE), rel=1e-10
    )


@pytest.mark.parallel
def test_what_was_held_back_counts_when_it_is_set_free(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())
    observer = Observer(model)
    model.prepare_step(1.0)
    model.stabilisation.resist({0, 1}, STIFFNESS)
    move(model, 1, DEPARTURE)
    held_back = observer.measure()["stabilisation_dissipation_pJ_um"]
    model.commit()
    model.stabilisation.release(0.0, 0.0)
    model.prepare_step(1.0)
    move(model, 1, 3.0 * DEPARTURE)
    total = observer.measure()["stabilisation_dissipation_pJ_um"]
    work = 0.5 * STIFFNESS * WIDTH * float(DEPARTURE @ (2.0 * DEPARTURE))
    assert total - held_back == pytest.approx(work, rel=1e-10)


@pytest.mark.parallel
def test_it_grows_at_the_grains_that_snap_and_fades_everywhere(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())

    def values() -> list[float]:
        local = model.facet_constants.values(model.state.stabilisation)
        return sorted({float(value) for part in comm.allgather(local.tolist()) for value in part})

    assert values() == [0.0]
    model.stabilisation.resist({0}, 50.0)
    model.stabilisation.resist({1}, 20.0)
    assert values() == [50.0]
    model.stabilisation.release(0.3, 3.0)
    assert values() == [pytest.approx(15.0)]
    model.stabilisation.release(0.1, 3.0)
    assert values() == [3.0]
    model.stabilisation.resist(set(), 1e6)
    assert values() == [3.0]


@pytest.mark.parallel
def test_interfaces_that_hold_resist_more_than_broken_ones(comm: MPI.Intracomm) -> None:
    """And ties, which never break, no more than broken ones."""
    rest, holding = 3.0, 50.0
    for breakable, opening, expected in ((True, 0.0, holding), (True, 1.0, rest), (False, 1.0, rest)):
        model = two_grains(comm, held(), law(breakable=breakable))
        facets = model.facet_history
        facets.set_values(model.state.largest_opening, np.full(len(model.interfaces.facets), opening))
        model.stabilisation.release(0.0, rest, holding)
        local = model.facet_constants.values(model.state.stabilisation)
        assert {round(float(v), 9) for part in comm.allgather(local.tolist()) for v in part} == {expected}


@pytest.mark.parametrize(
    ("share", "factor"), [(0.0, 1.5), (0.05, 1.0), (0.2, 0.25 ** (1.0 / 3.0)), (9.0, 0.5)]
)
def test_steps_shrink_where_inertia_takes_much_of_the_work(share: float, factor: float) -> None:
    model = two_grains(MPI.COMM_SELF, held(), law())
    settings = StepSettings(first=4.0, growth=1.5, resisted_share=0.05, resolved=1.0)
    stepper = Stepper(model, NewtonSolver(model, SolverSettings()), settings, lambda: True, lambda: share)
    stepper.advance(100.0)
    assert stepper.next_dt == pytest.approx(4.0 * factor)
    stepper.next_dt = 1.5
    stepper.advance(100.0)
    # A snap is one however short the step: not below ``resolved`` for that.
    assert stepper.next_dt == pytest.approx(max(1.5 * factor, 1.0))
    # At five times the current the same charge takes a fifth of the time; what is no current changes nothing.
    for rate, resolved in ((0.5, 0.2), (0.1, 1.0), (0.02, 5.0), (None, 1.0)):
        stepper.driven_at(rate)
        stepper.next_dt = 1.5
        stepper.advance(100.0)
        assert stepper.next_dt == pytest.approx(min(max(1.5 * factor, resolved), 1.5 * 1.5))


@pytest.mark.parametrize(("tangents", "factor"), [(5, 1.5), (10, 1.5), (16, 0.625), (40, 0.5)])
def test_only_iterations_with_a_tangent_of_their_own_shorten_steps(
    tangents: int, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = two_grains(MPI.COMM_SELF, held(), law())
    solver = NewtonSolver(model, SolverSettings())
    solve = solver.solve
    monkeypatch.setattr(solver, "solve", lambda: replace(solve(), iterations=40, tangents=tangents))
    stepper = Stepper(model, solver, StepSettings(first=4.0, growth=1.5, target_iterations=10))
    assert stepper.advance(100.0).iterations == 40
    assert stepper.next_dt == pytest.approx(4.0 * factor)


def test_inertia_that_drags_on_counts_like_inertia_that_holds_back() -> None:
    """A grain is expected to go on and is held where it is: what drags it gives work, and is told as much of it."""
    model = two_grains(MPI.COMM_SELF, held(), law())
    model.prepare_step(1.0)
    move(model, 1, DEPARTURE)
    expected = model.state.unknowns.x.array.copy()
    move(model, 1, np.zeros(2))
    model.prepare_step(1.0, expected)
    model.stabilisation.resist({1}, STIFFNESS)
    move(model, 1, 0.5 * DEPARTURE)
    observer = Observer(model)
    row = observer.measure()
    assert row["stabilisation_dissipation_pJ_um"] < 0.0
    assert observer.resisted_share() > 0.1


def test_what_swings_comes_to_rest_though_steps_grow() -> None:
    """Held by a tenth of what resists departures: in growing steps the extrapolated motion would swing up."""
    amplitudes = {}
    for rate in (None, 0.1):
        soft = replace(law(breakable=False), stiffness=p(100.0), contact_stiffness=p(100.0))
        model = two_grains(
            MPI.COMM_SELF, [Support("bottom", 1), Support("left", 0), Support("right", 0)], soft
        )
        settings = StepSettings(first=1.0, growth=1.6, largest=1e9, resting_stabilisation=1000.0)
        stepper = Stepper(model, NewtonSolver(model, SolverSettings()), settings)
        stepper.driven_at(rate)
        move(model, 1, np.array([0.0, 0.01]))
        swings = []
        for _ in range(24):
            assert stepper.advance(1e9).rejected == 0
            swings.append(abs(on_grains(model, model.state.unknowns.x.array)[1, 1]))
        assert stepper.next_dt == pytest.approx(1.6**24)
        amplitudes[rate] = max(swings[18:]) / max(swings[:6])
    assert amplitudes[None] < 0.5
    # With a current the motion of the last step goes on: that of a steady drive is nowhere resisted.
    assert amplitudes[0.1] > 1.5


@pytest.mark.parallel
def test_a_filling_resists_departures_from_the_expected_deformation(comm: MPI.Intracomm) -> None:
    """By its inertia times the departure of Grad u, nothing while it goes as expected, and the solid not at all."""
    modulus, height = 7.0, 2.0
    pore = Material("pore", Elasticity(p(1e-9), p(0.0), p(0.0)), holding_modulus=p(modulus), solid=False)
    mesh = mesh_of(comm, *grid(2, 4, WIDTH, 2.0 * height))
    model = model_on(
        mesh,
        sides(WIDTH, 2.0 * height),
        [host(), pore],
        grain=(midpoints(mesh)[:, 1] > height).astype(np.int32),
        phases=["alpha", "pore"],
        laws={"alpha|pore": replace(law(breakable=False), stiffness=p(1e-9), contact_stiffness=p(1e-9))},
    )
    expected, departure = np.array([[0.0, 0.1], [0.02, -0.3]]), np.array([[0.01, 0.0], [0.03, -0.05]])
    filling = np.unique(model.state.dofs.cell_displacement[model.domain.cell_grain == 1])
    filling = filling[filling < model.state.dofs.owned]

    def work() -> tuple[float, float]:
        """Of the residual of the filling, and half of it as the stabilisation reports it."""
        forces, motion = residual(model)[filling], model.state.unknowns.x.array[filling]
        return tuple(comm.allreduce(part) for part in (float(forces @ motion), model.stabilisation.work()))

    set_displacement(model, lambda x: expected @ x[:2])
    model.prepare_step(1.0, model.state.unknowns.x.array.copy())
    assert work() == pytest.approx((0.0, 0.0), abs=1e-8)
    set_displacement(model, lambda x: (expected + departure) @ x[:2])
    done = modulus * float(np.sum(departure * (expected + departure))) * WIDTH * height
    assert work() == pytest.approx((done, 0.5 * done), rel=1e-7)
