"""Rigid motions of the grains: what the stiffness of a grain that nothing holds does not resist.

Algebraic multigrid needs to know them. Each aggregate of nodes takes the six global motions (three in a section)
restricted to itself into the coarse space. As long as no aggregate reaches across an interface that is loose, the
coarse space therefore holds the rigid motions of *every grain*, without a vector for each: that is what the threshold
in fem/displacement_multigrid.py is for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc

Array = npt.NDArray[np.float64]


def rigid_motions(positions: Array, comm: MPI.Intracomm) -> Array:
    """Translations and infinitesimal rotations of nodes about their common middle; collective.

    Args:
        positions: Of the owned nodes in µm, shape (nodes, dimension).
        comm: Ranks.

    Returns:
        Shape (3 or 6, nodes, dimension), rotations scaled to displacements of the order of one.
    """
    dimension = positions.shape[1]
    total = np.array([*positions.sum(axis=0), float(len(positions))])
    comm.Allreduce(MPI.IN_PLACE, total, op=MPI.SUM)
    centred = positions - total[:dimension] / total[-1]
    size = comm.allreduce(float(np.max(np.abs(centred), initial=0.0)), op=MPI.MAX) or 1.0
    motions = []
    for axis in range(dimension):
        motion = np.zeros_like(positions)
        motion[:, axis] = 1.0
        motions.append(motion)
    for one in range(dimension):
        for other in range(one + 1, dimension):
            motion = np.zeros_like(positions)
            motion[:, one], motion[:, other] = -centred[:, other] / size, centred[:, one] / size
            motions.append(motion)
    return np.array(motions)


def attach_near_null_space(block: PETSc.Mat, positions: Array) -> None:
    """Give a stiffness matrix the rigid motions as its near-null space, orthonormal; collective.

    Args:
        block: Displacement block, all components of a node together, nodes in the order of ``positions``.
        positions: Of the owned nodes in µm, shape (nodes, dimension).
    """
    comm = block.getComm().tompi4py()
    vectors: list[PETSc.Vec] = []
    for motion in rigid_motions(positions, comm):
        vector = block.createVecRight()
        vector.array[:] = motion.ravel()
        for _ in range(2):  # once more for what rounding has left
            for earlier in vectors:
                vector.axpy(-earlier.dot(vector), earlier)
        vector.normalize()
        vectors.append(vector)
    space = PETSc.NullSpace().create(vectors=vectors, comm=comm)
    block.setNearNullSpace(space)
    space.destroy()
    for vector in vectors:
        vector.destroy()
