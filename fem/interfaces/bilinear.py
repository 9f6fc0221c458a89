"""Bilinear law: linear rise to the strength, linear fall to zero at the final opening δ_f = 2 Gc / σ_max.

Where the fracture energy depends on the mode, δ_f does, and the onset δ_0 = σ_max / K of the effective opening does
not: the strength criterion is (σ_n / σ_max)² + (σ_t / (β σ_max))² = 1 in every case. Damage D at the effective opening
Λ in one mode is then that of another effective opening κ in pure opening; κ is what is remembered, so D never falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl


def openings(strength: float, fracture_energy: float, stiffness: float) -> tuple[float, float]:
    """Openings in µm at which damage begins and is complete."""
    return strength / stiffness, 2.0 * fracture_energy / strength


@dataclass(frozen=True)
class BilinearLaw:
    """UFL values on a facet.

    Attributes:
        onset: δ_0 in µm.
        final: δ_f in µm in pure opening.
    """

    onset: Any
    final: Any

    def damage(self, history: Any) -> Any:
        """D at κ."""
        onset, final = self.onset, self.final
        raw = final * (history - onset) / (ufl.max_value(history, onset) * (final - onset))
        return ufl.min_value(ufl.max_value(raw, 0.0), 1.0)

    def equivalent(self, effective: Any, toughness: Any) -> Any:
        """Opening κ in pure opening with the damage that Λ = ``effective`` does at a fracture energy of that ratio."""
        return _carried(effective, self.onset, toughness * self.final, self.final)

    def effective(self, history: Any, toughness: Any) -> Any:
        """Inverse of :meth:`equivalent`."""
        return _carried(history, self.onset, self.final, toughness * self.final)

    def overload(self, effective: Any, history: Any, toughness: Any) -> Any:
        """Traction at Λ = ``effective`` over the strength that is left at κ."""
        return effective / self.effective(ufl.max_value(history, self.onset), toughness)

    def window(self, history: Any) -> Any:
        """κ cut to the interval in which damage grows."""
        return ufl.min_value(ufl.max_value(history, self.onset), self.final)

    def dissipated_share(self, history: Any, toughness: Any) -> Any:
        """Share of the fracture energy that is spent at κ."""
        reached = self.effective(self.window(history), toughness)
        return (reached - self.onset) / (toughness * self.final - self.onset)


def _carried(opening: Any, onset: Any, final: Any, other_final: Any) -> Any:
    """Opening with the same damage for another final opening; beyond both ends in proportion."""
    inside = ufl.min_value(ufl.max_value(opening, onset), final)
    same = (
        other_final
        * inside
        * (final - onset)
        / ((final - inside) * (other_final - onset) + inside * (final - onset))
    )
    return same * ufl.min_value(opening / onset, 1.0) * ufl.max_value(opening / final, 1.0)
