"""Statistics of a mesh and the gates it must pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .build import Mesh
from .errors import QualityError
from .tessellation import Floats

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
                f"the worst {name} is {values[worst]:.3g} at ({x:.2f}, {y:.2f}) um; at least {LEAST_QUALITY} is required"
            )


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
