"""What is written down while a process runs: the situation now and when the step began, and the blocks of the past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fem.model import ElectrodeModel
from fem.observables import Row
from run.process.amounts import Amounts
from run.process.blocks import closed, cycles, opened
from run.process.plan import Planned

#: Columns of history.csv that a process adds, with their units.
COLUMNS = {
    "process_step": "1",
    "cycle": "1",
    "pressure_MPa": "MPa",
    "temperature_K": "K",
    "current_A_m2": "A/m^2",
    "terminal_voltage_V": "V",
}


class Chronicle:
    """Keeps the results blocks of a process; methods are collective.

    Args:
        model: The coupled model, in the state the process starts from.
        amounts: Counts its lithium.
        full_cell: Whether the electrode is the negative one of a full cell.

    Attributes:
        blocks: Of the steps that have ended.
        now: The situation at the end of the last accepted time step.
        mark: The situation when the present step began.
    """

    def __init__(self, model: ElectrodeModel, amounts: Amounts, full_cell: bool) -> None:
        self._model, self._amounts, self._full_cell = model, amounts, full_cell
        self._at_start = amounts.held()
        self.blocks: list[dict[str, Any]] = []
        self.now: dict[str, Any] = {}
        self.mark: dict[str, Any] = {}

    def note(self, row: Row, number: int, cycle: int) -> None:
        """Take note of an accepted time step and add a process's columns to its row.

        Args:
            row: Of history.csv.
            number: Of the present step, 0 before the first.
            cycle: Its cycle.
        """
        model, terminal = self._model, self._model.terminal
        voltage = None if terminal is None else terminal.voltage
        pressure = float(model.control("pressure").value)
        row |= {
            "process_step": number,
            "cycle": cycle,
            "pressure_MPa": pressure,
            "temperature_K": model.temperature,
            "current_A_m2": 0.0 if terminal is None else terminal.current,
            "terminal_voltage_V": row["electrolyte_potential_V"] if voltage is None else voltage,
        }
        self.now = opened(row, voltage, pressure, model.temperature)
        self.now["terminal_charge"] = 0.0 if terminal is None else terminal.charge

    def begin(self) -> None:
        """A step begins now."""
        self.mark = dict(self.now) | {"newton_iterations": 0, "time_steps": 0}

    def go_back(self, blocks: int, now: Mapping[str, Any]) -> None:
        """Forget the blocks after the first so many; ``now`` is the situation at the end of the last of those."""
        del self.blocks[blocks:]
        self.now = dict(now)

    def count(self, iterations: int) -> None:
        """A time step of the present step took so many Newton iterations."""
        self.mark["newton_iterations"] += iterations
        self.mark["time_steps"] += 1

    def end(self, planned: Planned, reason: str, with_book: bool) -> dict[str, Any]:
        """The present step has ended; gives its block, which more can be written into."""
        self.now["temperature"] = self._model.temperature
        self.blocks.append(self._block(planned, reason, with_book))
        return self.blocks[-1]

    def described(self, running: Planned | None) -> dict[str, Any]:
        """Steps and cycles so far, the step that is not at its end included."""
        blocks = list(self.blocks)
        if running is not None:
            blocks.append(self._block(running, "not at its end", True))
        return {"steps": blocks, "cycles": cycles(blocks, self._amounts)}

    def memory(self) -> dict[str, Any]:
        """What was written, as JSON can hold it."""
        return {"blocks": self.blocks, "now": self.now, "mark": self.mark, "at_start": self._at_start}

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the chronicle would have whose ``memory`` this is."""
        self.blocks, self._at_start = list(numbers["blocks"]), dict(numbers["at_start"])
        # A checkpoint of a version that did not note damage yet has no "state" in it.
        self.now = {"state": {}} | dict(numbers["now"])
        self.mark = dict(numbers["mark"])

    def _block(self, planned: Planned, reason: str, with_book: bool) -> dict[str, Any]:
        book = self._book() if with_book else None
        return closed(planned, self._full_cell, self.mark, self.now, reason, book, self._amounts)

    def _book(self) -> dict[str, Any]:
        """Where the lithium is that has passed since the process began."""
        held = self._amounts.held()
        change, charge = sum(held.values()) - sum(self._at_start.values()), self.now["charge"]
        scale = max(sum(held.values()), abs(charge), 1e-300)
        return {
            "held": held,
            "held_at_start": dict(self._at_start),
            "charge_passed": charge,
            "error": abs(change - charge) / scale,
            "trapped": self._amounts.trapped(),
        }
