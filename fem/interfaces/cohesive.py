"""Traction-separation of an interface: bilinear, mixed-mode, irreversible. Contact is in fem/interfaces/contact.py.

The effective opening is √(⟨δn⟩² + β² |δt|²) (Camacho and Ortiz 1996, 10.1016/0020-7683(95)00255-3). The history
variable is the largest effective opening κ; damage D(κ) is that of the bilinear law with fracture energy
Gc = ½ σ_max δ_f. Growth of κ is relaxed after Duvaut and Lions, κ̇ = ⟨δ - κ⟩ / τ: only the growth of damage is
viscous, never the motion of an open gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

from fem.interfaces.opening import split_opening

# Squared length (µm²) that keeps the root of the effective opening differentiable at a closed interface.
_CLOSED = 1.0e-24


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
    return intact * (open_part * normal + parameters.shear_ratio**2 * tangential)


def stored_energy(opening: Any, normal: Any, history: Any, parameters: CohesiveParameters) -> Any:
    """Recoverable energy in J/m²."""
    intact = (1.0 - damage(history, parameters)) * parameters.stiffness + parameters.residual_stiffness
    return 0.5 * intact * effective_opening(opening, normal, parameters) ** 2


def fracture_dissipation(history: Any, parameters: CohesiveParameters) -> Any:
    """Energy in J/m² that the rate-independent law has dissipated at κ: linear from 0 at onset to Gc."""
    onset, final = parameters.onset_opening, parameters.final_opening
    energy = 0.5 * parameters.stiffness * onset * final
    share = ufl.min_value(ufl.max_value((history - onset) / (final - onset), 0.0), 1.0)
    return parameters.breakable * energy * share
