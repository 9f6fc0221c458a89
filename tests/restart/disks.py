"""Places whose disk fills up or becomes read-only: a file system of their own, or what the kernel does without one."""

from __future__ import annotations

import builtins
import errno
import functools
import io
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


class RedirectedDisk:
    """A folder like any other; once it is full, whoever writes to a file in it writes to the kernel's full device.

    For processes that may not mount anything. Open files stay as they are.
    """

    def __init__(self, path: Path):
        self.path = path
        self._patch = pytest.MonkeyPatch()

    def fill(self) -> None:
        """From now on every write fails with ENOSPC, when its bytes leave the buffer."""
        self._intercept(lambda file: "/dev/full", None)

    def lock(self) -> None:
        """From now on no file can be opened for writing, made, renamed or removed: EROFS."""

        def refuse(file: Any) -> str:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(file))

        self._intercept(refuse, refuse)

    def free(self) -> None:
        """Back to normal."""
        self._patch.undo()

    def _intercept(self, instead: Callable[[Any], str], refused: Callable[[Any], str] | None) -> None:
        open_stream, open_handle = io.open, os.open

        def stream(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            writes = isinstance(file, str | Path) and set(mode) & set("wax+")
            return open_stream(instead(file) if writes and self._has(file) else file, mode, *more, **named)

        self._patch.setattr(io, "open", stream)
        self._patch.setattr(builtins, "open", stream)
        if refused is None:
            return

        def handle(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if flags & _WRITING and self._has(path):
                refused(path)
            return open_handle(path, flags, *more, **named)

        self._patch.setattr(os, "open", handle)
        for name in ("rename", "replace", "remove", "unlink", "mkdir", "rmdir"):
            action = getattr(os, name)

            def change(path: Any, *more: Any, action: Any = action, **named: Any) -> Any:
                if self._has(path):
                    refused(path)
                return action(path, *more, **named)

            self._patch.setattr(os, name, change)

    def _has(self, file: Any) -> bool:
        return self.path in Path(file).absolute().parents


class MountedDisk:
    """A file system of 4 MiB."""

    def __init__(self, path: Path):
        self.path = path

    def fill(self) -> None:
        """Write until nothing more goes in."""
        with open(self.path / "ballast", "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(b"0" * 4096)

    def lock(self) -> None:
        """Make it read-only."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)

    def free(self) -> None:
        """Back to normal."""
        subprocess.run(["mount", "-o", "remount,rw", str(self.path)], check=True)
        (self.path / "ballast").unlink(missing_ok=True)


Disk = RedirectedDisk | MountedDisk


@contextmanager
def mounted(path: Path) -> Iterator[MountedDisk]:
    """A disk of its own at a folder, for as long as the block lasts.

    Raises:
        subprocess.CalledProcessError: File systems cannot be mounted here.
    """
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(path)]
    subprocess.run(mount, capture_output=True, check=True)
    try:
        yield MountedDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@functools.cache
def kinds() -> list[str]:
    """The kinds of disks that can be had here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder)):
                return ["redirected", "mounted"]
        except (OSError, subprocess.CalledProcessError):
            return ["redirected"]


@contextmanager
def disk(kind: str, path: Path) -> Iterator[Disk]:
    """A disk of a kind at a folder that exists."""
    if kind == "mounted":
        with mounted(path) as own:
            yield own
        return
    redirected = RedirectedDisk(path)
    try:
        yield redirected
    finally:
        redirected.free()
