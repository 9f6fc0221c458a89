"""How a number of ranks would share a block: load and communication, counted in one process without starting them.

DOLFINx's own graph partitioner deals out the cells. Every unknown belongs to the lowest rank that has one of its cells
and is a ghost on every other rank that has one, a cell of its own or one copied across a shared facet.
"""

from __future__ import annotations

from typing import Any

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import graph
from mpi4py import MPI

from fem.domain import Domain
from fem.spaces import broken_space

Integers = npt.NDArray[np.int64]


def shared(domain: Domain, parts: int) -> dict[str, float]:
    """Shares of the ranks.

    Args:
        domain: A mesh that this process holds in full.
        parts: Ranks.

    Returns:
        ``parts`` and ``total`` unknowns; most over mean of ``cells``, ``unknowns`` and ``interface_facets`` a rank;
        ``ghosts_mean`` and ``ghosts_most``, unknowns a rank receives in every product with the matrix;
        ``ghost_share``, ghosts over unknowns owned; ``neighbours_most``, ranks that a rank receives from.
    """
    pairs = _facet_pairs(domain)
    part = _partition(pairs, len(domain.cell_grain), parts)
    dofs = _cell_dofs(domain)
    owner = np.full(int(dofs.max()) + 1, parts, dtype=np.int64)
    np.minimum.at(owner, dofs, part[:, None])
    cut = pairs[part[pairs[:, 0]] != part[pairs[:, 1]]]
    cells = np.concatenate([np.arange(len(part)), cut[:, 0], cut[:, 1]])
    ranks = np.concatenate([part, part[cut[:, 1]], part[cut[:, 0]]])
    here = np.unique(ranks[:, None] * len(owner) + dofs[cells])
    rank, dof = here // len(owner), here % len(owner)
    ghost = owner[dof] != rank
    ghosts = np.bincount(rank[ghost], minlength=parts)
    links = np.unique(rank[ghost] * parts + owner[dof[ghost]])
    neighbours = np.bincount(links // parts, minlength=parts)
    owned = np.bincount(owner, minlength=parts)
    grain = domain.cell_grain
    seams = pairs[grain[pairs[:, 0]] != grain[pairs[:, 1]]]
    return {
        "parts": float(parts),
        "total": float(len(owner)),
        "cells": _most(np.bincount(part, minlength=parts)),
        "unknowns": _most(owned),
        "interface_facets": _most(np.bincount(part[seams[:, 0]], minlength=parts)),
        "ghosts_mean": float(ghosts.mean()),
        "ghosts_most": float(ghosts.max()),
        "ghost_share": float(ghosts.sum() / owned.sum()),
        "neighbours_most": float(neighbours.max()),
    }


def _most(counts: Integers) -> float:
    return float(counts.max() / counts.mean())


def _facet_pairs(domain: Domain) -> Integers:
    """The two cells of every inner facet, shape (facets, 2)."""
    topology, dimension = domain.mesh.topology, domain.dimension
    topology.create_connectivity(dimension - 1, dimension)
    links = topology.connectivity(dimension - 1, dimension)
    inner = np.flatnonzero(np.diff(links.offsets) == 2)
    return links.array[links.offsets[inner][:, None] + np.arange(2)].astype(np.int64)


def _partition(pairs: Integers, cells: int, parts: int) -> Integers:
    """Rank of every cell, shape (cells,)."""
    if parts == 1:
        return np.zeros(cells, dtype=np.int64)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(both[:, 0], minlength=cells))]).astype(np.int32)
    links = graph.adjacencylist(np.ascontiguousarray(both[:, 1], dtype=np.int64), offsets)
    divide: Any = graph.partitioner()
    destinations = divide(MPI.COMM_SELF, parts, getattr(links, "_cpp_object", links), False)
    return np.asarray(destinations.array, dtype=np.int64)


def _cell_dofs(domain: Domain) -> Integers:
    """Unknowns of every cell, shape (cells, unknowns a cell)."""
    cell = domain.mesh.basix_cell()
    scalar = basix.ufl.element("Lagrange", cell, 1)
    displacement = basix.ufl.element("Lagrange", cell, 2, shape=(domain.dimension,))
    element = basix.ufl.mixed_element([displacement, scalar, scalar])
    space = broken_space(domain.mesh, domain.cell_colour, domain.colours, element)
    return np.asarray(space.dofmap.list, dtype=np.int64)
