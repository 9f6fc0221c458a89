"""The largest tension that every point of a brittle phase has seen: a part of the history, rolled back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem

from fem import compat, kinematics

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]


class Tension:
    """Largest principal Cauchy stress at the quadrature points of the phases whose cracking is judged.

    Args:
        model: The coupled model, whose state and bulk law exist.

    Attributes:
        cells: Local cells of those phases, owned ones first, shape (cells,).
        owned: How many of them this rank owns.
    """

    def __init__(self, model: ElectrodeModel):
        self._state, self._mesh = model.state, model.domain.mesh
        brittle = np.array([material.fracture is not None for material in model.materials])
        self.cells: npt.NDArray[np.int32] = np.flatnonzero(brittle[model.domain.cell_phase]).astype(np.int32)
        here = self._mesh.topology.index_map(model.domain.dimension).size_local
        self.owned = int(np.sum(self.cells < here))
        space = model.state.largest_tension.function_space
        self._dofs = np.asarray(space.dofmap.list)[self.cells]
        self._cauchy: dfem.Expression | None = None
        if np.any(brittle):
            self._cauchy = dfem.Expression(
                kinematics.vector_from_symmetric(cauchy_stress(model), model.domain.dimension),
                compat.interpolation_points(space.element),
                jit_options=compat.jit_options(),
            )

    def largest(self) -> Array:
        """Largest tension in MPa seen so far, the present state included, shape (cells, points)."""
        before: Array = self._state.largest_tension.x.array[self._dofs]
        if self._cauchy is None or not len(self.cells):
            return before
        values = np.asarray(self._cauchy.eval(self._mesh, self.cells))
        principal = largest_principal(values.reshape(-1, values.size // before.size))
        return np.maximum(before, principal.reshape(before.shape))

    def commit(self) -> None:
        """Remember the present state; to be called before the flow of the step becomes history."""
        self._state.largest_tension.x.array[self._dofs] = self.largest()


def cauchy_stress(model: ElectrodeModel) -> Any:
    """UFL Cauchy stress in MPa, P Fᵀ / det F."""
    bulk = model.bulk
    return bulk.nominal_stress * bulk.deformation.T / ufl.det(bulk.deformation)


def largest_principal(components: Array) -> Array:
    """Largest eigenvalue of symmetric tensors.

    Args:
        components: 11, 22, 33, 12 (in 2D, where 13 and 23 vanish) or 11, 22, 33, 12, 13, 23, shape (n, 4) or (n, 6).

    Returns:
        Shape (n,).
    """
    if components.shape[1] == 4:
        first, second, third, shear = components.T
        in_plane = 0.5 * (first + second) + np.hypot(0.5 * (first - second), shear)
        return np.maximum(in_plane, third)
    tensor = np.zeros((len(components), 3, 3))
    for number, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
        tensor[:, i, j] = tensor[:, j, i] = components[:, number]
    return np.linalg.eigvalsh(tensor)[:, -1].astype(np.float64)
