"""Statistics of a mesh and the gates it must pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Floats, Ints
from .build import Mesh
from .errors import QualityError

#: Least gamma and SICN of any cell (gate 8).
LEAST_QUALITY = 0.1
BINS = 20


def quality_table(mesh: Mesh) -> dict[str, Any]:
    """Gamma and SICN with histograms over [0, 1], numbers of cells and nodes; the sidecar's ``quality``."""
    return {
        "gamma": _statistics(mesh.gamma),
        "sicn": _statistics(mesh.sicn),
        "cells": len(mesh.cells),
        "nodes": len(np.unique(mesh.cells)),
    }


def require_quality(mesh: Mesh) -> None:
    """Refuse a mesh with a cell below the gate.

    Raises:
        QualityError: naming measure, value and place.
    """
    for name, values in (("gamma", mesh.gamma), ("SICN", mesh.sicn)):
        worst = int(np.argmin(values))
        if not values[worst] >= LEAST_QUALITY:
            x, y = mesh.points[mesh.cells[worst]].mean(axis=0)
            raise QualityError(
                f"the worst {name} is {values[worst]:.3g} at ({x:.2f}, {y:.2f}) um; {LEAST_QUALITY} is required"
            )


def require_conforming(mesh: Mesh) -> None:
    """Refuse a mesh in which a facet belongs to more than two cells, or one inside the box to a single cell.

    Raises:
        QualityError: saying which.
    """
    facets, _ = sorted_facets(mesh)
    _, first, times = np.unique(facets, axis=0, return_index=True, return_counts=True)
    if int(times.max()) > 2:
        raise QualityError("a facet belongs to more than two cells")
    used = mesh.points[np.unique(mesh.cells)]
    low, high = used.min(axis=0), used.max(axis=0)
    ends = mesh.points[facets[first[times == 1]]]
    reach = 1e-6 * float((high - low).max())
    outer = ((np.abs(ends - low) < reach) | (np.abs(ends - high) < reach)).all(axis=1).any(axis=1)
    if not outer.all():
        raise QualityError(f"{int((~outer).sum())} facets inside the box belong to one cell only")


def sorted_facets(mesh: Mesh) -> tuple[Ints, Ints]:
    """Facets of all cells, node numbers ascending, equal ones in a row; and the group of the cell of each.

    Returns:
        Node numbers, shape (facets, 2), and tags, shape (facets,).
    """
    cells = mesh.cells
    facets = np.sort(np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]]), axis=1)
    tags = np.tile(mesh.cell_tags, 3)
    order = np.lexsort((tags, facets[:, 1], facets[:, 0]))
    return facets[order], tags[order]


def cell_areas(mesh: Mesh) -> Floats:
    """Area of each triangle, um2."""
    a, b, c = (mesh.points[mesh.cells[:, k]] for k in range(3))
    cross = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.asarray(0.5 * np.abs(cross))


def _statistics(values: Floats) -> dict[str, Any]:
    """Least, mean and histogram; a value below 0 (an inverted cell) counts in the first bin."""
    counts, edges = np.histogram(np.clip(values, 0.0, 1.0), bins=BINS, range=(0.0, 1.0))
    return {
        "min": float(values.min()),
        "mean": float(values.mean()),
        "histogram": {"edges": [round(float(edge), 6) for edge in edges], "counts": counts.tolist()},
    }
