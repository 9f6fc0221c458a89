"""Newton's method on the coupled problem through PETSc SNES, with convergence demanded of every field."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from petsc4py import PETSc

from fem import compat, factorisation, linear_solver
from fem.constraints import Constraint
from fem.convergence import Convergence
from fem.kept_tangent import KeptTangent
from fem.matrix_pattern import add_entries, widened
from fem.model import ElectrodeModel
from fem.solver_settings import SolverSettings
from fem.terminal_border import Border
from fem.update_limits import UpdateLimits

__all__ = ["NewtonSolver", "Outcome", "SolverSettings", "Timing"]

# Numbers the solvers of a process, the same on every rank, so that their PETSc options do not mix.
_SOLVERS = itertools.count()
# How often a step is halved to keep the residual finite, and the motion, in first updates, above which that is tried.
_HALVINGS, _WORTH_A_LOOK = 4, 0.1


@dataclass
class Timing:
    """Accumulated work."""

    iterations: int = 0
    tangents: int = 0
    residuals: int = 0
    residual_seconds: float = 0.0
    jacobian_seconds: float = 0.0
    solve_seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """Result of one nonlinear solve.

    Attributes:
        converged: Whether every field has.
        iterations: Of Newton's method.
        reason: PETSc's.
        norms: Of the last iterate, see :class:`fem.convergence.Convergence`.
        tangents: Iterations with a tangent of their own; the others cost a fraction of one.
    """

    converged: bool
    iterations: int
    reason: str
    norms: tuple[float, float, float] = field(default=(np.nan, np.nan, np.nan))
    tangents: int = 0


class NewtonSolver:
    """Solves a step of a model; matrices and solvers are built once.

    Args:
        model: The coupled model.
        settings: Tolerances and method.
        options: Further PETSc options without prefix, e.g. ``{"snes_monitor": None}``.
    """

    def __init__(
        self, model: ElectrodeModel, settings: SolverSettings, options: dict[str, object] | None = None
    ):
        self.model, self.settings, self.timing = model, settings, Timing()
        self._assembled = _like(model)
        self._form_matrix = compat.create_matrix(model.jacobian_form)
        self.matrix = self._form_matrix
        self._room: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.matrix.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
        self._solution, self._residual = self.matrix.createVecs()
        self._convergence = Convergence(model, settings)
        held = [constraint.dofs for constraint in model.constraints]
        self._border: Border | None = None
        self._failed = False  # the terminal's linear system was not solved
        if model.terminal is not None:
            held.append(model.terminal.dofs)
            self._border = Border(model.terminal, self.matrix)
        self._constrained = np.unique(np.concatenate([np.empty(0, dtype=np.int32), *held])).astype(np.int32)
        self._kept_tangent = KeptTangent(settings)
        self._limits = UpdateLimits(
            model,
            settings,
            self._convergence.displacement,
            self._convergence.concentration,
            self._constrained,
        )
        snes = PETSc.SNES().create(model.comm)
        prefix = f"swellbound_{next(_SOLVERS)}_"
        snes.setOptionsPrefix(prefix)
        snes.setType("newtonls")
        snes.setFunction(self._function, self._residual)
        snes.setJacobian(self._jacobian, self.matrix)
        snes.setConvergenceTest(self._test)
        snes.setLineSearchPreCheck(self._limit)
        snes.setTolerances(max_it=settings.maximum_iterations)
        self.iterative = linear_solver.set_up(
            snes.getKSP(), model, settings, self._constrained, self._convergence.tolerances()
        )
        database = PETSc.Options()
        given = {"snes_linesearch_type": settings.line_search, **(options or {})}
        for key, value in given.items():
            database[prefix + key] = value
        snes.setFromOptions()
        for key in given:
            del database[prefix + key]
        self.snes = snes

    @property
    def on_stagnation(self) -> Callable[[set[int]], None] | None:
        """Called with the grains that hold up convergence when it stagnates."""
        return self._convergence.on_stagnation

    @on_stagnation.setter
    def on_stagnation(self, action: Callable[[set[int]], None] | None) -> None:
        self._convergence.on_stagnation = action

    def solve(self) -> Outcome:
        """Solve the current step, starting from the model's unknowns."""
        unknowns, owned = self.model.state.unknowns, self.model.state.dofs.owned
        start = unknowns.x.array[:owned].copy()
        outcome = self._attempt()
        factors = self.snes.getKSP().getPC()
        while outcome.reason == _UNSOLVED and factorisation.is_short_of_room(factors):
            if not factorisation.give_room(factors):
                break
            unknowns.x.array[:owned] = start
            outcome = self._attempt()
        return outcome

    def _attempt(self) -> Outcome:
        unknowns, owned = self.model.state.unknowns, self.model.state.dofs.owned
        self._make_room()
        if self.model.terminal is not None:
            self.model.terminal.begin()
        self._solution.array[:] = unknowns.x.array[:owned]
        self._convergence.reset()
        self._limits.reset()
        self._kept_tangent.reset()
        self._failed = False
        started = time.perf_counter()
        before, tangents = self.timing.residual_seconds + self.timing.jacobian_seconds, self.timing.tangents
        self.snes.solve(None, self._solution)
        inside = self.timing.residual_seconds + self.timing.jacobian_seconds - before
        self.timing.solve_seconds += time.perf_counter() - started - inside
        iterations, reason = self.snes.getIterationNumber(), self.snes.getConvergedReason()
        self.timing.iterations += max(iterations, 1)
        self._take(self._solution)
        if self.model.terminal is not None:
            self.model.terminal.solved()
        finite = self.model.update_flow()
        converged = reason > 0 and finite
        said = _REASONS.get(reason, str(reason))
        return Outcome(converged, iterations, said, self._convergence.norms, self.timing.tangents - tangents)

    def forget(self) -> None:
        """Drop what earlier steps have left in the linear solver, so that the next step depends on the state alone.

        A direct solver chooses ordering, pivots and scaling from the first matrix it sees, and room for contacts stays
        once it is made. Both change the last bits of all that follows, and no checkpoint holds them.
        """
        self.snes.getKSP().getPC().reset()
        if self.matrix is not self._form_matrix:
            old, self.matrix = self.matrix, self._form_matrix
            self.snes.setJacobian(self._jacobian, self.matrix)
            self._room = np.empty(0, dtype=np.int64)
            old.destroy()

    def close(self) -> None:
        """Free what PETSc holds; collective. The solver cannot be used afterwards.

        PETSc keeps the functions that it calls, and they keep the solver. The garbage collection does not know how much
        memory stands behind that ring and comes far too late: a solver for a side calculation has to be closed.
        """
        self.snes.destroy()
        self._border = None
        for item in {id(it): it for it in (self.matrix, self._form_matrix)}.values():
            item.destroy()
        for vector in (self._solution, self._residual):
            vector.destroy()
        # On several ranks what Python has dropped waits for all of them.
        PETSc.garbage_cleanup(self.model.comm)

    def _make_room(self) -> None:
        """Give the matrix the entries of the contacts watched in this step, if it lacks any; collective."""
        contact = self.model.surface_contact
        if contact is None:
            return
        key = contact.pair_key()
        if key is None or np.isin(key, self._room).all():
            return
        if not self._form_matrix.isAssembled():
            compat.assemble_matrix(self._form_matrix, self.model.jacobian_form)
        old = self.matrix
        self.matrix = widened(self._form_matrix, *contact.pattern())
        self.matrix.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
        self.snes.setJacobian(self._jacobian, self.matrix)
        self._room = key
        if old is not self._form_matrix:
            old.destroy()

    def restless_grains(self) -> set[int]:
        """Grains with the largest force imbalance of the last iterate; the same on every rank."""
        return self._convergence.restless_grains(self._residual.array_r)

    def _take(self, vector: PETSc.Vec) -> None:
        unknowns = self.model.state.unknowns
        unknowns.x.array[: self.model.state.dofs.owned] = vector.array_r
        unknowns.x.scatter_forward()

    def _function(self, snes: PETSc.SNES, x: PETSc.Vec, f: PETSc.Vec) -> None:
        started = time.perf_counter()
        self._take(x)
        if self.model.update_flow():
            compat.assemble_vector(self._assembled, self.model.residual_form)
            owned = self.model.state.dofs.owned
            values = self._assembled.x.array[:owned].copy()
            if self.model.surface_contact is not None:
                self.model.surface_contact.add_forces(values)
            for constraint in self.model.constraints:
                values[constraint.dofs] = x.array_r[constraint.dofs] - _values(constraint)
            if self.model.terminal is not None:
                self.model.terminal.take_residual(values)
            f.array[:] = values
        else:
            f.set(np.nan)
        self.timing.residuals += 1
        self.timing.residual_seconds += time.perf_counter() - started

    def _jacobian(
        self, snes: PETSc.SNES, x: PETSc.Vec, jacobian: PETSc.Mat, preconditioner: PETSc.Mat
    ) -> None:
        if self._kept_tangent.serves(self._convergence.norms, self._limits.taken):
            return
        started = time.perf_counter()
        self.timing.tangents += 1
        compat.assemble_matrix(jacobian, self.model.jacobian_form)
        contact = self.model.surface_contact
        if contact is not None and contact.pairs is not None:
            add_entries(jacobian, *contact.stiffness())
        if self._border is not None:
            self._border.take_rows(jacobian, x)
        if self.settings.symmetric:
            # Columns go as well: what is known of the update moves to the right-hand side, which is the residual.
            known = self._residual.copy()
            jacobian.zeroRowsColumnsLocal(self._constrained, diag=1.0, x=known, b=self._residual)
            known.destroy()
        else:
            # Whole rows are replaced and columns kept: prescribed values then enter through the linear solve.
            jacobian.zeroRowsLocal(self._constrained, diag=1.0)
        self.timing.jacobian_seconds += time.perf_counter() - started

    def _test(self, snes: PETSc.SNES, iteration: int, norms: tuple[float, float, float]) -> int:
        if self._failed:
            return int(PETSc.SNES.ConvergedReason.DIVERGED_LINEAR_SOLVE)
        update = self.snes.getSolutionUpdate().array_r if iteration > 0 else None
        return self._convergence.reason(iteration, self._residual.array_r, update)

    def _limit(self, x: PETSc.Vec, y: PETSc.Vec) -> bool:
        """Shorten a Newton step (x becomes x - y) before it is taken; see fem/update_limits.py."""
        if self._border is not None and not self._border.complete(self.snes.getKSP(), y):
            self._failed = True
            y.set(0.0)
            return True
        values = y.array
        moved = self._limits.shorten(x.array_r, values, self._convergence.norms[0])
        y.array[:] = values
        if moved > _WORTH_A_LOOK * self.settings.first_update:
            self._stay_finite(x, y)
        return True

    def _stay_finite(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Halve a step until no cell turns inside out and no stress overflows; collective."""
        trial = x.duplicate()
        residual = x.duplicate()
        for _ in range(_HALVINGS):
            trial.waxpy(-1.0, y, x)
            self._function(self.snes, trial, residual)
            if np.isfinite(residual.norm()):
                break
            y.scale(0.5)
            self._limits.halve()
        trial.destroy()
        residual.destroy()


_UNSOLVED = "DIVERGED_LINEAR_SOLVE"
_REASONS = {
    int(getattr(PETSc.SNES.ConvergedReason, name)): name
    for name in dir(PETSc.SNES.ConvergedReason)
    if name.startswith(("CONVERGED", "DIVERGED"))
}


def _like(model: ElectrodeModel) -> dfem.Function:
    return dfem.Function(model.state.space)


def _values(constraint: Constraint) -> object:
    values = constraint.values
    return values if isinstance(values, np.ndarray) else float(values.value)
