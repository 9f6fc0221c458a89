"""Shows how far a study is: bars on a terminal, a line for every point that ended elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn

from run.progress import LiveBar


class Watch(LiveBar):
    """Shows progress; when quiet, it does nothing.

    Args:
        title: Name of the study.
        total: Number of points.
        done: How many need no work any more.
        shown: Whether anything is shown at all.
        console: Where to; standard error if None.
    """

    def __init__(
        self, title: str, total: int, done: int, shown: bool, console: Console | None = None
    ) -> None:
        super().__init__(
            shown,
            console,
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self._total, self._done = total, done
        self._tasks: dict[str, TaskID] = {}
        if self._bar is not None:
            self._whole = self._bar.add_task(title, total=total, completed=done, text=f"{done} of {total}")

    def began(self, name: str, words: str) -> None:
        """A point has begun."""
        if self._bar is not None:
            self._tasks[name] = self._bar.add_task(f"  {words}", total=1.0, text="")

    def moved(self, name: str, fraction: float) -> None:
        """A point is so far, 0 to 1."""
        if self._bar is not None:
            self._bar.update(self._tasks[name], completed=fraction, text=f"{100.0 * fraction:.0f} %")

    def ended(self, name: str, words: str, how: str) -> None:
        """A point has come to its end, or was left."""
        self._done += 1
        if self._bar is not None:
            self._bar.remove_task(self._tasks.pop(name))
            self._bar.update(self._whole, completed=self._done, text=f"{self._done} of {self._total}")
        seconds = time.monotonic() - self._begin
        self.say(f"{self._done} of {self._total}  {words}: {how}  ({seconds:.0f} s)")
