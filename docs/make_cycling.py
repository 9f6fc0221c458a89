"""Table and picture of cycling with jumps for docs/cycling.md: of the small section of tests/cycling.py, or of runs.

python3 -m docs.make_cycling --section --picture docs/cycling.png        # 100 cycles with jumps, 100 without: minutes
python3 -m docs.make_cycling --section --settings                        # and with other settings, a line for each
python3 -m docs.make_cycling RUN --resolved OTHER_RUN                    # of run folders
python3 -m docs.make_cycling BARE --beside PL3 --picture docs/cycling_cases.png    # two electrodes in one picture
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


#: Other settings of [cycling] that the section is run with, and how they are called.
SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("defaults", {}),
    ("tolerance = 0.005", {"tolerance": 0.005}),
    ("tolerance = 0.02", {"tolerance": 0.02}),
    ("longest_jump = 20", {"longest_jump": 20}),
    ("longest_jump = 50", {"longest_jump": 50}),
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


def jumps_table(told: Mapping[str, Any], others: Mapping[int, Row]) -> list[str]:
    """Lines of a table of the jumps, with the true error where there is a run that computed all cycles."""
    lines = [
        "| over cycles | decided by | outcome | estimated error | true error | worst of numbers and fields |",
        "|---|---|---|---|---|---|",
    ]
    for jump in told["cycling"]["jumps"]:
        error = jump["estimated_error"]
        shown = "" if error is None else f"{100.0 * error:.2g} %"
        true = true_error(told, jump, others)
        found = "" if true is None else f"{100.0 * true[1]:.2g} % ({true[0]})"
        span = f"{jump['first_cycle']} to {jump['last_cycle']}"
        lines.append(
            f"| {span} | {jump['decided_by']} | {jump['outcome']} | {shown} | {found} | {jump['worst']} |"
        )
    return lines


def true_error(
    told: Mapping[str, Any], jump: Mapping[str, Any], others: Mapping[int, Row]
) -> tuple[str, float] | None:
    """The largest deviation in the cycle after a jump, and of which number; None where it is not known."""
    number = jump["last_cycle"] + 1
    row = next((row for row in told["cycles"] if row["cycle"] == number), None)
    other = others.get(number)
    if row is None or other is None or jump["outcome"] != "kept":
        return None
    errors = {title: abs(value(row, key) / value(other, key) - 1.0) for title, key, _ in NUMBERS}
    worst = max(errors, key=lambda title: errors[title])
    return worst, errors[worst]


def settings_table(resolved: Sequence[Row]) -> list[str]:
    """Lines of a table of the section with other settings of [cycling]."""
    others = {row["cycle"]: row for row in resolved}
    lines = [
        "| [cycling] | cycles computed | jumps taken back | largest estimated error | largest true error |",
        "|---|---|---|---|---|",
    ]
    for name, table in SETTINGS:
        told = cycled(MPI.COMM_SELF, "repeat 100 times, jumping", table)
        cycling = told["cycling"]
        found = [true_error(told, jump, others) for jump in cycling["jumps"]]
        true = max(error for _, error in (one for one in found if one is not None))
        back = sum(jump["outcome"] != "kept" for jump in cycling["jumps"])
        lines.append(
            f"| {name} | {cycling['cycles_computed']} | {back} | {100.0 * cycling['largest_estimated_error']:.2g} % | "
            f"{100.0 * true:.2g} % |"
        )
    return lines


def first_jump(told: Mapping[str, Any]) -> int:
    """Last cycle before the first jump that was kept; very large where there is none."""
    kept = [jump["first_cycle"] - 1 for jump in told["cycling"]["jumps"] if jump["outcome"] == "kept"]
    return int(min(kept, default=10**9))


def costs(told: Mapping[str, Any], resolved: Sequence[Row]) -> list[str]:
    """What the run took, in sentences; against computing all cycles where that was done."""
    cycling, rows = told["cycling"], told["cycles"]
    computed, covered = cycling["cycles_computed"], rows[-1]["cycle"]
    later = [row["newton_iterations"] for row in rows[1:]]
    against = ""
    if resolved and resolved[-1]["cycle"] == covered:
        all_of_them = sum(row["newton_iterations"] for row in resolved)
        against = (
            f" (computing all took {all_of_them}: {100.0 * told['newton_iterations'] / all_of_them:.1f} %)"
        )
    return [
        f"{covered} cycles; {computed} computed, those of {sum(j['outcome'] != 'kept' for j in cycling['jumps'])} "
        f"jumps that were taken back included: {100.0 * computed / covered:.1f} % of the cycles.",
        f"{told['newton_iterations']} Newton iterations{against}, {rows[0]['newton_iterations']} of them in the first "
        f"cycle; the later computed cycles took {sum(later) / max(len(later), 1):.0f} each.",
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


def draw_beside(runs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Capacity, thickness and debonded share of electrodes against the cycle, from the second one on for capacity."""
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    capacity, thickness, debonded = figure.subplots(1, 3)
    for told, colour in zip(runs, ("tab:blue", "tab:orange"), strict=False):
        rows, name = told["cycles"], told["case"].removesuffix("_100_cycles")
        numbers = [row["cycle"] for row in rows]
        for axes, key, style, label, first in (
            (capacity, "lithiation_mAh_cm2", "-", "", 1),
            (thickness, "thickness_lithiated_unloaded_um", "-", ", lithiated", 0),
            (thickness, "thickness_delithiated_unloaded_um", "--", ", delithiated", 0),
            (debonded, "debonded_fraction", "-", "", 0),
        ):
            found = [value(row, key) for row in rows[first:]]
            axes.plot(numbers[first:], found, style, color=colour, linewidth=1.2, label=name + label)
    for axes, title in (
        (capacity, "lithiation at 0.5 C in mAh/cm²"),
        (thickness, "thickness unloaded in µm"),
        (debonded, "debonded share of all interfaces"),
    ):
        axes.set_xlabel("cycle")
        axes.set_ylabel(title)
        axes.legend(fontsize=7)
    capacity.set_ylim(bottom=0.0)
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
    parser.add_argument("--beside", type=Path, help="folder of a run of another electrode, for the picture")
    parser.add_argument("--picture", type=Path, help="where the picture goes")
    parser.add_argument("--settings", action="store_true", help="the section with other settings as well")
    given = parser.parse_args()
    if given.section:
        told = cycled(MPI.COMM_SELF, "repeat 100 times, jumping", {})
        resolved = cycled(MPI.COMM_SELF, "repeat 100 times", {})["cycles"]
    elif given.run:
        told = read(given.run)
        resolved = read(given.resolved)["cycles"] if given.resolved else []
    else:
        parser.error("give the folder of a run, or --section")
    show(told, resolved, None if given.beside else given.picture)
    if given.beside and given.picture:
        draw_beside([told, read(given.beside)], given.picture)
    if given.section and given.settings:
        print("\n".join(["", *settings_table(resolved)]))


def show(told: Mapping[str, Any], resolved: Sequence[Row], picture: Path | None) -> None:
    """Print the tables, and draw the picture where one is wanted."""
    others = {row["cycle"]: row for row in resolved}
    lines = [
        *costs(told, resolved),
        "",
        *jumps_table(told, others),
        "",
        *cycles_table(told, others),
    ]
    print("\n".join(lines))
    if picture:
        draw(told, resolved, picture)


if __name__ == "__main__":
    main()
