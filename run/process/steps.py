"""The steps of a process, as given: frozen, in internal units, each able to write itself as a case file would."""

from __future__ import annotations

from dataclasses import dataclass

from fem.units import ZERO_CELSIUS
from run.process.ends import End, duration_text, number, voltage_text
from run.quantities import Current

#: Words that say which way lithium goes whatever the cell: True into the electrode, False out of it.
PLAIN_DIRECTIONS = {"lithiate": True, "delithiate": False}
#: Words whose meaning depends on the cell: True where it takes charge from the cell.
CELL_DIRECTIONS = {"discharge": True, "charge": False}
DIRECTIONS = (*CELL_DIRECTIONS, *PLAIN_DIRECTIONS)


def lithiates(verb: str, full_cell: bool) -> bool:
    """Whether a word means lithium into the electrode.

    In a half cell the electrode faces lithium metal: discharging the cell lithiates it. In a full cell it is the
    negative electrode: charging the cell lithiates it.
    """
    if verb in PLAIN_DIRECTIONS:
        return PLAIN_DIRECTIONS[verb]
    return CELL_DIRECTIONS[verb] != full_cell


@dataclass(frozen=True)
class Press:
    """The pressure on top goes to a value along a straight line.

    Attributes:
        upwards: Whether it was called pressing (up) or releasing (down).
        target: In MPa.
        duration: In s.
        temperature: In K from its beginning on, or None for no change.
    """

    upwards: bool
    target: float
    duration: float
    temperature: float | None = None

    def text(self) -> str:
        """As it is written in a case file."""
        verb = "press" if self.upwards else "release"
        return f"{verb} to {number(self.target)} MPa{_at(self.temperature)} in {duration_text(self.duration)}"


@dataclass(frozen=True)
class Rest:
    """No current.

    Attributes:
        duration: In s.
        temperature: In K from its beginning on, or None for no change.
    """

    duration: float
    temperature: float | None = None

    def text(self) -> str:
        """As it is written in a case file."""
        return f"rest{_at(self.temperature)} for {duration_text(self.duration)}"


@dataclass(frozen=True)
class Pass:
    """A constant current.

    Attributes:
        verb: discharge, charge, lithiate or delithiate.
        current: Its magnitude.
        ends: What ends it, whichever comes first; at least one.
        temperature: In K from its beginning on, or None for no change.
    """

    verb: str
    current: Current
    ends: tuple[End, ...]
    temperature: float | None = None

    def text(self) -> str:
        """As it is written in a case file."""
        return f"{self.verb} at {current_text(self.current)}{_at(self.temperature)} {_ends(self.ends)}"


@dataclass(frozen=True)
class Hold:
    """A constant terminal voltage.

    Attributes:
        voltage: In V.
        ends: What ends it, whichever comes first; at least one.
        temperature: In K from its beginning on, or None for no change.
    """

    voltage: float
    ends: tuple[End, ...]
    temperature: float | None = None

    def text(self) -> str:
        """As it is written in a case file."""
        return f"hold at {voltage_text(self.voltage)}{_at(self.temperature)} {_ends(self.ends)}"


@dataclass(frozen=True)
class Heat:
    """The temperature goes to a value, at once or along a straight line.

    Attributes:
        target: In K.
        duration: In s; zero for at once.
    """

    target: float
    duration: float = 0.0

    def text(self) -> str:
        """As it is written in a case file."""
        over = f" in {duration_text(self.duration)}" if self.duration > 0.0 else ""
        return f"set temperature to {temperature_text(self.target)}{over}"


@dataclass(frozen=True)
class Measure:
    """A measurement that leaves the electrode as it is.

    Attributes:
        name: Of the measurement.
        words: What else was said, word by word.
    """

    name: str
    words: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is written in a case file."""
        return " ".join(("measure", self.name, *self.words))


@dataclass(frozen=True)
class Pulse:
    """Current for a while, then rest, several times (GITT).

    Attributes:
        verb: discharge, charge, lithiate or delithiate.
        current: Its magnitude.
        duration: Of the current in s.
        rest: In s.
        count: How often.
        until: Cut-offs that end the current of any pulse early, and the whole with the rest after it.
        temperature: In K from its beginning on, or None for no change.
    """

    verb: str
    current: Current
    duration: float
    rest: float
    count: int
    until: tuple[End, ...] = ()
    temperature: float | None = None

    def text(self) -> str:
        """As it is written in a case file."""
        ends = f" {_ends(self.until)} or" if self.until else ""
        return (
            f"pulse {self.verb} at {current_text(self.current)}{_at(self.temperature)}{ends} for "
            f"{duration_text(self.duration)} then rest for {duration_text(self.rest)}, {self.count} times"
        )


@dataclass(frozen=True)
class Repeat:
    """Some steps several times over.

    Attributes:
        count: How often.
        steps: What is repeated.
        jumping: Whether times may be jumped over by extrapolation (run/process/jumping.py).
    """

    count: int
    steps: tuple[Step, ...]
    jumping: bool = False

    @property
    def head(self) -> str:
        """How often, as it is written in a case file."""
        return f"repeat {self.count} times{', jumping' if self.jumping else ''}"

    def text(self) -> str:
        """As it is written in a case file, on one line."""
        return f"{self.head}: {'; '.join(step.text() for step in self.steps)}"


Single = Press | Rest | Pass | Hold | Heat | Measure
Step = Single | Pulse | Repeat


def current_text(current: Current) -> str:
    """A current as it is written in a case file."""
    return f"{number(current.value)} {current.kind.internal}"


def temperature_text(kelvin: float) -> str:
    """A temperature as it is written in a case file: in degC where that is the shorter number."""
    celsius = round(kelvin - ZERO_CELSIUS, 9)
    if celsius + ZERO_CELSIUS == kelvin:
        return f"{number(celsius)} degC"
    return f"{kelvin!r} K"


def written(step: Step) -> object:
    """A step as it stands in the list of a resolved case: text, or a list for a repetition."""
    if isinstance(step, Repeat):
        return [step.head, *(written(inner) for inner in step.steps)]
    return step.text()


def _at(temperature: float | None) -> str:
    return "" if temperature is None else f" at {temperature_text(temperature)}"


def _ends(ends: tuple[End, ...]) -> str:
    return " or ".join(end.text() for end in ends)
