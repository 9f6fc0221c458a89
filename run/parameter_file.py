"""Parameter files: values that a case takes from a file beside it, ``[case] parameters = "calibrated.toml"``.

The file holds [materials] and [interfaces] as a case does, and under [steps] numbers that stand in the text of process
steps. What the case itself gives goes before; a step's number is always that of the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from run.case_mistakes import input_error
from run.errors import InputError
from run.provenance import given, leaves

KEY = "case.parameters"
#: Where the number stands in the text of a step.
GAP = "{}"
_OVERRULED = "the case's own value, not that of the parameter file"
_NUMBER = r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?\s*[A-Za-z°µ/^0-9]*)"


class StepValue(BaseModel):
    """One entry of [steps]: the text of the step with ``{}`` where the value goes, and the value."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: str
    value: str
    source: str = "parameter file"
    mark: str = "user"
    uncertainty: str = ""


class ParameterFile(BaseModel):
    """The whole file; the values are checked with those of the case."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    about: str = ""
    materials: dict[str, dict[str, Any]] = {}
    interfaces: dict[str, dict[str, Any]] = {}
    steps: dict[str, StepValue] = {}


def with_parameters(table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The table of a case with the values of the parameter file it names.

    Args:
        table: As read from TOML, settings of the command line applied.
        path: Of the case file; the parameter file is looked for from there on.

    Returns:
        A table without ``case.parameters`` that stands on its own; ``case.origins`` says what came from the file. The
        table itself where it names no file.

    Raises:
        InputError: There is no such file, or it does not fit the case.
    """
    case = table.get("case")
    if not isinstance(case, Mapping) or case.get("parameters") is None:
        return table
    name = case["parameters"]
    if not isinstance(name, str):
        raise InputError(KEY, f"= {name!r} is not allowed: it must be the path of a parameter file in quotes")
    file = read_parameters((path.parent / name).resolve(), name)
    origins: dict[str, str] = {}
    merged = dict(table)
    for kind in ("materials", "interfaces"):
        below = {_ordered(name): values for name, values in getattr(file, kind).items()}
        merged[kind] = _merged(kind, below, table.get(kind, {}), origins)
    for place, entry in file.steps.items():
        _put(merged, place, entry, origins)
    rest = {key: value for key, value in case.items() if key != "parameters"}
    merged["case"] = {**rest, "origins": origins}
    return merged


def read_parameters(path: Path, name: str) -> ParameterFile:
    """Read a parameter file.

    Args:
        path: Where it is.
        name: As it was given, for messages.

    Raises:
        InputError: It cannot be read, or has other tables.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            KEY, f"= {name!r} is not allowed: there is no file {path}; correct the path"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(KEY, f"= {name!r} cannot be read: {error}") from None
    try:
        return ParameterFile.model_validate(table)
    except ValidationError as error:
        found = input_error(error, table, ParameterFile)
        problem = found.problem.replace("the case file", "the parameter file")
        raise InputError(found.key, f"in {path.name} {problem}") from None


def fitted(text: str, pattern: str) -> re.Match[str] | None:
    """Where the value stands in a step's text, None where the text is another one.

    Args:
        text: Of the step.
        pattern: The same text with ``{}`` in place of the value.
    """
    before, _, after = (re.escape(" ".join(part.split())) for part in _parts(pattern))
    space = r"\s*"
    wanted = f"{before}{space}{_NUMBER}{space}{after}" if after else f"{before}{space}{_NUMBER}"
    return re.fullmatch(wanted, " ".join(text.split()))


def filled(pattern: str, value: str) -> str:
    """The text of a step with the value in it."""
    return pattern.replace(GAP, value)


def _parts(pattern: str) -> tuple[str, str, str]:
    return pattern.partition(GAP)


def _merged(kind: str, below: Mapping[str, Any], above: Any, origins: dict[str, str]) -> Any:
    """One table over another; kinds of interfaces are the same in either order."""
    if not isinstance(above, Mapping):
        return above  # the check of the case says what is wrong with it
    own = {_ordered(name): values for name, values in above.items()}
    merged: dict[str, Any] = {name: values for name, values in above.items() if _ordered(name) not in below}
    for name, values in below.items():
        over = own.get(_ordered(name), {})
        if not isinstance(over, Mapping):
            return above
        flat, flat_over = dict(leaves(values)), dict(leaves(over))
        for key, value in flat.items():
            where = f"{kind}.{name}.{key}"
            origins[where] = _OVERRULED if key in flat_over else _words(where, value)
        merged[name] = {**flat, **flat_over}
    return merged


def _words(where: str, value: object) -> str:
    told = given(where, value)
    uncertainty = value.get("uncertainty") if isinstance(value, Mapping) else None
    return f"{told.value} ({told.mark}{f', standard uncertainty {uncertainty}' if uncertainty else ''})"


def _ordered(name: str) -> str:
    return "|".join(sorted(part.strip() for part in name.split("|")))


def _put(merged: dict[str, Any], place: str, entry: StepValue, origins: dict[str, str]) -> None:
    """Put a value into the text of a step."""
    where = f"{KEY}: steps.{place}"
    table = merged.get("process")
    process = table if isinstance(table, Mapping) else {}
    steps = process.get("steps")
    if not isinstance(steps, list) or not place.isdecimal() or not 1 <= int(place) <= len(steps):
        raise InputError(
            where, f"is not allowed: the case has no step {place}; leave it out of the parameter file"
        )
    text = steps[int(place) - 1]
    if not isinstance(text, str) or fitted(text, entry.text) is None:
        raise InputError(
            where,
            f"= {entry.text!r} is not allowed: step {place} of the case is {text!r}; they must be the same",
        )
    steps = [*steps[: int(place) - 1], filled(entry.text, entry.value), *steps[int(place) :]]
    merged["process"] = {**process, "steps": steps}
    words = f", standard uncertainty {entry.uncertainty}" if entry.uncertainty else ""
    origins[f"process.steps.{place}"] = f"{entry.value} ({entry.mark}{words})"
