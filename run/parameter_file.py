"""Parameter files: values that a case takes from a file beside it, ``[case] parameters = "calibrated.toml"``.

The file holds [materials] and [interfaces] as a case does; under [conditions] what is a key of a [drive], but a number
in the text of a step in a [process]; and under [steps] other numbers in such texts. What the case itself gives for a
key goes before; the number in a step's text is always that of the file. What became of each value is noted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
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


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Value(_Table):
    """A value and where it comes from."""

    value: str
    source: str = "parameter file"
    mark: str = "user"
    uncertainty: str = ""


class StepValue(_Value):
    """One entry of [steps]: the text of the step with ``{}`` where the value goes, and the value."""

    text: str


class ConditionValue(_Value):
    """One entry of [conditions]: the value, and places and texts with ``{}`` of the steps of a process it is for."""

    steps: dict[str, str] = {}


class ConditionsTable(_Table):
    """[conditions]: each is the key of that name in [drive]."""

    stack_pressure: ConditionValue | None = None


class ParameterFile(_Table):
    """The whole file; the values are checked with those of the case."""

    about: str = ""
    materials: dict[str, dict[str, Any]] = {}
    interfaces: dict[str, dict[str, Any]] = {}
    conditions: ConditionsTable = ConditionsTable()
    steps: dict[str, StepValue] = {}


@dataclass(frozen=True)
class _Notes:
    """What became of the values of a file.

    Attributes:
        origins: Of every value of the file, by its key in the case, in words.
        taken: Those put into [drive] and into steps, with value, source and mark.
    """

    origins: dict[str, str] = field(default_factory=dict)
    taken: dict[str, dict[str, object]] = field(default_factory=dict)

    def put(self, key: str, entry: _Value, where: str, instead: str = "") -> None:
        """Note that a value was put in, and in place of which other one."""
        known = [name for name in _Value.model_fields if name != "uncertainty" or entry.uncertainty]
        told = given(where, {name: getattr(entry, name) for name in known})
        self.taken[key] = {"value": entry.value, "source": told.source, "mark": told.mark}
        self.origins[key] = _in_words(entry.value, told.mark, entry.uncertainty) + instead


def with_parameters(table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The table of a case with the values of the parameter file it names.

    Args:
        table: As read from TOML, settings of the command line applied.
        path: Of the case file; the parameter file is looked for from there on.

    Returns:
        A table without ``case.parameters`` that stands on its own; ``case.origins`` says what came from the file, and
        ``case.taken`` where values of [drive] and of steps did. The table itself where it names no file.

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
    notes = _Notes()
    merged = dict(table)
    for kind in ("materials", "interfaces"):
        below = {_ordered(name): values for name, values in getattr(file, kind).items()}
        merged[kind] = _merged(kind, below, table.get(kind, {}), notes.origins)
    for condition in ConditionsTable.model_fields:
        entry = getattr(file.conditions, condition)
        if entry is not None:
            _put_condition(merged, condition, entry, notes)
    for place, step in file.steps.items():
        _put_step(merged, place, step.text, step, f"{KEY}: steps.{place}", notes)
    rest = {key: value for key, value in case.items() if key != "parameters"}
    merged["case"] = {**rest, "origins": notes.origins, "taken": notes.taken}
    return merged


def in_one_sentence(origins: Mapping[str, str]) -> str:
    """How many values came from the file, and which did not because the case has its own."""
    own = [key for key, words in origins.items() if words == _OVERRULED]
    count = len(origins) - len(own)
    said = f"{count} value{'' if count == 1 else 's'} from the parameter file"
    return f"{said}; the case's own go before for {', '.join(own)}" if own else said


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
    return _in_words(told.value, told.mark, value.get("uncertainty") if isinstance(value, Mapping) else None)


def _in_words(value: object, mark: str, uncertainty: object) -> str:
    return f"{value} ({mark}{f', standard uncertainty {uncertainty}' if uncertainty else ''})"


def _ordered(name: str) -> str:
    return "|".join(sorted(part.strip() for part in name.split("|")))


def _put_condition(merged: dict[str, Any], name: str, entry: ConditionValue, notes: _Notes) -> None:
    """Put a value where a case has it: into the texts of its process, or into [drive] unless it stands there."""
    where = f"{KEY}: conditions.{name}"
    if "process" in merged:
        if not entry.steps:
            raise InputError(
                where,
                "is not allowed: the case has a [process], and only steps would say where in it the value goes; "
                'add steps = {N = "text of step N with {} for the value"}, or leave it out of the parameter file',
            )
        for place, text in entry.steps.items():
            _put_step(merged, place, text, entry, f"{where}.steps.{place}", notes)
        return
    drive = merged.get("drive", {})
    if not isinstance(drive, Mapping):
        return  # the check of the case says what is wrong with it
    if name in drive:
        notes.origins[f"drive.{name}"] = _OVERRULED
    else:
        merged["drive"] = {**drive, name: entry.value}
        notes.put(f"drive.{name}", entry, where)


def _put_step(
    merged: dict[str, Any], place: str, pattern: str, entry: _Value, where: str, notes: _Notes
) -> None:
    """Put a value into the text of a step."""
    table, key = merged.get("process"), f"process.steps.{place}"
    process = table if isinstance(table, Mapping) else {}
    steps = process.get("steps")
    if "process" not in merged:
        raise InputError(
            where,
            "is not allowed: the case has a [drive], and no steps; leave it out of the parameter file, or give it "
            "under [conditions] if it is the stack pressure",
        )
    if not isinstance(steps, list) or not place.isdecimal() or not 1 <= int(place) <= len(steps):
        raise InputError(
            where, f"is not allowed: the case has no step {place}; leave it out of the parameter file"
        )
    if key in notes.taken:
        raise InputError(
            where, f"is not allowed: the file has a value for step {place} already; leave one out"
        )
    text = steps[int(place) - 1]
    found = fitted(text, pattern) if isinstance(text, str) else None
    if found is None:
        raise InputError(
            where,
            f"= {pattern!r} is not allowed: step {place} of the case is {text!r}; they must be the same",
        )
    steps = [*steps[: int(place) - 1], filled(pattern, entry.value), *steps[int(place) :]]
    merged["process"] = {**process, "steps": steps}
    before = found[1].strip()
    notes.put(key, entry, where, "" if before == entry.value else f" in place of the case's {before}")
