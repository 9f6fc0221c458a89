"""Traction-separation of an interface: bilinear, mixed-mode, irreversible, with stiff contact.

The effective opening is √(⟨δn⟩² + β² |δt|²) (Camacho and Ortiz 1996, 10.1016/0020-7683(95)00255-3). The history
variable is the largest effective opening κ; damage D(κ) is that of the bilinear law with fracture energy
Gc = ½ σ_max δ_f. Growth of κ is relaxed after Duvaut and Lions, κ̇ = ⟨δ - κ⟩ / τ: only the growth of damage is
viscous, never the motion of an open gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

# Squared length (µm²) that keeps the root of the effective opening differentiable at a closed interface.
_CLOSED = 1.0e-24
# Slip velocity (µm/s) below which a contact creeps instead of sticking. Ten times less took half as many Newton
# iterations again on the demo electrode; friction is then sharper than the assumed coefficient deserves.
CREEP_VELOCITY = 5.0e-5


@dataclass(frozen=True)
class CohesiveParameters:
    """UFL values of the parameters on a facet; see :class:`fem.interfaces.law.InterfaceLaw`."""

    stiffness: Any
    contact_stiffness: Any
    residual_stiffness: Any
    shear_ratio: Any
    onset_opening: Any
    final_opening: Any
    breakable: Any
    relaxation_time: Any


def split_opening(opening: Any, normal: Any) -> tuple[Any, Any]:
    """Normal opening (scalar, positive when open) and tangential opening (vector)."""
    along = ufl.dot(opening, normal)
    return along, opening - along * normal


def effective_opening(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any:
    """√(⟨δn⟩² + β² |δt|²) in µm."""
    along, tangential = split_opening(opening, normal)
    positive = ufl.max_value(along, 0.0)
    return ufl.sqrt(positive**2 + parameters.shear_ratio**2 * ufl.dot(tangential, tangential) + _CLOSED)


def grown_history(opening: Any, normal: Any, history: Any, parameters: CohesiveParameters, dt: Any) -> Any:
    """κ at the end of a step of length ``dt`` that starts from ``history`` (backward Euler)."""
    share = dt / (dt + parameters.relaxation_time)
    effective = effective_opening(opening, normal, parameters)
    return history + share * ufl.max_value(effective - history, 0.0)


def damage(history: Any, parameters: CohesiveParameters) -> Any:
    """Damage in [0, 1] of the bilinear law at the largest opening κ = ``history``."""
    onset, final = parameters.onset_opening, parameters.final_opening
    raw = final * (history - onset) / (ufl.max_value(history, onset) * (final - onset))
    return parameters.breakable * ufl.min_value(ufl.max_value(raw, 0.0), 1.0)


def traction(opening: Any, normal: Any, history: Any, parameters: CohesiveParameters) -> Any:
    """Nominal traction (MPa, vector) with which the '-' side pulls on the '+' side at a given κ."""
    along, tangential = split_opening(opening, normal)
    intact = (1.0 - damage(history, parameters)) * parameters.stiffness + parameters.residual_stiffness
    open_part = ufl.max_value(along, 0.0)
    pull = intact * (open_part * normal + parameters.shear_ratio**2 * tangential)
    return pull + parameters.contact_stiffness * _closed_part(along) * normal


def friction_traction(slip: Any, normal: Any, pressure: Any, coefficient: Any, dt: Any) -> Any:
    """Coulomb friction against the slip velocity v = s / dt: µ p v / √(v² + v0²), with the pressure at the beginning.

    Args:
        slip: Change of the opening in the step in µm; its tangential part counts.
        normal: Unit normal.
        pressure: Contact pressure at the beginning of the step in MPa.
        coefficient: Friction coefficient.
        dt: Step in s.
    """
    _, tangential = split_opening(slip, normal)
    return (
        coefficient
        * pressure
        * tangential
        / ufl.sqrt(ufl.dot(tangential, tangential) + (CREEP_VELOCITY * dt) ** 2)
    )


def stored_energy(opening: Any, normal: Any, history: Any, parameters: CohesiveParameters) -> Any:
    """Recoverable energy in J/m²."""
    along, _ = split_opening(opening, normal)
    intact = (1.0 - damage(history, parameters)) * parameters.stiffness + parameters.residual_stiffness
    closed = _closed_part(along)
    return 0.5 * intact * effective_opening(opening, normal, parameters) ** 2 + (
        0.5 * parameters.contact_stiffness * closed**2
    )


def fracture_dissipation(history: Any, parameters: CohesiveParameters) -> Any:
    """Energy in J/m² that the rate-independent law has dissipated at κ: linear from 0 at onset to Gc."""
    onset, final = parameters.onset_opening, parameters.final_opening
    energy = 0.5 * parameters.stiffness * onset * final
    share = ufl.min_value(ufl.max_value((history - onset) / (final - onset), 0.0), 1.0)
    return parameters.breakable * energy * share


def contact_pressure(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any:
    """Contact pressure in MPa, zero when open."""
    along, _ = split_opening(opening, normal)
    return -parameters.contact_stiffness * _closed_part(along)


def _closed_part(along: Any) -> Any:
    """min(δn, 0), written so that its derivative at exactly zero is that of contact, not zero."""
    return along - ufl.max_value(along, 0.0)
