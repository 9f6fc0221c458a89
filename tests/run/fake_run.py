"""Stands in for a run of a calibration: its numbers follow from the case at once, by formulas a test can turn round.

Only the standard library is imported where it is started: tests start it many times.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from run.study.places import Places
    from run.study.points import Point, Study


def command(study: Study, places: Places, point: Point, anew: bool) -> list[str]:
    """Starts this file in place of ``run.study.point``."""
    from run.process.steps import Press

    recipe, process = point.case.recipe, point.case.process
    first = None if process is None else process.given[0]
    strength = point.case.laws["graphite|silicon"].strength
    told = {
        "out": str(places.run(point)),
        "outcome": str(places.outcome(point)),
        "hash": point.case.content_hash,
        "resistance": point.case.laws["electrolyte|graphite"].exchange_resistance.value,
        "strength": None if strength is None else strength.value,
        "pressure": first.target if isinstance(first, Press) else None,
        "seed": None if recipe is None else recipe.seed,
        "anew": anew,
    }
    return [sys.executable, "-I", "-S", __file__, json.dumps(told)]


#: The shipped resistance between graphite and electrolyte; formulas and limits go by multiples of it.
FACE = 4.4


def numbers(resistance: float, strength: float, pressure: float, seed: int) -> dict[str, float]:
    """What a run comes to."""
    ratio = resistance / FACE
    charge = 3.0 / (1.0 + 0.6 * ratio) + 0.01 * (seed - 3)
    thickness = 26.0 + 4.0 * charge - 0.05 * pressure + 0.02 * strength
    return {"charge": charge, "thickness": thickness, "voltage": 0.2 - 0.03 * ratio - 0.0005 * pressure}


def main(told: dict[str, Any]) -> int:
    """Leave the files of a run: one at 8.3 times the resistance fails, one at five times it lacks a number."""
    out, outcome = Path(told["out"]), Path(told["outcome"])
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "begun.txt", "a", encoding="utf-8") as file:
        file.write("x")
    failed = told["resistance"] > 8.3 * FACE and not told["anew"]
    found = numbers(told["resistance"], told["strength"], told["pressure"], told["seed"])
    block = {"number": 2, "voltage_end_V": None if told["resistance"] > 5.0 * FACE else found["voltage"]}
    cycle = {"cycle": 1, "lithiation_mAh_cm2": found["charge"]}
    summary = {
        "exit_code": 3 if failed else 0, "wall_time_s": 2.0, "newton_iterations": 7,
        "thickness_um": found["thickness"], "steps": [{"number": 1}, block], "cycles": [cycle],
    }  # fmt: skip
    (out / "summary.json").write_text(json.dumps(summary))
    (out / "status.json").write_text('{"state": "finished", "fraction": 1.0}')
    outcome.parent.mkdir(parents=True, exist_ok=True)
    ending = (
        {"exit_code": 3, "reason": "steps of 1e-05 s still fail"}
        if failed
        else {"exit_code": 0, "reason": ""}
    )
    outcome.write_text(json.dumps({**ending, "case_hash": told["hash"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
