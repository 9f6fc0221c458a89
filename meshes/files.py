"""Writes a mesh's files whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import RecipeError


@dataclass(frozen=True)
class MeshFiles:
    """The three files of a mesh."""

    msh: Path
    sidecar: Path
    picture: Path


def target_files(directory: str | os.PathLike[str], name: str) -> MeshFiles:
    """Where the files of a mesh go.

    Raises:
        RecipeError: if the name is not a plain file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise RecipeError("name", f"{name!r} is not a file name of letters, digits, '-', '_' and '.'")
    folder = Path(directory)
    return MeshFiles(folder / f"{name}.msh", folder / f"{name}.json", folder / f"{name}.png")


@contextmanager
def written_aside(files: MeshFiles) -> Iterator[MeshFiles]:
    """Files to write in place of the real ones; they replace these only if the block ends without an exception.

    The old sidecar goes first and the new one comes last: a mesh whose sidecar is missing is not read by anybody.
    """
    files.msh.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{files.msh.stem}-", dir=files.msh.parent))
    aside = MeshFiles(scratch / files.msh.name, scratch / files.sidecar.name, scratch / files.picture.name)
    try:
        yield aside
        for path in (aside.msh, aside.sidecar, aside.picture):
            with open(path, "rb") as written:
                os.fsync(written.fileno())
        files.sidecar.unlink(missing_ok=True)
        os.replace(aside.msh, files.msh)
        os.replace(aside.picture, files.picture)
        os.replace(aside.sidecar, files.sidecar)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_sidecar(table: dict[str, Any], path: Path) -> None:
    """Write a sidecar's table as JSON."""
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")
