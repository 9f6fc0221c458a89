"""Known answer 3: diffusion-induced stress in a sphere with a steady gradient."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import balances
from fem.loads import Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import integral, rates
from tests.small import host, mesh_of, model_on, octant, solved_step, spherical

RADIUS, YOUNG, POISSON, CAPACITY, DIFFUSIVITY, INFLUX = 5.0, 15e3, 0.3, 31.36, 0.24, 1.4519e-3
VOLUME = 4.2e-3  # partial molar volume in µm³/fmol
# Stress feedback on diffusion grows with the square of the volume: a hundredth of it leaves 3e-6 of Fick's flux.
SHARE = 1e-2
# The formula, for the full partial molar volume, in MPa.
HOOP_AT_SURFACE = -VOLUME * YOUNG * INFLUX * RADIUS / (15.0 * (1.0 - POISSON) * DIFFUSIVITY)


def loaded_sphere(comm: MPI.Intracomm, count: int) -> ElectrodeModel:
    """Sphere after five units of Fourier number of constant influx, when the gradient is steady."""
    mesh = mesh_of(comm, *octant(count, RADIUS))
    material = host(
        youngs_modulus=YOUNG,
        poisson_ratio=POISSON,
        swelling=VOLUME * CAPACITY * SHARE,
        capacity=CAPACITY,
        diffusivity=DIFFUSIVITY,
    )
    supports = [Support("left", 0), Support("front", 1), Support("bottom", 2)]
    model = model_on(mesh, spherical(RADIUS), [material], supports)
    solver = NewtonSolver(model, SolverSettings(force_tolerance=1e-10, lithium_tolerance=1e-12))
    model.control("influx").value = INFLUX
    for _ in range(5):
        solved_step(model, solver, RADIUS**2 / DIFFUSIVITY)
    return model


def stress_error(model: ElectrodeModel) -> float:
    """L2 error of the stress relative to its L2 norm, by σr = A (R² - r²), σθ = A (R² - 2 r²)."""
    x = ufl.SpatialCoordinate(model.domain.mesh)
    square = ufl.dot(x, x)
    factor = -HOOP_AT_SURFACE * SHARE / RADIUS**2
    exact = factor * ((RADIUS**2 - 2.0 * square) * ufl.Identity(3) + ufl.outer(x, x))
    difference = model.bulk.kirchhoff - exact
    wrong = integral(model, ufl.inner(difference, difference))
    return float(np.sqrt(wrong / integral(model, ufl.inner(exact, exact))))


def mean_hoop_stress_at_surface(model: ElectrodeModel) -> float:
    """Mean of the tangential stress over the surface, in MPa for the full partial molar volume."""
    normal = ufl.FacetNormal(model.domain.mesh)
    surface = model.measures.boundary(model.domain.boundary_tags["top"])
    # The same law as in the model, without its history, which lives at points inside the cells only.
    elastic = balances.law(
        model.fields, ufl.as_vector([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]), 0.0, model.coefficients, 3
    )
    tangential = (ufl.tr(elastic.kirchhoff) - ufl.dot(normal, elastic.kirchhoff * normal)) / 2.0
    area = integral(model, ufl.dot(normal, normal) * surface)
    return integral(model, tangential * surface) / area / SHARE


def test_the_formula_gives_the_listed_number() -> None:
    assert pytest.approx(-0.18148, abs=1e-5) == HOOP_AT_SURFACE


@pytest.mark.parallel
def test_stress_in_the_sphere(comm: MPI.Intracomm) -> None:
    counts = (4, 6, 8)
    models = [loaded_sphere(comm, count) for count in counts]
    errors = [stress_error(model) for model in models]
    sizes = [1.0 / count for count in counts]
    # Flat facets at a curved free surface cost quadratic displacements half an order: between 1.5 and 2.
    assert min(rates(errors, sizes)) > 1.7
    assert errors[-1] < 0.05
    surface = [mean_hoop_stress_at_surface(model) for model in models]
    distance = [abs(value - HOOP_AT_SURFACE) for value in surface]
    assert min(rates(distance, sizes)) > 1.6
    # Extrapolated from three meshes, f0 + a h² + b h⁴.
    powers = np.array([[1.0, size**2, size**4] for size in sizes])
    assert float(np.linalg.solve(powers, surface)[0]) == pytest.approx(-0.18148, abs=5e-4)
