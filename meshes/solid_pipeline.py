"""From a recipe to labelled simplices in three dimensions: pack, lay a lattice, refine it, give cells to bodies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .arrays import Floats, Ints
from .bisection import refine
from .composition import Plan
from .errors import QualityError
from .labelled import mesh_labels, tidy_labels
from .lattice import CUBE_SIDE, Lattice, build_lattice
from .recipe import Recipe
from .simplices import cell_volumes
from .solid_packing import SolidPacking, pack_solids
from .solids import SMALL_PHASES, draw_solids

#: Cells this many fine elements away from a small body are still refined.
MARGIN = 0.5


@dataclass(frozen=True)
class SolidMesh:
    """A mesh before it is written.

    Attributes:
        points: shape (nodes, dimension), um.
        cells: shape (cells, dimension + 1).
        labels: grain of each cell from 0, then foil and electrolyte.
        phases: of the grains.
        targets: size of each grain, um^dimension.
    """

    points: Floats
    cells: Ints
    labels: Ints
    phases: list[str]
    targets: Floats

    def names(self) -> dict[int, str]:
        """Name of each cell group; grains are tagged from 1."""
        count = len(self.phases)
        grains = {k + 1: f"{phase}/{k + 1}" for k, phase in enumerate(self.phases)}
        return grains | {count + 1: "copper", count + 2: "electrolyte"}


def make_solid(recipe: Recipe, resolved: Plan, sub_seed: int = 0) -> SolidMesh:
    """The mesh of a recipe in three dimensions.

    Raises:
        GeometryError: if this sub-seed leads to none.
        QualityError: likewise.
    """
    random = np.random.default_rng([recipe.seed, sub_seed])
    bodies = draw_solids(recipe, resolved, random)
    size = (recipe.width_um, float(recipe.depth_um or 0.0), resolved.thickness_um)
    packing = pack_solids(bodies, size, random, recipe.silicon.place == "within")
    sizes, strips = recipe.resolution, recipe.strips
    lattice = build_lattice(size[:2], strips.foil_um, size[2], strips.electrolyte_um, sizes.element_size_um)
    lattice = _refined(lattice, packing, sizes.interface_element_size_um)
    if len(lattice.cells) > 1.5 * sizes.max_cells:
        raise QualityError(f"{len(lattice.cells)} cells are more than max_cells = {sizes.max_cells}")
    inside = lattice.slab == 1
    volumes = cell_volumes(lattice.points, lattice.cells)
    middle = lattice.points[lattice.cells].mean(axis=1)
    labels: Ints = np.zeros(len(lattice.cells), dtype=np.int64)
    labels[inside] = packing.labels(middle[inside], volumes[inside])
    labels = tidy_labels(lattice, labels, len(bodies))
    phases = [body.phase for body in bodies]
    targets = np.array([body.volume for body in bodies])
    return SolidMesh(*mesh_labels(lattice, labels, targets, phases), phases, targets)


def _refined(lattice: Lattice, packing: SolidPacking, fine: float) -> Lattice:
    """Fine elements in and around small bodies."""
    small = [i for i in packing.small if packing.bodies[i].phase in SMALL_PHASES]
    if not small:
        return lattice
    middle = lattice.points[lattice.cells].mean(axis=1)
    radii = np.array([packing.bodies[i].radius for i in small])
    gap, nearest = cKDTree(packing.centres[small]).query(middle, k=min(4, len(small)))
    gap, nearest = gap.reshape(len(middle), -1), nearest.reshape(len(middle), -1)
    near = (gap - radii[nearest]).min(axis=1) < MARGIN * fine
    near &= lattice.slab == 1
    # Twelve cells fill a cube of the lattice.
    return refine(lattice, np.where(near, (CUBE_SIDE[3] * fine) ** 3 / 12.0, np.inf))
