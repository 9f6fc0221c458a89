"""Reads quantities that carry their unit ("550 MPa", "0.1 C", "60 degC") into the internal unit system.

Conversion happens here and nowhere else. A small explicit table is used instead of a units library: every unit a
case file may use is listed below, and an unknown one is answered with those that are allowed.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from fem.units import FARADAY, ZERO_CELSIUS


class UnitError(ValueError):
    """A value whose number or unit cannot be read; the text says what is allowed."""


@dataclass(frozen=True)
class Unit:
    """A unit: internal value = factor · number + offset."""

    factor: float
    offset: float = 0.0


@dataclass(frozen=True)
class Kind:
    """A kind of quantity.

    Attributes:
        name: What it is called in messages.
        internal: Its unit in the internal system (a key of ``units``).
        units: All units it may be written in.
        example: A value as a user would write it.
    """

    name: str
    internal: str
    units: dict[str, Unit]
    example: str

    def __reduce__(self) -> tuple[Callable[[str], Kind], tuple[str]]:
        """A copy sent to another rank is the kind itself: kinds are told apart by identity."""
        return kind_of, (self.internal,)


def _scaled(name: str, internal: str, example: str, units: dict[str, float]) -> Kind:
    return Kind(name, internal, {unit: Unit(factor) for unit, factor in units.items()}, example)


PRESSURE = _scaled(
    "a pressure", "MPa", "1 MPa", {"Pa": 1e-6, "kPa": 1e-3, "MPa": 1.0, "GPa": 1e3, "bar": 0.1, "N/mm^2": 1.0}
)
TEMPERATURE = Kind(
    "a temperature",
    "K",
    {"K": Unit(1.0), "degC": Unit(1.0, ZERO_CELSIUS), "°C": Unit(1.0, ZERO_CELSIUS)},
    "60 degC",
)
TIME = _scaled("a time", "s", "10 h", {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0})
VOLTAGE = _scaled("a voltage", "V", "0.8 V", {"V": 1.0, "mV": 1e-3})
CURRENT_DENSITY = _scaled(
    "a current density", "A/m^2", "3.09 A/m^2", {"A/m^2": 1.0, "mA/cm^2": 10.0, "A/cm^2": 1e4}
)
C_RATE = _scaled("a rate of charge", "C", "0.1 C", {"C": 1.0})
AREAL_CAPACITY = _scaled(
    "a charge per area", "mAh/cm^2", "3 mAh/cm^2", {"mAh/cm^2": 1.0, "mAh/cm2": 1.0, "Ah/m^2": 0.1}
)
SPECIFIC_CAPACITY = _scaled("a charge per mass", "mAh/g", "500 mAh/g", {"mAh/g": 1.0, "Ah/kg": 1.0})
AREA_RESISTANCE = _scaled(
    "a resistance times area", "ohm m^2", "10 ohm cm^2", {"ohm m^2": 1.0, "ohm cm^2": 1e-4}
)
NUMBER = _scaled("a plain number", "1", "0.3", {"1": 1.0, "%": 0.01})
LENGTH = _scaled("a length", "um", "0.2 um", {"nm": 1e-3, "um": 1.0, "µm": 1.0, "mm": 1e3})
VOLUME = _scaled("a volume", "um^3", "270 um^3", {"nm^3": 1e-9, "um^3": 1.0, "µm^3": 1.0, "mm^3": 1e9})
TOUGHNESS = _scaled(
    "a fracture toughness",
    "MPa um^0.5",
    "0.5 MPa m^0.5",
    {"MPa um^0.5": 1.0, "MPa m^0.5": 1e3, "kPa m^0.5": 1.0},
)
RATE = _scaled("a rate", "1/s", "1e-4 1/s", {"1/s": 1.0, "1/min": 1.0 / 60.0, "1/h": 1.0 / 3600.0})
SPEED = _scaled(
    "a speed", "um/s", "0.1 um/s", {"nm/s": 1e-3, "um/s": 1.0, "µm/s": 1.0, "mm/s": 1e3, "mm/min": 1e3 / 60.0}
)
DIFFUSIVITY = _scaled(
    "a diffusivity", "um^2/s", "2.4e-13 m^2/s", {"um^2/s": 1.0, "m^2/s": 1e12, "cm^2/s": 1e8}
)
CONDUCTIVITY = _scaled("a conductivity", "S/m", "0.8 S/m", {"S/m": 1.0, "mS/cm": 0.1, "S/cm": 100.0})
CONCENTRATION = _scaled(
    "a concentration",
    "fmol/um^3",
    "31360 mol/m^3",
    {"fmol/um^3": 1.0, "mol/m^3": 1e-3, "kmol/m^3": 1.0, "mol/L": 1.0, "mol/l": 1.0},
)
MOLAR_ENERGY = _scaled(
    "an energy per amount", "kJ/mol", "37 kJ/mol", {"kJ/mol": 1.0, "J/mol": 1e-3, "eV": FARADAY}
)
SURFACE_ENERGY = _scaled(
    "an energy per area", "J/m^2", "0.31 J/m^2", {"J/m^2": 1.0, "N/m": 1.0, "mJ/m^2": 1e-3}
)
LINE_FORCE = _scaled("a force per depth", "N/m", "1e-6 N/m", {"N/m": 1.0, "MPa um": 1.0})
STIFFNESS = _scaled(
    "a stiffness of an interface", "MPa/um", "2e5 MPa/um", {"MPa/um": 1.0, "GPa/um": 1e3, "N/m^3": 1e-12}
)
# j = Δµ / R_s with Δµ = F Δφ and j = i / F, so R_s = F² times the area resistance.
EXCHANGE_RESISTANCE = _scaled(
    "an exchange resistance",
    "pJ um^2 s/fmol^2",
    "16 ohm cm^2",
    {"pJ um^2 s/fmol^2": 1.0, "ohm m^2": FARADAY**2, "ohm cm^2": FARADAY**2 * 1e-4},
)
KINDS = (
    PRESSURE, TEMPERATURE, TIME, VOLTAGE, CURRENT_DENSITY, C_RATE, NUMBER, LENGTH, RATE, DIFFUSIVITY, CONDUCTIVITY,
    CONCENTRATION, MOLAR_ENERGY, SURFACE_ENERGY, LINE_FORCE, STIFFNESS, EXCHANGE_RESISTANCE, VOLUME, TOUGHNESS, SPEED,
    AREAL_CAPACITY, SPECIFIC_CAPACITY, AREA_RESISTANCE,
)  # fmt: skip

_DIGITS = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_DIGITS}|[+-]?inf)\s*(.*?)\s*")
_NUMBER = re.compile(rf"\s*({_DIGITS})\s*(.*?)\s*")


def kind_of(internal: str) -> Kind:
    """The kind of quantity that has the given internal unit.

    Raises:
        UnitError: No kind is kept in that unit.
    """
    for kind in KINDS:
        if kind.internal == internal:
            return kind
    raise UnitError(f"no kind of quantity is kept in {internal!r}")


def parse(value: object, *kinds: Kind) -> tuple[float, Kind]:
    """Read a value of one of the given kinds.

    Args:
        value: A string with number and unit; a plain number where a plain number is one of the kinds.
        kinds: What is allowed, in the order it is listed in messages.

    Returns:
        The number in the internal unit, and which of the kinds it is.

    Raises:
        UnitError: The text says what is allowed.
    """
    plain = NUMBER in kinds
    wanted = " or ".join(f"{kind.name}, for example {_shown(kind)}" for kind in kinds)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(wanted)
    if isinstance(value, int | float):
        if not plain:
            raise UnitError(f"{wanted} (a bare number has no unit)")
        return _finite(float(value), wanted), NUMBER
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise UnitError(wanted)
    number, text = (
        float(match[1]),
        " ".join(match[2].split()).replace("**", "^").replace("²", "^2").replace("³", "^3"),
    )
    if not text:
        if not plain:
            raise UnitError(f"{wanted} (the unit is missing)")
        return _finite(number, wanted), NUMBER
    for kind in kinds:
        if text in kind.units:
            unit = kind.units[text]
            result = number * unit.factor + unit.offset
            return (result if kind is EXCHANGE_RESISTANCE and result > 0 else _finite(result, wanted)), kind
    known = [unit for kind in kinds for unit in kind.units]
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5) or [
        unit for unit in known if unit.lower() == text.lower()
    ]
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UnitError(f"{wanted} (the unit {text!r} is not one of {', '.join(known)}{hint})")


def split_number(text: str) -> tuple[float, str] | None:
    """Number and unit of a text as they are written, None where it does not begin with a number."""
    match = _NUMBER.fullmatch(text)
    return None if match is None else (float(match[1]), match[2])


def shown(value: float, kind: Kind) -> str:
    """The value as text that ``parse`` reads back to the same number."""
    return f"{value!r} {kind.internal}" if kind is not NUMBER else repr(value)


def _shown(kind: Kind) -> str:
    return kind.example if kind is NUMBER else f'"{kind.example}"'


def _finite(number: float, wanted: str) -> float:
    if not math.isfinite(number):
        raise UnitError(f"{wanted} (and finite)")
    return number
