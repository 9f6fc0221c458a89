"""Logarithm and exponential of symmetric positive tensors that are stored by components, many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Components (11, 22, 33, 12) in 2D, (11, 22, 33, 12, 13, 23) in 3D, as in fem/kinematics.py.
_ROWS, _COLUMNS = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]


def logarithm(components: Array) -> Array:
    """Logarithm of positive tensors, shape (n, 4) or (n, 6); its trace is the logarithm of the determinant."""
    return _by_eigenvalues(components, np.log)


def exponential(components: Array) -> Array:
    """Exponential of symmetric tensors, shape (n, 4) or (n, 6), of those without trace with determinant one."""
    return _by_eigenvalues(components, np.exp)


def _by_eigenvalues(components: Array, function: Callable[[Array], Array]) -> Array:
    size = components.shape[1]
    tensors = np.zeros((len(components), 3, 3))
    for number in range(size):
        i, j = _ROWS[number], _COLUMNS[number]
        tensors[:, i, j] = tensors[:, j, i] = components[:, number]
    values, vectors = np.linalg.eigh(tensors)
    made = np.einsum("nij,nj,nkj->nik", vectors, function(values), vectors)
    return np.ascontiguousarray(made[:, _ROWS[:size], _COLUMNS[:size]])
