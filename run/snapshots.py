"""When fields are written for ParaView: by share of the way, steps, lithiations, times, ends of steps and of cycles.

Nothing here changes the steps that are taken: a frame is that of the first accepted step at or past its mark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from run.case_tables import OutputTable
from run.memory import Record
from run.process.plan import Plan, Planned

#: Of a frame, compressed, by the dimension of the mesh: measured 110 to 170 in 2D and 200 in 3D, half of that where
#: nothing has happened yet.
BYTES_PER_CELL = {2: 150.0, 3: 250.0}
#: A step that lands on a mark to rounding has reached it.
_ROUNDING = 1.0e-9


class Snapshots:
    """Decides which accepted steps leave a frame.

    What it decides follows from the record and the table alone, so that a run that is gone on with writes the same
    frames as one that never stopped.

    Args:
        table: [output] of the case.
        process: The plan of a process, or None.
    """

    def __init__(self, table: OutputTable, process: Plan | None) -> None:
        self._table, self._process = table, process

    def after_step(self, record: Record, fraction: float) -> bool:
        """Whether the last accepted step (or the beginning) leaves a frame.

        Args:
            record: Of the run; its ``frame`` is moved on.
            fraction: How much of the run is done, 0 to 1.
        """
        table = self._table
        due = math.floor(fraction * table.frames + _ROUNDING) + 1
        wanted = due > record.frame
        record.frame = max(due, record.frame)
        if len(record.rows) > 1:
            before, now = record.rows[-2:]
            wanted |= table.every_steps is not None and record.accepted % table.every_steps == 0
            wanted |= _passes(table.at_times, before["time_s"], now["time_s"])
            wanted |= _passes(table.at_lithiations, before["mean_lithiation"], now["mean_lithiation"])
        return table.fields and wanted

    def go_back(self, record: Record, fraction: float) -> None:
        """Steps were taken back: frames of what comes again are due again."""
        due = math.floor(fraction * self._table.frames + _ROUNDING) + 1
        record.frame = min(record.frame, due)

    def after_closing(self, planned: Planned) -> bool:
        """Whether the end of a step of a process leaves a frame."""
        table = self._table
        wanted = table.at_step_ends and not planned.again
        if self._ends_cycle(planned):
            wanted |= planned.cycle in table.at_cycle_ends
            wanted |= table.every_cycles is not None and planned.cycle % table.every_cycles == 0
        return table.fields and wanted

    def _ends_cycle(self, planned: Planned) -> bool:
        if self._process is None or planned.cycle == 0:
            return False
        steps = self._process.steps
        return planned.number == len(steps) or steps[planned.number].cycle != planned.cycle


def _passes(marks: Iterable[float], before: float, now: float) -> bool:
    """Whether a value has come to one of some marks in a step, from below or from above."""
    slack = _ROUNDING * max(abs(before), abs(now))
    return any(
        (before < mark - slack <= now) if now > before else (now <= mark + slack < before) for mark in marks
    )


def in_words(table: OutputTable, process: Plan | None, cells: int, dimension: int) -> str:
    """About how many frames a run leaves, and what they take on disk.

    Args:
        table: [output] of its case.
        process: The plan of its process, or None.
        cells: About how many cells its mesh has.
        dimension: Of the mesh.
    """
    if not table.fields:
        return "none are written"
    frames = 1 + table.frames + len(table.at_times) + len(table.at_lithiations)
    if process is not None:
        chooser = Snapshots(table, process)
        frames += sum(chooser.after_closing(planned) for planned in process.steps)
    each = cells * BYTES_PER_CELL[dimension] / 2**20
    words = f"about {frames} frames of {each:.2g} MiB, {frames * each:.2g} MiB together"
    if table.every_steps is None:
        return f"{words} (rough)"
    often = "every step" if table.every_steps == 1 else f"one every {table.every_steps} steps"
    return f"{words}, and {often} besides (rough)"
