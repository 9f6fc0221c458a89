"""Lithium ligaments between elastic layers: what they dissipate against the ductile-ligament estimate χ σ0 h f."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.interfaces.law import InterfaceLaw
from fem.materials.library import LITHIUM
from tests.ligaments import State, Strip, model, pulled
from tests.small import law

RATE = 1e-3  # opening per height and second
TIE = law(None, None, stiffness=1e6, contact_stiffness=1e6)
GC = 1.0
BOND = law(20.0, GC)
SQUARE = Strip(height=2.0, width=2.0, cells=3)


def stretched(
    comm: MPI.Intracomm,
    strip: Strip,
    to: float,
    rate: float = RATE,
    bond: InterfaceLaw = TIE,
    step: float = 0.05,
) -> State:
    """The strip at an opening of ``to`` heights, reached in steps of at most ``step`` heights."""
    h = strip.height
    return list(pulled(model(comm, strip, bond), strip, rate * h, np.array([to * h]), step * h))[-1]


def test_a_slender_ligament_stretches_evenly(comm: MPI.Intracomm) -> None:
    strip = Strip(height=2.0, width=0.5, cells=6)
    state = stretched(comm, strip, 0.4, step=0.02)
    # Its ends, which the layers hold, and elasticity are the difference.
    slender = strip.slender_work(RATE * strip.height, 0.8) * strip.area_fraction
    assert state.plastic == pytest.approx(slender, rel=1e-2)
    # Nothing else dissipates, and hardly anything is stored.
    assert 0.0 < state.work - state.plastic < 3e-3 * state.work
    assert state.row["energy_balance_error"] < 1e-3


@pytest.mark.parallel
def test_the_work_goes_by_the_area_that_is_bridged(comm: MPI.Intracomm) -> None:
    works = [stretched(comm, replace(SQUARE, area_fraction=f), 0.2).plastic / f for f in (0.25, 0.75)]
    assert works[0] == pytest.approx(works[1], rel=2e-3)


def test_the_work_goes_by_the_height(comm: MPI.Intracomm) -> None:
    low, high = (replace(SQUARE, height=height, width=height, layer=0.25 * height) for height in (1.0, 3.0))
    # At one strain rate bodies of one shape differ in size only; so does the give of the tie, which does not.
    ratio = stretched(comm, high, 0.2).plastic / stretched(comm, low, 0.2).plastic
    assert ratio == pytest.approx(3.0, rel=1e-3)


def test_layers_that_hold_a_squat_ligament_make_it_dissipate_more(comm: MPI.Intracomm) -> None:
    factors = []
    for width in (0.5, 1.0, 2.0, 4.0):
        strip = Strip(height=2.0, width=width, cells=4)
        spread = strip.flow_stress(RATE * strip.height) * strip.height * strip.area_fraction
        factors.append(stretched(comm, strip, 0.2).plastic / spread)
    # χ at a fifth of the height; its even stretching has 0.14.
    assert factors == pytest.approx([0.141, 0.145, 0.153, 0.195], abs=0.004)


def test_rate_and_temperature_count_by_the_creep_rate(comm: MPI.Intracomm) -> None:
    warm, cold = SQUARE, replace(SQUARE, temperature=298.15)
    slow, fast = (stretched(comm, warm, 0.2, rate).plastic for rate in (RATE, 10.0 * RATE))
    # σ ∝ rate^m at fixed resistance, and its limit grows with rate^n: m = 0.15, n = 0.05.
    assert 10.0**0.15 < fast / slow < 10.0**0.20
    assert LITHIUM.flow is not None
    ratio = LITHIUM.flow.rate_at(cold.temperature) / LITHIUM.flow.rate_at(warm.temperature)
    assert ratio == pytest.approx(0.01400 / 0.06718, rel=1e-3)
    # The cold strip at a rate as much lower is the warm one.
    assert stretched(comm, cold, 0.2, ratio * RATE).plastic == pytest.approx(slow, rel=1e-6)
    assert stretched(comm, cold, 0.2).plastic > 1.2 * slow


def test_a_bond_that_gives_way_first_ends_it(comm: MPI.Intracomm) -> None:
    # Steps short enough for the last one to lie behind the separation: its mean stress is asked for.
    slow, fast = (stretched(comm, SQUARE, 0.22, rate, BOND, step=0.02) for rate in (RATE, 1.0))
    assert slow.row["debonded_fraction"] < 1e-3
    assert slow.plastic == pytest.approx(stretched(comm, SQUARE, 0.22).plastic, rel=0.05)
    # Lithium that is stronger than its bond: both faces of the ligament come off.
    assert fast.row["debonded_fraction"] == pytest.approx(1.0)
    assert fast.fracture == pytest.approx(2.0 * GC * SQUARE.area_fraction, rel=1e-9)
    assert fast.work == pytest.approx(fast.plastic + fast.fracture, rel=0.05)
    assert abs(fast.stress) < 1e-3
