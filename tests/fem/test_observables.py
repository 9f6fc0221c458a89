"""Observables on bodies whose answers are known, through the product's own model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.errors import MeshError
from fem.gaps import Gaps
from fem.model import ElectrodeModel
from fem.observables import COLUMNS, Observer, Row
from fem.solver import NewtonSolver, SolverSettings
from fem.units import CM2_PER_UM2, FARADAY, MAH_PER_PC
from tests.alone import alone
from tests.fem.bodies import HEIGHT, WIDTH, electrode, held, law, move, two_grains
from tests.observed import observed_step
from tests.readings import set_displacement
from tests.small import CURVE, TIGHT, overstress

# In the electrolyte a potential is known to rounding of its high conductivity only.
CONDUCTING = replace(TIGHT, potential_tolerance=1e-8)

PARTS = ("solids", "interface_void", "pores", "lithium_removed")


def history(
    model: ElectrodeModel,
    duration: float,
    steps: int,
    lift: float = 0.0,
    influx: float = 0.0,
    settings: SolverSettings = TIGHT,
) -> list[Row]:
    """Rows of the start and of equal steps in which the lift grows in proportion to time."""
    observer, solver = Observer(model), NewtonSolver(model, settings)
    rows = [observer.start()]
    model.control("influx").value = influx
    for number in range(steps):
        model.control("lift").value = lift * (number + 1) / steps
        rows.append(observed_step(model, solver, observer, duration / steps))
    return rows


@pytest.mark.parallel
def test_parts_of_the_thickening_and_the_lithium_book_of_a_little_electrode(comm: MPI.Intracomm) -> None:
    model = electrode(comm)
    model.control("pressure").value = 1.0
    start, *_, last = history(model, 400.0, 4, influx=0.004, settings=CONDUCTING)
    assert list(last) == list(Observer(model).columns)
    assert [name for name in last if name in COLUMNS] == list(COLUMNS)
    assert all(math.isfinite(value) for value in last.values())
    assert start["thickness_um"] == pytest.approx(4.0, abs=1e-12)
    assert start["electrolyte_potential_V"] == pytest.approx(CURVE.voltage(0.1, exp=np.exp, tanh=np.tanh))
    assert start["lithium_metal_left"] == pytest.approx(1.0)
    parts = {name: last[f"thickening_{name}_um"] for name in PARTS}
    assert sum(parts.values()) == pytest.approx(last["thickness_um"] - start["thickness_um"], abs=1e-12)
    assert last["thickening_percent"] == pytest.approx(100.0 * (last["thickness_um"] / 4.0 - 1.0), abs=1e-10)
    # Metal gives lithium away and shrinks; the host takes all of it and the charge, and swells.
    assert last["lithium_metal_left"] < 0.999
    assert parts["lithium_removed"] < 0.0 < parts["solids"]
    gained = (last["mean_lithiation"] - start["mean_lithiation"]) * 31.36 * (WIDTH * 4.0 - 2.0)
    given = (1.0 - last["lithium_metal_left"]) * 76.9 * 1.0
    assert gained - given == pytest.approx(0.004 * WIDTH * 400.0, rel=1e-10)
    assert last["mean_lithiation_graphite"] == last["mean_lithiation"]
    assert last["charge_mAh_cm2"] == pytest.approx(0.004 * 400.0 * FARADAY * MAH_PER_PC / CM2_PER_UM2)
    assert last["lithium_book_error"] < 1e-12
    # No three grains meet here, so that both measures of the void agree to rounding.
    assert last["void_check_um"] == pytest.approx(0.0, abs=1e-12)
    assert 0.0 < last["debonded_fraction"] < last["damaged_fraction"] < 0.1
    assert 0.0 < last["lithiation_min"] <= last["mean_lithiation"] <= last["lithiation_max"] < 1.0
    assert 0.5 < last["det_F_min"] < 1.0


@pytest.mark.parallel
def test_an_emptied_grain_is_lithium_removed_and_holes_are_pores(comm: MPI.Intracomm) -> None:
    """A grain of 1 µm² with a twentieth of its metal left in a site of 0.3 µm²: a third full, so 0.1 of metal is left.

    Lithium removed is what metal is gone; the holes in the site count as pores; what the site left around it is void.
    """
    model = electrode(comm)
    observer, (metal, site) = Observer(model), (0.05, 0.3)
    cells = model.domain.cell_grain == 3
    model.state.unknowns.x.array[model.state.dofs.cell_concentration[cells]] = metal * 76.9
    shrunk = math.sqrt(site) - 1.0
    set_displacement(model, lambda x: np.stack([shrunk * (x[0] - 4.5), shrunk * (x[1] - 3.5)]), 3)
    row = observer.measure()
    holes = (1.0 - metal / 0.15) * site
    assert row["thickening_pores_um"] == pytest.approx(holes / WIDTH, rel=1e-12)
    assert row["thickening_lithium_removed_um"] == pytest.approx((site - holes - 1.0) / WIDTH, rel=1e-12)
    assert row["thickening_interface_void_um"] == pytest.approx((1.0 - site) / WIDTH, rel=1e-12)
    assert row["thickening_solids_um"] == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parallel
def test_a_rigid_separation_is_void_by_both_measures(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law(), stepped=True)
    observer = Observer(model)
    move(model, 1, np.array([0.0, 0.37]))
    row = observer.measure()
    assert row["thickness_um"] == pytest.approx(HEIGHT + 0.37, abs=1e-13)
    assert row["top_displacement_um"] == pytest.approx(0.37, abs=1e-13)
    assert row["thickening_interface_void_um"] == pytest.approx(0.37, abs=1e-13)
    assert row["void_check_um"] == pytest.approx(0.0, abs=1e-13)
    assert row["thickening_solids_um"] == pytest.approx(0.0, abs=1e-13)
    # The riser of the staircase slides and neither opens nor sinks in; the treads are wide open.
    assert row["penetration_max_um"] == pytest.approx(0.0, abs=1e-13)
    assert row["sliding_max_um"] in (0.0, pytest.approx(0.37, abs=1e-13))
    assert row["damaged_fraction"] == row["damaged_fraction_alpha|beta"] == pytest.approx(1.0)
    assert row["debonded_fraction"] == row["debonded_fraction_alpha|beta"] == pytest.approx(1.0)


@pytest.mark.parallel
def test_penetration_and_sliding_turn_with_the_interface(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())
    angle, depth, offset = 0.7, 0.02, 0.15
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    set_displacement(model, lambda x: (turn - np.eye(2)) @ x[:2])
    cells = np.flatnonzero(model.domain.cell_grain == 1)
    unknowns, shift = model.state.unknowns.x.array, turn @ np.array([offset, -depth])
    for component in (0, 1):
        dofs = np.unique(np.asarray(model.state.space.sub(0).sub(component).dofmap.list)[cells])
        unknowns[dofs] += shift[component]
    gaps = Gaps(model)
    local = gaps.maxima(unknowns)
    found = {name: comm.allreduce(value, op=MPI.MAX) for name, value in local.items()}
    assert found == {
        "penetration": pytest.approx(depth),
        "penetration_at_folds": 0.0,
        "sliding": pytest.approx(offset),
    }
    sums = {name: comm.allreduce(value) for name, value in gaps.sums(unknowns).items()}
    assert sums["void"] == pytest.approx(-depth * WIDTH)
    assert sums["penetration"] == pytest.approx(depth * WIDTH)
    assert sums["contact_area"] == pytest.approx(WIDTH)


def test_a_broken_interface_has_dissipated_its_fracture_energy(comm: MPI.Intracomm) -> None:
    coarse, fine = (
        history(two_grains(comm, held(), law(fracture_energy=0.31)), 10.0, steps, lift=0.05)[-1]
        for steps in (20, 40)
    )
    assert fine["damaged_fraction"] == pytest.approx(1.0)
    assert fine["fracture_dissipation_pJ_um"] == pytest.approx(0.31 * WIDTH, rel=1e-9)
    assert fine["viscous_dissipation_pJ_um"] == pytest.approx(0.0, abs=1e-9)
    assert fine["external_work_pJ_um"] == pytest.approx(0.31 * WIDTH, rel=1e-2)
    # What the trapezoidal rule makes of the corner at the peak of the traction is known, and falls with the step.
    assert max(row["energy_balance_error"] for row in (coarse, fine)) < 1e-4
    assert 0.0 < -fine["unresolved_work_pJ_um"] < -0.5 * coarse["unresolved_work_pJ_um"]


def test_debonding_is_the_share_of_the_fracture_energy_that_is_spent(comm: MPI.Intracomm) -> None:
    rows = history(two_grains(comm, held(), law(fracture_energy=0.31)), 10.0, 10, lift=0.02)
    for row in rows:
        spent = row["fracture_dissipation_pJ_um"] / (0.31 * WIDTH)
        assert row["debonded_fraction"] == pytest.approx(spent, rel=1e-9, abs=1e-12)
    # Damage goes by the loss of a numerical stiffness: nearly all of it is there before a third of the energy is spent.
    assert 0.1 < rows[5]["debonded_fraction"] < 0.3 and rows[5]["damaged_fraction"] > 0.97
    assert 0.5 < rows[-1]["debonded_fraction"] < 0.8


def test_relaxed_damage_dissipates_by_viscosity_as_well(comm: MPI.Intracomm) -> None:
    rows = history(two_grains(comm, held(), law(relaxation_time=1.0)), 10.0, 60, lift=0.1)
    viscous = np.array([row["viscous_dissipation_pJ_um"] for row in rows])
    assert np.all(np.diff(viscous) >= 0.0)
    assert viscous[-1] > 0.05 * 0.31 * WIDTH
    assert rows[-1]["fracture_dissipation_pJ_um"] == pytest.approx(0.31 * WIDTH, rel=1e-3)
    assert rows[-1]["energy_balance_error"] < 1e-2


def test_energy_of_swelling_and_flow_closes_with_the_square_of_the_step(comm: MPI.Intracomm) -> None:
    flow = overstress(20.0, 0.0, 20.0, 1e-3, 4.0)
    coarse, fine = (
        history(
            two_grains(comm, held(), law(exchange_resistance=15.0), flow=flow), 400.0, steps, influx=0.02
        )[-1]
        for steps in (10, 20)
    )
    for row in (coarse, fine):
        assert row["chemical_work_pJ_um"] > row["stored_energy_pJ_um"] > 0.0
        assert row["plastic_dissipation_pJ_um"] > 0.03 * row["chemical_work_pJ_um"]
    assert fine["energy_balance_error"] < 1e-4
    assert coarse["energy_balance_error"] > 3.0 * fine["energy_balance_error"]
    assert fine["lithium_book_error"] < 1e-12


def test_dead_pressure_does_work_on_the_way_it_pushes(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held()[:3] + held()[4:], law())
    model.control("pressure").value = 5.0
    row = history(model, 1.0, 1)[-1]
    # Loaded from zero, an elastic body stores half of what the full pressure would do.
    assert row["external_work_pJ_um"] == pytest.approx(
        -0.5 * 5.0 * row["top_displacement_um"] * WIDTH, rel=1e-9
    )
    assert row["energy_balance_error"] < 1e-3


def test_measuring_a_rejected_step_leaves_no_trace(comm: MPI.Intracomm) -> None:
    plain = history(two_grains(comm, held(), law()), 20.0, 2, lift=0.01, influx=0.02)[-1]
    model = two_grains(comm, held(), law())
    observer, solver = Observer(model), NewtonSolver(model, TIGHT)
    model.control("influx").value = 0.02
    for lift in (0.005, 0.01):
        before = model.state.snapshot()
        for dt, accepted in ((17.0, False), (10.0, True)):
            model.control("lift").value = lift
            model.prepare_step(dt)
            assert solver.solve().converged
            row = observer.measure()
            if accepted:
                model.commit()
            else:
                model.state.restore(before)
    assert row == pytest.approx(plain, rel=1e-9, abs=1e-12)


@pytest.mark.parallel
def test_over_jumped_cycles_lithium_is_charge_and_work_goes_on(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held()[:3] + held()[4:], law())
    observer, solver = Observer(model), NewtonSolver(model, TIGHT)
    memories = []
    for step in (1, 2):
        model.control("pressure").value, model.control("influx").value = 2.0 * step, 0.02
        observed_step(model, solver, observer, 10.0)
        memories.append(observer.memory()[0]["totals"])
    storing = model.storing_dofs
    model.state.unknowns.x.array[storing] *= 1.01
    charge = observer.jump(5, {"totals": memories[0]})
    jumped = observer.memory()[0]["totals"]
    more = 0.01 * memories[1]["lithium"]
    assert charge == pytest.approx(more * FARADAY / WIDTH, rel=1e-9)
    assert jumped["charge"] == pytest.approx(memories[1]["charge"] + charge, rel=1e-12)
    assert jumped["lithium"] == pytest.approx(memories[1]["lithium"] + more, rel=1e-12)
    for name in ("absolute_work", "external_work", "chemical_work"):
        then, now, later = (
            totals[name] if name == "absolute_work" else totals["energies"][name]
            for totals in (*memories, jumped)
        )
        assert abs(now) > 1.5 * abs(then) > 0.0
        assert later == pytest.approx(now + 5 * (now - then), rel=1e-12), name


@pytest.mark.parallel(min_ranks=2)
def test_a_row_does_not_depend_on_the_number_of_ranks(comm: MPI.Intracomm) -> None:

    def last_row(on: MPI.Intracomm) -> Row:
        model = electrode(on)
        model.control("pressure").value = 1.0
        return history(model, 400.0, 4, influx=0.004, settings=CONDUCTING)[-1]

    together, single = last_row(comm), alone(comm, "row", last_row)
    assert comm.allgather(together) == [together] * comm.size
    # Errors are rounding, and differ in it.
    compared = [name for name in together if not name.endswith("_error")]
    assert {n: together[n] for n in compared} == pytest.approx(
        {n: single[n] for n in compared}, rel=1e-8, abs=1e-11
    )


def test_a_boundary_that_is_missing_is_named(comm: MPI.Intracomm) -> None:
    model = two_grains(comm, held(), law())
    with pytest.raises(MeshError, match="no boundary 'lid'"):
        Observer(model, current_boundary="lid")


@pytest.mark.parametrize("moved", [False, True])
def test_an_observer_goes_on_from_the_memory_of_another(comm: MPI.Intracomm, moved: bool) -> None:
    """One that was made in the middle of a run, where more is stored and less metal is left, says the same."""
    model = two_grains(comm, held(), law()) if moved else electrode(comm)
    solver, first = NewtonSolver(model, CONDUCTING), Observer(model)
    rows: list[list[Row]] = []
    second: Observer | None = None
    for step in range(4):
        model.control("pressure").value, model.control("influx").value = 1.0 + step, 0.004
        model.control("lift").value = 1e-3 * step
        model.prepare_step(100.0)
        outcome = solver.solve()
        assert outcome.converged, outcome
        rows.append([observer.measure() for observer in (first, second) if observer is not None])
        model.commit()
        if step == 1:
            second = Observer(model)
            assert second.start() != rows[-1][0]
            second.recall(*first.memory())
    assert rows[-1][0]["external_work_pJ_um"] != rows[1][0]["external_work_pJ_um"]
    assert rows[2][0] == rows[2][1] and rows[3][0] == rows[3][1]
    assert second is not None
    numbers, nodal = second.memory()
    assert numbers == first.memory()[0] and nodal.keys() == first.memory()[1].keys()
