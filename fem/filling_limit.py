"""How far one Newton iteration may close the filling of a pore: part of the way to no volume, never beyond."""

from __future__ import annotations

import basix
import numpy as np
import numpy.typing as npt

from fem import compat
from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]

#: Least share of its det F that a point of a filling keeps in one iteration.
_KEPT = 0.25
# An update is shortened by this factor until all points keep theirs; after as many as these it is taken as it is.
_SHORTER, _TRIES = 0.7, 20


class FillingLimit:
    """Shortens updates that would crush a filling.

    What a filling carries grows with an inverse power of its height (fem/constitutive.py). Newton's method settles
    from the closed side; from the open side its first step leads beyond no height at all wherever the filling ends at
    much less than it has, and what is inside out pushes the wrong way. So an update goes part of the way to the bound,
    as interior-point methods do (fraction to the boundary).

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        domain, state = model.domain, model.state
        filling = np.array([not material.solid for material in model.materials], dtype=bool)[
            domain.cell_phase
        ]
        self._dofs = state.dofs.cell_displacement[filling]
        corners = domain.mesh.geometry.x[compat.geometry_dofs(domain.mesh)[filling]][:, :, : domain.dimension]
        inner = np.swapaxes(np.linalg.inv(corners[:, 1:] - corners[:, :1]), 1, 2)
        cell = getattr(basix.CellType, domain.mesh.basix_cell().name)
        degree = 1 if self._dofs.shape[1] == domain.dimension + 1 else 2
        element = basix.create_element(basix.ElementFamily.P, cell, degree, basix.LagrangeVariant.equispaced)
        points, _ = basix.make_quadrature(cell, state.quadrature_degree)
        slopes = element.tabulate(1, points)[1:, :, :, 0]
        #: Gradients of the shape functions, shape (cells, points, nodes, dimension).
        self._gradients = np.einsum("jqn,cjk->cqnk", slopes, inner)
        self._identity = np.eye(domain.dimension)

    def gradient(self, values: Array) -> Array:
        """Displacement gradient in the local fillings, shape (cells, points, dimension, dimension).

        Args:
            values: Local unknowns, ghosts included.
        """
        return np.asarray(np.einsum("cnd,cqnk->cqdk", values[self._dofs], self._gradients))

    def share(self, start: Array, update: Array) -> float:
        """Largest share of an update that this rank's fillings allow, at most one.

        Args:
            start: Local unknowns, ghosts included.
            update: What is taken from them, likewise.
        """
        begin = self._identity + self.gradient(start)
        change = self.gradient(update)
        least = _KEPT * np.linalg.det(begin)
        share, left = 1.0, least > 0.0  # what is inside out already has to find its way back
        for _ in range(_TRIES):
            left = left & (np.linalg.det(begin - share * change) < least)
            if not left.any():
                break
            share *= _SHORTER
        return share
