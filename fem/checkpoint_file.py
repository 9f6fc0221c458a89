"""A checkpoint as bytes: an HDF5 file behind a line that says format, version, length and checksum.

The line fills the HDF5 user block, so that any HDF5 tool opens the file as it is. Checksum and length are looked at
before anything is read.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import h5py
import numpy as np

from fem.checkpoint import Checkpoint
from fem.errors import CheckpointError

FORMAT = "swellbound-checkpoint"
#: Raised whenever the meaning of a table changes; a checkpoint of another version is refused.
VERSION = 1
_BLOCK = 512


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The whole file."""
    body = io.BytesIO()
    with h5py.File(body, "w", userblock_size=_BLOCK) as file:
        # Names in the order of their making and no times: the same state gives the same bytes.
        file.attrs["identity"] = json.dumps(checkpoint.identity, allow_nan=False)
        file.attrs["numbers"] = json.dumps(checkpoint.numbers, allow_nan=False)
        for name, table in checkpoint.tables.items():
            file.create_dataset(name, data=table, track_times=False)
    content = body.getbuffer()
    rest = content[_BLOCK:]
    line = f"{FORMAT}/{VERSION} {len(rest)} sha256:{hashlib.sha256(rest).hexdigest()}\n".encode()
    return line.ljust(_BLOCK, b"\0") + bytes(rest)


def from_bytes(content: bytes) -> Checkpoint:
    """Read a file.

    Raises:
        CheckpointError: It is no checkpoint, of another version, truncated or damaged; the text completes
            "FILE is refused: ...".
    """
    words = content[:_BLOCK].split(b"\n")[0].decode("ascii", "replace").split()
    if len(words) != 3 or not words[0].startswith(f"{FORMAT}/"):
        raise CheckpointError("it is no checkpoint of ours, or its beginning is damaged")
    if words[0] != f"{FORMAT}/{VERSION}":
        raise CheckpointError(f"it has format {words[0]}, and this version reads {FORMAT}/{VERSION}")
    rest = memoryview(content)[_BLOCK:]
    if str(len(rest)) != words[1]:
        raise CheckpointError(f"it is truncated: {len(rest)} of {words[1]} bytes are there")
    if f"sha256:{hashlib.sha256(rest).hexdigest()}" != words[2]:
        raise CheckpointError("it is damaged: its checksum is wrong")
    tables: dict[str, Any] = {}
    with h5py.File(io.BytesIO(content), "r") as file:

        def take(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                tables[name] = np.asarray(item[()])

        file.visititems(take)
        identity, numbers = (json.loads(file.attrs[name]) for name in ("identity", "numbers"))
    return Checkpoint(identity, numbers, tables)
