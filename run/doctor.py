"""Whether everything needed is there and works: libraries, direct solver, MPI, writable folders. Changes nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from mpi4py import MPI

from run import about
from run.errors import EXIT_FAILURE, EXIT_OK

_SUPPORTED = ((0, 9), (0, 11))


def examine(comm: MPI.Intracomm) -> int:
    """Print one line a check on rank 0; the exit code says whether all passed on all ranks."""
    passed = True
    for name, check in _CHECKS.items():
        try:
            found, problem = check(comm), ""
        except Exception as error:  # whatever a broken installation raises is the finding
            found, problem = "", f"{type(error).__name__}: {error}"
        problems = [text for text in comm.allgather(problem) if text]
        passed = passed and not problems
        if comm.rank == 0:
            print(
                f"{'FAIL' if problems else 'ok  '}  {name:<16}{problems[0] if problems else found}",
                flush=True,
            )
    return EXIT_OK if passed else EXIT_FAILURE


def _product(comm: MPI.Intracomm) -> str:
    commit = about.commit()
    return f"swellbound {about.version()}" + (f", commit {commit[:10]}" if commit else "")


def _libraries(comm: MPI.Intracomm) -> str:
    import dolfinx

    found = about.versions()
    version = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])
    if not _SUPPORTED[0] <= version <= _SUPPORTED[1]:
        raise RuntimeError(f"DOLFINx {dolfinx.__version__} is outside 0.9 to 0.11")
    return ", ".join(f"{name} {text}" for name, text in found.items())


def _gmsh(comm: MPI.Intracomm) -> str:
    import gmsh

    return f"gmsh {gmsh.__version__}"


def _ranks(comm: MPI.Intracomm) -> str:
    total = comm.allreduce(1)
    if total != comm.size:
        raise RuntimeError(f"a sum over {comm.size} ranks gave {total}")
    started = os.environ.get("OMPI_COMM_WORLD_SIZE") or os.environ.get("PMI_SIZE")
    if started is not None and int(started) != comm.size:
        raise RuntimeError(
            f"mpirun started {started} ranks, but MPI sees {comm.size}: it belongs to another MPI"
        )
    return f"{comm.size} rank{'s' if comm.size > 1 else ''} on {len(os.sched_getaffinity(0))} cores"


def _threads(comm: MPI.Intracomm) -> str:
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads != "1" and comm.size > 1:
        raise RuntimeError(
            f"OMP_NUM_THREADS is {threads}: set it to 1, or MUMPS on several ranks is far slower"
        )
    return f"OMP_NUM_THREADS={threads}"


def _direct_solver(comm: MPI.Intracomm) -> str:
    from petsc4py import PETSc

    if PETSc.ScalarType is not float and PETSc.ScalarType().dtype.kind != "f":
        raise RuntimeError(f"PETSc is built for {PETSc.ScalarType.__name__}: a real-scalar build is needed")
    matrix = PETSc.Mat().createAIJ((8, 8), nnz=1, comm=comm)
    first, last = matrix.getOwnershipRange()
    for row in range(first, last):
        matrix.setValue(row, row, 2.0)
    matrix.assemble()
    solver = PETSc.KSP().create(comm)
    solver.setOperators(matrix)
    solver.setType("preonly")
    solver.getPC().setType("lu")
    solver.getPC().setFactorSolverType("mumps")
    right, left = matrix.createVecs()
    left.set(1.0)
    solver.solve(left, right)
    error = abs(right.sum() - 4.0)
    for item in (solver, matrix, right, left):
        item.destroy()
    if error > 1e-12:
        raise RuntimeError(f"MUMPS solved a diagonal system with an error of {error:g}")
    return "MUMPS solves"


def _compiler(comm: MPI.Intracomm) -> str:
    """Forms are compiled: is there a C compiler?"""
    import dolfinx
    import numpy as np
    import ufl
    from dolfinx import fem as dfem
    from dolfinx import mesh as dmesh

    mesh = dmesh.create_unit_square(comm, 4, 4)
    one = dfem.Constant(mesh, 1.0)
    area = comm.allreduce(dfem.assemble_scalar(dfem.form(one * ufl.dx)))
    if not np.isclose(area, 1.0):
        raise RuntimeError(f"the unit square has area {area} by DOLFINx {dolfinx.__version__}")
    return "forms compile"


def _folder(comm: MPI.Intracomm) -> str:
    here = Path.cwd()
    with tempfile.TemporaryFile(dir=here):
        pass
    return f"{here} can be written"


_CHECKS: dict[str, Callable[[MPI.Intracomm], str]] = {
    "product": _product,
    "libraries": _libraries,
    "mesher": _gmsh,
    "MPI": _ranks,
    "threads": _threads,
    "direct solver": _direct_solver,
    "form compiler": _compiler,
    "folder": _folder,
}
