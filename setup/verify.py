"""Run inside a new environment: fails in one line if anything Swellbound needs does not work there."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

from setup.packages import NEWEST_DOLFINX, OLDEST_DOLFINX, read_packages
from setup.variables import mpi_variables

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


def mpi_version() -> str:
    """First line of `mpirun --version`; empty where there is no mpirun."""
    try:
        done = subprocess.run(
            ["mpirun", "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def mpi_faults() -> list[str]:
    """Starts two ranks and looks whether they find each other: they do not if mpirun belongs to another MPI."""
    command = ["mpirun", "-n", "2", sys.executable, "-c", RANKS]
    variables = {**os.environ, **mpi_variables(mpi_version())}
    try:
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        return [f"mpirun cannot be started ({error.strerror})"]
    except subprocess.TimeoutExpired:
        return ["mpirun -n 2 did not end within 120 s"]
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        return [f"mpirun -n 2 failed ({' '.join(said)[:300]})"]
    if done.stdout.split() != ["2", "2"]:
        return [f"mpirun -n 2 started ranks that count {done.stdout.split()}: mpirun is of another MPI"]
    return []


def main(answer: Path) -> int:
    """Checks everything; leaves the versions found in a file, or prints the faults.

    Args:
        answer: the file, written only if all is well.

    Returns:
        0 if all is well, else 1.
    """
    found = faults()
    for fault in found:
        print(f"ERROR {fault}")
    if found:
        return 1
    import dolfinx

    versions = {"dolfinx": dolfinx.__version__, "mpi": mpi_version()}
    answer.write_text(json.dumps(versions) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
