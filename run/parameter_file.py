"""Parameter files: values that a case takes from a file beside it, ``[case] parameters = "calibrated.toml"``.

A name without ``.toml`` is that of a set that ships (run/calibrated), ``none`` that of no set: what a case may say that
is copied elsewhere.

The file holds [materials] and [interfaces] as a case does; under [conditions] what is a key of a [drive], but a number
in the text of a step in a [process]; and under [steps] other numbers in such texts. What the case itself gives for a
key goes before, also under [interfaces.all]; the number in a step's text is always that of the file, and a condition
that no step of a process is for is left out. What became of each value is noted, and said.
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
from run.overrides import ALL
from run.provenance import given, leaves

KEY = "case.parameters"
#: What stands for no set.
NONE = "none"
_SETS = Path(__file__).parent / "calibrated"
_SUFFIX = ".toml"
#: Where the number stands in the text of a step.
GAP = "{}"
_OVERRULED = "the case's own value, not that of the parameter file"
_LEFT_OUT = "left out: "
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
    rest = {key: value for key, value in case.items() if key != "parameters"}
    if name == NONE:
        return {**table, "case": rest}
    file = read_parameters(_place(name, path.parent), name)
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
    merged["case"] = {**rest, "origins": notes.origins, "taken": notes.taken}
    return merged


def shipped_sets() -> list[str]:
    """Names of the sets of parameters that ship."""
    return sorted(path.stem for path in _SETS.glob(f"*{_SUFFIX}"))


def _place(name: str, folder: Path) -> Path:
    """The file of a name or path; paths count from a folder.

    Raises:
        InputError: The name is that of no set.
    """
    if name.endswith(_SUFFIX):
        return (folder / name).resolve()
    if name not in shipped_sets():
        raise InputError(
            KEY,
            f"= {name!r} is not allowed: it must be {NONE}, a set that ships ({', '.join(shipped_sets())}), or the "
            f"path of a parameter file, which ends in {_SUFFIX}",
        )
    return _SETS / f"{name}{_SUFFIX}"


def in_one_sentence(origins: Mapping[str, str]) -> str:
    """How many values came from the file, and which did not because the case has its own."""
    own = [key for key, words in origins.items() if words == _OVERRULED]
    left = [f"{key} ({words})" for key, words in origins.items() if words.startswith(_LEFT_OUT)]
    count = len(origins) - len(own) - len(left)
    said = f"{count} value{'' if count == 1 else 's'} from the parameter file"
    before = f"the case's own go before for {', '.join(own)}" if own else ""
    return "; ".join(filter(None, (said, before, *left)))


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
    """One table over another; kinds of interfaces are the same in either order, and ``all`` of the case goes before."""
    if not isinstance(above, Mapping):
        return above  # the check of the case says what is wrong with it
    own = {_ordered(name): values for name, values in above.items()}
    spelt = {_ordered(name): name for name in above}
    general = own.get(ALL, {}) if kind == "interfaces" else {}
    merged: dict[str, Any] = {name: values for name, values in above.items() if _ordered(name) not in below}
    for name, values in below.items():
        over = own.get(_ordered(name), {})
        if not isinstance(over, Mapping) or not isinstance(general, Mapping):
            return above
        flat, flat_over, flat_general = (dict(leaves(table)) for table in (values, over, general))
        for key, value in flat.items():
            where = f"{kind}.{name}.{key}"
            overruled = key in flat_over or key in flat_general
            origins[where] = _OVERRULED if overruled else _words(where, value)
        kept = {key: value for key, value in flat.items() if key not in flat_general}
        merged[spelt.get(name, name)] = {**kept, **flat_over}
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
        meant = {place: text for place, text in entry.steps.items() if _step_is(merged, place, text)}
        for place, text in meant.items():
            _put_step(merged, place, text, entry, f"{where}.steps.{place}", notes)
        if not meant:
            wanted = " and no ".join(
                f"step {place} that reads {text!r}" for place, text in entry.steps.items()
            )
            notes.origins[f"conditions.{name}"] = (
                f"{_LEFT_OUT}the process has no {wanted}"
                if wanted
                else f"{_LEFT_OUT}it names no step of a process"
            )
        return
    drive = merged.get("drive", {})
    if not isinstance(drive, Mapping):
        return  # the check of the case says what is wrong with it
    if name in drive:
        notes.origins[f"drive.{name}"] = _OVERRULED
    else:
        merged["drive"] = {**drive, name: entry.value}
        notes.put(f"drive.{name}", entry, where)


def _step_is(table: Mapping[str, Any], place: str, pattern: str) -> bool:
    """Whether a process has a step at that place which reads like the pattern."""
    process = table["process"]
    steps = process.get("steps") if isinstance(process, Mapping) else None
    if not isinstance(steps, list) or not place.isdecimal() or not 1 <= int(place) <= len(steps):
        return False
    return _fit(steps[int(place) - 1], pattern) is not None


def _fit(step: object, pattern: str) -> re.Match[str] | None:
    return fitted(step, pattern) if isinstance(step, str) else None


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
    found = _fit(text, pattern)
    if found is None:
        raise InputError(
            where,
            f"= {pattern!r} is not allowed: step {place} of the case is {text!r}; they must be the same",
        )
    steps = [*steps[: int(place) - 1], filled(pattern, entry.value), *steps[int(place) :]]
    merged["process"] = {**process, "steps": steps}
    before = found[1].strip()
    notes.put(key, entry, where, "" if before == entry.value else f" in place of the case's {before}")
