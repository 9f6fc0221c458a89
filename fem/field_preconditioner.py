"""Preconditioner over two fields in turn: lithium, displacement with what that has changed, lithium once more.

Lithium makes stress, and stress moves lithium. Concentration and chemical potential have a tenth of all unknowns and a
block that is neither symmetric nor definite, with grains coupled through their exchange: it is factorised. Displacement
has a cycle of multigrid.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from fem import factorisation
from fem.displacement_multigrid import DisplacementMultigrid
from fem.field_blocks import FieldBlocks
from fem.model import ElectrodeModel

Integers = npt.NDArray[np.int32]


class FieldPreconditioner:
    """Approximate inverse of the coupled tangent; all methods are collective.

    Args:
        model: The coupled model.
        constrained: Owned dofs with prescribed values.
        prefix: Of its PETSc options, its own and the same on every rank.
    """

    def __init__(self, model: ElectrodeModel, constrained: Integers, prefix: str):
        self._previous = model.state.previous
        self._blocks = FieldBlocks(model)
        self._nodes = self._blocks.node_dofs
        self._lithium_dofs = self._blocks.lithium_dofs
        self._held = np.flatnonzero(np.isin(self._nodes.ravel(), constrained))
        self._multigrid = DisplacementMultigrid(prefix + "displacement_")
        self._prefix = prefix + "lithium_"
        self._lithium: PETSc.PC | None = None
        self._parts: dict[str, PETSc.Mat] = {}
        self._vectors: dict[str, PETSc.Vec] = {}

    def take(self, matrix: PETSc.Mat, renew: bool = True) -> None:
        """Prepare for a matrix, the same as before or one with other values.

        Args:
            matrix: The coupled tangent.
            renew: Whether the coarse levels of the displacement are made anew.
        """
        parts = self._parts = self._blocks.cut(matrix)
        stiffness = parts["uu"]
        start = stiffness.getOwnershipRange()[0]
        diagonal = stiffness.getDiagonal()
        # The largest, not the mean: BLAS sums in an order that depends on where a vector lies in memory.
        largest = diagonal.norm(PETSc.NormType.NORM_INFINITY)
        diagonal.destroy()
        stiffness.zeroRowsColumns((self._held + start).astype(PETSc.IntType), diag=largest)
        self._coarsen(renew)
        if not self._vectors:
            for field in ("u", "l") if self._blocks.lithium is not None else ("u",):
                self._vectors[field], self._vectors["residual_" + field] = parts[2 * field].createVecs()
        if self._blocks.lithium is not None:
            if self._lithium is None:
                self._lithium = PETSc.PC().create(matrix.getComm())
                self._lithium.setOptionsPrefix(self._prefix)
                self._lithium.setType("lu")
                self._lithium.setFactorSolverType("mumps")
            factorisation.set_up(self._lithium, parts["ll"])

    def renew(self) -> None:
        """Make the coarse levels of the displacement anew, of the matrix that was taken last."""
        self._coarsen(True)

    def _coarsen(self, renew: bool) -> None:
        positions = self._blocks.node_position + self._previous.x.array[self._nodes]
        self._multigrid.take(self._parts["uu"], positions, renew)

    def apply(self, residual: PETSc.Vec, correction: PETSc.Vec) -> None:
        """Approximate solution for a residual, which has nothing in the rows of prescribed dofs."""
        u, right_u = self._vectors["u"], self._vectors["residual_u"]
        right_u.array[:] = residual.array_r[self._nodes.ravel()]
        if self._lithium is None:
            self._cycle(right_u, u)
        else:
            lithium, right_l = self._vectors["l"], self._vectors["residual_l"]
            right_l.array[:] = residual.array_r[self._lithium_dofs]
            self._lithium.apply(right_l, lithium)
            lithium.scale(-1.0)
            self._parts["ul"].multAdd(lithium, right_u, right_u)
            self._cycle(right_u, u)
            u.scale(-1.0)
            self._parts["lu"].multAdd(u, right_l, right_l)
            u.scale(-1.0)
            self._lithium.apply(right_l, lithium)
            correction.array[self._lithium_dofs] = lithium.array_r
        correction.array[self._nodes.ravel()] = u.array_r

    def _cycle(self, right: PETSc.Vec, u: PETSc.Vec) -> None:
        """Displacement for a force. Coarse spaces move prescribed dofs as well, which must stay where they are."""
        right.array[self._held] = 0.0
        self._multigrid.apply(right, u)
        u.array[self._held] = 0.0

    def forget(self) -> None:
        """Drop everything that comes from a matrix."""
        self._multigrid.forget()
        if self._lithium is not None:
            self._lithium.destroy()
            self._lithium = None
        for vector in self._vectors.values():
            vector.destroy()
        self._vectors, self._parts = {}, {}
        self._blocks.forget()
