"""The surfaces of all grains as one table that every rank holds: where each facet is, and whose it is.

Contact between grains that were no neighbours at the start can join any two ranks. The surfaces are small beside the
volume (a few thousand facets), so every rank knows all of them, in an order that does not depend on the partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fem.facet_geometry import FacetSide, facet_side, free_cells
from fem.interfaces.contact_edges import Edges
from fem.interfaces.contact_facets import Facets
from fem.interfaces.contact_triangles import Triangles

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class GrainSurfaces:
    """Facets of the solid grains, both sides of every interface and free facets; N of them on every rank.

    Attributes:
        shape: Of the facets.
        dofs: Global displacement dofs of the nodes (corners, then the midpoints of P2), shape (N, nodes, dimension).
        reference: Undeformed positions of corners and midpoints in µm, shape (N, 3 or 6, dimension).
        outward: +1 where the normal of the node order points out of the grain, else -1, shape (N,).
        grain: Index of the grain, shape (N,).
        partner: Index of the grain opposite in the undeformed mesh, -1 for a free facet, shape (N,).
        measure: Undeformed length in µm (area in µm² in 3D), shape (N,).
        between_solids: Whether the other side is solid too, shape (N,).
        free: Whether the facet belongs to no interface, shape (N,).
        own: Row of every local side (see :meth:`spread`) in the table, shape (local sides,).
    """

    shape: Facets
    dofs: Integers
    reference: Array
    outward: Array
    grain: Integers
    partner: Integers
    measure: Array
    between_solids: npt.NDArray[np.bool_]
    free: npt.NDArray[np.bool_]
    own: Integers
    _comm: Any
    _order: Integers
    _sides: tuple[FacetSide, FacetSide, FacetSide]
    _solid: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]

    def displacement(self, unknowns: Array) -> Array:
        """Displacement of corners and midpoints from this rank's unknowns (ghosts up to date), like ``reference``."""
        parts = [
            side.displacement(unknowns)[solid] for side, solid in zip(self._sides, self._solid, strict=True)
        ]
        return self._gathered(np.concatenate(parts))

    def spread(self, per_facet: Array, free: float) -> Array:
        """Values of this rank's owned interface facets, shape (facets,), as values of both sides, shape (N,).

        Args:
            per_facet: Value of every owned interface facet.
            free: Value of every free facet.
        """
        outer = np.full(np.count_nonzero(self._solid[2]), free)
        return self._gathered(np.concatenate([per_facet[solid] for solid in self._solid[:2]] + [outer]))

    def openings(self, unknowns: Array) -> tuple[Array, Array]:
        """How far the sides of this rank's interface facets have moved, and how large the facets are, each (facets,).

        Returns:
            Mean distance of points that were opposite each other in µm; length (area) in µm (µm²).
        """
        first, second = (side.displacement(unknowns) for side in self._sides[:2])
        return self.shape.mean_length(second - first), self.shape.measure(self._sides[0].reference)

    def _gathered(self, local: Array) -> Array:
        return np.concatenate(self._comm.allgather(local))[self._order]


def grain_surfaces(model: Any, with_free: bool) -> GrainSurfaces:
    """Collect the facets of all solid grains; collective.

    Args:
        model: An :class:`fem.model.ElectrodeModel` whose state exists.
        with_free: Whether outer facets that belong to no named boundary count too.
    """
    domain, quadruples = model.domain, model.interfaces.quadruples
    solid = np.array([material.solid for material in model.materials], dtype=bool)
    outer = free_cells(domain)
    if not with_free:
        outer = (outer[0][:0], outer[1][:0])
    sides = (
        facet_side(model, quadruples[:, 0], quadruples[:, 1]),
        facet_side(model, quadruples[:, 2], quadruples[:, 3]),
        facet_side(model, *outer),
    )
    cells = (quadruples[:, 0], quadruples[:, 2], outer[0])
    first, second, third = (solid[domain.cell_phase[c]] for c in cells)
    is_solid = (first, second, third)
    index_map = model.state.space.dofmap.index_map

    def stacked(parts: list[Any]) -> Any:
        return np.concatenate([part[chosen] for part, chosen in zip(parts, is_solid, strict=True)])

    dofs = stacked([side.dofs for side in sides])
    global_dofs = index_map.local_to_global(np.ascontiguousarray(dofs.ravel(), dtype=np.int32))
    local = {
        "dofs": np.asarray(global_dofs, dtype=np.int64).reshape(dofs.shape),
        "reference": stacked([side.reference for side in sides]),
        "outward": stacked([side.outward for side in sides]),
        "grain": stacked([domain.cell_grain[c] for c in cells]).astype(np.int64),
        "partner": stacked(
            [domain.cell_grain[cells[1]], domain.cell_grain[cells[0]], np.full(len(cells[2]), -1)]
        ).astype(np.int64),
        "between": stacked([first & second, first & second, third]),
        "free": stacked([np.zeros(len(part), dtype=bool) for part in (first, second)] + [third]),
    }
    comm = model.comm
    table = {name: np.concatenate(comm.allgather(values)) for name, values in local.items()}
    middle = table["reference"][:, domain.dimension :].mean(axis=1)
    order = np.lexsort((*middle.T[::-1], table["grain"]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    counts = comm.allgather(len(local["grain"]))
    begin = sum(counts[: comm.rank])
    reference = table["reference"][order]
    shape: Facets = Edges() if domain.dimension == 2 else Triangles()
    return GrainSurfaces(
        shape=shape,
        dofs=table["dofs"][order],
        reference=reference,
        outward=table["outward"][order],
        grain=table["grain"][order],
        partner=table["partner"][order],
        measure=shape.measure(reference),
        between_solids=table["between"][order].astype(bool),
        free=table["free"][order].astype(bool),
        own=place[begin : begin + counts[comm.rank]],
        _comm=comm,
        _order=order,
        _sides=sides,
        _solid=is_solid,
    )
