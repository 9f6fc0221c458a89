"""How a run is started, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from run.origin import Origin


@dataclass(frozen=True)
class RunOptions:
    """How a run is started.

    Attributes:
        out: The run folder.
        quiet: Show nothing on the way.
        mesh: A mesh of ours to use instead of making one, or None.
        wall_time: The run saves itself and leaves before so many seconds have passed, or None.
        origin: The end of another run to go on from, or None.
    """

    out: Path
    quiet: bool = False
    mesh: Path | None = None
    wall_time: float | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended: exit code, reason, and the summary (the same on every rank)."""

    exit_code: int
    reason: str
    summary: dict[str, Any]
