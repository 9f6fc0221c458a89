"""Prints what docs/cell.md says about the cost of the terminals' unknown (about a minute, one core).

python3 -m docs.make_cell
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy import sparse

from fem import compat
from fem.solver import NewtonSolver, SolverSettings
from tests.cells import cell, faces, step, terminal_of

COUNT, REPEATS = 48, 3


def seconds(work: Callable[[], None]) -> float:
    """Least processor time in s of some repetitions."""
    found = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def factorised(matrix: PETSc.Mat) -> PETSc.KSP:
    """A direct solver of a matrix, as the Newton solver has it."""
    solver = PETSc.KSP().create(matrix.getComm())
    solver.setOperators(matrix)
    solver.setType("preonly")
    solver.getPC().setType("lu")
    solver.getPC().setFactorSolverType("mumps")
    solver.setUp()
    return solver


def main() -> None:
    """Time assembly, factorisation and solves, with the border outside of the matrix and inside."""
    model = cell(MPI.COMM_SELF, faces(), count=COUNT)
    terminal, newton = terminal_of(model), NewtonSolver(model, SolverSettings())
    terminal.control_current(10.0)
    step(model, newton, 1.0)
    matrix = compat.create_matrix(model.jacobian_form)
    assembly = seconds(lambda: compat.assemble_matrix(matrix, model.jacobian_form))
    face, row = matrix.createVecs()
    balance = face.duplicate()
    for vector, dofs in ((face, terminal.dofs), (balance, terminal.balance)):
        vector.set(0.0)
        vector.array[dofs] = 1.0
    counting = seconds(lambda: matrix.multTranspose(balance, row))
    held = np.unique(np.concatenate([terminal.dofs, *(c.dofs for c in model.constraints)])).astype(np.int32)
    matrix.zeroRowsLocal(held, diag=1.0)
    outside = seconds(lambda: factorised(matrix).destroy())
    solver, answer = factorised(matrix), face.duplicate()
    solve = seconds(lambda: solver.solve(face, answer))
    offsets, indices, data = matrix.getValuesCSR()
    inner = sparse.csr_array((data, indices, offsets))
    whole = sparse.block_array(
        [[inner, -face.array[:, None]], [row.array[None, :], np.zeros((1, 1))]], format="csr"
    )
    bordered = PETSc.Mat().createAIJ(
        whole.shape, csr=(whole.indptr, whole.indices, whole.data), comm=MPI.COMM_SELF
    )
    inside = seconds(lambda: factorised(bordered).destroy())
    print(f"{matrix.getSize()[0]} unknowns, {len(terminal.dofs)} of them on the face; processor seconds:")
    print(
        f"assembly {assembly:.3f}, factorisation {outside:.3f}, a solve {solve:.4f}, the border's row {counting:.4f}"
    )
    print(f"a second solve is {100.0 * solve / outside:.1f} % of the factorisation")
    print(
        f"factorisation with the border inside the matrix {inside:.3f}, {inside / outside:.2f} of that without"
    )


if __name__ == "__main__":
    main()
