"""``python3 -m run.study.point CASE.toml --out RUN --outcome FILE``: one point of a study, on all ranks mpirun starts.

It begins the run, goes on with it, or finds it finished, puts it to an adhesion test if one is asked for, and writes
how that ended. The exit code is 0 when nothing is left to do, be it for good or bad; 4 when there is more to do.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from run import adhesion, cli, folder, results
from run.case import load_case
from run.errors import EXIT_OK, EXIT_RESUME, InputError, ResultsError
from run.ranks import on_first_rank
from run.study.places import adhesion_folder

if TYPE_CHECKING:
    from mpi4py import MPI


class _Both(io.StringIO):
    """Keeps what is written, and writes it."""

    def __init__(self, other: TextIO) -> None:
        super().__init__()
        self.other = other

    def write(self, text: str) -> int:
        self.other.write(text)
        return super().write(text)

    def flush(self) -> None:
        self.other.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring one point to its end, or as far as it may go; collective."""
    from mpi4py import MPI

    parser = argparse.ArgumentParser(prog="python3 -m run.study.point", description=__doc__)
    parser.add_argument("case", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--outcome", type=Path, required=True)
    parser.add_argument("--anew", action="store_true", help="from the beginning, whatever is there")
    parser.add_argument("--wall-time", metavar="TIME")
    # Everything behind it is for `swellbound adhesion`.
    parser.add_argument("--adhesion", nargs=argparse.REMAINDER, default=[])
    given = parser.parse_args(arguments)
    comm = MPI.COMM_WORLD
    said = _Both(sys.stderr)
    try:
        with redirect_stderr(said):
            code = _go(given, comm)
        if code != EXIT_RESUME:
            # What went wrong in a sentence of ours; where there is none, the last line of a traceback.
            lines = said.getvalue().strip().splitlines()
            ours = [line.removeprefix("swellbound: ") for line in lines if line.startswith("swellbound: ")]
            last = (ours or (lines if code != EXIT_OK else []) or [""])[-1]
            on_first_rank(comm, lambda: _write(given.case, given.outcome, code, last))
            return EXIT_OK
    except ResultsError as error:
        if comm.rank == 0:
            print(f"swellbound: {error}", file=sys.stderr)
    return EXIT_RESUME


def _go(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    resumed = on_first_rank(comm, lambda: _may_go_on(given.out, given.anew))
    if resumed is None:
        return EXIT_RESUME
    limit = [] if given.wall_time is None else ["--wall-time", given.wall_time]
    command = ["resume", str(given.out)] if resumed else ["run", str(given.case), "--out", str(given.out)]
    code = cli.main([*command, "--quiet", *limit])
    place = adhesion_folder(given.out)
    if code == EXIT_OK and given.adhesion and not on_first_rank(comm, lambda: _tested(place)):
        # A test that fails leaves the point its other numbers: why it failed is told with them.
        cli.main(["adhesion", str(given.out), "--out", str(place), "--quiet", *given.adhesion])
    return code


def _may_go_on(out: Path, anew: bool) -> bool | None:
    """Whether the folder holds a run to go on with; None where another process is at it."""
    from mpi4py import MPI

    if not out.is_dir():
        return False
    try:
        with folder.held(out, MPI.COMM_SELF):
            pass
    except InputError as error:
        print(f"swellbound: {error}", file=sys.stderr)
        return None
    try:
        folder.open_again(out)
    except InputError:
        return False
    return not anew


def _tested(place: Path) -> bool:
    return (place / adhesion.TABLE).is_file()


def _write(case: Path, outcome: Path, code: int, last: str) -> None:
    reason = last if last or code == EXIT_OK else f"exit code {code}"
    try:
        content_hash = load_case(case).content_hash
    except InputError:
        content_hash = ""
    results.write_json(outcome, {"exit_code": code, "reason": reason, "case_hash": content_hash})


if __name__ == "__main__":
    sys.exit(main())
