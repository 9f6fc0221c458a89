"""Newton solvers of side calculations: closed as soon as these are done, not whenever garbage is collected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fem.errors import Interrupted, RunStopped
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from fem.solver_settings import SolverSettings


@contextmanager
def side_solver(model: ElectrodeModel, settings: SolverSettings) -> Iterator[NewtonSolver]:
    """A solver that is closed when the block ends; collective.

    Closing waits for all ranks. Errors that all of them raise alike close it as well; any other may be of this rank
    alone, which is then to come to the end that ends the others.
    """
    solver = NewtonSolver(model, settings)
    try:
        yield solver
    except (RunStopped, Interrupted):
        solver.close()
        raise
    solver.close()
