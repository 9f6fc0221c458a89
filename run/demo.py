"""``python3 -m run.demo``: lithiates the bare and the pre-lithiated demonstration electrode and compares them.

Both are narrower and coarser than the reference cases, so that the two together take minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from run.errors import EXIT_OK, InputError, ResultsError
from run.launch import cores, on_ranks
from run.results import SUMMARY, read_json

CASES = {"bare": "demo_bare", "pl3": "demo_pl3"}
TITLES = {"bare": "bare", "pl3": "PL 3 wt%"}
#: More ranks than this do not make problems of this size faster.
MOST_RANKS = 8
NOTE = (
    "The demonstration electrodes are narrower (32 um instead of 60 um) and more coarsely meshed than the reference\n"
    "cases run/cases/bare.toml and pl3.toml; five numbers are fitted to one narrow section, bond strengths are\n"
    "assumed: read the comparison, not the third digit (docs/model.md, what the answer hangs on)."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both cases, then print and draw the comparison; the worst exit code of the two runs."""
    parser = argparse.ArgumentParser(prog="python3 -m run.demo", description=__doc__)
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="for both cases"
    )
    settings = [word for setting in parser.parse_args(arguments).set for word in ("--set", setting)]
    out = Path("results") / "demo"
    ranks = min(cores(), MOST_RANKS)
    worst = EXIT_OK
    try:
        for key, case in CASES.items():
            print(f"\n== {TITLES[key]}: {case}.toml on {ranks} rank{'s' if ranks > 1 else ''}", flush=True)
            file = Path(__file__).parent / "cases" / f"{case}.toml"
            done = on_ranks(ranks, "run.cli", ["run", str(file), "--out", str(out / key), *settings])
            worst = max(worst, abs(done.returncode))
        return max(worst, compare(out))
    except (InputError, ResultsError) as error:
        print(f"swellbound: {error}", file=sys.stderr)
        return max(worst, 1)


def compare(out: Path) -> int:
    """Print the table and draw the picture of two finished runs.

    Raises:
        ResultsError: One of them left no summary.
    """
    from run.report import draw_comparison

    summaries = {key: read_json(out / key / SUMMARY) for key in CASES}
    picture = draw_comparison({TITLES[key]: out / key for key in CASES}, out / "comparison.png")
    console = Console(width=100)
    console.print()
    console.print(comparison_table(summaries))
    console.print(NOTE, highlight=False, soft_wrap=True)
    console.print("\nPictures:", highlight=False)
    for path in (picture, *(out / key / "pictures" for key in CASES)):
        console.print(f"  {path}", highlight=False, soft_wrap=True)
    return EXIT_OK


def comparison_table(summaries: dict[str, dict[str, Any]]) -> Table:
    """A row a quantity, a column a case."""
    table = Table(title="Thickening on lithiation", title_justify="left")
    table.add_column("")
    for key in summaries:
        table.add_column(TITLES[key], justify="right")
    rows: dict[str, list[str]] = {}

    def add(name: str, text: str) -> None:
        rows.setdefault(name, []).append(text)

    for summary in summaries.values():
        parts = summary["thickening_parts_um"]
        add("mean lithiation of the hosts", f"{summary['mean_lithiation']['hosts']:.3f}")
        add("thickness", f"{summary['thickness_start_um']:.2f} to {summary['thickness_um']:.2f} um")
        add("thickening", f"{summary['thickening_percent']:+.1f} %")
        add("  solids", f"{parts['solids']:+.2f} um")
        add("  void at interfaces", f"{parts['interface_void']:+.2f} um")
        add("  pores", f"{parts['pores']:+.2f} um")
        add("  lithium removed", f"{parts['lithium_removed']:+.2f} um")
        add("debonded interfaces", f"{100.0 * summary['debonded_fraction']['all']:.1f} %")
        for kind in ("graphite|graphite", "graphite|silicon"):
            if kind in summary["debonded_fraction"]:
                add(f"  {kind}", f"{100.0 * summary['debonded_fraction'][kind]:.1f} %")
        add("largest penetration", f"{1e3 * summary['penetration_max_um']:.1f} nm")
        add("  at folded facets", f"{1e3 * summary['penetration_at_folds_max_um']:.1f} nm")
        add("Newton iterations", f"{summary['newton_iterations']}")
        add("time taken", f"{summary['wall_time_s']:.0f} s")
        if summary["exit_code"] != EXIT_OK:
            add("ended early", f"exit code {summary['exit_code']}")
    for name, texts in rows.items():
        if len(texts) == len(summaries):
            table.add_row(name, *texts)
    return table


if __name__ == "__main__":
    sys.exit(main())
