"""The picture of a mesh: grains coloured by phase, foil at the bottom, realised fractions beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
import numpy as np

from .build import Mesh
from .sidecar import phase_of
from .tessellation import Floats

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


def draw_picture(mesh: Mesh, table: dict[str, Any], path: Path) -> None:
    """Draw a mesh.

    Args:
        mesh: the mesh.
        table: its sidecar.
        path: the PNG to write.
    """
    box = table["box_um"]
    total = box["thickness"] + box["foil"] + box["electrolyte"]
    figure = Figure(figsize=(2.6 + 9.0, max(2.6, 1.0 + 9.0 * total / box["width"])), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes, side = figure.subplots(1, 2, width_ratios=[9.0, 2.6])
    corners = mesh.points[mesh.cells]
    colours = [COLOURS[phase_of(mesh.names[int(tag)])] for tag in mesh.cell_tags]
    axes.add_collection(PolyCollection(corners, facecolors=colours, edgecolors=colours, linewidths=0.2))
    axes.add_collection(PolyCollection(corners, facecolors="none", edgecolors="#00000030", linewidths=0.15))
    axes.add_collection(LineCollection(_grain_boundaries(mesh), colors="black", linewidths=0.6))
    axes.autoscale()
    axes.set_aspect("equal")
    figure.savefig(path)


def _grain_boundaries(mesh: Mesh) -> Floats:
    """Facets between different grains or on the outline, shape (facets, 2, 2), um."""
    facets = np.sort(np.concatenate([mesh.cells[:, [0, 1]], mesh.cells[:, [1, 2]], mesh.cells[:, [2, 0]]]), axis=1)
    tags = np.tile(mesh.cell_tags, 3)
    order = np.lexsort((facets[:, 1], facets[:, 0]))
    facets, tags = facets[order], tags[order]
    same = np.zeros(len(facets) + 1, dtype=bool)
    same[1:-1] = (facets[1:] == facets[:-1]).all(axis=1) & (tags[1:] == tags[:-1])
    return np.asarray(mesh.points[facets[~(same[1:] | same[:-1])]])
