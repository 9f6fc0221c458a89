"""How far an interface has come apart: one number for what it has lost of its hold and of its lithium exchange.

The damage of a traction-separation law compares stiffnesses, and starts from a numerical one: with an intact
interface a thousand times stiffer than its softening branch, damage is 0.9 before a tenth of the fracture energy
is spent. The share of that energy is physical. It is zero up to the onset and one when nothing holds any more, and
for the bilinear law it is also the share of the strength that is gone.
"""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces import cohesive

# Opening in µm at which every interface has come apart.
_APART = 1.0e6
# Keeps the quotient finite at interfaces that never break and spend nothing (J/m²).
_NOTHING = 1.0e-30


def debonded_share(history: Any, parameters: cohesive.CohesiveParameters) -> Any:
    """Share of the fracture energy that is spent at the largest opening κ = ``history``, in [0, 1]."""
    whole = cohesive.fracture_dissipation(ufl.as_ufl(_APART), parameters)
    return cohesive.fracture_dissipation(history, parameters) / ufl.max_value(whole, _NOTHING)
