"""Measurements on a state: known porosity, phases, spread, lithium and GITT; none leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from scipy.optimize import brentq

from fem.adhesion import unload
from fem.loads import Pressure, Support
from fem.materials.base import Elasticity, Material, Reservoir
from fem.measurements import MEASUREMENTS, front, gitt, lithium, phases, porosity, uniformity
from fem.measurements.integrals import shape
from fem.measurements.undisturbed import undisturbed
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from fem.units import FARADAY
from tests.readings import positions, set_displacement
from tests.small import (
    CURVE,
    TIGHT,
    Array,
    grid,
    host,
    law,
    mesh_of,
    midpoints,
    model_on,
    p,
    sides,
    solved_step,
)

WIDTH, HEIGHT = 2.0, 8.0
HELD = [Support("bottom", 0), Support("bottom", 1), Support("left", 0), Support("right", 0)]


def stack(
    names: list[str], materials: list[Material], columns: int = 2, rows: int = 8, **others: Any
) -> ElectrodeModel:
    """Layers of equal height, from below; loads and starts are passed on."""
    mesh = mesh_of(MPI.COMM_WORLD, *grid(columns, rows, WIDTH, HEIGHT))
    layer = (midpoints(mesh)[:, 1] / (HEIGHT / len(names))).astype(np.int32)
    laws = {f"{a}|{b}": law(None, None) for a in names for b in names if a <= b}
    return model_on(mesh, sides(WIDTH, HEIGHT), materials, grain=layer, phases=names, laws=laws, **others)


def filling() -> Material:
    return Material("pore", Elasticity(p(0.1), p(0.0), p(0.0)), solid=False)


def profile(model: ElectrodeModel, value: Callable[[Array], Array]) -> None:
    """Give all hosts a lithiation that depends on the height."""
    where = positions(model, 1)
    dofs = model.storing_dofs
    model.state.unknowns.x.array[dofs] = value(where[1, dofs]) * model.capacity_of_node[dofs]


@pytest.mark.parallel
def test_porosity_of_a_pressed_pore() -> None:
    model = stack(["graphite", "pore", "graphite", "graphite"], [host("graphite"), filling()])
    found = porosity.measure(model)
    assert found["porosity"] == pytest.approx(0.25, rel=1e-12)
    assert found["porosity_undeformed"] == pytest.approx(0.25, rel=1e-12)
    # The pore loses three quarters of its height, and everything above it sinks; the lowest grain lets go by 0.1 µm.
    set_displacement(model, lambda x: np.vstack([0.0 * x[0], 0.1 - 0.75 * (x[1] - 2.0)]), 1)
    for upper in (2, 3):
        set_displacement(model, lambda x: np.vstack([0.0 * x[0], -1.4 + 0.0 * x[1]]), upper)
    found = porosity.measure(model)
    assert found["thickness_um"] == pytest.approx(6.6, rel=1e-12)
    assert found["pore_volume_ratio"] == pytest.approx(0.25, rel=1e-12)
    assert found["porosity_of_pores"] == pytest.approx(0.5 / 6.6, rel=1e-12)
    assert found["porosity_of_void"] == pytest.approx(0.1 / 6.6, rel=1e-9)
    assert found["porosity"] == pytest.approx(0.6 / 6.6, rel=1e-9)


@pytest.mark.parallel
def test_phases_by_windows_and_by_the_lever() -> None:
    model = stack(["graphite", "silicon"], [host("graphite"), host("silicon", capacity=311.1)])
    profile(model, lambda y: np.where(y < 4.001, 0.248 * y, 1.0))
    found = phases.measure(model)
    # Lumped: rows of nodes at y = 0, 1, 2, 3, 4 with weights 1/8, 1/4, 1/4, 1/4, 1/8 and 0.248 y.
    assert found["graphite_share_LiC6"] == pytest.approx(0.125, rel=1e-9)
    assert found["graphite_share_LiC12"] == pytest.approx(0.5, rel=1e-9)
    assert found["graphite_share_LiC18"] == pytest.approx(0.0, abs=1e-12)
    assert found["graphite_share_dilute"] == pytest.approx(0.375, rel=1e-9)
    assert found["graphite_lever_LiC6"] == pytest.approx(0.25 * 0.488 + 0.125 * 0.984, rel=1e-9)
    assert found["graphite_lever_LiC12"] == pytest.approx(
        0.25 * (6.0 * 0.496 - 2.0) + 0.25 * (1.0 - 0.488) + 0.125 * (1.0 - 0.984), rel=1e-9
    )
    assert found["silicon_share_Li15Si4"] == pytest.approx(1.0, rel=1e-12)
    profile(model, lambda y: np.where(y < 4.001, 1.0 / 3.0, 0.94))
    found = phases.measure(model)
    assert found["graphite_share_LiC18"] == pytest.approx(1.0, rel=1e-12)
    assert found["silicon_share_Li15Si4"] == 0.0


@pytest.mark.parallel
def test_spread_and_depth_of_a_straight_profile() -> None:
    rows = 16
    model = stack(["graphite"], [host("graphite")], rows=rows)
    profile(model, lambda y: 0.2 + 0.6 * y / HEIGHT)
    found = uniformity.measure(model, 4)
    assert found["mean_lithiation"] == pytest.approx(0.5, rel=1e-12)
    # Lumping makes 0.6 √(1/12) a little larger: by 1 + 2 / rows² in the variance.
    assert found["standard_deviation"] == pytest.approx(
        0.6 / np.sqrt(12.0) * np.sqrt(1.0 + 2.0 / rows**2), rel=1e-9
    )
    assert found["mean_lithiation_graphite"] == found["mean_lithiation"]
    assert found["depth_layer_1_um"] == pytest.approx(1.0)
    assert found["mean_lithiation_layer_1"] > 0.7 > 0.3 > found["mean_lithiation_layer_4"]
    straight = front.measure(model, 4)
    # 0.2 at the foil and 0.8 on top; the fewest layers have 0.1 everywhere and 0.75 nowhere.
    reached = [straight[f"front_depth_{level}_um"] for level in (10, 25, 50, 75)]
    assert reached == pytest.approx([HEIGHT, HEIGHT, HEIGHT / 2.0, 0.0], abs=0.3)


@pytest.mark.parallel
def test_front_of_a_step() -> None:
    model = stack(["graphite"], [host("graphite")], rows=32)
    for place in (2.1, 6.1):
        for sign in (1.0, -1.0):
            profile(model, lambda y, s=sign, a=place: np.where(s * (HEIGHT - y - a) < 0.0, 0.9, 0.1))
            found = front.measure(model, 16)
            # From the face that is full, whichever it is.
            away = place if sign > 0.0 else HEIGHT - place
            assert found["front_depth_50_um"] == pytest.approx(away, abs=0.3)
            # A jump lies somewhere within the step from one layer to the next, of half a micrometre.
            for level in (25, 75):
                assert found[f"front_depth_{level}_um"] == pytest.approx(away, abs=0.55)
            assert found["front_depth_10_um"] == HEIGHT
            assert found["contrast"] == pytest.approx(0.8, rel=1e-9)


def test_the_front_is_that_of_one_host() -> None:
    """A layer of silicon that has not filled yet is no front: graphite on both sides of it is full."""
    hosts = [host("graphite"), host("silicon", capacity=20.0)]
    model = stack(["graphite", "silicon", "graphite"], hosts, rows=48)
    profile(model, lambda y: np.where((y < 1.3) | (np.abs(y - 4.0) < HEIGHT / 6.0), 0.1, 0.9))
    found = front.measure(model, 24)
    assert found["front_depth_50_um"] == pytest.approx(HEIGHT - 1.3, abs=0.3)
    assert found["contrast"] == pytest.approx(0.8, rel=1e-9)


@pytest.mark.parallel
def test_lithium_left_grain_by_grain() -> None:
    metal = Material(
        "lithium",
        Elasticity(p(7810.0), p(0.0), p(0.38)),
        lithium=Reservoir(p(76.9), p(0.02), p(10.0), p(0.15)),
    )
    names = ["lithium", "graphite", "lithium", "graphite"]
    model = stack(names, [host("graphite"), metal], start={"graphite": 0.1, "lithium": 1.0})
    left = {0: 0.05, 2: 1.0}
    dofs = model.state.dofs.cell_concentration
    for grain, share in left.items():
        model.state.unknowns.x.array[dofs[model.domain.cell_grain == grain]] = 76.9 * share
    set_displacement(model, lambda x: np.vstack([0.0 * x[0], 0.0 * x[1] + 0.05]), 1)
    for upper in (2, 3):
        set_displacement(model, lambda x: np.vstack([0.0 * x[0], 0.0 * x[1] + 0.15]), upper)
    found = lithium.measure(model)
    assert found["left_lithium/0"] == pytest.approx(0.05, rel=1e-12)
    assert found["left_lithium/2"] == pytest.approx(1.0, rel=1e-12)
    assert found["lithium_left"] == pytest.approx(0.525, rel=1e-12)
    assert found["lithium_consumed_fmol"] == pytest.approx(0.95 * 76.9 * 4.0, rel=1e-12)
    assert found["lithium_removed_um2"] == pytest.approx(0.95 * 4.0, rel=1e-12)
    # The site, still as large as it was, is a third of the least volume full.
    assert found["vacancies_um2"] == pytest.approx((1.0 - 0.05 / 0.15) * 4.0, rel=1e-12)
    assert porosity.measure(model)["porosity_of_vacancies"] > 0.0
    assert found["void_at_lithium_um2"] == pytest.approx(0.15 * WIDTH, rel=1e-9)


# ---------------------------------------------------------------------- side calculations


def test_gitt_of_a_uniform_slab() -> None:
    """A short pulse into one face gives the slab's own diffusion coefficient, whatever the drop at the face."""
    diffusivity = 0.07
    errors = []
    for steps in (20, 40):
        material = host("graphite", diffusivity=diffusivity)
        model = stack(["graphite"], [material], columns=1, rows=48, loads=HELD, start=0.3)
        settle(model)
        before = model.state.snapshot()
        found = gitt.measure(model, gitt.Pulse(1.0, 30.0, 4000.0, steps), TIGHT)
        assert all(np.array_equal(before.arrays[n], f.x.array) for n, f in model.state.functions().items())
        errors.append(abs(found["effective_diffusivity_um2_s"] / diffusivity - 1.0))
        # Charge over capacity times the slope of the curve.
        steady = -1.0 * 30.0 / FARADAY / (HEIGHT * 31.36) * CURVE.slope
        assert found["steady_change_V"] == pytest.approx(steady, rel=1e-6)
        assert found["pulse_over_diffusion_time"] < 0.05
        assert found["effective_diffusivity_cm2_s"] == found["effective_diffusivity_um2_s"] * 1e-8
    assert errors[0] < 0.03 and errors[1] < 0.015, errors


def settle(model: ElectrodeModel) -> None:
    solved_step(model, NewtonSolver(model, TIGHT), 1.0)


@pytest.mark.parallel
def test_unloading_of_an_elastic_column_is_exact() -> None:
    modulus, nu, pressure = 15e3, 0.3, 550.0
    material = host("graphite", youngs_modulus=modulus, poisson_ratio=nu)
    model = stack(["graphite"], [material], rows=4, loads=[*HELD, Pressure("top")])
    initial = shape(model).thickness
    model.control("pressure").value = pressure
    solver = NewtonSolver(model, TIGHT)
    solved_step(model, solver, 1.0)

    shear, bulk = modulus / 2.6, modulus / 1.2

    def stress(stretch: float) -> float:
        # Nominal stress along the column: derivative of the stored energy with J = stretch and no lateral strain.
        kirchhoff = bulk / 2.0 * (stretch**2 - 1.0) + shear * 2.0 / 3.0 * stretch ** (-2.0 / 3.0) * (
            stretch**2 - 1.0
        )
        return kirchhoff / stretch + pressure

    expected = brentq(stress, 0.5, 1.0, xtol=1e-15)
    loaded = shape(model).thickness
    assert loaded / initial == pytest.approx(expected, rel=1e-9)
    snapshot = model.state.snapshot()
    with undisturbed(model):
        unload(model, TIGHT)
        assert shape(model).thickness == pytest.approx(initial, rel=1e-10)
    assert float(model.control("pressure").value) == pressure
    assert shape(model).thickness == loaded
    for name, function in model.state.functions().items():
        assert np.array_equal(snapshot.arrays[name], function.x.array), name


@pytest.mark.parallel
def test_measurements_leave_no_trace() -> None:
    model = stack(
        ["graphite", "pore", "graphite"],
        [host("graphite"), filling()],
        rows=6,
        loads=[*HELD, Pressure("top")],
    )
    model.control("pressure").value = 5.0
    solved_step(model, NewtonSolver(model, TIGHT), 1.0)
    before = model.state.snapshot()
    assert set(MEASUREMENTS) == {"porosity", "phases", "uniformity", "diffusion", "lithium", "front"}
    for name, measure in MEASUREMENTS.items():
        found = measure(model)
        assert found and all(np.isfinite(list(found.values()))), name
    after = model.state.snapshot()
    assert before.time == after.time and before.steps == after.steps
    for name, values in before.arrays.items():
        assert np.array_equal(values, after.arrays[name]), name
