"""The parts of the fairing: lattice, bisection, labels, and that the energy's gradient is its gradient."""

from __future__ import annotations

import numpy as np
import pytest

from meshes.bisection import refine
from meshes.errors import GeometryError
from meshes.fairing import Energy, Task, meet_volumes
from meshes.labels import tidy
from meshes.lattice import Lattice, build_lattice
from meshes.simplices import cell_volumes, edge_sizes, facet_pairs, gammas, outer_facets


def lattice(dimension: int) -> Lattice:
    return build_lattice((6.0, 5.0)[: dimension - 1], 1.0, 4.0, 1.5, 1.0)


def closed(found: Lattice) -> None:
    """Fills its box, conforms and has no inverted cell."""
    volumes = cell_volumes(found.points, found.cells)
    assert volumes.min() > 0.0
    assert volumes.sum() == pytest.approx(np.prod(found.size) * 6.5)
    facets, _ = outer_facets(found.cells)
    corners = found.points[facets]
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    on_wall = (np.isclose(corners, low) | np.isclose(corners, high)).all(axis=1).any(axis=1)
    assert on_wall.all()


@pytest.mark.parametrize("dimension", [2, 3])
def test_lattice_and_refinement_conform(dimension: int) -> None:
    coarse = lattice(dimension)
    closed(coarse)
    assert gammas(coarse.points, coarse.cells).min() > 0.4
    middle = coarse.points[coarse.cells].mean(axis=1)
    near = np.linalg.norm(middle - middle.mean(axis=0), axis=1) < 1.5
    volumes = cell_volumes(coarse.points, coarse.cells)
    fine = refine(coarse, np.where(near, volumes / 4.0, np.inf))
    closed(fine)
    assert gammas(fine.points, fine.cells).min() > 0.2
    middle = fine.points[fine.cells].mean(axis=1)
    near = np.linalg.norm(middle - middle.mean(axis=0), axis=1) < 1.0
    assert cell_volumes(fine.points, fine.cells)[near].max() < 0.4 * volumes.max()
    # Slabs stay what they are: no cell reaches across the faces of the foil and the electrolyte.
    heights = fine.points[fine.cells][:, :, -1]
    for slab, (low, high) in enumerate(zip(fine.planes[:-1], fine.planes[1:], strict=True)):
        inside = heights[fine.slab == slab]
        assert inside.min() >= low - 1e-12 and inside.max() <= high + 1e-12


def task(dimension: int) -> Task:
    """A lattice of three grains with random shares."""
    found = lattice(dimension)
    middle = found.points[found.cells].mean(axis=1)
    labels = (middle[:, 0] > 3.0).astype(np.int64) + (middle[:, -1] > 2.0)
    labels[found.slab != 1] = 3
    pairs, nodes = facet_pairs(found.cells)
    one, two = labels[pairs].T
    between = (one != two) & (one < 3) & (two < 3)
    free = np.ones(found.points.shape, dtype=bool)
    for axis in range(dimension):
        for wall in (found.points[:, axis].min(), found.points[:, axis].max()):
            free[:, axis] &= found.points[:, axis] != wall
    for plane in found.planes:
        free[:, -1] &= found.points[:, -1] != plane
    volumes = np.bincount(labels, cell_volumes(found.points, found.cells))[:3]
    targets = volumes * np.array([1.02, 0.97, 1.0])
    targets *= volumes.sum() / targets.sum()
    size = edge_sizes(found.points, found.cells)
    return Task(
        found.cells, labels, targets, found.points, nodes[between], np.linspace(0.3, 1.0, int(between.sum())), free,
        size, np.ones(len(size)),
    )  # fmt: skip


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_gradient_is_the_energys(dimension: int) -> None:
    given = task(dimension)
    random = np.random.default_rng(1)
    energy = Energy(given, 0.1, 0.01, random.normal(size=3))
    x = given.anchors + 0.05 * random.normal(size=given.anchors.shape) * given.free
    step = random.normal(size=x.shape) * given.free
    slope = (energy.evaluate(x + 1e-5 * step)[0] - energy.evaluate(x - 1e-5 * step)[0]) / 2e-5
    assert (energy.evaluate(x)[1] * step).sum() == pytest.approx(slope, rel=1e-7)


def test_an_inverted_cell_has_no_finite_energy() -> None:
    given = task(3)
    x = given.anchors.copy()
    x[given.cells[0, 0]] += 100.0
    assert Energy(given, 0.1, 0.01).evaluate(x)[0] == np.inf


@pytest.mark.parametrize("dimension", [2, 3])
def test_volumes_are_met_on_flat_walls(dimension: int) -> None:
    given = task(dimension)
    x = meet_volumes(given, given.anchors)
    volumes = np.bincount(given.labels, cell_volumes(x, given.cells))[:3]
    assert volumes == pytest.approx(given.targets, rel=1e-9)
    assert (x == given.anchors)[~given.free].all()


def test_gamma_is_gmshs() -> None:
    import gmsh

    from meshes.build import gmsh_model

    given = task(3)
    random = np.random.default_rng(2)
    x = given.anchors + 0.1 * random.normal(size=given.anchors.shape)
    with gmsh_model("gamma"):
        entity = gmsh.model.addDiscreteEntity(3)
        gmsh.model.mesh.addNodes(3, entity, np.arange(1, len(x) + 1), x.ravel())
        numbers = np.arange(1, len(given.cells) + 1)
        gmsh.model.mesh.addElementsByType(entity, 4, numbers, (given.cells + 1).ravel())
        theirs = np.array(gmsh.model.mesh.getElementQualities(numbers, "gamma"))
    upright = cell_volumes(x, given.cells) > 0.0
    assert gammas(x, given.cells)[upright] == pytest.approx(theirs[upright], abs=1e-9)


def test_labels_are_tidied() -> None:
    found = lattice(3)
    middle = found.points[found.cells].mean(axis=1)
    volumes = cell_volumes(found.points, found.cells)
    labels = (middle[:, 0] > 3.0).astype(np.int64)
    fixed = found.slab != 1
    labels[fixed] = 2
    clean = tidy(found.cells, volumes, labels, fixed, 2)
    random = np.random.default_rng(3)
    noisy = np.where((random.random(len(labels)) < 0.08) & ~fixed, 1 - labels, labels)
    again = tidy(found.cells, volumes, noisy, fixed, 2)
    assert (noisy != labels).sum() > 20
    # The specks are gone; what is left of the noise sits at the boundary.
    assert (again != clean)[np.abs(middle[:, 0] - 3.0) > 1.2].sum() == 0
    with pytest.raises(GeometryError, match="grain 2 vanishes"):
        tidy(found.cells, volumes, np.where(fixed, 3, labels), fixed, 3)
