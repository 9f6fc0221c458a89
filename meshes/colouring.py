"""Colours for grains such that two that share even a node never share a colour."""

from __future__ import annotations

from itertools import combinations

import networkx
import numpy as np

from .arrays import Ints, whole


def colour_groups(cells: Ints, cell_tags: Ints) -> dict[int, int]:
    """Colour the cell groups of a mesh by node adjacency, with as few colours as the greedy strategies find.

    Args:
        cells: node numbers of each cell, shape (cells, nodes of a cell); any cell shape and dimension.
        cell_tags: group of each cell, shape (cells,).

    Returns:
        Colour, from 0, of each group by tag.
    """
    pairs = np.unique(np.column_stack([cells.ravel(), np.repeat(cell_tags, cells.shape[1])]), axis=0)
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    graph = networkx.Graph()
    graph.add_nodes_from(np.unique(cell_tags).tolist())
    for group in np.split(pairs[:, 1], starts[1:]):
        graph.add_edges_from(combinations(whole(group), 2))
    best: dict[int, int] = {}
    for strategy in ("DSATUR", "smallest_last", "largest_first"):
        colours = networkx.greedy_color(graph, strategy)
        if not best or max(colours.values()) < max(best.values()):
            best = colours
    return {tag: best[tag] for tag in sorted(best)}
