"""What bonds and contacts take up on the way of a step, on motions that are set by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpi4py import MPI

from fem.contact_forces import ContactForces
from fem.energy import InterfaceEnergy
from fem.interfaces.contact_pairs import Pairs
from fem.interfaces.pressure_law import PressureLaw
from fem.model import ElectrodeModel
from fem.run_totals import RATES, step_energies
from fem.unresolved_work import UnresolvedWork
from tests.fem.bodies import WIDTH, held, law, move, two_grains
from tests.readings import set_displacement
from tests.small import Array

STIFFNESS, STRENGTH, ENERGY = 2.0e5, 20.0, 0.31
ONSET, FINAL = STRENGTH / STIFFNESS, 2.0 * ENERGY / STRENGTH


def placed(model: ElectrodeModel, angle: float, opening: Array) -> None:
    """Turn both grains, and shift the upper one in the turned frame."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    set_displacement(model, lambda x: (turn - np.eye(2)) @ x[:2])
    below = model.state.unknowns.x.array.copy()
    move(model, 1, turn @ opening)
    cells = model.domain.cell_grain == 1
    dofs = np.unique(model.state.dofs.cell_displacement[cells])
    model.state.unknowns.x.array[dofs] += below[dofs]
    untouched = np.unique(model.state.dofs.cell_displacement[~cells])
    model.state.unknowns.x.array[untouched] = below[untouched]


def summed(model: ElectrodeModel, found: dict[str, float]) -> dict[str, float]:
    """Over all ranks."""
    return {name: model.comm.allreduce(value) for name, value in found.items()}


@pytest.mark.parallel
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.7), (0.0, 1.5), (0.4, 1.2), (0.001, 0.6)])
def test_a_bond_takes_its_own_curve_and_no_straight_line(
    comm: MPI.Intracomm, start: float, end: float
) -> None:
    """Openings in shares of the one at which it is broken; the peak is at a hundredth of a third of that."""
    model = two_grains(comm, held(), law(fracture_energy=ENERGY))
    places, history = [start * FINAL, end * FINAL], model.facet_history
    move(model, 1, np.array([0.0, places[0]]))
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    history.set_values(model.state.largest_opening, np.full(len(model.interfaces.facets), places[0]))
    move(model, 1, np.array([0.0, places[1]]))
    opening = np.linspace(*places, 200_001)
    softening = STRENGTH * np.clip((FINAL - opening) / (FINAL - ONSET), 0.0, 1.0)
    curve = np.minimum(STIFFNESS * opening, softening)
    taken = float(np.sum(0.5 * (curve[1:] + curve[:-1]) * np.diff(opening)))
    straight = 0.5 * (curve[0] + curve[-1]) * (places[1] - places[0])
    found = summed(model, UnresolvedWork(model).sums())
    assert found["bond_excess"] == pytest.approx(WIDTH * (straight - taken), abs=2e-3 * WIDTH * taken)
    assert abs(straight - taken) > 0.1 * taken
    assert found["contact_path"] == found["contact_turning"] == 0.0


@pytest.mark.parallel
@pytest.mark.parametrize(("before", "after"), [(0.02, -0.01), (-0.01, 0.02), (-0.004, -0.01)])
@pytest.mark.parametrize("stiffening_depth", [np.inf, 0.005])
def test_a_contact_presses_where_it_is_closed(
    comm: MPI.Intracomm, before: float, after: float, stiffening_depth: float
) -> None:
    model = two_grains(comm, held(), law(breakable=False, contact_stiffening_depth=stiffening_depth))
    forces = ContactForces(model)
    move(model, 1, np.array([0.0, before]))
    start = forces.forces()
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    move(model, 1, np.array([0.0, after]))
    change = model.state.unknowns.x.array - model.state.previous.x.array
    work = summed(model, forces.work(start, forces.forces(), change))
    overlap = [max(-opening, 0.0) for opening in (before, after)]
    pressure = [STIFFNESS * depth * (1.0 + depth / stiffening_depth) for depth in overlap]
    energy = [STIFFNESS * WIDTH * depth**2 * (0.5 + depth / stiffening_depth / 3.0) for depth in overlap]
    assert work["contact_work"] == pytest.approx(0.5 * WIDTH * sum(pressure) * (before - after), rel=1e-9)
    assert work["friction_work"] == 0.0
    sums = summed(model, InterfaceEnergy(model).sums())
    assert [sums["contact_at_start"], sums["contact_energy"]] == pytest.approx(energy, rel=1e-9, abs=1e-12)
    assert sums["contact_path"] == pytest.approx(energy[1] - energy[0], rel=2e-3)


@pytest.mark.parallel
def test_contact_that_turns_lacks_a_couple(comm: MPI.Intracomm) -> None:
    """Points that have slid apart and press: turned as a whole nothing is stored, and yet the forces do work."""
    depth, slid, angle = 0.01, 0.15, 0.02
    model = two_grains(comm, held(), law(breakable=False, fracture_energy=ENERGY))
    placed(model, 0.3, np.array([slid, -depth]))
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    placed(model, 0.3 + angle, np.array([slid, -depth]))
    found = summed(model, UnresolvedWork(model).sums())
    couple = STIFFNESS * depth * slid * WIDTH
    assert abs(found["contact_turning"]) == pytest.approx(couple * angle, rel=0.01)
    assert found["contact_path"] + found["contact_turning"] == pytest.approx(0.0, abs=2e-3 * couple * angle)


def test_contact_that_was_searched_presses_where_it_is_closed() -> None:
    gap = np.array([0.01, -0.002, -0.004, 0.002, -0.003])
    end = np.array([-0.02, 0.03, -0.01, 0.02, -0.003])
    offset = np.array([0.0, -0.001, 0.0, 0.0, -0.001])
    count, none = len(gap), np.zeros(len(gap), dtype=np.int64)
    weight = 0.1 + 0.05 * np.arange(count)
    law = PressureLaw(1e4 * (1.0 + np.arange(count)), np.array([0.0, 100.0, 50.0, 200.0, 0.0]))
    empty = np.zeros((count, 2))
    # One comes past a corner, before which it was as deep behind the facet beyond as it likes.
    acting = gap.copy()
    acting[-1] = 0.5 * end[-1]
    pairs = Pairs(
        none, none, none, none, gap, acting, offset, empty, (empty,), empty, weight, law, np.zeros(count)
    )
    way = np.linspace(0.0, 1.0, 100_001)[:, None]
    pressure = law.pressure(np.maximum(offset - (acting + way * (end - acting)), 0.0))
    mean = 0.5 * (pressure[1:] + pressure[:-1]).mean(axis=0)
    assert pairs.work_on_the_way(end) == pytest.approx(
        float(np.sum(weight * mean * (acting - end))), rel=1e-6
    )
    assert pairs.stored(end) - pairs.stored(acting) == pytest.approx(pairs.work_on_the_way(end), rel=1e-9)


def test_friction_gives_nothing_back() -> None:
    sums = dict.fromkeys((*RATES, "bond_excess", "contact_work", "contact_path", "contact_at_start"), 0.0)
    rubbed = step_energies(sums | {"friction_work": 2.0, "bond_excess": 0.5}, 0.0)
    assert (rubbed["friction_dissipation"], rubbed["unresolved_work"]) == (2.0, 0.5)
    turned = step_energies(sums | {"friction_work": -2.0, "contact_work": 5.0, "contact_path": 4.0}, 0.25)
    assert (turned["friction_dissipation"], turned["unresolved_work"]) == (0.0, -0.75)
