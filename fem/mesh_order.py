"""An order of cells, points and facets that depends on the mesh file alone, not on the partition.

DOLFINx deals cells out to ranks and renumbers vertices; what survives is the number a cell and a node had in the file.
Within a cell the vertices are taken in ascending order of those numbers, and points of a symmetric set (nodes of
Lagrange elements, quadrature points) go by their barycentric coordinates with respect to that order.
"""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import permutations

import basix
import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem import compat
from fem.domain import Domain
from fem.errors import CheckpointError
from fem.interfaces.pairs import InterfaceFacets
from fem.rows import gather_rows

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class CellOrder:
    """Numbers of this rank's cells in the mesh file, and the order of points in each of them.

    Args:
        domain: The mesh.

    Attributes:
        cells: Number in the file of every local cell, ghosts included, shape (cells,).
        owned: How many of them, the first ones, this rank owns.
        vertices: Numbers in the file of every cell's vertices, in DOLFINx's order, shape (cells, dimension + 1).
    """

    def __init__(self, domain: Domain):
        mesh = domain.mesh
        self._domain = domain
        self.cells: Integers = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
        self.owned = int(mesh.topology.index_map(domain.dimension).size_local)
        nodes = compat.geometry_dofs(mesh)
        self.vertices: Integers = np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[nodes]
        self._orders = list(permutations(range(domain.dimension + 1)))
        sorting = np.argsort(self.vertices, axis=1)
        self._order_of_cell = _number(sorting)
        self._sorting = sorting

    def dofs(self, space: dfem.FunctionSpace) -> Integers:
        """Dofs of every local cell as indices into ``Function.x.array``, in the order of the mesh file.

        Args:
            space: Of point values: Lagrange up to degree 2, quadrature elements, blocked or mixed from these.

        Returns:
            Shape (cells, values a cell).
        """
        parts = []
        for leaf in _leaves(space):
            points = np.asarray(compat.interpolation_points(leaf.element))
            table = np.array([_permutation(points, order) for order in self._orders], dtype=np.int64)
            local = np.asarray(leaf.dofmap.list, dtype=np.int64)
            ordered = np.take_along_axis(local, table[self._order_of_cell], axis=1)
            size = leaf.dofmap.bs
            parts.append((ordered[:, :, None] * size + np.arange(size)).reshape(len(ordered), -1))
        return np.concatenate(parts, axis=1)

    def position(self, cells: npt.NDArray[np.int32], vertex: npt.NDArray[np.int32]) -> Integers:
        """Place of a cell's local vertex in the order of the file, shape (n,)."""
        return np.argmax(self._sorting[cells] == vertex[:, None], axis=1)

    def fingerprint(self) -> str:
        """Hash of the cells with their vertices, coordinates and grains; collective, the same on every rank."""
        domain = self._domain
        owned, dimension = self.owned, domain.dimension
        nodes = np.take_along_axis(compat.geometry_dofs(domain.mesh)[:owned], self._sorting[:owned], axis=1)
        points = domain.mesh.geometry.x[nodes][:, :, :dimension].reshape(owned, nodes.shape[1] * dimension)
        whole = np.concatenate(
            [np.sort(self.vertices[:owned], axis=1), domain.cell_grain[:owned, None]], axis=1
        ).astype(np.int64)
        comm, digest = domain.mesh.comm, ""
        keys = gather_rows(comm, self.cells[:owned, None])
        integers, numbers = gather_rows(comm, whole), gather_rows(comm, points)
        if keys is not None and integers is not None and numbers is not None:
            order = np.argsort(keys[:, 0])
            hashed = hashlib.sha256(repr([grain.name for grain in domain.grains]).encode())
            hashed.update(integers[order].tobytes())
            hashed.update(numbers[order].tobytes())
            digest = f"sha256:{hashed.hexdigest()}"
        return str(comm.bcast(digest))


class FacetOrder:
    """Numbers of this rank's interface facets, and the direction in which DOLFINx takes each.

    The dofs of a Raviart-Thomas space on a facet are moments of the normal component against orthonormal polynomials
    of the facet's own coordinates. These, and the sign of the normal, follow the facet's vertices in ascending order of
    DOLFINx's numbers (its *frame*), which change with the partition.

    Args:
        domain: The mesh.
        interfaces: Its owned interface facets.
        cells: Order of the cells.

    Attributes:
        keys: Number of every owned interface facet: that of its '+' cell and of the vertex opposite, shape (n,).
        frames: Which permutation leads from the file's order of its vertices to DOLFINx's, shape (n,).
    """

    def __init__(self, domain: Domain, interfaces: InterfaceFacets, cells: CellOrder):
        topology, dimension = domain.mesh.topology, domain.dimension
        self.dimension = dimension
        plus, opposite = interfaces.quadruples[:, 0], interfaces.quadruples[:, 1]
        self.keys: Integers = cells.cells[plus] * (dimension + 1) + cells.position(plus, opposite)
        local = np.array(
            [[v for v in range(dimension + 1) if v != left_out] for left_out in range(dimension + 1)]
        )[opposite]
        topology.create_connectivity(dimension, 0)
        vertices = topology.connectivity(dimension, 0).array.reshape(-1, dimension + 1)
        here = np.take_along_axis(vertices[plus], local, axis=1)
        numbers = topology.index_map(0).local_to_global(here.ravel().astype(np.int32)).reshape(here.shape)
        in_file = np.take_along_axis(cells.vertices[plus], local, axis=1)
        framed = np.take_along_axis(in_file, np.argsort(numbers, axis=1), axis=1)
        places = np.argsort(np.argsort(framed, axis=1), axis=1)
        self.frames: Integers = _number(places)

    def moved(self, values: Array, frames: Integers) -> Array:
        """Dofs that were written in other frames, in those of this rank; untouched where the two are the same.

        Args:
            values: Shape (n, dofs a facet).
            frames: The frames in which they were written, shape (n,).
        """
        result = values.copy()
        for old, new in np.unique(np.column_stack([frames, self.frames]), axis=0):
            if old != new:
                chosen = (frames == old) & (self.frames == new)
                matrix = _frame_matrix(self.dimension, values.shape[1], int(old), int(new))
                result[chosen] = values[chosen] @ matrix.T
        return result


def _number(rows: Integers) -> Integers:
    """Place of every row in the list of all permutations, shape (n,)."""
    orders = np.array(list(permutations(range(rows.shape[1]))))
    return np.argmax((rows[:, None, :] == orders[None]).all(axis=2), axis=1)


def _leaves(space: dfem.FunctionSpace) -> list[dfem.FunctionSpace]:
    count = space.num_sub_spaces
    if count == 0:
        return [space]
    return [leaf for number in range(count) for leaf in _leaves(space.sub(number))]


def _permutation(points: Array, order: tuple[int, ...]) -> list[int]:
    """For each place in the file's order the local point that takes it, in a cell with the given order of vertices."""
    barycentric = np.column_stack([1.0 - points.sum(axis=1), points])
    seen = barycentric[:, order]
    distance = np.abs(seen[None, :, :] - barycentric[:, None, :]).max(axis=2)
    found = np.argmin(distance, axis=1)
    if distance.min(axis=1).max(initial=0.0) > 1e-10 or len(set(found.tolist())) != len(found):
        raise CheckpointError(
            "A field cannot be saved: its points within a cell are not symmetric, so their order would depend on the "
            "partition."
        )
    return [int(place) for place in found]


@cache
def _frame_matrix(dimension: int, size: int, old: int, new: int) -> Array:
    """What takes the ``size`` moments on a facet from one frame to another; exactly signs on an edge."""
    orders = list(permutations(range(dimension)))
    cell = (basix.CellType.interval, basix.CellType.triangle)[dimension - 2]
    degree = {1: 0, 2: 1, 3: 2 if dimension == 2 else 1}[size]
    points, weights = basix.make_quadrature(cell, 2 * degree + 1)
    barycentric = np.column_stack([1.0 - points.sum(axis=1), points])

    def from_file(order: tuple[int, ...]) -> Array:
        # Vertex k of the frame is vertex order[k] of the facet in the file's order.
        in_file = np.empty_like(barycentric)
        in_file[:, list(order)] = barycentric
        there, here = (
            basix.tabulate_polynomials(basix.PolynomialType.legendre, cell, degree, np.ascontiguousarray(p))
            for p in (in_file[:, 1:], points)
        )
        sign = round(float(np.linalg.det(np.eye(dimension)[list(order)])))
        return sign * np.einsum("jp,ip,p->ji", here, there, weights)

    matrix = from_file(orders[new]) @ from_file(orders[old]).T
    whole = np.round(matrix)
    return np.where(np.abs(matrix - whole) < 1e-12, whole, matrix)
