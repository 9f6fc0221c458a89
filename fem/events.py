"""Events: values at which a step of a process ends, and steps that land on them.

A step that would pass a cut-off by too much is rolled back before it is accepted and tried again with a shorter length,
by regula falsi (Illinois) between its beginning and the shortest length known to go too far. What a value does at once
when the control changes (ohmic drop, overpotential) is not a matter of the step's length: then the length is divided by
ten until the cut-off lies inside the step or the step is the shortest allowed, which is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fem.stepping import Stepper, StepReport

# Where a retry aims: at this share of what a value may overshoot by.
_AIM = 0.5
# A retry never takes less or more than these shares of the bracket.
_LEAST, _MOST = 0.02, 0.98
_BACK = 0.1


@dataclass(frozen=True)
class CutOff:
    """A value at which to stop.

    Attributes:
        value: Gives the value of the model's state now (the same on every rank; called after a step has converged and
            before it is accepted, and before a step).
        limit: Where it stops.
        falling: Whether the value comes from above.
        tolerance: How far it may be overshot by, in its own unit: 1e-3 for a voltage in V.
        spare_time: Or for how long in s, counted from where it is crossed on the straight line through the step: with a
            current I and a charge Q so far, 1e-3 Q/|I| for a thousandth of the charge.
    """

    value: Callable[[], float]
    limit: float
    falling: bool
    tolerance: float
    spare_time: float = 0.0

    def beyond(self) -> float:
        """By how much the value is past the limit now; negative before it."""
        value = self.value()
        return self.limit - value if self.falling else value - self.limit


@dataclass(frozen=True)
class Landing:
    """An accepted step under watch.

    Attributes:
        report: Of the step.
        reached: Index of the cut-off that was reached, or None.
        overshoot: How far the value is past it, zero where none was reached.
    """

    report: StepReport
    reached: int | None
    overshoot: float


class Watch:
    """Takes steps under cut-offs; one for each step of a process.

    Args:
        stepper: Takes the steps.
        cut_offs: What to stop at.
        shortest: Step in s that is not shortened any more; by default the stepper's smallest.
    """

    def __init__(self, stepper: Stepper, cut_offs: Sequence[CutOff], shortest: float | None = None):
        self._stepper, self._cut_offs = stepper, tuple(cut_offs)
        self._shortest = stepper.settings.smallest if shortest is None else shortest
        # Values before the next step; unknown before the first one, which begins with a jump of the control.
        self._before: list[float] | None = None
        self._far: list[tuple[float, float] | None] = [None] * len(self._cut_offs)

    def advance(self, limit: float) -> Landing:
        """Take one step of at most ``limit`` seconds that overshoots no cut-off by more than it allows; collective.

        Raises:
            RunStopped: As :meth:`fem.stepping.Stepper.advance`.
        """
        begin = self._stepper.model.state.time
        tries = [_Bracket(cut_off, self._start(number)) for number, cut_off in enumerate(self._cut_offs)]
        for bracket, far in zip(tries, self._far, strict=True):
            if far is not None and far[0] > begin:
                bracket.far = (far[0] - begin, far[1])
                limit = min(limit, max(bracket.next_length(), self._shortest))
        reached: int | None = None
        beyond: list[float] = []

        def judge(dt: float) -> float | None:
            nonlocal reached, beyond
            beyond = [cut_off.beyond() for cut_off in self._cut_offs]
            reached, shorter = None, dt
            for number, (bracket, value) in enumerate(zip(tries, beyond, strict=True)):
                if value < 0.0:
                    bracket.near_is(dt, value)
                elif bracket.near_enough(dt, value) or dt <= self._shortest:
                    reached = number if reached is None else reached
                else:
                    bracket.far_is(dt, value)
                    shorter = min(shorter, max(bracket.next_length(), self._shortest))
            return shorter if shorter < dt else None

        report = self._stepper.advance(limit, judge)
        self._before = beyond
        self._far = [None if b.far is None else (begin + b.far[0], b.far[1]) for b in tries]
        return Landing(report, reached, 0.0 if reached is None else beyond[reached])

    def memory(self) -> dict[str, Any]:
        """What its next step depends on besides the model's state, as JSON can hold it."""
        return {"before": self._before, "far": self._far}

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the watch would have whose ``memory`` this is."""
        self._before = None if numbers["before"] is None else list(numbers["before"])
        self._far = [None if far is None else (far[0], far[1]) for far in numbers["far"]]

    def _start(self, number: int) -> float | None:
        return None if self._before is None else self._before[number]


class _Bracket:
    """Lengths of a step between which it meets a cut-off, with what is beyond the limit there."""

    def __init__(self, cut_off: CutOff, before: float | None):
        self._cut_off = cut_off
        # (length, beyond) of a length that does not reach the limit; None where even the beginning is unknown.
        self._near = None if before is None or before >= 0.0 else (0.0, before)
        self.far: tuple[float, float] | None = None
        self._weight = 1.0

    def near_is(self, dt: float, beyond: float) -> None:
        """A step of this length does not reach the limit."""
        self._near = (dt, beyond)

    def far_is(self, dt: float, beyond: float) -> None:
        """A step of this length goes too far."""
        self._weight = 0.5 * self._weight if self.far is not None else 1.0
        self.far = (dt, beyond)

    def near_enough(self, dt: float, beyond: float) -> bool:
        """Whether a step that reaches the limit does not overshoot it by more than is allowed."""
        if beyond <= self._cut_off.tolerance:
            return True
        if self._near is None:
            return False
        start, before = self._near
        return (dt - start) * beyond / (beyond - before) <= self._cut_off.spare_time

    def next_length(self) -> float:
        """Length to try next, once one is known that goes too far."""
        if self.far is None:
            raise ValueError("no length is known that goes too far")
        end, after = self.far
        if self._near is None:
            return _BACK * end
        start, before = self._near
        aim = _AIM * self._cut_off.tolerance
        # The value at the near end counts less the longer the far end is the one that moves (Illinois).
        fall = self._weight * (before - aim)
        share = min(max(fall / (fall - (after - aim)), _LEAST), _MOST)
        return start + share * (end - start)
