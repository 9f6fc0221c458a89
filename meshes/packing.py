"""Where bodies sit: flakes and lithium first as a stretched dense packing, small bodies then between (or within) them.

Flakes are strings of generators along their tilted long axis. They are spread evenly and moved to the centroids of
their own regions a few times (Lloyd), each region having exactly its area. Small bodies are then set on the boundaries
between the large ones, pores by preference where three of these meet, and everything is relaxed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .arrays import Bools, Floats, Ints, norms
from .bodies import Body
from .errors import GeometryError
from .tessellation import Diagram, transport

#: Spacing of a flake's generators over its thickness: small enough that boundaries come out nearly straight.
STRING_SPACING = 0.4
#: How much likelier a pore sits near a junction of boundaries than elsewhere on them.
JUNCTION_PREFERENCE = 12.0
#: Spacing (um) of the places off the boundaries.
OVERFLOW_STEP = 0.25
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
    centres = np.zeros((len(bodies), 2))
    centres[large] = _spread([bodies[i] for i in large], width, height, random)

    scaled = area[large] * (width * height / area[large].sum())
    weights: Floats | None = None
    for _ in range(14):
        points, owner = _generators([bodies[i] for i in large], centres[large], width, height)
        diagram, weights = transport(points, owner, scaled, width, height, weights, tolerance=0.02)
        centres[large] += 0.7 * _shift(points, owner, diagram, len(large))
    points, owner = _generators([bodies[i] for i in large], centres[large], width, height)
    diagram, weights = transport(points, owner, scaled, width, height, weights, tolerance=0.02)

    boundary, near_junction = _boundary_points(diagram, owner)
    flakes = [k for k, i in enumerate(large) if bodies[i].phase == "graphite"]
    axes = _axis_points(points, owner, flakes)
    sites = {
        "boundaries": _Sites(boundary, 1.0 + JUNCTION_PREFERENCE * near_junction, width, height, random),
        "within": _Sites(axes, np.ones(len(axes)), width, height, random),
    }
    for i in sorted(small, key=lambda i: -bodies[i].area):
        body = bodies[i]
        kind = "within" if body.phase == "silicon" and silicon_within else "boundaries"
        centres[i] = sites[kind].take(0.5 * body.length, at_junctions=body.phase == "pore")
        for site in sites.values():
            site.occupy(centres[i], 0.5 * body.length)

    weights = None
    for sweep in range(9):
        points, owner = _generators(bodies, centres, width, height)
        last = sweep == 8
        diagram, weights = transport(
            points, owner, area, width, height, weights, tolerance=1e-9 if last else 0.02
        )
        if not last:
            centres += 0.5 * _shift(points, owner, diagram, len(bodies))
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


def _generators(bodies: Sequence[Body], centres: Floats, width: float, height: float) -> tuple[Floats, Ints]:
    """Generators of all bodies, strings for flakes, pushed as a whole into the box where they stick out."""
    points: list[Floats] = []
    owner: list[int] = []
    for i, body in enumerate(bodies):
        half = 0.5 * (body.length - body.thickness)
        number = 1 + int(np.ceil(2.0 * half / (STRING_SPACING * body.thickness) - 1e-9)) if half > 0.0 else 1
        along = np.linspace(-half, half, number) if number > 1 else np.zeros(1)
        string = centres[i] + along[:, None] * [np.cos(body.angle), np.sin(body.angle)]
        margin = min(0.35 * body.thickness, 0.2 * min(width, height))
        for axis, size in ((0, width), (1, height)):
            low, high = string[:, axis].min(), string[:, axis].max()
            if high - low > size - 2.0 * margin:
                string[:, axis] = margin + (string[:, axis] - low) * (size - 2.0 * margin) / (high - low)
            else:
                string[:, axis] += max(0.0, margin - low) - max(0.0, high - size + margin)
        points.append(string)
        owner += [i] * number
    return np.concatenate(points), np.array(owner, dtype=np.int64)


def _shift(points: Floats, owner: Ints, diagram: Diagram, count: int) -> Floats:
    """From the middle of each body's generators to the centroid of its region, shape (count, 2)."""
    area = np.maximum(np.bincount(owner, diagram.areas, count), 1e-12)
    number = np.bincount(owner, minlength=count)
    shift = np.zeros((count, 2))
    for axis in range(2):
        centroid = np.bincount(owner, diagram.areas * diagram.centroids[:, axis], count) / area
        shift[:, axis] = centroid - np.bincount(owner, points[:, axis], count) / number
    return shift


def _boundary_points(diagram: Diagram, owner: Ints, step: float = 0.1) -> tuple[Floats, Bools]:
    """Points along the boundaries between bodies, shape (n, 2), and which of them lie near a junction of three."""
    inner = diagram.second >= 0
    inner[inner] = owner[diagram.first[inner]] != owner[diagram.second[inner]]
    start, end = diagram.start[inner], diagram.end[inner]
    points = []
    for a, b in zip(start, end, strict=True):
        number = max(1, int(float(np.linalg.norm(b - a)) / step))
        points.append(a + (np.arange(number)[:, None] + 0.5) / number * (b - a))
    everything = np.concatenate(points)
    # A junction is an end point shared by three boundary ridges.
    ends = np.round(np.concatenate([start, end]), 5)
    unique, times = np.unique(ends, axis=0, return_counts=True)
    junctions = unique[times >= 3]
    if len(junctions) == 0:
        return everything, np.zeros(len(everything), dtype=bool)
    gap, _ = cKDTree(junctions).query(everything)
    return everything, np.asarray(gap < 0.4)


def _axis_points(points: Floats, owner: Ints, flakes: Sequence[int]) -> Floats:
    """Places within flakes: on their axes, between the generators, shape (n, 2)."""
    pairs = np.flatnonzero((owner[1:] == owner[:-1]) & np.isin(owner[1:], flakes))
    shares = np.array([0.3, 0.5, 0.7])[:, None, None]
    between = (1.0 - shares) * points[pairs] + shares * points[pairs + 1]
    return np.asarray(between.reshape(-1, 2))


class _Sites:
    """Candidate places of one kind; gives out free ones at random and keeps the room left at every other.

    Where the places of the kind are used up, the nearest free ones off them serve: then small bodies lie two deep.
    """

    def __init__(
        self, places: Floats, preference: Floats, width: float, height: float, random: np.random.Generator
    ) -> None:
        self._random = random
        self._kind = len(places)
        steps = [np.arange(0.5 * OVERFLOW_STEP, size, OVERFLOW_STEP) for size in (width, height)]
        grid = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
        self._places = np.concatenate([places, grid + random.uniform(-0.1, 0.1, grid.shape) * OVERFLOW_STEP])
        self._preference = preference
        self._wall = np.minimum(self._places, np.array([width, height]) - self._places).min(axis=1)
        self._room = np.full(len(self._places), np.inf)
        self._away = np.zeros(len(self._places))
        if self._kind:
            self._away, _ = cKDTree(places).query(self._places)

    def take(self, radius: float, at_junctions: bool) -> Floats:
        """A place for a body, as clear of walls and of bodies set before as can be had.

        Args:
            radius: of the body, um.
            at_junctions: prefer places near junctions.

        Returns:
            The place, shape (2,).

        Raises:
            GeometryError: if there is none.
        """
        for clearance in (1.6, 1.3, 1.0, 0.8, 0.6):
            free = (self._room >= clearance * radius) & (self._wall >= 0.8 * clearance * radius)
            chance = free[: self._kind] * (self._preference if at_junctions else 1.0)
            if chance.any():
                return np.asarray(self._places[self._random.choice(self._kind, p=chance / chance.sum())])
        for clearance in (0.8, 0.6, 0.4):
            free = (self._room >= clearance * radius) & (self._wall >= 0.5 * clearance * radius)
            if free.any():
                return np.asarray(self._places[np.argmin(np.where(free, self._away, np.inf))])
        raise GeometryError("there is no place left for a small body")

    def occupy(self, centre: Floats, radius: float) -> None:
        """Take a body of this radius (um) into account."""
        self._room = np.minimum(self._room, norms(self._places - centre) - radius)
