"""The control function of cycle jumps: how far a jump may go, and how far its prediction was from what was computed.

Every watched number has a slope s per cycle and a change of slope s'. Extrapolated along the slope alone it would be
wrong by ½ n (n + 1) |s'| after n cycles. The jump is as long as that stays within the tolerance, times a trust that
the jumps so far have earned, for all numbers. Afterwards a cycle is computed. Its slope differs from the predicted one
by e, an error that has grown over the jump, so that about ½ n e is in the result. What the cycle settles counts in e.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fem.slopes import believed, later_slope, progress

Values = dict[str, float]

#: What is watched of a cycle besides the fields: numbers of the state at its end, and numbers of the cycle itself.
STATE, CYCLE = ("thickness_um", "damage", "side_products_mAh_cm2"), (
    "lithiation_mAh_cm2",
    "delithiation_mAh_cm2",
    "thickness_lithiated_um",
)  # fmt: skip
#: Damage below this share of the interfaces is judged as if it were this share.
LEAST_DAMAGE = 0.05
#: Trust before the first jump: how many times the tolerance the change of slopes may amount to over it.
FIRST_TRUST = 4.0
#: A jump leaves out so many cycles at least.
SHORTEST = 2
_ROUNDING = 1.0e-9


def watched(blocks: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> Values:
    """The numbers that are watched of a cycle.

    Args:
        blocks: Of its steps.
        now: The situation at its end (run/process/blocks.py).
    """
    passed = [block["charge_mAh_cm2"] for block in blocks if block["kind"] in ("current", "hold")]
    turning = max(blocks, key=lambda block: float(block["mean_lithiation_end"]))
    state = now["state"]
    return {
        "thickness_um": now["thickness"],
        "damage": state["damaged_fraction"],
        "side_products_mAh_cm2": state["side_products_mAh_cm2"] + state["oxide_mAh_cm2"],
        "lithiation_mAh_cm2": sum(max(charge, 0.0) for charge in passed),
        "delithiation_mAh_cm2": sum(max(-charge, 0.0) for charge in passed),
        "thickness_lithiated_um": turning["thickness_end_um"],
    }


def scale(name: str, values: Values) -> float:
    """What an error of a watched number is compared with."""
    if name == "damage":
        return max(values[name], LEAST_DAMAGE)
    if name == "side_products_mAh_cm2":
        return max(values[name], values["lithiation_mAh_cm2"], 1.0e-300)
    return max(abs(values[name]), 1.0e-300)


def extrapolated(old: Mapping[str, Values], new: Mapping[str, Values], apart: int, count: int) -> Values:
    """The watched numbers ``count`` cycles after ``new``, as fields are extrapolated (fem/cycle_extrapolation.py).

    Args:
        old: ``begin`` and ``end``, the numbers of the cycle before a cycle and of itself.
        new: The same of a later cycle.
        apart: How many cycles lie between the two.
        count: Of cycles.
    """
    found = {}
    for name in (*STATE, *CYCLE):
        before, slope = slopes(name, old, new)
        found[name] = new["end"][name] + float(progress(np.array(slope), np.array(before), apart, count))
    return found


def slopes(name: str, old: Mapping[str, Values], new: Mapping[str, Values]) -> tuple[float, float]:
    """Slope of a watched number in two cycles."""
    first, second = (cycle["end"][name] - cycle["begin"][name] for cycle in (old, new))
    return first, second


def changes(old: Mapping[str, Values], new: Mapping[str, Values], apart: int) -> Values:
    """Change of the slope from cycle to cycle over the scale, of each watched number."""
    found = {}
    for name in (*STATE, *CYCLE):
        before, slope = slopes(name, old, new)
        found[name] = abs(slope - before) / apart / scale(name, new["end"])
    return found


def allowed_length(change: Mapping[str, float], allowed: Mapping[str, float]) -> tuple[float, str]:
    """How many cycles may be left out, and what decides it.

    Args:
        change: Change of the slope over the scale, of each watched number and field.
        allowed: Error that is allowed, likewise.
    """
    lengths = {}
    for name, value in change.items():
        ratio = 2.0 * allowed[name] / max(value, 1.0e-300)
        lengths[name] = 0.5 * (math.sqrt(1.0 + 4.0 * ratio) - 1.0) + _ROUNDING
    decisive = min(lengths, key=lambda name: lengths[name])
    return lengths[decisive], decisive


def slope_errors(
    old: Mapping[str, Values], new: Mapping[str, Values], apart: int, later: Mapping[str, Values], count: int
) -> Values:
    """How far a cycle's slope is from the predicted one over the scale, of each number of the state.

    Args:
        old: As in ``extrapolated``.
        new: As in ``extrapolated``.
        apart: As in ``extrapolated``.
        later: The cycle, ``count`` cycles after ``new``.
        count: Of cycles.
    """
    found = {}
    for name in STATE:
        before, slope = slopes(name, old, new)
        predicted = float(later_slope(np.array(slope), np.array(before), apart, count))
        resolved = later["end"][name] - later["begin"][name]
        found[name] = abs(resolved - predicted) / scale(name, later["end"])
    return found


def settled(
    old: Mapping[str, Values], new: Mapping[str, Values], apart: int, later: Mapping[str, Values], count: int
) -> Values:
    """The numbers from which a cycle after a jump has the slopes that are believed (fem/slopes.py).

    Arguments as of ``slope_errors``.
    """
    found = {}
    for name in (*STATE, *CYCLE):
        before, slope = slopes(name, old, new)
        expected = later_slope(np.array(slope), np.array(before), apart, count)
        resolved = np.array(later["end"][name] - later["begin"][name])
        found[name] = later["end"][name] - float(believed(resolved, expected, count))
    return found


def cycle_errors(predicted: Values, resolved: Values) -> Values:
    """How far the numbers of a cycle itself are from those predicted, over the scale."""
    return {name: abs(resolved[name] - predicted[name]) / scale(name, resolved) for name in CYCLE}


def allowed(names: Iterable[str], tolerance: float, field_factor: float) -> Values:
    """Error that is allowed of each watched number, and of the fields named besides: so many times that."""
    watched_names = dict.fromkeys((*STATE, *CYCLE), tolerance)
    return dict.fromkeys(names, tolerance * field_factor) | watched_names


def worst(errors: Mapping[str, float], allowed: Mapping[str, float]) -> tuple[str, float]:
    """The error that is the largest in units of what is allowed, and that ratio."""
    name = max(errors, key=lambda key: errors[key] / allowed[key])
    return name, errors[name] / allowed[name]


def earned(trust: float, ratio: float) -> float:
    """The trust after a jump whose estimated error was so many times what is allowed."""
    return trust * min(max(0.7 / max(ratio, 1.0e-3), 0.1), 2.0)
