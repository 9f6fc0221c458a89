"""Moves the nodes of labelled simplices: grain boundaries become smooth, grains get their volumes, no cell degenerates.

What is minimised, without units, over the free coordinates of all nodes:

* the measure of grain boundaries, weighted by their tension, over the element size: staircases become smooth;
* springs that hold boundary nodes near where the labels put them, so that shapes stay what they are;
* the sum over cells of a power of their inverse mean ratio: one for an equilateral cell, infinite for a flat one, so
  no cell can degenerate on the way;

under the condition that every grain has its volume (augmented Lagrangian). A limited-memory quasi-Newton method of our
own does it: the line search has to refuse inverted cells, and the result must be the same on every run.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import sqrt

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from .arrays import Bools, Floats, Ints
from .errors import GeometryError
from .simplices import cell_volumes, facet_measures, gather, volumes_and_slopes

#: Power of the inverse mean ratio.
POWER = 3.0
#: A pressure of this stiffness holds a compact grain's volume to about a per cent against tension.
VOLUME_STIFFNESS = 20.0
#: Directions the quasi-Newton method remembers; farthest a node goes in one step, in element sizes.
MEMORY, REACH = 8, 0.25


@dataclass(frozen=True)
class Task:
    """What is to be faired.

    Attributes:
        cells: positively oriented, shape (cells, dimension + 1).
        labels: grain of each cell, from 0; strips come after the grains and have no target.
        targets: volume of each grain but the strips, um^dimension.
        anchors: where springs hold the nodes, shape (nodes, dimension), um.
        facets: nodes of the facets between grains, shape (facets, dimension).
        tension: of each of these facets.
        free: whether each coordinate may move, shape (nodes, dimension).
        size: element size at each node, shape (nodes,), um.
        care: by how much the shape of cells at each node counts more than elsewhere, shape (nodes,).
    """

    cells: Ints
    labels: Ints
    targets: Floats
    anchors: Floats
    facets: Ints
    tension: Floats
    free: Bools
    size: Floats
    care: Floats


class Energy:
    """The function that is minimised, and its gradient.

    Args:
        task: the mesh.
        spring: weight of the springs against tension.
        shape: weight of the cells' shape against tension.
        pressure: of each grain, from an earlier stage.
    """

    def __init__(self, task: Task, spring: float, shape: float, pressure: Floats | None = None) -> None:
        self._task = task
        self._shape = shape * task.care[task.cells].max(axis=1)
        nodes, self._width = task.anchors.shape[0], task.cells.shape[1]
        self._dimension = self._width - 1
        self._to_nodes = gather(task.cells, nodes)
        self._facets_to_nodes = gather(task.facets, nodes)
        grains = len(task.targets)
        self._grain = np.minimum(task.labels, grains)
        on_boundary = np.zeros(nodes, dtype=bool)
        on_boundary[task.facets.ravel()] = True
        self._spring = spring * on_boundary / task.size**2
        size = task.size[task.facets].mean(axis=1)
        self._tension = task.tension / size ** (self._dimension - 1)
        cells = np.maximum(np.bincount(self._grain, minlength=grains + 1)[:grains], 1)
        local = np.bincount(self._grain, task.size[task.cells].mean(axis=1), grains + 1)[:grains] / cells
        self.stiffness = VOLUME_STIFFNESS / (task.targets * local**self._dimension)
        self.pressure: Floats = np.zeros(grains) if pressure is None else pressure.copy()

    def missing(self, x: Floats) -> Floats:
        """Target minus volume of each grain."""
        volumes = np.bincount(self._grain, cell_volumes(x, self._task.cells), len(self._task.targets) + 1)
        return self._task.targets - volumes[:-1]

    def evaluate(self, x: Floats) -> tuple[float, Floats]:
        """Energy (infinite if a cell is inverted) and gradient along the free coordinates, shape of the nodes."""
        task, d = self._task, self._dimension
        corners = x[task.cells]
        volume, slopes = volumes_and_slopes(corners)
        if not float(volume.min()) > 0.0:
            return float("inf"), np.zeros_like(x)
        away = corners - corners.mean(axis=1, keepdims=True)
        # The squared lengths of all edges add up to (dimension + 1) times the moment about the middle.
        moment = self._width * (away**2).sum(axis=(1, 2))
        ratio = (moment / (_EDGES[d] * (volume * _REGULAR[d]) ** (2.0 / d))) ** POWER
        factor = self._shape * POWER * ratio
        by_cell = (2.0 * self._width * factor / moment)[:, None, None] * away
        energy = float((self._shape * (ratio - 1.0)).sum())

        error = np.bincount(self._grain, volume, len(task.targets) + 1)[:-1] - task.targets
        pressure = np.append(self.pressure + self.stiffness * error, 0.0)[self._grain]
        by_cell += (pressure - factor * 2.0 / d / volume)[:, None, None] * slopes
        gradient = self._to_nodes @ by_cell.reshape(-1, d)
        energy += float((self.pressure * error).sum() + 0.5 * (self.stiffness * error**2).sum())

        measure, pull = facet_measures(x[task.facets])
        gradient += self._facets_to_nodes @ (self._tension[:, None, None] * pull).reshape(-1, d)
        energy += float((self._tension * measure).sum())
        stretch = x - task.anchors
        gradient += self._spring[:, None] * stretch
        energy += 0.5 * float((self._spring * (stretch**2).sum(axis=1)).sum())
        return energy, np.where(task.free, gradient, 0.0)


#: Number of edges of a simplex and what turns its volume into that of a cube of its edge, by dimension.
_EDGES = {2: 3.0, 3: 6.0}
_REGULAR = {2: 4.0 / sqrt(3.0), 3: 6.0 * sqrt(2.0)}


def fair(energy: Energy, task: Task, x: Floats, rounds: int, steps: int) -> Floats:
    """Minimise, and update the pressures after each round.

    Args:
        energy: to be minimised; its pressures change.
        task: the mesh it belongs to.
        x: where the nodes are, shape (nodes, dimension), um.
        rounds: of the augmented Lagrangian.
        steps: quasi-Newton steps in each.

    Returns:
        The new points.

    Raises:
        GeometryError: if a cell is inverted in the beginning.
    """
    for _ in range(rounds):
        x = _descend(energy, x, task.size, steps)
        energy.pressure -= energy.stiffness * energy.missing(x)
    return x


def _descend(energy: Energy, x: Floats, size: Floats, steps: int) -> Floats:
    """Some quasi-Newton steps (L-BFGS with halving of the step)."""
    value, gradient = energy.evaluate(x)
    if not np.isfinite(value):
        raise GeometryError("a cell is inverted before fairing")
    memory: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    for _ in range(steps):
        direction = -_two_loops(memory, gradient, size)
        slope = float((direction * gradient).sum())
        if not slope < 0.0 and memory:
            memory.clear()
            direction = -_two_loops(memory, gradient, size)
            slope = float((direction * gradient).sum())
        if not slope < 0.0:
            return x
        farthest = float((np.abs(direction).max(axis=1) / size).max())
        fraction = min(1.0, REACH / max(farthest, 1e-30))
        for _ in range(25):
            trial = x + fraction * direction
            new, new_gradient = energy.evaluate(trial)
            if new <= value + 1e-4 * fraction * slope:
                break
            fraction *= 0.5
        else:
            return x
        step, change = trial - x, new_gradient - gradient
        curvature = float((step * change).sum())
        if curvature > 1e-12 * float((step**2).sum()):
            memory.append((step, change, 1.0 / curvature))
        x, value, gradient = trial, new, new_gradient
    return x


def _two_loops(memory: deque[tuple[Floats, Floats, float]], gradient: Floats, size: Floats) -> Floats:
    """The inverse Hessian of the memory times the gradient; 0.05 element sizes at most to begin with."""
    q, shares = gradient.copy(), []
    for step, change, weight in reversed(memory):
        share = weight * float((step * q).sum())
        q -= share * change
        shares.append(share)
    if memory:
        _, change, weight = memory[-1]
        q *= 1.0 / (weight * float((change**2).sum()))
    else:
        q *= size[:, None] ** 2
        q *= 0.05 / max(float((np.abs(q).max(axis=1) / size).max()), 1e-30)
    for (step, change, weight), share in zip(memory, reversed(shares), strict=True):
        q += (share - weight * float((change * q).sum())) * step
    return q


def meet_volumes(task: Task, x: Floats, tolerance: float = 1e-10) -> Floats:
    """Newton on the volumes by the smallest displacements of the nodes on grain boundaries.

    Raises:
        GeometryError: if that fails or would invert a cell.
    """
    grains, (nodes, d) = len(task.targets), x.shape
    inside = task.labels < grains
    cells, labels = task.cells[inside], task.labels[inside]
    columns = (cells[:, :, None] * d + np.arange(d)).ravel()
    rows = np.repeat(labels, d * (d + 1))
    movable = np.zeros(nodes, dtype=bool)
    movable[task.facets.ravel()] = True
    # Nodes between coarse cells go farther than those between fine ones.
    scale = sparse.diags((task.free & movable[:, None]).ravel() * np.repeat(task.size**2, d))
    for _ in range(30):
        volume, slopes = volumes_and_slopes(x[cells])
        missing = task.targets - np.bincount(labels, volume, grains)
        if float(np.abs(missing / task.targets).max()) < tolerance:
            break
        gradient = sparse.csr_matrix((slopes.ravel(), (rows, columns)), shape=(grains, nodes * d))
        normal = sparse.csc_matrix(gradient @ scale @ gradient.T)
        normal += 1e-12 * normal.diagonal().max() * sparse.identity(grains, format="csc")
        move = (scale @ (gradient.T @ splu(normal).solve(missing))).reshape(-1, d)
        farthest = float((np.abs(move).max(axis=1) / task.size).max())
        x = x + min(1.0, 0.1 / max(farthest, 1e-30)) * move
    else:
        raise GeometryError("the volumes of the grains cannot be met at this element size")
    if not float(cell_volumes(x, task.cells).min()) > 0.0:
        raise GeometryError("the volumes of the grains cannot be met without inverting a cell")
    return x
