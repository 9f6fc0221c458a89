"""The pictures of an adhesion test: force and work against the way of the grip, and the section that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from run import results, section_picture

_DPI = 150
#: The parts of the work in the order they are stacked: columns of adhesion.csv that are summed, words, colour.
_PARTS = (
    (("cohesive_J_m2",), "cohesive", "#0072b2"),
    (("plastic_lithium_J_m2",), "plastic, lithium", "#e69f00"),
    ((), "plastic, elsewhere", "#cc79a7"),
    (("viscous_J_m2",), "viscous", "#56b4e9"),
    (("friction_J_m2",), "friction", "#009e73"),
    (("stored_J_m2",), "stored", "#8a8f94"),
    (("chemical_J_m2",), "lithium that moves", "#d55e00"),
)


def draw_curve(table: Mapping[str, Any], rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Force above, work and its parts below, against the way of the grip."""
    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    way = 1e3 * np.array([row["way_um"] for row in rows])
    width = table["section_area_um"] / table["section_area_per_width"]
    force = np.array([row["force_N_m"] for row in rows])
    peel = table["test"] == "peel"
    above.plot(way, force if peel else force / width, color="black", linewidth=1.8)
    above.axhline(0.0, color="#999999", linewidth=0.8)
    above.set_ylabel("force per width (N/m)" if peel else "mean stress (MPa)")
    if peel and table["steady_force_N_m"] is not None:
        above.axhline(table["steady_force_N_m"], color="#0072b2", linestyle=(0, (6, 4)), linewidth=1.2)
    above.set_title(_title(table), loc="left", fontsize=11)

    known = {name for names, _, _ in _PARTS for name in names}
    elsewhere = [name for name in rows[0] if name.startswith("plastic_") and name not in known]
    low = high = np.zeros(len(rows))
    for names, words, colour in _PARTS:
        values = np.zeros(len(rows))
        for name in names or elsewhere:
            values = values + np.array([row.get(name, 0.0) for row in rows])
        if np.abs(values).max() < 1e-3 * max(abs(table["work_J_m2"]), 1e-12):
            continue
        # What is given back goes below zero, so that the two stacks add up to the work.
        up, down = np.maximum(values, 0.0), np.minimum(values, 0.0)
        below.fill_between(way, high, high + up, color=colour, alpha=0.85, linewidth=0.0, label=words)
        below.fill_between(way, low, low + down, color=colour, alpha=0.85, linewidth=0.0)
        high, low = high + up, low + down
    work = np.array([row["external_work_J_m2"] for row in rows])
    # What lies between the stack and the line is lost in snaps.
    below.plot(way, work, color="black", linewidth=1.4, label="work of the grip")
    below.set_xlabel("way of the grip (nm)")
    below.set_ylabel("work per area (J/m²)")
    below.legend(frameon=False, fontsize=9)
    for axes in (above, below):
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.margins(x=0.0)
    _save(figure, path)


def draw_section(table: Mapping[str, Any], section: section_picture.Section, path: Path) -> None:
    """The electrode at the end of the test, debonded interfaces marked, gaps dark."""
    figure, axes = section_picture.figure_for(section)
    state = table["state"]
    told = {
        "case": table["case"],
        "mean_lithiation": {"hosts": state["mean_lithiation"]},
        **{name: state[name] for name in ("thickness_um", "thickness_start_um", "thickening_percent")},
    }
    section_picture.draw_debonding(axes, section, told)
    axes.set_title(_title(table), loc="left", fontsize=11)
    section_picture.add_debonding_key(figure, [axes], [section])
    _save(figure, path)


def _title(table: Mapping[str, Any]) -> str:
    if table["test"] == "peel":
        steady = table["steady_force_N_m"]
        found = "no steady state reached" if steady is None else f"steady force {steady:.3g} N/m"
    else:
        found = f"work {table['work_of_separation_J_m2']:.3g} J/m², strength {table['strength_MPa']:.3g} MPa"
        found = f"nothing holds: below {found}" if table["nothing_holds"] else found
    return (
        f"{table['case']}: {table['test']} at {table['at']}, {table['rate_um_s']:g} µm/s, "
        f"{table['temperature_K'] - 273.15:.0f} °C\n{found}"
    )


def _save(figure: Figure, path: Path) -> None:
    with results.written_whole(path) as aside:
        figure.savefig(aside, dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
