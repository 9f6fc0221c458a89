"""Linear solvers of a Newton step by name: direct (MUMPS), or iterative for large blocks in three dimensions.

The iterative one is a Krylov method on the coupled system (fem/scaled_krylov.py) whose preconditioner takes lithium
and displacement in turn (fem/field_preconditioner.py).
To PETSc's SNES it is the preconditioner of a solver that applies it once, as a factorisation would be: what the rest of
the product does with a linear solver (a second right-hand side for the terminal, forgetting) stays the same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from fem.errors import SolverError
from fem.field_preconditioner import FieldPreconditioner
from fem.model import ElectrodeModel
from fem.scaled_krylov import ScaledKrylov
from fem.solver_settings import SolverSettings

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

DIRECT, ITERATIVE, AUTO = "direct", "iterative", "auto"
# Above so many unknowns in three dimensions the iterative solver is taken: at 33,000 both take the same time, and the
# direct one's cost and memory per unknown grow with their number (docs/solvers.md).
AUTO_UNKNOWNS = 50_000
_SOLVERS = itertools.count()
# Coarse levels of an earlier matrix serve on until they take so many times the iterations they took at first. Making
# them costs as much as a dozen iterations do (docs/solvers.md).
_TIRED = 1.5


def chosen(settings: SolverSettings, model: ElectrodeModel) -> str:
    """``direct`` or ``iterative``: what the settings say, or what suits the model."""
    if settings.linear != AUTO:
        return settings.linear
    map_ = model.state.space.dofmap.index_map
    large = map_.size_global * model.state.space.dofmap.index_map_bs >= AUTO_UNKNOWNS
    return ITERATIVE if large and model.domain.dimension == 3 else DIRECT


def set_up(
    linear: PETSc.KSP,
    model: ElectrodeModel,
    settings: SolverSettings,
    constrained: Integers,
    tolerances: Array,
) -> IterativeSolver | None:
    """Make PETSc's solver of Newton's linear systems what the settings say.

    Args:
        linear: The solver.
        model: The coupled model.
        settings: Names the solver.
        constrained: Owned dofs with prescribed values; their rows are those of the identity.
        tolerances: What Newton's method tolerates of each owned residual entry, shape (owned dofs,).

    Returns:
        The iterative solver, which counts its work, or None.
    """
    linear.setType("preonly")
    preconditioner = linear.getPC()
    if chosen(settings, model) == DIRECT:
        preconditioner.setType("cholesky" if settings.symmetric else "lu")
        preconditioner.setFactorSolverType("mumps")
        return None
    solver = IterativeSolver(model, settings, constrained, tolerances)
    preconditioner.setType("python")
    preconditioner.setPythonContext(solver)
    return solver


@dataclass
class LinearWork:
    """What the iterative solver has done so far.

    Attributes:
        solves: Linear systems.
        iterations: Krylov iterations of all of them.
        largest: Most iterations of one.
        failures: Systems that were not solved.
        setups: Matrices it was set up for.
        renewals: Times that coarse levels were made.
    """

    solves: int = 0
    iterations: int = 0
    largest: int = 0
    failures: int = 0
    setups: int = 0
    renewals: int = 0


class IterativeSolver:
    """A preconditioner for PETSc that solves the system by a Krylov method; all methods are collective.

    Args:
        model: The coupled model.
        settings: Tolerance and the most iterations.
        constrained: Owned dofs with prescribed values.
        tolerances: What Newton's method tolerates of each owned residual entry, shape (owned dofs,).
    """

    def __init__(
        self, model: ElectrodeModel, settings: SolverSettings, constrained: Integers, tolerances: Array
    ):
        self._settings, self._constrained, self._tolerances = settings, constrained, tolerances
        self._fields = FieldPreconditioner(model, constrained, f"swellbound_iterative_{next(_SOLVERS)}_")
        self._krylov: ScaledKrylov | None = None
        # Iterations of the first system after coarse levels were made (None before it), and whether they tire.
        self._fresh: int | None = None
        self._tired = True
        self.work = LinearWork()

    def setUp(self, preconditioner: PETSc.PC) -> None:
        """A matrix is to be solved with."""
        matrix = preconditioner.getOperators()[0]
        if self._krylov is not None and self._krylov.matrix.handle != matrix.handle:
            self.reset(preconditioner)
        self._fields.take(matrix, self._tired)
        if self._tired:
            self._renewed()
        if self._krylov is None:
            self._krylov = ScaledKrylov(
                matrix, self._fields.apply, self._constrained, self._tolerances, self._settings
            )
        self.work.setups += 1

    def apply(self, preconditioner: PETSc.PC, right: PETSc.Vec, solution: PETSc.Vec) -> None:
        """Solve; where that fails, the solver above is told so and Newton's step fails.

        Raises:
            SolverError: Nothing has been set up for a matrix.
        """
        if self._krylov is None:
            raise SolverError(
                "the iterative linear solver has no matrix: set it up for one before it is applied"
            )
        iterations, solved = self._krylov.solve(right, solution)
        work, kept = self.work, self._fresh is not None
        if not solved and kept:
            self._fields.renew()
            self._renewed()
            work.iterations += iterations
            iterations, solved = self._krylov.solve(right, solution)
        if self._fresh is None:
            self._fresh = iterations
        self._tired = not solved or iterations > _TIRED * self._fresh
        work.solves, work.iterations = work.solves + 1, work.iterations + iterations
        work.largest = max(work.largest, iterations)
        work.failures += not solved
        reasons = PETSc.PC.FailedReason
        preconditioner.setFailedReason(reasons.NOERROR if solved else reasons.SUBPC_ERROR)

    def _renewed(self) -> None:
        self.work.renewals += 1
        self._fresh, self._tired = None, False

    def reset(self, preconditioner: PETSc.PC) -> None:
        """Forget everything that comes from a matrix."""
        self._fresh, self._tired = None, True
        if self._krylov is not None:
            self._krylov.free()
            self._krylov = None
        self._fields.forget()

    destroy = reset  # called by PETSc as well
