"""A partition that is remembered: which rank owns a cell, and which others see it as a ghost.

Graph partitioners need not give the same answer twice. A run that is to go on bit for bit on as many ranks as before
must give every rank the cells it had.
"""

from __future__ import annotations

from typing import Any

import dolfinx
import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from fem import compat

Lists = dict[str, npt.NDArray[np.int32]]


class KeptPartition:
    """Partitioner of a mesh that rank 0 reads: repeats a known partition, or makes one and remembers it.

    Args:
        comm: Ranks.
        known: The ``lists`` of an earlier one, on rank 0, or None.

    Attributes:
        lists: On rank 0, once the mesh is made: ``ranks`` of every cell of the file, its owner first, one after the
            other, and ``offsets`` to where each cell's begin, shape (cells + 1,).
    """

    def __init__(self, comm: MPI.Intracomm, known: Lists | None = None):
        self._comm = comm
        self.lists = known

    def __call__(self, comm: MPI.Intracomm, parts: int, types: Any, cells: Any) -> Any:
        """Ranks of every cell this rank has read; called by DOLFINx on all ranks."""
        if not self._comm.bcast(self.lists is not None and self._fits(parts, cells)):
            made = compat.shared_facet_partitioner()(comm, parts, types, cells)
            if self._comm.rank == 0:
                self.lists = {"ranks": np.array(made.array), "offsets": np.array(made.offsets)}
            return made
        here = self.lists or {"ranks": np.empty(0, np.int32), "offsets": np.zeros(1, np.int32)}
        lists = dolfinx.graph.adjacencylist(here["ranks"], here["offsets"])
        return getattr(lists, "_cpp_object", lists)

    def _fits(self, parts: int, cells: Any) -> bool:
        """Whether the known partition is one of so many cells to so many ranks."""
        if self.lists is None:
            return False
        if self.lists.keys() != {"ranks", "offsets"}:
            return False
        ranks, offsets = self.lists["ranks"], self.lists["offsets"]
        vertices = np.asarray(cells[0]).size
        whole = len(offsets) > 1 and offsets[0] == 0 and offsets[-1] == len(ranks)
        return bool(
            whole
            and vertices in ((len(offsets) - 1) * 3, (len(offsets) - 1) * 4)
            and ranks.min(initial=0) >= 0
            and set(np.unique(ranks)) == set(range(parts))
        )
