"""Steps that are measured by the product's own observer."""

from __future__ import annotations

from fem.model import ElectrodeModel
from fem.observables import Observer, Row
from fem.solver import NewtonSolver


def observed_step(model: ElectrodeModel, solver: NewtonSolver, observer: Observer, dt: float) -> Row:
    """Take one step that must converge; returns its row."""
    model.prepare_step(dt)
    outcome = solver.solve()
    if not outcome.converged:
        raise AssertionError(f"step of {dt} s at t = {model.state.time} s: {outcome}")
    row = observer.measure()
    model.commit()
    return row
