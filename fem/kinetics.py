"""Charge transfer between electrolyte and active material after Butler and Volmer.

    j = (i0(x, T) / F) (exp(α d) - exp(-(1 - α) d)),   d = (µ_e - µ_s) / RT

is the lithium that enters the active material s from the electrolyte e per area; F η = µ_e - µ_s is the overpotential.
i0 = i0(½) · 2 √(x (1 - x)) in a host with lithiation x at the face, which is k c^½ (c_max - c)^½ with the value i0(½)
at half filling, and does not depend on x at lithium metal; with temperature it follows Arrhenius. Around equilibrium
this is the linear law with R_s = F R T / i0.

Beyond ``LARGEST`` the exponential goes on along its tangent: nothing overflows, the derivative stays exact and
continuous, and Newton's method finds back from any distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ufl

from fem import balances
from fem.coefficients import Coefficients
from fem.errors import ParameterError
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import Conductor, Host, Material, Reservoir, arrhenius
from fem.units import FARADAY, GAS_CONSTANT

#: Largest argument of the exponentials: with α = ½ and at 60 °C an overpotential of 1.4 V.
LARGEST = 25.0
#: Field with i0(½)/F at the temperature of the model.
EXCHANGE = "exchange_current"
# Smallest x (1 - x), where i0 is 2 % of its value at half filling: the slope of the root stays finite at a face that is
# full or empty, which could otherwise neither give nor take again.
_SMALLEST_FILL = 1.0e-4


@dataclass(frozen=True)
class ButlerVolmer:
    """UFL values on a facet.

    Attributes:
        exchange: i0(½)/F in fmol/(µm² s), zero where the linear law holds.
        linear: One where the linear law holds, else zero.
        transfer: α.
        hosted: One where the active material is a host, zero where it is lithium metal.
        temperature: In K.
    """

    exchange: Any
    linear: Any
    transfer: Any
    hosted: Any
    temperature: Any


def tabulate(
    kinds: Sequence[str],
    laws: Sequence[InterfaceLaw],
    materials: Sequence[Material],
    temperature: Any,
    field: Callable[[str, Sequence[float]], Any],
) -> ButlerVolmer | None:
    """Parameters of every kind of interface, or None where the linear law holds for all.

    Args:
        kinds: Their names.
        laws: Law of each kind.
        materials: All materials of the model.
        temperature: UFL value in K.
        field: Makes a field on the facets from a name and one value a kind.

    Raises:
        ParameterError: A law has an exchange current density between phases that exchange no charge.
    """
    if not any(law.exchange_current_density for law in laws):
        return None
    hosted = [_hosted(kind, law, materials) for kind, law in zip(kinds, laws, strict=True)]
    return ButlerVolmer(
        exchange=field(EXCHANGE, [0.0] * len(laws)),  # set with the temperature
        linear=field("linear_exchange", [float(law.exchange_current_density is None) for law in laws]),
        transfer=field("transfer_coefficient", [law.number("transfer_coefficient") for law in laws]),
        hosted=field("hosted", hosted),
        temperature=temperature,
    )


def exchange_currents(laws: Sequence[InterfaceLaw], temperature: float) -> list[float]:
    """i0(½)/F of every kind in fmol/(µm² s) at a temperature in K."""
    return [
        0.0
        if law.exchange_current_density is None
        else law.exchange_current_density.value / FARADAY * arrhenius(law.exchange_energy, temperature)
        for law in laws
    ]


def conductances(laws: Sequence[InterfaceLaw], temperature: float) -> list[float]:
    """Exchange of every kind around equilibrium (a host half full) in fmol²/(pJ µm² s) at a temperature in K."""
    thermal = GAS_CONSTANT * temperature
    return [
        1.0 / law.exchange_resistance.value if law.exchange_current_density is None else current / thermal
        for law, current in zip(laws, exchange_currents(laws, temperature), strict=True)
    ]


def flux(fields: balances.Fields, coefficients: Coefficients, share: Any, parameters: ButlerVolmer) -> Any:
    """Lithium flux from '-' to '+' in fmol/(µm² s) where charge is transferred, zero elsewhere."""
    conducts, x = coefficients["conducts"], balances.lithiation(fields.concentration, coefficients)
    towards = conducts("-") - conducts("+")  # one where '-' is the electrolyte
    jump = fields.chemical_potential("-") - fields.chemical_potential("+")
    driving = towards * jump / (GAS_CONSTANT * parameters.temperature)
    inside = conducts("+") * x("-") + conducts("-") * x("+")
    fill = 2.0 * ufl.sqrt(ufl.max_value(inside * (1.0 - inside), _SMALLEST_FILL))
    exchange = parameters.exchange * (parameters.hosted * fill + 1.0 - parameters.hosted)
    forth = safe_exponential(parameters.transfer * driving)
    back = safe_exponential(-(1.0 - parameters.transfer) * driving)
    return share * balances.spare(fields, coefficients) * towards * exchange * (forth - back)


def safe_exponential(argument: Any) -> Any:
    """The exponential, along its tangent beyond ``LARGEST``."""
    return ufl.exp(ufl.min_value(argument, LARGEST)) * (1.0 + ufl.max_value(argument - LARGEST, 0.0))


def _hosted(kind: str, law: InterfaceLaw, materials: Sequence[Material]) -> float:
    """One where the active side is a host, zero where it is metal or nothing is transferred."""
    if law.exchange_current_density is None:
        return 0.0
    names = kind.split("|")
    pair = [m.lithium for m in materials if m.phase in names]
    active = [part for part in pair if isinstance(part, Host | Reservoir)]
    if len(names) != 2 or len(active) != 1 or not any(isinstance(part, Conductor) for part in pair):
        raise ParameterError(
            f"interfaces.{kind}.exchange_current_density",
            law.exchange_current_density.value,
            "left out: charge is transferred between the electrolyte and active material or lithium only",
        )
    return float(isinstance(active[0], Host))
