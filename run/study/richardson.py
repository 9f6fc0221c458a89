"""Observed order of convergence, Richardson's limit and its uncertainty, from results on ever finer meshes.

The uncertainty of the finest result is Roache's grid convergence index (doi:10.1115/1.2910291), the order for ratios
that are not constant that of Celik et al. (doi:10.1115/1.2960953), what is done where the order cannot be trusted that
of Oberkampf and Roy (Verification and Validation in Scientific Computing, doi:10.1017/CBO9780511760396, section 8.5).
As Eca and Hoekstra do (doi:10.1016/j.jcp.2014.01.006), the scatter about a least-squares fit of all levels is added.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar

Behaviour = Literal["converging", "oscillating", "diverging", "flat"]
#: Largest order that is looked for, smallest and largest that the uncertainty is built on: the lithium is P1, so two is
#: all that a smooth problem could give.
_HIGHEST = 12.0
TRUSTED = (0.5, 2.0)
#: Orders outside of which a sequence is no convergence that can be believed.
_PLAUSIBLE = (0.4, 3.5)
#: Safety factors where the orders of two neighbouring triples agree within this share, and where they do not.
AGREEMENT, SAFE, UNSAFE = 0.3, 1.25, 3.0
#: Differences below this share of the value are rounding.
_ROUNDING = 1.0e-10


@dataclass(frozen=True)
class Order:
    """Three neighbouring levels.

    Attributes:
        behaviour: Of the three results.
        order: Observed order p in f = f0 + C h^p; None unless they converge.
        limit: Richardson's f0; None unless they converge.
    """

    behaviour: Behaviour
    order: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Convergence:
    """All levels of a mesh study, for one quantity.

    Attributes:
        behaviour: Of the three finest results.
        order: From the three finest; None unless they converge.
        order_before: From the three before; None where there are none or they do not converge.
        limit: Richardson's, from the three finest; None unless they converge.
        uncertainty: Of the finest result, absolute: the grid convergence index and the scatter about the fit, or three
            times the spread of the three finest where they do not converge.
        safety: The safety factor in it.
        asymptotic: Whether the two orders agree, and lie where they can be trusted: what an order and a limit need to
            mean anything.
        fit: Coefficients (f0, C, p) of a least-squares fit through all levels.
        verdict: The same in a sentence.
    """

    behaviour: Behaviour
    order: float | None
    order_before: float | None
    limit: float | None
    uncertainty: float
    safety: float
    asymptotic: bool
    fit: tuple[float, float, float]
    verdict: str


def observed_order(sizes: Sequence[float], values: Sequence[float]) -> Order:
    """Order and limit from three levels, whatever the ratios of their sizes.

    Args:
        sizes: Element sizes, falling, shape (3,).
        values: Results on them, shape (3,).

    Raises:
        ValueError: The sizes do not fall, or there are not three of each.
    """
    _check(sizes, values, 3)
    if len(sizes) != 3:
        raise ValueError(f"an order needs three levels, not {len(sizes)}")
    h3, h2, h1 = (float(size) for size in sizes)
    before, last = values[1] - values[0], values[2] - values[1]
    scale = _ROUNDING * max(abs(value) for value in values)
    if abs(last) <= scale and abs(before) <= scale:
        return Order("flat")
    if before * last < 0.0 or abs(before) <= scale:
        return Order("oscillating")
    if abs(last) <= scale:
        # A difference that vanishes at once says no order: it may be about to change its sign.
        return Order("flat")

    def excess(order: float) -> float:
        return math.log(_difference(h3, h2, order) / _difference(h2, h1, order)) - math.log(before / last)

    if excess(0.0) >= 0.0:
        return Order("diverging")
    if excess(_HIGHEST) <= 0.0:
        return Order("converging", _HIGHEST, float(values[2]))
    order = float(brentq(excess, 0.0, _HIGHEST, xtol=1e-13, rtol=1e-14))
    return Order("converging", order, float(values[2] + last / ((h2 / h1) ** order - 1.0)))


def convergence(sizes: Sequence[float], values: Sequence[float]) -> Convergence:
    """What a sequence of ever finer meshes says about one quantity.

    Args:
        sizes: Element sizes, falling, shape (levels,), three at least.
        values: Results on them, shape (levels,).

    Raises:
        ValueError: The sizes do not fall, or there are fewer than three.
    """
    _check(sizes, values, 3)
    finest = observed_order(sizes[-3:], values[-3:])
    fitted = fit(sizes, values)
    earlier = observed_order(sizes[-4:-1], values[-4:-1]) if len(sizes) > 3 else None
    order_before = None if earlier is None else earlier.order
    agree = (
        finest.order is not None
        and order_before is not None
        and _PLAUSIBLE[0] <= finest.order <= _PLAUSIBLE[1]
        and abs(finest.order - order_before) <= AGREEMENT * finest.order
    )
    if finest.behaviour == "converging" and finest.order is not None:
        safety = SAFE if agree else UNSAFE
        used = min(max(finest.order, TRUSTED[0]), TRUSTED[1])
        uncertainty = safety * abs(values[-1] - values[-2]) / ((sizes[-2] / sizes[-1]) ** used - 1.0)
        uncertainty += _scatter(sizes, values, fitted)
    else:
        safety = UNSAFE
        uncertainty = safety * float(np.ptp(np.asarray(values[-3:])))
    verdict = _verdict(finest, earlier, agree)
    return Convergence(
        finest.behaviour,
        finest.order,
        order_before,
        finest.limit,
        float(uncertainty),
        safety,
        agree,
        fitted,
        verdict,
    )


def fit(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Least-squares fit of f0 + C h^p through all levels, 0.1 ≤ p ≤ 6; (f0, C, p)."""
    h, f = np.asarray(sizes, dtype=float), np.asarray(values, dtype=float)

    def solved(order: float) -> tuple[npt.NDArray[np.float64], float]:
        matrix = np.stack([np.ones_like(h), h**order], axis=1)
        found = np.linalg.lstsq(matrix, f, rcond=None)[0]
        return found, float(np.sum((matrix @ found - f) ** 2))

    # The misfit may have several valleys: the best of a fine row of orders first, then downhill from there.
    tried = np.linspace(0.1, 6.0, 60)
    best = float(tried[np.argmin([solved(order)[1] for order in tried])])
    step = float(tried[1] - tried[0])
    bounds = (max(0.1, best - step), min(6.0, best + step))
    order = float(
        minimize_scalar(lambda p: solved(p)[1], bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    )
    limit, factor = (float(number) for number in solved(order)[0])
    return limit, factor, order


def _scatter(sizes: Sequence[float], values: Sequence[float], fitted: tuple[float, float, float]) -> float:
    """How far results stray from a fit, and the finest one from it; the fit takes three of their freedoms."""
    limit, factor, order = fitted
    missed = np.asarray(values) - (limit + factor * np.asarray(sizes) ** order)
    left = len(missed) - 3
    return (math.sqrt(float(missed @ missed) / left) if left > 0 else 0.0) + abs(float(missed[-1]))


def _difference(coarse: float, fine: float, order: float) -> float:
    """(coarse^p - fine^p) / p, its limit at p = 0; scaled by the fine size, which cancels in every ratio taken here."""
    ratio = math.log(coarse / fine)
    return float(fine**order * (math.expm1(order * ratio) / order if order > 0.0 else ratio))


def _check(sizes: Sequence[float], values: Sequence[float], fewest: int) -> None:
    if len(sizes) != len(values) or len(sizes) < fewest:
        raise ValueError(f"{len(sizes)} sizes and {len(values)} values are not {fewest} levels at least")
    if any(fine >= coarse for coarse, fine in itertools.pairwise(sizes)) or sizes[-1] <= 0.0:
        raise ValueError(f"element sizes must fall from level to level: {list(sizes)}")


def _verdict(finest: Order, earlier: Order | None, agree: bool) -> str:
    if finest.behaviour == "flat":
        return "does not change any more within rounding"
    if finest.behaviour == "oscillating":
        return "goes up and down from mesh to mesh: no order, no limit"
    if finest.behaviour == "diverging":
        return "changes more and more from mesh to mesh: no order, no limit"
    if agree:
        return "converges at a steady order"
    if earlier is not None and earlier.behaviour != "converging":
        return f"converges on the three finest meshes only ({earlier.behaviour} before): order and limit are hints"
    return "converges, but its order is not steady or out of range: order and limit are hints"
