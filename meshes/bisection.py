"""Local refinement of simplices by bisecting longest edges, conforming at every stage."""

from __future__ import annotations

from math import sqrt

import numpy as np

from .arrays import Bools, Floats, Ints
from .lattice import Lattice
from .simplices import cell_volumes, oriented

#: Rounds after which refinement has long come to its end.
ROUNDS = 200


def refine(lattice: Lattice, wanted: Floats, rounds: int = ROUNDS) -> Lattice:
    """Bisect cells until each is about as small as wanted.

    An edge is halved only where it is the longest of all cells around it; a cell that waits for another edge passes
    its wish on to the cells around that edge (Rivara). Shapes stay within the few classes that halving brings about.

    Args:
        lattice: to refine.
        wanted: volume each cell should have, shape (cells,), um^dimension; halves inherit it. A cell is halved while
            that brings it nearer, so cells end within a factor of √2 of it.
        rounds: most rounds.

    Returns:
        The refined lattice.
    """
    points, cells, slab = lattice.points, lattice.cells, lattice.slab
    for _ in range(rounds):
        active = cell_volumes(points, cells) > sqrt(2.0) * (1.0 + 1e-9) * wanted
        if not active.any():
            break
        keys, longest = _edges(points, cells)
        active = _with_waiting(keys, longest, active)
        terminal = _terminal(keys, longest, active)
        if not terminal.any():
            break
        points, cells, parents = _halve(points, cells, keys, longest, terminal)
        wanted, slab = wanted[parents], slab[parents]
    return Lattice(points, oriented(points, cells), slab, lattice.planes, lattice.size)


def _edges(points: Floats, cells: Ints) -> tuple[Ints, Ints]:
    """Number of each edge of each cell, and that of its longest one.

    Of equally long edges the one with the smallest number counts, so that all cells around an edge agree.
    """
    width = cells.shape[1]
    one, two = np.triu_indices(width, 1)
    ends = np.sort(np.stack([cells[:, one], cells[:, two]], axis=-1), axis=-1)
    key = ends[..., 0] * np.int64(len(points)) + ends[..., 1]
    unique, numbers = np.unique(key, return_inverse=True)
    numbers = numbers.reshape(key.shape)
    span = points[unique // len(points)] - points[unique % len(points)]
    # Rounding makes equal what is equal by construction.
    length = np.round(np.sqrt((span**2).sum(axis=1)), 9)
    order = np.empty(len(unique), dtype=np.int64)
    order[np.lexsort((-np.arange(len(unique)), length))] = np.arange(len(unique))
    place = np.argmax(order[numbers], axis=1)
    longest = np.take_along_axis(numbers, place[:, None], axis=1)[:, 0]
    return numbers, longest


def _with_waiting(keys: Ints, longest: Ints, active: Bools) -> Bools:
    """Active cells and all those whose longest edge has to be halved first."""
    active = active.copy()
    while True:
        marked = np.zeros(int(keys.max()) + 1, dtype=bool)
        marked[longest[active]] = True
        reached = marked[keys].any(axis=1)
        if not (reached & ~active).any():
            return active
        active |= reached


def _terminal(keys: Ints, longest: Ints, active: Bools) -> Bools:
    """Cells whose longest edge is the longest of every cell around it, of those active."""
    count = int(keys.max()) + 1
    around = np.bincount(keys.ravel(), minlength=count)
    agreeing = np.bincount(longest, minlength=count)
    return np.asarray(active & (around == agreeing)[longest])


def _halve(
    points: Floats, cells: Ints, keys: Ints, longest: Ints, chosen: Bools
) -> tuple[Floats, Ints, Ints]:
    """Halve the longest edge of the chosen cells; points, cells and the parent of each cell."""
    width = cells.shape[1]
    one, two = np.triu_indices(width, 1)
    cut = cells[chosen]
    place = np.argmax(keys[chosen] == longest[chosen, None], axis=1)
    rows = np.arange(len(cut))
    a, b = one[place], two[place]
    ends = np.sort(np.stack([cut[rows, a], cut[rows, b]], axis=-1), axis=-1)
    unique, number = np.unique(ends, axis=0, return_inverse=True)
    middle = len(points) + number.ravel()
    first, second = cut.copy(), cut.copy()
    first[rows, b] = middle
    second[rows, a] = middle
    points = np.concatenate([points, 0.5 * (points[unique[:, 0]] + points[unique[:, 1]])])
    kept = np.flatnonzero(~chosen)
    halved = np.flatnonzero(chosen)
    return points, np.concatenate([cells[kept], first, second]), np.concatenate([kept, halved, halved])
