"""The plan of a process: its steps in the order they are done, repetitions and pulses written out, cycles counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from run.errors import InputError
from run.process.ends import ForTime
from run.process.steps import Hold, Pass, Pulse, Repeat, Rest, Single, Step, lithiates

MOST_STEPS = 100_000


@dataclass(frozen=True)
class Turn:
    """One time of a repetition that may be jumped over.

    Attributes:
        place: Of the repetition in the list of the case file.
        number: Which time, from 1.
        count: How many there are.
        length: How many steps each has.
    """

    place: str
    number: int
    count: int
    length: int


@dataclass(frozen=True)
class Planned:
    """One step of the plan.

    Attributes:
        number: From 1, in the order they are done.
        place: Where it stands in the list of the case file: ``4``, or ``4.2`` inside a repetition.
        again: Which time it is done, ``"2 of 5"``, from the outermost repetition inwards; empty outside one.
        step: What is done.
        cycle: Number of its cycle from 1, 0 before the first current.
        leap: Number of the step that follows where this pulse was cut short by its voltage; None elsewhere.
        turn: Time of the repetition it belongs to, where that may be jumped over; None elsewhere.
    """

    number: int
    place: str
    again: str
    step: Single
    cycle: int
    leap: int | None = None
    turn: Turn | None = None

    @property
    def title(self) -> str:
        """Number and text for logs and tables."""
        again = f" ({self.again})" if self.again else ""
        return f"step {self.number}{again}: {self.step.text()}"


@dataclass(frozen=True)
class Plan:
    """All steps of a process.

    Attributes:
        given: As read from the case file.
        steps: Written out.
        full_cell: Whether the electrode is the negative one of a full cell.
    """

    given: tuple[Step, ...]
    steps: tuple[Planned, ...]
    full_cell: bool

    @property
    def convention(self) -> str:
        """What discharge and charge mean here, in a sentence."""
        if self.full_cell:
            return "full cell: charge lithiates the electrode, discharge delithiates it"
        return "half cell against lithium: discharge lithiates the electrode, charge delithiates it"

    @property
    def jumps(self) -> bool:
        """Whether any repetition may be jumped over."""
        return any(planned.turn is not None for planned in self.steps)

    @property
    def uses_terminal(self) -> bool:
        """Whether any step passes a current or holds a voltage."""
        return any(planned.cycle > 0 for planned in self.steps)


def make_plan(given: tuple[Step, ...], full_cell: bool) -> Plan:
    """Write out repetitions and pulses, and count the cycles.

    A cycle begins with the first lithiation and with every one that follows a delithiation. Where a process begins
    with delithiation that half belongs to cycle 1.

    Raises:
        InputError: The plan is too long.
    """
    count = sum(_length(step) for step in given)
    if count > MOST_STEPS:
        raise InputError(
            "process.steps",
            f"is not allowed: written out it has {count} steps; at most {MOST_STEPS} are allowed",
        )
    steps: list[Planned] = []
    cycle, last = 0, True
    for planned in _written_out(given, "", ""):
        if isinstance(planned.step, Pass):
            now = lithiates(planned.step.verb, full_cell)
            cycle += cycle == 0 or (now and not last)
            last = now
        elif isinstance(planned.step, Hold) and cycle == 0:
            cycle = 1
        number = len(steps) + 1
        leap = None if planned.leap is None else number + planned.leap
        steps.append(replace(planned, number=number, cycle=cycle, leap=leap))
    return Plan(given, tuple(steps), full_cell)


def _length(step: Step) -> int:
    if isinstance(step, Repeat):
        return step.count * sum(_length(inner) for inner in step.steps)
    return 2 * step.count if isinstance(step, Pulse) else 1


def _written_out(steps: tuple[Step, ...], prefix: str, again: str) -> Iterator[Planned]:
    """The steps one after the other; ``leap`` counts from the step it belongs to."""
    for position, step in enumerate(steps, start=1):
        place = f"{prefix}{position}"
        if isinstance(step, Repeat):
            length = sum(_length(inner) for inner in step.steps)
            for turn in range(1, step.count + 1):
                for planned in _written_out(step.steps, f"{place}.", _joined(again, turn, step.count)):
                    jumped = Turn(place, turn, step.count, length) if step.jumping else planned.turn
                    yield replace(planned, turn=jumped)
        elif isinstance(step, Pulse):
            for turn in range(1, step.count + 1):
                which, left = _joined(again, turn, step.count), 2 * (step.count - turn)
                ends = (*step.until, ForTime(step.duration))
                push = Pass(step.verb, step.current, ends, step.temperature if turn == 1 else None)
                yield Planned(0, place, which, push, 0, leap=left + 2 if step.until else None)
                yield Planned(0, place, which, Rest(step.rest), 0)
        else:
            yield Planned(0, place, again, step, 0)


def _joined(again: str, turn: int, count: int) -> str:
    here = f"{turn} of {count}"
    return f"{again}, {here}" if again else here
