"""``swellbound benchmark interfaces``: what contact, damage and steps cost, and what of the answer hangs on them.

One electrode is lithiated as shipped and then with one number of the interfaces or of the solver changed at a time, all
in one call on one machine. Each lithiation is an ordinary run with a folder of its own; nothing is taken from others.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fem.interfaces.library import shipped_laws
from fem.stepping import StepSettings
from run import about
from run.case import load_case
from run.errors import EXIT_FAILURE, EXIT_OK, InputError, ResultsError
from run.launch import cores, on_ranks
from run.machine import machine
from run.results import HISTORY, SUMMARY, read_history, read_json, write_json

FORMAT = "swellbound-benchmark/1"
DEFAULT_CASE = Path(__file__).parent / "cases" / "demo_bare.toml"
DEFAULT_OUT = Path("results/benchmark/interfaces")
DEFAULT_END = 0.1
TABLE = "interfaces.json"
_WIDTH = 140

Settings = tuple[str, ...]
History = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Variant:
    """A lithiation with something changed.

    Attributes:
        name: Of its folder.
        title: For people.
        settings: From the history of the lithiation as shipped to what ``--set`` takes.
    """

    name: str
    title: str
    settings: Callable[[History], Settings]


def _contact(factor: float) -> Settings:
    shipped = next(law for law in shipped_laws().values() if law.breaks).contact_stiffness.value
    return (f"interfaces.all.contact_stiffness={factor * shipped:g} MPa/um",)


def _smaller_steps(history: History) -> Settings:
    """No step above a quarter of the median one."""
    typical = statistics.median(row["dt_s"] for row in history[1:])
    return (f"time.largest_step={0.25 * typical!r} s", f"time.first_step={min(1.0, 0.25 * typical)!r} s")


SHIPPED = Variant("shipped", "as shipped", lambda history: ())
VARIANTS = (
    SHIPPED,
    Variant("contact_softer", "contact ten times softer", lambda history: _contact(0.1)),
    Variant("contact_stiffer", "contact ten times stiffer", lambda history: _contact(10.0)),
    Variant(
        "less_inertia",
        "numerical inertia a third",
        lambda history: (
            f"time.resting_stabilisation={StepSettings.resting_stabilisation / 3.0:g} MPa/um",
            f"time.holding_stabilisation={StepSettings.holding_stabilisation / 3.0:g} MPa/um",
        ),
    ),
    Variant("exponential", "exponential law", lambda history: ("interfaces.all.law=exponential",)),
    Variant(
        "relaxed",
        "damage relaxed over two steps",
        lambda history: ("solver.damage_relaxation=2",),
    ),
    Variant("smaller_steps", "steps four times smaller", _smaller_steps),
)
"""The lithiation as shipped comes first: others are made from it and compared with it."""


def run_interfaces(
    case: Path = DEFAULT_CASE,
    end: float = DEFAULT_END,
    out: Path = DEFAULT_OUT,
    ranks: int | None = None,
    variants: Sequence[Variant] = VARIANTS,
) -> int:
    """Lithiate with every variant, print a table and write a JSON file.

    Args:
        case: A case file with a [drive].
        end: Mean lithiation of the hosts at the end.
        out: Folder for the runs and the table.
        ranks: MPI ranks of each run; as many as there are cores, at most two, if None.
        variants: What to run; the first is what others are compared with.

    Returns:
        Exit code: a failure where a lithiation did not reach its end.

    Raises:
        InputError: The case or the end is not allowed.
        ResultsError: A run left no summary.
    """
    from rich.console import Console

    if load_case(case).file.process is not None:
        raise InputError(
            "--case", f"= {str(case)!r} is not allowed: it has a [process]; give one with a [drive]"
        )
    common = (f"drive.until_mean_lithiation={end!r}", "output.pictures=false", "output.fields=false")
    load_case(case, common)
    ranks = min(cores(), 2) if ranks is None else ranks
    found: list[dict[str, Any]] = []
    history: History = ()
    for variant in variants:
        settings = (*common, *variant.settings(history))
        print(f"\n== {variant.title}: {' '.join(settings[len(common) :]) or 'no change'}", flush=True)
        folder = out / variant.name
        words = [word for setting in settings for word in ("--set", setting)]
        on_ranks(ranks, "run.cli", ["run", str(case), "--out", str(folder), "--quiet", *words])
        if not (folder / SUMMARY).is_file():
            raise ResultsError(f"{variant.title}: the run in {folder} left no {SUMMARY}; see its run.log")
        found.append({"name": variant.name, "title": variant.title, **_figures(folder, settings)})
        history = history or read_history(folder / HISTORY)[1]
    table = {
        "format": FORMAT,
        "benchmark": "interfaces",
        "machine": machine(),
        "version": about.version(),
        "commit": about.commit(),
        "libraries": about.versions(),
        "case": case.stem,
        "runs": found,
    }
    write_json(out / TABLE, table)
    Console(width=_WIDTH).print(comparison(table))
    print(f"{table['machine']}; figures in {out / TABLE}")
    return EXIT_OK if all(run["exit_code"] == EXIT_OK for run in found) else EXIT_FAILURE


def _figures(folder: Path, settings: Settings) -> dict[str, Any]:
    summary = read_json(folder / SUMMARY)
    last = read_history(folder / HISTORY)[1][-1]
    work = abs(last["external_work_pJ_um"]) + abs(last["chemical_work_pJ_um"])
    wanted = (
        "exit_code", "newton_iterations", "steps_accepted", "steps_rejected", "wall_time_s", "thickening_percent",
        "thickening_parts_um", "penetration_max_um", "energy_balance_error", "dofs", "ranks", "mesh_hash", "case_hash",
    )  # fmt: skip
    return {
        **{key: summary[key] for key in wanted},
        "settings": list(settings),
        "mean_lithiation": summary["mean_lithiation"]["hosts"],
        "penetration_mean_um": last["penetration_mean_um"],
        "viscous_share": last["viscous_dissipation_pJ_um"] / work if work else math.nan,
        "stabilisation_share": last["stabilisation_dissipation_pJ_um"] / work if work else math.nan,
    }


def comparison(table: dict[str, Any]) -> Any:
    """A row a lithiation, with its thickening beside that of the first."""
    from rich.table import Table

    runs = table["runs"]
    shown = Table(
        title=f"{table['case']}, {runs[0]['dofs']} unknowns, {runs[0]['ranks']} ranks", title_justify="left"
    )
    for name in (
        "",
        "x",
        "iterations",
        "steps",
        "rejected",
        "time, s",
        "thickening",
        "against first",
        "void, um",
    ):
        shown.add_column(name, justify="right" if name else "left")
    for name in ("overlap max, nm", "mean, nm", "energy error", "viscous", "inertia"):
        shown.add_column(name, justify="right")
    first = runs[0]["thickening_percent"]
    for run in runs:
        thickening = run["thickening_percent"]
        shown.add_row(
            run["title"] + ("" if run["exit_code"] == EXIT_OK else f" (exit code {run['exit_code']})"),
            f"{run['mean_lithiation']:.3f}",
            str(run["newton_iterations"]),
            str(run["steps_accepted"]),
            str(run["steps_rejected"]),
            f"{run['wall_time_s']:.0f}",
            f"{thickening:+.2f} %",
            f"{100.0 * (thickening / first - 1.0):+.1f} %" if first else "",
            f"{run['thickening_parts_um']['interface_void']:.3f}",
            f"{1e3 * run['penetration_max_um']:.1f}",
            f"{1e3 * run['penetration_mean_um']:.4f}",
            f"{100.0 * run['energy_balance_error']:.2f} %",
            f"{100.0 * run['viscous_share']:.1f} %",
            f"{100.0 * run['stabilisation_share']:.1f} %",
        )
    return shown
