"""Stands in for ``run.study.point`` where the runner is under test, not the runs: leaves the files of a point at once.

What it does depends on the stack pressure of the case: 13 MPa fails, 17 MPa dies without a word, 19 MPa takes until it
is told to save itself (once), anything else finishes. It notes when it was begun. Only the standard library is
imported where it is started: tests start it many times.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from run.study.places import Places
    from run.study.points import Point, Study

#: How long a point takes in s.
SECONDS = 0.3


def command(study: Study, places: Places, point: Point, anew: bool) -> list[str]:
    """Starts this file in place of the real one."""
    recipe = point.case.recipe
    told = {
        "out": str(places.run(point)),
        "outcome": str(places.outcome(point)),
        "hash": point.case.content_hash,
        "name": point.case.name,
        "anew": anew,
        "pressure": point.case.file.drive.stack_pressure,
        "seed": None if recipe is None else recipe.seed,
        "size": None if recipe is None else recipe.resolution.element_size_um,
    }
    return [sys.executable, "-I", "-S", __file__, json.dumps(told)]


def strain(pressure: float, seed: int, size: float) -> float:
    """What a point comes to: from its case alone, so that a table can be checked."""
    return 10.0 / (1.0 + pressure) + seed + 0.5 * size**2


def main(told: dict[str, Any]) -> int:
    """Do as the pressure says."""
    out, outcome = Path(told["out"]), Path(told["outcome"])
    pressure, seed, size = told["pressure"], told["seed"], told["size"]
    out.mkdir(parents=True, exist_ok=True)
    first = not (out / "begun.txt").exists()
    with open(out / "begun.txt", "a", encoding="utf-8") as file:
        file.write(f"{time.monotonic()}\n")
    if pressure == 17.0 and first:
        (out / "status.json").write_text('{"state": "running", "fraction": 0.5}')
        return 9
    if pressure == 19.0 and first:
        saved = False

        def save(number: int, frame: FrameType | None) -> None:
            nonlocal saved
            saved = True

        signal.signal(signal.SIGUSR1, save)
        (out / "status.json").write_text('{"state": "running", "fraction": 0.25}')
        while not saved:
            time.sleep(0.02)
        (out / "status.json").write_text('{"state": "interrupted", "reason": "signal SIGUSR1 arrived"}')
        return 4
    time.sleep(SECONDS)
    code, reason = (3, "steps of 1e-05 s still fail") if pressure == 13.0 and not told["anew"] else (0, "")
    if code == 0:
        total = strain(pressure, seed, size)
        parts = {"solids": 0.5, "interface_void": total - 0.5}
        summary = {"exit_code": 0, "cells": 100, "thickening_percent": total, "thickening_parts_um": parts}
        (out / "summary.json").write_text(json.dumps(summary))
        # Equilateral triangles of that edge on 100 um2; another seed draws other grains, and so does one size.
        cells = round(100.0 / (3.0**0.5 / 4.0 * size**2))
        grain = {"name": f"graphite/{99 if size == 0.7 else seed}", "area_um2": 100.0}
        sidecar = {"dimension": 2, "quality": {"cells": cells}, "grains": [grain]}
        (out / "mesh").mkdir(exist_ok=True)
        (out / "mesh" / f"{told['name']}.json").write_text(json.dumps(sidecar))
    (out / "status.json").write_text('{"state": "finished", "fraction": 1.0}')
    outcome.parent.mkdir(parents=True, exist_ok=True)
    outcome.write_text(json.dumps({"exit_code": code, "reason": reason, "case_hash": told["hash"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
