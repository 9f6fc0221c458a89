"""What contact found by search needs to know of a facet: its points, its shape, and where on it a point is closest.

Sections have edges (contact_edges.py), meshes in three dimensions triangles (contact_triangles.py); all else about
contact is the same in both. A place on a facet is a parameter: a number on an edge, shape (n,), two on a triangle,
shape (n, 2). Nodes are the corners, then the midpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Closest:
    """Closest places of facets to points, one facet a point.

    Attributes:
        parameter: Foot of the perpendicular where there is one on the facet, else the closest place of its border.
        inside: Whether there is one, shape (n,).
        nearest: Closest place of the facet, which never lies beyond its border.
    """

    parameter: Array
    inside: Booleans
    nearest: Array


class Facets(Protocol):
    """Facets of one dimension."""

    @property
    def points(self) -> Array:
        """Parameters of the searching points on a facet."""

    @property
    def weights(self) -> Array:
        """Share of the facet that each searching point stands for, shape (points,)."""

    def shape_functions(self, parameter: Array, nodes: int) -> Array:
        """Shape functions of so many nodes (corners alone, or midpoints too), shape (..., nodes)."""

    def outward_normal(self, positions: Array, outward: Array, parameter: Array) -> Array:
        """Outward unit normals at a parameter, shape (n, dimension).

        Args:
            positions: Of all nodes, shape (n, nodes, dimension).
            outward: +1 where the normal of the node order points out of the grain, else -1, shape (n,).
            parameter: One a facet.
        """

    def has_sides(self, positions: Array) -> Booleans:
        """Which facets are not folded back onto themselves, shape (n, nodes, dimension) → (n,).

        Metal that is drawn out by the midpoint of a facet leaves one without width, whose normal says nothing.
        """

    @property
    def flat(self) -> Array:
        """Takes values at all nodes to those of the flat facet through its corners, shape (nodes, nodes)."""

    def tangents(self, normal: Array) -> tuple[Array, ...]:
        """Orthonormal vectors along surfaces with given unit normals, each of shape (n, dimension)."""

    def measure(self, reference: Array) -> Array:
        """Length or area of straight facets, shape (n, nodes, dimension) → (n,)."""

    def size(self, measure: Array) -> Array:
        """Length of a side in µm, shape (n,) → (n,)."""

    def mean_length(self, vectors: Array) -> Array:
        """Mean length over a facet of a vector given at its nodes, shape (n, nodes, dimension) → (n,)."""

    def candidates(self, points: Array, positions: Array, reach: float) -> tuple[Integers, Integers]:
        """Rows of points and of facets that may be within reach of each other, in no particular order.

        Args:
            points: Shape (n, dimension).
            positions: Of all nodes of all facets, shape (N, nodes, dimension).
            reach: In µm.
        """

    def closest(self, target: Array, nodes: Array) -> Closest:
        """Closest places of facets to points, shapes (n, dimension) and (n, nodes, dimension)."""
