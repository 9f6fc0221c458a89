"""The pictures of a calibration: targets against what was reached, sensitivities as bars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from run import results
from run.study.plots import COLOURS

_DPI = 150
#: Residuals beyond this many tolerances are drawn at the edge, with their number.
_EDGE = 6.0


def draw(said: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw both pictures.

    Args:
        said: The table of ``outcome``.
        folder: Where to.

    Raises:
        ResultsError: A picture cannot be written.
    """
    drawn = []
    for name, figure in (("targets", _targets(said)), ("sensitivities", _sensitivities(said))):
        path = folder / f"{name}.png"
        with results.written_whole(path) as aside:
            figure.savefig(aside, dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
        drawn.append(path)
    return drawn


def _figure(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(8.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _targets(said: Mapping[str, Any]) -> Figure:
    """Residuals in tolerances, at the start and at the end; the numbers beside the names."""
    targets = said["targets"]
    figure, axes = _figure(1.6 + 0.55 * len(targets))
    rows = np.arange(len(targets))[::-1]
    axes.axvspan(-1.0, 1.0, color="#009e73", alpha=0.12, linewidth=0.0, label="within one tolerance")
    axes.axvline(0.0, color="#555555", linewidth=1.0)
    for key, label, marker, size, filled, colour in (
        ("reached_at_start", "at the start", "o", 13, "none", COLOURS[6]),
        ("reached", "fitted", "D", 8, "full", COLOURS[0]),
    ):
        found = [(row, one) for row, one in zip(rows, targets, strict=True) if one[key] is not None]
        away = np.array([(one[key] - one["value"]) / one["tolerance"] for _, one in found])
        shown = np.clip(away, -_EDGE, _EDGE)
        axes.plot(
            shown, [row for row, _ in found], marker, color=colour, markersize=size, fillstyle=filled, label=label,
            linestyle="none", markeredgewidth=1.5, clip_on=False,
        )  # fmt: skip
        for residual, place, (row, _) in zip(away, shown, found, strict=True):
            if abs(residual) > _EDGE:
                axes.annotate(
                    f"{residual:+.0f}", (place, row), xytext=(0, 7), textcoords="offset points",
                    ha="center", fontsize=8, color=colour,
                )  # fmt: skip
    axes.set_yticks(
        rows,
        [
            f"{one['name']}\n{one['reached']:.3g} for {one['value']:.3g} {_short(one['unit'])}"
            for one in targets
        ],
        fontsize=9,
    )
    axes.set_ylim(-0.6, len(targets) - 0.4)
    axes.set_xlim(-_EDGE, _EDGE)
    axes.set_xlabel("what the model reaches minus what was measured, in tolerances")
    axes.set_title(f"{said['calibration']}: targets", loc="left", fontsize=10, fontweight="bold")
    axes.legend(frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)
    return figure


def _sensitivities(said: Mapping[str, Any]) -> Figure:
    """A group of bars for each target, one bar a parameter."""
    targets = [one["name"] for one in said["targets"]]
    parameters = [one["name"] for one in said["parameters"]]
    figure, axes = _figure(1.6 + 0.16 * len(targets) * (len(parameters) + 2))
    thick = 0.8 / len(parameters)
    for j, name in enumerate(parameters):
        values = [said["sensitivities"][target][name] for target in targets]
        places = [len(targets) - 1 - i + 0.4 - (j + 0.5) * thick for i in range(len(targets))]
        bars = [0.0 if value is None else value for value in values]
        axes.barh(places, bars, height=0.9 * thick, color=COLOURS[j % len(COLOURS)], label=name)
    axes.axvline(0.0, color="#555555", linewidth=1.0)
    axes.set_yticks([len(targets) - 1 - i for i in range(len(targets))], targets, fontsize=9)
    axes.set_xlabel("d ln(quantity) / d ln(parameter) at the end of the fit")
    axes.set_title(f"{said['calibration']}: sensitivities", loc="left", fontsize=10, fontweight="bold")
    axes.legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _short(unit: str) -> str:
    return "" if unit == "1" else unit.replace("^2", "²").replace("um", "µm")
