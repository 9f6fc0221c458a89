"""Statistics of a mesh and the gates it must pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Floats, Ints
from .build import Mesh
from .errors import QualityError
from .simplices import cell_volumes

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
            at = ", ".join(f"{x:.2f}" for x in mesh.points[mesh.cells[worst]].mean(axis=0))
            raise QualityError(
                f"the worst {name} is {values[worst]:.3g} at ({at}) um; {LEAST_QUALITY} is required"
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
        Node numbers, shape (facets, dimension), and tags, shape (facets,).
    """
    width = mesh.cells.shape[1]
    facets = np.sort(np.concatenate([np.delete(mesh.cells, k, axis=1) for k in range(width)]), axis=1)
    tags = np.tile(mesh.cell_tags, width)
    order = np.lexsort((tags, *facets.T[::-1]))
    return facets[order], tags[order]


def cell_sizes(mesh: Mesh) -> Floats:
    """Area of each triangle, um2, or volume of each tetrahedron, um3."""
    return np.asarray(np.abs(cell_volumes(mesh.points, mesh.cells)))


def _statistics(values: Floats) -> dict[str, Any]:
    """Least, mean and histogram; a value below 0 (an inverted cell) counts in the first bin."""
    counts, edges = np.histogram(np.clip(values, 0.0, 1.0), bins=BINS, range=(0.0, 1.0))
    return {
        "min": float(values.min()),
        "mean": float(values.mean()),
        "histogram": {"edges": [round(float(edge), 6) for edge in edges], "counts": counts.tolist()},
    }
