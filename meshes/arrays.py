"""Names for the array types in use, and the few array helpers several rooms share."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def norms(vectors: NDArray[Any]) -> Floats:
    """Length of each vector, shape (..., 2) -> (...)."""
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]), dtype=np.float64)


def whole(values: NDArray[Any]) -> list[int]:
    """A one-dimensional array of whole numbers as a list."""
    return cast("list[int]", values.tolist())


def rows(values: NDArray[Any]) -> list[list[int]]:
    """A two-dimensional array of whole numbers as a list of lists."""
    return cast("list[list[int]]", values.tolist())
