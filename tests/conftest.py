"""What holds for every test: the same course on every rank, no collective left behind, no hang.

Tests run in serial by default. `mpirun -n N pytest` runs those marked `parallel`. After each phase of a test
the ranks compare notes: a test that fails on one rank fails on all, with that rank's traceback in rank 0's report, so
that all ranks go on to the same next phase. A rank that waits in vain for another one ends the whole run and says why.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

try:
    from mpi4py import MPI
except ImportError:
    pytest.exit(
        "The tests need mpi4py and DOLFINx: start them by `make test`, or by pytest inside `make shell`.", 4
    )

# A rank that failed waits so long for the others, which may hang in a collective.
PATIENCE_AFTER_FAILURE_S = float(os.environ.get("SWELLBOUND_TEST_PATIENCE", "20"))
PATIENCE_S = 600.0  # longest phase of a test on several ranks; 8 times that for tests marked slow

WORLD = MPI.COMM_WORLD
# Messages between the ranks' test runners never meet those of the tests.
PRIVATE = WORLD.Dup()
# Standard error as it was before pytest began to capture it: a file descriptor, set in pytest_configure.
REAL_STDERR = pytest.StashKey[int]()


@dataclass(frozen=True)
class Note:
    """What one rank says about one phase of one test."""

    test: str
    phase: str
    outcome: str
    text: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds our options."""
    group = parser.getgroup("swellbound")
    group.addoption("--slow", action="store_true", help="also run the tests marked slow")
    group.addoption("--ranks", type=int, default=None, help="fail unless there are so many MPI ranks")


@pytest.hookimpl(trylast=True)  # after the reporter has been made
def pytest_configure(config: pytest.Config) -> None:
    """Checks that MPI started as it was told to, and silences all ranks but the first."""
    config.stash[REAL_STDERR] = os.dup(2)  # pytest does not capture at this moment
    wanted = config.getoption("--ranks")
    if wanted is not None and wanted != WORLD.size:
        pytest.exit(
            f"{wanted} MPI ranks were asked for, but there are {WORLD.size}: mpirun belongs to another MPI.",
            4,
        )
    if WORLD.rank > 0:
        config.pluginmanager.unregister(name="terminalreporter")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out slow tests, tests for more ranks than there are, and on several ranks those not meant for them."""
    out = [item for item in items if not _wanted(item, config.getoption("--slow"))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]
    names = PRIVATE.allgather([item.nodeid for item in items])
    if any(other != names[0] for other in names):
        pytest.exit(
            "The ranks collected different tests: collection must not depend on the rank or on random numbers.",
            4,
        )


def _wanted(item: pytest.Item, slow: bool) -> bool:
    if item.get_closest_marker("slow") and not slow:
        return False
    marker = item.get_closest_marker("parallel")
    if marker is None:
        return WORLD.size == 1
    unknown = set(marker.kwargs) - {"min_ranks", "partition"}
    if marker.args or unknown:
        raise pytest.UsageError(
            f"{item.nodeid}: the marker parallel takes min_ranks=N, partition=NAME and nothing else"
        )
    if WORLD.size == 1 and "partition" in marker.kwargs:
        # One rank has all cells, however they are dealt out: what follows would be the same test again.
        return _first(item, marker.kwargs["partition"])
    return WORLD.size >= int(marker.kwargs.get("min_ranks", 1))


def _first(item: pytest.Item, parameter: str) -> bool:
    """Whether an item has the first of its parameter's values."""
    for marker in item.iter_markers("parametrize"):
        if marker.args[0] == parameter and isinstance(item, pytest.Function):
            first = next(iter(marker.args[1]))
            # What pytest itself counts differs between its versions 8 and 9.
            return bool(item.callspec.params[parameter] is first)
    raise pytest.UsageError(f"{item.nodeid}: it has no parameter {parameter} that partition could mean")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """After each test: destroys what it left, on all ranks at once, as destructors of MPI objects are collective."""
    result = yield
    gc.collect()
    _meet(item.config, item.nodeid, time.monotonic() + _patience(item))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each phase: a failure on one rank becomes a failure on all."""
    report = yield
    if WORLD.size == 1:
        return report
    note = Note(item.nodeid, report.when, report.outcome, report.longreprtext if report.failed else "")
    patience = PATIENCE_AFTER_FAILURE_S if report.failed else _patience(item)
    _meet(item.config, item.nodeid, time.monotonic() + patience, note)
    notes = PRIVATE.allgather(note)
    trouble = disagreement(notes)
    if trouble:
        # What every rank does next depends on the outcome.
        report.outcome = "failed"
        report.longrepr = trouble
    return report


def disagreement(notes: list[Note]) -> str:
    """What the ranks' notes on one phase add up to.

    Args:
        notes: one a rank, in order of the ranks.

    Returns:
        Nothing if all passed or all skipped; else every failure with its rank, or that the ranks disagree.
    """
    failures = [
        f"[rank {rank} of {len(notes)}]\n{note.text}"
        for rank, note in enumerate(notes)
        if note.outcome == "failed"
    ]
    if failures:
        return "\n".join(failures)
    if len({(note.test, note.phase, note.outcome) for note in notes}) > 1:
        lines = (f"rank {rank}: {note.test} {note.phase} {note.outcome}" for rank, note in enumerate(notes))
        return "The ranks took different ways:\n" + "\n".join(lines)
    return ""


def _patience(item: pytest.Item) -> float:
    return PATIENCE_S * (8.0 if item.get_closest_marker("slow") else 1.0)


def _meet(config: pytest.Config, where: str, deadline: float, note: Note | None = None) -> None:
    """A barrier that gives up: a plain one would wait for ever for a rank that hangs.

    Args:
        config: knows where messages go.
        where: the test, for the message.
        deadline: on the monotonic clock, s.
        note: what this rank has to say, printed should the others never come.
    """
    if WORLD.size == 1:
        return
    request = PRIVATE.Ibarrier()
    pause = 0.0
    while not request.Test():
        if time.monotonic() > deadline:
            said = f": {note.outcome} in {note.phase}\n{note.text}" if note else ""
            message = f"\nrank {WORLD.rank} waits in vain for another rank, which hangs, at {where}{said}"
            os.write(config.stash[REAL_STDERR], f"{message}\n".encode())
            WORLD.Abort(1)
        time.sleep(pause)
        pause = min(0.005, pause + 0.0002)


@pytest.fixture(autouse=True)
def _watchdog(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Ends a rank that hangs inside a test, with a traceback of where; mpirun then ends the others."""
    if WORLD.size == 1:
        yield
        return
    limit = _patience(request.node) + PATIENCE_AFTER_FAILURE_S
    faulthandler.dump_traceback_later(limit, exit=True, file=request.config.stash[REAL_STDERR])
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def comm() -> MPI.Intracomm:
    """All ranks."""
    return WORLD


@pytest.fixture
def folder(comm: MPI.Intracomm, tmp_path: Path) -> Path:
    """One folder for all ranks."""
    return Path(comm.bcast(str(tmp_path)))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """All ranks exit with the worst status, so that mpirun's own status speaks for all of them."""
    _meet(session.config, "the end of the run", time.monotonic() + PATIENCE_S)
    worst = PRIVATE.allreduce(int(exitstatus), op=MPI.MAX)
    if worst != int(exitstatus):
        session.exitstatus = worst
    sys.stdout.flush()
