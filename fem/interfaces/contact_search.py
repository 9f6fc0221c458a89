"""Which point of a grain's surface meets which edge of another grain: closest-point search on the deformed edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Edges whose sample points are nearest to a point are tried; three samples an edge.
_NEIGHBOURS = 36
_SAMPLES = np.array([-2.0 / 3.0, 0.0, 2.0 / 3.0])
# Two surfaces meet when their outward normals point against each other at least this much.
_OPPOSED = -0.3


@dataclass(frozen=True)
class Feet:
    """Closest points found; P of them.

    Attributes:
        point: Row of the searching point, shape (P,).
        partner: Whether that edge belongs to the grain opposite in the undeformed mesh, shape (P,).
        edge: Row of the edge it meets, shape (P,).
        parameter: Place on that edge, -1 to 1, shape (P,).
        gap: Signed distance in µm, positive outside, shape (P,).
        normal: Outward unit normal of the edge at the foot, shape (P, 2).
    """

    point: Integers
    partner: npt.NDArray[np.bool_]
    edge: Integers
    parameter: Array
    gap: Array
    normal: Array


def shape_functions(parameter: Array, nodes: int) -> Array:
    """Shape functions of an edge with 2 or 3 nodes (ends, then middle), shape (..., nodes)."""
    s = parameter
    if nodes == 2:
        return np.stack([0.5 * (1.0 - s), 0.5 * (1.0 + s)], axis=-1)
    return np.stack([0.5 * s * (s - 1.0), 0.5 * s * (s + 1.0), 1.0 - s**2], axis=-1)


def shape_slopes(parameter: Array) -> Array:
    """Derivatives of the three shape functions, shape (..., 3)."""
    s = parameter
    return np.stack([s - 0.5, s + 0.5, -2.0 * s], axis=-1)


def outward_normal(positions: Array, outward: Array, parameter: Array) -> Array:
    """Outward unit normals of edges at a parameter, shape (n, 2).

    Args:
        positions: Ends and midpoint, shape (n, 3, 2).
        outward: Sign of the node order, shape (n,).
        parameter: Shape (n,).
    """
    tangent = np.einsum("en,end->ed", shape_slopes(parameter), positions)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=-1) * outward[:, None]
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def find_feet(
    points: Array,
    normals: Array,
    own_grain: Integers,
    partner: Integers,
    positions: Array,
    outward: Array,
    grain: Integers,
    reach: float,
    depth: float,
) -> Feet:
    """Find for each point the edges of other grains that it is about to meet or has met.

    At most two a point: the closest one of the grain that was opposite, and the closest one of all others.

    Args:
        points: Searching points in µm, shape (n, 2).
        normals: Outward unit normals of their own surface, shape (n, 2).
        own_grain: Their grain, shape (n,).
        partner: The grain that was opposite, shape (n,).
        positions: Ends and midpoints of all edges, shape (N, 3, 2).
        outward: Sign of the edges' node order, shape (N,).
        grain: Grain of the edges, shape (N,).
        reach: Largest gap that counts in µm.
        depth: Largest penetration that counts in µm.
    """
    none = np.empty(0, dtype=np.int64)
    empty = Feet(none, none.astype(bool), none, np.empty(0), np.empty(0), np.empty((0, 2)))
    if len(points) == 0 or len(positions) == 0:
        return empty
    samples = np.einsum("qn,end->eqd", shape_functions(_SAMPLES, 3), positions).reshape(-1, 2)
    count = min(_NEIGHBOURS, len(samples))
    _, nearest = cKDTree(samples).query(points, k=count, workers=1)
    edges = (np.asarray(nearest).reshape(len(points), count) // len(_SAMPLES)).astype(np.int64)
    point = np.repeat(np.arange(len(points), dtype=np.int64), count)
    edge = edges.ravel()
    other = grain[edge] != own_grain[point]
    point, edge = point[other], edge[other]

    nodes, target = positions[edge], points[point]
    chord = nodes[:, 1] - nodes[:, 0]
    s = 2.0 * np.einsum("ed,ed->e", target - nodes[:, 0], chord) / np.einsum("ed,ed->e", chord, chord) - 1.0
    curvature = nodes[:, 0] + nodes[:, 1] - 2.0 * nodes[:, 2]
    for _ in range(4):
        s = np.clip(s, -1.5, 1.5)
        offset = np.einsum("en,end->ed", shape_functions(s, 3), nodes) - target
        tangent = np.einsum("en,end->ed", shape_slopes(s), nodes)
        slope = np.einsum("ed,ed->e", tangent, tangent) + np.einsum("ed,ed->e", offset, curvature)
        slope = np.maximum(slope, 0.1 * np.einsum("ed,ed->e", tangent, tangent))
        s = s - np.einsum("ed,ed->e", offset, tangent) / slope
    # Beyond the end of an edge a point is in front of another one or outside the grain.
    inside = np.abs(s) <= 1.0
    s = np.clip(s, -1.0, 1.0)
    normal = outward_normal(nodes, outward[edge], s)
    foot = np.einsum("en,end->ed", shape_functions(s, 3), nodes)
    gap = np.einsum("ed,ed->e", target - foot, normal)
    outside = _outside(point * (int(grain.max()) + 1) + grain[edge], target - foot, gap)
    meets = (
        inside
        & ((gap >= 0.0) | ~outside)
        & (gap <= reach)
        & (gap >= -depth)
        & (np.einsum("ed,ed->e", normal, normals[point]) <= _OPPOSED)
    )
    rows = np.flatnonzero(meets)
    if len(rows) == 0:
        return empty
    opposite = grain[edge[rows]] == partner[point[rows]]
    # The nearest one wins; equal distances go to the lower edge, the same on every rank.
    order = np.lexsort((edge[rows], np.abs(gap[rows]), opposite, point[rows]))
    rows, opposite = rows[order], opposite[order]
    _, first = np.unique(2 * point[rows] + opposite, return_index=True)
    rows, opposite = rows[first], opposite[first]
    return Feet(point[rows], opposite, edge[rows], s[rows], gap[rows], normal[rows])


def _outside(body: Integers, offset: Array, gap: Array) -> npt.NDArray[np.bool_]:
    """Whether a point lies outside a grain: in front of the edge (at a corner, of one of the edges) nearest to it.

    Beside a convex corner a point may be behind the line of one edge and yet outside, in front of the other.

    Args:
        body: A number for each combination of point and grain, shape (n,).
        offset: From the nearest place of the edge to the point, shape (n, 2).
        gap: Signed distance, shape (n,).
    """
    _, group = np.unique(body, return_inverse=True)
    distance = np.linalg.norm(offset, axis=1)
    nearest = np.full(int(group.max(initial=-1)) + 1, np.inf)
    np.minimum.at(nearest, group, distance)
    near = distance <= nearest[group] + 1e-9
    found = np.zeros(len(nearest), dtype=bool)
    np.logical_or.at(found, group[near], gap[near] > 0.0)
    return np.asarray(found[group], dtype=bool)
