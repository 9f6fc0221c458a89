"""Gate 2 for the iterative solver: the direct one's answers to ten times the solver's tolerance, on any ranks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.convergence import Convergence
from fem.counter_electrode import LithiumMetal
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.alone import alone
from tests.blocks import block
from tests.cells import TIGHT, cell, faces, parameter, step, terminal_of
from tests.quarters import quarters
from tests.readings import integral
from tests.small import Array, solved_step

DIRECT = SolverSettings(force_tolerance=1e-8, lithium_tolerance=1e-11, potential_tolerance=1e-9)
ITERATIVE = replace(DIRECT, linear="iterative")
#: Ten times what an unknown may be off by: displacement in µm, all others relative.
TOLERANCE = 1e-7


def answer(model: ElectrodeModel, settings: SolverSettings, dt: float) -> Array:
    """Integrals of every field after three steps under pressure and current."""
    solver = NewtonSolver(model, settings)
    assert (solver.iterative is None) == (settings.linear == "direct")
    model.control("pressure").value, model.control("influx").value = 0.5, 0.05
    for _ in range(3):
        solved_step(model, solver, dt)
    if solver.iterative is not None:
        assert solver.iterative.work.failures == 0 and solver.iterative.work.iterations > 0
    u = model.fields.displacement
    return np.array(
        [
            *(integral(model, u[axis]) for axis in range(model.domain.dimension)),
            integral(model, model.fields.concentration),
            integral(model, model.fields.concentration**2),
            integral(model, model.fields.chemical_potential),
            integral(model, model.bulk.elastic_energy),
            1.0 + model.mean_damage(),
        ]
    )


@pytest.mark.parallel
def test_section(comm: MPI.Intracomm) -> None:
    owner = np.random.default_rng(3).integers(0, 1000, 64)
    found = answer(quarters(comm, owner=owner), ITERATIVE, 10.0)
    known = alone(comm, "section", lambda self: answer(quarters(self), DIRECT, 10.0))
    assert abs(known[1]) > 1e-3
    np.testing.assert_allclose(found, known, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parallel
def test_block(comm: MPI.Intracomm) -> None:
    found = answer(block(comm, cell_by_cell=True), ITERATIVE, 1.0)
    known = alone(comm, "block", lambda self: answer(block(self), DIRECT, 1.0))
    assert abs(known[2]) > 1e-5
    np.testing.assert_allclose(found, known, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parallel
def test_terminals(comm: MPI.Intracomm) -> None:
    def voltages(on: MPI.Intracomm, settings: SolverSettings) -> list[float]:
        model = cell(
            on,
            faces(),
            counter=LithiumMetal(parameter(3.0)),
            separator_resistance=1e-3,
            cut="cell by cell" if on.size > 1 else None,
        )
        terminal, solver = terminal_of(model), NewtonSolver(model, settings)
        terminal.control_current(25.0)
        step(model, solver, 40.0)
        found = [terminal.voltage]
        terminal.control_potential(0.62)
        step(model, solver, 40.0)
        return [*found, terminal.voltage, terminal.current, terminal.charge]

    known = alone(comm, "terminals", lambda self: voltages(self, TIGHT))
    np.testing.assert_allclose(voltages(comm, replace(TIGHT, linear="iterative")), known, rtol=TOLERANCE)


@pytest.mark.parallel
def test_every_row_counts_by_its_own_tolerance(comm: MPI.Intracomm) -> None:
    model = block(comm)
    convergence = Convergence(model, DIRECT)
    residual = 0.999 * convergence.tolerances()
    assert convergence.reason(1, residual, np.zeros_like(residual)) > 0
    assert convergence.reason(1, 1.01 * residual, np.zeros_like(residual)) == 0
