"""The deformed section of an electrode: cells as they lie, so that gaps between grains show as dark background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import Stroke

from meshes import picture

#: Arrays of fem.output.FieldWriter.section.
Section = dict[str, npt.NDArray[Any]]

#: What is not meshed: void. Pores are meshed, so they can be told from gaps that opened.
VOID = "#0b0b12"
COLOURS = {**picture.COLOURS, "pore": "#3a3a48"}
HOSTS = ("graphite", "silicon")
# Light on the dark void at both ends, lightness falling all the way, apart from the colours of the other phases.
_LITHIATION = LinearSegmentedColormap.from_list("lithiation", ["#dbe0e6", "#f2c14e", "#d1495b", "#7b2d6b"])
_RISK = LinearSegmentedColormap.from_list("risk", ["#2f6f8f", "#cfd8dc", "#f2a03d", "#b3001b"])
_DEBONDED = LinearSegmentedColormap.from_list("debonded", ["#ffe9fa", "#ff5fcf", "#c9007f"])
#: Debonded shares below this are not drawn.
_LEAST = 0.02
_WIDTH_INCHES = 8.0


def figure_for(section: Section) -> tuple[Figure, Any]:
    """A figure of the section's proportions, and its axes."""
    left, right, bottom, top = extent(section)
    height = float(np.clip(_WIDTH_INCHES * (top - bottom) / (right - left), 3.0, 14.0))
    figure = Figure(figsize=(_WIDTH_INCHES + 1.8, height + 2.4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def extent(section: Section) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of the section in µm, heights above the foil's upper face."""
    points, zero = section["corners"].reshape(-1, 2), _foil_top(section)
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(high[0]), float(low[1]) - zero, float(high[1]) - zero


def draw_lithiation(
    axes: Any,
    section: Section,
    summary: Mapping[str, Any],
    heading: str | None = None,
    top: float | None = None,
) -> None:
    """Hosts coloured by lithiation, everything else in a colour of its own, gaps dark.

    Args:
        axes: Matplotlib axes.
        section: The arrays.
        summary: The run's summary.
        heading: Name in the title; the case's if None.
        top: Height up to which the axes reach in µm; that of the section if None.
    """
    colours = _phase_colours(section)
    host = np.isin(section["phases"][section["phase"]], HOSTS)
    colours[host] = _LITHIATION(section["lithiation"][host])
    _draw_cells(axes, section, colours)
    _frame(axes, section, summary, heading, top)


def draw_debonding(axes: Any, section: Section, summary: Mapping[str, Any]) -> None:
    """Phases in their colours, debonded interfaces as lines on both sides of the gap, gaps dark."""
    _draw_cells(axes, section, _phase_colours(section))
    debonded = section["debonded"]
    chosen = np.flatnonzero(debonded > _LEAST)
    chosen = chosen[np.argsort(debonded[chosen])]  # the most debonded on top
    lines: Any = section["facets"][chosen].reshape(-1, 2, 2) - [0.0, _foil_top(section)]
    axes.add_collection(
        LineCollection(
            lines,
            array=np.repeat(debonded[chosen], 2),
            cmap=_DEBONDED,
            norm=Normalize(0.0, 1.0),
            linewidths=1.1,
        )
    )
    _frame(axes, section, summary, None, None)


def draw_crack_risk(axes: Any, section: Section, summary: Mapping[str, Any], quantity: str) -> None:
    """Phases whose cracking is judged coloured by their risk, everything else in a dull colour, gaps dark.

    Args:
        axes: Matplotlib axes.
        section: The arrays.
        summary: The run's summary.
        quantity: ``crack_probability`` (from 0 to 1) or ``stress_intensity`` (red from 1 on).
    """
    colours = _phase_colours(section)
    colours[:, :3] = 0.75 + 0.25 * colours[:, :3]
    judged = np.isin(section["phases"][section["phase"]], judged_phases(summary))
    colours[judged] = _RISK(np.clip(section[quantity][judged], 0.0, 1.0))
    _draw_cells(axes, section, colours)
    _frame(axes, section, summary, None, None)


def judged_phases(summary: Mapping[str, Any]) -> list[str]:
    """Names of the phases whose cracking is judged."""
    return list(summary["crack_risk"])


def add_crack_risk_key(
    figure: Any, axes: Sequence[Any], section: Section, summary: Mapping[str, Any], quantity: str
) -> None:
    """Colour bar beside the axes, and legend of everything that is not judged."""
    scale = matplotlib.cm.ScalarMappable(Normalize(0.0, 1.0), _RISK)
    label = {
        "crack_probability": "probability that the particle has cracked",
        "stress_intensity": "largest stress intensity of the stated flaw over the toughness",
    }[quantity]
    figure.colorbar(
        scale,
        ax=axes,
        shrink=0.7,
        pad=0.02,
        label=label,
        extend="max" if quantity == "stress_intensity" else "neither",
    )
    _legend(figure, [section], [name for name in COLOURS if name not in judged_phases(summary)], dull=True)


def add_lithiation_key(figure: Any, axes: Sequence[Any], sections: Iterable[Section]) -> None:
    """Colour bar beside the axes, and legend of everything that is no host."""
    scale = matplotlib.cm.ScalarMappable(Normalize(0.0, 1.0), _LITHIATION)
    figure.colorbar(scale, ax=axes, shrink=0.7, pad=0.02, label="lithiation of graphite and silicon")
    _legend(figure, sections, [name for name in COLOURS if name not in HOSTS])


def add_debonding_key(figure: Any, axes: Sequence[Any], sections: Iterable[Section]) -> None:
    """Colour bar beside the axes, and legend of the phases."""
    scale = matplotlib.cm.ScalarMappable(Normalize(0.0, 1.0), _DEBONDED)
    label = f"debonded share of interfaces (drawn above {_LEAST:g})"
    figure.colorbar(scale, ax=axes, shrink=0.7, pad=0.02, label=label)
    _legend(figure, sections, list(COLOURS))


def _last_height(section: Section) -> float:
    """Height above the foil from which on nothing is void: the middle of the electrolyte, or the top without one."""
    names = [str(name) for name in section["phases"]]
    if "electrolyte" not in names:
        return extent(section)[3]
    strip = section["corners"][section["phase"] == names.index("electrolyte")]
    return float(strip[..., 1].mean()) - _foil_top(section)


def _foil_top(section: Section) -> float:
    """Mean height of the foil's upper face, zero where there is no foil."""
    names = [str(name) for name in section["phases"]]
    if "copper" not in names:
        return 0.0
    foil = section["corners"][section["phase"] == names.index("copper")]
    return float(foil[..., 1].max())


def _phase_colours(section: Section) -> npt.NDArray[np.float64]:
    table = np.array(
        [matplotlib.colors.to_rgba(COLOURS.get(str(name), "#cc79a7")) for name in section["phases"]]
    )
    return np.asarray(table[section["phase"]], dtype=np.float64)


def _draw_cells(axes: Any, section: Section, colours: npt.NDArray[np.float64]) -> None:
    """Every cell as the hexagon of its corners and the midpoints of its edges."""
    outline: Any = np.empty((len(section["corners"]), 6, 2))
    outline[:, 0::2], outline[:, 1::2] = section["corners"], section["middles"]
    outline[..., 1] -= _foil_top(section)
    # A hairline in the cell's own colour closes the seams that antialiasing leaves between cells of a grain.
    axes.add_collection(PolyCollection(outline, facecolors=colours, edgecolors=colours, linewidths=0.35))
    grain_lines: Any = section["facets"].reshape(-1, 2, 2) - [0.0, _foil_top(section)]
    axes.add_collection(LineCollection(grain_lines, colors=VOID, linewidths=0.25))


def _frame(
    axes: Any, section: Section, summary: Mapping[str, Any], heading: str | None, top: float | None
) -> None:
    left, right, bottom, own_top = extent(section)
    axes.set_facecolor(VOID)
    # Above the electrolyte, which may lie askew, there is no electrode, so no void either.
    axes.axhspan(_last_height(section), own_top + 1.0e3, facecolor="white", edgecolor="none", zorder=0.5)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, max(own_top, summary["thickness_start_um"]) + 0.3 if top is None else top + 0.3)
    axes.set_aspect("equal")
    axes.set_xlabel("along the foil (µm)")
    axes.set_ylabel("height above the foil (µm)")
    before = summary["thickness_start_um"]
    outlined = [Stroke(linewidth=2.4, foreground=VOID), Stroke(linewidth=1.1, foreground="white")]
    axes.axhline(before, color="white", linewidth=1.1, linestyle=(0, (6, 4)), path_effects=outlined)
    axes.annotate(
        "thickness before", (right, before), xytext=(-4, 3), textcoords="offset points", ha="right", color="white",
        fontsize=8, bbox={"facecolor": VOID, "edgecolor": "none", "alpha": 0.6, "pad": 1.0},
    )  # fmt: skip
    axes.set_title(
        f"{heading or summary['case']}: {before:.1f} → {summary['thickness_um']:.1f} µm "
        f"({summary['thickening_percent']:+.1f} %)\nmean lithiation {summary['mean_lithiation']['hosts']:.3f}",
        loc="left",
        fontsize=11,
    )


def _legend(figure: Any, sections: Iterable[Section], names: list[str], dull: bool = False) -> None:
    present = {
        str(section["phases"][number]) for section in sections for number in np.unique(section["phase"])
    }
    colours = {name: np.array(matplotlib.colors.to_rgb(COLOURS[name])) for name in names if name in present}
    handles = [
        Patch(facecolor=0.75 + 0.25 * colour if dull else colour, edgecolor="#555555", label=name)
        for name, colour in colours.items()
    ]
    handles.append(Patch(facecolor=VOID, edgecolor="#555555", label="void"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8.5,
        columnspacing=1.2, handlelength=1.4,
    )  # fmt: skip
