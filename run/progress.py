"""How far a run is: a live line on a terminal, a plain line every ten seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

PLAIN_INTERVAL_S = 10.0


class LiveBar:
    """Lines and, on a terminal, bars; nothing when quiet.

    Args:
        shown: Whether anything is shown at all.
        console: Where to; standard error if None.
        columns: What each bar shows.
    """

    def __init__(self, shown: bool, console: Console | None, *columns: ProgressColumn) -> None:
        self._console = console or Console(stderr=True)
        self._shown = shown
        self._begin = time.monotonic()
        self._bar: Progress | None = None
        if shown and self._console.is_terminal:
            self._bar = Progress(*columns, console=self._console, transient=True)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line of its own."""
        if self._shown:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class ProgressLine(LiveBar):
    """Shows progress on rank 0; on the other ranks, and when quiet, it does nothing.

    Args:
        title: Name of the run.
        shown: Whether anything is shown at all.
        console: Where to; standard error if None.
    """

    def __init__(self, title: str, shown: bool, console: Console | None = None) -> None:
        super().__init__(
            shown,
            console,
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:5.1f} %"),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._title = title
        self._last_line = self._begin
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=1.0, text="")

    def update(self, fraction: float, text: str) -> None:
        """Say how far the run is.

        Args:
            fraction: Of the drive, 0 to 1.
            text: What else is worth knowing, short.
        """
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction, text=text)
            return
        now = time.monotonic()
        if self._shown and now - self._last_line >= PLAIN_INTERVAL_S:
            self._last_line = now
            self.say(f"{self._title}: {100.0 * fraction:5.1f} %  {text}  {now - self._begin:.0f} s")
