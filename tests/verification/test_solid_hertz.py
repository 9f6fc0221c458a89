"""A sphere pressed into a block, found by search in three dimensions: Hertz's pressure and radius of contact."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.solver import NewtonSolver
from tests.readings import reaction
from tests.small import Array, solved_step
from tests.solid_contact import EDGE, MODULUS, POISSON, SETTINGS, two_cubes

RADIUS = 8.0
"""Of the sphere in µm; the bodies are quarters of 2 µm, with planes of symmetry at x = 0 and y = 0."""


def hertz(count: int, grading: float, press: float) -> tuple[float, float, float]:
    """Errors of the radius of contact and of the pressure in its middle, and the radius in µm.

    Args:
        count: Elements along an edge of the lower body; the upper one has one more.
        grading: Power with which elements shrink towards the contact.
        press: How far the top is moved in µm.
    """

    def graded(points: Array) -> Array:
        across = EDGE * (points[:, :2] / EDGE) ** grading
        up = EDGE * (points[:, 2] / EDGE) ** grading
        sag = np.sum(across**2, axis=1) / (2.0 * RADIUS)
        return np.column_stack([across, up + (1.0 - up / EDGE) * sag])

    def below(points: Array) -> Array:
        across = EDGE * (points[:, :2] / EDGE) ** grading
        return np.column_stack([across, EDGE - EDGE * (1.0 - points[:, 2] / EDGE) ** grading])

    model = two_cubes(
        MPI.COMM_SELF, counts=(count, count + 1), stiffness=1.0e6, shaped=graded, shaped_below=below
    )
    solver = NewtonSolver(model, SETTINGS)
    for part in (0.5, 1.0):
        model.control("press").value = -part * press
        solved_step(model, solver, 1.0)
    assert model.surface_contact is not None
    places, pressure, area = model.surface_contact.pressures()
    force = -4.0 * reaction(model, "top", 0, 2)
    assert np.sum(pressure * area) == pytest.approx(0.25 * force, rel=2e-3)
    effective = MODULUS / (2.0 * (1.0 - POISSON**2))
    radius = np.cbrt(0.75 * force * RADIUS / effective)
    peak = 1.5 * force / (np.pi * radius**2)
    away = np.linalg.norm(places[:, :2], axis=1)
    # Pressure p √(1 - r²/a²) has its second moment at 2 a²/5.
    measured = np.sqrt(2.5 * np.sum(pressure * area * away**2) / np.sum(pressure * area))
    centre = away < 0.5 * radius
    shape = np.sqrt(1.0 - (away[centre] / radius) ** 2)
    middle = np.sum(pressure[centre] * area[centre]) / np.sum(shape * area[centre])
    return measured / radius - 1.0, middle / peak - 1.0, radius


def test_a_sphere_presses_like_hertz() -> None:
    """Two elements across the radius of contact."""
    radius, pressure, size = hertz(4, 2.0, 0.02)
    assert 0.3 < size < 0.5
    assert abs(radius) < 0.03 and abs(pressure) < 0.1


@pytest.mark.slow
def test_refined_it_converges_to_hertz() -> None:
    """Two, three and four elements across the radius."""
    errors = np.abs([hertz(count, 2.0, 0.02)[:2] for count in (4, 6, 8)])
    assert np.all(np.diff(errors, axis=0) < 0.0)
    assert errors[-1, 0] < 0.002 and errors[-1, 1] < 0.025
