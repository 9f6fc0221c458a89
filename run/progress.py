"""How far a run is: a live line on a terminal, a plain line every ten seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_INTERVAL_S = 10.0


class ProgressLine:
    """Shows progress on rank 0; on the other ranks, and when quiet, it does nothing.

    Args:
        title: Name of the run.
        shown: Whether anything is shown at all.
        console: Where to; standard error if None.
    """

    def __init__(self, title: str, shown: bool, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console(stderr=True)
        self._shown = shown
        self._bar: Progress | None = None
        self._last_line = time.monotonic()
        self._begin = self._last_line
        if shown and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:5.1f} %"),
                TextColumn("{task.fields[text]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(title, total=1.0, text="")

    def __enter__(self) -> ProgressLine:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

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

    def say(self, text: str) -> None:
        """Print a line of its own."""
        if self._shown:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)
