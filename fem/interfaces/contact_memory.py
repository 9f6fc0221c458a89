"""What contacts found by search remember from step to step: with whom and where, the pressure, the overlap kept.

What a facet hands over it hands over with its pressure. A point may overlap a third grain when it first meets it.
That overlap is kept and reported, and closes as the grains part or step by step; pushing it out at once would release
energy that nobody put in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fem.interfaces.pressure_law import PressureLaw

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Place = tuple[Integers, Integers, Integers]
"""Facet, point on it, and slot (1: the grain opposite in the undeformed mesh, 0: any other), each of shape (P,)."""

# Largest growth of the contact pressure in MPa that new normals and foot points may cause between two steps.
_JUMP = 1000.0
# Pressure in MPa by which an overlap that was kept is pushed out in a step.
_EASING = 500.0
# Largest pressure in MPa that a facet hands over with its contact; deeper overlap is no elastic contact.
_DEEPEST = 5000.0
#: Depth in µm behind a facet, beyond that of the contact so far, from which a point counts as beyond a corner.
BEHIND = 1.0e-3


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
        self._facet = history["contact_facet"] = np.full(places, -1.0)

    def passing_a_corner(
        self, place: Place, grain: Integers, facet: Integers, gap: Array, law: PressureLaw
    ) -> Integers:
        """Contacts that a step expects beyond a corner: the facet each has been with, -1 where there is no such thing.

        On one side of a convex corner a point is behind the facet on the other side, and not inside the grain. That
        depth is none to be kept: the facet it comes from holds it until it has passed the corner.

        Args:
            place: Where the contacts are.
            grain: Grain met, shape (P,).
            facet: Its facet that is met at the expected end of the step, shape (P,).
            gap: Gap to that facet at the beginning of the step in µm, shape (P,).
            law: Pressure against penetration.
        """
        last = self._facet[place].astype(np.int64)
        known = (self._grain[place] == grain) & (last >= 0) & (last != facet)
        return np.where(known & (gap < self._gap_so_far(place, law) - BEHIND), last, -1)

    def is_beyond_a_corner(
        self, place: Place, grain: Integers, gap: Array, expected: Array, law: PressureLaw
    ) -> Booleans:
        """Contacts that are new and deeper at the beginning than contact can be, but not so at the expected end.

        Such a point is in front of another facet of the grain still: it is to be met when it has passed the corner.

        Args:
            place: Where the contacts are.
            grain: Grain met, shape (P,).
            gap: Gap at the beginning of the step in µm, shape (P,).
            expected: Gap at its expected end in µm, shape (P,).
            law: Pressure against penetration.
        """
        deep = (gap < -law.depth(_DEEPEST)) & (expected > gap + BEHIND)
        return np.asarray(deep & (self._grain[place] != grain))

    def sinks_in(
        self, place: Place, grain: Integers, gap: Array, expected: Array, law: PressureLaw
    ) -> Booleans:
        """Contacts that are deeper than contact can be all through a step, beyond what they have overlapped so far.

        Nothing comes that deep between two steps: such a point was still outside, before a corner (contact_corners.py).

        Args:
            place: Where the contacts are.
            grain: Grain met, shape (P,).
            gap: Gap at the beginning of the step in µm, shape (P,).
            expected: Gap at its expected end in µm, shape (P,).
            law: Pressure against penetration.
        """
        so_far = np.where(self._grain[place] == grain, self._gap_so_far(place, law), 0.0)
        return np.asarray(np.maximum(gap, expected) < so_far - law.depth(_DEEPEST))

    def begin_step(
        self,
        place: Place,
        grain: Integers,
        facet: Integers,
        gap: Array,
        expected: Array,
        law: PressureLaw,
        handing: Booleans,
    ) -> tuple[Array, Array, Array]:
        """Offset of each contact, its pressure at the end of the last step, and the gap from which it acts.

        What is no contact is forgotten. Friction goes by that pressure: the one that new normals and foot points give
        is rough. A point that comes past a corner was outside before: how deep it then was behind the facet beyond says
        nothing, and it begins to act where the offset is.

        Args:
            place: Where the contacts are.
            grain: Grain met, shape (P,).
            facet: Its facet, shape (P,).
            gap: Gap at the beginning of the step in µm, shape (P,).
            expected: Gap at its expected end in µm, shape (P,).
            law: Pressure against penetration.
            handing: Whether paired contact with that grain is on its way to this one, shape (P,).

        Returns:
            Offset in µm, pressure in MPa and gap in µm, each of shape (P,).
        """
        known = self._grain[place] == grain
        # What a facet hands over is contact with its partner: it goes on with the pressure it had. One that has parted
        # from its partner for good and meets it again is a grain like any other.
        handed = ~known & handing
        # Beside the border of a facet a point may be behind its plane and outside the grain: what counts as overlap
        # must be one at the beginning of the step and at its expected end.
        overlap = np.minimum(np.maximum(gap, expected), 0.0)
        overlap = np.where(handed, np.minimum(gap + law.depth(_DEEPEST), 0.0), overlap)
        kept, pressed = self._offset[place], self._pressure[place]
        eased = np.minimum(kept + law.depth(pressed + _EASING) - law.depth(pressed), 0.0)
        offset = np.where(known, eased, overlap)
        offset = np.where(gap > offset, np.minimum(gap, 0.0), offset)
        pressing = law.pressure(np.maximum(offset - gap, 0.0))
        last = np.where(handed, pressing, 0.0)
        last = np.where(known, pressed, last)
        # Past a corner the pressure at the expected end is what may not jump.
        past = known & (self._facet[place] != facet) & (expected > gap + BEHIND)
        past &= gap < self._gap_so_far(place, law) - law.depth(_DEEPEST)
        seen = np.where(past, expected, gap)
        pressure = np.minimum(law.pressure(np.maximum(offset - seen, 0.0)), last + _JUMP)
        offset = np.where(pressure > 0.0, seen + law.depth(pressure), offset)
        self._offset[:], self._pressure[:] = 0.0, 0.0
        self._grain[:], self._facet[:] = -1.0, -1.0
        self._offset[place], self._pressure[place] = offset, last
        self._grain[place], self._facet[place] = grain, facet
        return offset, last, np.where(past, np.maximum(gap, offset), gap)

    def _gap_so_far(self, place: Place, law: PressureLaw) -> Array:
        """Gap in µm at the end of the last step, by offset and pressure, shape (P,)."""
        return np.asarray(self._offset[place] - law.depth(self._pressure[place]))

    def commit(self, place: Place, pressure: Array) -> None:
        """Remember the pressures in MPa at the end of an accepted step, shape (P,)."""
        self._pressure[place] = pressure


def comes_along(before: Array, expected: Array, gap: Array, beyond: Array, law: PressureLaw) -> Booleans:
    """Whether points pass a corner along the facet they have been with, and not through it, from elsewhere.

    They come out from behind the facet beyond. In a notch they sink in behind it: that one has to hold them.

    Args:
        before: Gap to that facet at the beginning of the step in µm, shape (P,).
        expected: The same at its expected end, shape (P,).
        gap: Gap to the facet beyond the corner at the beginning of the step in µm, shape (P,).
        beyond: The same at its expected end, shape (P,).
        law: Pressure against penetration.
    """
    comes_out = beyond > gap + BEHIND
    return np.asarray(comes_out & (before > gap + BEHIND) & (expected > -law.depth(_DEEPEST)))
