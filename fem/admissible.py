"""What no accepted step may have: cells turned inside out, lithiations outside 0 and 1; and grains that are full."""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import compat
from fem.model import ElectrodeModel

# Lithiation of a node from which it counts as full.
_FULL = 0.999


class AdmissibleCheck:
    """min det F > 0 and 0 < x < 1 at every quadrature point and node; its methods are collective.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self.model = model
        space = model.state.increment.function_space
        self._determinant = dfem.Function(space)
        self._expression = dfem.Expression(
            ufl.det(model.bulk.deformation),
            compat.interpolation_points(space.element),
            jit_options=compat.jit_options(),
        )

    def full_grain(self) -> str:
        """A clause about the fullest grain where a node of it is as good as full, else nothing.

        It says what was found, not why the steps failed: a full grain is a likely reason, but not the only one.
        """
        model, storing = self.model, self.model.storing_dofs
        share = np.zeros(len(model.state.previous.x.array))
        share[storing] = model.state.previous.x.array[storing] / model.capacity_of_node[storing]
        per_cell = np.max(share[model.state.dofs.cell_concentration], axis=1, initial=0.0)
        here = (0.0, "")
        if len(per_cell):
            cell = int(np.argmax(per_cell))
            here = (float(per_cell[cell]), model.domain.grains[model.domain.cell_grain[cell]].name)
        fullest, name = max(model.comm.allgather(here))
        if fullest < _FULL:
            return ""
        return (
            f"; {name} is full in places (lithiation {fullest:.5f}): if that is what stops it, less current "
            "or an end at a lower lithiation helps"
        )

    def problem(self) -> str | None:
        """Why the current unknowns must not be accepted, or None; the same on every rank."""
        model = self.model
        self._determinant.interpolate(self._expression)
        smallest = float(np.min(self._determinant.x.array, initial=np.inf))
        dofs = model.storing_dofs
        x = model.state.unknowns.x.array[dofs] / model.capacity_of_node[dofs]
        low, high = float(np.min(x, initial=1.0)), float(np.max(x, initial=0.0))
        local = np.array([smallest, low, -high])
        values = np.empty(3)
        local[np.isnan(local)] = -np.inf
        model.comm.Allreduce(local, values, op=MPI.MIN)
        if not values[0] > 0.0:
            return f"min det F = {values[0]:.3g}"
        if not values[1] > 0.0:
            return f"lithiation {values[1]:.3g} at a node"
        if not -values[2] < 1.0 + 1e-12:
            return f"lithiation {-values[2]:.6g} at a node"
        return None
