"""What ends a step: a voltage, a current, a time, a charge, a mean lithiation."""

from __future__ import annotations

from dataclasses import dataclass

from run import units
from run.process.mistakes import StepMistake
from run.quantities import Current
from run.units import Kind, UnitError


@dataclass(frozen=True)
class UntilVoltage:
    """The terminal voltage reaches a value in V."""

    value: float

    def text(self) -> str:
        """As it is written in a case file."""
        return f"until {voltage_text(self.value)}"


@dataclass(frozen=True)
class UntilCurrent:
    """The magnitude of the current has fallen to a value."""

    current: Current

    def text(self) -> str:
        """As it is written in a case file."""
        return f"until {number(self.current.value)} {self.current.kind.internal}"


@dataclass(frozen=True)
class UntilLithiation:
    """The mean lithiation of the hosts reaches a value between 0 and 1."""

    value: float

    def text(self) -> str:
        """As it is written in a case file."""
        return f"until lithiation {number(self.value)}"


@dataclass(frozen=True)
class UntilCharge:
    """So much charge has passed in the step.

    Attributes:
        value: In mAh/cm² or mAh/g, above zero.
        kind: ``units.AREAL_CAPACITY`` or ``units.SPECIFIC_CAPACITY``.
    """

    value: float
    kind: Kind

    def areal(self, active_mg_cm2: float | None) -> float:
        """The charge in mAh/cm².

        Args:
            active_mg_cm2: Active material per area, None where it is not known.

        Raises:
            StepMistake: A charge per gram where it is not known.
        """
        if self.kind is units.AREAL_CAPACITY:
            return self.value
        if active_mg_cm2 is None:
            raise StepMistake(
                f"{self.value:g} mAh/g needs the mass of the active material, which the sidecar of this mesh does "
                "not state; give the charge in mAh/cm^2"
            )
        return self.value * active_mg_cm2 * 1.0e-3

    def text(self) -> str:
        """As it is written in a case file."""
        return f"until {number(self.value)} {self.kind.internal}"


@dataclass(frozen=True)
class ForTime:
    """So much time in s has passed in the step."""

    seconds: float

    def text(self) -> str:
        """As it is written in a case file."""
        return f"for {duration_text(self.seconds)}"


End = UntilVoltage | UntilCurrent | UntilLithiation | UntilCharge | ForTime

#: Longest time of a single step in s (a year), and the range a terminal voltage may lie in.
LONGEST = 3.2e7
_TIME_WORDS = {
    plural: unit
    for unit, word in (("s", "second"), ("min", "minute"), ("h", "hour"), ("d", "day"))
    for plural in (word, f"{word}s")
}
LOWEST_VOLTAGE, HIGHEST_VOLTAGE = -0.5, 5.5


def number(value: float) -> str:
    """The shortest text that is read back to the same number."""
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)


def voltage_text(volts: float) -> str:
    """A voltage as a user would write it: small ones in mV, where that is exactly the same."""
    short = f"{volts * 1.0e3:.6g}"
    if abs(volts) < 0.1 and float(short) * 1.0e-3 == volts:
        return f"{short} mV"
    return f"{number(volts)} V"


def duration_text(seconds: float) -> str:
    """A time in the largest unit in which it is a short number and exactly the same."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        short = f"{seconds / size:.4g}"
        if seconds >= size and float(short) * size == seconds:
            return f"{short} {unit}"
    return f"{number(seconds)} s"


def read_time(text: str, what: str) -> float:
    """A time above zero in s.

    Raises:
        StepMistake: It is none.
    """
    words = " ".join(_TIME_WORDS.get(word, word) for word in text.split())
    seconds = read(words, what, units.TIME)[0]
    if not 0.0 < seconds <= LONGEST:
        raise StepMistake(f"{what} '{text}' must be above 0 s and at most {LONGEST:g} s")
    return seconds


def read_voltage(text: str, what: str) -> float:
    """A terminal voltage in V.

    Raises:
        StepMistake: It is none.
    """
    value = read(text, what, units.VOLTAGE)[0]
    if not LOWEST_VOLTAGE <= value <= HIGHEST_VOLTAGE:
        raise StepMistake(f"{what} '{text}' must lie between {LOWEST_VOLTAGE:g} V and {HIGHEST_VOLTAGE:g} V")
    return value


def read_end(text: str) -> End:
    """What stands behind ``until``.

    Raises:
        StepMistake: It is none of the things that end a step.
    """
    words = text.split()
    if "lithiation" in words:
        rest = " ".join(word for word in words if word not in ("mean", "lithiation", "of"))
        value = read(rest, "the lithiation", units.NUMBER)[0]
        if not 0.0 < value < 1.0:
            raise StepMistake(f"the lithiation '{rest}' must lie between 0 and 1, both excluded")
        return UntilLithiation(value)
    kinds = (
        units.VOLTAGE,
        units.C_RATE,
        units.CURRENT_DENSITY,
        units.AREAL_CAPACITY,
        units.SPECIFIC_CAPACITY,
    )
    value, kind = read(text, "what ends it", *kinds, also='"lithiation 0.5"')
    if kind is units.VOLTAGE:
        return UntilVoltage(read_voltage(text, "the cut-off"))
    if value <= 0.0:
        raise StepMistake(f"what ends it, '{text}', must be above zero")
    if kind in (units.C_RATE, units.CURRENT_DENSITY):
        return UntilCurrent(Current(value, kind))
    return UntilCharge(value, kind)


def read(text: str, what: str, *kinds: Kind, also: str = "") -> tuple[float, Kind]:
    """A quantity of one of some kinds, with the mistake in the words of a step.

    Args:
        text: Number and unit.
        what: What it is called in the sentence.
        kinds: What is allowed.
        also: What else is allowed, for the sentence.

    Raises:
        StepMistake: It cannot be read.
    """
    if not text:
        raise StepMistake(f"{what} is missing: give {' or '.join(f'{k.name} ({k.example})' for k in kinds)}")
    try:
        return units.parse(text, *kinds)
    except UnitError as error:
        also = f" or {also}" if also else ""
        raise StepMistake(f"{what} '{text}' must be {error}{also}") from None
