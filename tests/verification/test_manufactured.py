"""Known answer 15 and gate 7: manufactured solutions of coupled diffusion and finite strain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import balances, domain
from fem.coefficients import row, tabulate
from fem.domain import Domain
from fem.loads import Load, Prescribed, Source
from fem.solver import NewtonSolver, SolverSettings
from fem.units import FARADAY
from tests.readings import integral, rates
from tests.small import CURVE, Array, grid, host, mesh_of, midpoints, model_on, sides

SIZE, STEP = 2.0, 40.0
CAPACITY, DIFFUSIVITY, START = 31.36, 0.24, 0.1
MATERIAL = host(
    youngs_modulus=15e3,
    modulus_slope=9e3,
    poisson_ratio=0.3,
    swelling=(0.1, 0.05, -0.02),
    capacity=CAPACITY,
    diffusivity=DIFFUSIVITY,
)
SETTINGS = SolverSettings(force_tolerance=1e-8, lithium_tolerance=1e-10, potential_tolerance=1e-10)


@dataclass(frozen=True)
class Solution:
    """An exact solution; concentration is linear in time, so that backward Euler makes no error.

    Attributes:
        displacement: Functions of x and y in µm.
        start: Lithiation at the beginning of the step.
        rise: Change of lithiation in the step.
        potential: Chemical potential in pJ/fmol.
    """

    displacement: Any
    start: Any
    rise: Any
    potential: Any


def wavy(m: Any) -> Solution:
    """Strains of ten per cent, a tenth of all lithium moved, everything varies in space."""
    return Solution(
        lambda x: [
            0.04 * m.sin(1.3 * x[0] + 0.4) * m.cos(0.9 * x[1]),
            0.05 * m.cos(0.8 * x[0]) * m.sin(1.7 * x[1] + 0.2),
        ],
        lambda x: 0.4 + 0.06 * m.cos(1.1 * x[0]) * m.sin(0.7 * x[1] + 0.5),
        lambda x: 0.1 * m.sin(0.9 * x[0] + 0.3) * m.cos(1.2 * x[1]),
        lambda x: -30.0 + 2.0 * m.cos(1.4 * x[0] + 0.1) * m.cos(0.6 * x[1]),
    )


def straight(m: Any) -> Solution:
    """The same displacement, with lithium that linear elements represent exactly."""
    return Solution(
        wavy(m).displacement,
        lambda x: 0.4 + 0.03 * x[0] - 0.02 * x[1],
        lambda x: 0.05 + 0.02 * x[0] + 0.03 * x[1],
        lambda x: -30.0 + 1.5 * x[0] + 0.5 * x[1],
    )


class Numbers(dict[str, float]):
    """Parameters as :class:`fem.coefficients.Coefficients` gives them, without metal among the materials."""

    has_metal = False


def exact_sources(where: Domain, solution: Solution) -> tuple[Source, Any, Any]:
    """Sources that make the solution exact, by the product's own law and the strong form of its balances."""
    x, start = ufl.SpatialCoordinate(where.mesh), np.array([START])
    # One material: its parameters as plain numbers, whose derivatives vanish.
    parameters = Numbers(zip(tabulate(where, [MATERIAL], start).names, row(MATERIAL, START), strict=False))
    displacement = ufl.as_vector(solution.displacement(x))
    lithiation = solution.start(x) + solution.rise(x)
    concentration, potential = CAPACITY * lithiation, solution.potential(x)
    fields = balances.Fields(displacement, concentration, potential)
    law = balances.law(fields, ufl.as_vector([1.0, 1.0, 1.0, 0.0]), 0.0, parameters, 2)  # type: ignore[arg-type]
    nominal = ufl.as_tensor([[law.nominal_stress[i, j] for j in (0, 1)] for i in (0, 1)])
    deformation = ufl.Identity(2) + ufl.grad(displacement)
    mobility = DIFFUSIVITY * CAPACITY / (FARADAY * CURVE.slope)
    flux = -mobility * ufl.inv(deformation.T * deformation) * ufl.grad(potential)
    source = Source(
        body_force=-ufl.div(nominal),
        lithium=CAPACITY * solution.rise(x) / STEP + ufl.div(flux),
        potential=potential + FARADAY * CURVE.voltage(lithiation) - law.mechanical_potential,
    )
    return source, displacement, concentration


def errors(comm: MPI.Intracomm, count: int, make: Any, given: bool = False) -> list[float]:
    """Relative errors: displacement in L2 and H1, concentration in L2 and H1.

    Args:
        comm: Ranks.
        count: Squares along a side.
        make: The solution for NumPy or UFL.
        given: Whether the concentration is prescribed everywhere, not on the boundary only.
    """
    mesh = mesh_of(comm, *grid(count, count, SIZE, SIZE))
    # Skewed, so that no symmetry of the mesh flatters the rates.
    points = mesh.geometry.x
    points[:, 0] += 0.08 * np.sin(np.pi * points[:, 0] / SIZE) * np.sin(np.pi * points[:, 1] / SIZE)
    numbers = make(np)
    grain = np.zeros(len(midpoints(mesh)), dtype=np.int32)
    where = domain.from_arrays(mesh, grain, [MATERIAL.phase], {})
    source, displacement, concentration = exact_sources(where, make(ufl))

    def lithium(x: Array) -> Array:
        return CAPACITY * (numbers.start(x) + numbers.rise(x))

    sides_of_square = sides(SIZE, SIZE)
    loads: list[Load] = [source, *([Prescribed(None, 1, lithium)] if given else [])]
    for side in sides_of_square:
        loads.append(Prescribed(side, 0, lambda x: np.stack(numbers.displacement(x))))
        loads.append(Prescribed(side, 1, lithium))
    model = model_on(mesh, sides_of_square, [MATERIAL], loads, start=START)
    model.state.unknowns.sub(1).interpolate(lambda x: CAPACITY * numbers.start(x))
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    model.prepare_step(STEP)
    outcome = NewtonSolver(model, SETTINGS).solve()
    assert outcome.converged, outcome
    dx, result = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": 6}), []
    for field, exact in (
        (model.fields.displacement, displacement),
        (model.fields.concentration, concentration),
    ):
        for part in (lambda f: f, ufl.grad):
            wrong, size = part(field - exact), part(exact)
            ratio = integral(model, ufl.inner(wrong, wrong) * dx) / integral(
                model, ufl.inner(size, size) * dx
            )
            result.append(float(np.sqrt(ratio)))
    return result


def observed_rates(
    comm: MPI.Intracomm, counts: tuple[int, int], make: Any, given: bool = False
) -> list[float]:
    table = np.array([errors(comm, count, make, given) for count in counts])
    return [rates(list(column), [1.0 / n for n in counts])[-1] for column in table.T]


@pytest.mark.parallel
def test_rates_of_the_coupled_problem(comm: MPI.Intracomm) -> None:
    displacement, displacement_slope, concentration, concentration_slope = observed_rates(
        comm, (16, 32), wavy
    )
    assert abs(concentration - 2.0) < 0.1
    assert abs(concentration_slope - 1.0) < 0.1
    assert abs(displacement_slope - 2.0) < 0.1
    # Swelling follows the linear concentration, so that its error of order 2 shows in the displacement, too.
    assert abs(displacement - 2.0) < 0.1


def test_rates_of_the_displacement(comm: MPI.Intracomm) -> None:
    # Where linear elements hold the lithium exactly, swelling and stiffness are, and the quadratic displacement
    # shows its own rates.
    displacement, displacement_slope, *_ = observed_rates(comm, (8, 16), straight, given=True)
    assert abs(displacement - 3.0) < 0.1
    assert abs(displacement_slope - 2.0) < 0.1


def test_rates_without_swelling(comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        globals(), "MATERIAL", host(youngs_modulus=15e3, capacity=CAPACITY, diffusivity=DIFFUSIVITY)
    )
    found = observed_rates(comm, (8, 16), wavy)
    np.testing.assert_allclose(found, [3.0, 2.0, 2.0, 1.0], atol=0.1)
