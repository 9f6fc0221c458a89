"""What stands opposite the working electrode: lithium metal (half cell) or a lumped cathode (full cell)."""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, sqrt
from typing import Protocol

import numpy as np

from fem.errors import ParameterError
from fem.parameters import Parameter
from fem.units import FARADAY, GAS_CONSTANT


class CathodeCurve(Protocol):
    """Open-circuit voltage of a cathode."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest lithiation the curve is given for."""

    def voltage(self, lithiation: float) -> float:
        """Voltage against lithium metal in V."""

    def slope(self, lithiation: float) -> float:
        """Its derivative with respect to the lithiation in V."""


@dataclass(frozen=True)
class LithiumCobaltOxide:
    """LiCoO2, fit of Ramadass et al. 2004 (10.1149/1.1634273) as a function of y in Li_y CoO2, about 0.5 < y < 1.

    Ratio of two polynomials in y², with a pole near y = 0.42; outside the bounds the curve goes on along its tangent,
    so that a Newton iterate may pass them.
    """

    bounds: tuple[float, float] = (0.46, 0.99)

    def voltage(self, lithiation: float) -> float:
        """Voltage against lithium metal in V."""
        inside = float(np.clip(lithiation, *self.bounds))
        square = inside**2
        value = np.polyval(_NUMERATOR, square) / np.polyval(_DENOMINATOR, square)
        return float(value) + self._slope(inside) * (lithiation - inside)

    def slope(self, lithiation: float) -> float:
        """Its derivative with respect to the lithiation in V."""
        return self._slope(float(np.clip(lithiation, *self.bounds)))

    @staticmethod
    def _slope(y: float) -> float:
        square = y**2
        above, below = np.polyval(_NUMERATOR, square), np.polyval(_DENOMINATOR, square)
        rise = np.polyval(np.polyder(_NUMERATOR), square) * below
        fall = above * np.polyval(np.polyder(_DENOMINATOR), square)
        return float(2.0 * y * (rise - fall) / below**2)


# Highest power of y² first.
_NUMERATOR = np.array([433.434, -462.471, 342.909, -401.119, 88.669, -4.656])
_DENOMINATOR = np.array([95.96, -73.083, 37.311, -79.532, 18.933, -1.0])


@dataclass(frozen=True)
class Passed:
    """Charge that has passed since the terminals were connected, positive where it lithiated the working electrode.

    Attributes:
        charge: In C/m² of section, at the end of the step in question.
        peak: Largest charge so far in C/m².
    """

    charge: float
    peak: float


@dataclass(frozen=True)
class LithiumMetal:
    """A counter electrode of lithium metal, which never runs out: the half cell.

    Attributes:
        exchange_current_density: i0 in A/m² of section, None for no overpotential.
        linear: Take the linear law I = i0 F η / RT instead of I = 2 i0 sinh(F η / 2 RT).
    """

    exchange_current_density: Parameter | None = None
    linear: bool = False

    #: Terminal voltage = sign · (potential of the working electrode) + potential of the counter electrode.
    sign = 1.0

    @property
    def holds_still(self) -> bool:
        """Whether its potential depends on nothing."""
        return self.exchange_current_density is None

    def potential(self, passed: Passed) -> tuple[float, float]:
        """Open-circuit potential against lithium in V and its derivative with respect to the charge in V m²/C."""
        return 0.0, 0.0

    def overpotential(self, current: float, temperature: float) -> tuple[float, float]:
        """Overpotential in V at a current density in A/m², and its derivative in Ω m²; of the current's sign."""
        return overpotential(current, self.exchange_current_density, temperature, self.linear)


@dataclass(frozen=True)
class LumpedCathode:
    """A cathode without extent: its lithiation follows from the charge, its curve gives the potential.

    What the working electrode takes the cathode gives: y = y0 - q/Q. Of what has left it for the first time the share
    ``first_cycle_loss`` finds no way back: with q* the largest charge so far, refilling leads back to y0 after
    (1 - loss) q*, along y = y0 - q*/Q + (q* - q) / ((1 - loss) Q).

    Attributes:
        capacity: Q in C/m² of section for y = 0 … 1.
        start: Lithiation y0 when the cell is assembled.
        first_cycle_loss: Share of the charge of the first delithiation that cannot be put back.
        exchange_current_density: i0 in A/m² of section, None for no overpotential.
        linear: Take the linear law for the overpotential.
        curve: Open-circuit voltage.
    """

    capacity: Parameter
    start: Parameter
    first_cycle_loss: Parameter
    exchange_current_density: Parameter | None = None
    linear: bool = False
    curve: CathodeCurve = LithiumCobaltOxide()

    sign = -1.0
    holds_still = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ParameterError: One is out of range.
        """
        low, high = self.curve.bounds
        if not self.capacity.value > 0.0:
            raise ParameterError("cathode.capacity", self.capacity.value, "above zero")
        if not low < self.start.value <= high:
            raise ParameterError("cathode.start", self.start.value, f"above {low:g} and at most {high:g}")
        if not 0.0 <= self.first_cycle_loss.value < 1.0:
            raise ParameterError(
                "cathode.first_cycle_loss", self.first_cycle_loss.value, "at least 0 and below 1"
            )

    def lithiation(self, passed: Passed) -> tuple[float, float]:
        """Lithiation y after some charge, and its derivative with respect to that charge in m²/C."""
        scale, kept = self.capacity.value, 1.0 - self.first_cycle_loss.value
        if passed.charge >= passed.peak:
            return self.start.value - passed.charge / scale, -1.0 / scale
        back = (passed.peak - passed.charge) / (kept * scale)
        return self.start.value - passed.peak / scale + back, -1.0 / (kept * scale)

    def potential(self, passed: Passed) -> tuple[float, float]:
        """Open-circuit potential against lithium in V and its derivative with respect to the charge in V m²/C."""
        y, rate = self.lithiation(passed)
        return self.curve.voltage(y), self.curve.slope(y) * rate

    def overpotential(self, current: float, temperature: float) -> tuple[float, float]:
        """Overpotential in V at a current density in A/m², and its derivative in Ω m²; of the current's sign."""
        return overpotential(current, self.exchange_current_density, temperature, self.linear)


CounterElectrode = LithiumMetal | LumpedCathode


def overpotential(
    current: float, exchange: Parameter | None, temperature: float, linear: bool
) -> tuple[float, float]:
    """Η of I = 2 i0 sinh(F η / 2 RT), or of I = i0 F η / RT, and dη/dI; zero without an exchange current density."""
    if exchange is None:
        return 0.0, 0.0
    thermal = GAS_CONSTANT * temperature / FARADAY
    ratio = current / exchange.value
    if linear:
        return thermal * ratio, thermal / exchange.value
    half = 0.5 * ratio
    return 2.0 * thermal * asinh(half), thermal / (exchange.value * sqrt(1.0 + half**2))


def balanced_capacity(working: float, ratio: float, start: float, end: float) -> float:
    """Capacity Q in C/m² for y = 0 … 1 of a cathode that is balanced against a working electrode.

    Args:
        working: Capacity of the working electrode in C/m².
        ratio: N/P, capacity of the working electrode over that of the cathode between ``start`` and ``end``.
        start: Lithiation of the cathode when the cell is assembled.
        end: The lowest it is charged to.

    Raises:
        ParameterError: The lithiations or the ratio leave nothing to charge.
    """
    if not 0.0 <= end < start <= 1.0:
        raise ParameterError("cathode.end", end, f"at least 0 and below cathode.start = {start:g}")
    if not ratio > 0.0:
        raise ParameterError("cathode.ratio", ratio, "above zero")
    return working / (ratio * (start - end))
