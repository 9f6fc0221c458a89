"""Cycles with jumps against computing all of them: the section with fatigue, flow and a side reaction."""

from __future__ import annotations

import pytest
from mpi4py import MPI

from tests.cycling import cycled

WITHIN = 0.02


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
    assert jumped["cycling"]["cycles_computed"] <= 14
    assert jumped["newton_iterations"] < 0.7 * resolved["newton_iterations"]
    assert jumped["lithium_book_error"] < 1e-12
