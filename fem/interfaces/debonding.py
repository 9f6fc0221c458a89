"""How far an interface has come apart: one number for what it has lost of its hold and of its lithium exchange.

The damage of a traction-separation law compares stiffnesses, and starts from a numerical one: with an intact
interface a thousand times stiffer than its softening branch, damage is 0.9 before a tenth of the fracture energy
is spent. The share of that energy is physical. It is zero up to the onset and one when nothing holds any more, and
for the bilinear law it is also the share of the strength that is gone.
"""

from __future__ import annotations

from typing import Any

from fem.interfaces import cohesive, dissipation
from fem.interfaces.history import History


def debonded_share(history: History, parameters: cohesive.CohesiveParameters) -> Any:
    """Share of the fracture energy that is spent, in [0, 1]."""
    return dissipation.spent_share(history, parameters)
