"""A calibration, checked as a whole before anything is run: its case, its parameters, its targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from run.calibration.parameters import Fitted, fitted_parameters
from run.calibration.tables import CalibrationFile, read_calibration
from run.calibration.targets import Target, targets_of
from run.case import Case, load_case
from run.errors import InputError
from run.study.points import Point, made_point
from run.study.tables import StudyFile, StudyTable
from run.toml_text import flattened, setting_text

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A checked calibration.

    Attributes:
        file: The tables.
        case: What every evaluation starts from.
        parameters: That are fitted.
        targets: That are aimed at.
        source: Text of the calibration file.
        path: Where it was.
        given: The ``--set`` of the command line.
    """

    file: CalibrationFile
    case: Case
    parameters: tuple[Fitted, ...]
    targets: tuple[Target, ...]
    source: str
    path: Path
    given: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.file.calibration.name

    @property
    def start(self) -> Array:
        """Where the fit begins, in shares of the way between the bounds, shape (parameters,)."""
        return np.array([one.share(one.start) for one in self.parameters])

    @property
    def widths(self) -> Array:
        """What is known beforehand, in the same measure, infinite for nothing, shape (parameters,)."""
        return np.array([one.width for one in self.parameters])

    @property
    def study_file(self) -> StudyFile:
        """The tables of a study of these runs, for what runs them."""
        table = self.file.calibration
        return StudyFile(study=StudyTable(name=table.name, kind="sweep", case=table.case, ranks=table.ranks))

    def values(self, shares: Array) -> list[float]:
        """Values of the parameters."""
        return [one.value(float(share)) for one, share in zip(self.parameters, shares, strict=True)]

    def points(self, values: Sequence[float]) -> list[Point]:
        """The runs of one evaluation, one for each seed.

        Raises:
            InputError: The case is not allowed with these values.
        """
        settings: list[tuple[str, Any]] = []
        process = self.case.file.process
        steps = list(process.steps) if process is not None and isinstance(process.steps, list) else []
        for one, value in zip(self.parameters, values, strict=True):
            settings += one.case_values(value).items()
            steps = one.in_steps(steps, value)
        if any(one.steps for one in self.parameters):
            settings.append(("process.steps", steps))
        words = [(one.name, one.text(value)) for one, value in zip(self.parameters, values, strict=True)]
        seeds = self.file.calibration.seeds
        if seeds is None:
            return [made_point(self.name, self.case, tuple(settings), tuple(words))]
        return [
            made_point(self.name, self.case, (*settings, ("mesh.seed", seed)), (*words, ("seed", seed)))
            for seed in seeds
        ]


def load_problem(path: Path, given: Sequence[str] = ()) -> Problem:
    """Read a calibration file and check it with its case, at the start and at every bound.

    Args:
        path: The calibration file.
        given: ``table.key=value`` of the command line, for all runs, after those of [set].

    Raises:
        InputError: The first mistake.
    """
    file, source = read_calibration(path)
    base = (path.parent / file.calibration.case).resolve()
    if not base.is_file():
        raise InputError(
            "calibration.case",
            f"= {file.calibration.case!r} is not allowed: there is no file {base}; correct the path",
        )
    common = [setting_text(key, value) for key, value in flattened(file.set).items()]
    case = load_case(base, [*common, *given])
    _refuse_powder(file, case)
    parameters = fitted_parameters(file.parameters, case)
    targets = targets_of(file.targets, case)
    least = 1 + len(parameters)
    if file.calibration.evaluations < least:
        raise InputError(
            "calibration.evaluations",
            f"= {file.calibration.evaluations} is not allowed: the start and one slope for each parameter take {least}",
        )
    problem = Problem(file, case, tuple(parameters), tuple(targets), source, path, tuple(given))
    starts = [one.start for one in parameters]
    problem.points(starts)
    for place, one in enumerate(parameters):
        for value in (one.low, one.high):
            problem.points([*starts[:place], value, *starts[place + 1 :]])
    return problem


def _refuse_powder(file: CalibrationFile, case: Case) -> None:
    """Nothing is fitted to a pre-lithiated electrode.

    Raises:
        InputError: The case has lithium powder, or a mesh of which that is not known.
    """
    if case.recipe is None:
        raise InputError(
            "calibration.case",
            f"= {file.calibration.case!r} is not allowed: its mesh is made elsewhere, and only a recipe says that "
            "there is no lithium powder in it",
        )
    powder = case.recipe.composition.lithium_wt_percent_of_active
    if powder > 0.0:
        raise InputError(
            "calibration.case",
            f"= {file.calibration.case!r} is not allowed: it has lithium_wt_percent_of_active = {powder:g}, and "
            "nothing is fitted to a pre-lithiated electrode; calibrate on the bare one and predict this one",
        )
