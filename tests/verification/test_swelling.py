"""Known answers 5 and 6: free swelling, the confined column, and rotation of a swollen, flowed body."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI
from scipy.spatial.transform import Rotation

from fem.loads import Load, Prescribed, Support
from fem.materials.base import Material, OverstressFlow
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import at_points, integral, positions, residual, set_displacement
from tests.small import (
    Array,
    box,
    faces,
    grid,
    host,
    law,
    mesh_of,
    midpoints,
    model_on,
    overstress,
    sides,
    solved_step,
)

CAPACITY, YOUNG = 311.1, 55e3
START = 0.01
EXACT = SolverSettings(
    force_tolerance=1e-8, lithium_tolerance=1e-12, potential_tolerance=1e-10, largest_update=10.0
)


class Filling:
    """Prescribes one lithiation everywhere; it can be changed between steps."""

    def __init__(self) -> None:
        self.lithiation = START
        self.load = Prescribed(None, 1, lambda x: np.full(x.shape[1], self.lithiation * CAPACITY))


def fill(model: ElectrodeModel, filling: Filling, until: float, steps: int, dt: float = 1.0) -> None:
    solver = NewtonSolver(model, EXACT)
    for value in np.linspace(filling.lithiation, until, steps + 1)[1:]:
        filling.lithiation = float(value)
        solved_step(model, solver, dt)


def swelling(ratio: float, flow: OverstressFlow | None) -> Material:
    """A host that reaches a volume ratio at x = 1 and softens on the way."""
    return host(
        youngs_modulus=YOUNG,
        modulus_slope=-36e3,
        poisson_ratio=0.26,
        swelling=(ratio - 1.0) / (1.0 - START),
        capacity=CAPACITY,
        flow=flow,
    )


def cube(comm: MPI.Intracomm, loads: list[Load], flow: bool = False, ratio: float = 3.8) -> ElectrodeModel:
    """Cube of 2 µm that reaches the volume ratio ``ratio`` at x = 1."""
    material = swelling(ratio, overstress(0.0, 0.0, 100.0, 1.0, 2.0) if flow else None)
    return model_on(mesh_of(comm, *box(1, 2.0)), faces(2.0), [material], loads, start=START)


def square(comm: MPI.Intracomm, loads: list[Load], flow: bool = False, ratio: float = 3.8) -> ElectrodeModel:
    """Square of 2 µm that reaches the area ratio ``ratio`` at x = 1."""
    # Threshold zero and exponent one: all shear stress relaxes.
    material = swelling(ratio, overstress(0.0, 0.0, 1.0, 1.0, 1.0) if flow else None)
    return model_on(mesh_of(comm, *grid(2, 2, 2.0, 2.0)), sides(2.0, 2.0), [material], loads, start=START)


def largest_stress(model: ElectrodeModel) -> float:
    values = at_points(model, model.bulk.kirchhoff)
    return float(model.comm.allreduce(np.max(np.abs(values), initial=0.0), op=MPI.MAX))


@pytest.mark.parallel
@pytest.mark.parametrize(("ratio", "stretch"), [(3.8, 1.56049), (1.132, 1.04219)])
def test_free_swelling_in_3d(comm: MPI.Intracomm, ratio: float, stretch: float) -> None:
    filling = Filling()
    model = cube(
        comm, [Support("left", 0), Support("front", 1), Support("bottom", 2), filling.load], ratio=ratio
    )
    fill(model, filling, 1.0, 10)
    deformation = at_points(model, model.bulk.deformation)
    np.testing.assert_allclose(
        deformation, np.broadcast_to(np.eye(3) * stretch, deformation.shape), atol=6e-6
    )
    np.testing.assert_allclose(
        deformation, np.broadcast_to(np.eye(3) * ratio ** (1.0 / 3.0), deformation.shape), atol=1e-12
    )
    assert largest_stress(model) < 1e-10 * YOUNG


@pytest.mark.parallel
def test_free_swelling_in_2d(comm: MPI.Intracomm) -> None:
    filling = Filling()
    model = square(comm, [Support("left", 0), Support("bottom", 1), filling.load])
    fill(model, filling, 1.0, 10)
    area = integral(model, model.bulk.deformation[0, 0] * model.bulk.deformation[1, 1]) / 4.0
    assert area == pytest.approx(3.8, rel=1e-12)
    assert largest_stress(model) < 1e-10 * YOUNG


@pytest.mark.parallel
def test_confined_column_thickens_by_the_volume_ratio(comm: MPI.Intracomm) -> None:
    filling = Filling()
    model = square(
        comm, [Support("left", 0), Support("right", 0), Support("bottom", 1), filling.load], flow=True
    )
    fill(model, filling, 1.0, 28, dt=10.0)
    fill(model, filling, 1.0, 2, dt=10.0)
    stretch = at_points(model, model.bulk.deformation)
    np.testing.assert_allclose(stretch[..., 0, 0], 1.0, atol=1e-12)
    np.testing.assert_allclose(stretch[..., 1, 1], 3.8, rtol=1e-8)
    # It got there by flow: the plastic stretch is large, and flow kept the volume.
    plastic = plastic_inverse(model)
    assert np.all(plastic[:, 0, 0] > 1.5) if len(plastic) else True
    np.testing.assert_allclose(np.linalg.det(plastic), 1.0, atol=1e-10)


def plastic_inverse(model: ElectrodeModel) -> Array:
    """Cp⁻¹ at the quadrature points, shape (points, 3, 3)."""
    if model.domain.dimension == 2:
        a = model.state.plastic_inverse.x.array.reshape(-1, 4)
        o = np.zeros(len(a))
        rows = [[a[:, 0], a[:, 3], o], [a[:, 3], a[:, 1], o], [o, o, a[:, 2]]]
    else:
        a = model.state.plastic_inverse.x.array.reshape(-1, 6)
        rows = [[a[:, 0], a[:, 3], a[:, 4]], [a[:, 3], a[:, 1], a[:, 5]], [a[:, 4], a[:, 5], a[:, 2]]]
    return np.moveaxis(np.array(rows), 2, 0)


def swollen_and_flowed_cube(comm: MPI.Intracomm) -> ElectrodeModel:
    """A cube clamped below, confined at the sides, sheared at its top, that swells and flows."""
    filling = Filling()
    loads: list[Load] = [Support("bottom", i) for i in range(3)]
    loads += [Support("top", 0, "shear"), Support("top", 1), filling.load]
    model = cube(comm, loads, flow=True)
    solver = NewtonSolver(model, EXACT)
    for number in range(1, 16):
        filling.lithiation = START + 0.02 * number
        model.control("shear").value = 0.04 * number
        solved_step(model, solver, 10.0)
    return model


@pytest.mark.parallel
def test_flow_keeps_the_plastic_volume(comm: MPI.Intracomm) -> None:
    model = swollen_and_flowed_cube(comm)
    plastic = plastic_inverse(model)
    np.testing.assert_allclose(np.linalg.det(plastic), 1.0, atol=1e-10)
    accumulated = model.comm.allreduce(np.max(model.state.accumulated.x.array, initial=0.0), op=MPI.MAX)
    assert accumulated > 0.2
    determinant = np.linalg.det(at_points(model, model.bulk.deformation))
    assert model.comm.allreduce(np.min(determinant, initial=np.inf), op=MPI.MIN) > 0.5


@pytest.mark.parallel
def test_rotation_leaves_the_corotated_stress(comm: MPI.Intracomm) -> None:
    model = swollen_and_flowed_cube(comm)
    expressions = (model.bulk.kirchhoff, model.bulk.nominal_stress, model.bulk.mechanical_potential)
    force = residual(model)[model.state.dofs.displacement].reshape(-1, 3)
    before = [at_points(model, expression) for expression in expressions]
    scale = model.comm.allreduce(np.max(np.abs(before[0]), initial=0.0), op=MPI.MAX)
    assert scale > 10.0
    turn = Rotation.from_rotvec([0.9, -1.4, 0.6]).as_matrix()
    rotate_about_origin(model, turn)
    turned = residual(model)[model.state.dofs.displacement].reshape(-1, 3)
    after = [at_points(model, expression) for expression in expressions]
    np.testing.assert_allclose(after[0], turn @ before[0] @ turn.T, atol=1e-10 * YOUNG)
    np.testing.assert_allclose(after[1], turn @ before[1], atol=1e-10 * YOUNG)
    np.testing.assert_allclose(after[2], before[2], atol=1e-10)
    np.testing.assert_allclose(turned, force @ turn.T, atol=1e-10 * YOUNG)


def rotate_about_origin(model: ElectrodeModel, turn: Array) -> None:
    """Turn the deformed body: u → R (X + u) - X at every node."""
    dofs = model.state.dofs.displacement
    nodes = positions(model, 0)[dofs].reshape(-1, model.domain.dimension)
    moved = model.state.unknowns.x.array[dofs].reshape(nodes.shape)
    model.state.unknowns.x.array[dofs] = ((nodes + moved) @ turn.T - nodes).ravel()


@pytest.mark.parallel
def test_rotation_turns_interface_tractions(comm: MPI.Intracomm) -> None:
    mesh = mesh_of(comm, *grid(2, 2, 2.0, 2.0))
    grain = (midpoints(mesh)[:, 1] > 1.0).astype(np.int32)
    model = model_on(
        mesh,
        sides(2.0, 2.0),
        [host("alpha", youngs_modulus=15e3), host("beta", youngs_modulus=90e3)],
        grain=grain,
        phases=["alpha", "beta"],
        laws={"alpha|beta": law(shear_ratio=0.7)},
    )
    # A wavy opening with slip, partly beyond the onset of 1e-4 µm, partly closed.
    set_displacement(model, lambda x: np.stack([4e-4 * x[1], 2e-4 * (x[0] - 0.7)]), grain=1)
    force = residual(model)[model.state.dofs.displacement].reshape(-1, 2)
    assert model.comm.allreduce(np.max(np.abs(force), initial=0.0), op=MPI.MAX) > 1.0
    angle = 2.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rotate_about_origin(model, turn)
    turned = residual(model)[model.state.dofs.displacement].reshape(-1, 2)
    np.testing.assert_allclose(turned, force @ turn.T, atol=1e-9)
