"""Where bodies sit: flakes and lithium first as a stretched dense packing, small bodies then between (or within) them.

Flakes are strings of generators along their tilted long axis. They are spread evenly and moved to the centroids of
their own regions a few times (Lloyd), each region having exactly its area. Small bodies are then set on the boundaries
between the large ones, pores by preference where three of these meet, and everything is relaxed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .bodies import Body
from .generators import choose_seats, place_generators
from .sites import Sites, boundary_points
from .tessellation import Diagram, transport

LARGE_PHASES = ("graphite", "lithium")


@dataclass(frozen=True)
class Packing:
    """Generators and the diagram in which every body has its area.

    Attributes:
        points: generators, shape (n, 2), um.
        owner: body index of each generator.
        diagram: their power diagram.
    """

    points: Floats
    owner: Ints
    diagram: Diagram


def pack(
    bodies: Sequence[Body], width: float, height: float, random: np.random.Generator, silicon_within: bool
) -> Packing:
    """Place all bodies.

    Args:
        bodies: what to place; areas add up to the box.
        width: of the box, um.
        height: of the box, um.
        random: source of all randomness.
        silicon_within: put silicon inside flakes instead of between them.

    Returns:
        The packing.

    Raises:
        GeometryError: if the areas cannot be met.
    """
    large = [i for i, body in enumerate(bodies) if body.phase in LARGE_PHASES]
    small = [i for i, body in enumerate(bodies) if body.phase not in LARGE_PHASES]
    if not large:
        large, small = small, []
    area = np.array([body.area for body in bodies])
    centres: Floats = np.zeros((len(bodies), 2))
    centres[large] = _spread([bodies[i] for i in large], width, height, random)

    scaled = area[large] * (width * height / area[large].sum())
    chosen = [bodies[i] for i in large]
    weights: Floats | None = None
    for _ in range(14):
        points, owner, placed = place_generators(chosen, centres[large], width, height, {})
        diagram, weights = transport(points, owner, scaled, width, height, weights, tolerance=0.02)
        centres[large] = placed + 0.7 * (_centroids(owner, diagram, len(large)) - placed)
    points, owner, centres[large] = place_generators(chosen, centres[large], width, height, {})
    diagram, _ = transport(points, owner, scaled, width, height, weights, tolerance=0.02)

    guests = [i for i in small if bodies[i].phase == "silicon" and silicon_within]
    seats = choose_seats(bodies, guests, random)
    sites = Sites(*boundary_points(diagram, owner), width, height, random)
    _, _, placed = place_generators(bodies, centres, width, height, seats)
    for i in guests:
        sites.occupy(placed[i], 0.5 * bodies[i].length)
    for i in sorted(set(small) - set(guests), key=lambda i: -bodies[i].area):
        radius = 0.5 * bodies[i].length
        centres[i] = sites.take(radius, at_junctions=bodies[i].phase == "pore")
        sites.occupy(centres[i], radius)

    weights = None
    for _ in range(8):
        points, owner, placed = place_generators(bodies, centres, width, height, seats)
        diagram, weights = transport(points, owner, area, width, height, weights, tolerance=0.02)
        centres = placed + 0.5 * (_centroids(owner, diagram, len(bodies)) - placed)
    points, owner, _ = place_generators(bodies, centres, width, height, seats)
    diagram, _ = transport(points, owner, area, width, height, weights, tolerance=1e-9)
    return Packing(points, owner, diagram)


def _spread(bodies: Sequence[Body], width: float, height: float, random: np.random.Generator) -> Floats:
    """Evenly spread centres: each is the best of some random candidates, distances measured along and across flakes."""
    centres = np.zeros((len(bodies), 2))
    stretch = np.array([np.mean([body.aspect for body in bodies]), 1.0])
    for i in range(len(bodies)):
        candidates = random.random((30, 2)) * [width, height]
        if i == 0:
            centres[0] = candidates[0]
            continue
        gap = (candidates[:, None, :] - centres[None, :i, :]) / stretch
        centres[i] = candidates[np.argmax((gap**2).sum(axis=2).min(axis=1))]
    return centres


def _centroids(owner: Ints, diagram: Diagram, count: int) -> Floats:
    """Centroid of each body's region, shape (count, 2), um."""
    area = np.maximum(np.bincount(owner, diagram.areas, count), 1e-12)
    moments = [np.bincount(owner, diagram.areas * diagram.centroids[:, axis], count) for axis in range(2)]
    return np.asarray(np.column_stack(moments) / area[:, None])
