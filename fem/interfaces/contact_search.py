"""Which point of a grain's surface meets which facet of another grain: closest-point search on the deformed facets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from fem.interfaces.contact_facets import Array, Booleans, Facets, Integers

#: Gaps in µm up to which a point is watched during a step, and penetration up to which it is believed.
REACH, DEPTH = 0.6, 0.4
# Two surfaces meet when their outward normals point against each other at least this much; where a point is inside a
# grain already, when they do not quite stand at right angles.
_OPPOSED, _CROSSED = -0.3, -0.1
# Distances in µm, and cosines, that differ by less are the same: how grains are numbered must not decide.
_SAME = 1.0e-9
# Points searched for at once: what is known of all candidates of a point takes some kilobytes in three dimensions.
_AT_ONCE = 4096


@dataclass(frozen=True)
class Feet:
    """Closest points found; P of them.

    Attributes:
        point: Row of the searching point, shape (P,).
        partner: Whether that facet belongs to the grain opposite in the undeformed mesh, shape (P,).
        facet: Row of the facet it meets, shape (P,).
        parameter: Place on that facet (see contact_facets.py).
        gap: Signed distance in µm, positive outside, shape (P,).
        normal: Outward unit normal of the facet at the foot, shape (P, dimension).
    """

    point: Integers
    partner: Booleans
    facet: Integers
    parameter: Array
    gap: Array
    normal: Array

    def chosen(self, wanted: Booleans) -> Feet:
        """Only the wanted rows."""
        return Feet(*(getattr(self, field.name)[wanted] for field in fields(self)))

    def replaced(self, rows: Integers, facet: Integers, parameter: Array, gap: Array, normal: Array) -> Feet:
        """With other feet of the same points in some rows."""
        values = {"facet": facet, "parameter": parameter, "gap": gap, "normal": normal}
        whole = {name: getattr(self, name).copy() for name in values}
        for name, value in values.items():
            whole[name][rows] = value
        return replace(self, **whole)

    def moved_by(self, rows: int) -> Feet:
        """With the numbers of the searching points so much larger."""
        return replace(self, point=self.point + rows)


def joined(parts: Sequence[Feet]) -> Feet:
    """All of them, in the order of the parts."""
    return Feet(*(np.concatenate([getattr(feet, field.name) for feet in parts]) for field in fields(Feet)))


def find_feet(
    shape: Facets,
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
    """Find for each point the facets of other grains that it is about to meet or has met.

    At most two a point: the closest one of the grain that was opposite, and the closest one of all others.

    Args:
        shape: Of the facets.
        points: Searching points in µm, shape (n, dimension).
        normals: Outward unit normals of their own surface, shape (n, dimension).
        own_grain: Their grain, shape (n,).
        partner: The grain that was opposite, shape (n,).
        positions: Nodes of all facets, shape (N, nodes, dimension).
        outward: Sign of the facets' node order, shape (N,).
        grain: Grain of the facets, shape (N,).
        reach: Largest gap that counts in µm.
        depth: Largest penetration that counts in µm.
    """
    none = np.empty(0, dtype=np.int64)
    parameter = np.empty((0, *shape.points.shape[1:]))
    found = [Feet(none, none.astype(bool), none, parameter, np.empty(0), np.empty((0, points.shape[1])))]
    for start in range(0, len(points) if len(positions) else 0, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        point, facet = shape.candidates(points[part], positions, max(reach, depth))
        point, facet = np.divmod(np.unique(point * len(positions) + facet), len(positions))
        point += start
        other = grain[facet] != own_grain[point]
        point, facet = point[other], facet[other]
        nodes, target = positions[facet], points[point]
        closest = shape.closest(target, nodes)
        normal = shape.outward_normal(nodes, outward[facet], closest.parameter)
        gap = np.einsum("ed,ed->e", target - _place(shape, nodes, closest.parameter), normal)
        # Which facets belong to the same grain, of those near the same point.
        _, body = np.unique(point * (int(grain.max()) + 1) + grain[facet], return_inverse=True)
        distance = np.linalg.norm(target - _place(shape, nodes, closest.nearest), axis=1)
        nearest = distance <= _least(body, distance) + _SAME
        # Beside a convex corner a point may be behind one facet and yet outside, in front of another.
        outside = _count(body, nearest & (gap > 0.0)) > 0
        facing = np.einsum("ed,ed->e", normal, normals[point])
        opposed = facing <= np.where(gap < 0.0, _CROSSED, _OPPOSED)
        # Near a corner of its own grain a point comes in from the side; what lies deep behind is no overlap with it.
        entered = np.abs(gap) <= _least(body, np.where(opposed, np.inf, distance)) + _SAME
        inside = (gap < 0.0) & ~outside
        # Inside a grain, behind a corner that it turns inwards, a point has a foot on neither of the facets there.
        # Where a surface ends, at the side of a mesh, there is only one.
        corner = nearest & ~closest.inside
        behind = corner & inside & (_count(body, corner) > 1) & (distance <= depth)
        meets = (closest.inside & ((gap >= 0.0) | (inside & entered))) | behind
        meets &= (gap <= reach) & (gap >= -depth) & opposed
        opposite = grain[facet] == partner[point]
        feet = Feet(point, opposite, facet, closest.parameter, gap, normal)
        found.append(_closest(feet.chosen(meets), distance[meets], facing[meets]))
    return joined(found)


def _place(shape: Facets, nodes: Array, parameter: Array) -> Array:
    return np.asarray(np.einsum("en,end->ed", shape.shape_functions(parameter, nodes.shape[1]), nodes))


def _closest(feet: Feet, distance: Array, facing: Array) -> Feet:
    """The closest facet of the partner and that of all others.

    Of facets that are equally close (where they join) it is the one that faces the point most, whatever their numbers.

    Args:
        feet: Of all candidates.
        distance: From the point to the facet in µm, shape (P,).
        facing: Cosine between the normals of the candidate and of the point's own surface, shape (P,).
    """
    away, turned = (np.round(values / _SAME) for values in (distance, facing))
    order = np.lexsort((feet.facet, turned, away, feet.partner, feet.point))
    _, first = np.unique(2 * feet.point[order] + feet.partner[order], return_index=True)
    return Feet(*(getattr(feet, field.name)[order[first]] for field in fields(feet)))


def _least(body: Integers, values: Array) -> Array:
    """Least value of those of the same body, for each, shape (n,).

    Args:
        body: Number from zero on of the combination of point and grain, shape (n,).
        values: Shape (n,).
    """
    least = np.full(int(body.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, body, values)
    return np.asarray(least[body], dtype=np.float64)


def _count(body: Integers, those: Booleans) -> Integers:
    """How many of those are of the same body, for each, shape (n,).

    Args:
        body: Number from zero on of the combination of point and grain, shape (n,).
        those: Shape (n,).
    """
    return np.bincount(body, weights=those, minlength=1).astype(np.int64)[body]
