"""How far one Newton iteration may go: trust radius, bound on strain, damped turns, concentrations in bounds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import compat
from fem.filling_limit import FillingLimit
from fem.model import ElectrodeModel
from fem.solver_settings import SolverSettings

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

# An imbalance that grows by more than this factor shrinks the trust radius.
_WORSE = 3.0
# Cosine between two updates below which the second turns back, and the smallest share of an update that is taken then.
_TURNED, _LEAST = -0.4, 1.0 / 16.0
# Volume ratio between its corners below which a cell's own strain is not told: squeezed metal flows until its curved
# edges alone hold it open, and while its corners pass each other every motion would strain their triangle by much.
_FLAT = 0.05
# Share of the way to a bound that a concentration may go at once.
_TOWARDS_BOUND = 0.9


class UpdateLimits:
    """Shortens Newton updates.

    Full steps converge far better here than a line search on the residual, whose stiff contact terms rise before they
    fall. What needs a bound: a loose grain must not fly off (a trust radius on the largest displacement, which shrinks
    after the imbalance has grown and widens while it falls as it should), a tip must not turn inside out (strain of
    solid cells), updates that keep turning back (a cycle between two sets of open facets) are shortened, and
    concentrations stay inside (0, c_max).

    Args:
        model: The coupled model.
        settings: The solver's settings.
        displacement: Owned displacement dofs.
        concentration: Owned concentration dofs.
        constrained: Owned dofs with prescribed values: their updates are not clipped.

    Attributes:
        taken: Share of the last update that was taken.
    """

    def __init__(
        self,
        model: ElectrodeModel,
        settings: SolverSettings,
        displacement: Integers,
        concentration: Integers,
        constrained: Integers,
    ):
        self._model, self._settings = model, settings
        self._displacement, self._concentration = displacement, concentration
        self._unbounded = ~np.isin(concentration, np.setdiff1d(model.storing_dofs, constrained))
        self._scratch = dfem.Function(model.state.space)
        self._corner_dofs, self._gradients = _solid_cells(model)
        self._fillings = FillingLimit(model)
        self.reset()

    def reset(self) -> None:
        """Forget the last solve."""
        self._damping, self._last_force, self.taken = 1.0, np.inf, 1.0
        self._radius = self._settings.first_update
        self._last_update: Array | None = None

    def halve(self) -> None:
        """The update turned out too long by half or more."""
        self._radius, self.taken = 0.5 * self._radius, 0.5 * self.taken

    def shorten(self, start: Array, update: Array, force: float) -> float:
        """Shorten an update in place (unknowns become start - update); collective.

        Args:
            start: Owned unknowns, shape (owned dofs,).
            update: Owned part of the update, shape (owned dofs,).
            force: Largest nodal imbalance in MPa·µm.

        Returns:
            Largest change of displacement in µm before it was shortened.
        """
        moved = float(np.max(np.abs(update[self._displacement]), initial=0.0))
        moved = float(self._model.comm.allreduce(moved, op=MPI.MAX))
        self._adapt_radius(force)
        factor = min(1.0, self._radius / moved) if moved > 0.0 else 1.0
        strain, fillings = self._largest_strain(start, update), self._share_of_fillings(start, update)
        if strain > self._settings.largest_strain:
            factor = min(factor, self._settings.largest_strain / strain)
        factor = min(factor, fillings)
        self.taken = min(factor, self._damped(update[self._displacement], moved))
        if self.taken < 1.0:
            update *= self.taken
        self._keep_in_bounds(start, update)
        return moved

    def _adapt_radius(self, force: float) -> None:
        first, widest = self._settings.first_update, self._settings.largest_update
        if force > _WORSE * self._last_force:
            self._radius = max(0.4 * self._radius, 0.01 * first)
        elif self.taken < 1.0 and force < (1.0 - 0.3 * self.taken) * self._last_force:
            self._radius = min(2.0 * self._radius, widest)
        else:
            self._radius = max(self._radius, min(1.2 * self._radius, first))
        self._last_force = force

    def _damped(self, update: Array, moved: float) -> float:
        """Share of an update that is taken because it turns the last one back."""
        last, self._last_update = self._last_update, update.copy()
        if last is not None:
            local, products = np.array([update @ last, update @ update, last @ last]), np.empty(3)
            self._model.comm.Allreduce(local, products, op=MPI.SUM)
            turns = products[0] < _TURNED * np.sqrt(products[1] * products[2])
            if turns and moved > self._settings.displacement_tolerance:
                self._damping = max(0.5 * self._damping, _LEAST)
            else:
                self._damping = min(2.0 * self._damping, 1.0)
        return self._damping

    def _keep_in_bounds(self, start: Array, update: Array) -> None:
        dofs = self._concentration
        begin, bound = start[dofs], self._model.capacity_of_node[dofs]
        low = begin - _TOWARDS_BOUND * np.abs(begin)
        high = begin + _TOWARDS_BOUND * np.abs(bound - begin)
        target = begin - update[dofs]
        update[dofs] = begin - np.where(self._unbounded, target, np.clip(target, low, high))

    def _share_of_fillings(self, start: Array, update: Array) -> float:
        """Share of an update that leaves every filling some volume; the same on every rank."""
        self._scratch.x.array[: len(update)] = update
        self._scratch.x.scatter_forward()
        change = self._scratch.x.array.copy()
        self._scratch.x.array[: len(start)] = start
        self._scratch.x.scatter_forward()
        local = self._fillings.share(self._scratch.x.array, change)
        return float(self._model.comm.allreduce(local, op=MPI.MIN))

    def _largest_strain(self, start: Array, update: Array) -> float:
        """Largest strain that an update means for a solid cell as it is now; the same on every rank.

        Metal that has flowed is thin: what is little strain of the cell as it was meshed may turn it inside out.
        """
        change = self._cell_gradients(update)
        now = self._cell_gradients(start) + np.eye(change.shape[-1])
        whole = np.linalg.det(now) > _FLAT
        change[whole] = change[whole] @ np.linalg.inv(now[whole])
        local = float(np.sqrt(np.max(np.einsum("cdj,cdj->c", change, change), initial=0.0)))
        return float(self._model.comm.allreduce(local, op=MPI.MAX))

    def _cell_gradients(self, values: Array) -> Array:
        """Gradient between the corners of the solid cells, shape (cells, dimension, dimension); collective."""
        self._scratch.x.array[: len(values)] = values
        self._scratch.x.scatter_forward()
        return np.asarray(
            np.einsum("cnd,cnj->cdj", self._scratch.x.array[self._corner_dofs], self._gradients)
        )


def _solid_cells(model: ElectrodeModel) -> tuple[Integers, Array]:
    """Displacement dofs of the corners of all local solid cells and the gradients of their linear shape functions.

    Shapes (cells, corners, dimension) and (cells, corners, dimension).
    """
    domain = model.domain
    solid = np.array([material.solid for material in model.materials], dtype=bool)[domain.cell_phase]
    points = domain.mesh.geometry.x[compat.geometry_dofs(domain.mesh)[solid]][:, :, : domain.dimension]
    edges = points[:, 1:] - points[:, :1]
    inner = np.swapaxes(np.linalg.inv(edges), 1, 2)
    gradients = np.concatenate([-inner.sum(axis=1, keepdims=True), inner], axis=1)
    return model.state.dofs.cell_displacement[solid][:, : domain.dimension + 1], gradients
