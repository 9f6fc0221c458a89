"""Background simplices in a box of slabs: a regular lattice whose cells are later given to grains and then moved.

In three dimensions the lattice is body-centred cubic: every tetrahedron joins two neighbouring cube centres with an
edge of the face between them, which is the most even filling of space by equal tetrahedra. In two dimensions every
square is cut into four by its centre. Outer faces and the planes between slabs are faces of cubes, so they are flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .simplices import oriented

#: Side of a cube over the element size asked for: as many cells fill a volume as Gmsh's would at that size.
CUBE_SIDE = {2: 1.25, 3: 1.1}
#: Layers of strips grow outwards by this factor.
STRIP_GROWTH = 1.5


@dataclass(frozen=True)
class Lattice:
    """Simplices that fill a box.

    Attributes:
        points: shape (nodes, dimension), um; thickness along the last axis.
        cells: positively oriented, shape (cells, dimension + 1).
        slab: slab of each cell, counted from below, shape (cells,).
        planes: heights of the slabs' faces, um, ascending, one more than slabs.
        size: extent along the other axes, um.
    """

    points: Floats
    cells: Ints
    slab: Ints
    planes: tuple[float, ...]
    size: tuple[float, ...]


def build_lattice(
    size: Sequence[float], foil: float, height: float, electrolyte: float, element: float
) -> Lattice:
    """Fill foil, electrode and electrolyte.

    Args:
        size: extent along the foil, um: width, and depth in three dimensions.
        foil: thickness of the foil below height 0, um.
        height: thickness of the electrode, um.
        electrolyte: thickness of the electrolyte above it, um.
        element: element size, um.

    Returns:
        The lattice.
    """
    side = CUBE_SIDE[len(size) + 1] * element
    levels = [
        -_layers(foil, side)[::-1],
        np.linspace(0.0, height, _number(height, side) + 1),
        height + _layers(electrolyte, side),
    ]
    slabs = np.repeat([0, 1, 2], [len(level) - 1 for level in levels])
    grids: list[Floats] = [np.asarray(np.linspace(0.0, x, _number(x, side) + 1)) for x in size]
    grids.append(np.unique(np.concatenate(levels)))
    # The first and last point of neighbouring level lists are one and the same number, so ``unique`` joins them.
    points, cells, layer = (_triangles if len(size) == 1 else _tetrahedra)(grids, slabs)
    planes = (-foil, 0.0, height, height + electrolyte)
    return Lattice(points, oriented(points, cells), slabs[layer], planes, tuple(size))


def _number(length: float, side: float) -> int:
    """Cubes that fit along a length, at least two."""
    return max(2, round(length / side))


def _layers(thickness: float, side: float) -> Floats:
    """Levels of a strip from 0 to its thickness, layers growing outwards from about a cube's side."""
    numbers = np.arange(1, 40)
    first = thickness * (STRIP_GROWTH - 1.0) / (STRIP_GROWTH**numbers - 1.0)
    count = int(numbers[np.argmin(np.abs(np.log(first / side)))])
    steps = STRIP_GROWTH ** np.arange(count)
    levels = np.concatenate([[0.0], np.cumsum(steps) * (thickness / steps.sum())])
    levels[-1] = thickness
    return np.asarray(levels)


def _triangles(grids: Sequence[Floats], slabs: Ints) -> tuple[Floats, Ints, Ints]:
    """Points, triangles and the layer of each."""
    (nx, ny) = (len(grid) - 1 for grid in grids)
    corner = np.arange((nx + 1) * (ny + 1)).reshape(nx + 1, ny + 1)
    centre = corner.size + np.arange(nx * ny).reshape(nx, ny)
    ring = [corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]]
    cells = [np.stack([ring[k], ring[(k + 1) % 4], centre], axis=-1).reshape(-1, 3) for k in range(4)]
    layer = np.tile(np.broadcast_to(np.arange(ny), (nx, ny)).ravel(), 4)
    return _points(grids), np.concatenate(cells), layer


def _tetrahedra(grids: Sequence[Floats], slabs: Ints) -> tuple[Floats, Ints, Ints]:
    """Points, tetrahedra and the layer of each."""
    shape = tuple(len(grid) - 1 for grid in grids)
    corner = np.arange(np.prod([n + 1 for n in shape])).reshape([n + 1 for n in shape])
    centre = corner.size + np.arange(np.prod(shape)).reshape(shape)
    level = np.broadcast_to(np.arange(shape[2]), shape)
    cells, layers = [], []

    def add(parts: list[Ints], layer: Ints) -> None:
        cells.append(np.stack([part.ravel() for part in parts], axis=-1))
        layers.append(layer.ravel())

    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        for place in range(shape[axis] + 1):
            plane = np.take(corner, place, axis=axis)
            ring = [plane[:-1, :-1], plane[1:, :-1], plane[1:, 1:], plane[:-1, 1:]]
            below = np.take(centre, place - 1, axis=axis) if place > 0 else None
            above = np.take(centre, place, axis=axis) if place < shape[axis] else None
            low = np.take(level, max(place - 1, 0), axis=axis)
            high = np.take(level, min(place, shape[axis] - 1), axis=axis)
            same_slab = axis < 2 or slabs[max(place - 1, 0)] == slabs[min(place, shape[axis] - 1)]
            if below is not None and above is not None and same_slab:
                for k in range(4):
                    add([ring[k], ring[(k + 1) % 4], below, above], low)
                continue
            # A flat face: two triangles on it, the diagonal alternating.
            count = np.indices(ring[0].shape).sum(axis=0) + place + sum(others)
            odd = (count % 2).astype(bool)
            first = [np.where(odd, ring[k], ring[(k + 1) % 4]) for k in range(4)]
            for apex, layer in ((below, low), (above, high)):
                if apex is not None:
                    add([first[0], first[1], first[2], apex], layer)
                    add([first[0], first[2], first[3], apex], layer)
    return _points(grids), np.concatenate(cells), np.concatenate(layers)


def _points(grids: Sequence[Floats]) -> Floats:
    """Corners of the grid, then the centres of its boxes."""
    middles = [0.5 * (grid[1:] + grid[:-1]) for grid in grids]
    parts = [
        np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(grids))
        for axes in (grids, middles)
    ]
    return np.concatenate(parts)
