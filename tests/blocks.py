"""A little block in three dimensions for tests of the linear solvers: eight grains of two hosts, held and pressed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc

from fem import compat
from fem.loads import Pressure, Support
from fem.model import ElectrodeModel
from tests.small import box, faces, host, law, mesh_of, midpoints, model_on

SIZE = 2.0


def block(
    comm: MPI.Intracomm,
    *,
    contrast: float = 10.0,
    tie: float = 2.0e5,
    count: int = 2,
    cell_by_cell: bool = False,
) -> ElectrodeModel:
    """Eight cubes, stiff and soft in turn, of which every other one swells; lithium may enter through ``top``.

    Args:
        comm: Ranks.
        contrast: Stiffness of one host over that of the other.
        tie: Stiffness of interfaces, intact and in contact, in MPa/µm; below 2e5 they do not break.
        count: Elements along an edge, even.
        cell_by_cell: Deal the cells out at random, so that ranks lack cells of some colours.
    """
    points, cells = box(count, SIZE)
    owner = np.random.default_rng(3).integers(0, 1000, len(cells)) if cell_by_cell else None
    mesh = mesh_of(comm, points, cells, owner)
    x = midpoints(mesh)
    octant = ((x > SIZE / 2.0) @ np.array([1, 2, 4])).astype(np.int32)
    phases = ["alpha" if bin(number).count("1") % 2 == 0 else "beta" for number in range(8)]
    stiff = host("alpha", youngs_modulus=15e3, swelling=0.01)
    soft = host("beta", youngs_modulus=15e3 / contrast, swelling=0.03, diffusivity=0.1)
    strong = (20.0, 0.31) if tie >= 2.0e5 else (None, None)
    chosen = law(*strong, stiffness=tie, contact_stiffness=tie, exchange_resistance=2.0)
    supports = [Support("bottom", 2), Support("left", 0), Support("front", 1), Pressure("top")]
    return model_on(
        mesh,
        faces(SIZE),
        [stiff, soft],
        supports,
        grain=octant,
        phases=phases,
        laws={kind: chosen for kind in ("alpha|alpha", "alpha|beta", "beta|beta")},
    )


def tangent(model: ElectrodeModel) -> tuple[PETSc.Mat, npt.NDArray[np.int32]]:
    """Tangent of a first step of a second, with rows of the identity for prescribed dofs; and these."""
    held = np.unique(np.concatenate([constraint.dofs for constraint in model.constraints])).astype(np.int32)
    matrix = compat.create_matrix(model.jacobian_form)
    model.prepare_step(1.0)
    if not model.update_flow():
        raise AssertionError("the flow of the undeformed block is not finite")
    compat.assemble_matrix(matrix, model.jacobian_form)
    matrix.zeroRowsLocal(held, diag=1.0)
    return matrix, held
