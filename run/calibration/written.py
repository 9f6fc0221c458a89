"""``calibrated.toml``: the fitted values as a parameter file that other cases can take (run/parameter_file.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from run.calibration.outcome import LEAST_LEARNED
from run.calibration.problem import Problem
from run.toml_text import dumps


def parameter_file(problem: Problem, said: Mapping[str, Any]) -> str:
    """The text of the parameter file.

    Args:
        problem: What was asked.
        said: The table of ``outcome``.
    """
    state = "converged" if said["converged"] else f"NOT converged ({said['reason']})"
    made = f"fit to the electrode without lithium powder, calibration {problem.name}, {state}"
    table: dict[str, Any] = {
        "about": made, "materials": {}, "interfaces": {}, "conditions": {}, "steps": {},
    }  # fmt: skip
    for fitted, one in zip(problem.parameters, said["parameters"], strict=True):
        value = float(one["fitted"])
        entry = {
            "source": f"{made}; parameter {one['name']}{_factor(fitted.bases, one)}",
            "mark": _mark(one),
            "uncertainty": _uncertainty(one),
        }
        for key, given in one["case_values"].items():
            kind, owner, leaf = key.split(".", 2)
            table[kind].setdefault(owner, {})[leaf] = {"value": given, **entry}
        if fitted.condition is not None:
            steps = dict(fitted.steps)
            table["conditions"][fitted.condition] = {"value": fitted.text(value), **entry, "steps": steps}
            continue
        for place, pattern in fitted.steps.items():
            table["steps"][place] = {"text": pattern, "value": fitted.text(value), **entry}
    used = {key: value for key, value in table.items() if value}
    words = (
        f"# Written by swellbound calibrate {problem.path.name} (commit {said['commit']}).\n"
        '# Take it by: swellbound run CASE.toml --parameters THIS_FILE, or [case] parameters = "THIS_FILE".\n'
    )
    return words + dumps(used)


def _factor(bases: Mapping[str, object], one: Mapping[str, Any]) -> str:
    multiplied = any(base is not None for base in bases.values())
    return f" = {one['fitted']:g} times what the case had" if multiplied else ""


def _mark(one: Mapping[str, Any]) -> str:
    """``calibrated``, but ``assumed`` where the targets told nothing and the value is what was put in."""
    learned = one["learned"]
    return "calibrated" if learned is not None and learned >= LEAST_LEARNED else "assumed"


def _uncertainty(one: Mapping[str, Any]) -> str:
    if one["standard_uncertainty"] is None:
        return "unknown"
    if one["uncertainty_factor"] is not None:
        return f"times or divided by {one['uncertainty_factor']:.2f}"
    return f"{one['standard_uncertainty']:.2g} {one['unit']}".strip()
