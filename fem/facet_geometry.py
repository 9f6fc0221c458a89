"""Facets seen from the cells beside them: where their nodes are, before and after deformation.

A facet of a P2 displacement is known by its corners and its edges' midpoints, whose displacements are dofs, so
that everything geometrical about a facet is plain NumPy. A P1 displacement has the corners alone; its midpoints lie
between them. Both sides of an interface list the nodes in one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import basix
import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh

from fem import compat
from fem.domain import Domain

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

# The ruled strip between the two sides of an interface is cubic along an edge in 2D, quartic in 3D.
_QUADRATURE_DEGREE = 4


@dataclass(frozen=True)
class FacetSide:
    """One side of a set of facets.

    Attributes:
        dofs: Local displacement dofs of the facets' nodes, shape (facets, nodes, dimension): corners, then midpoints
            (those of P2 only).
        corner_potential: Local dofs of the chemical potential at the corners, shape (facets, corners); (facets, 0)
            without a lithium balance.
        reference: Undeformed positions of the nodes in µm, shape (facets, nodes, dimension).
        outward: +1 where the normal of the node order points out of the cell, else -1, shape (facets,).
    """

    dofs: Integers
    corner_potential: Integers
    reference: Array
    outward: Array

    def displacement(self, unknowns: Array) -> Array:
        """Displacement of the nodes in µm, shape (facets, nodes, dimension)."""
        values = unknowns[self.dofs]
        return values if values.shape == self.reference.shape else _with_middles(values)


@dataclass(frozen=True)
class Shapes:
    """P2 shape functions of a facet at points of the reference facet.

    Attributes:
        values: Shape (points, nodes).
        slopes: Derivatives along the reference axes, shape (axes, points, nodes).
        weights: Quadrature weights (zero where the points are no quadrature), shape (points,).
    """

    values: Array
    slopes: Array
    weights: Array

    def at(self, nodal: Array) -> Array:
        """Values at the points of a nodal field, shape (facets, points, components)."""
        return np.asarray(np.einsum("pn,fnd->fpd", self.values, nodal))

    def area_normal(self, positions: Array) -> Array:
        """Normal times area per reference area, from nodal positions, shape (facets, points, dimension)."""
        tangents = np.einsum("apn,fnd->afpd", self.slopes, positions)
        if len(tangents) == 1:
            return np.asarray(np.stack([tangents[0, ..., 1], -tangents[0, ..., 0]], axis=-1))
        return np.asarray(np.cross(tangents[0], tangents[1]))

    def integral(self, values: Array) -> Array:
        """Integral over every facet of values per reference area, shape (facets, points) → (facets,)."""
        return values @ self.weights


def quadrature_shapes(dimension: int) -> Shapes:
    """Shape functions at quadrature points of a facet of a mesh of the given dimension."""
    points, weights = basix.make_quadrature(_facet_type(dimension), _QUADRATURE_DEGREE)
    return _tabulate(dimension, points, weights)


def nodal_shapes(dimension: int) -> Shapes:
    """Shape functions at the nodes of a facet: its corners and midpoints."""
    points = _facet_element(dimension).points
    return _tabulate(dimension, points, np.zeros(len(points)))


def facet_side(model: ElectrodeModel, cells: Integers, local_facets: Integers) -> FacetSide:
    """Nodes of facets as the given cells see them.

    Args:
        model: Gives mesh and dofs.
        cells: Local cell beside each facet, shape (facets,).
        local_facets: Number of the facet in that cell, shape (facets,).
    """
    domain, dimension = model.domain, model.domain.dimension
    corners = _corners(domain, cells, local_facets)
    lookup = _edge_lookup(dimension)
    edges = basix.topology(_facet_type(dimension))[1]
    middles = [dimension + 1 + lookup[corners[:, a], corners[:, b]] for a, b in edges]
    nodes = np.column_stack([corners, *middles])
    per_cell = model.state.dofs.cell_displacement[cells]
    if per_cell.shape[1] == dimension + 1:
        nodes = corners
    dofs = np.take_along_axis(per_cell, nodes[:, :, None], axis=1)

    points = domain.mesh.geometry.x[:, :dimension][compat.geometry_dofs(domain.mesh)[cells]]
    ends = np.take_along_axis(points, corners[:, :, None], axis=1)
    reference = _with_middles(ends)
    normal = nodal_shapes(dimension).area_normal(reference)[:, 0]
    inside = points.mean(axis=1) - ends.mean(axis=1)
    outward = -np.sign(np.einsum("fd,fd->f", normal, inside))
    potential = model.state.dofs.cell_chemical_potential[cells]
    if model.state.has_lithium:
        potential = np.take_along_axis(potential, corners, axis=1)
    return FacetSide(dofs, potential, reference, outward)


def boundary_cells(domain: Domain, name: str) -> tuple[Integers, Integers]:
    """Cells and local facet numbers of the owned facets of a named outer boundary.

    Raises:
        MeshError: The mesh has no boundary of that name.
    """
    return _cells_beside(domain, domain.boundary_facets(name))


def free_cells(domain: Domain) -> tuple[Integers, Integers]:
    """Cells and local facet numbers of the owned outer facets that belong to no named boundary."""
    topology, dimension = domain.mesh.topology, domain.dimension
    topology.create_connectivity(dimension - 1, dimension)
    outer = dmesh.exterior_facet_indices(topology)
    return _cells_beside(domain, np.setdiff1d(outer, domain.boundaries.indices))


def _cells_beside(domain: Domain, facets: Integers) -> tuple[Integers, Integers]:
    topology, dimension = domain.mesh.topology, domain.dimension
    topology.create_connectivity(dimension - 1, dimension)
    topology.create_connectivity(dimension, dimension - 1)
    facets = facets[facets < topology.index_map(dimension - 1).size_local]
    beside = topology.connectivity(dimension - 1, dimension)
    cells = beside.array[beside.offsets[facets]]
    per_cell = topology.connectivity(dimension, dimension - 1).array.reshape(-1, dimension + 1)
    return cells.astype(np.int32), np.argmax(per_cell[cells] == facets[:, None], axis=1).astype(np.int32)


def _with_middles(corners: Array) -> Array:
    """Add the midpoints of the edges to the corners of facets, shape (facets, corners, dimension)."""
    edges = basix.topology(_facet_type(corners.shape[1]))[1]
    return np.concatenate([corners, *(0.5 * (corners[:, [a]] + corners[:, [b]]) for a, b in edges)], axis=1)


def _corners(domain: Domain, cells: Integers, local_facets: Integers) -> Integers:
    """Corners of the facets as local vertex numbers, in the order of the mesh as given, shape (facets, corners)."""
    dimension = domain.dimension
    table = np.array(basix.topology(_cell_type(dimension))[dimension - 1], dtype=np.int32)
    local = table[local_facets].reshape(-1, dimension)
    geometry = domain.mesh.geometry
    given = np.asarray(geometry.input_global_indices)[compat.geometry_dofs(domain.mesh)[cells]]
    nodes = np.take_along_axis(given, local, axis=1)
    return np.take_along_axis(local, np.argsort(nodes, axis=1), axis=1)


def _edge_lookup(dimension: int) -> Integers:
    """Number of the edge between two vertices of a cell."""
    lookup = np.zeros((dimension + 1, dimension + 1), dtype=np.int32)
    for number, (a, b) in enumerate(basix.topology(_cell_type(dimension))[1]):
        lookup[a, b] = lookup[b, a] = number
    return lookup


def _cell_type(dimension: int) -> basix.CellType:
    return basix.CellType.triangle if dimension == 2 else basix.CellType.tetrahedron


def _facet_type(dimension: int) -> basix.CellType:
    return basix.CellType.interval if dimension == 2 else basix.CellType.triangle


def _facet_element(dimension: int) -> basix.finite_element.FiniteElement:
    return basix.create_element(
        basix.ElementFamily.P, _facet_type(dimension), 2, basix.LagrangeVariant.gll_warped
    )


def _tabulate(dimension: int, points: Array, weights: Array) -> Shapes:
    table = _facet_element(dimension).tabulate(1, points)[..., 0]
    return Shapes(table[0], table[1:], weights)
