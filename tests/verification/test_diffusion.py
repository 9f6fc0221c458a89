"""Known answers 1 and 2: lithium diffusing into a slab and a sphere, by fixed concentration and by constant influx."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI
from scipy.optimize import brentq

from fem.loads import Prescribed, Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from tests.readings import integral, positions, rates
from tests.small import TIGHT, Array, grid, host, mesh_of, model_on, octant, sides, solved_step, spherical

CAPACITY, DIFFUSIVITY = 31.36, 0.24
START, SURFACE = 0.1, 0.7
RADIUS = 5.0
SYMMETRY = [Support("left", 0), Support("front", 1), Support("bottom", 2)]
ROLLERS = [Support("left", 0), Support("right", 0), Support("bottom", 1)]
HOST = host(capacity=CAPACITY, diffusivity=DIFFUSIVITY)
FIXED = Prescribed("top", 1, lambda x: np.full(x.shape[1], SURFACE * CAPACITY))


def sphere(comm: MPI.Intracomm, count: int, fixed: bool) -> ElectrodeModel:
    mesh = mesh_of(comm, *octant(count, RADIUS))
    return model_on(mesh, spherical(RADIUS), [HOST], [*SYMMETRY, *([FIXED] if fixed else [])], start=START)


def slab(comm: MPI.Intracomm, count: int) -> ElectrodeModel:
    size = RADIUS / count
    mesh = mesh_of(comm, *grid(1, count, size, RADIUS))
    return model_on(mesh, sides(size, RADIUS), [HOST], [*ROLLERS, FIXED], start=START)


def centre(model: ElectrodeModel) -> float:
    """Lithiation above the start at the centre, as a share of that at the surface."""
    dofs = model.state.dofs.concentration
    here = dofs[np.linalg.norm(positions(model, 1)[:, dofs], axis=0) < 1e-9]
    values = (model.state.unknowns.x.array[here] / CAPACITY - START) / (SURFACE - START)
    return float(model.comm.allreduce(np.max(values, initial=-np.inf), op=MPI.MAX))


def history(model: ElectrodeModel, times: list[float], steps: int) -> Array:
    """Uptake and centre value at the given Fourier numbers, with ``steps`` equal steps to each of them."""
    solver, result, last = NewtonSolver(model, TIGHT), [], 0.0
    volume = integral(model, model.coefficients["conducts"] + 1.0)
    for time in times:
        for _ in range(steps):
            solved_step(model, solver, (time - last) / steps * RADIUS**2 / DIFFUSIVITY)
        last = time
        mean = integral(model, model.fields.concentration) / volume / CAPACITY
        result.append([(mean - START) / (SURFACE - START), centre(model)])
    return np.array(result)


def decays(eigenvalues: Array, times: list[float], steps: int | None) -> Array:
    """Factor by which each mode has decayed, exactly or after backward Euler steps; shape (times, modes)."""
    if steps is None:
        return np.exp(-np.outer(times, eigenvalues))
    spans = np.diff([0.0, *times])[:, None]
    return np.cumprod((1.0 + eigenvalues * spans / steps) ** -float(steps), axis=0)


def sphere_series(times: list[float], steps: int | None = None) -> Array:
    """Uptake and centre value of the sphere with fixed surface concentration, shape (times, 2)."""
    n = np.arange(1, 3000)
    left = decays(n**2 * np.pi**2, times, steps)
    return np.stack([1.0 - 6.0 / np.pi**2 * left @ n**-2.0, 1.0 + 2.0 * left @ (-1.0) ** n], axis=1)


def without_mesh_error(values: list[Array], counts: tuple[int, ...]) -> Array:
    """Means (first column) and single nodal values (second column), extrapolated from three meshes h = 1/count.

    Means err by a h² + b h⁴; in the maximum norm linear elements err by a h² + b h² ln h.
    """
    n = np.array(counts, dtype=float)
    squares = np.column_stack([np.ones(3), n**-2.0, n**-4.0])
    logarithms = np.column_stack([np.ones(3), n**-2.0, n**-2.0 * np.log(n)])
    weights = np.stack([np.linalg.inv(squares)[0], np.linalg.inv(logarithms)[0]])
    return np.einsum("cn,ntc->tc", weights, np.array(values))


def test_the_sphere_series_gives_the_listed_numbers() -> None:
    values = sphere_series([0.01, 0.05, 0.1, 0.2])
    np.testing.assert_allclose(values[:, 0], [0.30851, 0.60694, 0.77048, 0.91550], atol=6e-6)
    np.testing.assert_allclose(values[2:, 1], [0.29290, 0.72292], atol=6e-6)


@pytest.mark.parallel
def test_sphere_with_fixed_surface_concentration(comm: MPI.Intracomm) -> None:
    times, counts = [0.05, 0.1, 0.2], (4, 6, 8)
    listed = np.array([0.60694, 0.77048, 0.91550])
    # Against the same steps in time, so that the error is that of the mesh alone.
    exact = sphere_series(times, steps=4)
    runs = [history(sphere(comm, n, True), times, 4) for n in counts]
    errors = [np.abs(run - exact) for run in runs]
    for early in (0, 1):
        assert abs(rates([e[early, 0] for e in errors], [1.0 / n for n in counts])[-1] - 2.0) < 0.1
    # Later an h⁴ share hides the rate at these sizes; extrapolation only works if the error begins with h².
    extrapolated = without_mesh_error(runs, counts)
    np.testing.assert_allclose(extrapolated[:, 0], exact[:, 0], atol=3e-4)
    np.testing.assert_allclose(extrapolated[:, 1], exact[:, 1], atol=2e-3)
    # The error in time, of first order, removed as well: the listed numbers (few steps for so early a time as 0.05).
    short_steps = history(sphere(comm, counts[-1], True), times, 16)
    total = extrapolated + (4.0 * short_steps - runs[-1]) / 3.0 - runs[-1]
    np.testing.assert_allclose(total[1:, 0], listed[1:], atol=3e-4)
    np.testing.assert_allclose(total[0, 0], listed[0], atol=2e-3)
    np.testing.assert_allclose(total[1:, 1], [0.29290, 0.72292], atol=3e-3)


@pytest.mark.parallel
def test_slab_with_fixed_surface_concentration(comm: MPI.Intracomm) -> None:
    times = [0.01, 0.1, 0.2, 0.5]
    exact = np.array([0.11284, 0.35682, 0.50409, 0.76395])
    runs = [history(slab(comm, n), times, steps)[:, 0] for n, steps in ((8, 4), (16, 16), (32, 64))]
    for late in (1, 2, 3):
        assert abs(rates([abs(run[late] - exact[late]) for run in runs], [4, 2, 1])[-1] - 2.0) < 0.1
    np.testing.assert_allclose((4.0 * runs[2] - runs[1])[1:] / 3.0, exact[1:], atol=5e-5)
    np.testing.assert_allclose(runs[2], exact, atol=2e-3)


def influx_series(tau: float, radius: float, times: list[float], steps: int | None = None) -> float:
    """D (c - c0) / (J R) of the sphere with constant influx at ``tau``, the last of ``times``."""
    roots = np.array(
        [
            brentq(lambda x: np.sin(x) - x * np.cos(x), n * np.pi + 1e-9, (n + 0.5) * np.pi)
            for n in range(1, 200)
        ]
    )
    shape = np.sin(roots * radius) / radius if radius > 0.0 else roots
    left = decays(roots**2, times, steps)[-1]
    return float(3.0 * tau + radius**2 / 2.0 - 0.3 - 2.0 * np.sum(shape / (roots**2 * np.sin(roots)) * left))


def test_the_influx_series_gives_the_listed_numbers() -> None:
    listed = {(0.1, 1.0): 0.48676, (0.1, 0.0): 0.05988, (0.5, 1.0): 1.70000, (0.5, 0.0): 1.20002}
    for (tau, radius), value in listed.items():
        assert influx_series(tau, radius, [tau]) == pytest.approx(value, abs=6e-6)


@pytest.mark.parallel
def test_sphere_with_constant_influx(comm: MPI.Intracomm) -> None:
    influx, times, steps, counts = 1.4519e-3, [0.1, 0.5], 4, (4, 6, 8)
    runs: list[Array] = []
    for count in counts:
        model = sphere(comm, count, False)
        model.control("influx").value = influx
        solver, last, row = NewtonSolver(model, TIGHT), 0.0, []
        surface = model.measures.boundary(model.domain.boundary_tags["top"])
        area = integral(model, (1.0 + model.coefficients["conducts"]) * surface)
        scale = DIFFUSIVITY / (influx * RADIUS)
        for time in times:
            for _ in range(steps):
                solved_step(model, solver, (time - last) / steps * RADIUS**2 / DIFFUSIVITY)
            last = time
            mean = integral(model, model.fields.concentration * surface) / area
            rise = centre(model) * (SURFACE - START) * CAPACITY
            row.append([(mean - START * CAPACITY) * scale, rise * scale])
        runs.append(np.array(row))
    exact = np.array(
        [[influx_series(t, r, times[: k + 1], steps) for r in (1.0, 0.0)] for k, t in enumerate(times)]
    )
    extrapolated = without_mesh_error(runs, counts)
    np.testing.assert_allclose(extrapolated[:, 0], exact[:, 0], atol=4e-4)
    np.testing.assert_allclose(extrapolated[:, 1], exact[:, 1], atol=1e-3)
    # Late the profile is a parabola, for which backward Euler is exact; what is left of its transient is 1e-3.
    assert extrapolated[1, 0] == pytest.approx(1.70000, abs=1e-3)
    assert extrapolated[1, 1] == pytest.approx(1.20002, abs=3e-3)
