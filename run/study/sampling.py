"""The points of a design: a Latin hypercube or a Sobol sequence between bounds, linear or logarithmic."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from run.errors import InputError
from run.study.tables import BoundTable, DesignTable, checked
from run.units import split_number


@dataclass(frozen=True)
class Factor:
    """What a design varies.

    Attributes:
        key: Dotted name in the case file.
        low: Lower bound, a plain number.
        high: Upper bound.
        unit: As written behind both bounds, empty for plain numbers.
        logarithmic: Whether the logarithm is spread evenly.
        whole: Whether only whole numbers make sense.
    """

    key: str
    low: float
    high: float
    unit: str
    logarithmic: bool
    whole: bool

    def value(self, share: float) -> int | float | str:
        """The value as it stands in a case file, for a share of the way from ``low`` to ``high``."""
        if self.whole:
            # Every whole number, the ends included, has the same room.
            return int(min(self.high, self.low + math.floor(share * (self.high - self.low + 1.0))))
        if self.logarithmic:
            number = self.low * (self.high / self.low) ** share
        else:
            number = self.low + share * (self.high - self.low)
        rounded = float(f"{number:.6g}")
        return f"{rounded!r} {self.unit}" if self.unit else rounded


def factors(bounds: Mapping[str, Any]) -> list[Factor]:
    """The factors of [design.bounds], whose tables may be nested or dotted.

    Raises:
        InputError: A bound that cannot be read, or two that do not fit each other.
    """
    found = [_factor(key, table) for key, table in _entries(bounds, "")]
    if not found:
        raise InputError(
            "design.bounds", 'is empty: add KEY = {low = "0.1 MPa", high = "10 MPa"} for what is to be varied'
        )
    return found


def _entries(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    entries: list[tuple[str, Any]] = []
    for key, value in table.items():
        is_inner = isinstance(value, Mapping) and not {"low", "high"} & set(value)
        entries += _entries(value, f"{prefix}{key}.") if is_inner else [(f"{prefix}{key}", value)]
    return entries


def _factor(key: str, table: object) -> Factor:
    where = f"design.bounds.{key}"
    if not isinstance(table, Mapping):
        raise InputError(
            where, f"= {table!r} is not allowed: it must be a table such as {{low = 1.0, high = 2.0}}"
        )
    bound = checked(BoundTable, table, "design", "bounds", *key.split("."))
    ends = []
    for name, given in (("low", bound.low), ("high", bound.high)):
        if isinstance(given, str):
            split = split_number(given)
            if split is None:
                raise InputError(
                    f"{where}.{name}", f"= {given!r} is not allowed: it must begin with a number"
                )
            ends.append(split)
        else:
            ends.append((float(given), ""))
    (low, unit), (high, other) = ends
    if unit != other:
        raise InputError(
            f"{where}.high", f"= {bound.high!r} is not allowed: give it in the unit of low, {unit!r}"
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"{where}.high", f"= {bound.high!r} is not allowed: it must be above low = {bound.low!r}"
        )
    if bound.scale == "log" and low <= 0.0:
        raise InputError(
            f"{where}.low", f'= {bound.low!r} is not allowed: with scale = "log" it must be above zero'
        )
    whole = type(bound.low) is int and type(bound.high) is int
    if whole and bound.scale == "log":
        raise InputError(
            f"{where}.scale", '= "log" is not allowed for whole numbers: write the bounds as 1.0'
        )
    return Factor(key, low, high, unit, bound.scale == "log", whole)


def sample(design: DesignTable, dimensions: int) -> npt.NDArray[np.float64]:
    """Shares of the way between the bounds, shape (points, dimensions), each in [0, 1).

    Raises:
        InputError: A Sobol sequence with a number of points that spoils its balance.
    """
    # SciPy calls the argument ``rng`` from 1.15 on, and takes the older word for years to come.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if design.method == "latin_hypercube":
            drawn = qmc.LatinHypercube(dimensions, seed=design.seed).random(design.points)
        else:
            exponent = design.points.bit_length() - 1
            if design.points != 2**exponent:
                raise InputError(
                    "design.points",
                    f"= {design.points} is not allowed: a Sobol sequence keeps its balance with a power of two only, "
                    f"for example {2**exponent} or {2 ** (exponent + 1)}",
                )
            drawn = qmc.Sobol(dimensions, seed=design.seed).random_base2(exponent)
    return np.asarray(drawn, dtype=np.float64)
