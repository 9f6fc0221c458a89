"""Measurements by name: what ``measure NAME`` may say, and the function that is called.

A measurement gets a :class:`Subject` and the words behind its name, and returns a table that JSON can hold. It must
leave the model as it found it: the runner calls it inside ``undisturbed``, which brings back every bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from run.process.mistakes import StepMistake, meant
from run.process.steps import Measure

if TYPE_CHECKING:
    from run.process.subject import Subject

Words = tuple[str, ...]


@dataclass(frozen=True)
class Measurement:
    """A measurement that can be asked for.

    Attributes:
        usage: How it is written behind ``measure``, for messages and docs.
        run: Measures; collective, the same result on every rank.
        check: Raises StepMistake where the words make no sense; gets the words, and the electrode's thickness in µm or
            None where it is not known.
    """

    usage: str
    run: Callable[[Subject, Words], Mapping[str, Any]]
    check: Callable[[Words, float | None], None]


_KNOWN: dict[str, Measurement] = {}


def register(name: str, measurement: Measurement) -> None:
    """Make a measurement known under a name.

    Raises:
        ValueError: The name is taken, or cannot be written in a step.
    """
    if name in _KNOWN or not name or any(letter.isspace() for letter in name):
        raise ValueError(f"a measurement cannot be registered as {name!r}")
    _KNOWN[name] = measurement


def no_words(words: Words, thickness_um: float | None) -> None:
    """Check of a measurement that takes no words.

    Raises:
        StepMistake: There are some.
    """
    if words:
        raise StepMistake(
            f"'{' '.join(words)}' is not expected: nothing follows the name of this measurement"
        )


def check(step: Measure, thickness_um: float | None) -> None:
    """Whether a measurement is known and its words make sense.

    Raises:
        StepMistake: It is not, or they do not.
    """
    find(step.name).check(step.words, thickness_um)


def find(name: str) -> Measurement:
    """The measurement of that name.

    Raises:
        StepMistake: There is none.
    """
    known = table()
    if name not in known:
        listed = ", ".join(measurement.usage for measurement in known.values())
        raise StepMistake(f"'{name}' cannot be measured; what can is: {listed}{meant(name, known)}")
    return known[name]


def table() -> dict[str, Measurement]:
    """All measurements by name."""
    import run.process.measurements  # noqa: F401  # it registers those that ship, and itself needs ``register``

    return dict(_KNOWN)
