"""Flexible GMRES on the coupled system, measured in units of what Newton's method tolerates of each field.

Forces, lithium and chemical potentials have residuals of different units and size. A norm of the bare residual would be
that of the forces alone, and lithium would not be balanced; here every row counts by its own tolerance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from fem.solver_settings import SolverSettings

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

# What may be left of the residual, in Newton's tolerances, however small the relative tolerance: less is no use.
_FLOOR = 0.1
# Iterations after which GMRES starts again with what it has.
_RESTART = 60


class ScaledKrylov:
    """Solves systems with one matrix, whose values may change; all methods are collective.

    Args:
        matrix: The coupled tangent, rows of prescribed dofs those of the identity.
        precondition: Maps a residual to a correction; prescribed dofs without residual get no correction.
        constrained: Owned dofs with prescribed values.
        tolerances: What Newton's method tolerates of each owned residual entry, shape (owned dofs,).
        settings: Relative tolerance and the most iterations.

    Attributes:
        matrix: The matrix.
    """

    def __init__(
        self,
        matrix: PETSc.Mat,
        precondition: Callable[[PETSc.Vec, PETSc.Vec], None],
        constrained: Integers,
        tolerances: Array,
        settings: SolverSettings,
    ):
        self.matrix, self._precondition, self._constrained = matrix, precondition, constrained
        self._tolerance, self._residual = matrix.createVecs()
        self._correction, self._bare = matrix.createVecs()
        self._tolerance.array[:] = tolerances
        operator = PETSc.Mat().createPython(matrix.getSizes(), context=self, comm=matrix.getComm())
        operator.setUp()
        krylov = PETSc.KSP().create(matrix.getComm())
        krylov.setType("fgmres")
        krylov.setGMRESRestart(_RESTART)
        krylov.setOperators(operator)
        krylov.setTolerances(
            rtol=settings.linear_tolerance, atol=_FLOOR, divtol=1.0e8, max_it=settings.linear_iterations
        )
        krylov.getPC().setType("python")
        krylov.getPC().setPythonContext(self)
        self._operator, self._krylov = operator, krylov

    def solve(self, right: PETSc.Vec, solution: PETSc.Vec) -> tuple[int, bool]:
        """Solve a system.

        Args:
            right: Right-hand side.
            solution: Overwritten.

        Returns:
            Iterations, and whether it is solved; if not, the solution is no good.
        """
        # Prescribed values are met first and exactly: no later residual has anything in their rows.
        solution.set(0.0)
        solution.array[self._constrained] = right.array_r[self._constrained]
        self.matrix.mult(solution, self._residual)
        self._residual.aypx(-1.0, right)
        self._residual.array[self._constrained] = 0.0
        self._residual.pointwiseDivide(self._residual, self._tolerance)
        self._krylov.solve(self._residual, self._correction)
        solution.axpy(1.0, self._correction)
        return self._krylov.getIterationNumber(), self._krylov.getConvergedReason() > 0

    def free(self) -> None:
        """Free PETSc's objects."""
        for thing in (
            self._krylov, self._operator, self._tolerance, self._residual, self._correction, self._bare,
        ):  # fmt: skip
            thing.destroy()

    # ------------------------------------------------------------------ called by PETSc

    def mult(self, operator: PETSc.Mat, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """The matrix with its rows in units of the tolerances."""
        self.matrix.mult(x, y)
        y.pointwiseDivide(y, self._tolerance)

    def apply(self, preconditioner: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """The preconditioner of the bare matrix, for a residual in units of the tolerances."""
        self._bare.pointwiseMult(x, self._tolerance)
        self._precondition(self._bare, y)
