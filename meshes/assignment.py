"""Regions of given volumes around anisotropic centres: semi-discrete optimal transport on sample points.

Every sample point goes to the body with the least cost (x − c)ᵀ A (x − c) − w, a generalised power diagram: A has
determinant one and is stretched like the body. The weights w at which every region has its volume maximise a concave
function; its Hessian, a graph Laplacian over boundaries, is read off the points near them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from .arrays import Floats, Ints

#: Bodies each point may go to: those with the least cost in the beginning.
CANDIDATES = 14
#: Points within this share of the smallest differences between best and second-best count as on a boundary.
BAND = 0.25
#: Most entries of a cost matrix held at a time.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Regions:
    """Which body each point goes to.

    Attributes:
        owner: body with the least cost, shape (points,).
        second: body with the second-least cost.
        third: body with the third-least cost (the second again where there are only two bodies).
        gap: difference between second-least and least cost, um2.
        gap_third: difference between third-least and least cost, um2.
        weights: of the bodies, shape (bodies,), um2.
    """

    owner: Ints
    second: Ints
    third: Ints
    gap: Floats
    gap_third: Floats
    weights: Floats


def metric(normals: Floats, aspects: Floats) -> Floats:
    """Matrices A of oblate bodies with determinant one, shape (bodies, 3, 3).

    Args:
        normals: unit vectors across the flakes, shape (bodies, 3).
        aspects: diameter over thickness, shape (bodies,).
    """
    across = normals[:, :, None] * normals[:, None, :]
    scale = aspects ** (-2.0 / 3.0)
    return np.asarray(scale[:, None, None] * (np.eye(3) + (aspects**2 - 1.0)[:, None, None] * across))


def candidates(points: Floats, centres: Floats, metrics: Floats, weights: Floats) -> tuple[Ints, Floats]:
    """The bodies with the least costs at each point and these costs without weights, shapes (points, candidates)."""
    count = min(CANDIDATES, len(centres))
    found = np.empty((len(points), count), dtype=np.int64)
    costs = np.empty((len(points), count))
    pulled = np.einsum("nij,nj->ni", metrics, centres)
    upper = [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (0, 1, 2.0), (0, 2, 2.0), (1, 2, 2.0)]
    coefficients = np.column_stack(
        [
            *(factor * metrics[:, i, j] for i, j, factor in upper),
            -2.0 * pulled,
            (centres * pulled).sum(axis=1),
        ]
    )
    step = max(1, CHUNK // len(centres))
    for start in range(0, len(points), step):
        x = points[start : start + step]
        features = np.column_stack([*(x[:, i] * x[:, j] for i, j, _ in upper), x, np.ones(len(x))])
        cost = features @ coefficients.T
        if count < len(centres):
            chosen = np.argpartition(cost - weights, count - 1, axis=1)[:, :count]
            chosen.sort(axis=1)
        else:
            chosen = np.broadcast_to(np.arange(count), cost.shape)
        found[start : start + step] = chosen
        costs[start : start + step] = np.take_along_axis(cost, chosen, axis=1)
    return found, costs


def assign(found: Ints, costs: Floats, weights: Floats) -> Regions:
    """Give every point to the cheapest of its candidates."""
    value = costs - weights[found]
    wanted = min(3, value.shape[1])
    order = np.argpartition(value, range(wanted), axis=1)[:, :wanted] if wanted > 1 else np.zeros_like(found)
    best = np.take_along_axis(value, order, axis=1)
    body = np.take_along_axis(found, order, axis=1)
    last = wanted - 1
    return Regions(
        body[:, 0], body[:, min(1, last)], body[:, last], best[:, min(1, last)] - best[:, 0],
        best[:, last] - best[:, 0], weights,
    )  # fmt: skip


def balance(
    found: Ints,
    costs: Floats,
    volumes: Floats,
    targets: Floats,
    weights: Floats,
    tolerance: float,
    steps: int = 60,
) -> Regions:
    """Weights at which every body has its volume, as nearly as the sample shows it.

    Args:
        found: candidates of each point, shape (points, candidates).
        costs: without weights, same shape, um2.
        volumes: of each point, um3.
        targets: of each body, um3.
        weights: to begin with, um2.
        tolerance: largest relative error of a volume that ends the search.
        steps: most steps.

    Returns:
        The best regions found.
    """
    bodies = len(targets)
    best, least = assign(found, costs, weights), np.inf
    if bodies == 1:
        return best
    regions = best
    for _ in range(steps):
        missing = targets - np.bincount(regions.owner, volumes, bodies)
        error = float(np.abs(missing / targets).max())
        if error < least:
            best, least = regions, error
        if error < tolerance:
            break
        width = max(float(np.quantile(regions.gap, BAND)), 1e-12)
        near = regions.gap < width
        one, two = regions.owner[near], regions.second[near]
        value = volumes[near] / (2.0 * width)
        laplacian = sparse.csc_matrix(
            (
                np.concatenate([value, value, -value, -value]),
                (np.concatenate([one, two, one, two]), np.concatenate([one, two, two, one])),
            ),
            shape=(bodies, bodies),
        )
        diagonal = laplacian.diagonal()
        laplacian += 0.02 * max(float(diagonal.mean()), 1e-12) * sparse.identity(bodies, format="csc")
        move = np.clip(0.8 * spsolve(laplacian, missing), -2.0 * width, 2.0 * width)
        weights = weights + move - move.mean()
        regions = assign(found, costs, weights)
    return best
