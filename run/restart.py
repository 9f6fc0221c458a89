"""The checkpoints of a run on disk: a rotating pair, each written aside, flushed, and moved into place.

The newest that is sound counts. What is not (truncated, damaged, of another version, case or mesh) is named in one
sentence, and the one before it is used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI

from fem import checkpoint_file
from fem.checkpoint import Checkpoint
from fem.errors import CheckpointError
from run import results
from run.ranks import on_first_rank

_PREFIX, _SUFFIX, _REFUSED = "checkpoint-", ".h5", ".refused"
_KEPT = 2


@dataclass(frozen=True)
class Found:
    """What was found in a folder of checkpoints.

    Attributes:
        checkpoint: The newest that is sound, or None.
        path: Its file, or None.
        refused: Files that are not, newest first, with a sentence each.
    """

    checkpoint: Checkpoint | None
    path: Path | None
    refused: tuple[tuple[Path, str], ...]


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint and remove all but the newest two; on one rank.

    Raises:
        ResultsError: It cannot be written; those that were there are untouched.
    """
    path = folder / f"{_PREFIX}{checkpoint.numbers['steps']:08d}{_SUFFIX}"
    content = checkpoint_file.to_bytes(checkpoint)
    with results.written_whole(path) as aside:
        aside.write_bytes(content)
    for old in listed(folder)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def listed(folder: Path) -> list[Path]:
    """The checkpoints of a folder, newest first, sound or not."""
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True)


def find(folder: Path, identity: dict[str, str]) -> Found:
    """Find the newest sound checkpoint; on one rank. Nothing is changed.

    Args:
        folder: Where they are.
        identity: What it must belong to: the words it was written with must be the same for these keys.
    """
    refused: list[tuple[Path, str]] = []
    for path in listed(folder):
        try:
            return Found(_read(path, identity), path, tuple(refused))
        except (CheckpointError, OSError) as error:
            refused.append((path, f"{path} is refused: {error}."))
    return Found(None, None, tuple(refused))


def newest(
    folder: Path, identity: dict[str, str], comm: MPI.Intracomm
) -> tuple[Path | None, list[str], Checkpoint | None]:
    """Find the newest sound checkpoint and set aside what is not; collective.

    Returns:
        Its file, sentences on what was refused, and on the first rank the checkpoint itself.
    """
    checkpoint: Checkpoint | None = None

    def look() -> tuple[Path | None, list[str]]:
        nonlocal checkpoint
        found = find(folder, identity)
        set_aside(found)
        checkpoint = found.checkpoint
        return found.path, [sentence for _, sentence in found.refused]

    path, refused = on_first_rank(comm, look)
    return path, refused, checkpoint


def set_aside(found: Found) -> None:
    """Rename what was refused, so that it does not push a sound checkpoint out of the pair."""
    for path, _ in found.refused:
        os.replace(path, path.with_name(path.name + _REFUSED))


def remove_leftovers(folder: Path) -> None:
    """Remove what a run that was killed while it wrote has left aside, in its folder and one level below."""
    for place in (folder, folder / results.STATE):
        for path in place.glob(".*-????????.*"):
            path.unlink(missing_ok=True)


def _read(path: Path, identity: dict[str, str]) -> Checkpoint:
    checkpoint = checkpoint_file.from_bytes(path.read_bytes())
    for key, wanted in identity.items():
        if checkpoint.identity.get(key) != wanted:
            raise CheckpointError(f"it belongs to another {key}")
    return checkpoint
