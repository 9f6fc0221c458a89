"""What `make test` runs inside the environment: style, types, tests on one rank each, then on 2 and on 3 ranks."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from setup.packages import REPOSITORY

# Folder where one stage keeps for the later ones what it found on one rank (tests/alone.py).
ALONE = "SWELLBOUND_TEST_ALONE"
# Most of the time goes into compiling forms that then run on a few cells: half as much of it (fem/compat.py).
FORM_FLAGS = {"SWELLBOUND_FORM_FLAGS": "-O1"}
MOST_WORKERS = 4  # each takes about a GiB
PATIENCE_S = 10.0  # between asking a check to end and making it


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and how many seconds it may take before it counts as hanging."""

    name: str
    command: tuple[str, ...]
    limit: float


def steps(slow: bool) -> list[Step]:
    """The checks, the quick ones first.

    Args:
        slow: whether the tests marked slow run as well.
    """
    extra = ("--slow",) if slow else ()
    factor = 8.0 if slow else 1.0
    # Open MPI gives its ranks a terminal where there is none.
    colour = f"--color={'yes' if sys.stdout.isatty() else 'no'}"
    pytest = (sys.executable, "-m", "pytest", "-q", colour, *extra)
    linter = (sys.executable, "-m", "ruff")
    return [
        Step("ruff", (*linter, "check", "."), 120.0),
        Step("ruff format", (*linter, "format", "--check", "."), 120.0),
        Step("mypy", (sys.executable, "-m", "mypy"), 600.0),
        # A file's tests stay together: they share the forms that the first of them compiles.
        Step("pytest", (*pytest, "-n", str(workers()), "--dist", "loadfile"), 1500.0 * factor),
        *(
            Step(
                f"pytest on {ranks} ranks",
                ("mpirun", "-n", str(ranks), *pytest, "-m", "parallel", "--ranks", str(ranks)),
                1200.0 * factor,
            )
            for ranks in (2, 3)
        ),
    ]


def workers() -> int:
    """How many processes share the tests in serial: one a core this process may use, within reason."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def run(step: Step) -> tuple[bool, float]:
    """Runs one check in a process group of its own, so that none of its ranks outlives it.

    Args:
        step: the check.

    Returns:
        Whether it passed, and how long it took, s.
    """
    print(f"\n== {step.name}: {' '.join(step.command)}", flush=True)
    start = time.monotonic()
    child = subprocess.Popen(step.command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        passed = child.wait(timeout=step.limit) == 0
    except subprocess.TimeoutExpired:
        print(f"{step.name} did not end within {step.limit:.0f} s", flush=True)
        passed = False
    finally:
        _end(child)
    return passed, time.monotonic() - start


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends what is left of a process group: politely, so that mpirun takes its ranks along, then for certain."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=PATIENCE_S)
    # The check itself may be gone while something that it started is not.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def summary(results: Sequence[tuple[Step, bool, float]]) -> str:
    """One line: PASS or FAIL, what failed, and how long each check took."""
    failed = [step.name for step, passed, _ in results if not passed]
    times = ", ".join(f"{step.name} {seconds:.0f} s" for step, _, seconds in results)
    total = sum(seconds for _, _, seconds in results)
    verdict = f"FAIL ({', '.join(failed)})" if failed else "PASS"
    return f"{verdict} in {total:.0f} s: {times}"


@contextlib.contextmanager
def _variables() -> Iterator[None]:
    """While the block lasts the checks' own variables hold: there is a folder for what one rank finds."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="swellbound-test-") as folder:
        os.environ.update({**FORM_FLAGS, **before, ALONE: folder})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def main(given: Sequence[str] | None = None, runner: Callable[[Step], tuple[bool, float]] = run) -> int:
    """Runs every check, whatever failed before, and ends with the summary.

    Args:
        given: command line; this process's if None.
        runner: runs one check.

    Returns:
        0 if all passed, else 1.
    """
    parser = argparse.ArgumentParser(prog="python3 -m setup.check", description=__doc__)
    parser.add_argument("--slow", action="store_true", help="the tests marked slow as well")
    options = parser.parse_args(given)
    with _variables():
        results = [(step, *runner(step)) for step in steps(options.slow)]
    print(f"\n{summary(results)}", flush=True)
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
