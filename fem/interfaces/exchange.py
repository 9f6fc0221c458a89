"""Lithium exchange across an interface: j = g (µ⁻ - µ⁺) / R_s, degraded by damage and restored by contact."""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces.cohesive import CohesiveParameters, damage
from fem.interfaces.contact import contact_pressure


def exchange_share(
    opening: Any,
    normal: Any,
    history: Any,
    parameters: CohesiveParameters,
    reference_pressure: Any,
    open_share: Any,
) -> Any:
    """G in [0, 1]: what is unbroken, plus what contact pressure restores of the broken part.

    ``open_share`` is what passes even where this section shows an open gap. Flakes that part in a 2D section still
    touch outside it, so a section alone would cut off far too many grains; zero is right for a 3D model.
    """
    broken = damage(history, parameters)
    pressure = contact_pressure(opening, normal, parameters.contact_stiffness)
    held = (1.0 - broken) + broken * pressure / (pressure + reference_pressure)
    return open_share + (1.0 - open_share) * held


def availability(lithium_left: Any, floor: Any) -> Any:
    """Share of its exchange that a metal grain still has: 1 while plenty is left, 0 at the floor."""
    spare = ufl.max_value(lithium_left - floor, 0.0)
    return spare / (spare + 0.01)
