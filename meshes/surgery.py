"""Changes of topology of a network: needless vertices, short edges, crowded corners, long edges.

Each operation leaves a sound network: no body is pinched, split or reduced to fewer than four edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .arrays import Floats, Ints, norms, rows, whole
from .network import OUTSIDE, Network

if TYPE_CHECKING:
    from .relaxation import Scales

#: Corners sharper than this at a vertex of four or more edges are detached from it.
CROWDED_DEGREES = 50.0
#: Fewest edges of a body that collapsing may leave.
FEWEST_EDGES = 5


def drop_needless_vertices(network: Network, scales: Scales) -> None:
    """Remove vertices of two edges that lie nearly on the line between their neighbours.

    Between flakes (and on walls) the tolerance is wide, so that a boundary becomes straight from junction to junction;
    around small bodies it is narrow and no edge may become too long.
    """
    shortest, longest, _, large = scales.of_edges(network.sides)
    counts = _edges_of_bodies(network, len(scales.width))
    alive = np.ones(len(network.edges), dtype=bool)
    x, edges, sides = network.vertices, network.edges, network.sides
    incident = _incident(network)
    free = network.free()
    for v in whole(np.flatnonzero(network.degrees() == 2)):
        one, two = incident[v]
        a = int(edges[one].sum()) - v
        b = int(edges[two].sum()) - v
        if a == b or _joined(edges, incident, a, b) or not free[v].any():
            continue
        span = x[b] - x[a]
        length = float(np.hypot(*span))
        offset = abs(span[0] * (x[v, 1] - x[a, 1]) - span[1] * (x[v, 0] - x[a, 0])) / max(length, 1e-12)
        tolerance = (0.9 if large[one] else 0.12) * float(shortest[one])
        if offset > tolerance or length > longest[one]:
            continue
        bodies = [s for s in whole(sides[one]) if s != OUTSIDE]
        if any(counts[s] <= FEWEST_EDGES + 1 for s in bodies):
            continue
        # Edge ``one`` now reaches from a to b, with its sides as they were seen from a.
        if edges[one, 0] == a:
            edges[one] = [a, b]
        else:
            edges[one] = [b, a]
        alive[two] = False
        incident[b] = [one if e == two else e for e in incident[b]]
        incident[v] = []
        for s in bodies:
            counts[s] -= 1
    network.edges, network.sides = edges[alive], sides[alive]
    network.compact()


def collapse_short_edges(network: Network, scales: Scales) -> None:
    """Merge the ends of edges that are too short, shortest first, where no body is pinched by it."""
    shortest, _, _, _ = scales.of_edges(network.sides)
    lengths = network.lengths()
    order = np.argsort(lengths / shortest, kind="stable")
    order = order[(lengths / shortest)[order] < 1.0]
    edges, sides, x = network.edges, network.sides, network.vertices
    counts = _edges_of_bodies(network, len(scales.width))
    alive = np.ones(len(edges), dtype=bool)
    incident = _incident(network)
    free = network.free()
    for e in whole(order):
        a, b = whole(edges[e])
        if not alive[e] or float(norms(x[a] - x[b])) >= shortest[e]:
            continue
        left, right = whole(sides[e])
        if any(counts[s] <= FEWEST_EDGES for s in (left, right) if s != OUTSIDE):
            continue
        at_a = {s for k in incident[a] for s in whole(sides[k])} - {left, right}
        at_b = {s for k in incident[b] for s in whole(sides[k])} - {left, right}
        near_a = {int(edges[k].sum()) - a for k in incident[a]}
        near_b = {int(edges[k].sum()) - b for k in incident[b]}
        if at_a & at_b or near_a & near_b:
            continue
        if len(incident[a]) + len(incident[b]) - 2 > 5:
            continue
        for axis in range(2):
            if not free[a, axis]:
                continue
            if not free[b, axis] or (len(incident[a]) == 2 and len(incident[b]) > 2):
                x[a, axis] = x[b, axis]
            elif len(incident[b]) > 2 or len(incident[a]) == 2:
                x[a, axis] = 0.5 * (x[a, axis] + x[b, axis])
        free[a] &= free[b]
        alive[e] = False
        incident[a].remove(e)
        for k in incident[b]:
            if k != e:
                edges[k][edges[k] == b] = a
                incident[a].append(k)
        incident[b] = []
        for s in (left, right):
            if s != OUTSIDE:
                counts[s] -= 1
    network.edges, network.sides = edges[alive], sides[alive]
    network.compact()


def open_crowded_corners(network: Network, scales: Scales) -> None:
    """Detach sharp corners from vertices of four or more edges; their two neighbours get an edge between them."""
    shortest, _, _, _ = scales.of_edges(network.sides)
    lengths = network.lengths()
    x, edges, sides = network.vertices, network.edges, network.sides
    added_points: list[Floats] = []
    added_edges: list[list[int]] = []
    added_sides: list[list[int]] = []
    touched: set[int] = set()
    for v, fan in enumerate(network.around()):
        if len(fan) < 4 or touched & set(fan):
            continue
        away = np.array([x[int(edges[e].sum()) - v] - x[v] for e in fan])
        heading = np.arctan2(away[:, 1], away[:, 0])
        opening = np.mod(np.roll(heading, -1) - heading, 2.0 * np.pi)
        k = int(np.argmin(opening))
        one, two = fan[k], fan[(k + 1) % len(fan)]
        if opening[k] > np.deg2rad(CROWDED_DEGREES):
            continue
        # The corner lies left of edge one and right of edge two, both seen from v.
        beyond_one = int(sides[one][1] if edges[one][0] == v else sides[one][0])
        beyond_two = int(sides[two][0] if edges[two][0] == v else sides[two][1])
        if OUTSIDE in (beyond_one, beyond_two) or beyond_one == beyond_two:
            continue
        middle = heading[k] + 0.5 * opening[k]
        reach = min(1.4 * float(shortest[one]), 0.5 * float(min(lengths[one], lengths[two])))
        new = len(x) + len(added_points)
        added_points.append(x[v] + reach * np.array([np.cos(middle), np.sin(middle)]))
        added_edges.append([v, new])
        added_sides.append([beyond_two, beyond_one])
        for e in (one, two):
            edges[e][edges[e] == v] = new
        touched |= set(fan)
    if added_points:
        network.vertices = np.concatenate([x, np.array(added_points)])
        network.edges = np.concatenate([edges, np.array(added_edges, dtype=np.int64)])
        network.sides = np.concatenate([sides, np.array(added_sides, dtype=np.int64)])


def divide_long_edges(network: Network, scales: Scales) -> None:
    """Halve edges of small bodies that are too long to follow a round outline."""
    _, longest, _, _ = scales.of_edges(network.sides)
    long = np.flatnonzero(network.lengths() > longest)
    if len(long) == 0:
        return
    middle = 0.5 * (network.vertices[network.edges[long, 0]] + network.vertices[network.edges[long, 1]])
    new = len(network.vertices) + np.arange(len(long))
    second = np.column_stack([new, network.edges[long, 1]])
    network.edges[long, 1] = new
    network.vertices = np.concatenate([network.vertices, middle])
    network.edges = np.concatenate([network.edges, second])
    network.sides = np.concatenate([network.sides, network.sides[long]])


def _incident(network: Network) -> list[list[int]]:
    """Edges at each vertex, in order of their number."""
    incident: list[list[int]] = [[] for _ in network.vertices]
    for e, (a, b) in enumerate(rows(network.edges)):
        incident[a].append(e)
        incident[b].append(e)
    return incident


def _joined(edges: Ints, incident: list[list[int]], a: int, b: int) -> bool:
    """Whether an edge joins a and b already."""
    return any(b in edges[e] for e in incident[a])


def _edges_of_bodies(network: Network, bodies: int) -> Ints:
    """Number of edges of each body."""
    return np.bincount(network.sides[network.sides != OUTSIDE], minlength=bodies).astype(np.int64)
