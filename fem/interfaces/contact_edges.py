"""Edges of a section as contact found by search sees them: parabolas through both ends and the midpoint."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from fem.interfaces.contact_facets import Array, Booleans, Closest, Integers

# Edges whose sample points are nearest to a point are tried; three samples an edge.
_NEIGHBOURS = 36
_SAMPLES = np.array([-2.0 / 3.0, 0.0, 2.0 / 3.0])
# How far beyond the end of an edge a foot still counts, as a share of half its length: ends meet ends at the sides of
# a section.
_ROUNDING = 1.0e-6
# Weights of the mean over an edge from its ends and its midpoint.
_SIMPSON = np.array([1.0, 1.0, 4.0]) / 6.0


class Edges:
    """Facets of a 2D mesh: ends, then the midpoint; parameters go from -1 to 1.

    Attributes:
        points: Those of Gauss and Lobatto, with both ends: a corner must not come in between two points.
        weights: Their share of the edge.
        flat: Moves the midpoint to the middle of the chord.
    """

    points: Array = np.array([-1.0, -np.sqrt(3.0 / 7.0), 0.0, np.sqrt(3.0 / 7.0), 1.0])
    weights: Array = np.array([9.0, 49.0, 64.0, 49.0, 9.0]) / 180.0
    flat: Array = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])

    def shape_functions(self, parameter: Array, nodes: int) -> Array:
        """Shape functions of an edge with 2 or 3 nodes, shape (..., nodes)."""
        s = parameter
        if nodes == 2:
            return np.stack([0.5 * (1.0 - s), 0.5 * (1.0 + s)], axis=-1)
        return np.stack([0.5 * s * (s - 1.0), 0.5 * s * (s + 1.0), 1.0 - s**2], axis=-1)

    def outward_normal(self, positions: Array, outward: Array, parameter: Array) -> Array:
        """Outward unit normals, shape (n, 2)."""
        tangent = np.einsum("en,end->ed", _slopes(parameter), positions)
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=-1) * outward[:, None]
        return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))

    def has_sides(self, positions: Array) -> Booleans:
        """Whether the directions at both ends differ by less than a right angle, shape (n,)."""
        ends = np.einsum("sn,end->sed", _slopes(np.array([-1.0, 1.0])), positions)
        return np.asarray(np.einsum("ed,ed->e", *ends) > 0.0)

    def tangents(self, normal: Array) -> tuple[Array, ...]:
        """The tangent."""
        return (np.stack([-normal[:, 1], normal[:, 0]], axis=-1),)

    def measure(self, reference: Array) -> Array:
        """Lengths in µm, shape (n,)."""
        return np.asarray(np.linalg.norm(reference[:, 1] - reference[:, 0], axis=-1))

    def size(self, measure: Array) -> Array:
        """Lengths in µm, shape (n,)."""
        return measure

    def mean_length(self, vectors: Array) -> Array:
        """Mean length over an edge of a vector given at its nodes, shape (n,)."""
        return np.asarray(np.linalg.norm(vectors, axis=-1) @ _SIMPSON)

    def candidates(self, points: Array, positions: Array, reach: float) -> tuple[Integers, Integers]:
        """The edges nearest to each point."""
        samples = np.einsum("qn,end->eqd", self.shape_functions(_SAMPLES, 3), positions).reshape(-1, 2)
        count = min(_NEIGHBOURS, len(samples))
        _, nearest = cKDTree(samples).query(points, k=count, workers=1)
        edges = (np.asarray(nearest).reshape(len(points), count) // len(_SAMPLES)).astype(np.int64)
        return np.repeat(np.arange(len(points), dtype=np.int64), count), edges.ravel()

    def closest(self, target: Array, nodes: Array) -> Closest:
        """Closest places by Newton's method, which starts from the chord."""
        chord = nodes[:, 1] - nodes[:, 0]
        s = (
            2.0 * np.einsum("ed,ed->e", target - nodes[:, 0], chord) / np.einsum("ed,ed->e", chord, chord)
            - 1.0
        )
        curvature = nodes[:, 0] + nodes[:, 1] - 2.0 * nodes[:, 2]
        for _ in range(4):
            s = np.clip(s, -1.5, 1.5)
            offset = np.einsum("en,end->ed", self.shape_functions(s, 3), nodes) - target
            tangent = np.einsum("en,end->ed", _slopes(s), nodes)
            slope = np.einsum("ed,ed->e", tangent, tangent) + np.einsum("ed,ed->e", offset, curvature)
            slope = np.maximum(slope, 0.1 * np.einsum("ed,ed->e", tangent, tangent))
            s = s - np.einsum("ed,ed->e", offset, tangent) / slope
        # Beyond the end of an edge a point is in front of another one or outside the grain.
        inside = np.abs(s) <= 1.0 + _ROUNDING
        s = np.clip(s, -1.0, 1.0)
        return Closest(s, inside, s)


def _slopes(parameter: Array) -> Array:
    """Derivatives of the three shape functions, shape (..., 3)."""
    s = parameter
    return np.stack([s - 0.5, s + 0.5, -2.0 * s], axis=-1)
