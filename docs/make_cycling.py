"""Table and picture of cycling with jumps for docs/cycling.md: of the small section of tests/cycling.py, or of runs.

python3 -m docs.make_cycling --section --picture docs/cycling.png        # 100 cycles with jumps, 24 without: minutes
python3 -m docs.make_cycling RUN --resolved OTHER_RUN                    # of run folders
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mpi4py import MPI

from tests.cycling import cycled

Row = Mapping[str, Any]
#: Title, key and unit of what is compared and drawn.
NUMBERS = (
    ("lithiation", "lithiation_mAh_cm2", "mAh/cm²"),
    ("delithiation", "delithiation_mAh_cm2", "mAh/cm²"),
    ("thickness lithiated", "thickness_lithiated_um", "µm"),
    ("thickness delithiated", "thickness_delithiated_um", "µm"),
    ("damaged share", "damaged_fraction", "1"),
    ("side products", "side_products_mAh_cm2", "mAh/cm²"),
)


def value(row: Row, key: str) -> float:
    """A number of a row of the cycles, of the cycle or of the state at its end; NaN where a cycle is not at its end."""
    found = row[key] if key in row else row["state_end"][key]
    return math.nan if found is None else float(found)


def read(run: Path) -> dict[str, Any]:
    """The summary of a run."""
    told: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return told


def cycles_table(told: Mapping[str, Any], others: Mapping[int, Row]) -> list[str]:
    """Lines of a table of the computed cycles, with the deviation from a run that computed all where there is one."""
    titles = [f"{title}, {unit}" if unit != "1" else title for title, _, unit in NUMBERS]
    lines = [
        "| cycle | jumped before | " + " | ".join(titles) + " | efficiency | trapped, mAh/cm² | iterations |",
        "|" + "---|" * (5 + len(NUMBERS)),
    ]
    for row in told["cycles"]:
        cells = []
        for _, key, _ in NUMBERS:
            text = f"{value(row, key):.5g}"
            other = others.get(row["cycle"])
            if other is not None and row["cycle"] > first_jump(told):
                text += f" ({100.0 * (value(row, key) / value(other, key) - 1.0):+.2f} %)"
            cells.append(text)
        efficiency = row["coulombic_efficiency"]
        more = ["" if efficiency is None else f"{efficiency:.4f}", f"{row['trapped_end_mAh_cm2']:.4g}"]
        jumped = str(row.get("jumped_before") or "")
        lines.append(
            f"| {row['cycle']} | {jumped} | {' | '.join([*cells, *more])} | {row['newton_iterations']} |"
        )
    return lines


def jumps_table(told: Mapping[str, Any]) -> list[str]:
    """Lines of a table of the jumps."""
    lines = ["| over cycles | decided by | outcome | estimated error | worst |", "|---|---|---|---|---|"]
    for jump in told["cycling"]["jumps"]:
        error = jump["estimated_error"]
        shown = "" if error is None else f"{100.0 * error:.2g} %"
        span = f"{jump['first_cycle']} to {jump['last_cycle']}"
        lines.append(f"| {span} | {jump['decided_by']} | {jump['outcome']} | {shown} | {jump['worst']} |")
    return lines


def first_jump(told: Mapping[str, Any]) -> int:
    """Last cycle before the first jump that was kept; very large where there is none."""
    kept = [jump["first_cycle"] - 1 for jump in told["cycling"]["jumps"] if jump["outcome"] == "kept"]
    return int(min(kept, default=10**9))


def costs(told: Mapping[str, Any]) -> list[str]:
    """What the run took, in sentences."""
    cycling, rows = told["cycling"], told["cycles"]
    computed, covered = cycling["cycles_computed"], rows[-1]["cycle"]
    later = [row["newton_iterations"] for row in rows[1:]]
    return [
        f"{covered} cycles; {computed} computed, those of {sum(j['outcome'] != 'kept' for j in cycling['jumps'])} "
        f"jumps that were taken back included: {100.0 * computed / covered:.1f} % of the cycles.",
        f"{told['newton_iterations']} Newton iterations, {rows[0]['newton_iterations']} of them in the first cycle; "
        f"the later computed cycles took {sum(later) / max(len(later), 1):.0f} each.",
        f"Lithium book {told['lithium_book_error']:.1e}, largest estimated error of a jump "
        f"{100.0 * (cycling['largest_estimated_error'] or 0.0):.2g} % (allowed {100.0 * cycling['tolerance']:.2g} %), "
        f"energy balance {told['energy_balance_error']:.1e}.",
    ]


def draw(told: Mapping[str, Any], resolved: Sequence[Row], path: Path) -> None:
    """Thickness, capacity and damage against the cycle; computed cycles are markers, and nothing joins them."""
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    groups = (
        ("µm", "thickness", NUMBERS[2:4]),
        ("mAh/cm²", "capacity", NUMBERS[:2]),
        ("", "damage", NUMBERS[4:5]),
    )
    for axes, (unit, title, numbers) in zip(figure.subplots(1, 3), groups, strict=True):
        for (label, key, _), marker in zip(numbers, "o^", strict=False):
            if resolved:
                axes.plot(
                    [row["cycle"] for row in resolved],
                    [value(row, key) for row in resolved],
                    "-",
                    color="0.6",
                    linewidth=1.0,
                    label="every cycle computed" if marker == "o" else None,
                )
            axes.plot(
                [row["cycle"] for row in told["cycles"]],
                [value(row, key) for row in told["cycles"]],
                marker,
                markersize=5.0,
                fillstyle="none",
                label=f"{label}, computed cycles of the run with jumps",
            )
        for jump in told["cycling"]["jumps"]:
            if jump["outcome"] == "kept":
                axes.axvspan(jump["first_cycle"] - 0.5, jump["last_cycle"] + 0.5, color="0.93", zorder=0)
        axes.set_xlabel("cycle (grey: jumped over)")
        axes.set_ylabel(f"{title} in {unit}" if unit else title)
        axes.legend(fontsize=6.5)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Print the tables, draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", help="folder of a run with jumps")
    parser.add_argument("--section", action="store_true", help="compute the small section instead")
    parser.add_argument(
        "--resolved", type=Path, help="folder of a run of the same process, every cycle computed"
    )
    parser.add_argument("--picture", type=Path, help="where the picture goes")
    given = parser.parse_args()
    if given.section:
        told = cycled(MPI.COMM_SELF, "repeat 100 times, jumping", {"longest_jump": 30})
        resolved = cycled(MPI.COMM_SELF, "repeat 24 times", {})["cycles"]
    elif given.run:
        told = read(given.run)
        resolved = read(given.resolved)["cycles"] if given.resolved else []
    else:
        parser.error("give the folder of a run, or --section")
    show(told, resolved, given.picture)


def show(told: Mapping[str, Any], resolved: Sequence[Row], picture: Path | None) -> None:
    """Print the tables, and draw the picture where one is wanted."""
    lines = [*costs(told), "", *jumps_table(told), "", *cycles_table(told, {r["cycle"]: r for r in resolved})]
    print("\n".join(lines))
    if picture:
        draw(told, resolved, picture)


if __name__ == "__main__":
    main()
