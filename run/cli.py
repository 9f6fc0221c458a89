"""The command line: ``swellbound check|mesh|run|resume|adhesion|study|calibrate|materials|report|benchmark|doctor``.

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
from typing import TYPE_CHECKING

from run import several_runs
from run.command_line import Action, build_parser
from run.errors import (
    EXIT_BAD_INPUT,
    EXIT_FAILURE,
    EXIT_OK,
    EXIT_RESUME,
    EXIT_STOPPED,
    InputError,
    ResultsError,
)

if TYPE_CHECKING:
    from mpi4py import MPI

    from run.case import Case
    from run.options import RunResult
    from run.origin import Origin


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
        given = build_parser(_ACTIONS).parse_args(arguments)
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
        cells = f"{table['quality']['cells']} {'triangles' if table['dimension'] == 2 else 'tetrahedra'}"
        print(f"{file}: {cells}{', found there' if found else ''}")
        print(f"{file.with_suffix('.json')}: grains, fractions, quality, {table['content_hash']}")
        print(f"{file.with_suffix('.png')}: picture")
    return EXIT_OK


def _run(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    if given.origin is None:
        case, found = _load(given, comm), None
    else:
        case, found = _load_with_origin(given, comm)
    from run.driver import RunOptions, run_case

    out = Path(given.out or Path("results") / case.name)
    mesh = None if given.mesh is None else Path(given.mesh)
    if found is not None:
        mesh = found.mesh
    if mesh is not None and not mesh.is_file():
        raise InputError(
            "--mesh", f"= {given.mesh!r} is not allowed: there is no such file; make it by swellbound mesh"
        )
    options = RunOptions(out, given.quiet, mesh, _wall_time(given), found)
    return _ended(run_case(case, options, comm), out, given.quiet, comm)


def _load_with_origin(given: argparse.Namespace, comm: MPI.Intracomm) -> tuple[Case, Origin]:
    """The case, and the end of the run it goes on from."""
    from run import origin
    from run.case import load_case
    from run.ranks import on_first_rank

    if given.mesh is not None:
        raise InputError("--mesh", "is not allowed beside --from: the run goes on with the mesh of that run")

    def read() -> tuple[Case, Origin]:
        found = origin.read(Path(given.origin))
        case = load_case(Path(given.case), given.set, found.start)
        origin.check(found, case)
        return case, found

    both: tuple[Case, Origin] = on_first_rank(comm, read)
    return both


def _resume(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from run.driver import RunOptions, resume_case

    out = Path(given.folder)
    result = resume_case(RunOptions(out, given.quiet, wall_time=_wall_time(given)), comm)
    if result is None:
        if not given.quiet:
            _say(comm, f"{out}: the run has come to its end already")
        return EXIT_OK
    return _ended(result, out, given.quiet, comm)


def _adhesion(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from fem.adhesion import Pull
    from run import adhesion, units

    def value(option: str, text: str | None, kind: units.Kind) -> float | None:
        if text is None:
            return None
        try:
            return units.parse(text, kind)[0]
        except units.UnitError as error:
            raise InputError(option, f"= {text!r} is not allowed: it must be {error}") from error

    try:
        at = "foil" if given.at == "foil" else units.parse(given.at, units.LENGTH)[0]
    except units.UnitError as error:
        raise InputError("--at", f"= {given.at!r} is not allowed: it must be foil, or {error}") from error
    speed = value("--rate", given.rate, units.SPEED) or 0.0
    if not speed > 0.0:
        raise InputError("--rate", f"= {given.rate!r} is not allowed: it must be above 0 um/s")
    temperature = value("--temperature", given.temperature, units.TEMPERATURE)
    kind = adhesion.kind_of(given.test)
    pull = Pull(kind, speed, farthest={"pull-off": 1.0, "peel": 10.0}[kind])
    out = None if given.out is None else Path(given.out)
    options = adhesion.AdhesionOptions(Path(given.folder), at, pull, temperature, out, given.quiet)
    table = adhesion.adhesion_of_run(options, comm)
    if not given.quiet:
        _say(
            comm,
            f"{adhesion.one_line(table)}\n{options.folder}: adhesion.json, adhesion.csv, force.png, section.png",
        )
    if not table["complete"]:
        _complain(comm, f"the test is not complete: {table['end_reason']}")
        return EXIT_STOPPED
    return EXIT_OK


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
        # What is no good ending is said below.
        ending = f"{result.reason}\n" if result.exit_code == EXIT_OK else ""
        _say(
            comm, f"{one_line(result.summary)}\n{ending}{out}: history.csv, summary.json, pictures/, fields/"
        )
    if result.exit_code == EXIT_RESUME:
        _complain(comm, f"{result.reason}; the run is saved, go on by: swellbound resume {out}")
    elif result.exit_code != EXIT_OK:
        _complain(comm, f"the run stopped: {result.reason}. The last good state is in {out / 'state'}.")
    return result.exit_code


def _report(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    if comm.rank == 0:
        from run.report import draw_report, one_line
        from run.results import SUMMARY, read_json

        folders = [Path(folder) for folder in given.folders]
        for folder in folders:
            if not (folder / SUMMARY).is_file():
                raise InputError(
                    "DIR", f"= {str(folder)!r} is not allowed: it holds no {SUMMARY}; give a run folder"
                )
        if len(folders) == 1:
            drawn = draw_report(folders[0])
        else:
            from run.report_runs import draw_runs

            drawn = draw_runs(folders, Path(given.out))
        for path in drawn:
            print(path)
        for folder in folders:
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


def _doctor(given: argparse.Namespace, comm: MPI.Intracomm) -> int:
    from run.doctor import examine

    return examine(comm)


_ACTIONS: dict[str, Action] = {
    "check": _check,
    "mesh": _mesh,
    "run": _run,
    "resume": _resume,
    "adhesion": _adhesion,
    "study": several_runs.study,
    "calibrate": several_runs.calibrate,
    "materials": _materials,
    "report": _report,
    "benchmark": several_runs.benchmark,
    "doctor": _doctor,
}


if __name__ == "__main__":
    sys.exit(main())
