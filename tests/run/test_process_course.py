"""What a step takes at most, how controls are led, and what cycles add up to; without any model."""

from __future__ import annotations

from typing import Any

import pytest

from run.process.amounts import Amounts
from run.process.blocks import cycles
from run.process.entering import largest_time_step, nominal_time, times
from run.process.lines import Line
from run.process.sentences import read_step
from run.quantities import Current

HOUR = 3600.0
CAPACITY = 3.6e4 * 3.0  # 3 mAh/cm² in C/m²


def density(current: Current) -> float:
    return current.density(3.0)


def step(text: str) -> Any:
    return read_step(text)


@pytest.mark.parametrize(
    ("text", "nominal", "ends", "said"),
    [
        ("rest for 2 h", 2 * HOUR, 2 * HOUR, "2 h have passed"),
        ("discharge at 0.1 C until 5 mV", 10 * HOUR, 30 * HOUR, "the longest duration of such a step, 30 h"),
        ("discharge at 0.1 C until 5 mV or for 4 h", 4 * HOUR, 4 * HOUR, "4 h have passed"),
        ("charge at 6 A/m^2 until 1.5 V", 5 * HOUR, 15 * HOUR, "the longest duration"),
        ("hold at 5 mV until 0.01 C", 48 * HOUR, 48 * HOUR, "the longest duration of such a step, 48 h"),
        ("press to 5 MPa in 10 s", 10.0, 10.0, "10 s have passed"),
        ("set temperature to 25 degC", 0.0, 0.0, "done at once"),
        ("measure thickness", 0.0, 0.0, "measured"),
    ],
)
def test_every_step_has_a_longest_duration(text: str, nominal: float, ends: float, said: str) -> None:
    found = nominal_time(step(text), CAPACITY, density)
    assert found == pytest.approx(nominal, rel=1e-12)
    ((seconds, reason),) = times(step(text), found)
    assert seconds == pytest.approx(ends, rel=1e-12)
    assert reason.startswith(said)


def test_ramps_are_resolved() -> None:
    assert largest_time_step(step("press to 5 MPa in 80 s")) == 10.0
    assert largest_time_step(step("rest for 80 s")) == float("inf")


def test_a_line_ends_exactly_on_its_value() -> None:
    line = Line(first=0.1, last=0.7, begin=100.0, duration=3.0)
    assert line.at(100.0) == pytest.approx(0.1)
    assert line.at(101.0) == pytest.approx(0.3)
    assert line.at(103.0) == line.at(103.0 - 1e-13) == line.at(1e9) == 0.7
    assert Line(1.0, 2.0, 5.0, 0.0).at(5.0) == 2.0


class _Mass(Amounts):
    """Four mg/cm² of active material, and no model."""

    def __init__(self) -> None:
        self.active_mg_cm2 = 4.0


def block(number: int, cycle: int, kind: str, charge: float, x: float, **others: Any) -> dict[str, Any]:
    return {
        "number": number, "cycle": cycle, "kind": kind, "charge_mAh_cm2": charge, "mean_lithiation_end": x,
        "start_time_s": 10.0 * number, "end_time_s": 10.0 * number + 10.0, "thickness_end_um": 20.0 + 10.0 * x,
        "thickening_parts_um": {"solids": x}, "state_end": {}, "newton_iterations": 5, "time_steps": 2,
        "lithiates": charge > 0.0 if kind == "current" else None, **others,
    }  # fmt: skip


def test_cycles_add_up() -> None:
    trapped = {"lithium_book_mAh_cm2": {"trapped": {"total": 0.25}}}
    blocks = [
        block(1, 0, "rest", 0.0, 0.1),
        block(2, 1, "current", 2.0, 0.7),
        block(3, 1, "hold", 0.5, 0.9),
        block(4, 1, "rest", 0.01, 0.9),
        block(5, 1, "current", -2.25, 0.2, **trapped),
        block(6, 2, "current", 1.0, 0.5),
    ]
    first, second = cycles(blocks, _Mass())
    assert (first["lithiation_mAh_cm2"], first["delithiation_mAh_cm2"]) == (2.5, 2.25)
    assert first["coulombic_efficiency"] == pytest.approx(0.9)
    assert first["lithiation_mAh_g"] == pytest.approx(625.0)
    assert (first["thickness_lithiated_um"], first["thickness_end_um"]) == (29.0, 22.0)
    assert (first["thickness_delithiated_um"], second["thickness_delithiated_um"]) == (22.0, None)
    assert first["trapped_end_mAh_cm2"] == 0.25
    assert (first["newton_iterations"], first["time_steps"]) == (20, 8)
    assert (second["lithiation_mAh_cm2"], second["delithiation_mAh_cm2"]) == (1.0, 0.0)
    assert second["coulombic_efficiency"] is None
