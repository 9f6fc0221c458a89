"""Which point of a grain's surface meets which facet of another grain: closest-point search on the deformed facets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from fem.interfaces.contact_facets import Array, Facets, Integers

# Two surfaces meet when their outward normals point against each other at least this much.
_OPPOSED = -0.3
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
    partner: npt.NDArray[np.bool_]
    facet: Integers
    parameter: Array
    gap: Array
    normal: Array

    def chosen(self, wanted: npt.NDArray[np.bool_]) -> Feet:
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
        point += start
        other = grain[facet] != own_grain[point]
        point, facet = point[other], facet[other]
        nodes, target = positions[facet], points[point]
        closest = shape.closest(target, nodes)
        normal = shape.outward_normal(nodes, outward[facet], closest.parameter)
        gap = np.einsum("ed,ed->e", target - _place(shape, nodes, closest.parameter), normal)
        body = point * (int(grain.max()) + 1) + grain[facet]
        outside = _outside(body, target - _place(shape, nodes, closest.nearest), gap)
        facing = np.einsum("ed,ed->e", normal, normals[point])
        opposed = facing <= _OPPOSED
        meets = (
            closest.inside
            & ((gap >= 0.0) | (~outside & _entered(body, gap, opposed | ~closest.inside)))
            & (gap <= reach)
            & (gap >= -depth)
            & opposed
        )
        opposite = grain[facet] == partner[point]
        feet = Feet(point, opposite, facet, closest.parameter, gap, normal)
        found.append(_nearest(feet.chosen(meets), facing[meets]))
    return joined(found)


def _place(shape: Facets, nodes: Array, parameter: Array) -> Array:
    return np.asarray(np.einsum("en,end->ed", shape.shape_functions(parameter, nodes.shape[1]), nodes))


def _nearest(feet: Feet, facing: Array) -> Feet:
    """The nearest facet of the partner and that of all others.

    Of facets that are equally near (where they join) it is the one that faces the point most, whatever their numbers.

    Args:
        feet: Of all candidates.
        facing: Cosine between the normals of the candidate and of the point's own surface, shape (P,).
    """
    distance, turned = (np.round(values / _SAME) for values in (np.abs(feet.gap), facing))
    order = np.lexsort((feet.facet, turned, distance, feet.partner, feet.point))
    _, first = np.unique(2 * feet.point[order] + feet.partner[order], return_index=True)
    return Feet(*(getattr(feet, field.name)[order[first]] for field in fields(feet)))


def _entered(body: Integers, gap: Array, opposed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether a point inside a grain has come in through the facet: no other that it does not look at is nearer to it.

    Near a corner of its own grain a point comes in from the side; what lies deep behind is then no overlap with it.

    Args:
        body: A number for each combination of point and grain, shape (n,).
        gap: Signed distance, shape (n,).
        opposed: Which facets the point looks at, or has no foot on, shape (n,).
    """
    _, group = np.unique(body, return_inverse=True)
    nearest = np.full(int(group.max(initial=-1)) + 1, np.inf)
    np.minimum.at(nearest, group[~opposed], np.abs(gap[~opposed]))
    return np.asarray(np.abs(gap) <= nearest[group] + _SAME, dtype=bool)


def _outside(body: Integers, offset: Array, gap: Array) -> npt.NDArray[np.bool_]:
    """Whether a point lies outside a grain: in front of the facet (at a corner, of one of the facets) nearest to it.

    Beside a convex corner a point may be behind one facet and yet outside, in front of another.

    Args:
        body: A number for each combination of point and grain, shape (n,).
        offset: From the nearest place of the facet to the point, shape (n, dimension).
        gap: Signed distance, shape (n,).
    """
    _, group = np.unique(body, return_inverse=True)
    distance = np.linalg.norm(offset, axis=1)
    nearest = np.full(int(group.max(initial=-1)) + 1, np.inf)
    np.minimum.at(nearest, group, distance)
    near = distance <= nearest[group] + _SAME
    found = np.zeros(len(nearest), dtype=bool)
    np.logical_or.at(found, group[near], gap[near] > 0.0)
    return np.asarray(found[group], dtype=bool)
