"""Fracture energy between opening and shear: Benzeggagh and Kenane, or a power law.

With B the share of shear in the energy and g = Gc,shear / Gc,opening,

    Benzeggagh and Kenane 1996 (10.1016/0266-3538(96)00005-X): Gc / Gc,opening = 1 + (g - 1) B^η
    power law:                                                 Gc / Gc,opening = [(1 - B)^η + (B / g)^η]^(-1/η).

The tractions of a secant law are (1 - D) K (⟨δn⟩ n + β² δt), so that B = β² |δt|² / (⟨δn⟩² + β² |δt|²) both of the
energy stored and, on a straight path, of the work done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl


@dataclass(frozen=True)
class ModeMixture:
    """UFL values on a facet.

    Attributes:
        toughness: g, fracture energy in shear over that in opening; 1 where there is only one.
        exponent: η, at least 1.
        power: One where the power law holds, zero for Benzeggagh and Kenane; None where no interface has it.
    """

    toughness: Any
    exponent: Any
    power: Any | None

    def toughness_at(self, shear: Any) -> Any:
        """Gc / Gc,opening at a share of shear B in [0, 1]."""
        smooth = 1.0 + (self.toughness - 1.0) * shear**self.exponent
        if self.power is None:
            return smooth
        total = (1.0 - shear) ** self.exponent + (shear / self.toughness) ** self.exponent
        return ufl.conditional(ufl.gt(self.power, 0.5), total ** (-1.0 / self.exponent), smooth)
