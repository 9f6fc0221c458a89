"""What runs: versions of this product and of the libraries under it, and the commit where there is one."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent


def version() -> str:
    """Version of this product: of the installed distribution, or of the checkout's pyproject.toml."""
    project = _REPOSITORY / "pyproject.toml"
    if project.is_file():
        import tomllib

        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if table.get("name") == "swellbound":
            return str(table["version"])
    return metadata.version("swellbound")


def commit() -> str | None:
    """Commit of the checkout this runs from, or None; read from .git so that no git is needed."""
    folder = _REPOSITORY / ".git"
    try:
        if folder.is_file():  # a work tree of its own
            folder = (_REPOSITORY / folder.read_text(encoding="utf-8").split(":", 1)[1].strip()).resolve()
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head
        reference = head.split(":", 1)[1].strip()
        common = folder / "commondir"
        roots = (
            [folder, (folder / common.read_text(encoding="utf-8").strip()).resolve()]
            if common.is_file()
            else [folder]
        )
        for root in roots:
            if (root / reference).is_file():
                return (root / reference).read_text(encoding="utf-8").strip()
            packed = root / "packed-refs"
            if packed.is_file():
                for line in packed.read_text(encoding="utf-8").splitlines():
                    if line.endswith(f" {reference}"):
                        return line.split()[0]
    except (OSError, IndexError):
        return None
    return None


def versions() -> dict[str, str]:
    """Versions of the libraries that decide about results."""
    import dolfinx
    import numpy
    from mpi4py import MPI
    from petsc4py import PETSc

    return {
        "python": platform.python_version(),
        "dolfinx": dolfinx.__version__,
        "petsc": ".".join(str(part) for part in PETSc.Sys.getVersion()),
        "mpi": MPI.Get_library_version().split("\n")[0].split(",")[0].strip("\x00 "),
        "numpy": numpy.__version__,
    }
