"""history.csv and status.json while a run is under way: whole files, and not too often."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from run import results


class ProgressFiles:
    """Writes history and status of a run; for one rank.

    Args:
        out: The run's folder.
        columns: Unit of every column of the history.
        interval: Least time in s between two writings.
    """

    def __init__(self, out: Path, columns: Mapping[str, str], interval: float):
        self._out, self._columns, self._interval = out, dict(columns), interval
        self._written = 0.0

    def write(self, rows: Sequence[Mapping[str, float]], status: Mapping[str, Any], force: bool) -> None:
        """Write both, unless that was done a moment ago and is not forced."""
        if not force and time.monotonic() - self._written < self._interval:
            return
        results.write_history(self._out / results.HISTORY, self._columns, rows)
        results.write_json(self._out / results.STATUS, status)
        self._written = time.monotonic()
