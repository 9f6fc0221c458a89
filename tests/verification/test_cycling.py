"""Cycles with jumps against computing all of them: the section with fatigue, flow and a side reaction."""

from __future__ import annotations

import pytest
from mpi4py import MPI

from tests.cycling import cycled

WITHIN = 0.02
#: At the end of 100 cycles that were all computed (python3 -m docs.make_cycling --section).
ALL_COMPUTED = {
    "lithiation_mAh_cm2": 0.1918504,
    "delithiation_mAh_cm2": 0.1917768,
    "thickness_lithiated_um": 3.153441,
    "thickness_end_um": 3.025913,
    "damaged_fraction": 0.6683508,
    "debonded_fraction": 0.2289827,
    "side_products_mAh_cm2": 0.01365157,
}


@pytest.mark.slow
def test_jumps_end_where_computing_all_ends() -> None:
    """24 cycles: thickness, damage, capacity and side products within 2 %; and far fewer cycles are computed."""
    jumped = cycled(MPI.COMM_SELF, "repeat 24 times, jumping", {})
    resolved = cycled(MPI.COMM_SELF, "repeat 24 times", {})
    assert resolved["flow_strain"] > 1e-2
    first, last = resolved["cycles"][1], resolved["cycles"][-1]
    assert last["cycle"] == jumped["cycles"][-1]["cycle"] == 24
    for name in ("debonded_fraction", "side_products_mAh_cm2"):
        assert last["state_end"][name] > 1.2 * first["state_end"][name], name
    others = {row["cycle"]: row for row in resolved["cycles"]}
    assert jumped["cycling"]["cycles_jumped_over"] >= 10
    for row in jumped["cycles"]:
        other = others[row["cycle"]]
        for name in (
            "lithiation_mAh_cm2",
            "delithiation_mAh_cm2",
            "thickness_lithiated_um",
            "thickness_end_um",
        ):
            assert row[name] == pytest.approx(other[name], rel=WITHIN), (row["cycle"], name)
        for name in ("damaged_fraction", "debonded_fraction", "side_products_mAh_cm2"):
            assert row["state_end"][name] == pytest.approx(other["state_end"][name], rel=WITHIN), name
    # What is estimated is not less than what is wrong, but for a thousandth.
    for jump in jumped["cycling"]["jumps"]:
        (row,) = (row for row in jumped["cycles"] if row["cycle"] == jump["last_cycle"] + 1)
        damages = [one["state_end"]["damaged_fraction"] for one in (row, others[row["cycle"]])]
        assert abs(damages[0] / damages[1] - 1.0) < jump["estimated_errors"]["damage"] + 1e-3
    assert jumped["cycling"]["cycles_computed"] <= 8
    assert jumped["newton_iterations"] < 0.33 * resolved["newton_iterations"]
    assert jumped["lithium_book_error"] < 1e-12


@pytest.mark.slow
def test_a_hundred_cycles_cost_no_more_than_ten() -> None:
    """Gate 18: with the defaults, jumps that are taken back included; the numbers at the end are of all cycles."""
    jumped = cycled(MPI.COMM_SELF, "repeat 100 times, jumping", {})
    assert jumped["cycling"]["cycles_computed"] <= 10
    last = jumped["cycles"][-1]
    assert last["cycle"] == 100 and jumped["lithium_book_error"] < 1e-10
    assert jumped["newton_iterations"] < 10.2 * jumped["cycles"][1]["newton_iterations"]
    for name, value in ALL_COMPUTED.items():
        found = last[name] if name in last else last["state_end"][name]
        assert found == pytest.approx(value, rel=WITHIN), name
