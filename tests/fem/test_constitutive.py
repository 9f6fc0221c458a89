"""The bulk law comes from one energy: stress and chemical potential are its derivatives, flow dissipates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import kinematics
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from tests.readings import at_points, integral, positions, set_displacement
from tests.small import Array, box, faces, grid, host, law, mesh_of, midpoints, model_on, overstress, p, sides

CAPACITY = 311.1


def strained(dimension: int) -> ElectrodeModel:
    """A body with a wavy deformation of some per cent, uneven lithium and plastic flow behind it."""
    material = host(
        youngs_modulus=55e3,
        modulus_slope=-36e3,
        poisson_ratio=0.26,
        swelling=(2.0, 0.5, 0.3),
        capacity=CAPACITY,
        flow=overstress(1e30, 0.0, 1.0, 1.0, 1.0),
    )
    if dimension == 2:
        model = model_on(
            mesh_of(MPI.COMM_SELF, *grid(2, 2, 1.0, 1.0)), sides(1.0, 1.0), [material], start=0.3
        )
    else:
        model = model_on(mesh_of(MPI.COMM_SELF, *box(1, 1.0)), faces(1.0), [material], start=0.3)
    set_displacement(
        model, lambda x: np.stack([0.03 * np.sin(x[i] + 0.4) * np.cos(x[i - 1]) for i in range(dimension)])
    )
    dofs = model.state.dofs.concentration
    model.state.unknowns.x.array[dofs] += 0.02 * CAPACITY * np.sin(3.0 * positions(model, 1)[0, dofs])
    plastic = model.state.plastic_inverse.x.array.reshape(-1, kinematics.symmetric_size(dimension))
    stretch = 1.04
    plastic[:, 0], plastic[:, 1], plastic[:, 2] = stretch, 1.0 / stretch, 1.0
    return model


def change(model: ElectrodeModel, expression: Any, direction: Array, h: float) -> float:
    """Central difference of an integral."""
    values = model.state.unknowns.x.array
    base = values.copy()
    values[:] = base + h * direction
    above = integral(model, expression)
    values[:] = base - h * direction
    below = integral(model, expression)
    values[:] = base
    return (above - below) / (2.0 * h)


@pytest.mark.parametrize("dimension", [2, 3])
def test_stress_and_potential_are_derivatives_of_the_energy(dimension: int) -> None:
    model = strained(dimension)
    bulk, dofs = model.bulk, model.state.dofs
    rng = np.random.default_rng(3)
    direction = np.zeros_like(model.state.unknowns.x.array)
    direction[dofs.displacement] = rng.standard_normal(len(dofs.displacement))
    test = type(model.state.unknowns)(model.state.space)
    test.x.array[:] = direction
    virtual = kinematics.embedded_gradient(ufl.split(test)[0], dimension)
    expected = integral(model, ufl.inner(bulk.nominal_stress, virtual))
    assert abs(expected) > 1.0
    assert change(model, bulk.elastic_energy, direction, 1e-5) == pytest.approx(expected, rel=1e-6)

    direction[:] = 0.0
    direction[dofs.concentration] = rng.random(len(dofs.concentration))
    test.x.array[:] = direction
    expected = integral(model, bulk.mechanical_potential * ufl.split(test)[1])
    assert abs(expected) > 1e-2
    assert change(model, bulk.elastic_energy, direction, 1e-3) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dimension", [2, 3])
def test_stress_of_a_filling_is_the_derivative_of_its_energy(dimension: int) -> None:
    """With the stiffness that closes it as large as the other one, and a third of the height gone."""
    pore = Material("pore", Elasticity(p(0.8), p(0.0), p(0.0)), closing_modulus=p(0.6), solid=False)
    if dimension == 2:
        mesh, boundaries = mesh_of(MPI.COMM_SELF, *grid(2, 2, 1.0, 1.0)), sides(1.0, 1.0)
    else:
        mesh, boundaries = mesh_of(MPI.COMM_SELF, *box(1, 1.0)), faces(1.0)
    below = (midpoints(mesh)[:, dimension - 1] < 0.5).astype(np.int32)
    model = model_on(
        mesh,
        boundaries,
        [host(), pore],
        grain=below,
        phases=["alpha", "pore"],
        laws={"alpha|pore": law(None, None)},
    )
    set_displacement(
        model,
        lambda x: np.stack(
            [*(0.05 * np.sin(x[i - 1]) for i in range(dimension - 1)), -0.35 * x[dimension - 1]]
        ),
    )
    direction = np.zeros_like(model.state.unknowns.x.array)
    dofs = model.state.dofs.displacement
    direction[dofs] = np.random.default_rng(4).standard_normal(len(dofs))
    test = type(model.state.unknowns)(model.state.space)
    test.x.array[:] = direction
    virtual = kinematics.embedded_gradient(ufl.split(test)[0], dimension)
    inside = model.coefficients["filling"]
    expected = integral(model, inside * ufl.inner(model.bulk.nominal_stress, virtual))
    assert abs(expected) > 0.1
    assert change(model, inside * model.bulk.elastic_energy, direction, 1e-6) == pytest.approx(
        expected, rel=1e-6
    )


@pytest.mark.parametrize("dimension", [2, 3])
def test_small_strains_obey_hooke(dimension: int) -> None:
    """The stiffness is Young's modulus and Poisson's ratio: 2 G ε + λ tr ε, and swelling is no stress."""
    material = host(youngs_modulus=7e3, poisson_ratio=0.3, swelling=0.3)
    if dimension == 2:
        model = model_on(mesh_of(MPI.COMM_SELF, *grid(1, 1, 1.0, 1.0)), sides(1.0, 1.0), [material])
    else:
        model = model_on(mesh_of(MPI.COMM_SELF, *box(1, 1.0)), faces(1.0), [material])
    strain = 1e-6 * np.array([[2.0, 0.7, -0.4], [0.7, -1.0, 0.5], [-0.4, 0.5, 1.5]])
    if dimension == 2:
        strain[2] = strain[:, 2] = 0.0
    inner = strain[:dimension, :dimension]
    set_displacement(model, lambda x: inner @ x[:dimension])
    shear, first = 7e3 / 2.6, 7e3 * 0.3 / (1.3 * 0.4)
    hooke = 2.0 * shear * strain + first * np.trace(strain) * np.eye(3)
    stress = at_points(model, model.bulk.kirchhoff)
    np.testing.assert_allclose(stress, np.broadcast_to(hooke, stress.shape), atol=1e-5 * np.abs(hooke).max())


def test_flow_lowers_the_energy_by_what_it_dissipates() -> None:
    """Held at a fixed shape, the energy falls by the stress times the flow strain (to first order in the step)."""
    material = host(youngs_modulus=7e3, poisson_ratio=0.3, flow=overstress(0.0, 0.0, 50.0, 1e-3, 3.0))
    model = model_on(mesh_of(MPI.COMM_SELF, *grid(1, 1, 1.0, 1.0)), sides(1.0, 1.0), [material])
    set_displacement(model, lambda x: np.stack([0.01 * x[0] + 0.004 * x[1], -0.008 * x[1]]))
    errors = []
    start = model.state.snapshot()
    for dt in (0.02, 0.01, 0.005):
        model.state.restore(start)
        before = integral(model, model.bulk.elastic_energy)
        stress = integral(model, model.bulk.equivalent_trial)
        model.prepare_step(dt)
        assert model.update_flow()
        strain = float(np.mean(model.state.increment.x.array))
        assert strain > 0.0
        model.commit()
        lost = before - integral(model, model.bulk.elastic_energy)
        assert lost > 0.0
        errors.append(abs(lost / (stress * strain) - 1.0))
    # What is left for short steps is of the order of the elastic strain, one per cent.
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.01
