"""The border of Newton's matrix: the row and the column of the terminal's one unknown (see fem/cell.py)."""

from __future__ import annotations

from petsc4py import PETSc

from fem.cell import Terminal


class Border:
    """Completes the update of the fields by that of the terminal's unknown; all methods are collective.

    Args:
        terminal: The terminal.
        matrix: Gives the layout of the vectors.
    """

    def __init__(self, terminal: Terminal, matrix: PETSc.Mat):
        self._terminal = terminal
        self._face, self._row = matrix.createVecs()
        self._response, self._balance = self._face.duplicate(), self._row.duplicate()
        for vector, dofs in ((self._face, terminal.dofs), (self._balance, terminal.balance)):
            vector.set(0.0)
            vector.array[dofs] = 1.0

    def take_rows(self, tangent: PETSc.Mat, unknowns: PETSc.Vec) -> None:
        """Sum all rows of the electrolyte's balance before some are replaced: the derivative of what leaves it.

        What flows inside it adds up to nothing.
        """
        tangent.multTranspose(self._balance, self._row)
        self._terminal.note_rounding(self._row.array_r, unknowns.array_r)

    def complete(self, linear: PETSc.KSP, update: PETSc.Vec) -> bool:
        """Add the response to the terminal's unknown to an update of the fields (unknowns become unknowns - update).

        Returns:
            False where the linear solver failed; the update is then not completed. The same on every rank.
        """
        linear.solve(self._face, self._response)
        if linear.getConvergedReason() < 0:
            return False
        row = self._row
        share = self._terminal.share(row.dot(update), row.dot(self._response))
        update.axpy(share, self._response)
        # One number for the whole face, so that it stays an equipotential to the last bit.
        update.array[self._terminal.dofs] = share
        return True
