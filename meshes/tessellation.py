"""Power diagrams in a box, and the weights that give every body exactly its area.

A body owns one or several generators (a flake is a string of them along its long axis); its region is the union
of their power cells. All generators of a body share one weight. The weights for which every region has its
target area maximise a concave function (semi-discrete optimal transport with the cost
min over the body's generators of |x - p|^2), so damped Newton from equal weights always converges.

The diagram is the lower hull of the generators lifted to z = |p|^2 - w. Mirror images across the four sides make
the box walls bisectors, so no clipping is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import ConvexHull

from .arrays import Floats, Ints, norms
from .errors import GeometryError


@dataclass(frozen=True)
class Diagram:
    """A power diagram in a box.

    Attributes:
        points: the generators, shape (generators, 2), um.
        start, end: end points of the ridges, shape (ridges, 2), um.
        first, second: generators beside each ridge; ``second`` is -1 where the ridge lies on a wall.
        distance: between the two generators, shape (ridges,).
        areas: area of each generator's cell, shape (generators,).
        centroids: centroid of each cell (its generator where the cell is empty), shape (generators, 2).
    """

    points: Floats
    start: Floats
    end: Floats
    first: Ints
    second: Ints
    distance: Floats
    areas: Floats
    centroids: Floats


def power_diagram(points: Floats, weights: Floats, width: float, height: float) -> Diagram:
    """Power diagram of weighted points in the box [0, width] x [0, height].

    Args:
        points: generators inside the box, shape (n, 2), um.
        weights: shape (n,), um2.
        width: of the box, um.
        height: of the box, um.

    Returns:
        The diagram; each ridge appears once, with first < second or on a wall.

    Raises:
        GeometryError: if the cells do not fill the box.
    """
    count = len(points)
    mirrored = [points]
    for axis, place in ((0, 0.0), (0, width), (1, 0.0), (1, height)):
        image = points.copy()
        image[:, axis] = 2.0 * place - image[:, axis]
        mirrored.append(image)
    everything = np.concatenate(mirrored) - [width / 2.0, height / 2.0]
    lift = (everything**2).sum(axis=1) - np.tile(weights, 5)
    hull = ConvexHull(np.column_stack([everything, lift]))
    normal = hull.equations[:, :3]
    lower = normal[:, 2] < -1e-12
    vertex = np.full((len(normal), 2), np.nan)
    vertex[lower] = -0.5 * normal[lower, :2] / normal[lower, 2:3] + [width / 2.0, height / 2.0]

    faces = np.repeat(np.arange(len(normal)), 3)
    others = hull.neighbors.ravel()
    pair = np.stack([hull.simplices[:, [1, 2]], hull.simplices[:, [2, 0]], hull.simplices[:, [0, 1]]], axis=1)
    pair = np.sort(pair.reshape(-1, 2), axis=1).astype(np.int64)
    keep = (faces < others) & lower[faces] & lower[others] & (pair[:, 0] < count)
    # A mirror image of another generator meets this cell in a point only, on the wall.
    keep &= (pair[:, 1] < count) | (pair[:, 1] % count == pair[:, 0])
    first, second = pair[keep, 0], pair[keep, 1]
    start, end = vertex[faces[keep]], vertex[others[keep]]

    between = everything[second] - everything[first]
    distance = np.hypot(between[:, 0], between[:, 1])
    wall = np.asarray(second >= count)
    difference = np.where(wall, 0.0, weights[first] - weights[second % count])
    depth_first = (distance**2 + difference) / (2.0 * distance)
    depth_second = distance - depth_first
    length = norms(end - start)
    areas = np.bincount(first, 0.5 * depth_first * length, count)
    areas += np.bincount(second[~wall], 0.5 * depth_second[~wall] * length[~wall], count)
    if not abs(areas.sum() / (width * height) - 1.0) < 1e-6:
        raise GeometryError(f"the cells fill {areas.sum():.6g} um2 of a box of {width * height:.6g} um2")

    # Centroid from the triangles (generator, start, end), signed by the depth of the ridge.
    middle = (start + end) / 3.0
    moment = np.zeros((count, 2))
    for axis in range(2):
        at_first = 0.5 * depth_first * length * (points[first, axis] / 3.0 + middle[:, axis])
        moment[:, axis] += np.bincount(first, at_first, count)
        inner, other = ~wall, second[~wall]
        at_second = (
            0.5 * depth_second[inner] * length[inner] * (points[other, axis] / 3.0 + middle[inner, axis])
        )
        moment[:, axis] += np.bincount(other, at_second, count)
    centroids = np.where(areas[:, None] > 1e-12, moment / np.maximum(areas, 1e-12)[:, None], points)
    return Diagram(
        points, start, end, first, np.where(wall, -1, second), distance, areas.astype(np.float64), centroids
    )


def transport(
    points: Floats,
    owner: Ints,
    targets: Floats,
    width: float,
    height: float,
    weights: Floats | None = None,
    tolerance: float = 1e-8,
    iterations: int = 80,
) -> tuple[Diagram, Floats]:
    """Weights that give every body its target area.

    Args:
        points: generators, shape (n, 2), um.
        owner: body of each generator, shape (n,).
        targets: area of each body, shape (bodies,), adding up to the box, um2.
        width: of the box, um.
        height: of the box, um.
        weights: guess, shape (bodies,); equal weights (a Voronoi diagram) if absent or unsuitable.
        tolerance: largest relative error of an area.
        iterations: most Newton steps.

    Returns:
        The diagram and the weights of the bodies.

    Raises:
        GeometryError: if Newton stalls, which only near-coincident generators bring about.
    """
    bodies = len(targets)

    def evaluate(value: Floats) -> tuple[Diagram, Floats]:
        diagram = power_diagram(points, value[owner], width, height)
        return diagram, np.bincount(owner, diagram.areas, bodies).astype(np.float64)

    current = np.zeros(bodies) if weights is None else weights
    diagram, areas = evaluate(current)
    if weights is not None and (areas < 0.05 * targets).any():
        current = np.zeros(bodies)
        diagram, areas = evaluate(current)
    floor = 0.5 * min(float(areas.min()), float(targets.min()))
    if floor <= 0.0:
        raise GeometryError("a body has no area to start from: two generators coincide")
    for _ in range(iterations):
        residual = targets - areas
        if float(np.abs(residual / targets).max()) < tolerance:
            return diagram, current
        step = _newton_step(diagram, owner, residual)
        size = float(np.linalg.norm(residual))
        fraction = 1.0
        while fraction > 1e-4:
            trial, trial_areas = evaluate(current + fraction * step)
            reduced = float(np.linalg.norm(targets - trial_areas)) <= (1.0 - 0.5 * fraction) * size
            if reduced and float(trial_areas.min()) >= floor:
                break
            fraction *= 0.5
        else:
            raise GeometryError("the areas of the bodies cannot be met: Newton's step vanished")
        current, diagram, areas = current + fraction * step, trial, trial_areas
    if float(np.abs((targets - areas) / targets).max()) < max(tolerance, 1e-4):
        return diagram, current
    raise GeometryError(f"the areas of the bodies are not met after {iterations} steps")


def _newton_step(diagram: Diagram, owner: Ints, residual: Floats) -> Floats:
    """Solve the graph Laplacian of the regions for the change of weights; the mean weight is kept."""
    inner = diagram.second >= 0
    one, two = owner[diagram.first[inner]], owner[diagram.second[inner]]
    apart = one != two
    length = norms(diagram.end[inner] - diagram.start[inner])[apart]
    stiffness = length / (2.0 * diagram.distance[inner][apart])
    one, two = one[apart], two[apart]
    rows = np.concatenate([one, two, one, two])
    columns = np.concatenate([one, two, two, one])
    values = np.concatenate([stiffness, stiffness, -stiffness, -stiffness])
    size = len(residual)
    laplacian = sparse.csc_matrix((values, (rows, columns)), shape=(size, size))
    laplacian += 1e-10 * sparse.identity(size, format="csc")
    step = spsolve(laplacian, residual - residual.mean())
    return np.asarray(step - step.mean(), dtype=np.float64)
