"""Known answer 4: steady flux through a plate whose swelling stresses help lithium along.

A plate that cannot spread sideways carries -2 Ω E (c - c0) / (9 (1 - ν)) of hydrostatic stress. With the chemical
potential R T ln c of a dilute solution the flux between c1 and c2 is (D/L) [c1 - c2 + θ (c1² - c2²)/2] with
θ = 2 Ω² E / (9 R T (1 - ν)). The plane-strain form of this model (docs/model.md) swells in its plane only; the same
derivation gives θ = Ω² E / (4 R T (1 - ν²)) there. Strains are kept at 1e-3, so that the linear theory holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem.loads import Prescribed, Support
from fem.materials.base import Elasticity, Host, Material, Swelling
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.units import GAS_CONSTANT
from tests.readings import reaction
from tests.small import TEMPERATURE, box, grid, mesh_of, model_on, p, solved_step

CAPACITY, DIFFUSIVITY, LENGTH = 40.0, 0.24, 8.0
HIGH, LOW, START = 30.0, 10.0, 0.5
MODULUS, POISSON, VOLUME = 2.6e7, 0.3, 1.0e-4
STEP = 1.0e7
SETTINGS = SolverSettings(
    force_tolerance=1e-3, lithium_tolerance=1e-7, potential_tolerance=1e-9, displacement_tolerance=1e-6
)


@dataclass(frozen=True)
class DiluteCurve:
    """U = -(R T / F) ln x: with it the mobility is D c / (R T)."""

    def voltage(self, x: Any, exp: Any = ufl.exp, tanh: Any = ufl.tanh) -> Any:
        thermal = GAS_CONSTANT * TEMPERATURE / 96.48533212
        return -thermal * (ufl.ln(x) if hasattr(x, "ufl_shape") else np.log(x))


def plate(comm: MPI.Intracomm, dimension: int, count: int, volume: float) -> ElectrodeModel:
    material = Material(
        "alpha",
        Elasticity(p(MODULUS), p(0.0), p(POISSON)),
        None,
        Swelling(p(volume * CAPACITY), p(0.0), p(0.0)),
        Host(p(CAPACITY), p(DIFFUSIVITY), DiluteCurve(), p(1e-6)),
    )
    last = dimension - 1
    if dimension == 2:
        points, cells = grid(1, count, 1.0, LENGTH)
    else:
        points, cells = box(count, 1.0)
        points[:, last] *= LENGTH
    boundaries = {
        "bottom": lambda x: np.isclose(x[last], 0.0),
        "top": lambda x: np.isclose(x[last], LENGTH),
        "left": lambda x: np.isclose(x[0], 0.0),
        "right": lambda x: np.isclose(x[0], 1.0),
    }
    held: list[Any] = [Support("left", 0), Support("right", 0), Support("bottom", last)]
    if dimension == 3:
        boundaries |= {"front": lambda x: np.isclose(x[1], 0.0), "back": lambda x: np.isclose(x[1], 1.0)}
        held += [Support("front", 1), Support("back", 1)]
    held += [
        Prescribed("bottom", 1, lambda x: np.full(x.shape[1], HIGH)),
        Prescribed("top", 1, lambda x: np.full(x.shape[1], LOW)),
    ]
    return model_on(mesh_of(comm, points, cells), boundaries, [material], held, start=START)


def flux(model: ElectrodeModel) -> float:
    solver = NewtonSolver(model, SETTINGS)
    solved_step(model, solver, STEP)
    return abs(reaction(model, "top", 1)) / STEP


def expected(dimension: int, volume: float) -> float:
    plane, solid = 1.0 / (4.0 * (1.0 - POISSON**2)), 2.0 / (9.0 * (1.0 - POISSON))
    theta = (plane if dimension == 2 else solid) * volume**2 * MODULUS / (GAS_CONSTANT * TEMPERATURE)
    return DIFFUSIVITY / LENGTH * (HIGH - LOW + theta * (HIGH**2 - LOW**2) / 2.0)


@pytest.mark.parallel
@pytest.mark.parametrize("volume", [VOLUME, 0.0], ids=["stressed", "Fick"])
def test_plate_in_plane_strain(volume: float) -> None:
    assert expected(2, VOLUME) > 1.3 * expected(2, 0.0)
    found = [flux(plate(MPI.COMM_WORLD, 2, count, volume)) for count in (4, 8, 16)]
    errors = [abs(value / expected(2, volume) - 1.0) for value in found]
    assert errors[-1] < (2e-3 if volume else 5e-4), errors
    # Second order, seen in the differences: what finite strain leaves over stays out of them.
    assert np.log2((found[0] - found[1]) / (found[1] - found[2])) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parallel
def test_plate_in_three_dimensions() -> None:
    assert expected(3, VOLUME) > 1.3 * expected(3, 0.0)
    found = flux(plate(MPI.COMM_WORLD, 3, 3, VOLUME))
    assert found == pytest.approx(expected(3, VOLUME), rel=1.2e-2)
