"""When a Newton iteration is done: convergence demanded of every field, stagnation, and the grains that cause it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI
from petsc4py import PETSc

from fem import balances, compat
from fem.solver_settings import SolverSettings

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

# Imbalance, in tolerances, below which only rounding may hold up convergence: no grain is to blame.
_ROUNDING = 100.0


class Convergence:
    """Judges the iterations of a solve; all methods but :meth:`reset` are collective.

    Args:
        model: The coupled model.
        settings: The solver's settings.

    Attributes:
        displacement: Owned displacement dofs.
        concentration: Owned concentration dofs.
        chemical_potential: Owned chemical potential dofs.
        norms: Largest nodal imbalance of force in MPa·µm, of lithium relative to a node's capacity, and of the
            chemical potential in pJ/fmol, over all ranks.
        on_stagnation: Called with the grains that hold up convergence when it stagnates.
    """

    def __init__(self, model: ElectrodeModel, settings: SolverSettings):
        self._model, self._settings = model, settings
        dofs, owned = model.state.dofs, model.state.dofs.owned
        self.displacement, self.concentration, self.chemical_potential = (
            d[d < owned] for d in (dofs.displacement, dofs.concentration, dofs.chemical_potential)
        )
        self._weights = self._nodal_weights()
        self.on_stagnation: Callable[[set[int]], None] | None = None
        self.norms = (np.nan, np.nan, np.nan)
        self._forces: list[float] = []
        self._done_once = False

    def reset(self) -> None:
        """A new solve begins."""
        self._forces.clear()
        self._done_once = False

    def reason(self, iteration: int, residual: Array, update: Array | None) -> int:
        """PETSc's converged reason; zero to go on.

        Args:
            iteration: Number of updates taken so far.
            residual: Owned part, shape (owned dofs,).
            update: Owned part of the last update; None before the first.
        """
        fields = (self.displacement, self.concentration, self.chemical_potential)
        largest = [
            np.max(np.abs(residual[d]) / w, initial=0.0) for d, w in zip(fields, self._weights, strict=True)
        ]
        step = 0.0
        if update is not None:
            step = float(np.max(np.abs(update[self.displacement]), initial=0.0))
        local = np.array([*largest, step])
        local[~np.isfinite(local)] = np.inf
        values = np.empty_like(local)
        self._model.comm.Allreduce(local, values, op=MPI.MAX)
        self.norms = (float(values[0]), float(values[1]), float(values[2]))
        settings = self._settings
        if not np.all(np.isfinite(values)):
            return int(PETSc.SNES.ConvergedReason.DIVERGED_FNORM_NAN)
        done = (
            values[0] <= settings.force_tolerance
            and values[1] <= settings.lithium_tolerance
            and values[2] <= settings.potential_tolerance
            and values[3] <= settings.displacement_tolerance
            and (self._model.terminal is None or self._model.terminal.balanced())
        )
        # Newton's method squares what is left: an imbalance that one more iteration leaves is that of rounding.
        more = values[1] > settings.lithium_aim and iteration < settings.maximum_iterations
        if done and more and not self._done_once:
            self._done_once = True
        elif done:
            return int(PETSc.SNES.ConvergedReason.CONVERGED_FNORM_ABS)
        self._forces.append(self.norms[0])
        if self.on_stagnation is not None and self._stagnates():
            self._forces.clear()
            self.on_stagnation(self.restless_grains(residual))
        if iteration >= settings.maximum_iterations:
            return int(PETSc.SNES.ConvergedReason.DIVERGED_MAX_IT)
        return 0

    def tolerances(self) -> Array:
        """What is tolerated of each owned entry of the residual, shape (owned dofs,)."""
        settings = self._settings
        fields = (self.displacement, self.concentration, self.chemical_potential)
        allowed = (settings.force_tolerance, settings.lithium_tolerance, settings.potential_tolerance)
        values = np.ones(self._model.state.dofs.owned)
        for dofs, weights, tolerance in zip(fields, self._weights, allowed, strict=True):
            values[dofs] = tolerance * weights
        return values

    def restless_grains(self, residual: Array) -> set[int]:
        """Grains with the largest force imbalance of the last iterate; the same on every rank."""
        model = self._model
        local = np.zeros(model.state.dofs.owned)
        local[self.displacement] = np.abs(residual[self.displacement])
        local[~np.isfinite(local)] = np.inf
        largest = model.comm.allreduce(float(np.max(local, initial=0.0)), op=MPI.MAX)
        dofs = model.state.dofs.cell_displacement.reshape(len(model.domain.cell_grain), -1)
        full = np.zeros(len(model.state.unknowns.x.array))
        full[: len(local)] = local
        per_cell = np.max(full[dofs], axis=1, initial=0.0)
        here = set(np.unique(model.domain.cell_grain[per_cell >= 0.1 * largest]).tolist())
        return set().union(*model.comm.allgather(here))

    def _stagnates(self) -> bool:
        """Whether the imbalance of the last iterations is no better than that of those before."""
        recent = self._settings.patience // 2
        if (
            len(self._forces) <= self._settings.patience
            or self._forces[-1] < _ROUNDING * self._settings.force_tolerance
        ):
            return False
        return min(self._forces[-recent:]) > 0.3 * min(self._forces[:-recent])

    def _nodal_weights(self) -> list[Array]:
        """What each residual entry is measured against: 1, a node's capacity in fmol, and its volume."""
        if not self._model.state.has_lithium:
            return [np.ones(len(self.displacement)), np.empty(0), np.empty(0)]
        test = balances.split(ufl.TestFunction(self._model.state.space))
        measure = self._model.measures.nodal
        capacity = self._model.coefficients["maximum_concentration"]
        form = (capacity * test.concentration + test.chemical_potential) * measure
        weights = dfem.Function(self._model.state.space)
        compat.assemble_vector(weights, compat.compile_form(form))
        values = weights.x.array
        return [
            np.ones(len(self.displacement)),
            values[self.concentration].copy(),
            values[self.chemical_potential].copy(),
        ]
