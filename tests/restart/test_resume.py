"""Gates 9 and 11: a signal to one rank saves the run on all; any number of ranks goes on with it to the same end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from run import restart, results
from run.case import load_case
from run.driver import RunOptions, resume_case, run_case
from run.errors import EXIT_OK, EXIT_RESUME
from run.session import Session
from tests.alone import alone
from tests.run.conftest import with_tiny

# Converged far below what is compared.
SETTINGS = [
    "drive.until_mean_lithiation=0.0165",
    "solver.force_tolerance=1e-9 N/m",
    "solver.lithium_tolerance=1e-12",
    "solver.potential_tolerance=1e-9 kJ/mol",
    "solver.displacement_tolerance=1e-8 um",
    "output.pictures=false",
    "output.frames=2",
]
STEPS = 6
COMPARED = (
    "time_s", "charge_mAh_cm2", "mean_lithiation", "thickness_um", "top_displacement_um", "damaged_fraction",
    "penetration_max_um", "external_work_pJ_um", "chemical_work_pJ_um", "stored_energy_pJ_um",
    "viscous_dissipation_pJ_um", "fracture_dissipation_pJ_um",
)  # fmt: skip


@pytest.fixture
def folder(folder: Path, comm: MPI.Intracomm) -> Path:
    """A folder all ranks share, with the tiny case in it."""
    return with_tiny(folder, comm)


def send(monkeypatch: pytest.MonkeyPatch, number: signal.Signals, rank: int) -> None:
    """Have one rank receive a signal in the middle of its step after ``STEPS`` accepted ones."""
    measure = Session._measure

    def interrupted(self: Session) -> bool:
        if self.record.accepted == STEPS and self.comm.rank == rank % self.comm.size:
            os.kill(os.getpid(), number)
        return measure(self)

    monkeypatch.setattr(Session, "_measure", interrupted)


def start(folder: Path, name: str, comm: MPI.Intracomm) -> int:
    case = load_case(folder / "tiny.toml", SETTINGS)
    return run_case(case, RunOptions(folder / name, quiet=True), comm).exit_code


def resume(folder: Path, name: str, comm: MPI.Intracomm) -> int:
    result = resume_case(RunOptions(folder / name, quiet=True), comm)
    assert result is not None
    return result.exit_code


def rows(folder: Path, name: str) -> list[dict[str, float]]:
    return results.read_history(folder / name / results.HISTORY)[1]


def assert_same_end(one: list[dict[str, float]], two: list[dict[str, float]], tolerance: float) -> None:
    assert len(one) == len(two)
    for column in COMPARED:
        expected = np.array([row[column] for row in two])
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            [row[column] for row in one],
            expected,
            rtol=0.0,
            atol=tolerance * max(scale, 1e-9),
            err_msg=column,
        )


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, pytest.param(signal.SIGUSR1, marks=pytest.mark.parallel)]
)
def test_a_signal_to_one_rank_saves_the_step_that_it_met(
    folder: Path, comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    send(monkeypatch, number, rank=-1)
    assert start(folder, "out", comm) == EXIT_RESUME
    assert signal.getsignal(number) is handler
    comm.Barrier()
    status = json.loads((folder / "out" / results.STATUS).read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", EXIT_RESUME)
    assert number.name in status["reason"]
    assert status["steps_accepted"] == STEPS + 1, "the step under way is finished, and no further one begun"
    found = restart.find(folder / "out" / results.STATE, {})
    assert found.checkpoint is not None and found.checkpoint.numbers["steps"] == STEPS + 1
    assert len(rows(folder, "out")) == STEPS + 2


@pytest.mark.parallel
def test_any_number_of_ranks_goes_on_with_a_run_of_any_other(
    folder: Path, comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one rank to n, and from n to one (n the ranks of this test)."""

    def whole(self: MPI.Intracomm) -> list[dict[str, float]]:
        assert start(folder, "alone", self) == EXIT_OK
        return rows(folder, "alone")

    def by_one(action: Any, *given: Any) -> None:
        code = action(folder, *given, MPI.COMM_SELF) if comm.rank == 0 else None
        assert comm.bcast(code) == wanted

    expected = alone(comm, "whole", whole)
    with monkeypatch.context() as patch:
        send(patch, signal.SIGUSR1, rank=0)
        wanted = EXIT_RESUME
        by_one(start, "one to many")
        assert start(folder, "many to one", comm) == EXIT_RESUME
    wanted = EXIT_OK
    by_one(resume, "many to one")
    assert resume(folder, "one to many", comm) == EXIT_OK
    comm.Barrier()
    for name in ("many to one", "one to many"):
        assert_same_end(rows(folder, name), expected, 1e-10)
    if comm.size == 1:
        assert rows(folder, "many to one") == expected, "bit for bit"


@pytest.mark.parallel
def test_a_run_leaves_before_its_wall_time_is_over(folder: Path, comm: MPI.Intracomm) -> None:
    case = load_case(folder / "tiny.toml", [*SETTINGS, "output.fields=false"])
    # No time at all: one step is taken in each session all the same, so that a chain of jobs comes to an end.
    options = RunOptions(folder / "out", quiet=True, wall_time=1e-3)
    result = run_case(case, options, comm)
    assert result.exit_code == EXIT_RESUME and "wall-time limit of 0.001 s" in result.reason
    again = resume_case(options, comm)
    assert again is not None and again.exit_code == EXIT_RESUME
    assert (result.summary["steps_accepted"], again.summary["steps_accepted"]) == (1, 2)
    assert again.summary["wall_time_s"] > result.summary["wall_time_s"]
