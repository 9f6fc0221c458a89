"""Lithium exchange across an interface: j = θ g (µ⁻ - µ⁺) / R_s, degraded by debonding and restored by contact.

What has come apart of the bond (fem/interfaces/debonding.py) has come apart for lithium: both go by the largest opening
so far, so that a gap counts by the energy it has spent. For the contact fraction θ see contact_fraction.py.
"""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces.cohesive import CohesiveParameters
from fem.interfaces.contact import contact_pressure
from fem.interfaces.debonding import debonded_share
from fem.interfaces.history import History


def exchange_share(
    opening: Any,
    normal: Any,
    history: History,
    parameters: CohesiveParameters,
    reference_pressure: Any,
    open_share: Any,
) -> Any:
    """G in [0, 1]: what still holds, plus what contact pressure restores of the debonded part.

    ``open_share`` is what passes even where this section shows an open gap. Flakes that part in a 2D section still
    touch outside it, so a section alone would cut off far too many grains; zero is right for a 3D model.
    """
    apart = debonded_share(history, parameters)
    pressure = contact_pressure(opening, normal, parameters.contact)
    held = (1.0 - apart) + apart * pressure / (pressure + reference_pressure)
    return open_share + (1.0 - open_share) * held


def availability(lithium_left: Any, floor: Any) -> Any:
    """Share of its exchange that a metal grain still has: 1 while plenty is left, 0 at the floor."""
    spare = ufl.max_value(lithium_left - floor, 0.0)
    return spare / (spare + 0.01)
