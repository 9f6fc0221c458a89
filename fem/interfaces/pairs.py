"""Which facets are interfaces: pairs of cells of different grains, ordered by phase and colour, never by partition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fem.domain import Domain
from fem.interfaces.law import kind_name


@dataclass(frozen=True)
class InterfaceFacets:
    """Owned interface facets of a rank.

    Attributes:
        facets: Local facet indices, shape (n,).
        quadruples: (cell '+', its local facet, cell '-', its local facet), shape (n, 4).
        kind: Index into ``kinds``, shape (n,).
        kinds: Names of all kinds in the mesh, sorted, the same on every rank.
    """

    facets: npt.NDArray[np.int32]
    quadruples: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int32]
    kinds: tuple[str, ...]


def find_interfaces(domain: Domain) -> InterfaceFacets:
    """Find the interface facets this rank owns.

    '+' is the side whose (phase name, colour) comes first, so that orientation follows the grains and not the
    partition or the numbering of cells.
    """
    mesh, dimension = domain.mesh, domain.dimension
    topology = mesh.topology
    topology.create_connectivity(dimension - 1, dimension)
    topology.create_connectivity(dimension, dimension - 1)
    facet_cells = topology.connectivity(dimension - 1, dimension)
    cell_facets = topology.connectivity(dimension, dimension - 1)
    owned = topology.index_map(dimension - 1).size_local
    offsets = facet_cells.offsets[: owned + 1]
    shared = np.flatnonzero(np.diff(offsets) == 2)
    first, second = facet_cells.array[offsets[shared]], facet_cells.array[offsets[shared] + 1]
    grain = domain.cell_grain
    across = grain[first] != grain[second]
    facets, first, second = shared[across].astype(np.int32), first[across], second[across]

    phase, colour = domain.cell_phase, domain.cell_colour
    swap = (phase[first] > phase[second]) | (
        (phase[first] == phase[second]) & (colour[first] > colour[second])
    )
    plus, minus = np.where(swap, second, first), np.where(swap, first, second)
    per_cell = cell_facets.array.reshape(-1, dimension + 1)
    quadruples = np.column_stack(
        [plus, _position(per_cell[plus], facets), minus, _position(per_cell[minus], facets)]
    ).astype(np.int32)

    names = domain.phases
    pair = phase[plus].astype(np.int64) * len(names) + phase[minus]
    here = set(np.unique(pair).tolist())
    everywhere = sorted(set().union(*mesh.comm.allgather(here)))
    kinds = tuple(kind_name(names[code // len(names)], names[code % len(names)]) for code in everywhere)
    return InterfaceFacets(facets, quadruples, np.searchsorted(everywhere, pair).astype(np.int32), kinds)


def _position(facets_of_cell: npt.NDArray[np.int32], facet: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    return np.argmax(facets_of_cell == facet[:, None], axis=1)
