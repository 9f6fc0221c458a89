"""What is said of cycle jumps: an entry for each in summary.json and jumps.csv, sentences, and marks in cycles.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from run.process.control import CYCLE, STATE
from run.process.cycling import CyclingTable

KEPT, TAKEN_BACK = "kept", "taken back"
Entry = dict[str, Any]


def entry(jump: Mapping[str, Any], outcome: str, reason: str) -> Entry:
    """What is noted of a jump.

    Args:
        jump: As the jumper has it (run/process/jumping.py).
        outcome: :data:`KEPT` or :data:`TAKEN_BACK`.
        reason: Why it was taken back, else empty.
    """
    errors = jump.get("errors", {})
    watched = [errors[name] for name in (*STATE, *CYCLE) if name in errors]
    return {
        "first_cycle": jump["first"],
        "last_cycle": jump["last"],
        "cycles": jump["count"],
        "decided_by": jump["decided_by"],
        "outcome": outcome,
        "reason": reason,
        "estimated_error": max(watched, default=None),
        "estimated_errors": dict(errors),
        "worst": jump.get("worst", ""),
        "charge_mAh_cm2": jump["charge"],
        "newton_iterations_of_check": jump["iterations"],
    }


def sentence(jump: Entry) -> str:
    """What is said of a jump once it has been judged."""
    error = jump["estimated_error"]
    estimated = "" if error is None else f", estimated error {100.0 * error:.2g} %"
    said = f"jump over cycles {jump['first_cycle']} to {jump['last_cycle']} {jump['outcome']}{estimated}"
    return f"{said}: {jump['reason']}" if jump["reason"] else said


def described(jumps: Sequence[Entry], resolved: int, table: CyclingTable) -> dict[str, Any]:
    """What summary.json says of the jumps.

    Args:
        jumps: All of them.
        resolved: How many cycles were computed, those that were taken back included.
        table: [cycling].
    """
    kept = [jump for jump in jumps if jump["outcome"] == KEPT]
    return {
        "cycling": {
            **table.model_dump(mode="json"),
            "cycles_computed": resolved,
            "cycles_jumped_over": sum(jump["cycles"] for jump in kept),
            "largest_estimated_error": max((jump["estimated_error"] for jump in kept), default=None),
            "jumps": list(jumps),
        }
    }


def notes(jumps: Sequence[Entry], table: CyclingTable) -> tuple[str, ...]:
    """What was not computed, in a sentence."""
    told = described(jumps, 0, table)["cycling"]
    if not told["cycles_jumped_over"]:
        return ("repetitions may be jumped over (docs/cycling.md); all cycles so far were computed",)
    return (
        f"{told['cycles_jumped_over']} cycles were not computed but jumped over by extrapolation (docs/cycling.md): "
        f"largest estimated error of a jump {100.0 * told['largest_estimated_error']:.2g} %, allowed "
        f"{100.0 * table.tolerance:.2g} %; work and dissipation over a jump are extrapolated as well",
    )


def marked(cycles: Sequence[dict[str, Any]], jumps: Sequence[Entry]) -> list[dict[str, Any]]:
    """The rows of the computed cycles, each with the cycles that were jumped over right before it."""
    before = {jump["last_cycle"] + 1: jump for jump in jumps if jump["outcome"] == KEPT}
    found = []
    for row in cycles:
        jump = before.get(row["cycle"])
        mark = {
            "jumped_before": 0 if jump is None else jump["cycles"],
            "jump_estimated_error": None if jump is None else jump["estimated_error"],
        }
        found.append(row | mark)
    return found
