"""``swellbound calibrate``: fits what a calibration file names, and writes what comes of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI

from run import folder, results
from run.calibration import told
from run.calibration.evaluations import Evaluation, Evaluations, Left
from run.calibration.fit import FitSettings, NoStart, fit
from run.calibration.outcome import outcome
from run.calibration.pictures import draw
from run.calibration.problem import Problem, load_problem
from run.calibration.written import parameter_file
from run.errors import EXIT_OK, EXIT_RESUME, EXIT_STOPPED, ResultsError
from run.launch import cores
from run.study.places import Places
from run.study.runner import Command, point_command
from run.study.watch import Watch

CALIBRATION, OUTCOME, PARAMETERS = "calibration.toml", "calibration.json", "calibrated.toml"
EVALUATIONS = "evaluations.csv"


@dataclass(frozen=True)
class CalibrationOptions:
    """How a calibration is started.

    Attributes:
        out: Its folder; ``results/calibrations/NAME`` if None.
        settings: ``table.key=value`` for all runs.
        jobs: Runs at a time.
        again: Whether runs that failed are started anew.
        quiet: Show nothing but errors.
    """

    out: Path | None = None
    settings: tuple[str, ...] = ()
    jobs: int = 1
    again: bool = False
    quiet: bool = False


def run_calibration(path: Path, options: CalibrationOptions, command: Command = point_command) -> int:
    """Carry out a calibration, or go on with it: runs that are there are not repeated.

    Args:
        path: The calibration file.
        options: How.
        command: Gives the command that carries out a run.

    Returns:
        0 when the fit converged, 3 when it did not or could not begin, 4 when it was interrupted.

    Raises:
        InputError: The file, the case or the folder is not possible; nothing has been run.
        ResultsError: A file cannot be written or read.
    """
    problem = load_problem(path, options.settings)
    table = problem.file.calibration
    places = Places(options.out or Path("results") / "calibrations" / problem.name, CALIBRATION)
    keys = ("evaluations", "difference", "trust", "least_move", "least_gain", "sharpen")
    settings = FitSettings(**{key: getattr(table, key) for key in keys})
    with folder.held(places.root, MPI.COMM_SELF):
        runs = table.evaluations * len(table.seeds or [0])
        with Watch(problem.name, runs, _there(places), not options.quiet) as watch:
            watch.say(_headline(problem, places, options))
            evaluations = Evaluations(problem, places, options.jobs, options.again, watch, command)
            try:
                found = fit(evaluations, problem.start, problem.widths, settings)
            except Left as left:
                _write_evaluations(problem, places, evaluations.all)
                words = f": {left}" if str(left) else ""
                watch.say(
                    f"{problem.name}: left after {len(evaluations.all)} evaluations{words}; the same command goes on"
                )
                return EXIT_RESUME
            except NoStart:
                _write_evaluations(problem, places, evaluations.all)
                raise ResultsError(
                    f"{problem.name}: the start gives no result, so nothing can be fitted "
                    f"({evaluations.all[0].reason}): choose another start."
                ) from None
        said = outcome(problem, found, evaluations.all, evaluations.at(found.point))
        results.write_json(places.root / OUTCOME, said)
        results.write_text(places.root / PARAMETERS, parameter_file(problem, said))
        files = [places.root / PARAMETERS, places.root / OUTCOME]
        files += [_write_evaluations(problem, places, evaluations.all), *draw(said, places.pictures)]
        if not options.quiet:
            told.report(said, files)
    return EXIT_OK if found.converged else EXIT_STOPPED


def _there(places: Places) -> int:
    """How many runs have come to their end before."""
    return len(list((places.root / "outcomes").glob("*.json")))


def _headline(problem: Problem, places: Places, options: CalibrationOptions) -> str:
    table = problem.file.calibration
    seeds = "" if table.seeds is None else f", {len(table.seeds)} seeds each"
    asked = table.ranks * options.jobs
    note = f"; note: {asked} processes at a time share the {cores()} cores" if asked > cores() else ""
    return (
        f"{problem.name}: {len(problem.parameters)} parameters, {len(problem.targets)} targets, at most "
        f"{table.evaluations} evaluations{seeds}; {options.jobs} at a time; {places.root}{note}"
    )


def _write_evaluations(problem: Problem, places: Places, evaluations: Sequence[Evaluation]) -> Path:
    """Write every evaluation as a line of CSV: parameters, what was reached, cost, why it failed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parameters = [f"{one.name} [{one.unit or '1'}]" for one in problem.parameters]
    targets = [f"{one.name} [{one.unit}]" for one in problem.targets]
    writer.writerow(
        ["evaluation", *parameters, *targets, "wall_time_s", "newton_iterations", "runs", "reason"]
    )
    for one in evaluations:
        reached = [""] * len(targets) if one.reached is None else [repr(value) for value in one.reached]
        cost = [f"{one.wall_time_s:.1f}", one.newton_iterations, " ".join(one.points), one.reason]
        writer.writerow([one.number, *one.values, *reached, *cost])
    results.write_text(places.root / EVALUATIONS, text.getvalue())
    return places.root / EVALUATIONS
