"""What has opened, sunk in or slid at the interfaces, from the positions of both sides.

Everything is evaluated pointwise on the deformed mid-surface between the two sides, at the facets' corners and
midpoints or at quadrature points, never from facet averages.
"""

from __future__ import annotations

import numpy as np

from fem.facet_geometry import Array, Shapes, facet_side, nodal_shapes, quadrature_shapes
from fem.model import ElectrodeModel
from fem.thickness import FOIL, SEPARATOR


class Gaps:
    """Measures openings of the interfaces.

    Void counts at every interface the electrode takes part in, ties to pores included. Penetration and sliding count
    where two solids meet.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        domain = model.domain
        quadruples = model.interfaces.quadruples
        self._model = model
        self._plus = facet_side(model, quadruples[:, 0], quadruples[:, 1])
        self._minus = facet_side(model, quadruples[:, 2], quadruples[:, 3])
        self._quadrature, self._nodes = quadrature_shapes(domain.dimension), nodal_shapes(domain.dimension)
        solid = np.array([material.solid for material in model.materials])
        strip = np.array([phase in (FOIL, SEPARATOR) for phase in domain.phases])
        first, second = (domain.cell_phase[quadruples[:, side]] for side in (0, 2))
        self._solids = solid[first] & solid[second]
        self._electrode = ~(strip[first] & strip[second])
        self.area = self._quadrature.integral(
            np.linalg.norm(self._quadrature.area_normal(self._plus.reference), axis=-1)
        )  # undeformed area of every owned interface facet, shape (facets,)

    def sums(self, unknowns: Array) -> dict[str, float]:
        """This rank's share of ``void`` (µm² per µm of depth) and of the mean penetration (moment and area).

        ``void_at_pores`` is that part of the void which lies between a filling and a grain.
        The void between the two sides of a facet is that of the ruled surface between them,
        ∫ (u⁻ - u⁺) · cof(F̄) N dS; in 2D it is exact, and the little polygons where three grains met are left out.
        """
        opening, normal = self._opening(self._quadrature, unknowns)
        void = np.einsum("fpd,fpd->fp", opening, normal)
        unit = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        depth = np.maximum(-np.einsum("fpd,fpd->fp", opening, unit), 0.0)
        area = np.linalg.norm(self._quadrature.area_normal(self._plus.reference), axis=-1)
        paired, opened = self._paired(), self._quadrature.integral(void)
        return {
            "void": float(np.sum(opened[self._electrode])),
            "void_at_pores": float(np.sum(opened[self._electrode & ~self._solids])),
            "penetration": float(np.sum((paired * self._quadrature.integral(depth * area))[self._solids])),
            "searched_contact": float(np.sum(((1.0 - paired) * self.area)[self._solids])),
            "contact_area": float(np.sum(self.area[self._solids])),
        }

    def voids(self, unknowns: Array) -> Array:
        """Void at every owned interface facet in µm² (µm³ in 3D), negative where its sides overlap, shape (facets,)."""
        opening, normal = self._opening(self._quadrature, unknowns)
        return self._quadrature.integral(np.einsum("fpd,fpd->fp", opening, normal))

    def maxima(self, unknowns: Array) -> dict[str, float]:
        """Largest penetration, and largest tangential offset of points that touch, in µm, on this rank.

        Facets that have left their partner count with the contacts found by search instead. Overlap with a mirror image
        beyond a side counts as well; that of facets that are folded back onto themselves counts apart.
        """
        opening, normal = self._opening(self._nodes, unknowns)
        unit = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        along = np.einsum("fpd,fpd->fp", opening, unit)
        offset = np.linalg.norm(opening - along[..., None] * unit, axis=-1)
        touching = (along <= 0.0) & (self._solids & (self._paired() >= 0.5))[:, None]
        contact, sides = self._model.surface_contact, self._model.side_contact
        searched, at_folds = (0.0, 0.0) if contact is None else contact.penetration()
        found = max(searched, 0.0 if sides is None else sides.penetration(unknowns))
        return {
            "penetration": float(np.max(-along[touching], initial=found)),
            "penetration_at_folds": at_folds,
            "sliding": float(np.max(offset[touching], initial=0.0)),
        }

    def _paired(self) -> Array:
        """Share of each facet's contact that its partner takes, shape (facets,)."""
        return self._model.facet_constants.values(self._model.state.paired)

    def _opening(self, shapes: Shapes, unknowns: Array) -> tuple[Array, Array]:
        """u⁻ - u⁺ and the area normal of the mid-surface from '+' to '-', each of shape (facets, points, dimension)."""
        first, second = self._plus.displacement(unknowns), self._minus.displacement(unknowns)
        middle = self._plus.reference + 0.5 * (first + second)
        normal = shapes.area_normal(middle) * self._plus.outward[:, None, None]
        return shapes.at(second - first), normal
