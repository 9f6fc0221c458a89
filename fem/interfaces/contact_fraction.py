"""Contact fraction θ of lithium metal on a host: voids form where it gives faster than they are filled up, and close.

    dθ/dt = -k θ + h (1 - θ),   k = V_Li ⟨j_c - j_r⟩ / ℓ,   h = 3/2 ε̇0 (3 p / (2 n S))^n

j_c is the lithium that leaves each area still in contact, j_r what diffusion of vacancies into the metal makes up for
(Krauskopf et al. 2019, 10.1021/acsami.9b02537: beyond it, voids), V_Li the volume of lithium metal and ℓ the depth of
the voids: where the metal has receded by ℓ it no longer touches. Voids close by creep of the metal under the contact
pressure p, at the rate of a spherical void in a body with creep law ε̇0 (σ/S)^n under hydrostatic pressure (Wilkinson
and Ashby 1975, 10.1016/0001-6160(75)90136-4). Exchange is multiplied by θ. What comes back to the metal heals nothing.

The rates at the end of a step hold for all of it, so that θ is integrated exactly where they are constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ufl

from fem.errors import ParameterError
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import AnandFlow, Material, Reservoir
from fem.units import FARADAY

# Product of rate and step below which its exponential is taken from the series.
_SHORT = 1.0e-6
#: Name of the field with the rate of closure, which depends on the temperature.
CLOSURE = "void_closure"


@dataclass(frozen=True)
class VoidParameters:
    """UFL values on a facet; all but the exponent are zero where there is no contact fraction.

    Attributes:
        recession: V_Li / ℓ in µm²/fmol.
        replenishment: j_r in fmol/(µm² s).
        closure: 3/2 ε̇0 (3 / (2 n S))^n in 1/(s MPa^n).
        exponent: n.
    """

    recession: Any
    replenishment: Any
    closure: Any
    exponent: Any


def tabulate(
    kinds: Sequence[str],
    laws: Sequence[InterfaceLaw],
    materials: Sequence[Material],
    temperature: float,
    field: Callable[[str, Sequence[float]], Any],
) -> VoidParameters:
    """Parameters of every kind of interface.

    Args:
        kinds: Their names.
        laws: Law of each kind.
        materials: All materials of the model.
        temperature: In K.
        field: Makes a field on the facets from a name and one value a kind.

    Raises:
        ParameterError: A law has a contact fraction between phases of which none, or both, are lithium metal.
    """
    rows = [_numbers(kind, law, materials, temperature) for kind, law in zip(kinds, laws, strict=True)]
    names = ("void_recession", "void_replenishment", CLOSURE, "void_exponent")
    return VoidParameters(*(field(name, [row[n] for row in rows]) for n, name in enumerate(names)))


def closures(
    kinds: Sequence[str], laws: Sequence[InterfaceLaw], materials: Sequence[Material], temperature: float
) -> list[float]:
    """Rate of closure of every kind of interface, the one of the parameters that depends on the temperature."""
    return [_numbers(kind, law, materials, temperature)[2] for kind, law in zip(kinds, laws, strict=True)]


def _numbers(
    kind: str, law: InterfaceLaw, materials: Sequence[Material], temperature: float
) -> tuple[float, float, float, float]:
    if not law.loses_contact or law.void_depth is None:
        return 0.0, 0.0, 0.0, 1.0
    metals = [m for m in materials if m.phase in kind.split("|") and isinstance(m.lithium, Reservoir)]
    if len(metals) != 1 or kind == f"{metals[0].phase}|{metals[0].phase}":
        raise ParameterError(
            f"interfaces.{kind}.void_depth",
            law.void_depth.value,
            "left out: only lithium metal on something else has it",
        )
    metal = metals[0]
    reservoir = metal.lithium
    volume = 1.0 / reservoir.concentration.value if isinstance(reservoir, Reservoir) else 0.0
    replenishment = 0.0 if law.void_replenishment is None else law.void_replenishment.value / FARADAY
    closure, exponent = 0.0, 1.0
    if isinstance(metal.flow, AnandFlow):
        exponent = 1.0 / metal.flow.rate_sensitivity.value
        resistance = metal.flow.initial_resistance.value * metal.flow.size_factor.value
        closure = 1.5 * metal.flow.rate_at(temperature) * (1.5 / (exponent * resistance)) ** exponent
    return volume / law.void_depth.value, replenishment, closure, exponent


def grown_contact(contact: Any, outflow: Any, pressure: Any, parameters: VoidParameters, dt: Any) -> Any:
    """θ at the end of a step.

    Args:
        contact: θ at the beginning.
        outflow: j_c in fmol/(µm² s), positive out of the metal, zero between two grains of metal.
        pressure: Contact pressure in MPa.
        parameters: Of the facet.
        dt: Step in s.
    """
    loss = parameters.recession * ufl.max_value(outflow - parameters.replenishment, 0.0)
    # A facet whose partner is gone has a pressure of zero but for rounding, of either sign.
    healing = parameters.closure * ufl.max_value(pressure, 0.0) ** parameters.exponent
    span = (loss + healing) * dt
    safe = ufl.max_value(span, _SHORT)
    mean = ufl.conditional(ufl.lt(span, _SHORT), 1.0 - 0.5 * span, (1.0 - ufl.exp(-safe)) / safe)
    return contact + dt * mean * (healing * (1.0 - contact) - loss * contact)
