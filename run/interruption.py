"""Why a run should save itself and leave: a signal to any of its ranks, or a wall-time limit that is near.

Queues send SIGTERM or SIGUSR1 some time before they kill; a terminal sends SIGINT. The handler only takes note. What to
do is decided between two steps, and by all ranks alike.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from mpi4py import MPI

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
#: Besides twice the longest step and twice the time a checkpoint takes, so many seconds are kept in hand.
SPARE_S = 1.0


class Interruption:
    """Takes note of signals while it is entered, and watches the clock.

    A second signal of the same kind meets the handler that was there before, so that a run can still be ended at once.

    Args:
        comm: Ranks.
        began: When the run was started, on the monotonic clock, in s.
        limit: Wall time the run may take since then, in s, or None.
    """

    def __init__(self, comm: MPI.Intracomm, began: float, limit: float | None = None) -> None:
        self._comm, self._began, self._limit = comm, began, limit
        self._caught = 0
        self._before: dict[signal.Signals, Any] = {}
        self._longest_step = self._longest_checkpoint = 0.0
        self._last = began
        self._steps = 0

    def __enter__(self) -> Interruption:
        # Python allows handlers in the main thread only; elsewhere (in somebody's program) the clock still counts.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in SIGNALS}
            self._install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._caught = number
        signal.signal(number, self._before[signal.Signals(number)])

    def _install(self) -> None:
        for number in self._before:
            if number != self._caught:
                signal.signal(number, self._note)

    def begin(self) -> None:
        """The first step begins now."""
        # Gmsh's Python module sets SIGINT back to its default whenever it starts.
        self._install()
        self._last = time.monotonic()

    def step_done(self) -> None:
        """A step has been accepted."""
        now = time.monotonic()
        self._longest_step = max(self._longest_step, now - self._last)
        self._last, self._steps = now, self._steps + 1

    def checkpoint_done(self, seconds: float) -> None:
        """A checkpoint has been written; its time is no step's."""
        self._longest_checkpoint = max(self._longest_checkpoint, seconds)
        self._last = time.monotonic()

    def decide(self, every: float, last: float) -> tuple[str | None, bool]:
        """What to do before the next step; collective, the same on every rank.

        Args:
            every: Wall time between two checkpoints in s.
            last: When the last one was taken, on the monotonic clock.

        Returns:
            Why the run should leave, or None; and whether a periodic checkpoint is due.
        """
        now = time.monotonic()
        # Rank 0's clock decides: those of other nodes need not agree.
        first = self._comm.rank == 0
        said = self._comm.allreduce(
            (self._caught, int(first and self._late(now)), int(first and now - last >= every)), op=_largest
        )
        caught, late, due = said
        if caught:
            return f"signal {signal.Signals(caught).name} arrived", bool(due)
        if late:
            return f"the wall-time limit of {self._limit:g} s is near", bool(due)
        return None, bool(due)

    def _late(self, now: float) -> bool:
        # One step at least: a run that leaves before it would be resumed for ever.
        if self._limit is None or self._steps == 0:
            return False
        reserve = 2.0 * self._longest_step + 2.0 * self._longest_checkpoint + SPARE_S
        return now - self._began + reserve >= self._limit


def _largest(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(pair) for pair in zip(one, other, strict=True))
