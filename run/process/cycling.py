"""[cycling]: how far and how well cycles are jumped over, of the repetitions that say ``jumping``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from run import units
from run.errors import InputError
from run.process.mistakes import StepMistake, refused
from run.process.plan import Plan
from run.process.steps import Pass, Repeat, Step, lithiates
from run.quantities import Quantity

#: Cycles that must be left after the first resolved ones for a jump to make sense: two left out, one that checks.
_LEAST_LEFT = 3


class CyclingTable(BaseModel):
    """[cycling]: of all repetitions that jump.

    Attributes:
        tolerance: Error of a jump that is allowed, as a share of thickness, damage and capacity.
        resolved_first: How many cycles are computed before the first jump.
        longest_jump: How many cycles are left out at once at most.
        field_tolerance: The same error of the fields, as a share of their root mean square, in units of ``tolerance``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tolerance: Annotated[float, Quantity(units.NUMBER, 0.0, 0.5)] = 0.01
    resolved_first: Annotated[int, Field(ge=3, le=1000)] = 3
    longest_jump: Annotated[int, Field(ge=2, le=1000)] = 30
    field_tolerance: Annotated[float, Quantity(units.NUMBER, 0.0, 1000.0)] = 5.0


def check_cycling(plan: Plan, table: CyclingTable | None) -> CyclingTable:
    """The table of a plan; its defaults where the case has none.

    Raises:
        InputError: It is given and nothing jumps, or a repetition cannot jump.
    """
    found = table or CyclingTable()
    jumps = [
        _check(step, f"{place}", found, plan.full_cell)
        for place, step in enumerate(plan.given, start=1)
        if isinstance(step, Repeat)
    ]
    if table is not None and not any(jumps):
        raise InputError(
            "cycling",
            "is not allowed here: no repetition of process.steps jumps; write for example "
            '["repeat 100 times, jumping", …], or leave [cycling] out',
        )
    return found


def _check(repeat: Repeat, place: str, table: CyclingTable, full_cell: bool) -> bool:
    """Whether a repetition, or one inside it, jumps.

    Raises:
        InputError: It cannot.
    """
    inner = [
        (f"{place}.{position}", step)
        for position, step in enumerate(repeat.steps, start=1)
        if isinstance(step, Repeat)
    ]
    if not repeat.jumping:
        for where, step in inner:
            if step.jumping:
                mistake = StepMistake("a repetition that jumps cannot stand inside another repetition")
                raise refused(where, step.text(), mistake)
            _check(step, where, table, full_cell)
        return False
    try:
        if any(_jumps(step) for _, step in inner):
            raise StepMistake("a repetition that jumps cannot stand inside another repetition")
        least = table.resolved_first + _LEAST_LEFT
        if repeat.count < least:
            raise StepMistake(
                f"with cycling.resolved_first = {table.resolved_first} there is nothing to jump over in "
                f"{repeat.count} times: give at least {least}, or leave out 'jumping'"
            )
        ways = {lithiates(step.verb, full_cell) for step in _singles(repeat) if isinstance(step, Pass)}
        if ways != {True, False}:
            raise StepMistake(
                "what is jumped over must lithiate and delithiate, so that each time ends as it began; "
                "add the other direction, or leave out 'jumping'"
            )
    except StepMistake as mistake:
        raise refused(place, repeat.text(), mistake) from None
    return True


def _jumps(repeat: Repeat) -> bool:
    return repeat.jumping or any(_jumps(step) for step in repeat.steps if isinstance(step, Repeat))


def _singles(repeat: Repeat) -> list[Step]:
    found: list[Step] = []
    for step in repeat.steps:
        found += _singles(step) if isinstance(step, Repeat) else [step]
    return found
