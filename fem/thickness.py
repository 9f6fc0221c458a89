"""Thickness of the electrode: mean distance between its plane on the foil and its plane on the electrolyte.

The mean is taken over the deformed width, ∫ y n_y da / ∫ n_y da, so that thickness times width is exactly the
area between the two planes and the parts of the thickening can add up to it. The strips' own straining is excluded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fem.facet_geometry import Array, FacetSide, Integers, boundary_cells, facet_side, quadrature_shapes
from fem.model import ElectrodeModel

FOIL, SEPARATOR = "copper", "electrolyte"


def electrode_phases(phases: tuple[str, ...]) -> tuple[str, ...]:
    """The phases that make up the electrode: everything but the strips."""
    return tuple(phase for phase in phases if phase not in (FOIL, SEPARATOR))


class Thickness:
    """Measures the electrode's thickness.

    Args:
        model: The coupled model. Where it has no foil or no electrolyte strip, the outer boundary ``bottom`` or
            ``top`` takes the place of the strip's face.

    Attributes:
        initial: Undeformed thickness in µm.
        width: Undeformed area of the electrode's plane on the electrolyte side, µm per µm of depth in 2D.

    Raises:
        MeshError: There is neither a strip nor the outer boundary that stands for it.
    """

    def __init__(self, model: ElectrodeModel):
        self._shapes = quadrature_shapes(model.domain.dimension)
        self._faces = (_face(model, SEPARATOR, "top"), _face(model, FOIL, "bottom"))
        self._last = model.domain.dimension - 1
        local = np.array([self._moments(face, face.reference) for face in self._faces])
        total = np.empty_like(local)
        model.comm.Allreduce(local, total)
        (top, upper), (bottom, lower) = total
        self.width = abs(float(upper))
        self.initial = float(top / upper - bottom / lower)

    def sums(self, unknowns: Array) -> dict[str, float]:
        """This rank's share of the moments from which :meth:`thickness` follows."""
        result = {}
        for name, face in zip(("top", "bottom"), self._faces, strict=True):
            moment, width = self._moments(face, face.reference + face.displacement(unknowns))
            result[f"{name}_moment"], result[f"{name}_width"] = moment, width
        return result

    @staticmethod
    def thickness(totals: Mapping[str, float]) -> float:
        """Thickness in µm from the moments summed over the ranks."""
        return totals["top_moment"] / totals["top_width"] - totals["bottom_moment"] / totals["bottom_width"]

    def _moments(self, face: FacetSide, positions: Array) -> tuple[float, float]:
        """∫ y n_y da and ∫ n_y da over the owned facets, y along the thickness."""
        shapes = self._shapes
        projected = shapes.area_normal(positions)[..., self._last] * face.outward[:, None]
        height = shapes.at(positions)[..., self._last]
        return float(np.sum(shapes.integral(height * projected))), float(np.sum(shapes.integral(projected)))


def _face(model: ElectrodeModel, strip: str, boundary: str) -> FacetSide:
    """The strip's own side of its interfaces, or the outer boundary where there is no such strip."""
    if strip not in model.domain.phases:
        return facet_side(model, *boundary_cells(model.domain, boundary))
    return facet_side(model, *_strip_side(model, strip))


def _strip_side(model: ElectrodeModel, strip: str) -> tuple[Integers, Integers]:
    quadruples = model.interfaces.quadruples
    phase, wanted = model.domain.cell_phase, model.domain.phases.index(strip)
    plus = (phase[quadruples[:, 0]] == wanted) & (phase[quadruples[:, 2]] != wanted)
    minus = (phase[quadruples[:, 2]] == wanted) & (phase[quadruples[:, 0]] != wanted)
    chosen = np.concatenate([quadruples[plus, :2], quadruples[minus, 2:]])
    return chosen[:, 0], chosen[:, 1]
