"""Runs a case from its beginning, or goes on with the run in a folder."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path

from mpi4py import MPI

from run import folder, origin, restart, results
from run.case import Case
from run.errors import ResultsError
from run.folder import LOG
from run.interruption import Interruption
from run.options import RunOptions, RunResult
from run.origin import Origin
from run.ranks import on_first_rank
from run.session import Session

__all__ = ["RunOptions", "RunResult", "resume_case", "run_case"]


def run_case(case: Case, options: RunOptions, comm: MPI.Intracomm) -> RunResult:
    """Run a case from its beginning; collective.

    Raises:
        InputError: The folder, the mesh or the drive is not possible.
        ResultsError: A file cannot be written.
        fem.errors.SwellboundError: The mesh does not fit the model.
    """
    began = time.monotonic()
    with folder.held(options.out, comm):
        on_first_rank(comm, lambda: folder.begin(options.out, case, options.mesh, options.origin))
        return _go(case, options, comm, began, resumed=False)


def resume_case(options: RunOptions, comm: MPI.Intracomm) -> RunResult | None:
    """Go on with the run in a folder from its newest sound checkpoint, or from its beginning if there is none.

    Collective.

    Args:
        options: Its ``mesh`` is not looked at: the run has its own.
        comm: Ranks, as many as one likes.

    Returns:
        How it ended; None if it had come to its end already.

    Raises:
        InputError: The folder holds no run.
        ResultsError: A file cannot be written.
        fem.errors.SwellboundError: The mesh does not fit the model.
    """
    began = time.monotonic()
    with folder.held(options.out, comm):
        case, mesh, status = on_first_rank(comm, lambda: folder.open_again(options.out))
        if status.get("state") == "finished":
            return None
        on_first_rank(comm, lambda: restart.remove_leftovers(options.out))
        found = on_first_rank(comm, lambda: _origin(options.out))
        return _go(case, replace(options, mesh=mesh, origin=found), comm, began, resumed=True)


def _origin(out: Path) -> Origin | None:
    """The run that a run in a folder goes on from; None where there is none, or it is not needed any more."""
    source = results.read_json(out / results.RUN).get("from")
    if source is None or restart.listed(out / results.STATE):
        return None
    return origin.read(Path(source))


def _go(case: Case, options: RunOptions, comm: MPI.Intracomm, began: float, resumed: bool) -> RunResult:
    with folder.logged(options.out / results.LOG, comm):
        try:
            with Interruption(comm, began, options.wall_time) as interruption:
                return Session(case, options, comm, began, interruption).run(resumed)
        except Exception as error:
            LOG.exception("the run failed")
            if comm.rank == 0:
                # Where the disk is full this cannot be written either; the first error says why.
                with contextlib.suppress(ResultsError):
                    results.write_json(
                        options.out / results.STATUS, {"state": "failed", "reason": str(error)}
                    )
            raise
