"""Where bodies sit in three dimensions: flakes and lithium fill the box, small bodies go between (or within) them.

Flakes are regions of a generalised power diagram, spread evenly and moved to the centroids of their own regions a few
times (Lloyd). Small bodies are balls set on the boundaries between the large ones, pores by preference where three of
these meet; they displace what was there, and in the end all volumes are balanced on the cells of the lattice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .arrays import Bools, Floats, Ints
from .assignment import Regions, assign, balance, candidates, metric
from .errors import GeometryError
from .packing import LARGE_PHASES
from .solids import SolidBody

#: Sample points of a large body while they are moved about, and rounds of that.
SAMPLES = 250
LLOYD_ROUNDS = 12
#: Random places among which those of small bodies are chosen.
PLACES = 30_000
#: How much likelier a pore sits where three large bodies meet than elsewhere between two.
JUNCTION_PREFERENCE = 12.0
#: Rounds of radii and weights in the final balance.
BALANCE_ROUNDS = 8


@dataclass
class SolidPacking:
    """Large bodies as a diagram, small ones as balls in it.

    Attributes:
        bodies: all of them.
        large, small: their indices.
        centres: of all bodies, shape (bodies, 3), um.
        metrics: of the large bodies, shape (large, 3, 3).
        weights: of the large bodies, um2.
        radii: of the small bodies, um.
    """

    bodies: Sequence[SolidBody]
    large: list[int]
    small: list[int]
    centres: Floats
    metrics: Floats
    weights: Floats
    radii: Floats

    def labels(self, points: Floats, volumes: Floats) -> Ints:
        """The body of every point after the radii and weights were balanced on these points.

        Args:
            points: shape (points, 3), um.
            volumes: of each point, um3; they add up to the box.
        """
        targets = np.array([body.volume for body in self.bodies])
        tree = cKDTree(points)
        for _ in range(BALANCE_ROUNDS):
            ball = _balls(tree, points, self.centres[self.small], self.radii)
            inside = ball >= 0
            filled = np.bincount(ball[inside], volumes[inside], len(self.small))
            grow = (targets[self.small] / np.maximum(filled, 0.3 * targets[self.small])) ** (1.0 / 3.0)
            if float(np.abs(filled / targets[self.small] - 1.0).max(initial=0.0)) < 0.02:
                break
            self.radii = self.radii * np.clip(grow, 0.85, 1.2)
        ball = _balls(tree, points, self.centres[self.small], self.radii)
        rest = ball < 0
        found, costs = candidates(points[rest], self.centres[self.large], self.metrics, self.weights)
        wanted = targets[self.large] * (volumes[rest].sum() / targets[self.large].sum())
        regions = balance(found, costs, volumes[rest], wanted, self.weights, tolerance=0.01)
        labels = np.empty(len(points), dtype=np.int64)
        labels[~rest] = np.array(self.small, dtype=np.int64)[ball[~rest]]
        labels[rest] = np.array(self.large, dtype=np.int64)[regions.owner]
        return labels


def pack_solids(
    bodies: Sequence[SolidBody],
    size: tuple[float, float, float],
    random: np.random.Generator,
    silicon_within: bool,
) -> SolidPacking:
    """Place all bodies.

    Args:
        bodies: what to place; volumes add up to the box.
        size: width, depth and thickness of the box, um.
        random: source of all randomness.
        silicon_within: put silicon inside flakes instead of between them.

    Returns:
        The packing.

    Raises:
        GeometryError: if there is no place left for a small body.
    """
    box = np.array(size)
    large = [i for i, body in enumerate(bodies) if body.phase in LARGE_PHASES]
    small = [i for i, body in enumerate(bodies) if body.phase not in LARGE_PHASES]
    if not large:
        large, small = small, []
    centres = np.zeros((len(bodies), 3))
    chosen = [bodies[i] for i in large]
    centres[large] = _spread(chosen, box, random)
    metrics = metric(np.array([b.normal for b in chosen]), np.array([b.aspect for b in chosen]))
    volume = np.array([body.volume for body in chosen])
    targets = volume * (box.prod() / volume.sum())
    weights = (0.75 * targets / np.pi) ** (2.0 / 3.0)

    step = (float(targets.min()) / SAMPLES) ** (1.0 / 3.0)
    step = max(step, (box.prod() / 150_000.0) ** (1.0 / 3.0))
    points, each = _grid(box, step)
    for _ in range(LLOYD_ROUNDS):
        found, costs = candidates(points, centres[large], metrics, weights)
        regions = balance(found, costs, each, targets, weights, tolerance=0.05, steps=25)
        weights = regions.weights
        filled = np.bincount(regions.owner, each, len(large))
        moment = np.column_stack(
            [np.bincount(regions.owner, each * points[:, a], len(large)) for a in range(3)]
        )
        some = filled > 0.0
        centroid = np.where(some[:, None], moment / np.maximum(filled, 1e-12)[:, None], centres[large])
        centres[large] += 0.8 * (centroid - centres[large])

    packing = SolidPacking(
        bodies, large, small, centres, metrics, weights, np.array([bodies[i].radius for i in small])
    )
    if small:
        places = random.random((PLACES, 3)) * box
        regions = assign(*candidates(places, centres[large], metrics, weights), weights)
        _place_small(packing, places, regions, box, random, silicon_within)
    return packing


def _place_small(
    packing: SolidPacking,
    places: Floats,
    regions: Regions,
    box: Floats,
    random: np.random.Generator,
    within: bool,
) -> None:
    """Set the small bodies, largest first, each on a free place of the kind it likes."""
    gap = _distances(packing, places, regions.owner, regions.second, regions.gap)
    third = _distances(packing, places, regions.owner, regions.third, regions.gap_third)
    graphite = np.array([packing.bodies[i].phase == "graphite" for i in packing.large])[regions.owner]
    room = np.full(len(places), np.inf)
    wall = np.minimum(places, box - places).min(axis=1)
    for i in sorted(packing.small, key=lambda i: -packing.bodies[i].volume):
        body = packing.bodies[i]
        radius = body.radius
        if within and body.phase == "silicon":
            liked: Bools = graphite & (gap > 0.8 * radius)
            chance = gap
        else:
            liked = gap < 0.15 * radius
            junction = (third < 0.6 * radius) & (body.phase == "pore")
            chance = 1.0 + JUNCTION_PREFERENCE * junction
        at = _take(liked, chance, room, wall, gap, radius, random)
        packing.centres[i] = places[at]
        room = np.minimum(room, np.sqrt(((places - places[at]) ** 2).sum(axis=1)) - radius)


def _take(
    liked: Bools,
    chance: Floats,
    room: Floats,
    wall: Floats,
    away: Floats,
    radius: float,
    random: np.random.Generator,
) -> int:
    """A place as clear of walls and of bodies set before as can be had; off the boundaries where these are full.

    Raises:
        GeometryError: if there is none.
    """
    for clearance in (1.6, 1.3, 1.1, 1.0):
        free = liked & (room >= clearance * radius) & (wall >= 0.8 * clearance * radius)
        if free.any():
            return int(random.choice(len(free), p=np.where(free, chance, 0.0) / chance[free].sum()))
    for clearance in (1.0, 0.9, 0.8, 0.7):
        free = (room >= clearance * radius) & (wall >= 0.6 * radius)
        if free.any():
            return int(np.argmin(np.where(free, away, np.inf)))
    raise GeometryError("there is no place left for a small body")


def _distances(packing: SolidPacking, places: Floats, one: Ints, two: Ints, gap: Floats) -> Floats:
    """Distance (um) from the boundary between two large bodies, to first order."""
    gradient = np.zeros_like(places)
    centres = packing.centres[packing.large]
    for body, sign in ((one, 1.0), (two, -1.0)):
        gradient += sign * 2.0 * np.einsum("nij,nj->ni", packing.metrics[body], places - centres[body])
    slope = np.sqrt((gradient**2).sum(axis=1))
    return np.where(one == two, np.inf, gap / np.maximum(slope, 1e-9))


def _balls(tree: cKDTree, points: Floats, centres: Floats, radii: Floats) -> Ints:
    """The ball each point lies in, -1 outside of all; where balls overlap their power diagram decides."""
    owner = np.full(len(points), -1, dtype=np.int64)
    least = np.zeros(len(points))
    for k, near in enumerate(tree.query_ball_point(centres, radii) if len(centres) else []):
        inside = np.array(sorted(near), dtype=np.int64)
        if len(inside) == 0:
            continue
        power = ((points[inside] - centres[k]) ** 2).sum(axis=1) - radii[k] ** 2
        nearer = power < least[inside]
        owner[inside[nearer]], least[inside[nearer]] = k, power[nearer]
    return owner


def _spread(bodies: Sequence[SolidBody], box: Floats, random: np.random.Generator) -> Floats:
    """Evenly spread centres: each is the best of some random candidates, distances measured along and across flakes."""
    centres = np.zeros((len(bodies), 3))
    stretch = np.array([1.0, 1.0, 1.0 / np.mean([body.aspect for body in bodies])])
    for i in range(len(bodies)):
        places = random.random((30, 3)) * box
        if i == 0:
            centres[0] = places[0]
            continue
        gap = (places[:, None, :] - centres[None, :i, :]) / stretch
        centres[i] = places[np.argmax((gap**2).sum(axis=2).min(axis=1))]
    return centres


def _grid(box: Floats, step: float) -> tuple[Floats, Floats]:
    """Midpoints of a regular grid and the volume of each."""
    counts = np.maximum(1, np.round(box / step)).astype(int)
    axes = [(np.arange(n) + 0.5) * (length / n) for n, length in zip(counts, box, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return points, np.full(len(points), box.prod() / len(points))
