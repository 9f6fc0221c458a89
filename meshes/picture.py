"""The picture of a mesh: grains coloured by phase, foil at the bottom, realised fractions beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .build import Mesh
from .quality import sorted_facets
from .sidecar import phase_of

#: Colours after Okabe and Ito, told apart also by the colour-blind; graphite grey, pores white.
COLOURS = {
    "graphite": "#8a8f94",
    "silicon": "#d55e00",
    "lithium": "#56b4e9",
    "binder": "#009e73",
    "pore": "#ffffff",
    "copper": "#b87333",
    "electrolyte": "#f0e6a8",
}
#: Widest and tallest section, width of the table, and its line spacing, inches.
SECTION_INCHES = 10.0
TALLEST_INCHES = 7.0
TABLE_INCHES = 3.2
LINE_INCHES = 0.29


def draw_picture(mesh: Mesh, table: dict[str, Any], path: Path) -> None:
    """Draw a mesh.

    Args:
        mesh: the mesh.
        table: its sidecar.
        path: the PNG to write.
    """
    box = table["box_um"]
    total = box["thickness"] + box["foil"] + box["electrolyte"] + box.get("lithium_sheet", 0.0)
    section = min(SECTION_INCHES, TALLEST_INCHES * box["width"] / total)
    height = max(section * total / box["width"], 14 * LINE_INCHES)
    figure = Figure(figsize=(section + TABLE_INCHES, height + 1.1), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes, beside = figure.subplots(1, 2, width_ratios=[section, TABLE_INCHES])
    _draw_section(axes, mesh)
    draw_table(beside, table, height)
    axes.set_title(table["name"], loc="left", fontweight="bold")
    figure.savefig(path)


def _draw_section(axes: Any, mesh: Mesh) -> None:
    """The section itself: phases, elements faintly, grain boundaries in black."""
    corners: Any = mesh.points[mesh.cells]  # Matplotlib's annotations do not admit arrays
    colours = [COLOURS[phase_of(mesh.names[int(tag)])] for tag in mesh.cell_tags]
    axes.add_collection(PolyCollection(corners, facecolors=colours, edgecolors=colours, linewidths=0.2))
    axes.add_collection(PolyCollection(corners, facecolors="none", edgecolors="#00000028", linewidths=0.15))
    axes.add_collection(LineCollection(_grain_boundaries(mesh), colors="black", linewidths=0.55))
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_xlabel("along the foil (µm)")
    axes.set_ylabel("height above the foil (µm)")
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_table(axes: Any, table: dict[str, Any], height: float) -> None:
    """Phases with their number of grains, stated and realised volume fractions; then size, capacity and quality."""
    axes.set_axis_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    counts = Counter(grain["phase"] for grain in table["grains"])
    realised = table["volume_fractions"]["realised"]
    target = table["volume_fractions"].get("target", {})
    stated_by = "image" if isinstance(table.get("source"), dict) else "recipe"
    columns = (0.48, 0.75, 1.0)
    line, at = LINE_INCHES / height, 1.0 - 0.5 * LINE_INCHES / height
    for x, title in zip(columns, ("grains", stated_by, "realised"), strict=True):
        axes.text(x, at, title, ha="right", va="center", fontsize=8, color="#555555")
    for phase in (name for name in COLOURS if counts[name]):
        at -= line
        axes.add_patch(
            Rectangle(
                (0.0, at - 0.3 * line), 0.06, 0.6 * line, facecolor=COLOURS[phase], edgecolor="black", lw=0.5
            )
        )
        axes.text(0.085, at, phase, va="center", fontsize=9)
        if phase in realised:
            stated = f"{100.0 * target[phase]:.2f} %" if phase in target else "–"
            for x, text in zip(
                columns, (str(counts[phase]), stated, f"{100.0 * realised[phase]:.2f} %"), strict=True
            ):
                axes.text(x, at, text, ha="right", va="center", fontsize=9)
    box, quality = table["box_um"], table["quality"]
    face = f"{box['width']:g} × {box['depth']:g}" if "depth" in box else f"{box['width']:g}"
    rows = [("electrode", f"{box['thickness']:.2f} × {face} µm")]
    for label, key in (
        ("host capacity", "areal_capacity_mAh_cm2"),
        ("lithium powder", "lithium_capacity_mAh_cm2"),
    ):
        if table.get(key, {}).get("realised"):
            rows.append((label, f"{table[key]['realised']:.3f} mAh/cm²"))
    rows += [
        (
            "tetrahedra, nodes" if "depth" in box else "triangles, nodes",
            f"{quality['cells']}, {quality['nodes']}",
        ),
        ("worst gamma, SICN", f"{quality['gamma']['min']:.2f}, {quality['sicn']['min']:.2f}"),
    ]
    if table.get("seed") is not None:
        rows.append(("seed", str(table["seed"])))
    at -= 0.5 * line
    axes.axhline(at, color="#aaaaaa", lw=0.6)
    for label, value in rows:
        at -= line
        axes.text(0.0, at, label, va="center", fontsize=9, color="#555555")
        axes.text(1.0, at, value, ha="right", va="center", fontsize=9)


def _grain_boundaries(mesh: Mesh) -> Any:
    """Facets between different grains or on the outline, shape (facets, 2, 2), um."""
    facets, tags = sorted_facets(mesh)
    same = np.zeros(len(facets) + 1, dtype=bool)
    same[1:-1] = (facets[1:] == facets[:-1]).all(axis=1) & (tags[1:] == tags[:-1])
    return np.asarray(mesh.points[facets[~(same[1:] | same[:-1])]])
