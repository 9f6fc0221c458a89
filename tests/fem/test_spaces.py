"""Broken spaces: one dof a (node, grain) pair, whatever the partition."""

from __future__ import annotations

from typing import Any

import basix.ufl
import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fem import compat, domain
from fem.domain import Domain
from fem.interfaces.facet_fields import interface_measure
from fem.interfaces.pairs import find_interfaces
from fem.spaces import broken_space, subspace_dofs
from tests.readings import at_points, set_displacement
from tests.small import Array, box, grid, host, law, mesh_of, midpoints, model_on, sides

CUTS = ["default", "grain by grain", "across the grains", "cell by cell", "one rank has nearly all"]


def grain_of(middle: Array, dimension: int) -> Any:
    """Five grains; three meet at a point in several places, and neighbours of one phase occur."""
    x, y = middle[:, 0], middle[:, dimension - 1]
    return np.select([y > 3.0, x < 1.0, (x < 2.0) & (y > 1.0), x > 3.0], [4, 0, 1, 2], 3).astype(np.int32)


PHASES = ["alpha", "beta", "alpha", "alpha", "beta"]


def parted(comm: MPI.Intracomm, dimension: int, cut: str) -> Domain:
    points, cells = grid(4, 4, 4.0, 4.0) if dimension == 2 else box(4, 4.0)
    middle = points[cells].mean(axis=1)
    owner = {
        "default": None,
        "grain by grain": grain_of(middle, dimension),
        # On three ranks one has no cells at all.
        "across the grains": middle[:, 0] + middle[:, -1] > 4.2,
        "cell by cell": np.random.default_rng(2).integers(0, 1000, len(cells)),
        "one rank has nearly all": np.minimum(np.arange(len(cells)), 2),
    }[cut]
    mesh = mesh_of(comm, points, cells, owner)
    return domain.from_arrays(mesh, grain_of(midpoints(mesh), dimension), PHASES, {})


def nodes(where: Domain, degree: int) -> Array:
    """Nodes of a Lagrange element in every local cell, from the cell's corners, shape (cells, nodes, 3)."""
    corners = where.mesh.geometry.x[compat.geometry_dofs(where.mesh)]
    if degree == 1:
        return corners
    count = corners.shape[1]
    edges = [(corners[:, i] + corners[:, j]) / 2.0 for i in range(count) for j in range(i)]
    return np.concatenate([corners, np.stack(edges, axis=1)], axis=1)


def counted(where: Domain, degree: int) -> int:
    """Number of different (node, grain) pairs in the whole mesh, by brute force."""
    places = np.round(nodes(where, degree) * 64.0).astype(int)
    pairs = {
        (tuple(place), int(grain))
        for cell, grain in zip(places, where.cell_grain, strict=True)
        for place in cell
    }
    return len(set().union(*where.mesh.comm.allgather(pairs)))


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("cut", CUTS)
def test_one_dof_for_each_node_and_grain(comm: MPI.Intracomm, cut: str, dimension: int) -> None:
    where = parted(comm, dimension, cut)
    cell = where.mesh.basix_cell()
    linear, quadratic = counted(where, 1), counted(where, 2)
    displacement = basix.ufl.element("Lagrange", cell, 2, shape=(dimension,))
    scalar = basix.ufl.element("Lagrange", cell, 1)
    for element, expected in (
        (scalar, linear),
        (displacement, quadratic * dimension),
        (basix.ufl.mixed_element([displacement, scalar, scalar]), quadratic * dimension + 2 * linear),
    ):
        space = broken_space(where.mesh, where.cell_colour, where.colours, element)
        map_, block = space.dofmap.index_map, space.dofmap.index_map_bs
        assert map_.size_global * block == expected
        used = np.unique(np.asarray(space.dofmap.list))
        assert np.array_equal(used, np.arange(map_.size_local + map_.num_ghosts))
        owned = set().union(*comm.allgather(set(range(*map_.local_range))))
        assert owned == set(range(map_.size_global))


def interior_measure(where: Domain) -> Any:
    """Facets inside grains this rank owns, any orientation."""
    mesh, dimension = where.mesh, where.dimension
    mesh.topology.create_connectivity(dimension - 1, dimension)
    mesh.topology.create_connectivity(dimension, dimension - 1)
    facet_cells = mesh.topology.connectivity(dimension - 1, dimension)
    inside = []
    for facet in range(mesh.topology.index_map(dimension - 1).size_local):
        pair = facet_cells.links(facet)
        if len(pair) == 2 and where.cell_grain[pair[0]] == where.cell_grain[pair[1]]:
            inside.append(facet)
    chosen = np.array(inside, dtype=np.int32)
    tags = dmesh.meshtags(mesh, dimension - 1, chosen, np.full(len(chosen), 1, dtype=np.int32))
    return ufl.Measure("dS", domain=mesh, subdomain_data=tags, subdomain_id=1)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", CUTS)
def test_continuous_inside_a_grain_and_free_across(comm: MPI.Intracomm, cut: str) -> None:
    where = parted(comm, 2, cut)
    element = basix.ufl.element("Lagrange", where.mesh.basix_cell(), 2)
    space = broken_space(where.mesh, where.cell_colour, where.colours, element)
    field = dfem.Function(space)
    # Any values at all: a continuous function has no jump inside a grain.
    map_ = space.dofmap.index_map
    values = np.sin(1.7 * np.arange(*map_.local_range) ** 1.3)
    field.x.array[: map_.size_local] = values
    field.x.scatter_forward()

    def total(form: Any) -> float:
        return float(comm.allreduce(dfem.assemble_scalar(dfem.form(form)), op=MPI.SUM))

    assert total(ufl.jump(field) ** 2 * interior_measure(where)) < 1e-24
    interfaces = find_interfaces(where)
    dS = interface_measure(where, interfaces)
    assert total(ufl.jump(field) ** 2 * dS) > 0.1
    # A value a grain: every interface facet sees exactly the two of its grains.
    for grain in range(len(PHASES)):
        cells = np.flatnonzero(where.cell_grain == grain).astype(np.int32)
        field.interpolate(lambda x, g=grain: np.full(x.shape[1], 2.0**g), cells)
    before = field.x.array.copy()
    field.x.scatter_forward()
    assert np.array_equal(before, field.x.array)  # ghosts hold what their owners hold
    pairs = where.cell_grain[interfaces.quadruples[:, [0, 2]]]
    expected = comm.allreduce(float(np.sum((2.0 ** pairs[:, 0] - 2.0 ** pairs[:, 1]) ** 2)), op=MPI.SUM)
    # All facets of this mesh that lie on interfaces are one micrometre long.
    assert total((field("+") - field("-")) ** 2 * dS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parallel
def test_a_rank_may_lack_a_colour(comm: MPI.Intracomm) -> None:
    where = parted(comm, 2, "grain by grain")
    owned = where.mesh.topology.index_map(2).size_local
    missing = where.colours - len(np.unique(where.cell_colour[:owned]))
    if comm.size > 1:
        assert comm.allreduce(missing, op=MPI.MAX) > 0
    element = basix.ufl.element("Lagrange", where.mesh.basix_cell(), 1)
    space = broken_space(where.mesh, where.cell_colour, where.colours, element)
    assert space.dofmap.index_map.size_global == counted(where, 1)


@pytest.mark.parallel
@pytest.mark.parametrize("colours", [[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]])
def test_dofs_of_a_component(comm: MPI.Intracomm, colours: list[int]) -> None:
    where = parted(comm, 2, "default")
    names = domain.from_arrays(where.mesh, where.cell_grain, PHASES, {}, colours)
    cell = where.mesh.basix_cell()
    pair = basix.ufl.mixed_element(
        [basix.ufl.element("Lagrange", cell, 2, shape=(2,)), basix.ufl.element("Lagrange", cell, 1)]
    )
    space = broken_space(where.mesh, names.cell_colour, names.colours, pair)
    first, second = subspace_dofs(space, 0), subspace_dofs(space, 1)
    map_ = space.dofmap.index_map
    assert not set(first) & set(second)
    assert np.array_equal(
        np.sort(np.concatenate([first, second])), np.arange(map_.size_local + map_.num_ghosts)
    )
    x, y = subspace_dofs(space, 0, 0), subspace_dofs(space, 0, 1)
    assert np.array_equal(np.sort(np.concatenate([x, y])), first)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", ["grain by grain", "cell by cell"])
def test_broken_gradient_patch(comm: MPI.Intracomm, cut: str) -> None:
    points, cells = grid(4, 4, 4.0, 4.0)
    middle = points[cells].mean(axis=1)
    owner = (
        grain_of(middle, 2)
        if cut == "grain by grain"
        else np.random.default_rng(2).integers(0, 1000, len(cells))
    )
    mesh = mesh_of(comm, points, cells, owner)
    grain = grain_of(midpoints(mesh), 2)
    model = model_on(
        mesh,
        sides(4.0, 4.0),
        [host("alpha"), host("beta")],
        grain=grain,
        phases=PHASES,
        laws={kind: law() for kind in ("alpha|alpha", "alpha|beta", "beta|beta")},
    )
    slopes = 1e-2 * np.random.default_rng(4).standard_normal((len(PHASES), 2, 2))
    for number, slope in enumerate(slopes):
        set_displacement(model, lambda x, s=slope, n=number: s @ x[:2] + 0.01 * n, number)
    gradient = at_points(model, ufl.grad(model.fields.displacement))
    np.testing.assert_allclose(gradient, np.broadcast_to(slopes[grain][:, None], gradient.shape), atol=1e-13)
