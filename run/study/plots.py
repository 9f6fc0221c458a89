"""The pictures of a study, one a quantity: convergence, strips of seeds, curves of a sweep, scatter of a design."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter

from run import results
from run.study import analysis, table
from run.study.places import Places
from run.study.points import Study
from run.study.table import Row
from run.study.values import axis

#: After Okabe and Ito.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f94")
_DPI = 150
#: Ratio of the largest to the smallest value from which on an axis is logarithmic.
_FAR_APART = 5.0
#: So many different values each get a tick of their own.
_FEW = 8


def draw(study: Study, places: Places, rows: Sequence[Row]) -> list[Path]:
    """Draw a picture of every quantity that enough finished points have; pictures of others are removed.

    Raises:
        ResultsError: A picture cannot be written, or the sidecar of a mesh is missing.
    """
    drawn = []
    levels = analysis.levels_of(places, rows) if study.file.study.kind == "mesh_refinement" else None
    for name in study.file.study.quantities:
        path = places.pictures / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
        if levels is not None:
            figure = _convergence(study, levels, name)
        elif study.file.study.kind == "seeds":
            figure = _seeds(study, rows, name)
        elif study.file.study.kind == "design":
            figure = _design(study, rows, name)
        else:
            figure = _sweep(study, rows, name)
        if figure is None:
            path.unlink(missing_ok=True)
            continue
        with results.written_whole(path) as aside:
            figure.savefig(aside, dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
        drawn.append(path)
    return drawn


def _figure(width: float, panels: int = 1) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(width, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    found = list(np.atleast_1d(figure.subplots(1, panels, sharey=True)))
    for axes in found:
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure, found


def _scale(axes: Any, along: npt.NDArray[np.float64]) -> None:
    """Logarithmic where values lie far apart, whole numbers where there are only such; ticks as one writes them."""
    if np.all(along > 0.0) and along.max() / along.min() >= _FAR_APART:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        if len(np.unique(along)) <= _FEW:
            axes.xaxis.set_major_locator(FixedLocator([float(value) for value in np.unique(along)]))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif np.all(along == np.round(along)):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _convergence(study: Study, levels: analysis.Levels, name: str) -> Figure | None:
    """Results against element size, the fit through all of them, limit and uncertainty of the finest."""
    found = analysis.convergence_of(levels, name)
    if found is None:
        return None
    figure, (axes,) = _figure(7.0)
    values = table.values(levels.rows, name)
    known = np.isfinite(values)
    sizes, values = levels.sizes[known], values[known]
    limit, factor, order = found.fit
    fine = np.linspace(0.0, 1.05 * sizes[0], 200)
    if found.behaviour == "converging":
        axes.plot(
            fine, limit + factor * fine**order, color="#8a8f94", linewidth=1.2, linestyle="--",
            label=f"fit through all levels, order {order:.2g}",
        )  # fmt: skip
    axes.plot(sizes, values, "o", color=COLOURS[0], markersize=7, label="runs")
    axes.errorbar(
        sizes[-1:], values[-1:], yerr=found.uncertainty, color=COLOURS[0], capsize=5, linewidth=1.4,
        label=f"uncertainty of the finest (factor {found.safety:g})",
    )  # fmt: skip
    if found.limit is not None:
        words = f"limit {found.limit:.4g}, order {found.order:.2g} of the three finest"
        axes.plot([0.0], [found.limit], "D", color=COLOURS[1], markersize=7, clip_on=False, label=words)
    axes.set_xlim(0.0, 1.05 * sizes[0])
    axes.set_xlabel("mean element size (µm)")
    axes.set_ylabel(name)
    axes.set_title(
        f"{study.file.study.name}: {found.verdict}", loc="left", fontsize=10, fontweight="bold", wrap=True
    )
    axes.legend(frameon=False, fontsize=8.5)
    return figure


def _seeds(study: Study, rows: Sequence[Row], name: str) -> Figure | None:
    """Every seed as a dot, the mean of a group as a line, its confidence interval as a bar."""
    samples = {tuple(group.items()): sample for group, sample in analysis.spreads(study, rows, name)}
    if not samples:
        return None
    groups = {key: members for key, members in analysis.groups(rows).items() if key in samples}
    figure, (axes,) = _figure(3.2 + 1.8 * len(groups))
    for place, (group, members) in enumerate(groups.items()):
        sample = samples[group]
        values = table.values(members, name)
        values = np.sort(values[np.isfinite(values)])
        shift = 0.16 * (np.arange(len(values)) / max(1, len(values) - 1) - 0.5)
        axes.plot(
            place + shift,
            values,
            "o",
            color=COLOURS[0],
            alpha=0.75,
            markersize=6,
            label="" if place else "seeds",
        )
        half = 100.0 * sample.half_width / abs(sample.mean) if sample.mean else 0.0
        axes.errorbar(
            [place + 0.24], [sample.mean], yerr=sample.half_width, fmt="_", markersize=16, color=COLOURS[1],
            capsize=5, linewidth=1.8, label="" if place else f"mean and its {100.0 * sample.confidence:g} % interval",
        )  # fmt: skip
        axes.annotate(
            f"{sample.mean:.4g}\n± {sample.half_width:.2g} ({half:.0f} %)\nn = {sample.count}",
            (place + 0.3, sample.mean), xytext=(6, 0), textcoords="offset points", fontsize=8.5, va="center",
        )  # fmt: skip
    titles = [
        ", ".join(f"{key.split('.')[-1]} {value:g}" for key, value in group) or "all seeds"
        for group in groups
    ]
    axes.set_xticks(range(len(titles)), titles)
    axes.set_xlim(-0.4, len(titles) - 0.25 + 0.1)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(name)
    axes.set_title(study.file.study.name, loc="left", fontsize=10, fontweight="bold")
    axes.legend(frameon=False, fontsize=8.5)
    return figure


def _sweep(study: Study, rows: Sequence[Row], name: str) -> Figure | None:
    """The quantity against the first key that is a number, a line for each combination of the others."""
    values = table.values(rows, name)
    if not np.any(np.isfinite(values)):
        return None
    settings = [dict(row.point.settings) for row in rows]
    numbers = {key: axis([one[key] for one in settings]) for key in study.keys}
    first = next((key for key, found in numbers.items() if found is not None), study.keys[0])
    found = numbers[first]
    if found is None:
        texts = list(dict.fromkeys(str(one[first]) for one in settings))
        along, unit = np.array([float(texts.index(str(one[first]))) for one in settings]), ""
    else:
        along, unit = found
    figure, (axes,) = _figure(7.0)
    others = [key for key in study.keys if key != first]
    lines = list(dict.fromkeys(tuple(str(one[key]) for key in others) for one in settings))
    for place, line in enumerate(lines):
        mine = np.array([tuple(str(one[key]) for key in others) == line for one in settings]) & np.isfinite(
            values
        )
        order = np.argsort(along[mine])
        label = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in zip(others, line, strict=True))
        label += "" if np.any(mine) else " (no result)"
        axes.plot(
            along[mine][order], values[mine][order], marker="o", color=COLOURS[place % len(COLOURS)],
            linestyle=("-", "--", ":")[place // len(COLOURS) % 3], linewidth=1.4, label=label,
        )  # fmt: skip
    if found is None:
        axes.set_xticks(range(len(texts)), texts)
    else:
        _scale(axes, along)
    axes.set_xlabel(f"{first} ({unit})" if unit else first)
    axes.set_ylabel(name)
    axes.set_title(study.file.study.name, loc="left", fontsize=10, fontweight="bold")
    if others:
        axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def _design(study: Study, rows: Sequence[Row], name: str) -> Figure | None:
    """The quantity against each factor, with the rank correlation; a failed point is a cross on the lower edge."""
    values = table.values(rows, name)
    known = np.isfinite(values)
    numbers = {key: axis([dict(row.point.settings)[key] for row in rows]) for key in study.keys}
    factors = {key: found for key, found in numbers.items() if found is not None}
    if not np.any(known) or not factors:
        return None
    figure, panels = _figure(1.2 + 3.4 * len(factors), len(factors))
    correlations = analysis.correlations(study, rows, name)
    low = float(values[known].min()) - 0.06 * (float(np.ptp(values[known])) or 1.0)
    for axes, (key, (along, unit)) in zip(panels, factors.items(), strict=True):
        axes.plot(along[known], values[known], "o", color=COLOURS[0], alpha=0.8)
        if not np.all(known):
            axes.plot(
                along[~known],
                np.full(np.count_nonzero(~known), low),
                "x",
                color=COLOURS[1],
                label="no result",
            )
            axes.legend(frameon=False, fontsize=8.5)
        _scale(axes, along)
        axes.set_xlabel(f"{key}\n({unit})" if unit else key)
        one = correlations.get(key)
        if one is not None:
            words = f"rank correlation {one.coefficient:+.2f}\n(by chance: {one.chance:.2g})"
            axes.set_title(words, fontsize=9, loc="left")
    panels[0].set_ylabel(name)
    figure.suptitle(study.file.study.name, fontsize=10, fontweight="bold", x=0.02, ha="left")
    return figure
