"""Tidies which grain each cell of a lattice belongs to: one piece a grain, no spikes, no grain touching itself.

Works on simplices of any dimension. Whatever the labels, the mesh conforms and every facet lies between two cells;
tidying is for sound grains and smooth boundaries.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from .arrays import Bools, Floats, Ints
from .errors import GeometryError
from .simplices import facet_pairs

#: Sweeps of tidying before labels count as beyond repair.
SWEEPS = 40


def tidy(cells: Ints, volumes: Floats, labels: Ints, fixed: Bools, count: int) -> Ints:
    """Repair labels.

    Args:
        cells: simplices, shape (cells, dimension + 1).
        volumes: of each, um^dimension.
        labels: grain of each cell, from 0, shape (cells,).
        fixed: cells that keep their label and give it to nobody (strips), shape (cells,).
        count: number of grains.

    Returns:
        New labels.

    Raises:
        GeometryError: if a grain vanishes or still touches itself.
    """
    labels = labels.copy()
    pairs, nodes = facet_pairs(cells)
    free: Bools = np.asarray(~fixed[pairs].any(axis=1))
    for _ in range(SWEEPS):
        before = labels.copy()
        _join_pieces(volumes, labels, pairs, free, fixed)
        _cut_spikes(labels, pairs, free)
        pinched = _cut_pinches(cells, volumes, labels, pairs, nodes, fixed)
        missing = np.flatnonzero(np.bincount(labels[~fixed], minlength=count)[:count] == 0)
        if len(missing):
            raise GeometryError(f"grain {int(missing[0])} vanishes at this element size")
        if (labels == before).all() and not pinched:
            return labels
    raise GeometryError("a grain touches itself at this element size")


def _join_pieces(volumes: Floats, labels: Ints, pairs: Ints, free: Bools, fixed: Bools) -> None:
    """Give all but the largest piece of each grain to the neighbour it shares most facets with."""
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    graph = _graph(pairs[same], len(labels))
    number, piece = connected_components(graph, directed=False)
    volume = np.bincount(piece, volumes, number)
    of_piece = np.zeros(number, dtype=np.int64)
    of_piece[piece] = labels
    # The last of equal labels in ascending order of volume is the largest piece.
    order = np.lexsort((volume, of_piece))
    last = np.append(of_piece[order][1:] != of_piece[order][:-1], True)
    loose = np.ones(number, dtype=bool)
    loose[order[last]] = False
    if not loose.any():
        return
    _to_neighbours(labels, loose[piece] & ~fixed, pairs[free], piece)


def _cut_spikes(labels: Ints, pairs: Ints, free: Bools) -> None:
    """Cells that hold on to their grain by one facet or none go to a grain they share more facets with.

    Of neighbouring ones only the first goes, so that the number of facets between grains falls every time.
    """
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    held = np.bincount(pairs[same].ravel(), minlength=len(labels))
    wanted, times = _favourite(labels, pairs[free], np.arange(len(labels)))
    loose = (held <= 1) & (times > held)
    both = loose[pairs].all(axis=1)
    loose[pairs[both].max(axis=1)] = False
    labels[loose] = wanted[loose]


def _cut_pinches(cells: Ints, volumes: Floats, labels: Ints, pairs: Ints, nodes: Ints, fixed: Bools) -> bool:
    """Where a grain's cells around a node do not hang together by facets, give the smaller bunch to a neighbour.

    Returns:
        Whether there was such a node.
    """
    entry, bunch, losers = pinches(cells, volumes, labels, pairs, nodes)
    if not len(losers):
        return False
    loose = np.zeros(len(labels), dtype=bool)
    loose[entry[np.isin(bunch, losers)]] = True
    loose &= ~fixed
    free = ~fixed[pairs].any(axis=1)
    _to_neighbours(labels, loose, pairs[free], np.arange(len(labels)))
    return True


def pinches(cells: Ints, volumes: Floats, labels: Ints, pairs: Ints, nodes: Ints) -> tuple[Ints, Ints, Ints]:
    """Bunches of cells of one grain around one node.

    Returns:
        The cell of each (cell, corner) entry, the bunch of each entry, and the bunches that are not the largest of
        their grain at their node.
    """
    width, count = cells.shape[1], len(cells)
    entry = np.repeat(np.arange(count), width)
    place = {}
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    links = []
    for side in range(2):
        cell = pairs[same, side]
        for k in range(width - 1):
            at = np.argmax(cells[cell] == nodes[same, k, None], axis=1)
            place[side, k] = cell * width + at
    for k in range(width - 1):
        links.append(np.column_stack([place[0, k], place[1, k]]))
    number, bunch = connected_components(_graph(np.concatenate(links), count * width), directed=False)
    volume = np.bincount(bunch, volumes[entry], number)
    node, grain = np.zeros(number, dtype=np.int64), np.zeros(number, dtype=np.int64)
    node[bunch], grain[bunch] = cells.ravel(), labels[entry]
    order = np.lexsort((volume, grain, node))
    last = np.append((node[order][1:] != node[order][:-1]) | (grain[order][1:] != grain[order][:-1]), True)
    return entry, bunch, order[~last]


def _to_neighbours(labels: Ints, loose: Bools, pairs: Ints, group: Ints) -> None:
    """Give loose cells, group by group, to the foreign grain they share most facets with."""
    wanted, _ = _favourite(labels, pairs, np.where(loose, group, -1))
    cells = np.flatnonzero(loose)
    cells = cells[wanted[group[cells]] >= 0]
    labels[cells] = wanted[group[cells]]


def _favourite(labels: Ints, pairs: Ints, group: Ints) -> tuple[Ints, Ints]:
    """The foreign grain each group of cells (-1: none) shares most facets with, -1 if there is none, and how many."""
    one = np.concatenate([pairs[:, 0], pairs[:, 1]])
    two = np.concatenate([pairs[:, 1], pairs[:, 0]])
    keep = (group[one] >= 0) & (labels[one] != labels[two])
    rows = np.column_stack([group[one[keep]], labels[two[keep]]])
    wanted = np.full(len(labels), -1, dtype=np.int64)
    times = np.zeros(len(labels), dtype=np.int64)
    if len(rows):
        touching, number = np.unique(rows, axis=0, return_counts=True)
        order = np.lexsort((number, touching[:, 0]))
        last = np.append(touching[order][1:, 0] != touching[order][:-1, 0], True)
        chosen = order[last]
        wanted[touching[chosen, 0]], times[touching[chosen, 0]] = touching[chosen, 1], number[chosen]
    return wanted, times


def _graph(links: Ints, size: int) -> sparse.coo_matrix:
    """Adjacency of ``size`` things by links, shape (links, 2)."""
    return sparse.coo_matrix(
        (np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(size, size)
    )
