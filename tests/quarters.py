"""The little electrode of many tests: four quarters under an electrolyte strip, with the materials that ship."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from fem import domain
from fem.interfaces.library import shipped_laws
from fem.loads import LithiumInflux, Pressure, Support
from fem.materials.library import MATERIALS
from fem.model import ElectrodeModel
from tests.small import Array, grid, mesh_of, midpoints, sides

SIZE = 4.0
HOSTS = ("graphite", "silicon", "silicon", "graphite", "electrolyte")
WITH_METAL = ("graphite", "silicon", "silicon", "lithium", "electrolyte")


def grain_of(middle: Array) -> npt.NDArray[np.int32]:
    """Grain at a place: the quarters from the lower left to the upper right, then the strip."""
    quarter = (middle[:, 0] > 2.0) + 2 * (middle[:, 1] > 1.5)
    return np.where(middle[:, 1] > 3.0, 4, quarter).astype(np.int32)


def cells() -> tuple[Array, npt.NDArray[np.int64]]:
    """Points and triangles."""
    return grid(4, 8, SIZE, SIZE)


def quarters(
    comm: MPI.Intracomm,
    phases: Sequence[str] = HOSTS,
    owner: npt.NDArray[np.int32] | None = None,
    **options: Any,
) -> ElectrodeModel:
    """The electrode, between rollers, to be lithiated through the strip under pressure.

    Args:
        comm: Ranks.
        phases: Phase of each grain.
        owner: Rank of every cell; see :func:`tests.small.mesh_of`.
        options: Of :class:`fem.model.ElectrodeModel`.
    """
    mesh = mesh_of(comm, *cells(), owner)
    where = domain.from_arrays(mesh, grain_of(midpoints(mesh)), list(phases), sides(SIZE, SIZE))
    loads = [
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Pressure("top"),
        LithiumInflux("top"),
    ]
    return ElectrodeModel(where, MATERIALS, shipped_laws(), loads, 333.15, **options)
