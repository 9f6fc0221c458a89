"""The picture of a mesh in three dimensions: the block from outside, a section at half its depth, and the figures.

Matplotlib draws it. PyVista's renderer ends the whole process where there is no X server (Debian 13's build of VTK has
no other way to a picture), which a meshing job on a cluster cannot risk.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from .arrays import Floats, Ints
from .build import Mesh
from .picture import COLOURS, TABLE_INCHES, draw_table
from .sidecar import phase_of
from .simplices import outer_facets

#: Axis, end and brightness of the faces seen from the front, right and above.
VISIBLE = ((1, 0, 1.0), (0, 1, 0.82), (2, 1, 0.92))
BLOCK_INCHES, TALLEST_INCHES = 6.5, 7.0
#: Camera: height and turn in degrees.
CAMERA = (24.0, -58.0)


def draw_solid_picture(mesh: Mesh, table: dict[str, Any], path: Path) -> None:
    """Draw a mesh of tetrahedra.

    Args:
        mesh: the mesh.
        table: its sidecar.
        path: the PNG to write.
    """
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    height = min(TALLEST_INCHES, max(5.0, 5.5 * float((high[2] - low[2]) / (high[0] - low[0]))))
    section = height * float((high[0] - low[0]) / (high[2] - low[2]))
    figure = Figure(
        figsize=(BLOCK_INCHES + section + TABLE_INCHES, height + 1.1), dpi=130, layout="constrained"
    )
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1, 3, width_ratios=[BLOCK_INCHES, section, TABLE_INCHES])
    _draw_block(figure.add_subplot(grid[0], projection="3d"), mesh, low, high)
    _draw_section(figure.add_subplot(grid[1]), mesh, 0.5 * float(low[1] + high[1]))
    draw_table(figure.add_subplot(grid[2]), table, height)
    figure.suptitle(table["name"], x=0.01, ha="left", fontweight="bold")
    figure.savefig(path)


def _draw_block(axes: Any, mesh: Mesh, low: Floats, high: Floats) -> None:
    """The outside of electrode and foil, coloured by phase, with grain boundaries; the electrolyte is left off."""
    electrolyte = [tag for tag, name in mesh.names.items() if name == "electrolyte"]
    kept = ~np.isin(mesh.cell_tags, electrolyte)
    cells, tags = mesh.cells[kept], mesh.cell_tags[kept]
    facets, owner = outer_facets(cells)
    ends = low.copy(), np.append(high[:2], mesh.points[cells].max(axis=(0, 1))[2])
    reach = 1e-6 * float((high - low).max())
    for axis, end, brightness in VISIBLE:
        wall = ends[end][axis]
        chosen = (np.abs(mesh.points[facets][:, :, axis] - wall) < reach).all(axis=1)
        colours = [
            tuple(brightness * np.array(to_rgb(COLOURS[phase_of(mesh.names[int(tag)])])))
            for tag in tags[owner[chosen]]
        ]
        axes.add_collection3d(
            Poly3DCollection(
                mesh.points[facets[chosen]], facecolors=colours, edgecolors="#00000030", linewidths=0.15
            )
        )
        lines = _outlines(facets[chosen], tags[owner[chosen]])
        # Lifted a little towards the viewer, or the faces would hide half of each line.
        lift = np.zeros(3)
        lift[axis] = (2 * end - 1) * 0.002 * float((high - low).max())
        axes.add_collection3d(
            Line3DCollection(mesh.points[lines] + lift, colors="black", linewidths=0.5, zorder=10)
        )
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_zlim(low[2], ends[1][2])
    axes.set_box_aspect(ends[1] - low)
    axes.view_init(*CAMERA)
    axes.set_xlabel("width (µm)")
    axes.set_ylabel("depth (µm)")
    axes.set_zlabel("height (µm)")
    axes.grid(False)


def _outlines(facets: Ints, tags: Ints) -> Ints:
    """Edges between facets of different grains, or at the rim, shape (edges, 2)."""
    edges = np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [0, 2]]])
    grain = np.tile(tags, 3)
    edges = np.sort(edges, axis=1)
    order = np.lexsort((grain, edges[:, 1], edges[:, 0]))
    edges, grain = edges[order], grain[order]
    same = np.zeros(len(edges) + 1, dtype=bool)
    same[1:-1] = (edges[1:] == edges[:-1]).all(axis=1) & (grain[1:] == grain[:-1])
    return edges[~(same[1:] | same[:-1])]


def _draw_section(axes: Any, mesh: Mesh, depth: float) -> None:
    """The plane at a depth: polygons in which it cuts the cells, and the outlines of the grains."""
    # A plane through nodes would cut cells in points; a thousandth of a micrometre beside it does not.
    at = mesh.points[:, 1] - (depth + 1e-3)
    cut = np.flatnonzero((at[mesh.cells].min(axis=1) < 0.0) & (at[mesh.cells].max(axis=1) > 0.0))
    polygons, colours, lines = [], [], []
    tag_of = mesh.cell_tags
    crossed: dict[tuple[int, ...], tuple[int, Floats]] = {}
    for cell in cut:
        nodes = mesh.cells[cell]
        ends = [(int(i), int(j)) for i, j in combinations(nodes, 2) if at[i] * at[j] < 0.0]
        place = {pair: _crossing(mesh.points, at, pair) for pair in ends}
        corners = np.array(list(place.values()))
        heading = np.arctan2(*(corners - corners.mean(axis=0)).T)
        polygons.append(corners[np.argsort(heading)])
        colours.append(COLOURS[phase_of(mesh.names[int(tag_of[cell])])])
        for triple in combinations(sorted(int(n) for n in nodes), 3):
            inner = [place[p] for p in place if p[0] in triple and p[1] in triple]
            if len(inner) == 2:
                other = crossed.pop(triple, None)
                if other is None:
                    crossed[triple] = int(tag_of[cell]), np.array(inner)
                elif other[0] != tag_of[cell]:
                    lines.append(np.array(inner))
    axes.add_collection(PolyCollection(polygons, facecolors=colours, edgecolors="#00000030", linewidths=0.2))
    axes.add_collection(LineCollection(lines, colors="black", linewidths=0.7))
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[2], high[2])
    axes.set_aspect("equal")
    axes.set_xlabel(f"width (µm), section at depth {depth:.4g} µm")
    axes.set_ylabel("height above the foil (µm)")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _crossing(points: Floats, at: Floats, pair: tuple[int, int]) -> Floats:
    """Where an edge crosses the plane, width and height."""
    i, j = pair
    share = at[i] / (at[i] - at[j])
    return np.asarray((points[i] + share * (points[j] - points[i]))[[0, 2]])
