"""Targets: what was measured, and where the model's number for it stands in summary.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from run import units
from run.calibration.tables import TargetTable
from run.case import Case
from run.errors import InputError
from run.overrides import unknown_key
from run.process.steps import Measure
from run.study.quantities import LISTS, ROOTS
from run.units import Kind, UnitError

#: Units by the last part of a quantity's name, the longest first.
_SUFFIXES: dict[str, tuple[Kind, str]] = {
    "_mAh_cm2": (units.AREAL_CAPACITY, "mAh/cm^2"),
    "_mAh_g": (units.SPECIFIC_CAPACITY, "mAh/g"),
    "_um2_s": (units.DIFFUSIVITY, "um^2/s"),
    "_cm2_s": (units.DIFFUSIVITY, "cm^2/s"),
    "_J_m2": (units.SURFACE_ENERGY, "J/m^2"),
    "_percent": (units.NUMBER, "%"),
    "_MPa": (units.PRESSURE, "MPa"),
    "_um": (units.LENGTH, "um"),
    "_V": (units.VOLTAGE, "V"),
    "_s": (units.TIME, "s"),
    "_K": (units.TEMPERATURE, "K"),
}
_PLAIN = (units.NUMBER, "1")


@dataclass(frozen=True)
class Target:
    """One measured quantity.

    Attributes:
        name: As in the calibration file.
        quantity: Dotted name in summary.json.
        value: Measured, in ``unit``.
        tolerance: One standard deviation.
        unit: That of the number in summary.json.
        source: Where it was measured.
    """

    name: str
    quantity: str
    value: float
    tolerance: float
    unit: str
    source: str

    def reached(self, summary: Mapping[str, Any]) -> float | None:
        """The model's number, None where the run has none."""
        found: Any = summary
        for part in self.quantity.split("."):
            found = _entry(found, part) if isinstance(found, list) else _inner(found, part)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            return None
        return float(found)


def _inner(table: Any, part: str) -> Any:
    return table.get(part) if isinstance(table, Mapping) else None


def _entry(blocks: list[Any], part: str) -> Any:
    if part == "last":
        return blocks[-1] if blocks else None
    numbers = (block.get("number", block.get("cycle")) for block in blocks)
    return next((block for block, number in zip(blocks, numbers, strict=True) if str(number) == part), None)


def targets_of(tables: Mapping[str, TargetTable], case: Case) -> list[Target]:
    """The targets of a calibration file, checked against its case.

    Raises:
        InputError: The first mistake.
    """
    found: list[Target] = []
    for name, table in tables.items():
        where = f"targets.{name}"
        _check_quantity(f"{where}.quantity", table.quantity, case)
        if any(table.quantity == other.quantity for other in found):
            raise InputError(f"{where}.quantity", f"= {table.quantity!r} is not allowed twice: leave one out")
        kind, unit = _unit(table.quantity)
        value = _in_unit(f"{where}.value", table.value, kind, unit)
        tolerance = _in_unit(f"{where}.tolerance", table.tolerance, kind, unit)
        if tolerance <= 0.0:
            raise InputError(
                f"{where}.tolerance", f"= {table.tolerance!r} is not allowed: it must be above zero"
            )
        found.append(Target(name, table.quantity, value, tolerance, unit, table.source))
    return found


def _unit(quantity: str) -> tuple[Kind, str]:
    """Kind and unit by the last part of the name that carries a unit."""
    for part in reversed(quantity.split(".")):
        for suffix, found in _SUFFIXES.items():
            if part.endswith(suffix):
                return found
    return _PLAIN


def _in_unit(key: str, given: int | float | str, kind: Kind, unit: str) -> float:
    try:
        number, _ = units.parse(given, kind)
    except UnitError as error:
        raise InputError(key, f"= {given!r} is not allowed: it must be {error}") from None
    return number / kind.units[unit].factor


def _check_quantity(key: str, quantity: str, case: Case) -> None:
    """Refuse what the summary of this case cannot hold, as far as that is known beforehand."""
    root, _, rest = quantity.partition(".")
    if root not in ROOTS:
        raise unknown_key(key, root, quantity, ROOTS)
    if root not in LISTS:
        return
    if case.process is None:
        raise InputError(
            key, f"= {quantity!r} is not allowed: the case has no [process], so there are no {root}"
        )
    which, _, inner = rest.partition(".")
    planned = case.process.steps
    count = len(planned) if root == "steps" else max((step.cycle for step in planned), default=0)
    if not inner or (which != "last" and not (which.isdecimal() and 1 <= int(which) <= count)):
        raise InputError(
            key, f"= {quantity!r} is not allowed: write {root}.N.NAME with N from 1 to {count}, or last"
        )
    step = planned[-1 if which == "last" else int(which) - 1] if root == "steps" else None
    if step is not None and inner.startswith("result.") and not isinstance(step.step, Measure):
        raise InputError(
            key, f"= {quantity!r} is not allowed: {step.title} measures nothing, so it has no result"
        )
