"""Evaluations of a calibration: for each setting the runs of its seeds, never twice; failures are kept as such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from run import results
from run.calibration.problem import Problem
from run.errors import InputError, ResultsError
from run.study.places import Places
from run.study.points import Point, Study
from run.study.runner import Command, Runner
from run.study.watch import Watch

Array = npt.NDArray[np.float64]


class Left(Exception):
    """The calibration was interrupted; the same command goes on."""


@dataclass(frozen=True)
class Evaluation:
    """What one setting came to.

    Attributes:
        number: From 1, in the order they were asked for.
        values: Of the parameters.
        points: Names of its runs.
        reached: The model's number for each target, the mean over the seeds; None where it failed.
        scatter: Standard deviation of it between the seeds, zero with a single one; None where it failed.
        reason: Why it failed, empty else.
        wall_time_s: Of its runs, together.
        newton_iterations: Likewise.
        reused: Whether all of its runs were there before this call of the program.
    """

    number: int
    values: tuple[float, ...]
    points: tuple[str, ...]
    reached: tuple[float, ...] | None
    scatter: tuple[float, ...] | None
    reason: str
    wall_time_s: float
    newton_iterations: int
    reused: bool


class Evaluations:
    """Carries out evaluations and remembers them.

    Args:
        problem: The checked calibration.
        places: Its folder, prepared.
        jobs: Runs at a time.
        again: Whether runs that failed in an earlier call are started anew, once.
        watch: Told what happens.
        command: Gives the command of a run.
    """

    def __init__(
        self, problem: Problem, places: Places, jobs: int, again: bool, watch: Watch, command: Command
    ) -> None:
        self._problem, self._places, self._jobs, self._again = problem, places, jobs, again
        self._watch, self._command = watch, command
        self._begun: set[str] = set()
        self._by_values: dict[tuple[float, ...], Evaluation] = {}

    @property
    def all(self) -> list[Evaluation]:
        """In the order they were asked for."""
        return list(self._by_values.values())

    def at(self, shares: Array) -> Evaluation:
        """The evaluation of a setting that was asked for before."""
        return self._by_values[tuple(self._problem.values(shares))]

    def __call__(self, settings: Sequence[Array]) -> list[Array | None]:
        """Residuals of the targets in standard deviations, shape (targets,), None for an evaluation that failed.

        Args:
            settings: In shares of the way between the bounds, each of shape (parameters,).

        Raises:
            Left: It was interrupted.
            ResultsError: Files cannot be written or read.
        """
        asked = [tuple(self._problem.values(shares)) for shares in settings]
        runs: dict[tuple[float, ...], list[Point] | InputError] = {}
        for values in asked:
            if values not in self._by_values and values not in runs:
                try:
                    runs[values] = self._problem.points(values)
                except InputError as error:
                    # Each bound was checked alone; together, parameters can still ask for what no case allows.
                    runs[values] = error
        self._run([point for points in runs.values() if isinstance(points, list) for point in points])
        for values, points in runs.items():
            self._by_values[values] = self._evaluation(values, points)
        return [self._residuals(self._by_values[values]) for values in asked]

    def _residuals(self, evaluation: Evaluation) -> Array | None:
        if evaluation.reached is None:
            return None
        targets = self._problem.targets
        return np.array(
            [
                (found - one.value) / one.tolerance
                for found, one in zip(evaluation.reached, targets, strict=True)
            ]
        )

    def _run(self, points: Sequence[Point]) -> None:
        study = Study(
            self._problem.study_file,
            tuple(points),
            self._problem.source,
            self._problem.path,
            self._problem.given,
        )
        self._places.prepare(study)
        standings = {point.name: self._places.standing(point).state for point in points}
        anew = [point for point in points if self._again and standings[point.name] == "failed"]
        todo = [
            point for point in points if standings[point.name] in ("waiting", "unfinished") or point in anew
        ]
        self._begun.update(point.name for point in todo)
        if todo and not Runner(study, self._places, self._jobs, self._command).run(todo, anew, self._watch):
            raise Left
        for point in points:
            standing = self._places.standing(point)
            if standing.state in ("waiting", "unfinished"):
                raise Left(f"{point.name} has come to no end: {self._places.log(point)}")

    def _evaluation(self, values: tuple[float, ...], points: list[Point] | InputError) -> Evaluation:
        number = len(self._by_values) + 1
        if isinstance(points, InputError):
            return Evaluation(number, values, (), None, None, str(points), 0.0, 0, False)
        names = tuple(point.name for point in points)
        reached: list[list[float]] = []
        reasons: list[str] = []
        seconds, iterations = 0.0, 0
        for point in points:
            summary = self._summary(point)
            seconds += float(summary.get("wall_time_s", 0.0))
            iterations += int(summary.get("newton_iterations", 0))
            standing = self._places.standing(point)
            if standing.state == "failed":
                reasons.append(f"{point.name}: {standing.reason}")
                continue
            found = {one.name: one.reached(summary) for one in self._problem.targets}
            reasons += [
                f"{point.name}: no number for target {name}" for name, one in found.items() if one is None
            ]
            reached.append([one for one in found.values() if one is not None])
        reused = not self._begun & set(names)
        if reasons:
            return Evaluation(
                number, values, names, None, None, "; ".join(reasons), seconds, iterations, reused
            )
        table = np.array(reached)
        scatter = table.std(axis=0, ddof=1) if len(points) > 1 else np.zeros(table.shape[1])
        means = tuple(table.mean(axis=0).tolist())
        return Evaluation(
            number, values, names, means, tuple(scatter.tolist()), "", seconds, iterations, reused
        )

    def _summary(self, point: Point) -> dict[str, Any]:
        """The summary of a run, empty where it failed before it could write one."""
        if not (self._places.run(point) / results.SUMMARY).is_file():
            return {}
        try:
            return self._places.summary(point)
        except ResultsError:
            if self._places.standing(point).state == "failed":
                return {}
            raise
