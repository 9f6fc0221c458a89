"""Measures of simplices in two and three dimensions and how they change with the corners."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

from .arrays import Floats, Ints


def cell_volumes(points: Floats, cells: Ints) -> Floats:
    """Signed area or volume of each simplex, shape (cells,)."""
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    if cells.shape[1] == 3:
        one, two = edges[:, 0], edges[:, 1]
        return np.asarray(0.5 * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]))
    return np.asarray((edges[:, 0] * cross(edges[:, 1], edges[:, 2])).sum(axis=1) / 6.0)


def oriented(points: Floats, cells: Ints) -> Ints:
    """Cells turned so that their volume is positive."""
    turned = cell_volumes(points, cells) < 0.0
    cells = cells.copy()
    cells[turned, :2] = cells[turned, 1::-1]
    return cells


def volumes_and_slopes(corners: Floats) -> tuple[Floats, Floats]:
    """Signed volume of each simplex and its derivative by each corner, shape (cells, corners, dimension)."""
    slopes = np.empty_like(corners)
    edges = corners[:, 1:] - corners[:, :1]
    if corners.shape[2] == 2:
        a, b = edges[:, 0], edges[:, 1]
        slopes[:, 1] = 0.5 * np.column_stack([b[:, 1], -b[:, 0]])
        slopes[:, 2] = 0.5 * np.column_stack([-a[:, 1], a[:, 0]])
    else:
        a, b, c = edges[:, 0], edges[:, 1], edges[:, 2]
        slopes[:, 1] = cross(b, c) / 6.0
        slopes[:, 2] = cross(c, a) / 6.0
        slopes[:, 3] = cross(a, b) / 6.0
    slopes[:, 0] = -slopes[:, 1:].sum(axis=1)
    return np.asarray((edges[:, 0] * slopes[:, 1]).sum(axis=1)), slopes


def facet_measures(corners: Floats) -> tuple[Floats, Floats]:
    """Length or area of each facet and its derivative by each corner, shape (facets, corners, dimension)."""
    slopes = np.empty_like(corners)
    if corners.shape[2] == 2:
        along = corners[:, 1] - corners[:, 0]
        measure = np.hypot(along[:, 0], along[:, 1])
        slopes[:, 1] = along / np.maximum(measure, 1e-30)[:, None]
        slopes[:, 0] = -slopes[:, 1]
        return measure, slopes
    normal = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice = np.sqrt((normal**2).sum(axis=1))
    unit = normal / np.maximum(twice, 1e-30)[:, None]
    for k in range(3):
        slopes[:, k] = 0.5 * cross(unit, corners[:, (k + 2) % 3] - corners[:, (k + 1) % 3])
    return 0.5 * twice, slopes


def gammas(points: Floats, cells: Ints) -> Floats:
    """Gmsh's gamma of each cell: inscribed over circumscribed radius, 1 for an equilateral simplex."""
    d = cells.shape[1] - 1
    corners = points[cells]
    volume = np.abs(cell_volumes(points, cells))
    surface = sum(facet_measures(np.delete(corners, k, axis=1))[0] for k in range(d + 1))
    edges = corners[:, 1:] - corners[:, :1]
    centre = np.linalg.solve(2.0 * edges, (edges**2).sum(axis=2)[..., None])[..., 0]
    outer = np.sqrt((centre**2).sum(axis=1))
    return np.asarray(d * d * volume / (surface * outer))


def edge_sizes(points: Floats, cells: Ints) -> Floats:
    """Mean length of the edges at each node, counted once a cell, shape (nodes,)."""
    one, two = np.triu_indices(cells.shape[1], 1)
    ends = cells[:, np.column_stack([one, two])].reshape(-1, 2)
    span = points[ends[:, 0]] - points[ends[:, 1]]
    length = np.sqrt((span**2).sum(axis=1))
    total = np.bincount(ends.ravel(), np.repeat(length, 2), len(points))
    return np.asarray(total / np.maximum(np.bincount(ends.ravel(), minlength=len(points)), 1))


def facet_pairs(cells: Ints) -> tuple[Ints, Ints]:
    """Facets inside the mesh: the two cells of each, shape (facets, 2), and its nodes, shape (facets, dimension)."""
    facets, owner, equal = _sorted_facets(cells)
    pair = np.flatnonzero(equal)
    return np.column_stack([owner[pair], owner[pair + 1]]), facets[pair]


def outer_facets(cells: Ints) -> tuple[Ints, Ints]:
    """Facets of one cell only: their nodes, shape (facets, dimension), and their cells."""
    facets, owner, equal = _sorted_facets(cells)
    single = np.ones(len(facets), dtype=bool)
    single[1:] &= ~equal
    single[:-1] &= ~equal
    return facets[single], owner[single]


def cross(a: Floats, b: Floats) -> Floats:
    """Vector products of rows, faster than NumPy's own, shape (n, 3)."""
    return np.column_stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ]
    )


def gather(corners: Ints, nodes: int) -> sparse.csr_matrix:
    """Matrix that adds up at the nodes what is given at every corner of every simplex, shape (nodes, corners)."""
    count = corners.size
    return sparse.csr_matrix((np.ones(count), (corners.ravel(), np.arange(count))), shape=(nodes, count))


def _sorted_facets(cells: Ints) -> tuple[Ints, Ints, Ints]:
    """All facets, node numbers ascending, equal ones in a row; their cells; whether each equals the next."""
    width = cells.shape[1]
    facets = np.sort(np.concatenate([np.delete(cells, k, axis=1) for k in range(width)]), axis=1)
    owner = np.tile(np.arange(len(cells)), width)
    order = np.lexsort([owner, *facets.T[::-1]])
    facets, owner = facets[order], owner[order]
    return facets, owner, (facets[1:] == facets[:-1]).all(axis=1)
