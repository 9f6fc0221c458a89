"""Means over an outer boundary: its displacement along the thickness and its chemical potential."""

from __future__ import annotations

import numpy as np

from fem.facet_geometry import Array, boundary_cells, facet_side, quadrature_shapes
from fem.model import ElectrodeModel


class BoundaryMeans:
    """Integrates over the undeformed area of a boundary.

    Args:
        model: The coupled model.
        boundary: Name of the boundary.

    Raises:
        MeshError: The mesh has no boundary of that name.
    """

    def __init__(self, model: ElectrodeModel, boundary: str):
        self._shapes, self._last = quadrature_shapes(model.domain.dimension), model.domain.dimension - 1
        self._side = facet_side(model, *boundary_cells(model.domain, boundary))
        self._size = np.linalg.norm(self._shapes.area_normal(self._side.reference), axis=-1)

    def area(self) -> dict[str, float]:
        """This rank's area, ``top_area``, in µm² (µm in 2D)."""
        return {"top_area": float(np.sum(self._shapes.integral(self._size)))}

    def sums(self, unknowns: Array) -> dict[str, float]:
        """This rank's integrals ``top_displacement`` in µm³ and ``top_potential`` in pJ µm²/fmol (µm less in 2D)."""
        shapes, side = self._shapes, self._side
        moved = shapes.at(side.displacement(unknowns))[..., self._last]
        return {
            "top_displacement": float(np.sum(shapes.integral(moved * self._size))),
            "top_potential": self._potential(unknowns),
        }

    def _potential(self, unknowns: Array) -> float:
        dofs = self._side.corner_potential
        if not dofs.shape[1]:
            return 0.0
        return float(np.sum(unknowns[dofs].mean(axis=1) * self._shapes.integral(self._size)))
