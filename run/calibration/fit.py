"""Bounded least squares for a dear and noisy model: Gauss and Newton with large differences, a trust region, few calls.

Everything is counted in shares of the way between the bounds, [0, 1]. The next call depends on the answers so far and
on nothing else, so that a fit that was interrupted takes the same way when it is repeated with the answers at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear

Array = npt.NDArray[np.float64]
#: Residuals of the targets for each of some settings, None where there is no answer.
Evaluate = Callable[[Sequence[Array]], Sequence[Array | None]]

#: A move that promises less than this share of the sum of squares is not worth a run.
LEAST_SHARE = 0.01
#: A trust region smaller than this share of the step of differences says more of noise than of slopes.
NOISE = 0.1
#: Measured gain over promised gain below which the trust region shrinks, and above which it grows.
_POOR, _GOOD = 0.25, 0.75


@dataclass(frozen=True)
class FitSettings:
    """How the fit goes about it; see ``tables.CalibrationTable``."""

    evaluations: int
    difference: float = 0.1
    trust: float = 0.35
    least_move: float = 0.002
    least_gain: float = 0.01
    sharpen: bool = True


@dataclass
class Fit:
    """How a fit stands.

    Attributes:
        point: The best setting so far, shape (parameters,).
        residuals: Of the targets there, shape (targets,).
        slopes: Their derivatives there, shape (targets, parameters).
        measured: Whether the slopes were measured at this very point; else they were brought along.
        held: Parameters for which no slope could be measured.
        converged: Whether no further move was worth a run.
        reason: Why it ended, in words.
        calls: Settings tried so far.
        blocked: Whether the last move failed.
        notes: What did not go as planned.
    """

    point: Array
    residuals: Array
    slopes: Array
    measured: bool = False
    held: set[int] = field(default_factory=set)
    converged: bool = False
    reason: str = ""
    calls: int = 1
    blocked: bool = False
    notes: list[str] = field(default_factory=list)


class NoStart(Exception):
    """The setting a fit begins with has no answer."""


def fit(evaluate: Evaluate, start: Array, widths: Array, settings: FitSettings) -> Fit:
    """Bring the sum of squares of the residuals down.

    Args:
        evaluate: Gives the residuals, in standard deviations.
        start: Where to begin, shape (parameters,); also the middle of what is known beforehand.
        widths: Standard deviation of that, infinite for none, shape (parameters,).
        settings: How.

    Raises:
        NoStart: There is no answer at ``start``.
    """
    first = evaluate([start])[0]
    if first is None:
        raise NoStart
    state = Fit(start.copy(), first, np.zeros((first.size, start.size)))
    prior = _Prior(start, np.reciprocal(widths, dtype=np.float64))
    if not _measure_slopes(evaluate, state, settings):
        state.reason = f"{settings.evaluations} evaluations do not suffice for the first slopes"
        return state
    trust = settings.trust
    while True:
        move = _move(state, prior, trust)
        if trust >= max(settings.least_move, NOISE * settings.difference) and _worth(
            state, prior, move, settings
        ):
            if state.calls >= settings.evaluations:
                state.reason = f"the {settings.evaluations} evaluations it may take are used up"
                return state
            trust = _try(evaluate, state, prior, move, trust)
            continue
        words = "the moves that promise more fail" if state.blocked else "no further move promises enough"
        if state.measured or not settings.sharpen:
            state.converged, state.reason = not state.blocked, words
            return state
        if not _measure_slopes(evaluate, state, settings):
            state.converged = not state.blocked
            state.reason = f"{words}; no evaluations were left to measure the slopes anew"
            return state
        trust, state.blocked = max(trust, settings.difference), False


@dataclass(frozen=True)
class _Prior:
    """What is known beforehand: residuals (point - middle)/width."""

    middle: Array
    weights: Array

    def residuals(self, point: Array) -> Array:
        return (point - self.middle) * self.weights

    def squares(self, state: Fit) -> float:
        """Sum of squares of everything where the fit stands."""
        return float(state.residuals @ state.residuals + np.sum(self.residuals(state.point) ** 2))


def _measure_slopes(evaluate: Evaluate, state: Fit, settings: FitSettings) -> bool:
    """Finite differences at the point, towards the farther bound; False where the evaluations do not suffice."""
    count = state.point.size
    if state.calls + count > settings.evaluations:
        return False
    ways = np.where(state.point <= 0.5, settings.difference, -settings.difference)
    answers = list(evaluate([_stepped(state.point, i, ways[i]) for i in range(count)]))
    state.calls += count
    again = [i for i in range(count) if answers[i] is None]
    state.held = set()
    if again:
        # The other way, and half as far where that would leave the bounds.
        for i in again:
            room = state.point[i] if ways[i] > 0.0 else 1.0 - state.point[i]
            ways[i] = -np.sign(ways[i]) * min(settings.difference, room) if room > 1e-3 else 0.5 * ways[i]
        for i, answer in zip(
            again, evaluate([_stepped(state.point, i, ways[i]) for i in again]), strict=True
        ):
            answers[i] = answer
        state.calls += len(again)
    for i, answer in enumerate(answers):
        if answer is None:
            state.held.add(i)
            state.slopes[:, i] = 0.0
        else:
            state.slopes[:, i] = (answer - state.residuals) / ways[i]
    state.measured = True
    return True


def _stepped(point: Array, index: int, step: float) -> Array:
    moved = point.copy()
    moved[index] += step
    return moved


def _move(state: Fit, prior: _Prior, trust: float) -> Array:
    """The best move within bounds and trust region, were everything linear."""
    free = [i for i in range(state.point.size) if i not in state.held]
    move = np.zeros_like(state.point)
    if not free:
        return move
    matrix = np.vstack([state.slopes[:, free], np.diag(prior.weights)[:, free]])
    right = -np.concatenate([state.residuals, prior.residuals(state.point)])
    low = np.maximum(-state.point[free], -trust)
    high = np.minimum(1.0 - state.point[free], trust)
    # A bound that is reached leaves no room at all, which lsq_linear does not take.
    high = np.maximum(high, low + 1e-12)
    move[free] = np.clip(lsq_linear(matrix, right, bounds=(low, high)).x, low, high)
    return move


def _promised(state: Fit, prior: _Prior, move: Array) -> float:
    """How much smaller the sum of squares would get, were everything linear."""
    after = state.residuals + state.slopes @ move
    return prior.squares(state) - float(after @ after + np.sum(prior.residuals(state.point + move) ** 2))


def _worth(state: Fit, prior: _Prior, move: Array, settings: FitSettings) -> bool:
    gain = _promised(state, prior, move)
    enough = gain > max(settings.least_gain, LEAST_SHARE * prior.squares(state))
    return enough and bool(np.max(np.abs(move)) >= settings.least_move)


def _try(evaluate: Evaluate, state: Fit, prior: _Prior, move: Array, trust: float) -> float:
    """Try a move, take it if it is better, learn from it either way; gives the trust region from then on."""
    answer = evaluate([np.clip(state.point + move, 0.0, 1.0)])[0]
    state.calls += 1
    length = float(np.max(np.abs(move)))
    if answer is None:
        state.notes.append(f"evaluation {state.calls} failed: the fit turned back and goes a quarter as far")
        state.blocked = True
        return 0.25 * length
    state.blocked = False
    promised, before = _promised(state, prior, move), prior.squares(state)
    # Broyden's update: the slopes agree with what this move has shown.
    surprise = answer - state.residuals - state.slopes @ move
    slopes = state.slopes + np.outer(surprise, move) / float(move @ move)
    moved = Fit(np.clip(state.point + move, 0.0, 1.0), answer, slopes)
    gain = before - prior.squares(moved)
    state.slopes, state.measured = slopes, False
    if gain > 0.0:
        state.point, state.residuals = moved.point, answer
    if gain < _POOR * promised:
        return 0.4 * length
    return max(trust, 2.0 * length) if gain > _GOOD * promised else trust
