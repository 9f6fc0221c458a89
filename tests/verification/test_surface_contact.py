"""Contact found by search: Hertz, balance, friction, hand-over from paired facets, overlap, tangent, partition."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem import domain
from fem.interfaces.hand_over import FADE_BEGINS, FADE_ENDS, paired_share, released_share
from fem.loads import Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.alone import alone
from tests.readings import reaction, searched_forces_along, set_displacement
from tests.small import Array, grid, law, mesh_of, midpoints, p, sides, solved_step

MODULUS, POISSON = 1.0e4, 0.3
SOLID = Material("alpha", Elasticity(p(MODULUS), p(0.0), p(POISSON)))
SETTINGS = SolverSettings(force_tolerance=1e-9, displacement_tolerance=1e-9, maximum_iterations=40)


def graded(fine: float, inside: float, whole: float) -> Array:
    """Places from 0 to ``whole``, ``fine`` apart up to ``inside`` and further apart beyond."""
    places = list(np.linspace(0.0, inside, round(inside / fine) + 1))
    step = fine
    while places[-1] < whole - 0.5 * step:
        step *= 1.35
        places.append(places[-1] + step)
    beyond = np.array(places[round(inside / fine) :])
    beyond = inside + (beyond - inside) * (whole - inside) / (beyond[-1] - inside)
    return np.concatenate([places[: round(inside / fine)], beyond])


def two_bodies(
    comm: MPI.Intracomm,
    lower: tuple[Array, Array],
    upper: tuple[Array, Array],
    radius: float,
    gap: float,
    owner: str = "default",
    swapped: bool = False,
    stiffness: float = 1.0e6,
) -> ElectrodeModel:
    """Two blocks, one on the other, that share nothing; the upper one's lower face is a parabola.

    Args:
        comm: Ranks.
        lower: Places of the columns, and of the rows downwards from the contact, of the lower block.
        upper: The same of the upper one, upwards.
        radius: Radius of curvature in µm.
        gap: Distance at the middle in µm; negative for an overlap.
        owner: ``"default"``, or ``"seam"`` for a partition that cuts along the contact.
        swapped: Whether the upper block is the first grain.
        stiffness: Of the contact in MPa/µm.
    """
    blocks, cells, height, middle = [], [], float(lower[1][-1]), 0.5 * float(lower[0][-1])
    for number, (columns, rows) in enumerate((lower, upper)):
        points, triangles = grid(len(columns) - 1, len(rows) - 1, len(columns) - 1.0, len(rows) - 1.0)
        index = np.rint(points).astype(int)
        x = columns[index[:, 0]]
        if number == 0:
            y = (rows[-1] - rows[::-1])[index[:, 1]]
        else:
            up = rows[index[:, 1]]
            y = height + gap + up + (1.0 - up / rows[-1]) * (x - middle) ** 2 / (2.0 * radius)
        blocks.append(np.column_stack([x, y]))
        cells.append(triangles)
    points = np.concatenate(blocks)
    count = len(cells[0])
    triangles = np.concatenate([cells[0], cells[1] + len(blocks[0])])
    ranks = None if owner == "default" else (np.arange(len(triangles)) >= count).astype(np.int32)
    mesh = mesh_of(comm, points, triangles, ranks)
    is_upper = mesh.topology.original_cell_index >= count
    top = float(points[:, 1].max())
    where = domain.from_arrays(
        mesh,
        (is_upper != swapped).astype(np.int32),
        ["alpha", "alpha"],
        sides(float(lower[0][-1]), top),
    )
    loads = [
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Support("top", 1, "press"),
    ]
    return ElectrodeModel(where, {"alpha": SOLID}, {}, loads, 333.15, free_contact_stiffness=stiffness)


def hertz(comm: MPI.Intracomm, fine: float, owner: str = "default", swapped: bool = False) -> ElectrodeModel:
    """A parabolic punch of radius 50 µm pressed into a block until contact is about 1 µm to either side."""
    half = graded(fine, 1.6, 8.0)
    other = graded(0.9 * fine, 1.44, 8.0)
    rows = graded(fine, 2.0 * fine, 8.0)

    def columns(right: Array) -> Array:
        return 8.0 + np.concatenate([-right[:0:-1], right])

    model = two_bodies(comm, (columns(half), rows), (columns(other), rows), 50.0, 0.0, owner, swapped)
    solver = NewtonSolver(model, SETTINGS)
    for press in (-0.015, -0.03):
        model.control("press").value = press
        solved_step(model, solver, 1.0)
    return model


def test_two_curved_bodies_press_like_hertz() -> None:
    model = hertz(MPI.COMM_SELF, 0.12)
    contact = model.surface_contact
    assert contact is not None
    force = reaction(model, "top", 0, 1)
    places, pressure, area = contact.pressures()
    assert -force == pytest.approx(np.sum(pressure * area), rel=1e-4)  # the normals tilt a little
    effective = MODULUS / (2.0 * (1.0 - POISSON**2))
    half_width = np.sqrt(-4.0 * force * 50.0 / (np.pi * effective))
    peak = -2.0 * force / (np.pi * half_width)
    x = places[:, 0] - 8.0
    # A half-ellipse has its second moment at a²/4.
    measured = 2.0 * np.sqrt(np.sum(pressure * area * x**2) / np.sum(pressure * area))
    centre = np.abs(x) < 0.4 * half_width
    shape = np.sqrt(1.0 - (x[centre] / half_width) ** 2)
    top = np.sum(pressure[centre] * area[centre]) / np.sum(shape * area[centre])
    assert measured == pytest.approx(half_width, rel=0.01)
    assert top == pytest.approx(peak, rel=0.03)
    assert 0.8 < half_width < 1.6


@pytest.mark.parallel(partition="owner")
@pytest.mark.parametrize("owner", ["default", "seam"])
def test_any_partition_and_either_order_of_the_bodies_give_the_same_force(
    comm: MPI.Intracomm, owner: str
) -> None:
    force = alone(comm, "force", lambda self: reaction(hertz(self, 0.4), "top", 0, 1))
    assert force < -10.0
    together = hertz(comm, 0.4, owner)
    assert reaction(together, "top", 0, 1) == pytest.approx(force, rel=1e-9)
    assert reaction(together, "bottom", 0, 1) == pytest.approx(-force, rel=1e-9)
    swapped = hertz(comm, 0.4, owner, swapped=True)
    assert reaction(swapped, "top", 0, 1) == pytest.approx(force, rel=1e-9)


def test_an_overlap_from_the_beginning_pushes_only_when_it_grows() -> None:
    even = np.linspace(0.0, 4.0, 9)
    model = two_bodies(MPI.COMM_SELF, (even, even), (even, even), 1e9, -0.05)
    solver = NewtonSolver(model, SETTINGS)
    contact = model.surface_contact
    assert contact is not None
    solved_step(model, solver, 1.0)
    assert reaction(model, "top", 0, 1) == pytest.approx(0.0, abs=1e-8)
    assert contact.penetration()[0] == pytest.approx(0.05, abs=1e-6)
    model.control("press").value = -0.01
    solved_step(model, solver, 1.0)
    pushed = reaction(model, "top", 0, 1)
    assert pushed < -10.0
    # Apart by less than the overlap and back: what has opened no longer counts as overlap.
    for press in (0.03, 0.02):
        model.control("press").value = press
        solved_step(model, solver, 1.0)
    assert contact.penetration()[0] < 0.031
    # Pressed by 10 nm as before, when half a nanometre of the overlap (500 MPa) had been pushed out as well.
    assert reaction(model, "top", 0, 1) == pytest.approx(pushed * 10.0 / 10.5, rel=0.02)


@pytest.mark.parallel
def test_a_corner_does_not_come_in_between_two_points(comm: MPI.Intracomm) -> None:
    """A blunt wedge of two long facets on a block: by what it is pressed down its corner alone meets the block."""
    lower = np.linspace(0.0, 8.0, 5), np.linspace(0.0, 4.0, 3)
    model = two_bodies(comm, lower, (np.array([0.0, 4.0, 8.0]), np.linspace(0.0, 4.0, 3)), 4.0, 0.0)
    solver = NewtonSolver(model, SETTINGS)
    contact = model.surface_contact
    assert contact is not None
    for press in (-0.01, -0.02):
        model.control("press").value = press
        solved_step(model, solver, 1.0)
    # The block is stiffer than a layer of 1 µm under the wedge alone, and softer than one of the whole width.
    assert 0.02 * MODULUS / 8.0 < -reaction(model, "top", 0, 1) < 8.0 * 0.02 * MODULUS / 8.0
    assert contact.penetration()[0] < 1.0e-3


FRICTION = 0.3


def slider(
    comm: MPI.Intracomm,
    owner: str = "default",
    contact_stiffness: float = 1.0e6,
    stiffening_depth: float = np.inf,
) -> ElectrodeModel:
    """Two blocks with one broken interface; the upper one is pressed down and pulled sideways."""
    mesh = mesh_of(
        comm,
        *grid(12, 8, 6.0, 4.0),
        None if owner == "default" else np.repeat([0, 1], 96).astype(np.int32),
    )
    where = domain.from_arrays(
        mesh, (midpoints(mesh)[:, 1] > 2.0).astype(np.int32), ["alpha", "alpha"], sides(6.0, 4.0)
    )
    loads = [
        Support("bottom", 0),
        Support("bottom", 1),
        Support("top", 0, "pull"),
        Support("top", 1, "press"),
    ]
    contact = {"contact_stiffness": contact_stiffness, "contact_stiffening_depth": stiffening_depth}
    weak = law(1.0e-3, 1.0e-6, stiffness=1.0e3, friction=FRICTION, **contact)
    return ElectrodeModel(where, {"alpha": SOLID}, {"alpha|alpha": weak}, loads, 333.15)


@pytest.mark.parallel(partition="owner")
@pytest.mark.parametrize("owner", ["default", "seam"])
def test_sliding_hands_over_to_search_and_keeps_pressure_and_friction(
    comm: MPI.Intracomm, owner: str
) -> None:
    model = slider(comm, owner)
    solver = NewtonSolver(model, SETTINGS)
    model.control("press").value = -0.01
    solved_step(model, solver, 1.0)
    first = reaction(model, "top", 0, 1)
    assert first < -10.0
    forces = []
    for number in range(1, 13):
        model.control("pull").value = 0.05 * number
        solved_step(model, solver, 1.0)
        forces.append((reaction(model, "top", 0, 0), reaction(model, "top", 0, 1)))
    share = model.facet_constants.values(model.state.paired)
    assert model.comm.allreduce(float(np.sum(share))) == 0.0
    along, down = forces[-1]
    # The block now stands 0.6 of 6 µm beyond its base; the pressure on the rest carries the same height.
    assert down == pytest.approx(first, rel=0.12)
    # A point that comes to a grain has no pressure to rub with in its first step: now and then one in fifty is missing.
    rubbing = [-along / down for along, down in forces[-4:]]
    assert np.mean(rubbing) == pytest.approx(FRICTION, rel=0.005)
    assert min(rubbing) > 0.97 * FRICTION
    assert reaction(model, "bottom", 0, 0) == pytest.approx(-along, rel=1e-8)
    assert reaction(model, "bottom", 0, 1) == pytest.approx(-down, rel=1e-8)


@pytest.mark.parametrize(("paired", "pressure"), [(0.5, 5000.0), (0.0, 0.0)])
def test_only_contact_on_its_way_to_search_brings_its_pressure(paired: float, pressure: float) -> None:
    """The blocks overlap by 60 nm, far more than contact is pressed in: handed over in part, or met again."""
    model = slider(MPI.COMM_SELF)
    contact, values = model.surface_contact, model.facet_constants
    assert contact is not None
    for field, value in ((model.state.released, 1.0), (model.state.paired, paired)):
        values.set_values(field, np.full_like(values.values(field), value))
    set_displacement(model, lambda x: np.stack([np.full_like(x[0], 0.2), np.full_like(x[0], -0.06)]), grain=1)
    model.commit()
    for field, value in ((model.state.released, 1.0), (model.state.paired, paired)):
        values.set_values(field, np.full_like(values.values(field), value))
    model.prepare_step(1.0)
    assert contact.pairs is not None and set(contact.pairs.slot) == {1}
    np.testing.assert_allclose(contact.pairs.gap, -0.06, atol=1e-9)
    np.testing.assert_allclose(contact.pairs.pressure(contact.pairs.gap), pressure, atol=1e-6)


@pytest.mark.parametrize("stiffening_depth", [np.inf, 2.0e-5])
def test_the_tangent_is_the_derivative_of_the_forces(stiffening_depth: float) -> None:
    model = slider(MPI.COMM_SELF, stiffening_depth=stiffening_depth)
    solver = NewtonSolver(model, SETTINGS)
    model.control("press").value = -0.01
    solved_step(model, solver, 1.0)
    for number in range(1, 6):
        model.control("pull").value = 0.1 * number
        solved_step(model, solver, 1.0)
    contact = model.surface_contact
    assert contact is not None
    model.prepare_step(1.0)
    rng = np.random.default_rng(3)
    unknowns = model.state.unknowns.x.array
    unknowns += 1e-5 * rng.standard_normal(len(unknowns))
    direction = rng.standard_normal(len(unknowns))
    rows, columns, values = contact.stiffness()
    expected = np.zeros(len(unknowns))
    np.add.at(expected, rows, values * direction[columns])

    difference = searched_forces_along(model, direction, 1e-9)
    assert np.linalg.norm(expected) > 1.0
    assert np.linalg.norm(difference - expected) < 1e-5 * np.linalg.norm(expected)


def test_a_facet_keeps_its_partner_until_it_is_broken_and_has_moved() -> None:
    length = np.ones(5)
    opening = np.array([0.0, FADE_BEGINS, 0.5 * (FADE_BEGINS + FADE_ENDS), FADE_ENDS, 10.0])
    np.testing.assert_allclose(paired_share(opening, length, np.ones(5)), [1.0, 1.0, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(paired_share(opening, length, np.zeros(5)), np.ones(5))
    assert np.all(np.diff(paired_share(opening, length, np.full(5, 0.5))) <= 0.0)
    np.testing.assert_allclose(
        released_share(np.array([0.0, 0.9, 0.945, 0.99, 1.0])), [0.0, 0.0, 0.5, 1.0, 1.0]
    )


def test_a_solver_that_forgets_keeps_no_room_for_contacts() -> None:
    """Entries of contacts long gone change the order of elimination, and with it the last bits of all that follows."""
    model = hertz(MPI.COMM_SELF, 0.4)
    solver = NewtonSolver(model, SETTINGS)

    def entries() -> int:
        return round(solver.matrix.getInfo()["nz_used"])

    model.control("press").value = -0.03
    solved_step(model, solver, 1.0)
    touching = entries()
    solver.forget()
    assert entries() < touching, "room for contacts is kept"
    solved_step(model, solver, 1.0)
    assert entries() == touching
