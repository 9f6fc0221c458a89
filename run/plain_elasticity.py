"""A plain elastic solve to measure others by: linear, continuous P1 displacement, PETSc and MUMPS as they come."""

from __future__ import annotations

import time

import numpy as np
import ufl
from dolfinx import fem as dfem
from petsc4py import PETSc

from fem import compat
from fem.domain import Domain


class PlainElasticity:
    """Plane strain on the mesh of a domain, E = 1, ν = 0.3, grain boundaries tied; left edge held, right edge moved.

    Args:
        domain: Gives the mesh and the boundaries ``left`` and ``right``.

    Attributes:
        dofs: Unknowns.
    """

    def __init__(self, domain: Domain):
        mesh = domain.mesh
        space = dfem.functionspace(mesh, ("Lagrange", 1, (domain.dimension,)))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        modulus, ratio = 1.0, 0.3
        shear, bulk = modulus / (2.0 * (1.0 + ratio)), modulus * ratio / ((1.0 + ratio) * (1.0 - 2.0 * ratio))
        strain = ufl.sym(ufl.grad(u))
        stress = 2.0 * shear * strain + bulk * ufl.tr(strain) * ufl.Identity(domain.dimension)
        self._form = compat.compile_form(ufl.inner(stress, ufl.sym(ufl.grad(v))) * ufl.dx)
        self._comm, self._matrix = mesh.comm, compat.create_matrix(self._form)
        self._matrix.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
        self._displacement, self._right = self._matrix.createVecs()
        owned, block = space.dofmap.index_map.size_local, space.dofmap.index_map_bs
        self.dofs = int(space.dofmap.index_map.size_global * block)
        known: dict[int, float] = {}
        for name, moved in (("left", 0.0), ("right", 1.0)):
            nodes = dfem.locate_dofs_topological(space, domain.dimension - 1, domain.boundary_facets(name))
            for node in nodes[nodes < owned]:
                known.update({int(node) * block + axis: moved if axis == 0 else 0.0 for axis in range(block)})
        self._dofs = np.array(list(known), dtype=np.int32)
        self._values = np.array(list(known.values()), dtype=np.float64)

    def solve(self) -> tuple[float, float, float]:
        """Assemble and solve once; collective.

        Returns:
            Seconds from scratch, symbolic analysis included; those of the same with the analysis there already;
            processor seconds from scratch.

        Raises:
            RuntimeError: The solution is not one.
        """
        solver = PETSc.KSP().create(self._comm)
        solver.setType("preonly")
        solver.getPC().setType("lu")
        solver.getPC().setFactorSolverType("mumps")
        solver.setOperators(self._matrix)
        began = time.process_time()
        once, processor = self._once(solver), time.process_time() - began
        again = self._once(solver)
        solver.destroy()
        remaining = self._matrix * self._displacement - self._right
        if not remaining.norm() <= 1e-8 * self._right.norm():
            raise RuntimeError(f"the plain elastic solve failed: residual {remaining.norm():.3g}")
        return once, again, processor

    def force(self) -> float:
        """Force that holds the right edge of the last solution, per unit of displacement over size; collective."""
        compat.assemble_matrix(self._matrix, self._form)
        reactions = self._matrix * self._displacement
        moved = self._dofs[self._values != 0.0]
        return float(self._comm.allreduce(float(np.sum(reactions.array_r[moved]))))

    def _once(self, solver: PETSc.KSP) -> float:
        self._comm.Barrier()
        began = time.perf_counter()
        compat.assemble_matrix(self._matrix, self._form)
        self._matrix.zeroRowsLocal(self._dofs, diag=1.0)
        self._right.set(0.0)
        self._right.array[self._dofs] = self._values
        solver.solve(self._right, self._displacement)
        self._comm.Barrier()
        return time.perf_counter() - began
