"""The control function of cycle jumps: how long, how much shorter, how far off."""

from __future__ import annotations

from typing import Any

import pytest

from run.process import control

VALUES = {
    "thickness_um": 10.0,
    "damage": 0.5,
    "side_products_mAh_cm2": 0.01,
    "lithiation_mAh_cm2": 0.2,
    "delithiation_mAh_cm2": 0.2,
    "thickness_lithiated_um": 12.0,
}


def cycle(number: int, begin: dict[str, float], end: dict[str, float]) -> dict[str, Any]:
    """A cycle with the numbers above, but for those given."""
    return {"number": number, "begin": VALUES | begin, "end": VALUES | end}


def test_length_of_what_goes_on_and_of_what_scatters() -> None:
    """½ n (n + 1) times the change of slope; of scatter only n / 2 times it."""
    assert control.allowed_length({"damage": 1e-3}, {"damage": 0.01}) == (pytest.approx(4.0), "damage")
    name = "thickness_um"
    assert control.allowed_length({name: 1e-3}, {name: 0.01}) == (pytest.approx(20.0), name)
    both = control.allowed_length({"damage": 1e-3, name: 1e-3}, {"damage": 0.01, name: 0.01})
    assert both[1] == "damage"


@pytest.mark.parametrize(
    ("length", "left", "found"), [(30, 74, 24), (5, 5, 5), (4, 5, 2), (30, 31, 15), (2, 99, 2)]
)
def test_jumps_are_of_even_length(length: int, left: int, found: int) -> None:
    """As many jumps, each with the cycle that checks it, as it takes with the longest ones."""
    assert control.evenly(length, left) == found
    assert -(-(left + 1) // (found + 1)) == -(-(left + 1) // (length + 1))


@pytest.mark.parametrize(("ratio", "found"), [(None, 10), (1.01, 14), (2.0, 10), (50.0, 2), (5000.0, 0)])
def test_a_jump_after_one_taken_back_is_shorter(ratio: float | None, found: int) -> None:
    assert control.shorter(20, ratio) == found


def test_trust_is_earned_lost_and_regained() -> None:
    assert control.earned(8.0, 0.5) == pytest.approx(8.0)
    assert control.earned(8.0, 0.01) == pytest.approx(32.0)
    assert control.earned(8.0, 10.0) == pytest.approx(2.0)
    assert control.regained(2.0) == pytest.approx(4.0)
    assert control.regained(7.0) == control.FIRST_TRUST
    assert control.regained(32.0) == 32.0


def test_what_cycles_add_to_is_off_by_the_correction() -> None:
    """Side products grow by 0.001 a cycle, after a jump over five by 0.0016: 0.0015 was missing."""
    name = "side_products_mAh_cm2"
    old, new = cycle(2, {name: 0.0}, {name: 0.001}), cycle(3, {name: 0.001}, {name: 0.002})
    predicted = control.extrapolated(old, new, 5)
    assert predicted[name] == pytest.approx(0.007)
    later = cycle(9, predicted, {name: 0.0086})
    assert control.errors(old, new, later, None)[name] == pytest.approx(0.0015 / 0.2)
    begin, end = control.corrected(old, new, later, None)
    assert (begin[name], end[name]) == (pytest.approx(0.0085), pytest.approx(0.0101))
    # With the slope of a later cycle nothing is missing.
    assert control.extrapolated(old, new, 4, later)[name] == pytest.approx(0.002 + 0.005)
    shorter = cycle(8, control.extrapolated(old, new, 4, later), {name: 0.007 + 0.0015})
    assert control.errors(old, new, shorter, later)[name] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(("end", "error"), [(10.7, 0.0), (10.9, 0.2), (10.1, 0.6)])
def test_numbers_that_a_cycle_puts_right_are_judged_by_their_trend(end: float, error: float) -> None:
    """Thicker by 0.1 a cycle: after six it is expected at 10.7; having stayed where it was is an error as well."""
    name = "thickness_um"
    old, new = cycle(2, {name: 9.9}, {name: 10.0}), cycle(3, {name: 10.0}, {name: 10.1})
    predicted = control.extrapolated(old, new, 5)
    assert predicted[name] == pytest.approx(10.6)
    later = cycle(9, predicted, {name: end})
    assert control.errors(old, new, later, None)[name] == pytest.approx(error / end, abs=1e-12)


def test_damage_is_judged_by_what_the_cycle_put_right() -> None:
    """It began with what the jump had made of the state; a quarter of what it grew by more than expected is wrong."""
    old, new = cycle(2, {"damage": 0.3}, {"damage": 0.31}), cycle(3, {"damage": 0.31}, {"damage": 0.32})
    for end, error in ((0.47, 0.25 * 0.06), (0.41, 0.0), (0.402, 0.25 * 0.008)):
        later = cycle(9, {"damage": 0.4}, {"damage": end})
        found = control.errors(old, new, later, None)["damage"]
        assert found == pytest.approx(error / end, abs=1e-12)
    assert control.allowed(("interface_fatigue", "unknowns"), 0.01, 5.0, 0.5) == {
        **dict.fromkeys((*control.STATE, *control.CYCLE), 0.01),
        "interface_fatigue": pytest.approx(0.005),
        "unknowns": pytest.approx(0.05),
    }


def test_scatter_is_smoothed() -> None:
    """A slope of 0.01 and then 0.03 makes 0.02, but 0.002 after it is what has settled."""
    name = "lithiation_mAh_cm2"
    new, later = cycle(3, {name: 0.2}, {name: 0.21}), cycle(4, {name: 0.21, "damage": 0.4}, {name: 0.24})
    begin = control.smoothed(new, later)
    assert begin[name] == pytest.approx(0.24 - 0.02) and begin["damage"] == 0.4
    assert control.smoothed(new, cycle(4, {name: 0.21}, {name: 0.212}))[name] == pytest.approx(0.21)
