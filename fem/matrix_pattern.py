"""Matrices with room for more entries than a form has: contacts join dofs that share no cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc
from scipy import sparse

Integers = npt.NDArray[np.int64]


def widened(matrix: PETSc.Mat, rows: Integers, columns: Integers) -> PETSc.Mat:
    """A new matrix of zeros with the pattern of ``matrix`` and further entries; collective.

    Args:
        matrix: Assembled AIJ matrix; it is left as it is.
        rows: Global rows of the further entries, all owned by this rank, shape (n,).
        columns: Their global columns, shape (n,).
    """
    start, end = matrix.getOwnershipRange()
    offsets, indices, _ = matrix.getValuesCSR()
    size = (end - start, matrix.getSize()[1])
    old = sparse.csr_array((np.ones(len(indices)), indices, offsets), shape=size)
    new = sparse.coo_array((np.ones(len(rows)), (rows - start, columns)), shape=size)
    both = (old + new.tocsr()).tocsr()
    both.sort_indices()
    index = PETSc.IntType
    result = PETSc.Mat().createAIJ(
        matrix.getSizes(),
        csr=(both.indptr.astype(index), both.indices.astype(index), np.zeros(both.nnz)),
        comm=matrix.getComm(),
    )
    result.setLGMap(*matrix.getLGMap())
    return result


def add_entries(
    matrix: PETSc.Mat, rows: Integers, columns: Integers, values: npt.NDArray[np.float64]
) -> None:
    """Add entries to the owned rows of an assembled matrix whose pattern has room for them; collective."""
    start, end = matrix.getOwnershipRange()
    size = (end - start, matrix.getSize()[1])
    summed = sparse.coo_array((values, (rows - start, columns)), shape=size).tocsr()
    used = np.flatnonzero(np.diff(summed.indptr))
    index = PETSc.IntType
    if len(used):
        matrix.setValuesIJV(
            np.concatenate([[0], summed.indptr[used + 1]]).astype(index),
            summed.indices.astype(index),
            summed.data,
            addv=PETSc.InsertMode.ADD_VALUES,
            rowmap=(used + start).astype(index),
        )
    matrix.assemble()
