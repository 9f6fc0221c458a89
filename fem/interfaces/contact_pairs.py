"""Pairs of a searching point and the edge it may meet in a step, and their law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fem.interfaces.contact_memory import Place

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Contacts watched in a step; P of them.

    Attributes:
        edge: Edge of the searching point, shape (P,).
        point: Its number on that edge, shape (P,).
        slot: 1 for contact with the grain opposite in the undeformed mesh, 0 for any other, shape (P,).
        other: Edge it may meet, shape (P,).
        gap: Gap at the beginning of the step in µm, along the normal, shape (P,).
        offset: Gap (at most zero) at which pressure begins, shape (P,).
        normal: Outward normal of the other edge, shape (P, 2).
        shape: Shape functions of both edges' nodes, those of the other with a minus sign, shape (P, 2 · nodes).
        weight: Share of the area in µm, shape (P,).
        stiffness: In MPa/µm, shape (P,).
        friction: Coefficient times pressure at the beginning in MPa, shape (P,).
    """

    edge: Integers
    point: Integers
    slot: Integers
    other: Integers
    gap: Array
    offset: Array
    normal: Array
    shape: Array
    weight: Array
    stiffness: Array
    friction: Array

    @property
    def tangent(self) -> Array:
        """Unit tangent, shape (P, 2)."""
        return np.stack([-self.normal[:, 1], self.normal[:, 0]], axis=-1)

    @property
    def place(self) -> Place:
        """Where the contacts are remembered."""
        return self.edge, self.point, self.slot

    def pressure(self, gap: Array) -> Array:
        """Contact pressure in MPa at a gap in µm, shape (P,)."""
        return self.stiffness * np.maximum(self.offset - gap, 0.0)
