"""Algebraic multigrid for the displacement of grains: smoothed aggregation that does not cross loose interfaces.

Without the threshold multigrid fails as soon as interfaces have broken, because aggregates then reach over gaps
(tests/fem/test_linear_solver.py); with it the stiffness may differ by five orders of magnitude between particles and
pore filling (docs/solvers.md).
"""

from __future__ import annotations

from petsc4py import PETSc

from fem.errors import SolverError
from fem.near_null_space import Array, attach_near_null_space

# Two nodes are aggregated only if their coupling exceeds this share of the mean of their own stiffness.
THRESHOLD = 0.01
# Coarsest level: solved directly on one rank.
_COARSEST = 500


class DisplacementMultigrid:
    """One cycle of multigrid on the displacement block; all methods are collective.

    Aggregates are chosen from the first matrix after :meth:`forget` and kept while Newton's method iterates. The finest
    level always is that of the present matrix; the coarse ones, which cost most, are made when that is asked for.

    Args:
        prefix: Of its PETSc options, its own and the same on every rank.
    """

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._solver: PETSc.PC | None = None

    def take(self, block: PETSc.Mat, positions: Array, renew: bool = True) -> None:
        """Prepare for a matrix.

        Args:
            block: The displacement block, prescribed rows and columns those of a multiple of the identity; the same
                object as before since :meth:`forget`, whose values may have changed.
            positions: Of its nodes in µm, shape (nodes, dimension).
            renew: Whether coarse matrices are made of it; those there are serve on otherwise.
        """
        if self._solver is None:
            attach_near_null_space(block, positions)
            self._solver = self._created(block)
        self._solver.setReusePreconditioner(not renew)
        self._solver.setOperators(block)
        self._solver.setUp()

    def apply(self, residual: PETSc.Vec, correction: PETSc.Vec) -> None:
        """One cycle: ``correction`` is about what solves for ``residual``.

        Raises:
            SolverError: No matrix has been taken.
        """
        if self._solver is None:
            raise SolverError(
                "the multigrid of the displacement has no matrix: it takes one before it is applied"
            )
        self._solver.apply(residual, correction)

    def forget(self) -> None:
        """Drop everything."""
        if self._solver is not None:
            self._solver.destroy()
            self._solver = None

    def _created(self, block: PETSc.Mat) -> PETSc.PC:
        solver = PETSc.PC().create(block.getComm())
        solver.setOptionsPrefix(self._prefix)
        solver.setType("gamg")
        given = {
            "pc_gamg_type": "agg",
            "pc_gamg_agg_nsmooths": 1,
            "pc_gamg_threshold": THRESHOLD,
            "pc_gamg_coarse_eq_limit": _COARSEST,
            "pc_gamg_reuse_interpolation": True,
            # Tried once: Jacobi instead takes about twice the iterations at half the cost each; two steps instead of
            # three more iterations at about the same time, and several ranks need the margin.
            "mg_levels_ksp_type": "chebyshev",
            "mg_levels_ksp_max_it": 3,
            "mg_levels_pc_type": "sor",
        }
        database = PETSc.Options()
        for key, value in given.items():
            database[self._prefix + key] = value
        solver.setOperators(block)
        solver.setFromOptions()
        solver.setUp()
        for key in given:
            del database[self._prefix + key]
        return solver
