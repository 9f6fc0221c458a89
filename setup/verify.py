"""Run inside a new environment: fails in one line if anything Swellbound needs does not work there."""

from __future__ import annotations

import importlib
import subprocess
import sys

from setup.packages import NEWEST_DOLFINX, OLDEST_DOLFINX, read_packages

RANKS = "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"


def faults() -> list[str]:
    """What is wrong with this environment, one sentence each; the first kind of fault found hides the later ones."""
    missing = []
    for package in read_packages():
        if package.module is not None:
            try:
                importlib.import_module(package.module)
            except Exception as error:  # whatever a broken installation raises
                missing.append(f"{package.module} cannot be imported ({type(error).__name__}: {error})")
    if missing:
        return missing
    import dolfinx
    import numpy
    from petsc4py import PETSc

    wrong = []
    if not OLDEST_DOLFINX <= version_of(dolfinx.__version__) <= NEWEST_DOLFINX:
        oldest, newest = (".".join(map(str, version)) for version in (OLDEST_DOLFINX, NEWEST_DOLFINX))
        wrong.append(f"DOLFINx is {dolfinx.__version__}, but must be {oldest} to {newest}")
    if numpy.dtype(PETSc.ScalarType) != numpy.float64:
        wrong.append(f"PETSc's scalars are {PETSc.ScalarType.__name__}, but must be float64")
    wrong += [
        f"PETSc was built without {solver}"
        for solver in ("mumps", "hypre")
        if not PETSc.Sys.hasExternalPackage(solver)
    ]
    return wrong or compiling_faults() or mpi_faults()


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number of a version such as 0.11.0.post0."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def compiling_faults() -> list[str]:
    """Compiles one form and evaluates it: needs the C compiler and a place for compiled forms."""
    import dolfinx.fem as dfem
    import dolfinx.mesh as dmesh
    import ufl
    from mpi4py import MPI

    try:
        square = dmesh.create_unit_square(MPI.COMM_SELF, 2, 2)
        area = dfem.assemble_scalar(dfem.form(dfem.Constant(square, 2.0) * ufl.dx))
    except Exception as error:  # cffi and the compiler raise many kinds
        return [f"a form cannot be compiled ({type(error).__name__}: {str(error).strip().splitlines()[-1]})"]
    return [] if abs(area - 2.0) < 1e-12 else [f"a form integrates to {area} where 2 is right"]


def mpi_faults() -> list[str]:
    """Starts two ranks and looks whether they find each other: they do not if mpirun belongs to another MPI."""
    command = ["mpirun", "-n", "2", sys.executable, "-c", RANKS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    except OSError as error:
        return [f"mpirun cannot be started ({error.strerror})"]
    except subprocess.TimeoutExpired:
        return ["mpirun -n 2 did not end within 120 s"]
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        return [f"mpirun -n 2 failed ({' '.join(said)[:300]})"]
    if done.stdout.split() != ["2", "2"]:
        return [f"mpirun -n 2 started ranks that count {done.stdout.split()} instead of 2 and 2: mpirun is of another MPI"]
    return []


if __name__ == "__main__":
    found = faults()
    for fault in found:
        print(f"ERROR {fault}")
    sys.exit(1 if found else 0)
