"""What a cycle jump changes of a run besides the fields, and how all of it goes back to where it was before one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.state import Kept
from run.process.chronicle import Chronicle
from run.process.controls import Controls


@dataclass(frozen=True)
class Parts:
    """The parts of a run that a jump changes; methods are collective."""

    model: ElectrodeModel
    observer: Observer
    chronicle: Chronicle
    controls: Controls

    def mark(self) -> dict[str, Any]:
        """Where everything is now besides the state, as JSON can hold it."""
        return {
            "controls": {name: float(constant.value) for name, constant in self.model.controls.items()},
            "observer": self.observer.memory()[0],
            "blocks": len(self.chronicle.blocks),
            "now": dict(self.chronicle.now),
            "lines": self.controls.memory(),
        }

    def go_back(self, mark: Mapping[str, Any], kept: Kept) -> None:
        """Bring everything back, bit for bit.

        Args:
            mark: Where it was.
            kept: The state then, with the observer's arrays.
        """
        model = self.model
        model.state.restore(kept.snapshot)
        for name, value in mark["controls"].items():
            model.control(name).value = value
        model.elapsed.value = 0.0
        model.set_temperature(float(model.control("temperature").value))
        self.observer.recall(mark["observer"], kept.nodal)
        self.chronicle.go_back(mark["blocks"], mark["now"])
        self.controls.recall(mark["lines"])
