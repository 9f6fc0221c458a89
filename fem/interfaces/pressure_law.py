"""Pressure of a contact against its penetration d: p = k d (1 + d/ℓ).

Surfaces that touch at asperities are the stiffer the more they are pressed (a power law of exponent two in Wriggers,
Computational Contact Mechanics, 2006, 10.1007/978-3-540-32609-0, section 5.1). Here it serves to keep grains that press
with gigapascals from sinking into each other while contacts that only just touch stay soft enough to be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PressureLaw:
    """The law of some contacts; numbers, arrays of shape (P,) or UFL values.

    Attributes:
        stiffness: k in MPa/µm of a contact that only just touches.
        stiffening: 1/ℓ in 1/µm; zero where the pressure grows in proportion to the penetration.
    """

    stiffness: Any
    stiffening: Any

    def pressure(self, depth: Any) -> Any:
        """Pressure in MPa at a penetration in µm, which is zero or more."""
        return self.stiffness * depth * (1.0 + self.stiffening * depth)

    def slope(self, depth: Any) -> Any:
        """Derivative of the pressure by the penetration in MPa/µm."""
        return self.stiffness * (1.0 + 2.0 * self.stiffening * depth)

    def energy(self, depth: Any) -> Any:
        """Energy stored in J/m² at a penetration in µm."""
        return self.stiffness * depth**2 * (0.5 + self.stiffening * depth / 3.0)

    def depth(self, pressure: Any) -> Any:
        """Penetration in µm at a pressure in MPa; numbers and arrays only."""
        linear = pressure / self.stiffness
        return 2.0 * linear / (1.0 + np.sqrt(1.0 + 4.0 * self.stiffening * linear))

    def chosen(self, wanted: Any) -> PressureLaw:
        """Of some of the contacts; arrays only."""
        return PressureLaw(self.stiffness[wanted], self.stiffening[wanted])
