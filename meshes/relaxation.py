"""Makes a network of grain boundaries fit for meshing: short edges, slivers and kinks out, every area kept.

The network flows like a foam: each boundary pulls with a line tension (lower between flakes, so that small bodies
become compact and flake boundaries straight), while short edges, sharp corners and narrow necks push back. After every
move the vertices are projected back, by the smallest displacement, onto the configurations in which every body has its
area. In between, the topology is tidied: see ``surgery``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from . import surgery
from .arrays import Bools, Floats, Ints, norms, rows
from .errors import GeometryError
from .network import OUTSIDE, AreaMap, Network

#: Line tension between two flakes relative to that around a small body: 0.3 makes a small body meet the flake
#: boundary it sits on at 163 degrees, which is nearly a disc.
FLAKE_TENSION = 0.3
#: Shortest edge and longest edge of a small body over its diameter (a regular hexagon has 0.55).
SHORTEST = 0.28
LONGEST = 0.72
#: Corners sharper than this are pushed open.
OPEN_DEGREES = 45.0
#: Largest move of a vertex in one step relative to the shortest edge wanted.
STEP = 0.15
STEPS_PER_ROUND = 30
ROUNDS = 9


@dataclass(frozen=True)
class Scales:
    """Lengths the relaxation works towards; they follow from the bodies alone, never from the element size.

    Attributes:
        width: of each body: the diameter of a compact one, the thickness of a flake. Shape (bodies,), um.
        large: whether each body is a flake, whose boundaries with other flakes are kept straight.
        targets: area of each body, um2.
    """

    width: Floats
    large: Bools
    targets: Floats

    def of_edges(self, sides: Ints) -> tuple[Floats, Floats, Floats, Bools]:
        """For edges with these sides: shortest and longest length (um), tension, whether between flakes (or walls)."""
        width = np.asarray(np.append(self.width, np.inf)[sides].min(axis=1))
        large = np.append(self.large, True)[sides].all(axis=1)
        wall = (sides == OUTSIDE).any(axis=1)
        shortest = SHORTEST * np.minimum(width, 1.5 * float(np.median(self.width)))
        longest = np.where(large | wall, np.inf, LONGEST * width)
        tension = np.where(wall, 0.0, np.where(large, FLAKE_TENSION, 1.0))
        return shortest, np.asarray(longest), np.asarray(tension), np.asarray(large)


def relax(network: Network, scales: Scales) -> None:
    """Relax a network in place.

    Args:
        network: as extracted from a power diagram.
        scales: target areas and lengths.

    Raises:
        GeometryError: if the areas cannot be restored.
    """
    for sweep in range(ROUNDS):
        surgery.drop_needless_vertices(network, scales)
        surgery.collapse_short_edges(network, scales)
        if sweep < ROUNDS - 2:
            surgery.open_crowded_corners(network, scales)
            surgery.divide_long_edges(network, scales)
        flow(network, scales, STEPS_PER_ROUND)
    restore_areas(network, scales.targets)


def flow(network: Network, scales: Scales, steps: int) -> None:
    """Move the vertices for a number of small steps; the topology stays."""
    shortest, _, tension, _ = scales.of_edges(network.sides)
    corners = _corners(network)
    areas = AreaMap(network, len(scales.targets))
    unit = float(np.median(shortest))
    limit = STEP * unit
    free = network.free()
    necks: tuple[Ints, Ints] = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    for step in range(steps):
        if step % 10 == 0:
            necks = _close_pairs(network, 2.0 * unit)
        move = 0.2 * unit * _forces(network, shortest, tension, corners, necks, 0.6 * unit) * free
        size = np.hypot(move[:, 0], move[:, 1])
        move *= np.minimum(1.0, limit / np.maximum(size, 1e-30))[:, None]
        _move(network, areas, scales.targets, move)


def restore_areas(network: Network, targets: Floats, tolerance: float = 1e-9) -> None:
    """Newton on the areas by smallest displacements.

    Raises:
        GeometryError: if the areas are not met in twenty steps.
    """
    areas = AreaMap(network, len(targets))
    still = np.zeros_like(network.vertices)
    for _ in range(20):
        if _move(network, areas, targets, still) < tolerance:
            return
    raise GeometryError("the areas of the grains could not be restored")


def _move(network: Network, areas: AreaMap, targets: Floats, move: Floats) -> float:
    """Move the vertices, corrected by the smallest displacement that meets the areas to first order.

    The only dependent equation is the sum of the areas, which is that of the box.

    Returns:
        The largest relative error of an area before the move.
    """
    current, gradient = areas.evaluate(network.vertices)
    normal = sparse.csc_matrix(gradient @ gradient.T)
    normal += 1e-10 * normal.diagonal().max() * sparse.identity(len(targets), format="csc")
    factor = splu(normal, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    pressure = factor.solve(targets - current - gradient @ move.ravel())
    network.vertices += move + (gradient.T @ pressure).reshape(-1, 2)
    return float(np.abs(current / targets - 1.0).max())


def _corners(network: Network) -> Ints:
    """Every corner as (vertex, its neighbour clockwise, its neighbour anticlockwise), shape (corners, 3)."""
    corners = []
    edges = rows(network.edges)
    for v, fan in enumerate(network.around()):
        ends = [edges[e][1] if edges[e][0] == v else edges[e][0] for e in fan]
        if len(ends) > 1:
            corners += [(v, ends[k], ends[(k + 1) % len(ends)]) for k in range(len(ends))]
    return np.array(corners, dtype=np.int64)


def _forces(
    network: Network, shortest: Floats, tension: Floats, corners: Ints, necks: tuple[Ints, Ints], neck: float
) -> Floats:
    """Force on every vertex in units of the line tension, shape (n, 2)."""
    x = network.vertices
    start, end = network.edges.T
    along = x[end] - x[start]
    length = np.maximum(norms(along), 1e-12)
    along /= length[:, None]
    push = np.maximum(0.0, 1.0 - length / (1.3 * shortest))
    pull = (tension - 4.0 * push)[:, None] * along

    v, a, b = corners.T
    to_a, to_b = x[a] - x[v], x[b] - x[v]
    la, lb = np.maximum(norms(to_a), 1e-12), np.maximum(norms(to_b), 1e-12)
    to_a, to_b = to_a / la[:, None], to_b / lb[:, None]
    cosine = (to_a * to_b).sum(axis=1)
    turn = to_a[:, 0] * to_b[:, 1] - to_a[:, 1] * to_b[:, 0]
    excess = np.where(turn > 0.0, np.maximum(0.0, cosine - np.cos(np.deg2rad(OPEN_DEGREES))), 0.0)
    strength = (4.0 * excess * np.minimum(1.0, np.minimum(la, lb) / np.median(shortest)))[:, None]
    on_a = -strength * (to_b - cosine[:, None] * to_a)
    on_b = -strength * (to_a - cosine[:, None] * to_b)

    point, edge = necks
    p, q = network.edges[edge].T
    span = x[q] - x[p]
    share = np.clip(((x[point] - x[p]) * span).sum(axis=1) / (span**2).sum(axis=1), 0.0, 1.0)[:, None]
    away = x[point] - x[p] - share * span
    gap = np.maximum(norms(away), 1e-12)
    repel = (4.0 * np.maximum(0.0, 1.0 - gap / neck) / gap)[:, None] * away

    where = np.concatenate([start, end, a, b, v, point, p, q])
    what = np.concatenate(
        [pull, -pull, on_a, on_b, -on_a - on_b, repel, (share - 1.0) * repel, -share * repel]
    )
    return np.column_stack([np.bincount(where, what[:, axis], len(x)) for axis in range(2)])


def _close_pairs(network: Network, reach: float) -> tuple[Ints, Ints]:
    """Vertices and edges they do not belong to that may come within ``reach`` (um) of each other."""
    x = network.vertices
    middle = 0.5 * (x[network.edges[:, 0]] + x[network.edges[:, 1]])
    near = cKDTree(x).query_ball_point(middle, 0.5 * network.lengths() + reach, return_sorted=True)
    edge = np.repeat(np.arange(len(near)), [len(found) for found in near])
    point = np.concatenate([np.asarray(found, dtype=np.int64) for found in near])
    apart = (network.edges[edge] != point[:, None]).all(axis=1)
    return point[apart], edge[apart].astype(np.int64)
