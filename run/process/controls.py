"""What the electrode is subjected to: pressure, temperature, current or voltage, each along a straight line in time.

Values are set at the end of every attempted step, also of one that has been cut back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from fem.constraints import Constraint
from fem.model import ElectrodeModel
from run.process.electrolyte import Electrolyte
from run.process.lines import CURRENT, PRESSURE, TEMPERATURE, VOLTAGE, Line


class Controls:
    """Leads the controls of a model; what is not led stays as it is.

    Args:
        model: The coupled model.

    Attributes:
        constraint: Of no dofs: it sets the values when a step is prepared.
    """

    def __init__(self, model: ElectrodeModel) -> None:
        self._model = model
        self._lines: dict[str, Line] = {}
        self._electrolyte = Electrolyte(model)
        self.constraint = Constraint(np.empty(0, dtype=np.int32), np.empty(0), self._refresh)
        model.constraints.append(self.constraint)

    def value(self, name: str) -> float:
        """What a control is now."""
        model = self._model
        if name == PRESSURE:
            return float(model.control("pressure").value)
        if name == TEMPERATURE:
            return model.temperature
        if model.terminal is None:
            return 0.0
        return model.terminal.current if name == CURRENT else model.terminal.voltage

    def lead(self, name: str, target: float, duration: float, begin: float | None = None) -> None:
        """From now on lead a control to a value.

        Current and voltage exclude each other: the one that is led last is held.

        Args:
            name: One of the names above.
            target: In internal units.
            duration: In s; zero for at once.
            begin: Where it begins; by default what it is now.
        """
        self._lines.pop({CURRENT: VOLTAGE, VOLTAGE: CURRENT}.get(name, ""), None)
        first = self.value(name) if begin is None else begin
        self._lines[name] = Line(first, target, self._model.state.time, duration)

    def ramps_for(self) -> float:
        """How long from now on current or voltage still change, in s."""
        now = self._model.state.time
        lines = (self._lines[name] for name in (CURRENT, VOLTAGE) if name in self._lines)
        return max((line.begin + line.duration - now for line in lines), default=0.0)

    def memory(self) -> dict[str, Any]:
        """The lines, as JSON can hold them."""
        return {name: asdict(line) for name, line in self._lines.items()}

    def recall(self, lines: Mapping[str, Any]) -> None:
        """Go on along the lines whose ``memory`` this is."""
        self._lines = {name: Line(**line) for name, line in lines.items()}

    def _refresh(self) -> None:
        model = self._model
        self._electrolyte.note(self._lines)
        end = model.state.time + float(model.dt.value)
        for name, line in self._lines.items():
            value = line.at(end)
            if name == PRESSURE:
                model.control("pressure").value = value
            elif name == TEMPERATURE:
                if model.temperature != value:
                    model.set_temperature(value)
            elif model.terminal is not None:
                if name == CURRENT:
                    model.terminal.control_current(value)
                else:
                    model.terminal.control_potential(value)
