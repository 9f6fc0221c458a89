"""Labelled simplices in Gmsh: grains as discrete entities, swaps of edges and faces inside them, the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import gmsh
import numpy as np

from .arrays import Floats, Ints, whole
from .build import Mesh, gmsh_model, read_model, write_model
from .errors import QualityError
from .simplices import facet_pairs, outer_facets

#: Tags of the boundary groups in three dimensions.
SOLID_BOUNDARIES = {"bottom": 1, "top": 2, "left": 3, "right": 4, "front": 5, "back": 6}
#: Axis and end of each side, thickness counted as the last axis.
_SIDES = {"bottom": (-1, 0), "top": (-1, 1), "left": (0, 0), "right": (0, 1), "front": (1, 0), "back": (1, 1)}


def swap_tetrahedra(points: Floats, cells: Ints, labels: Ints) -> tuple[Floats, Ints, Ints]:
    """Gmsh's optimiser inside every grain: swaps edges and faces and moves inner nodes; boundaries stay untouched.

    Args:
        points: shape (nodes, 3), um.
        cells: tetrahedra, shape (cells, 4).
        labels: grain of each, shape (cells,).

    Returns:
        Points (in another order, those on grain boundaries with the same coordinates bit for bit), cells, labels.

    Raises:
        QualityError: if Gmsh fails.
    """
    pairs, facets = facet_pairs(cells)
    sides = np.sort(labels[pairs], axis=1)
    apart = sides[:, 0] != sides[:, 1]
    outer, owner = outer_facets(cells)
    every = np.concatenate([facets[apart], outer])
    key = np.concatenate([sides[apart], np.column_stack([labels[owner], np.full(len(owner), -1)])])
    groups, number = np.unique(key, axis=0, return_inverse=True)
    order = np.argsort(number.ravel(), kind="stable")
    parts = np.split(every[order], np.cumsum(np.bincount(number.ravel()))[:-1])
    surfaces = dict(zip(map(tuple, groups.tolist()), parts, strict=True))
    grains = whole(np.unique(labels))
    with gmsh_model("swaps"):
        faces: dict[int, list[int]] = defaultdict(list)
        for tag, pair in enumerate(surfaces, start=1):
            gmsh.model.addDiscreteEntity(2, tag)
            for grain in pair:
                faces[grain].append(tag)
        for grain in grains:
            gmsh.model.addDiscreteEntity(3, grain + 1, faces[grain])
        gmsh.model.mesh.addNodes(3, grains[0] + 1, np.arange(1, len(points) + 1), points.ravel())
        for tag, part in enumerate(surfaces.values(), start=1):
            gmsh.model.mesh.addElementsByType(tag, 2, [], (part + 1).ravel())
        for grain in grains:
            gmsh.model.mesh.addElementsByType(grain + 1, 4, [], (cells[labels == grain] + 1).ravel())
        gmsh.model.mesh.reclassifyNodes()
        try:
            gmsh.model.mesh.optimize("", True, 1)
        except Exception as error:  # Gmsh raises bare Exceptions
            raise QualityError(f"Gmsh could not improve the mesh: {error}") from error
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        place = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
        place[tags.astype(np.int64)] = np.arange(len(tags))
        found = [
            place[np.asarray(gmsh.model.mesh.getElementsByType(4, grain + 1)[1], dtype=np.int64)].reshape(
                -1, 4
            )
            for grain in grains
        ]
    swapped = np.repeat(np.array(grains, dtype=np.int64), [len(part) for part in found])
    return np.asarray(coordinates).reshape(-1, 3), np.concatenate(found), swapped


def write_simplices(
    points: Floats, cells: Ints, tags: Ints, names: Mapping[int, str], path: str, name: str
) -> Mesh:
    """Write cells and the facets of the sides of their box as a .msh in our layout, and read it back.

    Args:
        points: shape (nodes, dimension), um.
        cells: shape (cells, dimension + 1).
        tags: group of each cell.
        names: name of each group.
        path: the file.
        name: of the Gmsh model.

    Raises:
        OSError: if the file cannot be written.
        QualityError: if the outline is not a box.
    """
    d = points.shape[1]
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 1e-6 * float((high - low).max())
    outer, _ = outer_facets(cells)
    kinds = {2: (1, 2), 3: (2, 4)}[d]
    with gmsh_model(name):
        carrier = gmsh.model.addDiscreteEntity(d)
        flat = np.zeros((len(points), 3))
        flat[:, :d] = points
        gmsh.model.mesh.addNodes(d, carrier, np.arange(1, len(points) + 1), flat.ravel())
        for tag in sorted(names):
            entity = gmsh.model.addDiscreteEntity(d)
            gmsh.model.mesh.addElementsByType(entity, kinds[1], [], (cells[tags == tag] + 1).ravel())
            gmsh.model.addPhysicalGroup(d, [entity], tag, names[tag])
        placed = 0
        for boundary in boundaries_of(d):
            axis, end = _SIDES[boundary]
            wall = (low, high)[end][axis]
            side = outer[(np.abs(points[outer][:, :, axis] - wall) < reach).all(axis=1)]
            entity = gmsh.model.addDiscreteEntity(d - 1)
            gmsh.model.mesh.addElementsByType(entity, kinds[0], [], (side + 1).ravel())
            gmsh.model.addPhysicalGroup(d - 1, [entity], SOLID_BOUNDARIES[boundary], boundary)
            placed += len(side)
        if placed != len(outer):
            raise QualityError(f"{len(outer) - placed} of the outline's facets lie on no side of the box")
        gmsh.model.mesh.reclassifyNodes()
        gmsh.model.removeEntities([(d, carrier)])
        write_model(path)
        return read_model(d)


def boundaries_of(dimension: int) -> Sequence[str]:
    """Names of the sides of a box."""
    return list(SOLID_BOUNDARIES)[: 2 * dimension]
