"""What a calibration says on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def report(said: Mapping[str, Any], files: Sequence[Path], console: Console | None = None) -> None:
    """Print parameters, targets, what was not met, and where the files are."""
    console = console or Console(width=None if Console().is_terminal else 160, soft_wrap=True)
    console.print(_parameters(said))
    console.print(_targets(said))
    state = "converged" if said["converged"] else "NOT converged"
    cost = said["cost"]
    lines = [
        f"{said['calibration']}: {state}, {said['reason']}; sum of squares {said['sum_of_squares']:.3g}",
        f"{cost['evaluations']} evaluations, {cost['failed']} of them failed; {cost['runs']} runs, "
        f"{cost['wall_time_s']:.0f} s, {cost['newton_iterations']} Newton iterations",
        *said["sentences"],
        *(
            f"failed: evaluation {one['number']}: {one['reason']}"
            for one in said["evaluations"]
            if one["reached"] is None
        ),
        *(f"  {path}" for path in files),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def uncertainty_text(one: Mapping[str, Any]) -> str:
    """The standard uncertainty of a parameter: a factor, or a value with its unit."""
    if one["standard_uncertainty"] is None:
        return "unknown"
    if one["uncertainty_factor"] is not None:
        return f"×/÷ {one['uncertainty_factor']:.2f}"
    return f"± {one['standard_uncertainty']:.2g}"


def _parameters(said: Mapping[str, Any]) -> Table:
    table = _table("parameter", "low", "start", "high", "fitted", "uncertainty", "learned", "at bound")
    for one in said["parameters"]:
        learned = "–" if one["learned"] is None else f"{100.0 * one['learned']:.0f} %"
        unit = f" {one['unit']}" if one["unit"] else ""
        table.add_row(
            one["name"], *(f"{one[key]:.4g}{unit}" for key in ("low", "start", "high", "fitted")),
            uncertainty_text(one), learned, one["at_bound"] or "no",
        )  # fmt: skip
    return table


def _targets(said: Mapping[str, Any]) -> Table:
    table = _table("target", "aimed", "tolerance", "at start", "reached", "residual")
    for one in said["targets"]:
        start = one["reached_at_start"]
        table.add_row(
            one["name"], f"{one['value']:.4g} {one['unit']}", f"{one['tolerance']:.2g}",
            "–" if start is None else f"{start:.4g}", f"{one['reached']:.4g}", f"{one['residual']:+.2f}",
        )  # fmt: skip
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == headings[0] else "right")
    return table
