"""Parameters that are fitted: between their bounds, and as values of a case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fem.materials.base import parameters_of
from fem.parameters import Parameter
from run.calibration.tables import ParameterTable
from run.case import Case
from run.case_mistakes import input_error
from run.case_tables import DriveTable
from run.errors import InputError
from run.overrides import ALL, MODEL_WIDE, unknown_key
from run.parameter_file import GAP, filled, fitted
from run.units import split_number

_METAL = "lithium"


@dataclass(frozen=True)
class Fitted:
    """One number that is fitted.

    Attributes:
        name: As in the calibration file.
        low: Lower bound, in ``unit``.
        high: Upper bound.
        start: Where the fit begins.
        unit: As written, empty for plain numbers.
        logarithmic: Whether the logarithm is what is varied.
        width: Standard deviation known beforehand in shares of the way between the bounds; infinite for none.
        bases: For each key of the case the number that is multiplied and its unit, None where the value itself is put.
        steps: Places of process steps and their texts with a gap.
        condition: Which key of [drive] stands for them in a case that has one, or None.
        why: Where bounds and start come from.
    """

    name: str
    low: float
    high: float
    start: float
    unit: str
    logarithmic: bool
    width: float
    bases: Mapping[str, Parameter | None]
    steps: Mapping[str, str]
    condition: str | None
    why: str

    def value(self, share: float) -> float:
        """The value, for a share of the way from ``low`` to ``high``, rounded to six digits."""
        if self.logarithmic:
            number = self.low * (self.high / self.low) ** share
        else:
            number = self.low + share * (self.high - self.low)
        return min(self.high, max(self.low, float(f"{number:.6g}")))

    def share(self, value: float) -> float:
        """The share of the way from ``low`` to ``high`` of a value."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def slope(self, value: float) -> float:
        """Derivative of the share by the logarithm of the value."""
        return 1.0 / math.log(self.high / self.low) if self.logarithmic else value / (self.high - self.low)

    def text(self, value: float) -> str:
        """The value with its unit."""
        return f"{value!r} {self.unit}" if self.unit else repr(value)

    def case_values(self, value: float) -> dict[str, str | float]:
        """What each key of the case gets."""
        found: dict[str, str | float] = {}
        for key, base in self.bases.items():
            if base is None:
                found[key] = self.text(value) if self.unit else value
            else:
                number = float(f"{value * base.value:.8g}")
                found[key] = number if base.unit == "1" else f"{number!r} {base.unit}"
        return found

    def in_steps(self, steps: list[Any], value: float) -> list[Any]:
        """The steps of a process with the value in them."""
        found = list(steps)
        for place, pattern in self.steps.items():
            found[int(place) - 1] = filled(pattern, self.text(value))
        return found


def fitted_parameters(tables: Mapping[str, ParameterTable], case: Case) -> list[Fitted]:
    """The parameters of a calibration file, checked against its case.

    Raises:
        InputError: The first mistake.
    """
    found: list[Fitted] = []
    taken: dict[str, str] = {}
    for name, table in tables.items():
        one = _fitted(name, table, case)
        condition = [] if one.condition is None else [f"the condition {one.condition}"]
        for key in (*one.bases, *(f"process.steps.{place}" for place in one.steps), *condition):
            if key in taken:
                raise InputError(
                    f"parameters.{name}", f"is not allowed: {key} belongs to parameters.{taken[key]} already"
                )
            taken[key] = name
        found.append(one)
    return found


def _fitted(name: str, table: ParameterTable, case: Case) -> Fitted:
    where = f"parameters.{name}"
    low, unit = _number(f"{where}.low", table.low)
    high, _ = _number(f"{where}.high", table.high, unit)
    start, _ = _number(f"{where}.start", table.start, unit)
    if not low < high:
        raise InputError(
            f"{where}.high", f"= {table.high!r} is not allowed: it must be above low = {table.low!r}"
        )
    if not low <= start <= high:
        raise InputError(
            f"{where}.start",
            f"= {table.start!r} is not allowed: it must lie between {table.low!r} and {table.high!r}",
        )
    logarithmic = table.scale == "log"
    if logarithmic and low <= 0.0:
        raise InputError(
            f"{where}.low", f'= {table.low!r} is not allowed: with scale = "log" it must be above zero'
        )
    if not table.keys and not table.steps:
        raise InputError(where, "is not allowed: it stands for nothing; name keys or steps of the case")
    if table.factor and (unit or table.steps):
        what = f"the bounds carry the unit {unit!r}" if unit else "it stands for steps"
        raise InputError(
            f"{where}.factor", f"= true is not allowed: {what}; a factor multiplies values of keys"
        )
    bases: dict[str, Parameter | None] = {}
    for key in table.keys:
        for full, parameter in _expanded(f"{where}.keys", key, case, table.factor):
            bases[full] = parameter if table.factor else None
    _check_steps(where, table.steps, case)
    _check_condition(where, table)
    width = _width(where, table, unit, low, high)
    return Fitted(
        name, low, high, start, unit, logarithmic, width, bases, table.steps, table.condition, table.why
    )


def _width(where: str, table: ParameterTable, unit: str, low: float, high: float) -> float:
    """Width of the prior in shares of the way between the bounds."""
    if table.width is None:
        return math.inf
    key = f"{where}.width"
    if table.scale == "log":
        factor, _ = _number(key, table.width, "")
        if factor <= 1.0:
            raise InputError(
                key, f'= {table.width!r} is not allowed: with scale = "log" it must be a factor above 1'
            )
        return math.log(factor) / math.log(high / low)
    width, _ = _number(key, table.width, unit)
    if width <= 0.0:
        raise InputError(key, f"= {table.width!r} is not allowed: it must be above zero")
    return width / (high - low)


def _number(key: str, given: int | float | str, unit: str | None = None) -> tuple[float, str]:
    """Number and unit, the unit being the one that is wanted."""
    split = split_number(given) if isinstance(given, str) else (float(given), "")
    if split is None or not math.isfinite(split[0]):
        raise InputError(
            key, f"= {given!r} is not allowed: it must be a finite number, with a unit if it has one"
        )
    if unit is not None and split[1] != unit:
        wanted = f"in the unit of low, {unit!r}" if unit else "as a plain number"
        raise InputError(key, f"= {given!r} is not allowed: give it {wanted}")
    return split


def _expanded(where: str, key: str, case: Case, factor: bool) -> list[tuple[str, Parameter | None]]:
    """The keys of the case that one of the calibration file stands for, with what the case has there."""
    parts = key.replace('"', "").split(".")
    if len(parts) < 3 or parts[0] not in ("materials", "interfaces"):
        raise InputError(
            where,
            f"= {key!r} is not allowed: name a parameter of [materials] or [interfaces], such as "
            "interfaces.graphite|silicon.strength; numbers in process steps go under steps",
        )
    kind, owner, leaf = parts[0], "|".join(sorted(parts[1].split("|"))), ".".join(parts[2:])
    known: Mapping[str, Any] = case.materials if kind == "materials" else case.laws
    if _METAL in owner.split("|"):
        raise InputError(
            where, f"= {key!r} is not allowed: the bare electrode holds no lithium metal that could tell it"
        )
    if owner == ALL and leaf in MODEL_WIDE:
        if factor:
            first = next(law for law in case.laws.values() if law.breaks)
            return [(f"interfaces.{ALL}.{leaf}", getattr(first, leaf))]
        return [(f"interfaces.{ALL}.{leaf}", None)]
    if owner == ALL and kind == "interfaces":
        owners = [name for name, law in case.laws.items() if law.breaks and _METAL not in name.split("|")]
    elif owner in known:
        owners = [owner]
    else:
        raise unknown_key(f"{where}: {kind}.{parts[1]}", owner, {}, [ALL, *known])
    found = []
    for name in owners:
        parameter = _present(known[name], leaf)
        if parameter is not None and math.isinf(parameter.value) and owner == ALL:
            continue  # what is closed stays closed
        if factor and (parameter is None or not math.isfinite(parameter.value) or parameter.value == 0.0):
            what = "nothing" if parameter is None else f"{parameter.value:g}"
            raise InputError(
                where, f"= {key!r} is not allowed as a factor: the case has {what} for it at {name}"
            )
        found.append((f"{kind}.{name}.{leaf}", parameter))
    return found


def _present(item: object, leaf: str) -> Parameter | None:
    """What a material or law has for a parameter; a unique last part of its name will do."""
    known = dict(parameters_of(item))
    matches = [name for name in known if name == leaf or name.split(".")[-1] == leaf]
    return known[matches[0]] if len(matches) == 1 else known.get(leaf)


def _check_steps(where: str, steps: Mapping[str, str], case: Case) -> None:
    process = case.file.process
    given = process.steps if process is not None and isinstance(process.steps, list) else []
    for place, pattern in steps.items():
        key = f"{where}.steps.{place}"
        if pattern.count(GAP) != 1:
            raise InputError(
                key, f"= {pattern!r} is not allowed: it must hold {GAP} once, where the value goes"
            )
        if not place.isdecimal() or not 1 <= int(place) <= len(given):
            raise InputError(key, f"= {pattern!r} is not allowed: the case has {len(given)} steps, from 1")
        text = given[int(place) - 1]
        if not isinstance(text, str) or fitted(text, pattern) is None:
            raise InputError(
                key,
                f"= {pattern!r} is not allowed: step {place} of the case is {text!r}; they must be the same",
            )


def _check_condition(where: str, table: ParameterTable) -> None:
    """A condition is what steps of the process set, and a [drive] must be able to take it."""
    if table.condition is None:
        return
    if not table.steps or table.keys:
        raise InputError(
            f"{where}.condition",
            f"= {table.condition!r} is not allowed: it is for a number in the text of steps and of nothing else; "
            "name steps and no keys, or leave it out",
        )
    for bound in ("low", "high"):
        given: dict[str, Any] = {table.condition: getattr(table, bound)}
        try:
            DriveTable.model_validate(given)
        except ValidationError as error:
            raise InputError(f"{where}.{bound}", input_error(error, given, DriveTable).problem) from None
