"""``swellbound study``: prepares a study's folder, runs what is missing, collects tables and pictures."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi4py import MPI

from run import estimate, folder, results
from run.errors import EXIT_OK, EXIT_RESUME, EXIT_STOPPED, InputError, ResultsError
from run.launch import cores
from run.study import told
from run.study.analysis import analyse
from run.study.places import ANALYSIS, PLAN, Places
from run.study.plots import draw
from run.study.points import Study, load_study
from run.study.runner import Command, Runner, point_command
from run.study.table import collect, write
from run.study.watch import Watch

FORMAT = "swellbound-study/1"


@dataclass(frozen=True)
class StudyOptions:
    """How a study is started.

    Attributes:
        out: Its folder; ``results/studies/NAME`` if None.
        settings: ``table.key=value`` for all points.
        jobs: Points at a time.
        again: Whether points that failed are started anew.
        only: ``plan``: write case files and plan, run nothing; ``collect``: tables and pictures of what is there.
        quiet: Show nothing but errors.
    """

    out: Path | None = None
    settings: tuple[str, ...] = ()
    jobs: int = 1
    again: bool = False
    only: str | None = None
    quiet: bool = False


def run_study(path: Path, options: StudyOptions, command: Command = point_command) -> int:
    """Carry out a study, or what is missing of it.

    Args:
        path: The study file.
        options: How.
        command: Gives the command that runs a point.

    Returns:
        0 when every point is finished, 3 when some failed, 4 when some were left and a second call goes on with them.

    Raises:
        InputError: The study, one of its cases, or the folder is not possible; nothing has been run.
        ResultsError: A file cannot be written or read.
    """
    study = load_study(path, options.settings)
    places = Places(options.out or Path("results") / "studies" / study.file.study.name)
    if options.only == "collect" and not places.root.is_dir():
        raise InputError(
            "--out", f"= {str(places.root)!r} is not allowed: there is no such folder to collect from"
        )
    with folder.held(places.root, MPI.COMM_SELF):
        places.prepare(study)
        write_plan(study, places)
        if options.only == "plan":
            if not options.quiet:
                print(told.plan(study, places))
            return EXIT_OK
        complete = True
        if options.only is None:
            complete = _run(study, places, options, command)
        return _collect(study, places, options, complete)


def write_plan(study: Study, places: Places) -> None:
    """Write ``plan.json``: what another program (Snakemake) needs to know to run the points.

    Raises:
        ResultsError: It cannot be written.
    """
    table = study.file.study
    adhesion = [] if study.file.adhesion is None else study.file.adhesion.options()
    points: dict[str, Any] = {}
    for point in study.points:
        cells = None if point.case.plan is None else point.case.plan.estimated_cells
        points[point.name] = {
            "settings": dict(point.settings),
            "case_hash": point.case.content_hash,
            "estimated_cells": cells,
            "estimated_mib": None if cells is None else round(estimate.memory_mib(cells)),
        }
    results.write_json(
        places.root / PLAN,
        {
            "format": FORMAT,
            "study": str(study.path.resolve()),
            "set": list(study.given),
            "ranks": table.ranks,
            "adhesion": shlex.join(adhesion),
            "points": points,
        },
    )


def _run(study: Study, places: Places, options: StudyOptions, command: Command) -> bool:
    standings = {point.name: places.standing(point) for point in study.points}
    failed = [point for point in study.points if standings[point.name].state == "failed"]
    todo = [
        point
        for point in study.points
        if standings[point.name].state in ("waiting", "unfinished") or (options.again and point in failed)
    ]
    done = len(study.points) - len(todo)
    with Watch(study.file.study.name, len(study.points), done, not options.quiet) as watch:
        watch.say(told.headline(study, places, len(todo), options.jobs))
        asked_for = study.file.study.ranks * options.jobs
        if todo and asked_for > cores():
            watch.say(f"note: {asked_for} processes at a time share the {cores()} cores of this machine")
        return Runner(study, places, options.jobs, command).run(todo, failed if options.again else [], watch)


def _collect(study: Study, places: Places, options: StudyOptions, complete: bool) -> int:
    rows = collect(study, places)
    written = write(study, places, rows)
    said = analyse(study, places, rows)
    results.write_json(places.root / ANALYSIS, said)
    pictures = draw(study, places, rows)
    if not options.quiet:
        told.report(study, said, [*written, places.root / ANALYSIS, *pictures])
    if said["missing"]:
        raise ResultsError(
            f"no finished point has the quantity {said['missing'][0]}: name another in study.quantities."
        )
    if not complete or said["points"]["unfinished"] or said["points"]["waiting"]:
        return EXIT_RESUME
    return EXIT_STOPPED if said["points"]["failed"] else EXIT_OK
