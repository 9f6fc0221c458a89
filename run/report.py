"""The pictures of a run folder: deformed section, thickness in parts, debonding, crack risk; comparison of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from run import results, section_picture
from run.errors import ResultsError

Row = dict[str, float]
#: The parts of the thickening in the order they are stacked: name in the files, words, colour (after Okabe and Ito).
PARTS = {
    "solids": ("solids", "#8a8f94"),
    "interface_void": ("void at interfaces", "#0072b2"),
    "pores": ("pores", "#e69f00"),
    "lithium_removed": ("lithium removed", "#56b4e9"),
}
_DPI = 150


def draw_report(folder: Path) -> list[Path]:
    """Draw all pictures of a run folder anew.

    Raises:
        ResultsError: A file of the run is missing or damaged, or a picture cannot be written.
    """
    summary = results.read_json(folder / results.SUMMARY)
    _, rows = results.read_history(folder / results.HISTORY)
    pictures = folder / results.PICTURES
    drawn = [
        _save(_thickness(summary, rows), pictures / "thickness.png"),
        _save(_debonding(summary, rows), pictures / "debonding.png"),
    ]
    section = read_section(folder)
    if section is not None:
        figure, axes = section_picture.figure_for(section)
        section_picture.draw_lithiation(axes, section, summary)
        section_picture.add_lithiation_key(figure, [axes], [section])
        drawn.append(_save(figure, pictures / "section_lithiation.png"))
        figure, axes = section_picture.figure_for(section)
        section_picture.draw_debonding(axes, section, summary)
        section_picture.add_debonding_key(figure, [axes], [section])
        drawn.append(_save(figure, pictures / "section_debonding.png"))
        drawn += _crack_risk(summary, section, pictures)
    return drawn


def _crack_risk(summary: Mapping[str, Any], section: section_picture.Section, pictures: Path) -> list[Path]:
    """Maps of the two measures of cracking, where any phase of the run is judged."""
    drawn: list[Path] = []
    if not section_picture.judged_phases(summary):
        return drawn
    for quantity in ("crack_probability", "stress_intensity"):
        figure, axes = section_picture.figure_for(section)
        section_picture.draw_crack_risk(axes, section, summary, quantity)
        section_picture.add_crack_risk_key(figure, [axes], section, summary, quantity)
        drawn.append(_save(figure, pictures / f"section_{quantity}.png"))
    return drawn


def draw_comparison(runs: Mapping[str, Path], picture: Path) -> Path:
    """Draw the sections of two or more runs side by side to one scale, their thickening in parts below.

    Raises:
        ResultsError: A file of a run is missing or damaged, or the picture cannot be written.
    """
    summaries = {title: results.read_json(folder / results.SUMMARY) for title, folder in runs.items()}
    found = {title: read_section(folder) for title, folder in runs.items()}
    sections = {title: section for title, section in found.items() if section is not None}
    extents = [section_picture.extent(section) for section in sections.values()]
    top = max((reach[3] for reach in extents), default=1.0)
    width = 5.6
    tall = max((width * (top - low) / (right - left) for left, right, low, _ in extents), default=1.0)
    figure = Figure(figsize=(width * len(runs) + 1.5, min(tall, 12.0) + 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subfigures(2, 1, height_ratios=[min(tall, 12.0) + 1.6, 2.8])
    if sections:
        drawn = upper.subplots(1, len(sections), squeeze=False)[0]
        for axes, (title, section) in zip(drawn, sections.items(), strict=True):
            section_picture.draw_lithiation(axes, section, summaries[title], heading=title, top=top)
        section_picture.add_lithiation_key(upper, list(drawn), sections.values())
    _bars(lower.add_subplot(), summaries)
    return _save(figure, picture)


def one_line(summary: Mapping[str, Any]) -> str:
    """A run in one line."""
    parts = summary["thickening_parts_um"]
    words = ", ".join(f"{PARTS[name][0]} {value:+.2f}" for name, value in parts.items())
    return (
        f"{summary['case']}: {summary['thickness_start_um']:.2f} to {summary['thickness_um']:.2f} um "
        f"({summary['thickening_percent']:+.1f} %: {words} um) at mean lithiation "
        f"{summary['mean_lithiation']['hosts']:.3f}; {100.0 * summary['debonded_fraction']['all']:.1f} % of the "
        f"interfaces debonded; {summary['newton_iterations']} Newton iterations, {summary['wall_time_s']:.0f} s"
    )


def read_section(folder: Path) -> section_picture.Section | None:
    """The deformed section of a run, or None where it has none (3D).

    Raises:
        ResultsError: The file is damaged.
    """
    path = folder / results.SECTIONS
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read: {error}.") from error


# ---------------------------------------------------------------------- curves


def _column(rows: list[Row], name: str) -> npt.NDArray[np.float64]:
    return np.array([row[name] for row in rows])


def _curve_figure(title: str, ylabel: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("charge passed (mAh/cm²)")
    axes.set_ylabel(ylabel)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _thickness(summary: Mapping[str, Any], rows: list[Row]) -> Figure:
    """Thickening against charge: what adds is stacked upwards, what takes away downwards, the sum is the black line."""
    title = (
        f"{summary['case']}: {summary['thickness_start_um']:.2f} → {summary['thickness_um']:.2f} µm "
        f"({summary['thickening_percent']:+.1f} %)"
    )
    figure, axes = _curve_figure(title, "thickening (µm)")
    charge = _column(rows, "charge_mAh_cm2")
    above, below = np.zeros(len(rows)), np.zeros(len(rows))
    for name, (words, colour) in PARTS.items():
        part = _column(rows, f"thickening_{name}_um")
        if not np.any(np.abs(part) > 1e-9):
            continue
        gain, loss = np.maximum(part, 0.0), np.minimum(part, 0.0)
        label = f"{words}  {part[-1]:+.2f} µm"
        axes.fill_between(charge, above, above + gain, color=colour, linewidth=0.0, label=label)
        axes.fill_between(charge, below, below + loss, color=colour, linewidth=0.0)
        above, below = above + gain, below + loss
    total = _column(rows, "thickness_um") - rows[0]["thickness_um"]
    axes.plot(charge, total, color="black", linewidth=1.6, label=f"total  {total[-1]:+.2f} µm")
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.margins(x=0.0)
    axes.legend(loc="upper left", frameon=False)
    start = summary["thickness_start_um"]
    percent = axes.secondary_yaxis(
        "right", functions=(lambda um: 100.0 * um / start, lambda p: p * start / 100.0)
    )
    percent.set_ylabel("thickening (%)")
    return figure


def _debonding(summary: Mapping[str, Any], rows: list[Row]) -> Figure:
    """Debonded share of each kind of interface against charge; kinds that stay whole are named below."""
    figure, axes = _curve_figure(
        f"{summary['case']}: debonding of the interfaces", "debonded share of the interface (%)"
    )
    charge = _column(rows, "charge_mAh_cm2")
    kinds = {name: 100.0 * value for name, value in summary["debonded_fraction"].items() if name != "all"}
    shown = sorted((name for name, value in kinds.items() if value >= 0.05), key=lambda name: -kinds[name])
    for number, name in enumerate(shown):
        values = 100.0 * _column(rows, f"debonded_fraction_{name}")
        axes.plot(
            charge,
            values,
            color=_LINES[number % len(_LINES)],
            linestyle=("-", "--", ":")[number // len(_LINES) % 3],
            linewidth=1.6,
            label=f"{name.replace('|', ' | ')}  {values[-1]:.1f} %",
        )
    mean = 100.0 * _column(rows, "debonded_fraction")
    axes.plot(charge, mean, color="black", linewidth=2.4, label=f"all  {mean[-1]:.1f} %")
    axes.set_ylim(0.0, max(5.0, min(100.0, 1.08 * max([*(kinds[name] for name in shown), mean.max()]))))
    axes.margins(x=0.0)
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    whole = [name.replace("|", " | ") for name in kinds if name not in shown]
    if whole:
        text = "whole: " + ", ".join(whole)
        axes.annotate(
            text, (0.0, -0.16), xycoords="axes fraction", fontsize=7.5, color="#555555", va="top", wrap=True
        )
    figure.set_size_inches(9.5, 5.0)
    return figure


_LINES = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f94")


def _bars(axes: Any, summaries: Mapping[str, Mapping[str, Any]]) -> None:
    """The parts of the thickening of several runs as stacked bars, a black mark at the sum."""
    titles = list(summaries)
    seen: set[str] = set()
    reach = 0.0
    for row, title in enumerate(titles):
        parts = summaries[title]["thickening_parts_um"]
        right = left = 0.0
        for name, (words, colour) in PARTS.items():
            value = parts[name]
            if abs(value) < 1e-9:
                continue
            axes.barh(
                row, value, left=right if value > 0.0 else left, height=0.5, color=colour,
                label=words if words not in seen else None,
            )  # fmt: skip
            seen.add(words)
            right, left = right + max(value, 0.0), left + min(value, 0.0)
        total = sum(parts.values())
        axes.plot([total, total], [row - 0.34, row + 0.34], color="black", linewidth=2.5)
        words = f"{summaries[title]['thickening_percent']:+.1f} %  ({total:+.2f} µm)"
        axes.annotate(words, (max(right, total), row), xytext=(8, 0), textcoords="offset points", va="center")
        reach = max(reach, right)
    axes.set_xlim(right=1.25 * reach if reach > 0.0 else 1.0)
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.set_yticks(range(len(titles)), titles, fontweight="bold")
    axes.set_ylim(len(titles) - 0.4, -0.6)
    axes.set_xlabel("thickening in its parts (µm); the black mark is the sum")
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> Path:
    with results.written_whole(path) as aside:
        figure.savefig(aside, dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
    return path
