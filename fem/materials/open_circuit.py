"""Open-circuit voltage of the hosts against lithiation x in (0, 1), with proper ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import ufl
from scipy.optimize import brentq

Function = Callable[[Any], Any]


class OpenCircuitCurve(Protocol):
    """A voltage curve that can be written in UFL and evaluated with NumPy."""

    def voltage(self, x: Any, exp: Function = ..., tanh: Function = ...) -> Any:
        """Voltage against lithium metal in V at lithiation ``x``."""


def end_terms(x: Any) -> Any:
    """Entropic end terms 1e-4 (1/x + 1/(x-1)) in V: they make the curve reach any voltage inside (0, 1)."""
    return 1.0e-4 * (1.0 / x + 1.0 / (x - 1.0))


@dataclass(frozen=True)
class GraphiteChen:
    """Graphite, Chen et al. 2020 (10.1149/1945-7111/ab9050), with end terms: the published fit never reaches 0 V."""

    def voltage(self, x: Any, exp: Function = ufl.exp, tanh: Function = ufl.tanh) -> Any:
        """Voltage in V."""
        return (
            1.9793 * exp(-39.3631 * x)
            + 0.2482
            - 0.0909 * tanh(29.8538 * (x - 0.1234))
            - 0.04478 * tanh(14.9159 * (x - 0.2769))
            - 0.0205 * tanh(30.4444 * (x - 0.6103))
            + end_terms(x)
        )


_SILICON_LITHIATION = (-96.63, 372.6, -587.6, 489.9, -232.8, 62.99, -9.286, 0.8633)
_SILICON_DELITHIATION = (-51.02, 161.3, -205.7, 140.2, -58.76, 16.87, -3.792, 0.9937)


@dataclass(frozen=True)
class SiliconVerbrugge:
    """Silicon, Verbrugge et al. 2016 (10.1149/2.0581603jes): the mean of the lithiation and delithiation branches.

    Where plasticity is resolved the stress makes part of the hysteresis, so the mean is used by default.

    Attributes:
        lithiation_share: Weight of the lithiation branch, 0.5 for the mean.
    """

    lithiation_share: float = 0.5

    def voltage(self, x: Any, exp: Function = ufl.exp, tanh: Function = ufl.tanh) -> Any:
        """Voltage in V."""
        share = self.lithiation_share
        value = 0.0
        for down, up in zip(_SILICON_LITHIATION, _SILICON_DELITHIATION, strict=True):
            value = value * x + (share * down + (1.0 - share) * up)
        return value + end_terms(x)


@dataclass(frozen=True)
class LinearCurve:
    """A straight curve U = U0 - slope · x: with it diffusion is Fickian exactly (used for verification).

    Attributes:
        intercept: Voltage at x = 0 in V.
        slope: Fall over x = 0 … 1 in V, positive.
    """

    intercept: float
    slope: float

    def voltage(self, x: Any, exp: Function = ufl.exp, tanh: Function = ufl.tanh) -> Any:
        """Voltage in V."""
        return self.intercept - self.slope * x


def lithiation_at(curve: OpenCircuitCurve, voltage: float) -> float:
    """Lithiation at which ``curve`` has ``voltage`` (V).

    Raises:
        ValueError: The curve does not reach that voltage strictly inside (0, 1).
    """

    def difference(x: float) -> float:
        return float(curve.voltage(x, exp=np.exp, tanh=np.tanh)) - voltage

    low, high = 1.0e-9, 1.0 - 1.0e-9
    if difference(low) * difference(high) > 0.0:
        raise ValueError(f"{curve} does not reach {voltage} V")
    return float(brentq(difference, low, high, xtol=1e-15, rtol=1e-14))
