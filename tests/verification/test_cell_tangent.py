"""Gate 6 for the terminals: charge transfer, side reactions and the border against differences; quadratic ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from scipy.sparse import csr_matrix

from fem import compat
from fem.cell import Terminal
from fem.counter_electrode import CounterElectrode, LithiumMetal, LumpedCathode
from fem.interfaces.law import InterfaceLaw
from fem.solver import NewtonSolver
from tests.cells import TIGHT, cell, face, parameter, terminal_of, whole
from tests.readings import residual
from tests.small import Array

CATHODE = LumpedCathode(parameter(2e4), parameter(0.95), parameter(0.05), parameter(2.0))


def reacting() -> dict[str, InterfaceLaw]:
    """Everything a face may do, with different numbers on both."""
    oxide = {"oxide_charge": 0.02, "oxide_onset": 0.8, "oxide_current": 1.5}
    side = {"decomposition_charge": 0.02, "decomposition_onset": 0.85, "decomposition_current": 4.0}
    return {
        "alpha|electrolyte": face(5.0, transfer_coefficient=0.4, **side),
        "electrolyte|silicon": face(0.3, **side, **oxide),
        "alpha|silicon": whole(exchange_resistance=100.0, **oxide),
    }


@pytest.mark.parametrize(
    "shift", [0.0, 20.0, -35.0, 200.0], ids=["near", "forth", "back", "beyond the bound"]
)
def test_jacobian_against_finite_differences(shift: float) -> None:
    """``shift`` of the electrolyte in pJ/fmol; 200 is an exponent of 43, past the one that bounds the exponential."""
    model = cell(MPI.COMM_SELF, reacting(), start=0.4)
    model.prepare_step(50.0)
    state, rng = model.state, np.random.default_rng(7)
    values, dofs = state.unknowns.x.array, state.dofs
    capacity = model.capacity_of_node[dofs.concentration]
    values[dofs.concentration] += 0.02 * capacity * rng.random(len(dofs.concentration))
    values[dofs.chemical_potential] += rng.standard_normal(len(dofs.chemical_potential))
    electrolyte = np.unique(dofs.cell_chemical_potential[model.domain.cell_grain == 2])
    values[electrolyte] += shift
    base, direction = values.copy(), np.zeros(len(values))
    direction[dofs.concentration] = 1e-3 * capacity * rng.standard_normal(len(dofs.concentration))
    direction[dofs.chemical_potential] = 0.1 * rng.standard_normal(len(dofs.chemical_potential))
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    indptr, indices, data = matrix.getValuesCSR()
    tangent = csr_matrix((data, indices, indptr))
    predicted = tangent @ direction
    # What leaves the electrolyte is the sum of its rows; the terminal counts it by a form of its own.
    terminal = terminal_of(model)
    counted = float(np.sum(predicted[terminal.balance]))

    def at(h: float) -> tuple[Array, float]:
        values[:] = base + h * direction
        residuals = residual(model)
        terminal.take_residual(residuals.copy())
        return residuals, terminal.entered

    errors = []
    for h in (1e-1, 1e-2, 1e-3):
        (above, more), (below, less) = at(h), at(-h)
        difference = (above - below) / (2.0 * h) - predicted
        fields = (dofs.concentration, dofs.chemical_potential)
        errors.append(
            [float(np.linalg.norm(difference[d]) / np.linalg.norm(predicted[d])) for d in fields]
            + [abs((more - less) / (2.0 * h) - counted) / abs(counted)]
        )
    values[:] = base
    found = np.array(errors)
    assert np.all(found.min(axis=0) < 1e-7)
    resolved = found[1] > 1e-8
    assert np.all(np.abs(np.log10(found[0] / found[1])[resolved] - 2.0) < 0.2)


def holds_current(terminal: Terminal, level: float) -> None:
    terminal.control_current(15.0 + level)


def holds_voltage(terminal: Terminal, level: float) -> None:
    sign, opposite = terminal.counter.sign, 0.0 if terminal.counter.sign > 0.0 else 3.9
    terminal.control_potential(opposite + sign * (0.68 - 0.004 * level))


@pytest.mark.parametrize("told", [holds_current, holds_voltage])
@pytest.mark.parametrize("counter", [LithiumMetal(parameter(2.0)), CATHODE], ids=["half cell", "full cell"])
def test_newton_converges_quadratically(
    counter: CounterElectrode, told: Callable[[Terminal, float], None]
) -> None:
    model = cell(MPI.COMM_SELF, reacting(), counter=counter, separator_resistance=2e-3, start=0.4)
    settings = replace(TIGHT, kept_tangent=0.0)
    solver, terminal, history = NewtonSolver(model, settings), terminal_of(model), []
    solver.snes.setMonitor(lambda snes, iteration, norm: history.append(float(norm)))
    for level in range(3):
        told(terminal, float(level))
        model.prepare_step(20.0)
        history.clear()
        outcome = solver.solve()
        assert outcome.converged, outcome
        model.commit()
        if level == 0:
            continue  # the first one begins with a jump
        norms = [norm for norm in history if norm > 1e-9]
        a, b, c = np.log(norms[-3:])
        assert c < np.log(1e-2) and c - 2.0 * b < b - 2.0 * a + np.log(30.0), history
