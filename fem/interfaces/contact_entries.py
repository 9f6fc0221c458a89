"""The tangent of contacts as entries of the coupled matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Entries = tuple[Integers, Integers, Array]


def block_entries(dofs: Integers, shape: Array, tensor: Array, owned: range) -> Entries:
    """Rows, columns (global) and values of a block for every contact; places come up once a contact.

    Args:
        dofs: Displacement dofs of the nodes of both facets, shape (P, nodes, dimension).
        shape: Their shape functions, shape (P, nodes).
        tensor: Derivative of the traction by the motion, shape (P, dimension, dimension).
        owned: Global dofs of this rank; only their rows are returned.
    """
    blocks = np.einsum("pi,pj,pab->piajb", shape, shape, tensor)
    flat = dofs.reshape(len(dofs), -1)
    mine = (flat >= owned.start) & (flat < owned.stop)
    size = flat.shape[1]
    rows = np.broadcast_to(flat[:, :, None], (len(flat), size, size))
    columns = np.broadcast_to(flat[:, None, :], rows.shape)
    kept = np.broadcast_to(mine[:, :, None], rows.shape)
    return rows[kept], columns[kept], blocks.reshape(rows.shape)[kept]


def summed_entries(dofs: Integers, shape: Array, tensor: Array, owned: range) -> Entries:
    """The same with every place once, by a sparse product: a block of triangles has 1296 places, and many share them.

    Args:
        dofs: As for :func:`block_entries`.
        shape: As there.
        tensor: As there.
        owned: As there.
    """
    count, nodes, dimension = dofs.shape
    near = np.flatnonzero(((dofs >= owned.start) & (dofs < owned.stop)).any(axis=(1, 2)))
    dofs, shape, tensor = dofs[near], shape[near], tensor[near]
    count = len(near)
    used, column = np.unique(dofs, return_inverse=True)
    column = column.reshape(dofs.shape)
    size = (dimension * count, len(used))
    # One row for each component of each contact: what it moves by when the nodes do.
    pointers = np.arange(dimension * count + 1) * nodes
    motion = sparse.csr_array(
        (
            np.broadcast_to(shape[:, None, :], (count, dimension, nodes)).ravel(),
            column.transpose(0, 2, 1).ravel(),
            pointers,
        ),
        shape=size,
    )
    every = np.broadcast_to(np.einsum("pi,pab->paib", shape, tensor), (count, dimension, nodes, dimension))
    traction = sparse.csr_array(
        (
            every.ravel(),
            np.broadcast_to(column[:, None], every.shape).ravel(),
            np.arange(dimension * count + 1) * nodes * dimension,
        ),
        shape=size,
    )
    mine = (used >= owned.start) & (used < owned.stop)
    product = (motion[:, np.flatnonzero(mine)].T @ traction).tocoo()
    return used[mine][product.row], used[product.col], product.data
