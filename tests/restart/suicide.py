"""``python3 -m tests.restart.suicide PLACE N ARGUMENTS``: our command line, killing itself in a checkpoint write.

PLACE is where in the N-th write of the process: ``half`` (half of the file is written), ``before`` or ``after`` the
move into place.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from run import restart, results
from run.cli import main

PLACE, NUMBER = sys.argv[1], int(sys.argv[2])
written = 0
write_bytes, replace, whole = Path.write_bytes, os.replace, restart.write


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def counted(*given: Any) -> Path:
    global written
    written += 1
    return whole(*given)


def half(path: Path, content: bytes) -> int:
    if PLACE == "half" and written == NUMBER:
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            die()
    return write_bytes(path, content)


def moved(source: Any, target: Any) -> None:
    inside = written == NUMBER and Path(target).suffix == ".h5"
    if PLACE == "before" and inside:
        die()
    replace(source, target)
    if PLACE == "after" and inside:
        die()


restart.write = counted
Path.write_bytes = half  # type: ignore[method-assign,assignment]
results.os.replace = moved  # type: ignore[attr-defined]
sys.exit(main(sys.argv[3:]))
