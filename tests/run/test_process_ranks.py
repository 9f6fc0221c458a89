"""A short process on any number of ranks: it lands on what ends its steps, and the lithium book closes."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpi4py import MPI

from run import results
from run.cli import main
from run.errors import EXIT_OK
from tests.run.conftest import TINY

STEPS = """
[process]
steps = [
  "press to 5 MPa in 2 s",
  "lithiate at 1 C until lithiation 0.014",
  "charge at 1 C until 0.9 V",
  "measure thickness unloaded",
  "rest for 5 s",
]

[output]
fields = false
pictures = false

[time]
first_step = "3 s"
"""


#: End of the lithiation in s, and the unloaded thickness in um, on one rank.
END_TIME, THICKNESS = 14.388615613421395, 7.002963369964853


@pytest.mark.parallel
def test_the_same_on_any_number_of_ranks(folder: Path, comm: MPI.Intracomm) -> None:
    path, out = folder / "case.toml", folder / "out"
    if comm.rank == 0:
        path.write_text(TINY.split("[drive]")[0] + STEPS, encoding="utf-8")
    comm.Barrier()
    assert main(["run", str(path), "--out", str(out), "--quiet"]) == EXIT_OK
    told = results.read_json(out / results.SUMMARY)
    assert told["ranks"] == comm.size
    pressed, lithiated, charged, measured, rested = told["steps"]
    assert lithiated["mean_lithiation_end"] == pytest.approx(0.014, abs=1.01e-6)
    assert 0.0 <= charged["voltage_end_V"] - 0.9 <= 1.0e-3
    assert measured["result"]["complete"]
    for block in (pressed, lithiated, charged, rested):
        assert block["lithium_book_mAh_cm2"]["error"] < 1e-12
        assert block["lithium_book_mAh_cm2"]["trapped"]["grains"] == 9
    assert lithiated["end_time_s"] == pytest.approx(END_TIME, rel=1e-8)
    assert measured["result"]["thickness_um"] == pytest.approx(THICKNESS, rel=1e-8)
