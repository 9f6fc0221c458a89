"""The tables of a calibration file and what each key may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from run.errors import InputError
from run.study.tables import checked
from run.toml_file import read_toml

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CalibrationTable(_Table):
    """[calibration]: what is fitted, and how.

    Attributes:
        case: Path of the case from the calibration file on.
        ranks: Of each run.
        seeds: Of the mesh: each evaluation runs all of them and counts with their mean; None for the case's own seed.
        evaluations: Settings that are tried at most.
        difference: Step of finite differences, as a share of the way between the bounds (of the logarithm of it for a
            logarithmic scale). Contact and debonding make results noisy: tiny steps measure the noise.
        trust: Longest move of any parameter at once, in the same measure.
        least_move: The fit has converged when the next move would be shorter.
        least_gain: A move is worth a run where it promises to lower the sum of squares by more; what noise can promise.
        sharpen: Whether slopes are measured anew at the end, which is what the uncertainties come from.
    """

    name: Annotated[str, Field(pattern=NAME)]
    description: str = ""
    case: str
    ranks: Annotated[int, Field(ge=1, le=100_000)] = 1
    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] | None = None
    evaluations: Annotated[int, Field(ge=1, le=10_000)] = 30
    difference: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1
    trust: Annotated[float, Field(gt=0.0, le=1.0)] = 0.35
    least_move: Annotated[float, Field(gt=0.0, le=0.5)] = 0.002
    least_gain: Annotated[float, Field(gt=0.0, le=100.0)] = 0.01
    sharpen: bool = True


class ParameterTable(_Table):
    """[parameters.NAME]: one number that is fitted, and what it stands for in the case.

    Attributes:
        keys: Parameters of the case that get this value; with ``factor`` that are multiplied by it.
        factor: Whether the number multiplies what the case has for each key.
        steps: Places of process steps and their text with ``{}`` for the value.
        condition: Which key of [drive] this is in a case that has one; None where it has no such key.
        low: Lower bound.
        high: Upper bound.
        start: Where the fit begins.
        scale: ``log`` where factors matter and not differences.
        width: Standard deviation of what is known beforehand, about ``start``: a factor above 1 for ``log``, else in
            the unit of the bounds; None where nothing is known between the bounds.
        why: Where bounds and start come from.
    """

    keys: list[str] = []
    factor: bool = False
    steps: dict[str, str] = {}
    condition: Literal["stack_pressure"] | None = None
    low: int | float | str
    high: int | float | str
    start: int | float | str
    scale: Literal["linear", "log"] = "linear"
    width: int | float | str | None = None
    why: str


class TargetTable(_Table):
    """[targets.NAME]: a measured quantity that the model is to meet.

    Attributes:
        quantity: Number of summary.json, dotted; ``steps.7.…`` and ``cycles.1.…`` count from 1, ``last`` is the last.
        value: What was measured, with its unit.
        tolerance: One standard deviation, of measurement and of model together.
        source: Where it was measured, on which electrode.
    """

    quantity: str
    value: int | float | str
    tolerance: int | float | str
    source: str


class CalibrationFile(_Table):
    """The whole file; ``set`` are keys of the case file, the same for all evaluations."""

    calibration: CalibrationTable
    set: dict[str, Any] = {}
    parameters: dict[Annotated[str, Field(pattern=NAME)], ParameterTable]
    targets: dict[Annotated[str, Field(pattern=NAME)], TargetTable]


def read_calibration(path: Path) -> tuple[CalibrationFile, str]:
    """Read and check the tables of a calibration file; the case is not looked at yet.

    Returns:
        The tables, and the text of the file.

    Raises:
        InputError: The first mistake.
    """
    text, table = read_toml(path, "CALIBRATION", "calibration file", _shipped())
    _check_entries(table)
    try:
        file = checked(CalibrationFile, table)
    except InputError as error:
        raise InputError(error.key, error.problem.replace("the study file", "the calibration file")) from None
    for name in ("parameters", "targets"):
        if not getattr(file, name):
            raise InputError(name, f"is empty: add a table [{name}.NAME]")
    seeds = file.calibration.seeds
    if seeds is not None and (not seeds or len(set(seeds)) < len(seeds)):
        raise InputError(
            "calibration.seeds",
            f"= {seeds} is not allowed: name one seed at least, each once, or leave it out",
        )
    return file, text


def _check_entries(table: dict[str, Any]) -> None:
    """Check each entry against its own model: the mistake is then named with all that is known there."""
    for kind, model in (("parameters", ParameterTable), ("targets", TargetTable)):
        entries = table.get(kind)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if not isinstance(entry, dict):
                raise InputError(f"{kind}.{name}", f"= {entry!r} is not allowed: it must be a table")
            try:
                checked(model, entry, kind, name)
            except InputError as error:
                words = error.problem.replace("the study file", "the calibration file")
                raise InputError(error.key, words) from None


def _shipped() -> str:
    folder = Path(__file__).parents[1] / "calibrations"
    return f" (shipped in {folder}: {', '.join(sorted(file.name for file in folder.glob('*.toml')))})"
