"""Cycle jumps on several ranks: the same jumps, and the same electrode after them, as on one."""

from __future__ import annotations

import json

import pytest
from mpi4py import MPI

from tests.alone import alone
from tests.cycling import cycled


@pytest.mark.parallel
def test_all_ranks_jump_alike(comm: MPI.Intracomm) -> None:
    """Eight cycles, of which some are jumped over by the length that the control function finds."""
    given = "repeat 8 times, jumping", {"longest_jump": 3}
    one = alone(comm, "cycled", lambda self: cycled(self, *given))
    several = cycled(comm, *given) if comm.size > 1 else one
    lengths = [
        [(jump["first_cycle"], jump["last_cycle"], jump["outcome"]) for jump in told["cycling"]["jumps"]]
        for told in (several, one)
    ]
    assert lengths[0] == lengths[1] and lengths[0]
    assert len(set(comm.allgather(json.dumps(lengths[0])))) == 1
    for row, other in zip(several["cycles"], one["cycles"], strict=True):
        for name in ("lithiation_mAh_cm2", "delithiation_mAh_cm2", "thickness_end_um"):
            assert row[name] == pytest.approx(other[name], rel=1e-8), (row["cycle"], name)
        for name in ("damaged_fraction", "debonded_fraction", "side_products_mAh_cm2"):
            assert row["state_end"][name] == pytest.approx(other["state_end"][name], rel=1e-7), name
    assert several["lithium_book_error"] < 1e-12
