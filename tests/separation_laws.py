"""Interface laws with contrasted numbers, and what they answer by formulae written down a second time, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fem.interfaces.law import InterfaceLaw
from tests.small import Array, law

STRENGTH, OPENING, SHEAR, RATIO, STIFFNESS = 20.0, 0.31, 0.8, 0.6, 2.0e5
EXPONENT = 1.6


def benzeggagh_kenane(shear: Array) -> Array:
    """Gc at a share of shear in the energy."""
    return OPENING + (SHEAR - OPENING) * shear**EXPONENT


def power(shear: Array) -> Array:
    """The same by the power law."""
    return (((1.0 - shear) / OPENING) ** EXPONENT + (shear / SHEAR) ** EXPONENT) ** (-1.0 / EXPONENT)


def one_energy(shear: Array) -> Array:
    """The same energy in all modes."""
    return np.full_like(shear, OPENING)


@dataclass(frozen=True)
class Reference:
    """A law and its answer to a path of openings.

    Attributes:
        law: For the product.
        tractions: Of openings (normal, tangential), shape (n, 2), with the largest ones so far.
        final: Opening in µm beyond which nothing holds, in any mode, at whatever angle.
    """

    law: InterfaceLaw
    tractions: Callable[[Array], Array]
    final: float

    def work(self, path: Array) -> float:
        """Work along a path that begins at the origin."""
        tractions = self.tractions(path)
        return float(np.sum(0.5 * (tractions[1:] + tractions[:-1]) * np.diff(path, axis=0)))


def secant(
    stiffness: float, ratio: float, trial: Callable[[Array, Array], Array]
) -> Callable[[Array], Array]:
    """Tractions of a law (1 - D) K (⟨δn⟩, β² δt) with D the largest of ``trial(effective, shear)`` so far."""

    def tractions(path: Array) -> Array:
        normal, slip = np.maximum(path[:, 0], 0.0), path[:, 1]
        effective = np.hypot(normal, ratio * slip)
        shear = np.divide((ratio * slip) ** 2, effective**2, out=np.zeros_like(slip), where=effective > 0.0)
        left = 1.0 - np.maximum.accumulate(trial(effective, shear))
        return left[:, None] * stiffness * np.column_stack([normal, ratio**2 * slip])

    return tractions


def bilinear(energy: Callable[[Array], Array], **keys: Any) -> Reference:
    """The bilinear law."""
    onset = STRENGTH / STIFFNESS

    def trial(effective: Array, shear: Array) -> Array:
        final = 2.0 * energy(shear) / STRENGTH
        reached = np.clip(effective, onset, final)
        return final * (reached - onset) / (reached * (final - onset))

    given = law(STRENGTH, OPENING, shear_ratio=RATIO, stiffness=STIFFNESS, **keys)
    # With an exponent above one the power law exceeds both energies between the modes, here by two per cent.
    return Reference(given, secant(STIFFNESS, RATIO, trial), 1.05 * 2.0 * SHEAR / STRENGTH / RATIO)


def exponential(energy: Callable[[Array], Array], shear_energy: float, **keys: Any) -> Reference:
    """The exponential law."""
    stiffness = np.e**2 * STRENGTH**2 / OPENING
    slip_stiffness = np.e**2 * (RATIO * STRENGTH) ** 2 / shear_energy

    def trial(effective: Array, shear: Array) -> Array:
        return 1.0 - np.exp(-effective / np.sqrt(energy(shear) / stiffness))

    given = law(STRENGTH, OPENING, shear_ratio=RATIO, law="exponential", **keys)
    # After twenty peak openings 2e-7 of the energy are left.
    final = 20.0 * np.sqrt(shear_energy / slip_stiffness)
    return Reference(given, secant(stiffness, float(np.sqrt(slip_stiffness / stiffness)), trial), final)


@dataclass(frozen=True)
class Potential:
    """The law of Park, Paulino and Roesler as they write it (their equations 20 to 30), Γ and all."""

    opening: float
    shear: float
    alpha: float
    beta: float
    lambda_n: float
    lambda_t: float

    def __post_init__(self) -> None:
        m = self.alpha * (self.alpha - 1) * self.lambda_n**2 / (1 - self.alpha * self.lambda_n**2)
        n = self.beta * (self.beta - 1) * self.lambda_t**2 / (1 - self.beta * self.lambda_t**2)
        first = (-self.opening) ** float(self.opening > self.shear) * (self.alpha / m) ** m
        second = (-self.shear) ** float(self.shear > self.opening) * (self.beta / n) ** n
        if self.opening == self.shear:
            first, second = -self.opening * (self.alpha / m) ** m, (self.beta / n) ** n
        for name, value in {"m": m, "n": n, "gamma_n": first, "gamma_t": second}.items():
            object.__setattr__(self, name, value)
        for name, strength, energy, shape, power, slope in (
            ("delta_n", STRENGTH, self.opening, self.alpha, m, self.lambda_n),
            ("delta_t", RATIO * STRENGTH, self.shear, self.beta, n, self.lambda_t),
        ):
            factor = shape * slope * (1 - slope) ** (shape - 1) * (shape / power + 1)
            value = energy / strength * factor * (shape / power * slope + 1) ** (power - 1)
            object.__setattr__(self, name, value)

    m: float = 0.0
    n: float = 0.0
    gamma_n: float = 0.0
    gamma_t: float = 0.0
    delta_n: float = 0.0
    delta_t: float = 0.0

    def brackets(self, normal: Array, slip: Array) -> tuple[Array, Array]:
        """The two factors of the potential."""
        x, y = np.minimum(normal / self.delta_n, 1.0), np.minimum(slip / self.delta_t, 1.0)
        n_part = self.gamma_n * (1 - x) ** self.alpha * (self.m / self.alpha + x) ** self.m
        t_part = self.gamma_t * (1 - y) ** self.beta * (self.n / self.beta + y) ** self.n
        return n_part + max(self.opening - self.shear, 0.0), t_part + max(self.shear - self.opening, 0.0)

    def potential(self, normal: float, slip: float) -> float:
        """Ψ in J/m²."""
        first, second = self.brackets(np.array([normal]), np.array([slip]))
        return float(min(self.opening, self.shear) + first[0] * second[0])

    def tractions(self, path: Array) -> Array:
        """Tractions of a path on which both openings only grow."""
        normal, slip = path.T
        x, y = np.minimum(normal / self.delta_n, 1.0), np.minimum(slip / self.delta_t, 1.0)
        first, second = self.brackets(normal, slip)
        m, n, a, b = self.m, self.n, self.alpha, self.beta
        slope_n = m * (1 - x) ** a * (m / a + x) ** (m - 1) - a * (1 - x) ** (a - 1) * (m / a + x) ** m
        slope_t = n * (1 - y) ** b * (n / b + y) ** (n - 1) - b * (1 - y) ** (b - 1) * (n / b + y) ** n
        pull = self.gamma_n / self.delta_n * slope_n * second
        drag = self.gamma_t / self.delta_t * slope_t * first
        # Nothing pulls back once the other mode has broken the bond: the brackets change sign there.
        start_n, start_t = self.brackets(np.zeros(1), np.zeros(1))
        pull[second * start_t[0] <= 0.0] = 0.0
        drag[first * start_n[0] <= 0.0] = 0.0
        return np.column_stack([pull, drag])

    def reference(self) -> Reference:
        """As a reference."""
        given = law(
            STRENGTH,
            self.opening,
            shear_ratio=RATIO,
            law="ppr",
            shear_fracture_energy=self.shear,
            opening_shape_exponent=self.alpha,
            shear_shape_exponent=self.beta,
            opening_slope_indicator=self.lambda_n,
            shear_slope_indicator=self.lambda_t,
        )
        return Reference(given, self.tractions, max(self.delta_n, self.delta_t))


TOUGH_IN_SHEAR = Potential(OPENING, SHEAR, 3.0, 1.7, 0.05, 0.1)
TOUGH_IN_OPENING = Potential(SHEAR, OPENING, 1.6, 4.0, 0.12, 0.03)
ONE_ENERGY = Potential(OPENING, OPENING, 2.0, 2.0, 0.05, 0.2)
POTENTIALS = {
    "ppr, tough in shear": TOUGH_IN_SHEAR,
    "ppr, tough in opening": TOUGH_IN_OPENING,
    "ppr, one energy": ONE_ENERGY,
}
_MIX = {"shear_fracture_energy": SHEAR, "mode_mix_exponent": EXPONENT}
LAWS: Mapping[str, Reference] = {
    "bilinear": bilinear(one_energy),
    "bilinear, Benzeggagh-Kenane": bilinear(benzeggagh_kenane, **_MIX),
    "bilinear, power": bilinear(power, **_MIX, mode_mix="power"),
    "exponential": exponential(one_energy, OPENING),
    "exponential, Benzeggagh-Kenane": exponential(benzeggagh_kenane, SHEAR, **_MIX),
    "exponential, power": exponential(power, SHEAR, **_MIX, mode_mix="power"),
    **{name: potential.reference() for name, potential in POTENTIALS.items()},
}
