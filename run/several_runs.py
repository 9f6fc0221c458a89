"""Commands that start runs of their own: study, calibrate, benchmark. They are started without mpirun."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from run.errors import InputError

if TYPE_CHECKING:
    from mpi4py import MPI


def study(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    """Carry out a study, or what is missing of it."""
    _alone("study", comm)
    from run.study.study import StudyOptions, run_study

    jobs, out = _jobs(given), None if given.out is None else Path(given.out)
    options = StudyOptions(out, tuple(given.set), jobs, given.again, given.only, given.quiet)
    return run_study(Path(given.study), options)


def calibrate(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    """Carry out a calibration, or go on with it."""
    _alone("calibrate", comm)
    from run.calibration.calibrate import CalibrationOptions, run_calibration

    jobs, out = _jobs(given), None if given.out is None else Path(given.out)
    options = CalibrationOptions(out, tuple(given.set), jobs, given.again, given.quiet)
    return run_calibration(Path(given.calibration), options)


def _alone(command: str, comm: MPI.Intracomm) -> None:
    if comm.size > 1:
        raise InputError(f"swellbound {command}", "is not to be started by mpirun: it starts its own ranks")


def _jobs(given: argparse.Namespace) -> int:
    jobs: int = given.jobs
    if jobs < 1:
        raise InputError("--jobs", f"= {jobs} is not allowed: it must be 1 or more")
    return jobs


def benchmark(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    """Measure against something else."""
    _alone("benchmark", comm)
    if given.what == "polycrystal":
        from run.benchmark_polycrystal import DEFAULT_OUT, run_polycrystal

        return run_polycrystal(Path(given.out) if given.out else DEFAULT_OUT)
    if given.what == "solvers":
        from run import benchmark_solvers as solvers

        return solvers.run_solvers(
            given.unknowns or solvers.DEFAULT_SIZES,
            given.direct_up_to if given.direct_up_to is not None else solvers.DEFAULT_DIRECT,
            Path(given.out) if given.out else solvers.DEFAULT_OUT,
        )
    if given.what == "interfaces":
        from run import benchmark_interfaces as interfaces

        return interfaces.run_interfaces(
            Path(given.case) if given.case else interfaces.DEFAULT_CASE,
            given.until if given.until is not None else interfaces.DEFAULT_END,
            Path(given.out) if given.out else interfaces.DEFAULT_OUT,
            given.ranks,
        )
    from run.benchmark import run_benchmark

    return run_benchmark([Path(folder) for folder in given.folders], given.refine)
