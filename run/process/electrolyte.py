"""The cell is built when the first current passes: until then the electrode is dry and no electrolyte decomposes.

The strip of electrolyte is meshed from the start. Without this, lithium from powder would be lost to its decomposition
during the dry rest, where no electrolyte is.
"""

from __future__ import annotations

from collections.abc import Mapping

from fem.model import ElectrodeModel
from fem.side_reaction import MEMORY
from run.process.lines import CURRENT, VOLTAGE, Line

#: Charge in C/m² from which on current has passed; what rounding leaves of none is far below.
_PASSED = 1.0e-3


class Electrolyte:
    """Lets the electrolyte decompose, or not.

    Args:
        model: The coupled model, as it was built: its electrolyte decomposes.
    """

    def __init__(self, model: ElectrodeModel) -> None:
        self._model = model
        space = model.facet_constants
        self._fields = []
        for name in MEMORY.values() if model.reactions is not None else ():
            field = space.named[f"{name}_rate"]
            rates = space.values(field).copy()
            # What needs contact is decomposition; the oxide of silicon needs no electrolyte.
            dry = rates * (1.0 - space.values(space.named[f"{name}_contact"]))
            self._fields.append((field, {True: rates, False: dry}))
        self._acts = True

    def note(self, lines: Mapping[str, Line]) -> None:
        """Take note of what the model is led along: nothing decomposes before a current or a voltage is.

        It follows from the lines and from the charge that has passed alone, so a run that is resumed does the same.
        """
        terminal = self._model.terminal
        driven = VOLTAGE in lines or (CURRENT in lines and lines[CURRENT].last != 0.0)
        acts = terminal is not None and (driven or abs(terminal.charge) > _PASSED)
        if acts == self._acts:
            return
        for field, values in self._fields:
            self._model.facet_constants.set_values(field, values[acts])
        self._acts = acts
