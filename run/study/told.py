"""What a study says on the terminal: its plan, its table, what it comes to, where the files are."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from run import estimate
from run.study.places import PLAN, Places
from run.study.points import Study

_SNAKEMAKE = Path(__file__).parents[1] / "snakemake"


def headline(study: Study, places: Places, todo: int, jobs: int) -> str:
    """One line on what is about to be done."""
    table, total = study.file.study, len(study.points)
    done = "" if todo == total else f", {total - todo} of them need no work any more"
    ranks = f", {table.ranks} ranks each" if table.ranks > 1 else ""
    return f"{table.name}: {total} points{done}; {jobs} at a time{ranks}; {places.root}"


def plan(study: Study, places: Places) -> str:
    """What would be run, and the command that lets Snakemake do it."""
    lines = [headline(study, places, len(study.points), 1)]
    for point in study.points:
        words = ", ".join(f"{key} = {value}" for key, value in point.settings)
        size = ""
        if point.case.plan is not None:
            cells = point.case.plan.estimated_cells
            size = f"  (about {cells} triangles, {estimate.memory_mib(cells):.0f} MiB)"
        lines.append(f"  {point.name}  {words}{size}")
    file = shlex.quote(str(places.root / PLAN))
    lines += [
        f"{places.root}: {PLAN}, cases/; nothing was run. Through Snakemake:",
        f"  snakemake --snakefile {shlex.quote(str(_SNAKEMAKE / 'Snakefile'))} "
        f"--profile {shlex.quote(str(_SNAKEMAKE / 'profiles' / 'local'))} --config plan={file}",
    ]
    return "\n".join(lines)


def report(
    study: Study, said: Mapping[str, Any], files: Sequence[Path], console: Console | None = None
) -> None:
    """Print what a study comes to."""
    console = console or Console(width=None if Console().is_terminal else 160, soft_wrap=True)
    tables = {
        "mesh_refinement": _mesh_refinement, "seeds": _seeds, "design": _design, "sweep": _sweep,
    }  # fmt: skip
    if said["quantities"]:
        console.print(tables[said["kind"]](study, said))
    if said["kind"] == "mesh_refinement":
        for name, one in said["quantities"].items():
            console.print(f"{name} {one['verdict']}", highlight=False, markup=False)
    for note in said.get("notes", []):
        console.print(f"note: {note}", highlight=False, markup=False)
    for failure in said["failed"]:
        words = ", ".join(f"{key} = {value}" for key, value in failure["settings"].items())
        console.print(
            f"failed: {failure['point']} ({words}): {failure['reason']}", highlight=False, markup=False
        )
    counts = ", ".join(f"{count} {state}" for state, count in said["points"].items() if count)
    console.print(f"{study.file.study.name}: {counts}", highlight=False, markup=False)
    if said["points"]["failed"]:
        console.print("failed points are not repeated unless --again is given", highlight=False)
    for path in files:
        console.print(f"  {path}", highlight=False, markup=False)


def _mesh_refinement(study: Study, said: Mapping[str, Any]) -> Table:
    table = _table("quantity", "finest", "uncertainty", "limit", "order", "before", "fit", "")
    for name, one in said["quantities"].items():
        table.add_row(
            name,
            number(one["values"][-1]),
            f"± {number(one['uncertainty'], 2)}",
            number(one["limit"], 4),
            *(
                number(value, 2)
                for value in (one["order"], one["order_before"], one["order"] and one["fit"][2])
            ),
            one["behaviour"] if not one["asymptotic"] else "steady order",
        )
    return table


def _seeds(study: Study, said: Mapping[str, Any]) -> Table:
    table = _table(
        "quantity", "group", "n", "mean", "deviation", "interval of the mean", "smallest", "largest"
    )
    for name, groups in said["quantities"].items():
        for group in groups:
            words = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in group.items() if "." in key)
            table.add_row(
                name, words, str(group["count"]), number(group["mean"]), number(group["deviation"], 3),
                f"{number(group['low'])} to {number(group['high'])} ({100.0 * group['confidence']:g} %)",
                number(group["smallest"]), number(group["largest"]),
            )  # fmt: skip
    return table


def _design(study: Study, said: Mapping[str, Any]) -> Table:
    keys = study.keys
    table = _table("quantity", *(f"rank correlation with {key}" for key in keys))
    for name, found in said["quantities"].items():
        cells = [
            f"{found[key]['coefficient']:+.2f} (chance {found[key]['chance']:.2g})" if key in found else "-"
            for key in keys
        ]
        table.add_row(name, *cells)
    return table


def _sweep(study: Study, said: Mapping[str, Any]) -> Table:
    names = list(said["quantities"])
    table = _table(*(key.split(".")[-1] for key in study.keys), *names)
    for place, settings in enumerate(said["points_in_order"]):
        cells = [str(value) for value in settings.values()]
        table.add_row(*cells, *(number(said["quantities"][name][place]) for name in names))
    return table


def number(value: float | None, digits: int = 5) -> str:
    """A number with some digits, a dash for none."""
    return "-" if value is None else f"{value:.{digits}g}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(
            column, justify="left" if place == 0 or not column else "right", overflow="fold", no_wrap=True
        )
    return table
