"""What the slopes of two cycles lead to expect of later ones; for numbers and arrays, and the same for UFL.

A slope that falls from cycle to cycle without changing its sign goes on falling by the same ratio r: what is added
over n cycles is the geometric series s r (1 - rⁿ) / (1 - r). One that grows goes on growing by the same amount s', and
at most doubles: n s + ½ n (n + 1) s'. One that has changed its sign is taken as it is: n s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl

Array = npt.NDArray[np.float64]

#: How many times as steep as expected a slope after a jump may be.
STEEPER = 2.0
# Slopes that fall by less than this a cycle are extrapolated as a line: the series would divide by nearly nothing.
_SETTLING = 1.0 - 1.0e-6


def progress(slope: Array, before: Array, apart: int, count: int) -> Array:
    """What is added over ``count`` cycles.

    Args:
        slope: In the last cycle that was computed.
        before: In the one before it.
        apart: How many cycles lie between the two.
        count: Of cycles.
    """
    ratio, settles = _ratio(slope, before, apart)
    change = _growth(slope, before) / apart
    linear = count * slope + _clamped(0.5 * count * (count + 1) * change, 0.5 * count * slope)
    return np.asarray(np.where(settles, slope * ratio * (1.0 - ratio**count) / (1.0 - ratio), linear))


def between(slope: Array, far: Array, gap: int, count: int) -> Array:
    """What is added over ``count`` cycles where the slope of a later cycle is known as well.

    A slope that falls to the later one falls by the same ratio from cycle to cycle, any other one changes by the same
    amount: over all cycles between the two that is the trapezoidal rule.

    Args:
        slope: In the last cycle before them.
        far: In a later one.
        gap: How many cycles lie between the two.
        count: Of cycles, less than ``gap``.
    """
    ratio, settles = _ratio(far, slope, gap)
    linear = count * slope + 0.5 * count * (count + 1) * (far - slope) / gap
    return np.asarray(np.where(settles, slope * ratio * (1.0 - ratio**count) / (1.0 - ratio), linear))


def later_slope(slope: Array, before: Array, apart: int, ahead: int) -> Array:
    """The slope that is expected ``ahead`` cycles later; other arguments as of ``progress``."""
    ratio, settles = _ratio(slope, before, apart)
    linear = slope + _clamped(ahead * _growth(slope, before) / apart, slope)
    return np.asarray(np.where(settles, slope * ratio**ahead, linear))


def believed(found: Array, expected: Array, span: int) -> Array:
    """The slope of a cycle after a jump, without what had to settle first.

    It is taken to be at most twice as steep as expected; of what exceeds that, the share of one cycle of the jump is
    believed in any case.

    Args:
        found: In the cycle that was computed after the jump.
        expected: As ``steepness`` gives it.
        span: Cycles from the one before the jump to this one.
    """
    bound = np.maximum(STEEPER * np.abs(expected), np.abs(found) / span)
    return np.asarray(np.clip(found, -bound, bound))


def steepness(slope: Array, before: Array, apart: int, ahead: int) -> Array:
    """How steep a slope is expected to be ``ahead`` cycles later: half as steep as it was at least.

    What goes on by a series may fall more slowly than that: flow under a load that is held goes by the inverse of time.
    """
    return np.maximum(np.abs(later_slope(slope, before, apart, ahead)), np.abs(slope) / STEEPER)


def cautious(slope: Array, before: Array) -> Array:
    """The smaller of two slopes of the same sign, none where they differ in it.

    For what a cycle puts right by itself: what is left out there does little harm, while a slope that is only scatter
    from one cycle to the next would be multiplied by the length of the jump.
    """
    return np.asarray(
        np.where(slope * before > 0.0, np.sign(slope) * np.minimum(abs(slope), abs(before)), 0.0)
    )


def mean_slope(gained: Array, slope: Array, gap: int) -> Array:
    """The slope, after a jump, of what a cycle puts right by itself wherever it began.

    The cycle's own slope says how far it was off. What was gained since the last cycle before the jump is right: spread
    over the cycles between it is a mean slope. A smaller one than the slope then has gone on falling by the same ratio,
    a larger one has gone on growing by the same amount, half as much again at most.

    Args:
        gained: Since the end of that cycle.
        slope: In that cycle.
        gap: How many cycles lie between.
    """
    mean = gained / gap
    alike = mean * slope > 0.0
    falls = alike & (np.abs(mean) < np.abs(slope))
    rising = mean + np.where(alike, _clamped(mean - slope, 0.5 * mean), 0.0)
    return np.asarray(np.where(falls, mean * mean / np.where(falls, slope, 1.0), rising))


def along(slope: Array, before: Array) -> tuple[Array, Array]:
    """Sizes of the slopes of symmetric tensors: of the last one, and of the one before in its direction, shape (n, 1).

    What a tensor comes to is its slope times what the first size comes to over it: no direction is preferred, and where
    the slopes have no trace it has none either.

    Args:
        slope: In the last cycle, the diagonal first, shape (n, 4) or (n, 6).
        before: In the one before it.
    """
    weights = np.where(np.arange(slope.shape[1]) < 3, 1.0, 2.0)
    size = np.sqrt(np.sum(weights * slope**2, axis=1, keepdims=True))
    product = np.sum(weights * slope * before, axis=1, keepdims=True)
    return size, np.divide(product, size, out=np.zeros_like(size), where=size > 0.0)


def of_tensors(function: Callable[..., Array], slope: Array, other: Array, *numbers: int) -> Array:
    """``progress``, ``between`` or ``later_slope`` of symmetric tensors, shape (n, 4) or (n, 6)."""
    size, along_it = along(slope, other)
    return scaled(slope, size, function(size, along_it, *numbers))


def scaled(tensors: Array, size: Array, wanted: Array) -> Array:
    """Tensors, shape (n, 4) or (n, 6), of given sizes, shape (n, 1), brought to other ones."""
    return np.asarray(tensors * np.divide(wanted, size, out=np.zeros_like(size), where=size > 0.0))


def _ratio(slope: Array, before: Array, apart: int) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Ratio of the slopes of successive cycles, and where it is one of a slope that settles."""
    settles = (slope * before > 0.0) & (np.abs(slope) < _SETTLING * np.abs(before))
    safe = np.where(settles, before, 1.0)
    return np.where(settles, np.where(settles, slope / safe, 0.5) ** (1.0 / apart), 0.5), settles


def _growth(slope: Array, before: Array) -> Array:
    return np.asarray(np.where(slope * before >= 0.0, slope - before, 0.0))


def _clamped(values: Array, bound: Array) -> Array:
    return np.asarray(np.clip(values, -np.abs(bound), np.abs(bound)))


def ufl_progress(slope: Any, before: Any, apart: Any, count: Any) -> Any:
    """``progress`` in UFL."""
    ratio, settles = _ufl_ratio(slope, before, apart)
    change = _ufl_growth(slope, before) / apart
    linear = count * slope + _ufl_clamped(0.5 * count * (count + 1.0) * change, 0.5 * count * slope)
    return ufl.conditional(settles, slope * ratio * (1.0 - ratio**count) / (1.0 - ratio), linear)


def ufl_between(slope: Any, far: Any, gap: Any, count: Any) -> Any:
    """``between`` in UFL."""
    ratio, settles = _ufl_ratio(far, slope, gap)
    linear = count * slope + 0.5 * count * (count + 1.0) * (far - slope) / gap
    return ufl.conditional(settles, slope * ratio * (1.0 - ratio**count) / (1.0 - ratio), linear)


def ufl_cautious(slope: Any, before: Any) -> Any:
    """``cautious`` in UFL."""
    smaller = ufl.conditional(ufl.lt(abs(slope), abs(before)), slope, before)
    return ufl.conditional(ufl.gt(slope * before, 0.0), smaller, 0.0)


def ufl_mean_slope(gained: Any, slope: Any, gap: Any) -> Any:
    """``mean_slope`` in UFL."""
    mean = gained / gap
    alike = ufl.gt(mean * slope, 0.0)
    falls = ufl.And(alike, ufl.lt(abs(mean), abs(slope)))
    rising = mean + ufl.conditional(alike, _ufl_clamped(mean - slope, 0.5 * mean), 0.0)
    return ufl.conditional(falls, mean * mean / ufl.conditional(falls, slope, 1.0), rising)


def ufl_later_slope(slope: Any, before: Any, apart: Any, ahead: Any) -> Any:
    """``later_slope`` in UFL."""
    ratio, settles = _ufl_ratio(slope, before, apart)
    linear = slope + _ufl_clamped(ahead * _ufl_growth(slope, before) / apart, slope)
    return ufl.conditional(settles, slope * ratio**ahead, linear)


def ufl_steepness(slope: Any, before: Any, apart: Any, ahead: Any) -> Any:
    """``steepness`` in UFL."""
    return ufl.max_value(abs(ufl_later_slope(slope, before, apart, ahead)), abs(slope) / STEEPER)


def ufl_believed(found: Any, expected: Any, span: Any) -> Any:
    """``believed`` in UFL."""
    return _ufl_clamped(found, ufl.max_value(STEEPER * abs(expected), abs(found) / span))


def _ufl_ratio(slope: Any, before: Any, apart: Any) -> tuple[Any, Any]:
    """``_ratio`` in UFL."""
    settles = ufl.And(ufl.gt(slope * before, 0.0), ufl.lt(abs(slope), _SETTLING * abs(before)))
    safe = ufl.conditional(settles, slope / ufl.conditional(settles, before, 1.0), 0.5)
    return safe ** (1.0 / apart), settles


def _ufl_growth(slope: Any, before: Any) -> Any:
    return ufl.conditional(ufl.ge(slope * before, 0.0), slope - before, 0.0)


def _ufl_clamped(values: Any, bound: Any) -> Any:
    return ufl.max_value(ufl.min_value(values, abs(bound)), -abs(bound))
