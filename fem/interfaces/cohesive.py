"""Traction-separation of an interface: what the laws share. Each has a file of its own; contact is in contact.py.

Bilinear and exponential laws are secant laws of the effective opening Λ = √(⟨δn⟩² + β² |δt|²) (Camacho and Ortiz 1996,
10.1016/0020-7683(95)00255-3): traction (1 - D(κ)) K (⟨δn⟩ n + β² δt), with κ the largest Λ so far. With a fracture
energy of its own in shear, κ is the opening that does the same damage in pure opening. The law of Park, Paulino and
Roesler remembers normal and tangential opening apart. Growth of either is relaxed after Duvaut and Lions,
κ̇ = ⟨Λ - κ⟩ / τ: only the growth of damage is viscous, never the motion of an open gap.

Which laws occur is known when forms are built: only those are compiled. Where there are several, fields that are one
or zero on a facet choose; facets of another law evaluate it with harmless numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ufl

from fem.interfaces.bilinear import BilinearLaw
from fem.interfaces.exponential import ExponentialLaw
from fem.interfaces.fatigue import FatigueParameters
from fem.interfaces.history import History
from fem.interfaces.mixed_mode import ModeMixture
from fem.interfaces.opening import split_opening
from fem.interfaces.ppr import PotentialLaw
from fem.interfaces.pressure_law import PressureLaw
from fem.interfaces.step import InterfaceStep

# Squared length (µm²) that keeps the root of the effective opening differentiable at a closed interface.
_CLOSED = 1.0e-24


@dataclass(frozen=True)
class CohesiveParameters:
    """UFL values of the parameters on a facet; see :class:`fem.interfaces.law.InterfaceLaw`.

    Attributes:
        stiffness: K in MPa/µm of the intact interface in opening.
        contact: Pressure against penetration.
        residual_stiffness: MPa/µm left when broken.
        shear_ratio: β of the effective opening.
        breakable: One where it can break.
        relaxation_time: Duvaut-Lions time in s, of the whole model.
        laws: The laws that occur: ``bilinear``, ``exponential`` (secant laws), ``ppr``.
        chosen: One on the facets of a law, zero elsewhere; empty where there is only one law.
        mixture: Fracture energy between the modes, None where no secant law has two.
        fatigue: None where no interface tires.
        bonds_grow: Whether bonds grow under pressure somewhere (fem/interfaces/bonding.py).
    """

    stiffness: Any
    contact: PressureLaw
    residual_stiffness: Any
    shear_ratio: Any
    breakable: Any
    relaxation_time: Any
    laws: Mapping[str, BilinearLaw | ExponentialLaw | PotentialLaw]
    chosen: Mapping[str, Any]
    mixture: ModeMixture | None = None
    fatigue: FatigueParameters | None = None
    bonds_grow: bool = False

    @property
    def potential(self) -> PotentialLaw | None:
        """The law of Park, Paulino and Roesler where it occurs."""
        law = self.laws.get("ppr")
        return law if isinstance(law, PotentialLaw) else None

    @property
    def bilinear(self) -> BilinearLaw:
        """The bilinear law.

        Raises:
            KeyError: It does not occur.
        """
        law = self.laws["bilinear"]
        if not isinstance(law, BilinearLaw):
            raise KeyError("bilinear")
        return law

    @property
    def secants(self) -> dict[str, BilinearLaw | ExponentialLaw]:
        """The secant laws that occur."""
        return {name: law for name, law in self.laws.items() if not isinstance(law, PotentialLaw)}

    @property
    def remembers_path(self) -> bool:
        """Whether what an interface has dissipated depends on more than κ."""
        several = self.mixture is not None or self.fatigue is not None or self.bonds_grow
        return several or list(self.laws) != ["bilinear"]

    def select(self, values: Mapping[str, Any]) -> Any:
        """The value that belongs to the facet's law, from one value a law."""
        names = list(values)
        result = values[names[0]]
        for name in names[1:]:
            result = ufl.conditional(ufl.gt(self.chosen[name], 0.5), values[name], result)
        return result


def effective_opening(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any:
    """√(⟨δn⟩² + β² |δt|²) in µm."""
    along, tangential = split_opening(opening, normal)
    positive = ufl.max_value(along, 0.0)
    return ufl.sqrt(positive**2 + parameters.shear_ratio**2 * ufl.dot(tangential, tangential) + _CLOSED)


def toughness(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any | None:
    """Fracture energy in the present mode over that in pure opening; None where it is the same in all modes."""
    if parameters.mixture is None:
        return None
    along, tangential = split_opening(opening, normal)
    shear = parameters.shear_ratio**2 * ufl.dot(tangential, tangential)
    # Summed up like this, and not as the square of the effective opening, the share does not exceed one by rounding.
    return parameters.mixture.toughness_at(shear / (shear + ufl.max_value(along, 0.0) ** 2 + _CLOSED))


def driving_opening(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any:
    """What κ follows, in µm."""
    effective = effective_opening(opening, normal, parameters)
    ratio = toughness(opening, normal, parameters)
    values: dict[str, Any] = {
        name: effective if ratio is None else law.equivalent(effective, ratio)
        for name, law in parameters.secants.items()
    }
    if parameters.potential is not None:
        values["ppr"] = ufl.max_value(split_opening(opening, normal)[0], 0.0)
    return parameters.select(values)


def slip_size(opening: Any, normal: Any) -> Any:
    """|δt| in µm, differentiable at zero."""
    _, tangential = split_opening(opening, normal)
    return ufl.sqrt(ufl.dot(tangential, tangential) + _CLOSED)


def grown_history(
    opening: Any, normal: Any, history: History, parameters: CohesiveParameters, dt: Any
) -> History:
    """History at the end of a step of length ``dt`` that starts from ``history`` (backward Euler), without fatigue."""
    share = dt / (dt + parameters.relaxation_time)
    driving = driving_opening(opening, normal, parameters)
    grown = replace(history, opening=history.opening + share * ufl.max_value(driving - history.opening, 0.0))
    if history.slip is None:
        return grown
    slip = slip_size(opening, normal)
    return replace(grown, slip=history.slip + share * ufl.max_value(slip - history.slip, 0.0))


def damage_by_separation(history: History, parameters: CohesiveParameters) -> Any:
    """Damage in [0, 1] that opening and sliding have done, without that of cycles."""
    values = {name: law.damage(history.opening) for name, law in parameters.secants.items()}
    if parameters.potential is not None:
        values["ppr"] = parameters.potential.damage(history.opening, history.slip)
    return parameters.breakable * parameters.select(values)


def damage(history: History, parameters: CohesiveParameters) -> Any:
    """Damage in [0, 1]."""
    separation = damage_by_separation(history, parameters)
    return separation if history.fatigue is None else 1.0 - (1.0 - separation) * (1.0 - history.fatigue)


def traction(opening: Any, normal: Any, history: History, parameters: CohesiveParameters) -> Any:
    """Nominal traction (MPa, vector) with which the '-' side pulls on the '+' side with a given history."""
    along, tangential = split_opening(opening, normal)
    intact = _opening_stiffness(history, parameters)
    open_part = ufl.max_value(along, 0.0)
    if parameters.potential is None:
        return intact * (open_part * normal + parameters.shear_ratio**2 * tangential)
    return intact * open_part * normal + _slip_stiffness(history, parameters) * tangential


def residual_traction(opening: Any, normal: Any, parameters: CohesiveParameters) -> Any:
    """What is left of the traction in MPa (vector) where an interface is broken."""
    along, tangential = split_opening(opening, normal)
    direction = ufl.max_value(along, 0.0) * normal + parameters.shear_ratio**2 * tangential
    return parameters.residual_stiffness * direction


def stored_energy(opening: Any, normal: Any, history: History, parameters: CohesiveParameters) -> Any:
    """Recoverable energy in J/m²."""
    intact = _opening_stiffness(history, parameters)
    if parameters.potential is None:
        return 0.5 * intact * effective_opening(opening, normal, parameters) ** 2
    along, tangential = split_opening(opening, normal)
    slip = _slip_stiffness(history, parameters) * ufl.dot(tangential, tangential)
    return 0.5 * (intact * ufl.max_value(along, 0.0) ** 2 + slip)


def energy_product(step: InterfaceStep, history: History) -> Any:
    """½ K δ_a δ_b in J/m² with the stiffnesses of a history, without the residual one, at both ends of a step."""
    parameters = step.parameters
    before, slip_before = split_opening(step.start, step.start_normal)
    after, slip_after = split_opening(step.opening, step.normal)
    residual = parameters.residual_stiffness
    opened = (_opening_stiffness(history, parameters) - residual) * ufl.max_value(before, 0.0)
    slid = _slip_stiffness(history, parameters) - parameters.shear_ratio**2 * residual
    return 0.5 * (opened * ufl.max_value(after, 0.0) + slid * ufl.dot(slip_before, slip_after))


def _opening_stiffness(history: History, parameters: CohesiveParameters) -> Any:
    return (1.0 - damage(history, parameters)) * parameters.stiffness + parameters.residual_stiffness


def _slip_stiffness(history: History, parameters: CohesiveParameters) -> Any:
    """Stiffness in MPa/µm against sliding; only where the law of Park, Paulino and Roesler occurs."""
    law, square = parameters.potential, parameters.shear_ratio**2
    if law is None:
        return square * _opening_stiffness(history, parameters)
    unbroken = 1.0 - parameters.breakable * law.slip_damage(history.opening, history.slip)
    if history.fatigue is not None:
        unbroken *= 1.0 - history.fatigue
    values = {name: square * _opening_stiffness(history, parameters) for name in parameters.secants}
    values["ppr"] = unbroken * law.shear.stiffness + square * parameters.residual_stiffness
    return parameters.select(values)


def overload(opening: Any, normal: Any, history: History, parameters: CohesiveParameters) -> Any:
    """Traction over the strength that is left."""
    effective = effective_opening(opening, normal, parameters)
    ratio = toughness(opening, normal, parameters)
    same = ufl.as_ufl(1.0) if ratio is None else ratio
    values = {
        name: law.overload(effective, history.opening, same) for name, law in parameters.secants.items()
    }
    law = parameters.potential
    if law is not None:
        along = ufl.max_value(split_opening(opening, normal)[0], 0.0)
        values["ppr"] = law.overload(along, slip_size(opening, normal), history.opening, history.slip)
    return parameters.select(values)


def tired(step: InterfaceStep) -> Any:
    """Damage by cycles at the end of a step; only where some interface tires."""
    parameters, grown = step.parameters, step.grown
    if parameters.fatigue is None:
        return grown.fatigue
    return parameters.fatigue.grown(
        grown.fatigue,
        effective_opening(step.start, step.start_normal, parameters),
        effective_opening(step.opening, step.normal, parameters),
        overload(step.start, step.start_normal, grown, parameters),
        overload(step.opening, step.normal, grown, parameters),
    )
