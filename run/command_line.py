"""The words of the command line: commands, options, help and examples. What they do is in run/cli.py."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from run import about
from run.errors import InputError

Action = Callable[[argparse.Namespace, Any], int]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the command line in one sentence, on rank 0 only."""

    def error(self, message: str) -> NoReturn:
        raise InputError("the command line", f"is not allowed: {message}; try {self.prog} --help")


_EXAMPLES = {
    "check": "swellbound check run/cases/bare.toml",
    "mesh": "swellbound mesh run/cases/bare.toml --out results/bare/mesh",
    "run": "mpirun -n 2 swellbound run run/cases/bare.toml --out results/bare --set drive.stack_pressure='5 MPa'",
    "resume": "mpirun -n 2 swellbound resume results/bare --wall-time '12 h'",
    "adhesion": "swellbound adhesion results/bare --at foil --test pull-off --rate '1 nm/s'",
    "study": "swellbound study run/studies/sweep_stack_pressure.toml --jobs 2",
    "calibrate": "swellbound calibrate run/calibrations/bare.toml --out results/bare_calibration",
    "materials": "swellbound materials silicon",
    "report": "swellbound report results/bare_first_cycle results/pl3_first_cycle --out results/report",
    "benchmark": "swellbound benchmark newton results/demo/bare",
    "doctor": "mpirun -n 2 swellbound doctor",
}


def build_parser(actions: Mapping[str, Action]) -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Args:
        actions: What each command does, by its name.
    """
    parser = _Parser(
        prog="swellbound",
        description="Particle-resolved finite elements for battery electrodes that swell.",
        epilog="Each command has its own --help with an example.",
    )
    parser.add_argument("--version", action="version", version=f"swellbound {about.version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text[0].lower() + text[1:].split(".")[0],
            description=text,
            epilog=f"example: {_EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(action=actions[name])
        return made

    def with_case(made: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made.add_argument("case", metavar="CASE.toml", help="the case file")
        _add_set(made)
        return made

    with_case(command("check", "Check a case file and say what it amounts to. Nothing is meshed or written."))
    mesh = with_case(command("mesh", "Make the mesh of a case: .msh, .json sidecar and picture."))
    mesh.add_argument("--out", metavar="DIR", help="folder for the mesh (default: results/NAME/mesh)")
    run = with_case(command("run", "Mesh and run a case, on all ranks mpirun starts."))
    run.add_argument("--out", metavar="DIR", help="run folder (default: results/NAME)")
    run.add_argument("--mesh", metavar="FILE.msh", help="use this mesh of ours instead of making one")
    run.add_argument(
        "--from",
        dest="origin",
        metavar="RUN",
        help="go on from the end of this run of a [process], on its mesh",
    )
    _add_session(run)
    resume = command(
        "resume",
        "Go on with a run that was interrupted or killed, from its last checkpoint. Any number of ranks will do; on "
        "as many as before it goes on bit for bit.",
    )
    resume.add_argument("folder", metavar="DIR", help="the run folder")
    _add_session(resume)
    adhesion = command(
        "adhesion",
        "Test the adhesion of a run's electrode in its last saved state. The run itself is only read; only interfaces "
        "at the chosen place may break further.",
    )
    adhesion.add_argument("folder", metavar="RUN", help="the run folder")
    adhesion.add_argument(
        "--at", required=True, metavar="PLACE", help='foil, or a depth below the upper face, e.g. "10 um"'
    )
    adhesion.add_argument("--test", default="pull-off", metavar="TEST", help="pull-off (default) or peel")
    adhesion.add_argument("--rate", default="1 nm/s", metavar="SPEED", help='of the grip (default "1 nm/s")')
    adhesion.add_argument("--temperature", metavar="T", help='e.g. "25 degC" (default: that of the run)')
    adhesion.add_argument(
        "--out", metavar="DIR", help="folder for the results (default: RUN/adhesion/TEST-PLACE)"
    )
    adhesion.add_argument("--quiet", action="store_true", help="print nothing but errors")
    _add_study(
        command(
            "study",
            "Carry out a study: mesh refinement, seeds, a sweep or a design. Points that are finished are not "
            "repeated; Ctrl-C saves those under way, and the same command goes on.",
        )
    )
    calibrate = command(
        "calibrate",
        "Fit named parameters to what was measured on the electrode without lithium powder. Runs that are finished are "
        "not repeated; Ctrl-C saves those under way, and the same command goes on.",
    )
    calibrate.add_argument("calibration", metavar="FILE.toml", help="the calibration file")
    calibrate.add_argument("--out", metavar="DIR", help="its folder (default: results/calibrations/NAME)")
    _add_several(calibrate, "runs")
    materials = command("materials", "List the parameters of materials and interfaces with their sources.")
    materials.add_argument(
        "only", nargs="?", metavar="NAME", help="one phase (silicon) or interface (graphite|silicon)"
    )
    materials.add_argument("--case", metavar="CASE.toml", help="with the values of this case")
    _add_set(materials)
    report = command(
        "report", "Draw the pictures of a run folder anew, or several runs of a [process] side by side."
    )
    report.add_argument("folders", nargs="+", metavar="DIR", help="a run folder, or several")
    report.add_argument(
        "--out",
        metavar="DIR",
        default="results/report",
        help="folder for the pictures of several runs (default: results/report)",
    )
    benchmark = command(
        "benchmark",
        "Measure against plain DOLFINx, on 1 and 2 ranks. WHAT is newton, a Newton step of the demonstration, or "
        "polycrystal, the yardstick of interface codes; or interfaces, a lithiation with contact, damage and steps "
        "varied; or solvers, the iterative linear solver in three dimensions.",
    )
    _add_benchmarks(benchmark)
    command("doctor", "Say whether everything needed is there and MPI works. Changes nothing.")
    return parser


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY.toml", help="the study file")
    parser.add_argument("--out", metavar="DIR", help="folder of the study (default: results/studies/NAME)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--plan",
        dest="only",
        action="store_const",
        const="plan",
        help="write the case files and the plan for Snakemake, run nothing",
    )
    only.add_argument(
        "--collect",
        dest="only",
        action="store_const",
        const="collect",
        help="run nothing, write table and pictures of what is there",
    )
    _add_several(parser, "points")


def _add_several(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help=f"{what} at a time, each on its ranks (default 1)"
    )
    parser.add_argument("--again", action="store_true", help=f"start failed {what} anew")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    _add_set(parser)


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
    solvers = kinds.add_parser(
        "solvers",
        help="the iterative linear solver in three dimensions, at several sizes, beside the direct one",
        allow_abbrev=False,
    )
    solvers.add_argument(
        "--unknowns", type=float, nargs="+", metavar="N", help="sizes of the blocks (default: 3e4 1e5)"
    )
    solvers.add_argument(
        "--direct-up-to", type=float, metavar="N", help="unknowns up to which the direct solver runs (4e4)"
    )
    solvers.add_argument(
        "--out", metavar="FILE.json", help="the figures (default: results/benchmark/solvers.json)"
    )
    interfaces = kinds.add_parser(
        "interfaces",
        help="one lithiation as shipped, then with contact, law, inertia, relaxation and steps varied",
        allow_abbrev=False,
    )
    interfaces.add_argument(
        "--case", metavar="CASE.toml", help="what is lithiated (default: the demonstration)"
    )
    interfaces.add_argument(
        "--until", type=float, metavar="X", help="mean lithiation at the end (default 0.1)"
    )
    interfaces.add_argument(
        "--ranks", type=int, metavar="N", help="MPI ranks of each run (default: cores, at most 2)"
    )
    interfaces.add_argument("--out", metavar="DIR", help="folder (default: results/benchmark/interfaces)")


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
    parser.add_argument(
        "--parameters",
        dest="set",
        action="append",
        type=_parameters_setting,
        metavar="FILE.toml|NAME",
        help="take values from this parameter file, for example one of swellbound calibrate, or from the set of that "
        "name that ships; none for none",
    )


def _parameters_setting(name: str) -> str:
    """The setting for ``--parameters``: paths count from where the command is given, names stay."""
    place = str(Path(name).resolve()) if name.endswith(".toml") else name
    return f"case.parameters={json.dumps(place)}"
