"""The way to a mean lithiation that lithium metal hurries: the end is met within the tolerance, in few steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from run.drive import TOLERANCE, Approach


@pytest.mark.parametrize(
    "course",
    [
        lambda t: t / 36000.0,
        lambda t: t / 36000.0 + 0.2 * (1.0 - math.exp(-t / 9000.0)),
        lambda t: t / 36000.0 + 0.02 * math.sin(t / 2000.0),
    ],
    ids=["steady", "metal that runs out", "wavy"],
)
@pytest.mark.parametrize("step", [60.0, 600.0, 1800.0])
def test_the_end_is_met(course: Callable[[float], float], step: float) -> None:
    time, count, near = 0.0, 0, 0
    way = Approach(0.9, time, course(time), 1.0 / 36000.0)
    while (left := way.remaining()) is not None:
        near += left < step
        time += min(step, left)
        way.accepted(time, course(time))
        count += 1
        assert count < 2000
    assert abs(course(time) - 0.9) <= TOLERANCE
    assert way.fraction() == pytest.approx(1.0, abs=2e-6)
    assert near <= 9


def test_a_step_that_leads_away_does_not_end_the_drive() -> None:
    way = Approach(0.5, 0.0, 0.2, 1e-3)
    way.accepted(10.0, 0.19)
    assert way.remaining() == math.inf
