"""Pairs of a searching point and the facet it may meet in a step, and their law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from fem.interfaces.contact_memory import Place
from fem.interfaces.pressure_law import PressureLaw

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Contacts watched in a step; P of them.

    Attributes:
        facet: Facet of the searching point, shape (P,).
        point: Its number on that facet, shape (P,).
        slot: 1 for contact with the grain opposite in the undeformed mesh, 0 for any other, shape (P,).
        other: Facet it may meet, shape (P,).
        gap: Gap at the beginning of the step in µm, along the normal, shape (P,).
        acting: Gap from which it acts in this step; as the gap, but for points that come past a corner, shape (P,).
        offset: Gap (at most zero) at which pressure begins, shape (P,).
        normal: Outward normal of the other facet, shape (P, dimension).
        tangents: Orthonormal vectors square to it (one in a section), each of shape (P, dimension).
        shape: Shape functions of both facets' nodes, those of the other with a minus sign, shape (P, 2 · nodes).
        weight: Share of the area in µm (µm² in 3D), shape (P,).
        law: Pressure against penetration beyond the offset.
        friction: Coefficient times pressure at the beginning in MPa, shape (P,).
    """

    facet: Integers
    point: Integers
    slot: Integers
    other: Integers
    gap: Array
    acting: Array
    offset: Array
    normal: Array
    tangents: tuple[Array, ...]
    shape: Array
    weight: Array
    law: PressureLaw
    friction: Array

    @property
    def place(self) -> Place:
        """Where the contacts are remembered."""
        return self.facet, self.point, self.slot

    def pressure(self, gap: Array) -> Array:
        """Contact pressure in MPa at a gap in µm, shape (P,)."""
        return np.asarray(self.law.pressure(self._depth(gap)))

    def drag(self, slip: tuple[Array, ...], creep: float) -> tuple[Array, ...]:
        """Friction in MPa along each tangent, against a slip in µm along each, all of shape (P,)."""
        length = _length(slip, creep)
        return tuple(self.friction * along / length for along in slip)

    def traction(self, gap: Array, slip: tuple[Array, ...], creep: float) -> Array:
        """What holds the searching points back, times their share of the area, shape (P, dimension)."""
        pressure = self.pressure(gap)
        drag = self.drag(slip, creep)
        along = [d[:, None] * tangent for d, tangent in zip(drag, self.tangents, strict=True)]
        return self.weight[:, None] * (sum(along[1:], along[0]) - pressure[:, None] * self.normal)

    def tangent(self, gap: Array, slip: tuple[Array, ...], creep: float) -> Array:
        """Derivative of the traction by the motion of the searching points, shape (P, dimension, dimension)."""
        normal = np.where(gap < self.offset, self.law.slope(self._depth(gap)), 0.0)
        tensor = normal[:, None, None] * self.normal[:, :, None] * self.normal[:, None, :]
        cube = _length(slip, creep) ** 3
        for a, first in enumerate(self.tangents):
            for b, second in enumerate(self.tangents):
                # Friction keeps its size across the slip, whatever the creep, and turns with it.
                if a == b:
                    turned = sum((s**2 for c, s in enumerate(slip) if c != a), np.zeros(len(gap)))
                    along = self.friction * (creep**2 + turned) / cube
                else:
                    along = -self.friction * slip[a] * slip[b] / cube
                tensor += along[:, None, None] * first[:, :, None] * second[:, None, :]
        tensor *= self.weight[:, None, None]
        return tensor

    def stored(self, gap: Array) -> float:
        """Energy stored at a gap in pJ (per µm of depth in a section)."""
        return float(np.sum(self.weight * self.law.energy(self._depth(gap))))

    def work_on_the_way(self, gap: Array) -> float:
        """Work against the pressure while the gap goes straight to what it is now, in the same unit."""
        # A contact that opens or closes presses on a part of the way only, on which Simpson's rule is exact.
        before, after = self._depth(self.acting), self._depth(gap)
        ends = self.law.pressure(before) + self.law.pressure(after)
        mean = (ends + 4.0 * self.law.pressure(0.5 * (before + after))) / 6.0
        return float(np.sum(self.weight * mean * (after - before)))

    def _depth(self, gap: Array) -> Array:
        """Penetration beyond the offset in µm, zero where open, shape (P,)."""
        return np.maximum(self.offset - gap, 0.0)


def _length(slip: tuple[Array, ...], creep: float) -> Array:
    """Length of slip and creep together."""
    return np.asarray(np.hypot(reduce(np.hypot, slip), creep))
