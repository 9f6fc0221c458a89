"""Tables whose rows are spread over the ranks: brought together on rank 0, and dealt out again."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

Number = TypeVar("Number", np.float64, np.int64)


def gather_rows(comm: MPI.Intracomm, rows: npt.NDArray[Number]) -> npt.NDArray[Number] | None:
    """Join all ranks' rows on rank 0, in order of the ranks.

    Args:
        comm: Ranks.
        rows: This rank's rows, shape (n, columns); the number of columns is the same on every rank.

    Returns:
        Shape (all rows, columns) on rank 0, None elsewhere.
    """
    counts = comm.gather(rows.size)
    send = np.ascontiguousarray(rows)
    if counts is None:
        comm.Gatherv(send, None)
        return None
    whole = np.empty(sum(counts), dtype=rows.dtype)
    comm.Gatherv(send, (whole, counts))
    return whole.reshape(-1, rows.shape[1])


def scatter_rows(
    comm: MPI.Intracomm, table: Any, wanted: npt.NDArray[np.int64], kind: type[Number]
) -> npt.NDArray[Number]:
    """Give every rank the rows it wants of a table on rank 0.

    Args:
        comm: Ranks.
        table: On rank 0, shape (rows, columns); None elsewhere.
        wanted: Row numbers this rank wants, shape (n,).
        kind: Type of its numbers, on all ranks.

    Returns:
        Shape (n, columns).
    """
    columns = comm.bcast(None if table is None else table.shape[1])
    asked = gather_rows(comm, wanted[:, None])
    counts = comm.gather(wanted.size * columns)
    rows = np.empty((wanted.size, columns), dtype=kind)
    if table is None or asked is None or counts is None:
        comm.Scatterv(None, rows)
    else:
        comm.Scatterv((np.ascontiguousarray(table[asked[:, 0]]), counts), rows)
    return rows
