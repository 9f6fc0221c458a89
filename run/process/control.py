"""The control function of cycle jumps: how far a jump may go, and how far its prediction was from what was computed.

Every watched number has a slope s per cycle and a change of slope s'. Extrapolated along the slope alone it would be
wrong by ½ n (n + 1) |s'| after n cycles. The jump is as long as that stays within the tolerance, times a trust that
the jumps so far have earned, for all numbers. Afterwards a cycle is computed, and tells how far the jump was off: of
what cycles add to by the slopes that are then known at both ends, of what a cycle puts right by itself by how much it
had to (fem/cycle_correction.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fem.slopes import Array, believed, between, cautious, later_slope, mean_slope, progress, steepness

Values = dict[str, float]

#: What is watched of a cycle besides the fields: numbers of the state at its end, and numbers of the cycle itself.
STATE, CYCLE = ("thickness_um", "damage", "side_products_mAh_cm2"), (
    "lithiation_mAh_cm2",
    "delithiation_mAh_cm2",
    "thickness_lithiated_um",
)  # fmt: skip
#: Those that cycles add to; the others a cycle leaves where they belong wherever it began.
ADDED = ("side_products_mAh_cm2",)
#: How much of the damage that a cycle after a jump had to put right is taken to be still wrong after it: interfaces
#: open as far as the loads of a cycle open them. It is measured (docs/cycling.md).
STILL_WRONG = 0.25
#: Those that scatter from cycle to cycle, numbers and fields.
SCATTER = ("thickness_um", *CYCLE)
_SCATTER = {*SCATTER, "unknowns"}
#: The field that damage is made of.
TIRED = "interface_fatigue"
#: Damage below this share of the interfaces is judged as if it were this share.
LEAST_DAMAGE = 0.05
#: Trust before the first jump: how many times the tolerance the change of slopes may amount to over it.
FIRST_TRUST = 8.0
#: What the estimated error of a jump should come to over what is allowed.
AIM = 0.5
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
    return {
        "thickness_um": now["thickness"],
        **of_state(now["state"]),
        "lithiation_mAh_cm2": sum(max(charge, 0.0) for charge in passed),
        "delithiation_mAh_cm2": sum(max(-charge, 0.0) for charge in passed),
        "thickness_lithiated_um": turning["thickness_end_um"],
    }


def of_state(state: Mapping[str, float]) -> Values:
    """The numbers that are watched of a state (run/process/blocks.py) whether it is in balance or not."""
    return {
        "damage": state["damaged_fraction"],
        "side_products_mAh_cm2": state["side_products_mAh_cm2"] + state["oxide_mAh_cm2"],
    }


def scale(name: str, values: Values) -> float:
    """What an error of a watched number is compared with."""
    if name == "damage":
        return max(values[name], LEAST_DAMAGE)
    if name == "side_products_mAh_cm2":
        return max(values[name], values["lithiation_mAh_cm2"], 1.0e-300)
    return max(abs(values[name]), 1.0e-300)


def extrapolated(
    old: Mapping[str, Any], new: Mapping[str, Any], count: int, far: Mapping[str, Any] | None = None
) -> Values:
    """The watched numbers ``count`` cycles after ``new``, as fields are extrapolated (fem/cycle_extrapolation.py).

    Args:
        old: ``number`` of a cycle, and ``begin`` and ``end``: the numbers of the cycle before it and of itself.
        new: The same of a later cycle.
        count: Of cycles.
        far: The same of a cycle still later whose slope still holds, if there is one.
    """
    found, apart = {}, new["number"] - old["number"]
    for name in (*STATE, *CYCLE):
        before, slope = (np.array(number) for number in slopes(name, old, new))
        found[name] = new["end"][name] + float(_added(slope, before, apart, count, name, new, far))
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
        weight = STILL_WRONG if name == "damage" else 1.0
        found[name] = weight * abs(slope - before) / apart / scale(name, new["end"])
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
        # A change of slope that is scatter does not go on.
        length = ratio if name in _SCATTER else 0.5 * (math.sqrt(1.0 + 4.0 * ratio) - 1.0)
        lengths[name] = length + _ROUNDING
    decisive = min(lengths, key=lambda name: lengths[name])
    return lengths[decisive], decisive


def errors(
    old: Mapping[str, Any], new: Mapping[str, Any], later: Mapping[str, Any], far: Mapping[str, Any] | None
) -> Values:
    """How far a jump was off over the scale, of each watched number (as fem/cycle_correction.py does it for fields).

    Args:
        old: As in ``extrapolated``, with its ``number``.
        new: The same, the last cycle before the jump.
        later: The same, the first one after it; it begins with the numbers that the jump predicted.
        far: A later cycle with whose slope the jump was made, if there was one.
    """
    found = {}
    apart, gap = new["number"] - old["number"], later["number"] - new["number"]
    for name in (*STATE, *CYCLE):
        before, slope = slopes(name, old, new)
        if name in ADDED:
            error = _correction(name, old, new, later, far)
        else:
            begin, end = later["begin"][name], later["end"][name]
            steady = float(cautious(np.array(slope), np.array(before)))
            expected = begin + float(later_slope(np.array(steady), np.array(before), apart, gap))
            error = (STILL_WRONG if name == "damage" else 1.0) * (end - expected)
        found[name] = abs(error) / scale(name, later["end"])
    return found


def smoothed(new: Mapping[str, Values], later: Mapping[str, Values]) -> Values:
    """The numbers at the begin of a cycle that follows another one, for slopes that are means of both at most.

    Of the numbers that scatter from cycle to cycle; a slope that is smaller than the mean has settled.
    """
    begin = dict(later["begin"])
    for name in SCATTER:
        before, found = slopes(name, new, later)
        begin[name] = later["end"][name] - min(found, 0.5 * (before + found), key=abs)
    return begin


def corrected(
    old: Mapping[str, Any], new: Mapping[str, Any], later: Mapping[str, Any], far: Mapping[str, Any] | None
) -> tuple[Values, Values]:
    """The numbers at begin and end of a cycle after a jump, as they would be after a better jump; as of ``errors``."""
    begin, end = {}, {}
    apart, gap = new["number"] - old["number"], later["number"] - new["number"]
    for name in (*STATE, *CYCLE):
        before, slope = slopes(name, old, new)
        end[name] = later["end"][name]
        if name in ADDED:
            resolved = np.array(end[name] - later["begin"][name])
            expected = steepness(np.array(slope), np.array(before), apart, gap)
            end[name] += _correction(name, old, new, later, far)
            begin[name] = end[name] - float(believed(resolved, expected, gap))
        else:
            gained = np.array(end[name] - new["end"][name])
            begin[name] = end[name] - float(mean_slope(gained, np.array(slope), gap))
    return begin, end


def _correction(
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    later: Mapping[str, Any],
    far: Mapping[str, Any] | None,
) -> float:
    """What a jump should have added more to a number."""
    before, slope = (np.array(number) for number in slopes(name, old, new))
    apart, gap = new["number"] - old["number"], later["number"] - new["number"]
    resolved = np.array(later["end"][name] - later["begin"][name])
    expected = steepness(slope, before, apart, gap)
    should = between(slope, believed(resolved, expected, gap), gap, gap - 1)
    return float(should - _added(slope, before, apart, gap - 1, name, new, far))


def _added(
    slope: Array,
    before: Array,
    apart: int,
    count: int,
    name: str,
    new: Mapping[str, Any],
    far: Mapping[str, Any] | None,
) -> Array:
    """What a jump adds to a number."""
    if name not in ADDED:
        return progress(cautious(slope, before), before, apart, count)
    if far is None:
        return progress(slope, before, apart, count)
    known = np.array(far["end"][name] - far["begin"][name])
    return between(slope, known, far["number"] - new["number"], count)


def allowed(names: Iterable[str], tolerance: float, field_factor: float, damage: float) -> Values:
    """Error that is allowed of each watched number, and of the fields named besides: so many times that.

    The tolerance of fatigue is that of the damage, which it is part of.
    """
    watched_names = dict.fromkeys((*STATE, *CYCLE), tolerance)
    found = dict.fromkeys(names, tolerance * field_factor) | watched_names
    if TIRED in found:
        found[TIRED] = tolerance * max(damage, LEAST_DAMAGE)
    return found


def worst(errors: Mapping[str, float], allowed: Mapping[str, float]) -> tuple[str, float]:
    """The error that is the largest in units of what is allowed, and that ratio."""
    name = max(errors, key=lambda key: errors[key] / allowed[key])
    return name, errors[name] / allowed[name]


def earned(trust: float, ratio: float) -> float:
    """The trust after a jump whose estimated error was so many times what is allowed."""
    return trust * min(max(AIM / max(ratio, 1.0e-3), 0.25), 4.0)


def regained(trust: float) -> float:
    """The trust after a cycle that was computed without a jump before it."""
    return max(trust, min(2.0 * trust, FIRST_TRUST))


def evenly(length: int, left: int) -> int:
    """Length of a jump when so many cycles are left and no jump is longer: the shortest that takes no more jumps."""
    jumps = -(-(left + 1) // (length + 1))
    return -(-(left + 1) // jumps) - 1


def shorter(count: int, ratio: float | None) -> int:
    """Length of the jump to try instead of one that was taken back.

    Args:
        count: How many cycles that one left out.
        ratio: Its estimated error over what is allowed; None where its steps failed.
    """
    share = 0.5 if ratio is None else min(0.75, math.sqrt(AIM / ratio))
    return math.floor(share * count)
