"""Known answer 13: a uniform electrode is full after ten hours, and its lithium book closes over a cycle."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.loads import Support
from fem.measurements import uniformity
from fem.observables import Observer
from fem.solver import NewtonSolver, SolverSettings
from fem.units import FARADAY
from tests.small import grid, host, mesh_of, model_on, sides, solved_step

CAPACITY, THICKNESS, CURRENT, FULL = 44.4, 26.0, 3.094, 36000.0
LOW, HIGH = 0.02, 0.97
# A step of an hour and more: rounding of what passes is larger against a node than in a short one.
SETTINGS = SolverSettings(force_tolerance=1e-8, lithium_tolerance=1e-10, potential_tolerance=1e-10)


@pytest.mark.parallel
def test_fill_time_and_book() -> None:
    assert pytest.approx(FULL, rel=5e-4) == CAPACITY * THICKNESS * FARADAY / CURRENT
    width = 3.0
    mesh = mesh_of(MPI.COMM_WORLD, *grid(1, 13, width, THICKNESS))
    held = [Support("bottom", 0), Support("bottom", 1), Support("left", 0), Support("right", 0)]
    # Fast enough to be uniform to a per cent, and swelling, so that the book is kept on a body that moves.
    material = host("graphite", capacity=CAPACITY, diffusivity=5.0, swelling=0.1)
    model = model_on(mesh, sides(width, THICKNESS), [material], held, start=LOW)
    observer, solver = Observer(model), NewtonSolver(model, SETTINGS)
    exact = CAPACITY * THICKNESS * FARADAY / CURRENT
    errors = []
    for sign, target in ((1.0, HIGH), (0.0, HIGH), (-1.0, LOW)):
        model.control("influx").value = sign * CURRENT / FARADAY
        span = (HIGH - LOW) * exact
        for _ in range(6):
            model.prepare_step(span / 6.0)
            assert solver.solve().converged
            errors.append(observer.measure()["lithium_book_error"])
            model.commit()
        found = uniformity.measure(model)
        assert found["mean_lithiation"] == pytest.approx(target, rel=1e-9)
    assert np.max(np.abs(errors)) < 1e-8
    assert found["standard_deviation"] < 0.02


@pytest.mark.parallel
def test_charge_passed_is_what_the_current_says() -> None:
    """One step of an hour at 0.1 C takes a tenth of the capacity; a wrong Faraday constant or area shows here."""
    mesh = mesh_of(MPI.COMM_WORLD, *grid(1, 4, 2.0, THICKNESS))
    held = [Support("bottom", 0), Support("bottom", 1), Support("left", 0), Support("right", 0)]
    model = model_on(
        mesh, sides(2.0, THICKNESS), [host("graphite", capacity=CAPACITY, diffusivity=50.0)], held
    )
    model.control("influx").value = CURRENT / FARADAY
    solved_step(model, NewtonSolver(model, SETTINGS), 3600.0)
    found = uniformity.measure(model)["mean_lithiation"]
    assert found - 0.1 == pytest.approx(0.1, rel=1e-3)
