"""Pores under pressure: how far a filling closes and what it carries, and that elastic pores spring back."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI
from scipy.optimize import brentq

from fem.loads import Pressure, Support
from fem.materials.base import Elasticity, Material
from fem.measurements import porosity
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.small import grid, law, mesh_of, midpoints, model_on, p, sides

WIDTH, LAYER, MODULUS, FILLING, TIE = 2.0, 2.0, 15e3, 0.1, 1.0e6
SETTINGS = SolverSettings(
    force_tolerance=1e-8,
    displacement_tolerance=1e-8,
    first_update=1.0,
    largest_update=1.0,
    maximum_iterations=60,
)


def column(closing: float) -> ElectrodeModel:
    """Solid, pore, solid, one above the other between rollers, pressed from above."""
    mesh = mesh_of(MPI.COMM_WORLD, *grid(1, 6, WIDTH, 3.0 * LAYER))
    layer = (midpoints(mesh)[:, 1] / LAYER).astype(np.int32)
    solid = Material("graphite", Elasticity(p(MODULUS), p(0.0), p(0.0)))
    filling = Material(
        "pore", Elasticity(p(FILLING), p(0.0), p(0.0)), solid=False, closing_modulus=p(closing)
    )
    tie = law(None, None, stiffness=TIE, contact_stiffness=TIE)
    held = [
        Support("bottom", 0),
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Pressure("top"),
    ]
    return model_on(
        mesh,
        sides(WIDTH, 3.0 * LAYER),
        [solid, filling],
        held,
        grain=layer,
        phases=["graphite", "pore", "graphite"],
        laws={"graphite|pore": tie, "graphite|graphite": tie},
    )


def height_of_filling(pressure: float, closing: float) -> float:
    """Stretch λ of a filling that cannot spread: E/2 (1/λ - λ) + β (2 L³/λ³ - 3 (L + √3)/λ) = p, L² = 2 + λ²."""

    def surplus(height: float) -> float:
        length = np.sqrt(2.0 + height**2)
        barrier = 2.0 * length**3 / height**3 - 3.0 * (length + np.sqrt(3.0)) / height
        return float(0.5 * FILLING * (1.0 / height - height) + closing * barrier - pressure)

    return float(brentq(surplus, 1e-6, 1.0, xtol=1e-15, rtol=1e-14))


def press(model: ElectrodeModel, solver: NewtonSolver, pressure: float) -> dict[str, float]:
    model.control("pressure").value = pressure
    model.prepare_step(1.0)
    outcome = solver.solve()
    assert outcome.converged, outcome
    model.commit()
    return porosity.measure(model)


@pytest.mark.parallel
@pytest.mark.parametrize("closing", [0.0, 0.002])
def test_a_filling_closes_and_springs_back(closing: float) -> None:
    model = column(closing)
    solver = NewtonSolver(model, SETTINGS)
    start = porosity.measure(model)
    assert start["porosity"] == pytest.approx(1.0 / 3.0, rel=1e-12)
    # Stiffness goes by the square of the pressure: Newton's method follows a factor of 1.6 in one step, not one of 2.
    for pressure in 10.0 / 1.6 ** np.arange(14.0)[::-1]:
        found = press(model, solver, pressure)
        assert found["pore_volume_ratio"] == pytest.approx(height_of_filling(pressure, closing), rel=1e-6)
        left = LAYER * height_of_filling(pressure, closing) - 2.0 * pressure / TIE
        assert found["porosity"] * found["thickness_um"] == pytest.approx(left, rel=1e-6)
    # At 10 MPa half a per cent of the pore is left without the stiffness against closing, a tenth with it.
    assert found["pore_volume_ratio"] == pytest.approx(0.1055 if closing else 0.005, abs=6e-4)
    for pressure in (2.0, 0.1, 0.0):
        found = press(model, solver, pressure)
    assert found["porosity"] == pytest.approx(start["porosity"], rel=1e-9)
    assert found["thickness_um"] == pytest.approx(3.0 * LAYER, rel=1e-9)
