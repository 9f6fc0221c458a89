"""What contacts found by search remember from step to step: with whom, under which pressure, from which overlap.

What a facet hands over it hands over with its pressure. A point may overlap a third grain when it first meets it.
That overlap is kept and reported, and closes as the grains part; pushing it out at once would release energy that
nobody put in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Place = tuple[Integers, Integers, Integers]
"""Facet, point on it, and slot (1: the grain opposite in the undeformed mesh, 0: any other), each of shape (P,)."""

# Largest growth of the contact pressure in MPa that new normals and foot points may cause between two steps.
_JUMP = 200.0
# Largest pressure in MPa that a facet hands over with its contact; deeper overlap is no elastic contact.
_HANDED = 5000.0


class ContactMemory:
    """Memory of every place at which contact is searched for; the same on every rank.

    Args:
        history: Takes the arrays, so that they are rolled back and restored with all other history.
        facets: Number of searching facets.
        points: Number of searching points on each.
    """

    def __init__(self, history: dict[str, Array], facets: int, points: int):
        places = (facets, points, 2)
        self._offset = history["contact_offset"] = np.zeros(places)
        self._pressure = history["contact_pressure"] = np.zeros(places)
        self._grain = history["contact_grain"] = np.full(places, -1.0)

    def begin_step(
        self, place: Place, grain: Integers, gap: Array, expected: Array, stiffness: Array
    ) -> tuple[Array, Array]:
        """Offset of each contact in µm and its pressure at the end of the last step in MPa; forget what is no contact.

        Friction goes by that pressure: the one that new normals and foot points give is rough.

        Args:
            place: Where the contacts are.
            grain: Grain met, shape (P,).
            gap: Gap at the beginning of the step in µm, shape (P,).
            expected: Gap at its expected end in µm, shape (P,).
            stiffness: In MPa/µm, shape (P,).
        """
        known = self._grain[place] == grain
        # What a facet hands over is contact with its partner: it goes on with the pressure it had.
        handed = ~known & (place[2] == 1)
        # Beside the border of a facet a point may be behind its plane and outside the grain: what counts as overlap
        # must be one at the beginning of the step and at its expected end.
        overlap = np.minimum(np.maximum(gap, expected), 0.0)
        overlap = np.where(handed, np.minimum(gap + _HANDED / stiffness, 0.0), overlap)
        offset = np.where(known, self._offset[place], overlap)
        offset = np.where(gap > offset, np.minimum(gap, 0.0), offset)
        last = np.where(handed, stiffness * np.maximum(offset - gap, 0.0), 0.0)
        last = np.where(known, self._pressure[place], last)
        pressure = np.minimum(stiffness * np.maximum(offset - gap, 0.0), last + _JUMP)
        offset = np.where(pressure > 0.0, gap + pressure / stiffness, offset)
        self._offset[:], self._pressure[:] = 0.0, 0.0
        self._grain[:] = -1.0
        self._offset[place], self._pressure[place] = offset, last
        self._grain[place] = grain
        return offset, last

    def commit(self, place: Place, pressure: Array) -> None:
        """Remember the pressures in MPa at the end of an accepted step, shape (P,)."""
        self._pressure[place] = pressure
