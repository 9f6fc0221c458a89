"""Pictures of several runs of processes side by side: voltage, thickness in parts, lithium book, sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from run import results, section_picture
from run.errors import InputError
from run.key_states import KeyState, as_summary, key_states, section_of
from run.report import PARTS, Row, _save

#: A colour for each run (after Okabe and Ito), and for each place lithium can be.
RUNS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
PLACES = {
    "graphite": "#8a8f94",
    "silicon": "#d1495b",
    "lithium": "#56b4e9",
    "side_products": "#f2c14e",
    "oxide": "#7b2d6b",
}
_OTHERS = ("#009e73", "#e69f00", "#0072b2")


def draw_runs(folders: Sequence[Path], out: Path) -> list[Path]:
    """Draw several runs side by side.

    Args:
        folders: Of the runs; each of a process.
        out: Folder of the pictures.

    Returns:
        The pictures.

    Raises:
        InputError: A folder holds no run of a process.
        ResultsError: A file of a run is missing or damaged, or a picture cannot be written.
    """
    summaries = [results.read_json(folder / results.SUMMARY) for folder in folders]
    for folder, summary in zip(folders, summaries, strict=True):
        if not key_states(summary):
            raise InputError(
                "DIR",
                f"= {str(folder)!r} is not allowed beside others: it is no run of a [process] with a step done",
            )
    titles = _titles(folders, summaries)
    histories = [results.read_history(folder / results.HISTORY)[1] for folder in folders]
    states = dict(zip(titles, (key_states(summary) for summary in summaries), strict=True))
    drawn = [
        _save(_voltage(titles, summaries, histories), out / "voltage.png"),
        _save(_thickness(titles, histories), out / "thickness.png"),
        _save(_thickness_states(states), out / "thickness_states.png"),
        _save(_book(states), out / "lithium_book.png"),
    ]
    sections = _sections(titles, folders, summaries)
    return drawn if sections is None else [*drawn, _save(sections, out / "sections.png")]


def _titles(folders: Sequence[Path], summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the cases, or of the folders where two cases have one name."""
    names = [str(summary["case"]) for summary in summaries]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _tidy(axes: Any) -> None:
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


# ---------------------------------------------------------------------- curves


def _voltage(titles: list[str], summaries: list[dict[str, Any]], histories: list[list[Row]]) -> Figure:
    """Voltage against capacity, each half cycle from zero; of several cycles the first and the last."""
    figure = _figure(8.0, 5.4)
    axes = figure.add_subplot()
    _tidy(axes)
    for number, (title, summary, rows) in enumerate(zip(titles, summaries, histories, strict=True)):
        colour, cycles = RUNS[number % len(RUNS)], [told["cycle"] for told in summary["cycles"]]
        for which in dict.fromkeys([*cycles[:1], *cycles[-1:]]):
            shown = _half_cycles(summary, rows, which)
            for lithiates, (capacity, voltage) in shown.items():
                style = "-" if lithiates else "--"
                width = 1.8 if which == cycles[0] else 0.9
                axes.plot(capacity, voltage, color=colour, linestyle=style, linewidth=width)
        first = summary["cycles"][0] if summary["cycles"] else None
        axes.plot([], [], color=colour, linewidth=1.8, label=_cycle_label(title, first))
    axes.plot([], [], color="#555555", linestyle="-", label="lithiation")
    axes.plot([], [], color="#555555", linestyle="--", label="delithiation")
    axes.set_xlabel("capacity passed in the half cycle (mAh/cm²)")
    axes.set_ylabel("voltage between the terminals (V)")
    axes.set_title("Voltage against capacity; thick: first cycle, thin: last", loc="left", fontsize=11)
    axes.set_xlim(left=0.0)
    axes.legend(frameon=False, fontsize=8.5)
    return figure


def _cycle_label(title: str, cycle: Mapping[str, Any] | None) -> str:
    if cycle is None:
        return f"{title}: no cycle"
    efficiency = cycle["coulombic_efficiency"]
    told = "" if efficiency is None else f", {100.0 * efficiency:.1f} %"
    return f"{title}: {cycle['lithiation_mAh_cm2']:.2f} in, {cycle['delithiation_mAh_cm2']:.2f} out{told}"


def _half_cycles(
    summary: Mapping[str, Any], rows: list[Row], cycle: int
) -> dict[bool, tuple[list[float], list[float]]]:
    """Capacity and voltage of lithiation (True) and delithiation, holds counted with the current before them."""
    curves: dict[bool, tuple[list[float], list[float]]] = {}
    inwards = True
    for block in summary["steps"]:
        if block["kind"] not in ("current", "hold") or block["cycle"] != cycle:
            continue
        if block["kind"] == "current":
            inwards = bool(block["lithiates"])
        own = [row for row in rows if row["process_step"] == block["number"]]
        capacity, voltage = curves.setdefault(inwards, ([], []))
        so_far = capacity[-1] if capacity else 0.0
        begin = own[0]["charge_mAh_cm2"] - own[0]["current_A_m2"] * own[0]["dt_s"] / 3.6e4 if own else 0.0
        capacity += [so_far + abs(row["charge_mAh_cm2"] - begin) for row in own]
        voltage += [row["terminal_voltage_V"] for row in own]
    return curves


def _thickness(titles: list[str], histories: list[list[Row]]) -> Figure:
    """Thickening in its parts against all charge passed in either direction, a panel a run."""
    figure = _figure(4.6 * len(titles) + 0.6, 4.8)
    panels = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axes, title, rows in zip(panels, titles, histories, strict=True):
        _tidy(axes)
        net = np.array([row["charge_mAh_cm2"] for row in rows])
        passed = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(net)))])
        above, below = np.zeros(len(rows)), np.zeros(len(rows))
        for name, (words, colour) in PARTS.items():
            part = np.array([row[f"thickening_{name}_um"] for row in rows])
            gain, loss = np.maximum(part, 0.0), np.minimum(part, 0.0)
            axes.fill_between(passed, above, above + gain, color=colour, linewidth=0.0, label=words)
            axes.fill_between(passed, below, below + loss, color=colour, linewidth=0.0)
            above, below = above + gain, below + loss
        total = np.array([row["thickness_um"] - rows[0]["thickness_um"] for row in rows])
        axes.plot(passed, total, color="black", linewidth=1.5, label="total")
        turn = int(np.argmax(net))
        if 0 < turn < len(rows) - 1:
            axes.axvline(passed[turn], color="#555555", linewidth=0.8, linestyle=":")
        axes.axhline(0.0, color="black", linewidth=0.6)
        axes.margins(x=0.0)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlabel("charge passed, in and out (mAh/cm²)")
    panels[0].set_ylabel("thickening under the cell's pressure (µm)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=5, loc="outside lower center", fontsize=8.5)
    return figure


# ---------------------------------------------------------------------- bars


def _grouped(states: Mapping[str, list[KeyState]]) -> list[tuple[float, str, KeyState]]:
    """Position, name and state of every bar, a group for each run."""
    places, at = [], 0.0
    for title, own in states.items():
        for state in own:
            places.append((at, title, state))
            at += 1.0
        at += 0.8
    return places


def _label_groups(axes: Any, bars: list[tuple[float, str, KeyState]], marks: Mapping[int, str]) -> None:
    axes.set_xticks(
        [at for at, _, _ in bars], [state.label + marks.get(i, "") for i, (_, _, state) in enumerate(bars)],
        rotation=35, ha="right", fontsize=8.5,
    )  # fmt: skip
    for title in dict.fromkeys(title for _, title, _ in bars):
        own = [at for at, name, _ in bars if name == title]
        axes.annotate(
            title, (0.5 * (own[0] + own[-1]), 1.02), xycoords=("data", "axes fraction"), ha="center",
            fontweight="bold", fontsize=9,
        )  # fmt: skip


def _stack(axes: Any, at: float, parts: Mapping[str, tuple[float, str]]) -> tuple[float, float]:
    """One stacked bar of (value, colour) by name; its lower and upper end."""
    above = below = 0.0
    for value, colour in parts.values():
        axes.bar(at, value, bottom=above if value > 0.0 else below, width=0.8, color=colour)
        above, below = above + max(value, 0.0), below + min(value, 0.0)
    return below, above


def _thickness_states(states: Mapping[str, list[KeyState]]) -> Figure:
    bars = _grouped(states)
    figure = _figure(1.0 * len(bars) + 2.5, 5.2)
    axes = figure.add_subplot()
    _tidy(axes)
    marks = {}
    for number, (at, _, state) in enumerate(bars):
        _, top = _stack(axes, at, {name: (state.parts[name], PARTS[name][1]) for name in PARTS})
        total = sum(state.parts.values())
        axes.plot([at - 0.4, at + 0.4], [total, total], color="black", linewidth=2.0)
        axes.annotate(
            f"{state.thickness:.1f}", (at, max(top, 0.0)), xytext=(0, 3), textcoords="offset points", ha="center",
            fontsize=8.5,
        )  # fmt: skip
        if not state.unloaded:
            marks[number] = " *"
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.margins(y=0.12)
    axes.set_ylabel("thickening (µm); the number is the thickness in µm")
    _label_groups(axes, bars, marks)
    handles = [Patch(color=colour, label=words) for words, colour in PARTS.values()]
    title = "unloaded; * under the pressure of its step" if marks else "unloaded"
    figure.legend(
        handles=handles, title=title, frameon=False, ncols=4, loc="outside lower center", fontsize=8.5
    )
    return figure


def _book(states: Mapping[str, list[KeyState]]) -> Figure:
    """Where the lithium is, in mAh/cm²; hatched what sits in grains that are cut off."""
    bars = _grouped(states)
    names = list(dict.fromkeys(name for _, _, state in bars for name in state.held))
    spare = cycle(_OTHERS)
    colours: dict[str, str] = {name: PLACES[name] if name in PLACES else next(spare) for name in names}
    figure = _figure(1.0 * len(bars) + 2.5, 5.2)
    axes = figure.add_subplot()
    _tidy(axes)
    trapped = False
    for at, _, state in bars:
        _, top = _stack(axes, at, {name: (value, colours[name]) for name, value in state.held.items()})
        if state.trapped > 1e-9:
            trapped = True
            axes.bar(at, state.trapped, width=0.8, fill=False, hatch="////", edgecolor="black", linewidth=0.0)
        axes.annotate(
            f"{top:.2f}", (at, top), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=8.5
        )
    axes.margins(y=0.12)
    axes.set_ylabel("lithium in the electrode (mAh/cm²)")
    _label_groups(axes, bars, {})
    handles = [Patch(color=colour, label=name.replace("_", " ")) for name, colour in colours.items()]
    if trapped:
        handles.append(Patch(fill=False, hatch="////", label="of it in grains that are cut off"))
    figure.legend(handles=handles, frameon=False, ncols=4, loc="outside lower center", fontsize=8.5)
    return figure


# ---------------------------------------------------------------------- sections


def _sections(titles: list[str], folders: Sequence[Path], summaries: list[dict[str, Any]]) -> Figure | None:
    """A row a run, a column a key state, all to one scale; None where no section was kept (3D)."""
    rows = []
    for title, folder, summary in zip(titles, folders, summaries, strict=True):
        shown = [(state, section_of(folder, state)) for state in key_states(summary)]
        own = [(state, section) for state, section in shown if section is not None]
        if own:
            rows.append((title, summary, own))
    if not rows:
        return None
    sections = [section for _, _, own in rows for _, section in own]
    extents = [section_picture.extent(section) for section in sections]
    top, low = max(reach[3] for reach in extents), min(reach[2] for reach in extents)
    width = max(reach[1] - reach[0] for reach in extents)
    columns, wide = max(len(own) for _, _, own in rows), 3.2
    tall = min(wide * (top - low) / width, 9.0)
    figure = _figure(wide * columns + 1.6, (tall + 0.9) * len(rows) + 0.8)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, summary, own) in zip(grid, rows, strict=True):
        for axes in line[len(own) :]:
            axes.set_axis_off()
        for axes, (state, section) in zip(line, own, strict=False):
            block = summary["steps"][state.step - 1]
            told = as_summary(summary, state, block["thickness_end_um"])
            section_picture.draw_lithiation(axes, section, told, heading=f"{title}, {state.label}", top=top)
            axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=8)
            if axes is not line[0]:
                axes.set_ylabel("")
    section_picture.add_lithiation_key(figure, list(grid.ravel()), sections)
    return figure
