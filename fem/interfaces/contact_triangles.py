"""Triangles of the grains' surfaces in three dimensions as contact found by search sees them.

With a P2 displacement a facet is a curved triangle through six nodes: three corners, then the midpoints of the edges
opposite to them (the order of fem/facet_geometry.py). Its parameters are the last two barycentric coordinates.
"""

from __future__ import annotations

import basix
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from fem.interfaces.contact_facets import Array, Booleans, Closest, Integers

# Exact for polynomials of degree 4; the six points determine a quadratic, so that no shape of the opening is missed.
_POINTS, _WEIGHTS = basix.make_quadrature(basix.CellType.triangle, 4)
# How far a curved triangle may reach beyond the ball of its nodes, and by how much sizes may differ in a search tree.
_BULGE, _SIZES = 1.1, 2.0
# A foot counts up to this far (barycentric) beyond the border: a point that has sunk in beneath a valley between two
# triangles has its foot on neither.
_BEYOND = 0.01
# A foot so far (barycentric) beyond the border of the flat triangle is on no curved one.
_HOPELESS = 0.5
_NEWTON = 6
_MIDDLE_AND_CORNERS = np.array([[1.0 / 3.0, 1.0 / 3.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
# Tangential distance to the foot, relative to the facet, that Newton's method may leave.
_CONVERGED = 1e-9
# Second derivatives of the six shape functions: twice along the first parameter, along both, twice along the second.
_CURVATURES = np.array(
    [
        [4.0, 4.0, 0.0, 0.0, 0.0, -8.0],
        [4.0, 0.0, 0.0, 4.0, -4.0, -4.0],
        [4.0, 0.0, 4.0, 0.0, -8.0, 0.0],
    ]
)


class Triangles:
    """Facets of a mesh of tetrahedra: corners, then midpoints.

    Attributes:
        points: Six points of a quadrature.
        weights: Their share of the triangle.
        flat: Moves the midpoints to the middles of the straight edges.
    """

    points: Array = np.asarray(_POINTS)
    weights: Array = np.asarray(_WEIGHTS / np.sum(_WEIGHTS))
    flat: Array = np.block([[np.eye(3), np.zeros((3, 3))], [0.5 * (1.0 - np.eye(3)), np.zeros((3, 3))]])

    def shape_functions(self, parameter: Array, nodes: int) -> Array:
        """Shape functions of a triangle with 3 or 6 nodes, shape (..., nodes)."""
        return _shape_functions(parameter, nodes)

    def outward_normal(self, positions: Array, outward: Array, parameter: Array) -> Array:
        """Outward unit normals, shape (n, 3)."""
        first, second = _tangents(parameter, positions)
        normal = np.cross(first, second) * outward[:, None]
        return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))

    def has_sides(self, positions: Array) -> Booleans:
        """Whether the normals at all corners differ from that in the middle by less than a right angle, shape (n,)."""
        count = len(positions)
        middle, *corners = (
            np.cross(*_tangents(np.tile(place, (count, 1)), positions)) for place in _MIDDLE_AND_CORNERS
        )
        return np.all([np.einsum("ed,ed->e", middle, corner) > 0.0 for corner in corners], axis=0)

    def tangents(self, normal: Array) -> tuple[Array, ...]:
        """Two orthonormal vectors; the law of contact is the same for any two."""
        # Away from the axis that the normal is closest to being square to, so that the product never vanishes.
        axis = np.eye(3)[np.argmin(np.abs(normal), axis=-1)]
        first: Array = np.cross(normal, axis)
        first /= np.linalg.norm(first, axis=-1, keepdims=True)
        return first, np.asarray(np.cross(normal, first))

    def measure(self, reference: Array) -> Array:
        """Areas in µm², shape (n,)."""
        normal = np.cross(reference[:, 1] - reference[:, 0], reference[:, 2] - reference[:, 0])
        return np.asarray(0.5 * np.linalg.norm(normal, axis=-1))

    def size(self, measure: Array) -> Array:
        """Side of the equilateral triangle of the same area in µm, shape (n,)."""
        return np.asarray(np.sqrt(4.0 / np.sqrt(3.0) * measure))

    def mean_length(self, vectors: Array) -> Array:
        """Mean length over a triangle of a vector given at its nodes, shape (n,)."""
        values = np.einsum("qn,end->eqd", _shape_functions(self.points, 6), vectors)
        return np.asarray(np.linalg.norm(values, axis=-1) @ self.weights)

    def candidates(self, points: Array, positions: Array, reach: float) -> tuple[Integers, Integers]:
        """All triangles whose nodes' ball comes within reach of a point.

        Triangles of about the same size share a search tree: one coarse facet would make every other search far.
        """
        centre = positions[:, :3].mean(axis=1)
        radius = _BULGE * np.linalg.norm(positions - centre[:, None], axis=-1).max(axis=1)
        size = np.floor(np.log(radius) / np.log(_SIZES)).astype(np.int64)
        searching = cKDTree(points)
        found_points, found_facets = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for value in np.unique(size):
            rows = np.flatnonzero(size == value)
            found = cKDTree(centre[rows]).sparse_distance_matrix(
                searching, float(radius[rows].max()) + reach, output_type="ndarray"
            )
            facet = rows[found["i"]]
            near = found["v"] <= radius[facet] + reach
            found_points.append(found["j"][near].astype(np.int64))
            found_facets.append(facet[near].astype(np.int64))
        return np.concatenate(found_points), np.concatenate(found_facets)

    def closest(self, target: Array, nodes: Array) -> Closest:
        """Closest places by Newton's method, which starts from the flat triangle of the corners."""
        flat, border = _flat_closest(target, nodes[:, :3])
        inside, nearest, parameter = np.zeros(len(target), dtype=bool), border.copy(), border.copy()
        rows = np.flatnonzero(_margin(flat) >= -_HOPELESS)
        place, solved = _foot(target[rows], nodes[rows], flat[rows])
        margin = _margin(place)
        inside[rows] = solved & (margin >= -_BEYOND)
        parameter[inside] = place[inside[rows]]
        within = rows[solved & (margin >= 0.0)]
        nearest[within] = parameter[within]
        return Closest(parameter, inside, nearest)


def _margin(parameter: Array) -> Array:
    """How far from the border of the triangle a place is, negative beyond it (barycentric), shape (n,)."""
    return np.asarray(np.minimum(parameter.min(axis=1), 1.0 - parameter.sum(axis=1)))


def _foot(target: Array, nodes: Array, start: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Feet of perpendiculars on curved triangles, be they on the triangle or not, and whether they were found."""
    curvature = np.einsum("kn,end->ked", _CURVATURES, nodes)
    place = start
    for _ in range(_NEWTON):
        place = np.clip(place, -0.5, 1.5)
        place = place - _newton_step(target, nodes, curvature, place)
    offset = np.einsum("en,end->ed", _shape_functions(place, 6), nodes) - target
    left = np.stack([np.einsum("ed,ed->e", t, offset) for t in _tangents(place, nodes)])
    length = np.linalg.norm(nodes[:, 1] - nodes[:, 0], axis=-1)
    return place, np.abs(left).max(axis=0) <= _CONVERGED * length**2


def _shape_functions(parameter: Array, nodes: int) -> Array:
    b, c = parameter[..., 0], parameter[..., 1]
    a = 1.0 - b - c
    if nodes == 3:
        return np.stack([a, b, c], axis=-1)
    corners = [x * (2.0 * x - 1.0) for x in (a, b, c)]
    return np.stack([*corners, 4.0 * b * c, 4.0 * a * c, 4.0 * a * b], axis=-1)


def _tangents(parameter: Array, nodes: Array) -> tuple[Array, Array]:
    """Derivatives of the position along both parameters, each of shape (n, 3)."""
    b, c = parameter[..., 0], parameter[..., 1]
    a = 1.0 - b - c
    none = np.zeros_like(a)
    first = np.stack([1.0 - 4.0 * a, 4.0 * b - 1.0, none, 4.0 * c, -4.0 * c, 4.0 * (a - b)], axis=-1)
    second = np.stack([1.0 - 4.0 * a, none, 4.0 * c - 1.0, 4.0 * b, 4.0 * (a - c), -4.0 * b], axis=-1)
    return np.einsum("en,end->ed", first, nodes), np.einsum("en,end->ed", second, nodes)


def _newton_step(target: Array, nodes: Array, curvature: Array, place: Array) -> Array:
    """Step of Newton's method for the square of the distance, shape (n, 2).

    Where the distance has no minimum nearby its curvature is left out, which makes the step go downhill.
    """
    first, second = _tangents(place, nodes)
    offset = np.einsum("en,end->ed", _shape_functions(place, 6), nodes) - target
    metric = [np.einsum("ed,ed->e", x, y) for x, y in ((first, first), (first, second), (second, second))]
    bent = [m + np.einsum("ed,ed->e", offset, k) for m, k in zip(metric, curvature, strict=True)]
    flat_determinant = metric[0] * metric[2] - metric[1] ** 2
    safe = (bent[0] * bent[2] - bent[1] ** 2 > 0.1 * flat_determinant) & (bent[0] > 0.0)
    p, q, r = (np.where(safe, b, m) for b, m in zip(bent, metric, strict=True))
    u, v = np.einsum("ed,ed->e", first, offset), np.einsum("ed,ed->e", second, offset)
    return np.stack([r * u - q * v, p * v - q * u], axis=-1) / (p * r - q**2)[:, None]


def _flat_closest(target: Array, corners: Array) -> tuple[Array, Array]:
    """Foot on the plane of flat triangles, and the closest place of the triangles, as parameters, each (n, 2)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    offset = target - corners[:, 0]
    p, q, r = (np.einsum("ed,ed->e", x, y) for x, y in ((first, first), (first, second), (second, second)))
    u, v = np.einsum("ed,ed->e", first, offset), np.einsum("ed,ed->e", second, offset)
    foot = np.stack([r * u - q * v, p * v - q * u], axis=-1) / (p * r - q**2)[:, None]
    # Closest places of the three edges, of which the nearest counts unless the foot is on the triangle.
    reference = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    best, nearest = foot, np.where(_margin(foot) >= 0.0, 0.0, np.inf)
    for start, end in ((0, 1), (0, 2), (1, 2)):
        along = corners[:, end] - corners[:, start]
        way = np.einsum("ed,ed->e", target - corners[:, start], along) / np.einsum("ed,ed->e", along, along)
        way = np.clip(way, 0.0, 1.0)
        distance = np.linalg.norm(corners[:, start] + way[:, None] * along - target, axis=-1)
        place = reference[start] + way[:, None] * (reference[end] - reference[start])
        best = np.where((distance < nearest)[:, None], place, best)
        nearest = np.minimum(nearest, distance)
    return foot, best
