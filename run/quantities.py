"""Values of a case file that carry a unit: read, checked against their range, written back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import core_schema

from run import units
from run.errors import InputError
from run.units import Kind


@dataclass(frozen=True)
class Quantity:
    """Annotation of a key whose value carries a unit and lies between two internal values.

    Attributes:
        kind: Kind of quantity.
        lowest: Lower end.
        highest: Upper end, allowed itself.
        inclusive: Whether the lower end is allowed itself.
    """

    kind: Kind
    lowest: float
    highest: float
    inclusive: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Read, check, and write back with the internal unit."""
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.written, when_used="json"),
        )

    def read(self, value: object) -> float:
        """The internal value.

        Raises:
            ValueError: The text says what is allowed.
        """
        number = units.parse(value, self.kind)[0]
        if not (self.lowest <= number if self.inclusive else self.lowest < number) or number > self.highest:
            first = "at least" if self.inclusive else "above"
            unit = "" if self.kind is units.NUMBER else f" {self.kind.internal}"
            raise ValueError(f"{first} {self.lowest:g}{unit} and at most {self.highest:g}{unit}")
        return number

    def written(self, number: float | None) -> float | str | None:
        """The value as it would stand in a case file."""
        return number if number is None or self.kind is units.NUMBER else units.shown(number, self.kind)


@dataclass(frozen=True)
class Current:
    """A current density, or a rate of charge that becomes one once the capacity is known.

    Attributes:
        value: Number in A/m^2 or in C.
        kind: ``units.CURRENT_DENSITY`` or ``units.C_RATE``.
    """

    value: float
    kind: Kind

    def density(self, capacity_mAh_cm2: float | None) -> float:
        """The current density in A/m^2.

        Args:
            capacity_mAh_cm2: Theoretical areal capacity of the hosts, None if unknown.

        Raises:
            InputError: A rate without a capacity.
        """
        if self.kind is units.CURRENT_DENSITY:
            return self.value
        if capacity_mAh_cm2 is None:
            raise InputError(
                "drive.current",
                f'= "{self.value:g} C" is not allowed with this mesh: its sidecar states no areal capacity, so give a '
                'current density, for example "3.09 A/m^2"',
            )
        return self.value * capacity_mAh_cm2 * 10.0  # mAh/cm2 is 10 Ah/m2

    def rate(self, capacity_mAh_cm2: float) -> float:
        """The rate in C.

        Args:
            capacity_mAh_cm2: Areal capacity of the hosts; of account where a current density was given.
        """
        return self.value if self.kind is units.C_RATE else self.value / (capacity_mAh_cm2 * 10.0)


def _read_current(value: object) -> Current:
    if isinstance(value, Current):
        return value
    number, kind = units.parse(value, units.C_RATE, units.CURRENT_DENSITY)
    if number <= 0.0:
        raise ValueError("above zero: this version lithiates and does not yet delithiate")
    return Current(number, kind)


CurrentDensity = Annotated[
    Current,
    BeforeValidator(_read_current),
    PlainSerializer(lambda current: units.shown(current.value, current.kind), when_used="json"),
]
Fraction = Annotated[float, Quantity(units.NUMBER, 0.0, 0.999)]
Duration = Annotated[float, Quantity(units.TIME, 0.0, 3.2e7)]
