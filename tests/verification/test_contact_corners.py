"""Searched contact at corners: passed, slid into as a notch, met across a point of four grains, and folded facets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem import domain
from fem.loads import Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import reaction, set_displacement
from tests.small import grid, law, mesh_of, midpoints, p, sides, solved_step

MODULUS, POISSON = 1.0e4, 0.3
SOLID = Material("alpha", Elasticity(p(MODULUS), p(0.0), p(POISSON)))
SETTINGS = SolverSettings(force_tolerance=1e-9, displacement_tolerance=1e-9, maximum_iterations=40)


def over_an_edge(comm: MPI.Intracomm, slope: float = -0.5) -> ElectrodeModel:
    """A flat block of 1 to 4 µm on one whose upper face is level up to 4.1 µm and falls by half beyond, or rises."""
    rows = columns = 10
    lower, triangles = grid(columns, rows, 8.0, 4.0)
    x = np.concatenate([np.linspace(0.0, 4.1, 7), np.linspace(4.1, 8.0, 5)[1:]])[
        np.rint(lower[:, 0] * columns / 8.0).astype(int)
    ]
    lower = np.column_stack([x, lower[:, 1] * (1.0 + 0.25 * slope * np.maximum(x - 4.1, 0.0))])
    upper, others = grid(5, 4, 3.0, 2.0)
    mesh = mesh_of(
        comm,
        np.concatenate([lower, upper + np.array([1.0, 4.0])]),
        np.concatenate([triangles, others + len(lower)]),
    )
    grain = (mesh.topology.original_cell_index >= len(triangles)).astype(np.int32)
    where = domain.from_arrays(mesh, grain, ["alpha", "alpha"], sides(8.0, 6.0))
    loads = [
        Support("bottom", 0),
        Support("bottom", 1),
        Support("top", 0, "pull"),
        Support("top", 1, "press"),
    ]
    return ElectrodeModel(where, {"alpha": SOLID}, {}, loads, 333.15, free_contact_stiffness=1.0e6)


@pytest.mark.parallel
def test_a_point_that_passes_a_corner_keeps_no_overlap(comm: MPI.Intracomm) -> None:
    """Before the edge it is behind the slope beyond, by up to 70 nm; that is no overlap, and none is allowed after."""
    model = over_an_edge(comm)
    solver = NewtonSolver(model, SETTINGS)
    contact = model.surface_contact
    assert contact is not None
    model.control("press").value = -0.002
    solved_step(model, solver, 1.0)
    first = reaction(model, "top", 0, 1)
    assert first < -5.0
    passed, rate = 0, None
    for number in range(1, 9):
        model.control("pull").value = 0.15 * number
        before = model.state.unknowns.x.array.copy()
        model.prepare_step(1.0, None if rate is None else before + rate)
        assert solver.solve().converged
        model.commit()
        rate = model.state.unknowns.x.array - before
        assert contact.pairs is not None
        assert float(np.min(contact.pairs.offset)) > -1.0e-3
        assert contact.penetration()[0] < 2.0e-3
        places = contact.pressures()[0]
        passed = int(
            np.sum(places[contact.surfaces.grain[contact.pairs.facet] == 1, 0] > 4.1 - 0.15 * number)
        )
    assert passed > 3
    # A third of the block stands over the slope: the rest of it carries the same height.
    assert 0.5 * first > reaction(model, "top", 0, 1) > first


@pytest.mark.parallel
def test_a_point_that_slides_into_a_notch_is_held_by_the_flank_beyond(comm: MPI.Intracomm) -> None:
    """It gets there sooner than expected, a few nm deep into a gentle slope that begins 0.1 µm before the block."""
    model = over_an_edge(comm, slope=0.25)
    solver = NewtonSolver(model, SETTINGS)
    model.control("press").value = -0.002
    solved_step(model, solver, 1.0)
    forces = []
    way = 0.0
    for expected, moved in ((0.05, 0.05), (0.04, 0.08), (0.02, 0.02), (0.02, 0.02), (0.02, 0.02)):
        before = model.state.unknowns.x.array.copy()
        moves = np.stack([np.full(1, expected), np.zeros(1)])
        set_displacement(model, lambda x, by=moves: np.repeat(by, x.shape[1], axis=1), grain=1)
        shift = model.state.unknowns.x.array.copy()
        set_displacement(model, lambda x: np.zeros((2, x.shape[1])), grain=1)
        shift -= model.state.unknowns.x.array
        model.state.unknowns.x.array[:] = before
        way += moved
        model.control("pull").value = way
        model.prepare_step(1.0, before + shift)
        assert solver.solve().converged
        model.commit()
        forces.append(-reaction(model, "top", 0, 1))
    # On the level; a little in, unseen; from then on it climbs, and its upper face is held down.
    assert forces[1] < 1.2 * forces[0]
    assert forces[2] > 1.1 * forces[1] and forces[3] > 1.1 * forces[2] and forces[4] > 1.1 * forces[3]


@pytest.mark.parallel
def test_a_facet_that_is_folded_holds_as_its_chord(comm: MPI.Intracomm) -> None:
    """The last level facet before the edge is expected to fold to one side or the other: it carries the same load."""
    forces = []
    for drawn in (0.0, 0.6, -0.6):
        model = over_an_edge(comm)
        solver = NewtonSolver(model, SETTINGS)
        contact = model.surface_contact
        assert contact is not None
        surfaces = contact.surfaces
        middle = surfaces.reference[:, 2]
        last = int(np.argmin(np.linalg.norm(middle - np.array([4.1 - 4.1 / 12.0, 4.0]), axis=1)))
        assert surfaces.grain[last] == 0
        start, end = model.state.space.dofmap.index_map.local_range
        dof = int(surfaces.dofs[last, 2, 0])
        expected = model.state.unknowns.x.array.copy()
        if start <= dof < end:
            expected[dof - start] += drawn
        model.state.unknowns.x.array[:] = expected
        model.state.unknowns.x.scatter_forward()
        expected = model.state.unknowns.x.array.copy()
        model.state.unknowns.x.array[:] = 0.0
        model.control("press").value = -0.002
        model.prepare_step(1.0, expected)
        assert contact.pairs is not None
        pairs = contact.pairs
        assert np.any(pairs.facet == last) and np.any(pairs.other == last)
        # What is met is as far away as without the fold, and none of it is at the midpoint.
        assert np.max(np.abs(pairs.gap[(pairs.facet == last) | (pairs.other == last)])) < 1.0e-12
        at_middle = np.concatenate([pairs.shape[pairs.facet == last, 2], pairs.shape[pairs.other == last, 5]])
        assert np.any(at_middle != 0.0) == (drawn == 0.0)
        model.state.unknowns.x.array[:] = 0.0
        assert solver.solve().converged
        forces.append(reaction(model, "top", 0, 1))
        regular, at_folds = contact.penetration()
        assert regular > 1.0e-6 and (at_folds > 1.0e-6) == (drawn != 0.0)
    assert forces[0] < -5.0
    # Its middle may bulge a little.
    np.testing.assert_allclose(forces[1:], forces[0], rtol=1e-2)


@pytest.mark.parallel
def test_a_facet_that_holds_watches_third_grains_near_by_only(comm: MPI.Intracomm) -> None:
    """The grains above and below one of 0.3 µm: as long as its bonds hold they cannot meet within a step."""
    places, triangles = grid(4, 3, 2.0, 3.0)
    places[:, 1] = np.array([0.0, 1.0, 1.3, 2.3])[np.rint(places[:, 1]).astype(int)]
    mesh = mesh_of(comm, places, triangles)
    layer = np.searchsorted([1.0, 1.3], midpoints(mesh)[:, 1]).astype(np.int32)
    model = ElectrodeModel(
        domain.from_arrays(mesh, layer, ["alpha"] * 3, sides(2.0, 2.3)),
        {"alpha": SOLID},
        {"alpha|alpha": law(20.0, 0.3)},
        [Support("bottom", 0), Support("bottom", 1)],
        333.15,
    )
    contact = model.surface_contact
    assert contact is not None
    model.prepare_step(1.0)
    assert contact.pairs is None
    model.facet_constants.set_values(model.state.released, np.ones(len(model.interfaces.facets)))
    model.prepare_step(1.0)
    assert contact.pairs is not None
    np.testing.assert_allclose(contact.pairs.gap, 0.3, rtol=1e-12)
    assert np.array_equal(np.unique(contact.surfaces.grain[contact.pairs.facet]), [0, 2])
    # What is stored at the beginning is so from where they act.
    closed = np.full(len(contact.pairs.gap), -1.0e-3)
    contact.pairs = replace(contact.pairs, acting=closed)
    assert contact.energies()[1] == contact.pairs.stored(closed) > 0.0


@pytest.mark.parallel(partition="owner")
@pytest.mark.parametrize("owner", ["default", "seam"])
def test_corners_meet_across_a_point_of_four_grains_while_all_bonds_hold(
    comm: MPI.Intracomm, owner: str
) -> None:
    """Two grains that touch at a corner only are pressed into each other by shear: no overlap is kept for good."""
    where = None if owner == "default" else np.repeat([0, 1], 64).astype(np.int32)
    mesh = mesh_of(comm, *grid(8, 8, 4.0, 4.0), where)
    x, y = midpoints(mesh)[:, 0], midpoints(mesh)[:, 1]
    four = (x > 2.0).astype(np.int32) + 2 * (y > 2.0).astype(np.int32)
    holding = law(20.0, 0.3, contact_stiffness=1.0e6)
    model = ElectrodeModel(
        domain.from_arrays(mesh, four, ["alpha"] * 4, sides(4.0, 4.0)),
        {"alpha": SOLID},
        {"alpha|alpha": holding},
        [Support("bottom", 0), Support("bottom", 1), Support("top", 0, "pull"), Support("top", 1, "press")],
        333.15,
    )
    contact = model.surface_contact
    assert contact is not None
    set_displacement(model, lambda x: np.full((2, x.shape[1]), 2.0e-3), grain=0)
    expected = model.state.unknowns.x.array.copy()
    model.state.unknowns.x.array[:] = 0.0
    model.prepare_step(1.0, expected)
    assert contact.pairs is not None
    grain, pairs = contact.surfaces.grain, contact.pairs
    met = (grain[pairs.facet] == 0) & (grain[pairs.other] == 3)
    met |= (grain[pairs.facet] == 3) & (grain[pairs.other] == 0)
    # The corner of each, as the end of two facets.
    assert np.sum(met) == 4
    np.testing.assert_allclose(pairs.gap[met], 0.0, atol=1e-12)
    np.testing.assert_allclose(pairs.offset[met], 0.0, atol=1e-12)
    assert contact.penetration()[0] == pytest.approx(2.0e-3)
