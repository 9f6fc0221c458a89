"""Law of Park, Paulino and Roesler (2009, 10.1016/j.jmps.2008.10.003), with unloading to the origin.

With x = δn/δ̄n, y = |δt|/δ̄t and the functions g(x) = (1 - x)^α (1 + α x / m)^m, which fall from one to zero, their
potential is Ψ = min(Φn, Φt) (1 - N(x) M(y)), where Φn and Φt are the fracture energies in opening and shear and

    N = b g_n(x) - (b - 1), b = max(1, Φn/Φt),     M = a g_t(y) - (a - 1), a = max(1, Φt/Φn).

The exponent m = α (α - 1) λ² / (1 - α λ²) puts the peak at x = λ, the slope indicator, and δ̄ follows from strength and
fracture energy. The tractions are

    T_n = ∂Ψ/∂δn = K_n p_n(x) ⟨M(y)⟩ δn,  T_t = ∂Ψ/∂|δt| = K_t p_t(y) ⟨N(x)⟩ |δt|,

p(x) = (1 - x)^(α-1) (1 + α x / m)^(m-1), K = Φ α (α + m) / (m δ̄²): a stiffness times the opening, without any quotient
of zeros at zero. Both stiffnesses fall in x and in y. The law remembers the largest δn and the largest |δt|, and
unloads with the stiffnesses at those two. (With the present |δt| instead, as Park and Paulino 2012 unload, sliding
back would heal the bond in opening.) Where both grow the traction is theirs to the letter; whatever the path,
dissipation is -½ (dS_n δn² + dS_t |δt|²) ≥ 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

# Keeps the derivative of (1 - x)^(α-1) finite where the bond ends; 1e-9 of the final opening.
_END = 1.0e-9


@dataclass(frozen=True)
class BranchNumbers:
    """One mode's numbers.

    Attributes:
        final: δ̄ in µm.
        exponent: α.
        power: m.
        stiffness: K in MPa/µm.
    """

    final: float
    exponent: float
    power: float
    stiffness: float


def branch_numbers(strength: float, energy: float, exponent: float, slope_indicator: float) -> BranchNumbers:
    """Numbers of one mode from its strength (MPa), fracture energy (J/m²), shape exponent and slope indicator."""
    square = slope_indicator**2
    power = exponent * (exponent - 1.0) * square / (1.0 - exponent * square)
    at_peak = 1.0 + exponent * slope_indicator / power
    steepness = exponent * (exponent + power) / power
    height = (
        steepness * slope_indicator * (1.0 - slope_indicator) ** (exponent - 1.0) * at_peak ** (power - 1.0)
    )
    final = energy / strength * height
    return BranchNumbers(final, exponent, power, energy * steepness / final**2)


@dataclass(frozen=True)
class Branch:
    """One mode: UFL values on a facet.

    Attributes:
        final: δ̄ in µm.
        peak: λ, opening at the peak over δ̄.
        exponent: α.
        power: m.
        energy: Φ in J/m².
        stiffness: K in MPa/µm.
        excess: b or a: what this mode's energy exceeds the other's by, at least 1.
    """

    final: Any
    peak: Any
    exponent: Any
    power: Any
    energy: Any
    stiffness: Any
    excess: Any

    def secant(self, x: Any) -> Any:
        """p, stiffness at x over that at zero; zero from x = 1 on."""
        return ufl.conditional(ufl.lt(x, 1.0), self._secant(x), 0.0)

    def left(self, x: Any) -> Any:
        """The function g: what this mode has left of its energy with nothing else damaged."""
        rest = ufl.max_value(1.0 - x, _END)
        inside = rest**self.exponent * (1.0 + self.exponent * x / self.power) ** self.power
        return ufl.conditional(ufl.lt(x, 1.0), inside, 0.0)

    def coupling(self, x: Any) -> Any:
        """What is left of the other mode's traction: ⟨N⟩ or ⟨M⟩."""
        return ufl.max_value(self.excess * self.left(x) - (self.excess - 1.0), 0.0)

    def strength(self, largest: Any) -> Any:
        """Largest traction that is still to be had after ``largest`` over that of the intact bond."""
        strongest = ufl.max_value(largest, self.peak)
        return self.secant(strongest) * strongest / (self._secant(self.peak) * self.peak)

    def overload(self, x: Any, largest: Any) -> Any:
        """Traction at x over the largest traction that is still to be had after ``largest``."""
        strongest = ufl.max_value(largest, self.peak)
        return self._secant(largest) * x / (self._secant(strongest) * strongest)

    def spent(self, x: Any) -> Any:
        """Energy per Φ that this mode alone has dissipated at x: 1 - g - ½ x² P."""
        return 1.0 - self.left(x) - self.stored(x, x)

    def stored(self, x: Any, largest: Any) -> Any:
        """Energy per Φ that this mode alone has stored at x."""
        return 0.5 * x**2 * self.stiffness * self.final**2 / self.energy * self.secant(largest)

    def _secant(self, x: Any) -> Any:
        rest = ufl.max_value(1.0 - x, _END)
        return rest ** (self.exponent - 1.0) * (1.0 + self.exponent * x / self.power) ** (self.power - 1.0)


@dataclass(frozen=True)
class PotentialLaw:
    """UFL values on a facet.

    Attributes:
        opening: Of the normal opening.
        shear: Of the tangential opening.
    """

    opening: Branch
    shear: Branch

    def damage(self, opening: Any, slip: Any) -> Any:
        """Share of the stiffness against opening that is lost at the largest openings; 1 when broken in any mode."""
        return 1.0 - self.opening.secant(opening / self.opening.final) * self.shear.coupling(
            slip / self.shear.final
        )

    def slip_damage(self, opening: Any, slip: Any) -> Any:
        """Share of the stiffness against sliding that is lost at the largest openings."""
        return 1.0 - self.shear.secant(slip / self.shear.final) * self.opening.coupling(
            opening / self.opening.final
        )

    def strength_lost(self, opening: Any, slip: Any) -> Any:
        """Share of the strength in opening that is gone at the largest openings; 1 when broken in any mode."""
        return 1.0 - self.opening.strength(opening / self.opening.final) * self.shear.coupling(
            slip / self.shear.final
        )

    def overload(self, opening: Any, slip: Any, largest_opening: Any, largest_slip: Any) -> Any:
        """Traction over the strength that is left, both modes' shares as the legs of a right triangle."""
        normal = self.opening.overload(opening / self.opening.final, largest_opening / self.opening.final)
        shear = self.shear.overload(slip / self.shear.final, largest_slip / self.shear.final)
        return ufl.sqrt(normal**2 + shear**2)
