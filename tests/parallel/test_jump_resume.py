"""A run that is interrupted in the cycle that checks a jump: on several ranks it goes on to the end of one rank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

from run import results
from run.case import load_case
from run.driver import RunOptions, resume_case, run_case
from run.errors import EXIT_OK, EXIT_RESUME
from run.process import control
from tests.alone import alone
from tests.run.conftest import leave_after
from tests.run.test_jumping import LOOSE, case_file, of

JUMPING = "repeat 9 times, jumping"


@pytest.fixture
def folder(folder: Path, comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder all ranks share, with cycles of which 4, 5, 7 and 8 are jumped over."""
    monkeypatch.setattr(control, "allowed_length", of(2))
    monkeypatch.setattr(control, "LEAST_DAMAGE", 1.0)
    if comm.rank == 0:
        case_file(folder, "jumped", JUMPING, LOOSE)
    comm.Barrier()
    return folder


def start(folder: Path, name: str, comm: MPI.Intracomm) -> int:
    case = load_case(folder / "jumped.toml", ["solver.force_tolerance=1e-9 N/m"])
    return run_case(case, RunOptions(folder / name, quiet=True), comm).exit_code


def told_by(folder: Path, name: str) -> tuple[dict[str, Any], list[dict[str, float]]]:
    return results.read_json(folder / name / results.SUMMARY), results.read_history(
        folder / name / results.HISTORY
    )[1]


@pytest.mark.parallel
def test_a_jump_that_is_being_checked_goes_on_on_any_number_of_ranks(
    folder: Path, comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_rank(self: MPI.Intracomm) -> tuple[dict[str, Any], list[dict[str, float]]]:
        assert start(folder, "alone", self) == EXIT_OK
        return told_by(folder, "alone")

    one, rows = alone(comm, "run", one_rank)
    steps = [number for number, row in enumerate(rows) if row["cycle"] == 6][1]
    with monkeypatch.context() as patch:
        leave_after(patch, steps)
        assert start(folder, "many", comm) == EXIT_RESUME
    comm.Barrier()
    cycling = told_by(folder, "many")[0]["cycling"]
    assert cycling["jumps"] == [] and cycling["cycles_computed"] == 3, "the jump is not judged yet"
    result = resume_case(RunOptions(folder / "many", quiet=True), comm)
    assert result is not None and result.exit_code == EXIT_OK
    comm.Barrier()
    many, others = told_by(folder, "many")
    assert [row["cycle"] for row in others] == [row["cycle"] for row in rows]
    assert [row["jumped_before"] for row in many["cycles"]] == [0, 0, 0, 2, 2]
    compared = "time_s", "charge_mAh_cm2", "thickness_um", "damaged_fraction", "chemical_work_pJ_um"
    for row, other in zip(others, rows, strict=True):
        for name in compared:
            assert row[name] == pytest.approx(other[name], rel=1e-8, abs=1e-12), (other["time_s"], name)
    jumps = [told["cycling"]["jumps"] for told in (one, many)]
    for jump, other in zip(*jumps, strict=True):
        for name in ("first_cycle", "last_cycle", "outcome", "decided_by", "newton_iterations_of_check"):
            assert jump[name] == other[name], name
        assert jump["charge_mAh_cm2"] == pytest.approx(other["charge_mAh_cm2"], rel=1e-8)
    assert many["lithium_book_error"] < 1e-12
    if comm.size == 1:
        assert json.dumps(one["steps"]) == json.dumps(many["steps"]), "bit for bit"
