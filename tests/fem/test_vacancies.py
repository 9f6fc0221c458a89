"""Grains of metal that have been emptied: what volume they keep, what they carry, and that one energy gives it all."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import kinematics
from fem.energy import flow_power
from fem.materials.base import Elasticity, Material, Reservoir
from fem.materials.vacancies import site
from fem.model import ElectrodeModel
from tests.fem.test_constitutive import change
from tests.readings import at_points, integral, positions, set_displacement
from tests.small import Array, grid, mesh_of, model_on, overstress, p, sides

FULL, LEAST = 76.9, 0.15


@pytest.fixture(scope="module")
def model() -> ElectrodeModel:
    metal = Material(
        "lithium",
        Elasticity(p(7810.0), p(0.0), p(0.38)),
        overstress(0.0, 0.0, 50.0, 1e-3, 3.0),
        lithium=Reservoir(p(FULL), p(0.02), p(10.0), p(LEAST)),
        hessian_length=p(0.05),
    )
    return model_on(mesh_of(MPI.COMM_SELF, *grid(2, 2, 1.0, 1.0)), sides(1.0, 1.0), [metal], start=1.0)


def value(expression: object) -> float:
    return float(expression(()))  # type: ignore[operator]


def fill(model: ElectrodeModel, content: float | Array) -> None:
    model.state.unknowns.x.array[model.state.dofs.concentration] = FULL * np.asarray(content)


def stretch(model: ElectrodeModel, volume: float, strain: float = 0.0) -> None:
    """In-plane area ratio ``volume``, and a little shape change on top."""
    length = np.sqrt(volume)
    model.state.plastic_inverse.x.array.reshape(-1, 4)[:] = (1.0, 1.0, 1.0, 0.0)
    set_displacement(
        model,
        lambda x: np.stack(
            [(length * (1.0 + strain) - 1.0) * x[0] + length * strain * x[1], (length - 1.0) * x[1]]
        ),
    )


@pytest.mark.parametrize("content", [0.02, 0.1199, 0.13, 0.15, 0.17, 0.1801, 0.5, 1.0])
def test_site_of_a_content(content: float) -> None:
    h = 1e-6
    here, above, below = (site(ufl.as_ufl(content + change), ufl.as_ufl(LEAST)) for change in (0.0, h, -h))
    volume = value(here.volume)
    assert volume >= max(content, LEAST)
    if content > 0.18:
        assert volume == pytest.approx(content, rel=1e-12)
    if content < 0.12:
        assert volume == pytest.approx(LEAST, rel=1e-12)
    assert value(here.filled) * volume == pytest.approx(content, rel=1e-12)
    assert value(here.carrying) == pytest.approx((content / volume) ** 2, rel=1e-12)
    for rate, of in (("volume_rate", "volume"), ("carrying_rate", "carrying")):
        slope = (value(getattr(above, of)) - value(getattr(below, of))) / (2.0 * h)
        assert value(getattr(here, rate)) == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_an_emptied_grain_is_free_of_stress_at_its_least_volume(model: ElectrodeModel) -> None:
    start = model.state.snapshot()
    try:
        for content, volume in ((0.6, 0.6), (0.05, LEAST)):
            fill(model, content)
            stretch(model, volume)
            assert np.max(np.abs(at_points(model, model.bulk.kirchhoff))) < 1e-10 * 7810.0
    finally:
        model.state.restore(start)


def test_an_emptied_grain_carries_what_its_walls_do(model: ElectrodeModel) -> None:
    """At the same strain a third of the metal carries a ninth of the stress, and flows as dense metal does."""
    start = model.state.snapshot()
    found = []
    try:
        for content, volume in ((0.6, 0.6), (0.05, LEAST)):
            fill(model, content)
            stretch(model, volume, 0.01)
            model.prepare_step(0.02)
            assert model.update_flow()
            flow = float(np.mean(model.state.increment.x.array))
            assert flow > 1e-5
            found.append((at_points(model, model.bulk.kirchhoff), flow))
            model.state.increment.x.array[:] = 0.0
        (dense, flow), (empty, empty_flow) = found
        assert empty_flow == pytest.approx(flow, rel=1e-12)
        np.testing.assert_allclose(empty, dense / 9.0, atol=1e-9 * np.max(np.abs(dense)))
    finally:
        model.state.restore(start)


def test_stress_and_potential_are_derivatives_of_the_energy(model: ElectrodeModel) -> None:
    """Contents below the transition and within it, uneven deformation, plastic flow behind it."""
    start = model.state.snapshot()
    try:
        dofs, values = model.state.dofs, model.state.unknowns.x.array
        x = positions(model, 1)[0, dofs.concentration]
        fill(model, 0.1 + 0.075 * x**2)
        set_displacement(
            model,
            lambda x: np.stack(
                [-0.61 * x[0] + 0.005 * np.sin(x[1]), -0.6 * x[1] + 0.005 * np.cos(2.0 * x[0])]
            ),
        )
        model.state.plastic_inverse.x.array.reshape(-1, 4)[:] = (1.04, 1.0 / 1.04, 1.0, 0.0)
        rng = np.random.default_rng(3)
        test = type(model.state.unknowns)(model.state.space)
        direction = np.zeros_like(values)
        direction[dofs.displacement] = rng.standard_normal(len(dofs.displacement))
        test.x.array[:] = direction
        virtual = kinematics.embedded_gradient(ufl.split(test)[0], 2)
        folds = ufl.inner(model.bulk.double_stress, ufl.grad(ufl.grad(ufl.split(test)[0])))
        assert abs(integral(model, folds)) > 0.1
        expected = integral(model, ufl.inner(model.bulk.nominal_stress, virtual) + folds)
        assert abs(expected) > 0.1
        assert change(model, model.bulk.elastic_energy, direction, 1e-6) == pytest.approx(expected, rel=1e-6)
        direction[:] = 0.0
        direction[dofs.concentration] = rng.random(len(dofs.concentration))
        test.x.array[:] = direction
        expected = integral(model, model.bulk.mechanical_potential * ufl.split(test)[1])
        assert abs(expected) > 1e-3
        assert change(model, model.bulk.elastic_energy, direction, 1e-3) == pytest.approx(expected, rel=1e-5)
    finally:
        model.state.restore(start)


def test_flow_of_an_emptied_grain_dissipates_what_the_energy_loses(model: ElectrodeModel) -> None:
    start = model.state.snapshot()
    errors = []
    try:
        for dt in (0.02, 0.01):
            model.state.restore(start)
            fill(model, 0.05)
            stretch(model, LEAST, 0.01)
            before = integral(model, model.bulk.elastic_energy)
            power = integral(model, flow_power(model.bulk, 0.0))
            model.prepare_step(dt)
            assert model.update_flow()
            strain = float(np.mean(model.state.increment.x.array))
            model.commit()
            lost = before - integral(model, model.bulk.elastic_energy)
            errors.append(abs(lost / (power * strain) - 1.0))
        # What is left is of first order in the step.
        assert errors[0] < 0.1 and 0.4 < errors[1] / errors[0] < 0.65, errors
    finally:
        model.state.restore(start)
