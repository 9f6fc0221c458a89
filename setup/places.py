"""Where the set-up keeps things: one folder a user, with a lock, and a stamp in every environment that is whole."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from setup.failure import SetupError

STAMP = "stamp.json"


def home_folder() -> Path:
    """The folder that holds environments, compiled forms and logs.

    Returns:
        $SWELLBOUND_HOME, else $XDG_CACHE_HOME/swellbound, else ~/.cache/swellbound.

    Raises:
        SetupError: SWELLBOUND_HOME is not an absolute path.
    """
    given = os.environ.get("SWELLBOUND_HOME")
    if given:
        if not os.path.isabs(given):
            raise SetupError(f"SWELLBOUND_HOME is {given!r}, but must be an absolute path")
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME")
    if cache and os.path.isabs(cache):
        return Path(cache) / "swellbound"
    return Path.home() / ".cache" / "swellbound"


def environment_folder(name: str) -> Path:
    """The folder of one environment ("apt", "conda", "root-trixie")."""
    return home_folder() / "environments" / name


def compiled_folder(name: str) -> Path:
    """Compiled forms and other caches of one environment: kept from run to run, never shared between versions."""
    return home_folder() / "compiled" / name


def log_file(name: str) -> Path:
    """The full output of building one environment."""
    return home_folder() / "logs" / f"{name}.log"


def read_stamp(folder: Path) -> dict[str, str]:
    """Reads the stamp of an environment.

    Args:
        folder: the environment's folder.

    Returns:
        What the stamp says; empty where the environment is absent or was never finished.
    """
    try:
        content = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_stamp(folder: Path, content: dict[str, str]) -> None:
    """Marks an environment as whole: the last thing that building one does.

    Args:
        folder: the environment's folder.
        content: the fingerprint and what entering needs to know.
    """
    aside = folder / (STAMP + ".part")
    aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, folder / STAMP)


@contextmanager
def lock(path: Path) -> Iterator[int]:
    """Lets one set-up work at a time; a second one waits for the first.

    The kernel releases the lock when the last process holding it ends, however it ends, so none is ever left behind.
    Programs started for the set-up inherit it (`setup.process`): what outlives a killed set-up keeps the lock too.

    Args:
        path: the lock file, made if need be.

    Yields:
        The descriptor that holds the lock.

    Raises:
        SetupError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SetupError(
            f"the folder {path.parent} cannot be written ({error.strerror}); set SWELLBOUND_HOME"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"swellbound set-up: another set-up is at work in {path.parent}, waiting for it",
                file=sys.stderr,
            )
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def mounts_below(folder: Path, table: str | None = None) -> list[str]:
    """Mount points inside a folder.

    Args:
        folder: any folder, absolute.
        table: the text of a mountinfo file; this process's own if None.

    Returns:
        The mount points, as the kernel writes them with octal escapes undone.
    """
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8") if table is None else table
    inside = f"{os.path.realpath(folder)}/"
    points = (line.split()[4].encode().decode("unicode_escape") for line in text.splitlines() if line.strip())
    return [point for point in points if f"{point}/".startswith(inside)]


def remove_folder(folder: Path) -> None:
    """Removes a folder of the set-up, never what is mounted inside it.

    Args:
        folder: absent, or a folder that the set-up made.

    Raises:
        SetupError: something is mounted inside it, or it cannot be removed.
    """
    if not os.path.lexists(folder):
        return
    if sys.platform == "linux":
        mounted = mounts_below(folder)
        if mounted:
            raise SetupError(
                f"{folder} is not removed because {mounted[0]} is mounted inside it; unmount that first"
            )
    # A private root holds files that only rm with its own checks deals with well; it never crosses a file system.
    options = ["-rf", "--one-file-system"] if sys.platform == "linux" else ["-rf"]
    done = subprocess.run(["rm", *options, "--", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"{folder} could not be removed: {done.stderr.strip().splitlines()[-1]}")
