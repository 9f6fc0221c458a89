"""Plots how the face away from a sheet of lithium fills: front position and lithiation against time, from a run.

swellbound run run/cases/lithium_plate.toml
python3 -m docs.make_lithium_plate results/lithium_plate docs/lithium_plate.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fem.measurements.front import LEVELS, column


def fronts(run: Path) -> list[dict[str, float]]:
    """What `measure front` found, with the time in h.

    Raises:
        SystemExit: The run has no such measurement.
    """
    summary: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    found = [
        {"time_h": block["end_time_s"] / 3600.0} | block["result"]
        for block in summary["steps"]
        if block.get("result", {}).get("measurement") == "front"
    ]
    if not found:
        raise SystemExit(f"{run} has no measurement of the front")
    return found


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Two axes: how deep each level has come, and the lithiation of the outermost layers."""
    times = [row["time_h"] for row in rows]
    figure = Figure(figsize=(7.5, 3.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for level, colour in zip(LEVELS, ("#c6b8a6", "#7b9acc", "#b5651d", "#d4a017"), strict=True):
        depths = [row[column(level)] for row in rows]
        if max(depths) == 0.0:
            continue
        left.plot(times, depths, "o-", color=colour, label=f"x = {level:g}", clip_on=False)
    left.set(xlabel="time (h)", ylabel="filled to this depth (µm)", xscale="log")
    left.invert_yaxis()
    left.legend(frameon=False)
    right.plot(times, [row["lithiation_near"] for row in rows], "o-", color="#b5651d", label="at the sheet")
    right.plot(times, [row["lithiation_far"] for row in rows], "s-", color="#1f77b4", label="at the foil")
    right.set(xlabel="time (h)", ylabel="lithiation, outermost 5 %", xscale="log")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def main() -> None:
    """Read a run, print the table, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    rows = fronts(given.run)
    levels = " | ".join(f"x = {level:g} to, µm" for level in LEVELS)
    print(f"| time, h | {levels} | at the sheet | at the foil |\n|{' --- |' * (3 + len(LEVELS))}")
    for row in rows:
        names = ("time_h", *map(column, LEVELS), "lithiation_near", "lithiation_far")
        numbers = (row[name] for name in names)
        print("| " + " | ".join(f"{number:.3g}" for number in numbers) + " |")
    draw(rows, given.picture)


if __name__ == "__main__":
    main()
