"""Contact of an interface: pressure against penetration, and Coulomb friction against sliding."""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces.opening import split_opening
from fem.interfaces.pressure_law import PressureLaw

# Slip velocity (µm/s) below which a contact creeps instead of sticking. Ten times less took half as many Newton
# iterations again on the demo electrode; friction is then sharper than the assumed coefficient deserves.
CREEP_VELOCITY = 5.0e-5
# Slip in a step (µm) below which it does so however short the step: a contact that snaps within milliseconds would
# otherwise have a friction without any slope left to follow.
LEAST_CREEP = 2.0e-4


def contact_traction(opening: Any, normal: Any, law: PressureLaw) -> Any:
    """Nominal traction (MPa, vector) with which contact pushes the '+' side; zero when open."""
    along, _ = split_opening(opening, normal)
    return -law.pressure(-closed_part(along)) * normal


def contact_pressure(opening: Any, normal: Any, law: PressureLaw) -> Any:
    """Contact pressure in MPa, zero when open."""
    along, _ = split_opening(opening, normal)
    return law.pressure(-closed_part(along))


def contact_energy(opening: Any, normal: Any, law: PressureLaw) -> Any:
    """Energy stored by contact in J/m²."""
    along, _ = split_opening(opening, normal)
    return law.energy(-closed_part(along))


def friction_traction(slip: Any, normal: Any, pressure: Any, coefficient: Any, dt: Any) -> Any:
    """Coulomb friction against the slip s of a step: µ p s / √(s² + s0²), with the pressure at the beginning.

    s0 is what a contact creeps in a step of that length, v0 dt, and no less than :data:`LEAST_CREEP`.

    Args:
        slip: Change of the opening in the step in µm; its tangential part counts.
        normal: Unit normal.
        pressure: Contact pressure at the beginning of the step in MPa.
        coefficient: Friction coefficient.
        dt: Step in s.
    """
    _, tangential = split_opening(slip, normal)
    creep = ufl.max_value(CREEP_VELOCITY * dt, LEAST_CREEP)
    return coefficient * pressure * tangential / ufl.sqrt(ufl.dot(tangential, tangential) + creep**2)


def closed_part(along: Any) -> Any:
    """min(δn, 0), written so that its derivative at exactly zero is that of contact, not zero."""
    return along - ufl.max_value(along, 0.0)
