"""Grains that come to a side from within meet it: pressure, balance, energy, tangent, mirror, ranks, fillings, peel.

A loose body is pushed by a dead pressure p across the filling of a pore, which holds next to nothing, to the side
behind it. What it meets there is its mirror image: with a contact stiffness k the two overlap by p / k.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import balances, compat, domain
from fem.adhesion import Pull, pull
from fem.energy import InterfaceEnergy
from fem.errors import MeshError
from fem.gaps import Gaps
from fem.interfaces.law import InterfaceLaw, kind_name
from fem.loads import Load, Mirror, Pressure, Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.section import section_above
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import integral, residual, set_displacement, tangent_along
from tests.small import Array, box, faces, grid, law, mesh_of, midpoints, p, sides, solved_step

STIFFNESS, PUSH = 2.0e5, 100.0
SETTINGS = SolverSettings(force_tolerance=1e-10, displacement_tolerance=1e-10, maximum_iterations=40)
BODY = Material("alpha", Elasticity(p(1.0e4), p(0.0), p(0.3)))
#: The filling by names on either side of the body's: the first of the two is '+' at their boundary.
FILLINGS = {
    name: Material(name, Elasticity(p(1.0e-6), p(0.0), p(0.2)), solid=False) for name in ("pore", "air")
}
MATERIALS = {"alpha": BODY, **FILLINGS}
#: Solids share the stiffness; fillings are tied so loosely that a body can leave them.
SOLIDS = law(None, None, stiffness=STIFFNESS, contact_stiffness=STIFFNESS)
LAWS = {"alpha|alpha": SOLIDS} | {
    kind_name("alpha", name): law(None, None, stiffness=1.0e-6, contact_stiffness=1.0e-6) for name in FILLINGS
}


def built(
    mesh: Any,
    grain: Array,
    phases: list[str],
    boundaries: Any,
    loads: list[Load],
    solids: InterfaceLaw = SOLIDS,
) -> ElectrodeModel:
    where = domain.from_arrays(mesh, grain.astype(np.int32), phases, boundaries)
    return ElectrodeModel(where, MATERIALS, LAWS | {"alpha|alpha": solids}, loads, 333.15)


def loose(
    comm: MPI.Intracomm,
    tilt: float = 0.0,
    mirrored: bool = False,
    swapped: bool = False,
    owner: str = "default",
    solids: InterfaceLaw = SOLIDS,
) -> ElectrodeModel:
    """Two grains on a smooth floor, 3 × 1 µm together, beside a filling of 1 µm that reaches to the side.

    Args:
        comm: Ranks.
        tilt: By how many µm the upper end of the faces inside lies closer to the side than the lower one.
        mirrored: Whether that is the left side instead of the right one.
        swapped: Whether '+' and '-' change places at all boundaries, by the names and the numbers of the grains.
        owner: ``"default"``, or ``"seam"`` for a partition that cuts along the boundaries of the grains.
        solids: Law between the grains.
    """
    points, cells = grid(8, 2, 4.0, 1.0)
    column = points[cells].mean(axis=1)[:, 0]
    points[:, 0] += tilt * (points[:, 1] - 0.5) * np.minimum(points[:, 0], 4.0 - points[:, 0])
    if mirrored:
        points[:, 0] = 4.0 - points[:, 0]
    ranks = None if owner == "default" else (np.floor(column) % 2).astype(np.int32)
    mesh = mesh_of(comm, points, cells, ranks)
    number = np.searchsorted([1.5, 3.0], column)[mesh.topology.original_cell_index]
    near, far = ("right", "left") if mirrored else ("left", "right")
    phases = ["alpha", "alpha", "pore"]
    if swapped:
        number, phases = 2 - number, ["air", "alpha", "alpha"]
    loads = [Support("bottom", 1), Support(far, 0), Mirror(far, 0), Pressure(near)]
    model = built(mesh, number, phases, sides(4.0, 1.0), loads, solids)
    for body in np.flatnonzero(np.array(phases) == "alpha"):
        sign = -1.0 if mirrored else 1.0
        set_displacement(model, lambda x, s=sign: np.stack([s * 1.0001 + 0.0 * x[0], 0.0 * x[0]]), body)
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    model.control("pressure").value = PUSH
    return model


def side_forces(model: ElectrodeModel, grain: int | None = None) -> Array:
    """Force on the bodies (on one grain) from the sides in MPa·µm, by component; collective."""
    contact = model.side_contact
    assert contact is not None
    test = balances.split(ufl.TestFunction(model.state.space)).displacement
    target = dfem.Function(model.state.space)
    compat.assemble_vector(target, dfem.form(contact.work(model.fields.displacement, test)))
    cells = slice(None) if grain is None else model.domain.cell_grain == grain
    total = []
    for dofs in np.moveaxis(np.asarray(model.state.dofs.cell_displacement)[cells], -1, 0):
        dofs = np.unique(dofs)
        total.append(-np.sum(target.x.array[dofs[dofs < model.state.dofs.owned]]))
    return np.array([model.comm.allreduce(float(value)) for value in total])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("stiffening_depth", [np.inf, 2.0 * PUSH / STIFFNESS])
def test_a_loose_body_is_held_by_the_side(mirrored: bool, stiffening_depth: float) -> None:
    solids = replace(SOLIDS, contact_stiffening_depth=p(stiffening_depth))
    model = loose(MPI.COMM_SELF, mirrored=mirrored, solids=solids)
    model.prepare_step(1.0)
    assert NewtonSolver(model, SETTINGS).solve().converged
    # As much as it is pushed, against the push, and nothing along the side.
    inwards = 1.0 if mirrored else -1.0
    np.testing.assert_allclose(side_forces(model), [inwards * PUSH, 0.0], rtol=1e-8, atol=1e-8)
    ratio = 2.0 * PUSH / STIFFNESS / stiffening_depth
    overlap = 2.0 * PUSH / STIFFNESS / (1.0 + np.sqrt(1.0 + 2.0 * ratio))
    assert Gaps(model).maxima(model.state.unknowns.x.array)["penetration"] == pytest.approx(overlap, rel=1e-6)
    assert model.side_contact is not None
    assert model.side_contact.penetration(model.state.unknowns.x.array) == pytest.approx(overlap, rel=1e-6)
    # Half of the energy of a contact with the image, and all of that between the two grains.
    stored = InterfaceEnergy(model).sums()["interface_energy"]
    energy = STIFFNESS * overlap**2 * (0.5 + overlap / stiffening_depth / 3.0)
    assert stored == pytest.approx(1.5 * energy, rel=1e-5)


def answer(model: ElectrodeModel, mirrored: bool = False) -> Array:
    """What a tilted body does when it is pushed, along and across."""
    solved_step(model, NewtonSolver(model, SETTINGS), 1.0)
    u, x = model.fields.displacement, ufl.SpatialCoordinate(model.domain.mesh)
    sign = -1.0 if mirrored else 1.0
    assert model.side_contact is not None
    reach = model.side_contact.penetration(model.state.unknowns.x.array)
    return np.array(
        [
            integral(model, sign * u[0]),
            integral(model, u[1]),
            integral(model, sign * u[0] * x[1]),
            integral(model, model.bulk.elastic_energy),
            model.comm.allreduce(reach, op=MPI.MAX),
            -sign * side_forces(model)[0],
        ]
    )


@pytest.fixture(scope="module")
def reference() -> Array:
    found = answer(loose(MPI.COMM_SELF, 0.2))
    # Its upper corner alone meets the side: it is felt, by the sixth of its facet that belongs to it, as soon as it is
    # over, and not only when the points inside the facet are.
    assert found[4] == pytest.approx(6.0 * PUSH / (STIFFNESS * np.hypot(0.5, 0.1)), rel=1e-3)
    assert found[5] == pytest.approx(PUSH, rel=1e-8)
    return found


@pytest.mark.parallel
@pytest.mark.parametrize(
    "change",
    [{}, {"owner": "seam"}, {"mirrored": True}, {"swapped": True}, {"mirrored": True, "swapped": True}],
    ids=["ranks", "seam", "mirror", "swapped", "both"],
)
def test_nothing_changes(comm: MPI.Intracomm, reference: Array, change: dict[str, Any]) -> None:
    found = answer(loose(comm, 0.2, **change), change.get("mirrored", False))
    np.testing.assert_allclose(found, reference, rtol=1e-9)


@pytest.mark.parametrize("mirrored", [False, True])
def test_jacobian_against_finite_differences(mirrored: bool) -> None:
    model = loose(MPI.COMM_SELF, 0.2, mirrored)
    model.prepare_step(1.0)
    values, rng = model.state.unknowns.x.array, np.random.default_rng(4)
    # Far enough that points lie on both sides of the plane, none of them at it.
    base = values.copy()
    base += 1.0e-3 * rng.standard_normal(len(base))
    direction = rng.standard_normal(len(base))
    values[:] = base
    assert 10.0 < abs(side_forces(model)[0]) < 1.0e5
    predicted = tangent_along(model, direction)
    errors = []
    for size in (1e-6, 1e-7, 1e-8):
        above, below = base + size * direction, base - size * direction
        values[:] = above
        difference = residual(model)
        values[:] = below
        difference = (difference - residual(model)) / (2.0 * size)
        errors.append(np.linalg.norm(difference - predicted) / np.linalg.norm(predicted))
    assert min(errors) < 1e-6


def test_fillings_and_what_stays_within_meet_nothing() -> None:
    model = loose(MPI.COMM_SELF)
    for body in (0, 1):
        set_displacement(model, lambda x: np.stack([0.9999 + 0.0 * x[0], 0.0 * x[0]]), body)
    set_displacement(model, lambda x: np.stack([1.5 + 0.0 * x[0], 0.0 * x[0]]), 2)
    assert np.all(side_forces(model) == 0.0)
    assert model.side_contact is not None
    assert model.side_contact.penetration(model.state.unknowns.x.array) == 0.0
    # Only what lies ahead counts: far beyond the other side there is no plane.
    set_displacement(model, lambda x: np.stack([-9.0 + 0.0 * x[0], 0.0 * x[0]]), 1)
    assert np.all(side_forces(model) == 0.0)


def test_without_a_mirror_nothing_is_compiled() -> None:
    mesh = mesh_of(MPI.COMM_SELF, *grid(4, 1, 4.0, 1.0))
    grain = midpoints(mesh)[:, 0] > 2.0
    model = built(mesh, grain, ["alpha", "pore"], sides(4.0, 1.0), [Support("right", 0)])
    assert model.side_contact is None


@pytest.mark.parallel
def test_a_block_is_held_by_the_back_of_a_solid(comm: MPI.Intracomm) -> None:
    mesh = mesh_of(comm, *box(3, 3.0))
    grain = np.floor(midpoints(mesh)[:, 1])
    loads = [
        Support("bottom", 2),
        Support("left", 0),
        Support("back", 1),
        Mirror("back", 1),
        Pressure("front"),
    ]
    model = built(mesh, grain, ["alpha", "alpha", "pore"], faces(3.0), loads)
    for body in (0, 1):
        set_displacement(model, lambda x: np.stack([0.0 * x[0], 1.0001 + 0.0 * x[0], 0.0 * x[0]]), body)
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    model.control("pressure").value = PUSH
    model.prepare_step(1.0)
    assert NewtonSolver(model, SETTINGS).solve().converged
    np.testing.assert_allclose(side_forces(model), [0.0, -9.0 * PUSH, 0.0], rtol=1e-8, atol=1e-7)
    assert model.side_contact is not None
    reach = model.side_contact.penetration(model.state.unknowns.x.array)
    assert model.comm.allreduce(reach, op=MPI.MAX) == pytest.approx(PUSH / STIFFNESS, rel=1e-6)


def stack() -> ElectrodeModel:
    """Two grains one above the other with a bond that can break, and a filling between them and the left side."""
    mesh = mesh_of(MPI.COMM_SELF, *grid(4, 4, 4.0, 2.0))
    x, y = midpoints(mesh).T[:2]
    grain = np.where(x < 1.0, 2, np.where(y < 1.0, 0, 1)).astype(np.int32)
    where = domain.from_arrays(mesh, grain, ["alpha", "alpha", "pore"], sides(4.0, 2.0))
    bond = law(20.0, 0.31, stiffness=STIFFNESS, contact_stiffness=STIFFNESS)
    loads: list[Load] = [Support("bottom", 0), Support("bottom", 1)]
    for side in ("left", "right"):
        loads += [Support(side, 0), Mirror(side, 0)]
    laws = LAWS | {kind_name("alpha", "alpha"): bond}
    return ElectrodeModel(where, MATERIALS, laws, loads, 333.15)


@pytest.mark.parametrize("kind", ["peel", "pull-off"])
def test_a_peel_frees_the_left_side_above_its_section(kind: Any) -> None:
    model = stack()
    section = section_above(model, "base", np.array([True, False, True]))
    curve = pull(model, section, Pull(kind, farthest=1e-4, first=1e-4), SolverSettings())
    assert len(curve.rows) > 1
    for body in (0, 1):
        set_displacement(model, lambda x: np.stack([-1.001 + 0.0 * x[0], 0.0 * x[0]]), body)
    below, above = (side_forces(model, body)[0] for body in (0, 1))
    # A face of 1 µm, and at its corner the end of the facet of 1 µm between the two grains.
    held = 2.0 * STIFFNESS * 0.001 * (1.0 + 1.0 / 6.0)
    assert below == pytest.approx(held, rel=1e-9)
    assert above == pytest.approx(0.0 if kind == "peel" else held, rel=1e-9)


def test_a_side_that_is_not_flat_is_refused() -> None:
    points, cells = grid(4, 2, 4.0, 1.0)
    points[-1, 0] = 4.1
    mesh = mesh_of(MPI.COMM_SELF, points, cells)
    grain = midpoints(mesh)[:, 0] > 2.0
    where = sides(4.0, 1.0) | {"right": lambda x: x[0] > 3.9}
    with pytest.raises(MeshError, match="'right' is not a plane across x"):
        built(mesh, grain, ["alpha", "pore"], where, [Mirror("right", 0)])
    inner = sides(4.0, 1.0)
    del inner["right"]
    with pytest.raises(MeshError, match="no boundary 'right'"):
        built(mesh, grain, ["alpha", "pore"], inner, [Mirror("right", 0)])
