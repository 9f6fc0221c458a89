"""The command line: ``swellbound check|mesh|run|resume|materials|report|benchmark|doctor``.

Exit codes: 0 done; 2 bad input, found before any meshing; 3 the run had to stop and its last good state is saved;
4 the run was interrupted and saved, ``resume`` goes on; 1 anything else. Under MPI only rank 0 prints and all ranks
exit alike.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from run import about
from run.errors import EXIT_BAD_INPUT, EXIT_FAILURE, EXIT_OK, EXIT_RESUME, InputError, ResultsError

if TYPE_CHECKING:
    from mpi4py import MPI

    from run.case import Case
    from run.session import RunResult


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the command line in one sentence, on rank 0 only."""

    def error(self, message: str) -> NoReturn:
        raise InputError("the command line", f"is not allowed: {message}; try {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code, the same on every rank.
    """
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.rank > 0 and arguments is None:
        # --help and --version print from inside argparse.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for the life of the process
    try:
        given = _parser().parse_args(arguments)
        action: Callable[[argparse.Namespace, MPI.Intracomm], int] = given.action
        return action(given, comm)
    except (InputError, ResultsError) as error:
        _complain(comm, str(error))
        return EXIT_BAD_INPUT if isinstance(error, InputError) else EXIT_FAILURE
    except Exception as error:
        return _unexpected(error, comm)


def _unexpected(error: Exception, comm: MPI.Intracomm) -> int:
    """An error that is ours but not the user's input, or one nobody foresaw."""
    from fem.errors import MeshError, ParameterError, SwellboundError
    from meshes.errors import MeshError as MeshingError

    if isinstance(error, MeshError | ParameterError | MeshingError):
        _complain(comm, str(error))
        return EXIT_BAD_INPUT
    if isinstance(error, SwellboundError):
        _complain(comm, str(error))
        return EXIT_FAILURE
    traceback.print_exc()
    if comm.size > 1:
        # The other ranks may wait in a collective for this one.
        sys.stderr.flush()
        comm.Abort(EXIT_FAILURE)
    return EXIT_FAILURE


def _complain(comm: MPI.Intracomm, text: str) -> None:
    if comm.rank == 0:
        print(f"swellbound: {text}", file=sys.stderr, flush=True)


def _say(comm: MPI.Intracomm, text: str) -> None:
    if comm.rank == 0:
        print(text, flush=True)


# ---------------------------------------------------------------------- commands


def _load(given: argparse.Namespace, comm: MPI.Intracomm) -> Case:
    from run.case import load_case
    from run.ranks import on_first_rank

    # Read once: all ranks then agree on the case, or on what is wrong with it.
    case: Case = on_first_rank(comm, lambda: load_case(Path(given.case), given.set))
    return case


def _check(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    case = _load(given, comm)
    if comm.rank == 0:
        from run.estimate import describe

        print(describe(case))
    return EXIT_OK


def _mesh(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from run import meshing
    from run.ranks import on_first_rank

    case = _load(given, comm)
    folder = Path(given.out or Path("results") / case.name / "mesh")
    file, found = on_first_rank(comm, lambda: meshing.mesh_case(case, folder))
    if comm.rank == 0:
        table = meshing.read_sidecar(file)
        print(f"{file}: {table['quality']['cells']} triangles{', found there' if found else ''}")
        print(f"{file.with_suffix('.json')}: grains, fractions, quality, {table['content_hash']}")
        print(f"{file.with_suffix('.png')}: picture")
    return EXIT_OK


def _run(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    case = _load(given, comm)
    from run.driver import RunOptions, run_case

    out = Path(given.out or Path("results") / case.name)
    mesh = None if given.mesh is None else Path(given.mesh)
    if mesh is not None and not mesh.is_file():
        raise InputError(
            "--mesh", f"= {given.mesh!r} is not allowed: there is no such file; make it by swellbound mesh"
        )
    options = RunOptions(out, given.quiet, mesh, _wall_time(given))
    return _ended(run_case(case, options, comm), out, given.quiet, comm)


def _resume(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from run.driver import RunOptions, resume_case

    out = Path(given.folder)
    result = resume_case(RunOptions(out, given.quiet, wall_time=_wall_time(given)), comm)
    if result is None:
        if not given.quiet:
            _say(comm, f"{out}: the run has come to its end already")
        return EXIT_OK
    return _ended(result, out, given.quiet, comm)


def _wall_time(given: argparse.Namespace) -> float | None:
    from run import units

    if given.wall_time is None:
        return None
    try:
        seconds = units.parse(given.wall_time, units.TIME)[0]
    except units.UnitError as error:
        raise InputError(
            "--wall-time", f"= {given.wall_time!r} is not allowed: it must be {error}"
        ) from error
    if seconds <= 0.0:
        raise InputError("--wall-time", f"= {given.wall_time!r} is not allowed: it must be above 0 s")
    return seconds


def _ended(result: RunResult, out: Path, quiet: bool, comm: MPI.Intracomm) -> int:
    from run.report import one_line

    if not quiet:
        _say(comm, f"{one_line(result.summary)}\n{out}: history.csv, summary.json, pictures/, fields/")
    if result.exit_code == EXIT_RESUME:
        _complain(comm, f"{result.reason}; the run is saved, go on by: swellbound resume {out}")
    elif result.exit_code != EXIT_OK:
        _complain(comm, f"the run stopped: {result.reason}. The last good state is in {out / 'state'}.")
    return result.exit_code


def _report(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    if comm.rank == 0:
        from run.report import draw_report, one_line
        from run.results import SUMMARY, read_json

        folder = Path(given.folder)
        if not (folder / SUMMARY).is_file():
            raise InputError(
                "DIR", f"= {given.folder!r} is not allowed: it holds no {SUMMARY}; give a run folder"
            )
        for path in draw_report(folder):
            print(path)
        print(one_line(read_json(folder / SUMMARY)))
    return EXIT_OK


def _materials(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    if comm.rank == 0:
        from run.material_table import material_table

        case = _load(given, comm) if given.case is not None else None
        print(material_table(case, given.only))
    elif given.case is not None:
        _load(given, comm)
    return EXIT_OK


def _benchmark(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    if comm.size > 1:
        raise InputError("swellbound benchmark", "is not to be started by mpirun: it starts its own ranks")
    if given.what == "polycrystal":
        from run.benchmark_polycrystal import DEFAULT_OUT, run_polycrystal

        return run_polycrystal(Path(given.out) if given.out else DEFAULT_OUT)
    from run.benchmark import run_benchmark

    return run_benchmark([Path(folder) for folder in given.folders], given.refine)


def _doctor(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from run.doctor import examine

    return examine(comm)


# ---------------------------------------------------------------------- words

_EXAMPLES = {
    "check": "swellbound check run/cases/bare.toml",
    "mesh": "swellbound mesh run/cases/bare.toml --out results/bare/mesh",
    "run": "mpirun -n 2 swellbound run run/cases/bare.toml --out results/bare --set drive.stack_pressure='5 MPa'",
    "resume": "mpirun -n 2 swellbound resume results/bare --wall-time '12 h'",
    "materials": "swellbound materials silicon",
    "report": "swellbound report results/demo/bare",
    "benchmark": "swellbound benchmark newton results/demo/bare",
    "doctor": "mpirun -n 2 swellbound doctor",
}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="swellbound",
        description="Particle-resolved finite elements for battery electrodes that swell.",
        epilog="Each command has its own --help with an example.",
    )
    parser.add_argument("--version", action="version", version=f"swellbound {about.version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(
        name: str, action: Callable[[argparse.Namespace, Any], int], text: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text[0].lower() + text[1:].split(".")[0],
            description=text,
            epilog=f"example: {_EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(action=action)
        return made

    def with_case(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument("case", metavar="CASE.toml", help="the case file")
        _add_set(made)
        return made

    with_case(
        command(
            "check", _check, "Check a case file and say what it amounts to. Nothing is meshed or written."
        )
    )
    mesh = with_case(command("mesh", _mesh, "Make the mesh of a case: .msh, .json sidecar and picture."))
    mesh.add_argument("--out", metavar="DIR", help="folder for the mesh (default: results/NAME/mesh)")
    run = with_case(command("run", _run, "Mesh and run a case, on all ranks mpirun starts."))
    run.add_argument("--out", metavar="DIR", help="run folder (default: results/NAME)")
    run.add_argument("--mesh", metavar="FILE.msh", help="use this mesh of ours instead of making one")
    _add_session(run)
    resume = command(
        "resume",
        _resume,
        "Go on with a run that was interrupted or killed, from its last checkpoint. Any number of ranks will do; on "
        "as many as before it goes on bit for bit.",
    )
    resume.add_argument("folder", metavar="DIR", help="the run folder")
    _add_session(resume)
    materials = command(
        "materials", _materials, "List the parameters of materials and interfaces with their sources."
    )
    materials.add_argument(
        "only", nargs="?", metavar="NAME", help="one phase (silicon) or interface (graphite|silicon)"
    )
    materials.add_argument("--case", metavar="CASE.toml", help="with the values of this case")
    _add_set(materials)
    report = command("report", _report, "Draw the pictures of a run folder anew.")
    report.add_argument("folder", metavar="DIR", help="the run folder")
    benchmark = command(
        "benchmark",
        _benchmark,
        "Measure against plain DOLFINx, on 1 and 2 ranks. WHAT is newton, a Newton step of the demonstration, or "
        "polycrystal, the yardstick of interface codes.",
    )
    _add_benchmarks(benchmark)
    command("doctor", _doctor, "Say whether everything needed is there and MPI works. Changes nothing.")
    return parser


def _add_benchmarks(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(folders=[], refine=1.0)
    kinds = parser.add_subparsers(metavar="WHAT", dest="what", parser_class=_Parser)
    newton = kinds.add_parser(
        "newton", help="time of a Newton step, as a markdown table (default)", allow_abbrev=False
    )
    newton.add_argument(
        "folders", nargs="*", metavar="DIR", help="run folders whose Newton iterations are listed"
    )
    newton.add_argument(
        "--refine", type=float, default=1.0, help="element sizes are divided by this (default 1)"
    )
    polycrystal = kinds.add_parser(
        "polycrystal", help="100 grains pulled apart, beside a plain elastic solve", allow_abbrev=False
    )
    polycrystal.add_argument(
        "--out", metavar="FILE.json", help="the figures (default: results/benchmark/polycrystal.json)"
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument(
        "--wall-time",
        metavar="TIME",
        help='save and leave with exit code 4 before so much wall time has passed, e.g. "12 h"',
    )


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        help="override any key of the case file, as often as needed; the value as in TOML, quotes optional",
    )


if __name__ == "__main__":
    sys.exit(main())
