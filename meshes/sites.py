"""Places for small bodies on the boundaries between large ones."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .arrays import Bools, Floats, Ints, norms
from .errors import GeometryError
from .tessellation import Diagram

#: How much likelier a pore sits near a junction of boundaries than elsewhere on them.
JUNCTION_PREFERENCE = 12.0
#: Spacing (um) of the places off the boundaries.
OVERFLOW_STEP = 0.25


def boundary_points(diagram: Diagram, owner: Ints, step: float = 0.1) -> tuple[Floats, Bools]:
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


class Sites:
    """Candidate places; gives out free ones at random and keeps the room left at every other.

    Where the places on the boundaries are used up, the nearest free ones off them serve (bodies lie two deep).
    """

    def __init__(
        self, places: Floats, near_junction: Bools, width: float, height: float, random: np.random.Generator
    ) -> None:
        self._random = random
        self._number = len(places)
        steps = [np.arange(0.5 * OVERFLOW_STEP, size, OVERFLOW_STEP) for size in (width, height)]
        grid = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
        self._places = np.concatenate([places, grid + random.uniform(-0.1, 0.1, grid.shape) * OVERFLOW_STEP])
        self._preference = 1.0 + JUNCTION_PREFERENCE * near_junction
        self._wall = np.minimum(self._places, np.array([width, height]) - self._places).min(axis=1)
        self._room = np.full(len(self._places), np.inf)
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
            chance = free[: self._number] * (self._preference if at_junctions else 1.0)
            if chance.any():
                return np.asarray(self._places[self._random.choice(self._number, p=chance / chance.sum())])
        for clearance in (0.8, 0.6, 0.4):
            free = (self._room >= clearance * radius) & (self._wall >= 0.5 * clearance * radius)
            if free.any():
                return np.asarray(self._places[np.argmin(np.where(free, self._away, np.inf))])
        raise GeometryError("there is no place left for a small body")

    def occupy(self, centre: Floats, radius: float) -> None:
        """Take a body at ``centre`` of this radius (um) into account."""
        self._room = np.minimum(self._room, norms(self._places - centre) - radius)
