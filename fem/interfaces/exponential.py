"""Smooth exponential law (Ortiz and Pandolfi 1999, 10.1002/(SICI)1097-0207(19990330)44:9<1267::AID-NME486>3.0.CO;2-7).

On the envelope the traction is σ = e σ_max (δ/δ_c) exp(-δ/δ_c) with δ_c = Gc / (e σ_max): it rises with the stiffness
K = e σ_max / δ_c = e² σ_max² / Gc, peaks at δ_c and has the area Gc. Unloading is towards the origin, so that damage is
D = 1 - exp(-κ/δ_c). In shear K and δ_c are those of the strength β σ_max and of the fracture energy in shear; between
the modes the traction is (1 - D) (K_n ⟨δn⟩ n + K_t δt), and δ_c of the effective opening Λ = √(⟨δn⟩² + K_t/K_n |δt|²)
grows with the root of the fracture energy, which is what the area demands.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e
from typing import Any

import ufl


def peak_opening(strength: float, fracture_energy: float) -> float:
    """δ_c in µm in pure opening."""
    return fracture_energy / (e * strength)


def stiffness(strength: float, fracture_energy: float) -> float:
    """K in MPa/µm in pure opening."""
    return e * strength / peak_opening(strength, fracture_energy)


@dataclass(frozen=True)
class ExponentialLaw:
    """UFL values on a facet.

    Attributes:
        peak: δ_c in µm in pure opening.
    """

    peak: Any

    def damage(self, history: Any) -> Any:
        """D at κ."""
        return 1.0 - ufl.exp(-history / self.peak)

    def equivalent(self, effective: Any, toughness: Any) -> Any:
        """Opening κ in pure opening with the damage that Λ = ``effective`` does at a fracture energy of that ratio."""
        return effective / ufl.sqrt(toughness)

    def effective(self, history: Any, toughness: Any) -> Any:
        """Inverse of :meth:`equivalent`."""
        return history * ufl.sqrt(toughness)

    def overload(self, effective: Any, history: Any, toughness: Any) -> Any:
        """Traction at Λ = ``effective`` over the strength that is left at κ."""
        reached = history / self.peak
        strongest = ufl.max_value(reached, 1.0)
        now = self.equivalent(effective, toughness) / self.peak
        return now / strongest * ufl.exp(strongest - reached)

    def window(self, history: Any) -> Any:
        """κ cut to the interval in which damage grows: all of it."""
        return history

    def dissipated_share(self, history: Any, toughness: Any) -> Any:
        """Share of the fracture energy that is spent at κ, the same in every mode."""
        x = history / self.peak
        return 1.0 - (1.0 + x + 0.5 * x**2) * ufl.exp(-x)
