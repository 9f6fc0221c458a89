"""Known answers 8 and 9: stress relaxation by Norton's law, and lithium metal in tension."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.loads import Support
from fem.materials.flow import flow_table, hardened_drag, solve_increment
from fem.materials.library import LITHIUM
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import at_points, rates
from tests.small import Array, box, faces, host, mesh_of, model_on, overstress, p, solved_step

YOUNG, EXPONENT, FACTOR, START = 7810.0, 6.6667, 7.1298e-3, 1.0
TIMES = (1.0, 10.0, 100.0, 1000.0)
LISTED = (0.36203, 0.24127, 0.16071, 0.10705)


def norton(time: float) -> float:
    """Stress in MPa after holding the strain for ``time`` seconds, the formula of verification.md."""
    n = EXPONENT
    return float((START ** (1.0 - n) + (n - 1.0) * YOUNG * FACTOR * time) ** (1.0 / (1.0 - n)))


def stretched_cube(comm: MPI.Intracomm) -> tuple[ElectrodeModel, NewtonSolver]:
    """A cube pulled to a true stress of 1 MPa in no time; its sides are free."""
    flow = overstress(0.0, 0.0, 1.0, FACTOR, EXPONENT)
    material = host(youngs_modulus=YOUNG, poisson_ratio=0.38, flow=flow)
    supports = [Support("left", 0), Support("front", 1), Support("bottom", 2), Support("top", 2, "pull")]
    model = model_on(mesh_of(comm, *box(1, 1.0)), faces(1.0), [material], supports)
    solver = NewtonSolver(model, SolverSettings(force_tolerance=1e-11, displacement_tolerance=1e-9))
    for _ in range(3):  # secant search for the stretch at which the stress is exactly 1 MPa
        present = axial_stress(model)
        model.control("pull").value = float(model.control("pull").value) + (START - present) / YOUNG
        solved_step(model, solver, 1e-12)
    return model, solver


def axial_stress(model: ElectrodeModel) -> float:
    """Axial true stress in MPa; the same at all points."""
    cauchy = at_points(model, model.bulk.kirchhoff)[..., 2, 2]
    total = model.comm.allreduce(np.array([cauchy.sum(), float(cauchy.size)]), op=MPI.SUM)
    return float(total[0] / total[1])


def relaxation(comm: MPI.Intracomm, ratio: float) -> Array:
    """Stress at the listed times, with steps that grow by ``ratio``."""
    model, solver = stretched_cube(comm)
    assert axial_stress(model) == pytest.approx(START, abs=1e-8)
    last, result = 0.0, []
    for time in TIMES:
        count = round(np.log(10.0) / np.log(ratio)) if last else round(np.log(1e4) / np.log(ratio))
        first = time / 10.0 if last else 1e-4
        for target in np.geomspace(first, time, count + 1)[1 if last else 0 :]:
            solved_step(model, solver, float(target) - last)
            last = float(target)
        result.append(axial_stress(model))
    return np.array(result)


@pytest.mark.parallel
def test_norton_relaxation(comm: MPI.Intracomm) -> None:
    exact = np.array([norton(time) for time in TIMES])
    np.testing.assert_allclose(exact, LISTED, atol=6e-6)
    ratios = (10.0**0.25, 10.0**0.125, 10.0**0.0625)
    runs = [relaxation(comm, ratio) for ratio in ratios]
    for number in range(len(TIMES)):
        order = rates([abs(run[number] - exact[number]) for run in runs], np.log(ratios))
        assert abs(order[-1] - 1.0) < 0.1
    # Backward Euler is of first order: extrapolated.
    np.testing.assert_allclose(2.0 * runs[2] - runs[1], LISTED, rtol=1e-3)


def tension(steps: int) -> Array:
    """True stress of bulk lithium in MPa at the listed true strains, pulled at 3e-4 /s at 298 K."""
    strains, rate = (0.005, 0.02, 0.1, 0.2, 0.5), 3e-4
    material = replace(LITHIUM, flow=replace(LITHIUM.flow, size_factor=p(1.0)))  # type: ignore[type-var]
    table = flow_table(np.zeros(1, dtype=np.int32), [material], 298.0)
    young = np.full(1, LITHIUM.elasticity.youngs_modulus.value)
    stress, accumulated, drag = np.zeros(1), np.zeros(1), table.initial_drag.copy()
    strain, result = 0.0, []
    for target in strains:
        change = (target - strain) / steps
        for _ in range(steps):
            trial = stress + young * change
            increment, _ = solve_increment(table, trial, young, accumulated, drag, change / rate)
            drag = hardened_drag(table, drag, increment, change / rate)
            stress, accumulated = trial - young * increment, accumulated + increment
        strain = target
        result.append(float(stress[0]))
    return np.array(result)


def test_lithium_in_tension() -> None:
    listed = np.array([0.5393, 0.5536, 0.6150, 0.6682, 0.7561])
    runs = [tension(steps) for steps in (25, 50, 100)]
    order = np.log2(np.abs((runs[1] - runs[0]) / (runs[2] - runs[1])))
    assert np.all(np.abs(order - 1.0) < 0.15)
    np.testing.assert_allclose(2.0 * runs[2] - runs[1], listed, atol=1.0e-4)
