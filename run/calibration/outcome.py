"""What a calibration comes to, as one JSON table: parameters, targets, sensitivities, cost, and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from run import about
from run.calibration.evaluations import Evaluation
from run.calibration.fit import Fit
from run.calibration.problem import Problem
from run.calibration.uncertainty import Uncertainty, in_unit, sensitivities, uncertainty

FORMAT = "swellbound-calibration/1"
#: A parameter of which the targets tell less than this share of what was known before was not learned.
LEAST_LEARNED = 0.1
#: A target that is missed by more tolerances than this has a sentence.
MISSED = 1.0


def outcome(
    problem: Problem, fit: Fit, evaluations: Sequence[Evaluation], best: Evaluation
) -> dict[str, Any]:
    """The table of a calibration.

    Args:
        problem: What was asked.
        fit: How it ended.
        evaluations: All of them.
        best: That at which the fit stands.

    Returns:
        A table of JSON without a NaN in it.
    """
    if best.reached is None or best.scatter is None:
        raise ValueError("a fit does not stand at an evaluation that failed")
    known = uncertainty(fit, problem.widths)
    start = evaluations[0]
    targets = [
        {
            **asdict(one),
            "reached_at_start": None if start.reached is None else start.reached[i],
            "reached": best.reached[i],
            "residual": (best.reached[i] - one.value) / one.tolerance,
            "scatter_between_seeds": best.scatter[i],
        }
        for i, one in enumerate(problem.targets)
    ]
    table = sensitivities(fit, problem.parameters, problem.targets, best.reached)
    names = [one.name for one in problem.parameters]
    said: dict[str, Any] = {
        "format": FORMAT,
        "calibration": problem.name,
        "description": problem.file.calibration.description,
        "case": problem.case.name,
        "case_hash": problem.case.content_hash,
        "seeds": problem.file.calibration.seeds,
        "settings": list(problem.given),
        "version": about.version(),
        "commit": about.commit(),
        "converged": fit.converged,
        "reason": fit.reason,
        "slopes_measured_at_the_end": fit.measured,
        "best_evaluation": best.number,
        "sum_of_squares": float(fit.residuals @ fit.residuals),
        "parameters": [_parameter(problem, fit, known, j) for j in range(len(names))],
        "correlations": {
            name: {other: _number(known.correlations[i, j]) for j, other in enumerate(names)}
            for i, name in enumerate(names)
        },
        "targets": targets,
        "sensitivities": {
            one.name: {name: _number(table[i, j]) for j, name in enumerate(names)}
            for i, one in enumerate(problem.targets)
        },
        "evaluations": [asdict(one) for one in evaluations],
        "cost": {
            "evaluations": len(evaluations),
            "failed": sum(one.reached is None for one in evaluations),
            "runs": len({name for one in evaluations for name in one.points}),
            "wall_time_s": sum(one.wall_time_s for one in evaluations),
            "newton_iterations": sum(one.newton_iterations for one in evaluations),
        },
    }
    said["sentences"] = [*_missed(problem, fit, evaluations, said), *_unlearned(said), *fit.notes]
    return said


def _parameter(problem: Problem, fit: Fit, known: Uncertainty, j: int) -> dict[str, Any]:
    one, share = problem.parameters[j], float(fit.point[j])
    value, deviation = one.value(share), float(known.shares[j])
    found = {
        "name": one.name,
        "unit": one.unit,
        "scale": "log" if one.logarithmic else "linear",
        "low": one.low,
        "high": one.high,
        "start": one.start,
        "fitted": value,
        "at_bound": known.at_bound[j],
        "held": j in fit.held,
        "standard_uncertainty": None,
        "uncertainty_factor": None,
        "learned": _number(known.learned[j]),
        "case_values": one.case_values(value),
        "steps": dict(one.steps),
        "condition": one.condition,
        "why": one.why,
    }
    if math.isfinite(deviation):
        found["standard_uncertainty"] = in_unit(one, share, deviation)
        if one.logarithmic:
            found["uncertainty_factor"] = float(math.exp(deviation * math.log(one.high / one.low)))
    return found


def _missed(problem: Problem, fit: Fit, evaluations: Sequence[Evaluation], said: dict[str, Any]) -> list[str]:
    """A sentence for every target that is not met: how far, and how near any evaluation came."""
    bounds = [
        f"{one['name']} at its {one['at_bound']}er bound" for one in said["parameters"] if one["at_bound"]
    ]
    sentences = []
    for i, one in enumerate(problem.targets):
        residual = said["targets"][i]["residual"]
        if abs(residual) <= MISSED:
            continue
        tried = [found for found in evaluations if found.reached is not None]
        nearest = min(tried, key=lambda found: abs(_reached(found, i) - one.value))
        verb = "is not met inside the bounds" if fit.converged else "is not met (the fit did not converge)"
        sentences.append(
            f"target {one.name} {verb}: {_reached_text(said['targets'][i]['reached'])} instead of {one.value:g} "
            f"{one.unit}, {abs(residual):.1f} tolerances too {'much' if residual > 0.0 else 'little'}"
            f"{', with ' + ' and '.join(bounds) if bounds else ''}; the nearest of all evaluations, number "
            f"{nearest.number}, came to {_reached_text(_reached(nearest, i))}"
        )
    return sentences


def _reached(evaluation: Evaluation, i: int) -> float:
    return math.inf if evaluation.reached is None else evaluation.reached[i]


def _reached_text(value: float) -> str:
    return f"{value:.4g}"


def _unlearned(said: dict[str, Any]) -> list[str]:
    """A sentence for every parameter that the targets do not tell."""
    found = []
    for one in said["parameters"]:
        if one["held"]:
            found.append(f"parameter {one['name']} was held: no neighbouring value gave a result")
        elif one["learned"] is not None and one["learned"] < LEAST_LEARNED:
            found.append(
                f"parameter {one['name']} is not told by these targets: its value is what was assumed before"
            )
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
