"""Lithium exchange across an interface: j = g (µ⁻ - µ⁺) / R_s, degraded by damage and restored by contact."""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces.cohesive import CohesiveParameters, contact_pressure, damage


def exchange_share(
    opening: Any, normal: Any, history: Any, parameters: CohesiveParameters, reference_pressure: Any
) -> Any:
    """g in [0, 1]: what is unbroken, plus what contact pressure restores of the broken part."""
    broken = damage(history, parameters)
    pressure = contact_pressure(opening, normal, parameters)
    return (1.0 - broken) + broken * pressure / (pressure + reference_pressure)


def availability(lithium_left: Any, floor: Any) -> Any:
    """Share of its exchange that a metal grain still has: 1 while plenty is left, 0 at the floor."""
    spare = ufl.max_value(lithium_left - floor, 0.0)
    return spare / (spare + 0.01)
