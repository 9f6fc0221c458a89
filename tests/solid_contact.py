"""Blocks of tetrahedra that touch: two that share nothing, and one that is cut by a broken interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from fem import domain
from fem.loads import Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver import SolverSettings
from tests.small import Array, box, faces, law, mesh_of, midpoints, p

MODULUS, POISSON, FRICTION = 1.0e4, 0.3, 0.3
SOLID = Material("alpha", Elasticity(p(MODULUS), p(0.0), p(POISSON)))
SETTINGS = SolverSettings(force_tolerance=1e-9, displacement_tolerance=1e-9, maximum_iterations=40)
EDGE = 2.0
"""Edge of the cubes in µm."""


def two_cubes(
    comm: MPI.Intracomm,
    *,
    counts: Sequence[int] = (2, 3),
    stiffness: float = 1.0e5,
    swapped: bool = False,
    order: Sequence[int] = (0, 1, 2),
    owner: str = "default",
    shaped: Callable[[Array], Array] | None = None,
    shaped_below: Callable[[Array], Array] | None = None,
) -> ElectrodeModel:
    """Two cubes, one on the other, that share nothing and whose meshes do not match; the upper one is pressed down.

    Args:
        comm: Ranks.
        counts: Elements along the edges of the lower and of the upper cube.
        stiffness: Of the contact in MPa/µm.
        swapped: Whether the upper cube is the first grain.
        order: Which old axis each new one is; ``bottom`` and ``top`` stay the faces that are pressed.
        owner: ``"default"``, or ``"seam"`` for a partition that cuts along the contact.
        shaped: Moves the points of the upper cube, shape (points, 3), which is 0 to EDGE wide and high.
        shaped_below: The same of the lower cube.
    """
    (lower, cells), (upper, more) = (box(count, EDGE) for count in counts)
    if shaped is not None:
        upper = shaped(upper)
    if shaped_below is not None:
        lower = shaped_below(lower)
    points = np.concatenate([lower, upper + np.array([0.0, 0.0, EDGE])])
    tetrahedra = np.concatenate([cells, more + len(lower)])
    is_upper = np.arange(len(tetrahedra)) >= len(cells)
    ranks = None if owner == "default" else is_upper.astype(np.int32)
    mesh = mesh_of(comm, points[:, list(order)], tetrahedra, ranks)
    x, y, z = (list(order).index(axis) for axis in range(3))
    named: dict[str, Any] = {
        "bottom": lambda at: np.isclose(at[z], 0.0),
        "top": lambda at: np.isclose(at[z], 2.0 * EDGE),
        "left": lambda at: np.isclose(at[x], 0.0),
        "right": lambda at: np.isclose(at[x], EDGE),
        "front": lambda at: np.isclose(at[y], 0.0),
        "back": lambda at: np.isclose(at[y], EDGE),
    }
    grain = (is_upper[mesh.topology.original_cell_index] != swapped).astype(np.int32)
    where = domain.from_arrays(mesh, grain, ["alpha", "alpha"], named)
    loads = [Support("bottom", z), Support("left", x), Support("front", y), Support("top", z, "press")]
    return ElectrodeModel(where, {"alpha": SOLID}, {}, loads, 333.15, free_contact_stiffness=stiffness)


def slider(
    comm: MPI.Intracomm,
    owner: str = "default",
    contact_stiffness: float = 1.0e5,
    count: int = 2,
    stiffening_depth: float = np.inf,
) -> ElectrodeModel:
    """A cube of 4 µm, cut between two layers by an interface that is broken at once; the upper part is moved.

    Controls: ``press``, and ``pull`` and ``across`` along the first two axes.

    Args:
        comm: Ranks.
        owner: As for :func:`two_cubes`.
        contact_stiffness: In MPa/µm.
        count: Elements along an edge.
        stiffening_depth: Of the contact in µm.
    """
    size = 2.0 * EDGE
    points, cells = box(count, size)
    cut = size * (count // 2) / count
    upper = points[cells].mean(axis=1)[:, 2] > cut
    mesh = mesh_of(comm, points, cells, None if owner == "default" else upper.astype(np.int32))
    where = domain.from_arrays(
        mesh, (midpoints(mesh)[:, 2] > cut).astype(np.int32), ["alpha", "alpha"], faces(size)
    )
    loads = [Support("bottom", axis) for axis in range(3)]
    loads += [Support("top", axis, name) for axis, name in enumerate(("pull", "across", "press"))]
    contact = {"contact_stiffness": contact_stiffness, "contact_stiffening_depth": stiffening_depth}
    weak = law(1.0e-3, 1.0e-6, stiffness=1.0e3, friction=FRICTION, **contact)
    return ElectrodeModel(where, {"alpha": SOLID}, {"alpha|alpha": weak}, loads, 333.15)
