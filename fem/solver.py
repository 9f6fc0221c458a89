"""Newton's method on the coupled problem through PETSc SNES, with convergence demanded of every field."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI
from petsc4py import PETSc

from fem import balances, compat
from fem.constraints import Constraint
from fem.matrix_pattern import add_entries, widened
from fem.model import ElectrodeModel
from fem.update_limits import UpdateLimits

# Numbers the solvers of a process, the same on every rank, so that their PETSc options do not mix.
_SOLVERS = itertools.count()
# Imbalance, in tolerances, below which only rounding may hold up convergence: no grain is to blame.
_ROUNDING = 100.0
# How often a step is halved to keep the residual finite, and the motion, in first updates, above which that is tried.
_HALVINGS, _WORTH_A_LOOK = 4, 0.1


@dataclass(frozen=True)
class SolverSettings:
    """Settings of the nonlinear and linear solver.

    Attributes:
        force_tolerance: Largest nodal force imbalance in MPa·µm (per µm of depth in 2D).
        lithium_tolerance: Largest nodal lithium imbalance relative to a node's capacity.
        potential_tolerance: Largest error of the chemical potential in pJ/fmol.
        displacement_tolerance: Largest last change of displacement in µm.
        maximum_iterations: Newton iterations before a step is given up.
        patience: Iterations without progress after which the grains that hold it up are slowed.
        first_update: Change of displacement in µm that the first iteration may make.
        largest_update: Largest change of displacement in one iteration in µm.
        largest_strain: Largest change of the displacement gradient of a solid cell in one iteration.
        line_search: PETSc line search: ``bt`` or ``basic``.
        symmetric: Factorise L D Lᵀ of the upper triangle of the tangent, which takes two thirds of the time of L U.
            For mechanics without flow and friction at small strain, where the tangent is symmetric but for terms of
            the order of the strain; convergence is then linear at that rate. Only with the line search ``basic``.
    """

    force_tolerance: float = 1.0e-6
    lithium_tolerance: float = 1.0e-9
    potential_tolerance: float = 1.0e-6
    displacement_tolerance: float = 1.0e-5
    maximum_iterations: int = 30
    patience: int = 8
    first_update: float = 0.1
    largest_update: float = 0.5
    largest_strain: float = 0.1
    line_search: str = "basic"
    symmetric: bool = False


@dataclass
class Timing:
    """Accumulated work."""

    iterations: int = 0
    residuals: int = 0
    residual_seconds: float = 0.0
    jacobian_seconds: float = 0.0
    solve_seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """Result of one nonlinear solve."""

    converged: bool
    iterations: int
    reason: str
    norms: tuple[float, float, float] = field(default=(np.nan, np.nan, np.nan))


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
        dofs, owned = model.state.dofs, model.state.dofs.owned
        self._fields = [
            d[d < owned] for d in (dofs.displacement, dofs.concentration, dofs.chemical_potential)
        ]
        self._constrained = np.unique(
            np.concatenate([np.empty(0, dtype=np.int32)] + [c.dofs for c in model.constraints])
        ).astype(np.int32)
        self._nodal_weights = self._weights()
        self._limits = UpdateLimits(model, settings, self._fields[0], self._fields[1], self._constrained)
        snes = PETSc.SNES().create(model.comm)
        prefix = f"swellbound_{next(_SOLVERS)}_"
        snes.setOptionsPrefix(prefix)
        snes.setType("newtonls")
        snes.setFunction(self._function, self._residual)
        snes.setJacobian(self._jacobian, self.matrix)
        snes.setConvergenceTest(self._test)
        snes.setLineSearchPreCheck(self._limit)
        snes.setTolerances(max_it=settings.maximum_iterations)
        ksp = snes.getKSP()
        ksp.setType("preonly")
        ksp.getPC().setType("cholesky" if settings.symmetric else "lu")
        ksp.getPC().setFactorSolverType("mumps")
        database = PETSc.Options()
        given = {"snes_linesearch_type": settings.line_search, **(options or {})}
        for key, value in given.items():
            database[prefix + key] = value
        snes.setFromOptions()
        for key in given:
            del database[prefix + key]
        self.snes = snes
        self.on_stagnation: Callable[[set[int]], None] | None = None
        self._forces: list[float] = []
        self.norms = (np.nan, np.nan, np.nan)

    def solve(self) -> Outcome:
        """Solve the current step, starting from the model's unknowns."""
        unknowns = self.model.state.unknowns
        owned = self.model.state.dofs.owned
        self._make_room()
        self._solution.array[:] = unknowns.x.array[:owned]
        self._forces.clear()
        self._limits.reset()
        started = time.perf_counter()
        before = self.timing.residual_seconds + self.timing.jacobian_seconds
        self.snes.solve(None, self._solution)
        inside = self.timing.residual_seconds + self.timing.jacobian_seconds - before
        self.timing.solve_seconds += time.perf_counter() - started - inside
        iterations, reason = self.snes.getIterationNumber(), self.snes.getConvergedReason()
        self.timing.iterations += max(iterations, 1)
        self._take(self._solution)
        finite = self.model.update_flow()
        converged = reason > 0 and finite
        return Outcome(converged, iterations, _REASONS.get(reason, str(reason)), self.norms)

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
        model = self.model
        local = np.zeros(model.state.dofs.owned)
        local[self._fields[0]] = np.abs(self._residual.array_r[self._fields[0]])
        local[~np.isfinite(local)] = np.inf
        largest = model.comm.allreduce(float(np.max(local, initial=0.0)), op=MPI.MAX)
        dofs = model.state.dofs.cell_displacement.reshape(len(model.domain.cell_grain), -1)
        full = np.zeros(len(model.state.unknowns.x.array))
        full[: len(local)] = local
        per_cell = np.max(full[dofs], axis=1, initial=0.0)
        here = set(np.unique(model.domain.cell_grain[per_cell >= 0.1 * largest]).tolist())
        return set().union(*model.comm.allgather(here))

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
            f.array[:] = values
        else:
            f.set(np.nan)
        self.timing.residuals += 1
        self.timing.residual_seconds += time.perf_counter() - started

    def _jacobian(
        self, snes: PETSc.SNES, x: PETSc.Vec, jacobian: PETSc.Mat, preconditioner: PETSc.Mat
    ) -> None:
        started = time.perf_counter()
        compat.assemble_matrix(jacobian, self.model.jacobian_form)
        contact = self.model.surface_contact
        if contact is not None and contact.pairs is not None:
            add_entries(jacobian, *contact.stiffness())
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
        residual = self._residual.array_r
        largest = [
            np.max(np.abs(residual[d]) / w, initial=0.0)
            for d, w in zip(self._fields, self._nodal_weights, strict=True)
        ]
        step = 0.0
        if iteration > 0:
            update = self.snes.getSolutionUpdate().array_r
            step = float(np.max(np.abs(update[self._fields[0]]), initial=0.0))
        local = np.array([*largest, step])
        local[~np.isfinite(local)] = np.inf
        values = np.empty_like(local)
        self.model.comm.Allreduce(local, values, op=MPI.MAX)
        self.norms = (float(values[0]), float(values[1]), float(values[2]))
        settings = self.settings
        if not np.all(np.isfinite(values)):
            return int(PETSc.SNES.ConvergedReason.DIVERGED_FNORM_NAN)
        done = (
            values[0] <= settings.force_tolerance
            and values[1] <= settings.lithium_tolerance
            and values[2] <= settings.potential_tolerance
            and values[3] <= settings.displacement_tolerance
        )
        if done:
            return int(PETSc.SNES.ConvergedReason.CONVERGED_FNORM_ABS)
        self._forces.append(self.norms[0])
        if self.on_stagnation is not None and self._stagnates():
            self._forces.clear()
            self.on_stagnation(self.restless_grains())
        if iteration >= settings.maximum_iterations:
            return int(PETSc.SNES.ConvergedReason.DIVERGED_MAX_IT)
        return 0

    def _stagnates(self) -> bool:
        """Whether the imbalance of the last iterations is no better than that of those before."""
        recent = self.settings.patience // 2
        if (
            len(self._forces) <= self.settings.patience
            or self._forces[-1] < _ROUNDING * self.settings.force_tolerance
        ):
            return False
        return min(self._forces[-recent:]) > 0.3 * min(self._forces[:-recent])

    def _limit(self, x: PETSc.Vec, y: PETSc.Vec) -> bool:
        """Shorten a Newton step (x becomes x - y) before it is taken; see fem/update_limits.py."""
        values = y.array
        moved = self._limits.shorten(x.array_r, values, self.norms[0])
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

    def _weights(self) -> list[npt.NDArray[np.float64]]:
        """What each residual entry is measured against: 1, a node's capacity in fmol, and its volume."""
        if not self.model.state.has_lithium:
            return [np.ones(len(self._fields[0])), np.empty(0), np.empty(0)]
        test = balances.split(ufl.TestFunction(self.model.state.space))
        measure = self.model.measures.nodal
        capacity = self.model.coefficients["maximum_concentration"]
        form = (capacity * test.concentration + test.chemical_potential) * measure
        compat.assemble_vector(self._assembled, compat.compile_form(form))
        values = self._assembled.x.array
        return [np.ones(len(self._fields[0])), values[self._fields[1]].copy(), values[self._fields[2]].copy()]


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
