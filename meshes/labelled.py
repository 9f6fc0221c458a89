"""From a lattice whose cells carry labels to a mesh: labels tidied, boundaries faired, cells swapped, volumes met.

The one machinery for recipes in three dimensions and for images in two and three. The mesh conforms from the first
moment on, because it is a lattice whose nodes move: nothing is cut, and no surface has to be filled. What Gmsh's
optimiser does inside every grain (swaps of edges and faces) lets boundaries become flat where the lattice has
cells with two facets on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from .arrays import Bools, Floats, Ints
from .discrete import swap_tetrahedra
from .errors import GeometryError
from .fairing import Energy, Task, fair, meet_volumes
from .labels import tidy
from .lattice import Lattice
from .relaxation import FLAKE_TENSION
from .simplices import cell_volumes, edge_sizes, facet_pairs, gammas, oriented

#: Weight of springs against tension.
SPRING = 0.3
#: Stages: weight of the cells' shape, rounds of pressures, steps in each; cells are swapped after each stage.
STAGES = ((2e-4, 1, 30), (2e-4, 1, 20), (5e-4, 1, 20))
#: The last stage; it is repeated while a cell is worse than wanted, and nothing is swapped after it.
LAST_STAGE = (5e-4, 1, 20)
REPEATS = 6
#: Cells worse than the first gamma get more care, by that factor each time, and so do the cells around them; none may
#: be worse than the second in the end.
CARE_GAMMA, WANTED_GAMMA = 0.15, 0.12
CARE = 4.0
#: Cells that show a grain at least.
FEWEST_CELLS = 8


def tidy_labels(lattice: Lattice, labels: Ints, grains: int) -> Ints:
    """Labels of a lattice made sound.

    Args:
        lattice: the cells.
        labels: grain of each cell, from 0; cells of the strips are given theirs here: ``grains`` and ``grains + 1``.
        grains: number of grains.

    Returns:
        The labels.

    Raises:
        GeometryError: if a grain cannot be shown.
    """
    fixed = lattice.slab != 1
    labels = np.where(fixed, grains + lattice.slab // 2, labels)
    labels = tidy(lattice.cells, cell_volumes(lattice.points, lattice.cells), labels, fixed, grains)
    cells = np.bincount(labels, minlength=grains)[:grains]
    if int(cells.min()) < FEWEST_CELLS:
        raise GeometryError(
            f"grain {int(cells.argmin())} has {int(cells.min())} cells; {FEWEST_CELLS} are needed, so the elements "
            "are too coarse"
        )
    return labels


def mesh_labels(
    lattice: Lattice, labels: Ints, targets: Floats, phases: Sequence[str]
) -> tuple[Floats, Ints, Ints]:
    """Fair a labelled lattice.

    Args:
        lattice: the cells.
        labels: tidied, strips last.
        targets: volume of each grain, um^dimension; they add up to the electrode's.
        phases: of each grain.

    Returns:
        Points, cells and labels of the mesh.

    Raises:
        GeometryError: if the volumes cannot be met.
        QualityError: if Gmsh's optimiser fails.
    """
    points, cells = lattice.points, lattice.cells
    solid = points.shape[1] == 3
    flake = np.array([phase == "graphite" for phase in phases] + [False, False])
    moves = _Moves(lattice, targets, flake)
    task = moves.task(points, cells, labels, points, edge_sizes(points, cells), np.ones(len(points)))
    x, pressure = points, None
    for shape, rounds, steps in STAGES:
        energy = Energy(task, SPRING, shape, pressure)
        x, pressure = fair(energy, task, x, rounds, steps), energy.pressure
        if solid:
            moved, cells, labels = swap_tetrahedra(x, task.cells, task.labels)
            carried = _carried(task, x, moved)
            x, task = moved, moves.task(moved, oriented(moved, cells), labels, *carried)
        task = replace(task, care=_more_care(task, x))
    shape, rounds, steps = LAST_STAGE
    for _ in range(REPEATS):
        energy = Energy(task, SPRING, shape, pressure)
        x, pressure = fair(energy, task, x, rounds, steps), energy.pressure
        met = meet_volumes(task, x)
        if float(gammas(met, task.cells).min()) >= WANTED_GAMMA:
            break
        task = replace(task, care=_more_care(task, x))
    return met, task.cells, task.labels


def _more_care(task: Task, x: Floats) -> Floats:
    """Care at the nodes, more of it where cells are bad."""
    care = task.care.copy()
    care[np.unique(task.cells[gammas(x, task.cells) < CARE_GAMMA])] *= CARE
    return care


@dataclass(frozen=True)
class _Moves:
    """What stays the same while cells are swapped: where nodes may go and which boundaries pull how much."""

    lattice: Lattice
    targets: Floats
    flake: Bools

    def task(
        self, points: Floats, cells: Ints, labels: Ints, anchors: Floats, size: Floats, care: Floats
    ) -> Task:
        """The task of fairing: facets between grains and their tension, coordinates that may move."""
        pairs, nodes = facet_pairs(cells)
        one, two = labels[pairs].T
        between = (one != two) & (one < len(self.targets)) & (two < len(self.targets))
        flakes = self.flake[one[between]] & self.flake[two[between]]
        tension = np.where(flakes, FLAKE_TENSION, 1.0)
        reach = 1e-9 * max(self.lattice.size)
        free = np.ones(points.shape, dtype=bool)
        for axis, length in enumerate(self.lattice.size):
            free[:, axis] = (points[:, axis] > reach) & (points[:, axis] < length - reach)
        for plane in self.lattice.planes:
            free[:, -1] &= np.abs(points[:, -1] - plane) > reach
        return Task(cells, labels, self.targets, anchors, nodes[between], tension, free, size, care)


def _carried(task: Task, before: Floats, after: Floats) -> tuple[Floats, Floats, Floats]:
    """Anchors, sizes and care in a new order of the nodes; a node that moved inside its grain is its own anchor.

    Raises:
        GeometryError: if a node on a grain boundary moved.
    """
    distance, found = cKDTree(before).query(after)
    known = distance == 0.0
    if not np.isin(np.unique(task.facets), found[known]).all():
        raise GeometryError("a node on a grain boundary moved in swapping cells")
    return np.where(known[:, None], task.anchors[found], after), task.size[found], task.care[found]
