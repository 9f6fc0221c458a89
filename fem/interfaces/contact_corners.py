"""Points that pass the corners of grains in a step: which facet holds them, of the one before and the one beyond."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fem.interfaces.contact_facets import Booleans
from fem.interfaces.contact_memory import BEHIND, ContactMemory, Place, comes_along
from fem.interfaces.contact_search import DEPTH, REACH, Feet, find_feet
from fem.interfaces.pressure_law import PressureLaw
from fem.interfaces.surfaces import Array, GrainSurfaces, Integers


@dataclass(frozen=True)
class StepMotion:
    """Where all facets are at the beginning of a step and at its expected end.

    A facet that is folded back onto itself meets others as the flat one through its corners: its grain goes on being
    solid there, and what its midpoint draws out has no width.

    Attributes:
        surfaces: The facets; N of them.
        start: Displacement of their nodes at the beginning in µm, shape (N, nodes, dimension).
        expected: The same at the expected end.
        positions: Nodes of all facets as they meet at the expected end in µm, shape (N, nodes, dimension).
        folded: Which facets are folded then, shape (N,).
    """

    surfaces: GrainSurfaces
    start: Array
    expected: Array
    positions: Array = field(init=False)
    folded: Booleans = field(init=False)

    def __post_init__(self) -> None:
        positions, folded = _unfolded(self.surfaces, self.expected)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "folded", folded)

    def at_beginning(self, place: Place, feet: Feet) -> tuple[Array, Array]:
        """Shape functions of both facets' nodes, shape (P, 2 · nodes), and gaps at the beginning of the step in µm."""
        shape, nodes = self.surfaces.shape, self.surfaces.dofs.shape[1]
        searching = shape.shape_functions(shape.points, nodes)[place[1]]
        met = shape.shape_functions(feet.parameter, nodes)
        for functions, facet in ((searching, place[0]), (met, feet.facet)):
            # Those of straight facets without midpoints are never folded.
            rows = self.folded[facet]
            functions[rows] = functions[rows] @ shape.flat[:nodes, :nodes]
        functions = np.concatenate([searching, -met], axis=1)
        back = self.start - self.expected
        back = np.concatenate([back[place[0], :nodes], back[feet.facet, :nodes]], axis=1)
        return functions, feet.gap + np.einsum("pn,pnd,pd->p", functions, back, feet.normal)

    def met(self, place: Place, feet: Feet, memory: ContactMemory, law: PressureLaw) -> tuple[Place, Feet]:
        """Places and feet of the contacts of a step, of those that are found at its expected end.

        The facet a point comes from goes on holding it until it has passed the corner between the two.

        Args:
            place: Of the contacts found.
            feet: Of the same.
            memory: With whom and how they have been so far.
            law: Pressure against penetration.
        """
        grain, gap = self.surfaces.grain[feet.facet], self.at_beginning(place, feet)[1]
        last = memory.passing_a_corner(place, grain, feet.facet, gap, law)
        if np.any(last >= 0):
            instead = self._on(last, place, feet)
            before = self.at_beginning(place, instead)[1]
            along = comes_along(before, instead.gap, gap, feet.gap, law)
            feet = self._on(np.where(along, last, -1), place, feet)
            gap = self.at_beginning(place, feet)[1]
        sunk = np.flatnonzero(memory.sinks_in(place, grain, gap, feet.gap, law))
        kept = np.ones(len(gap), dtype=bool)
        if len(sunk):
            other, kept[sunk] = self._before(sunk, place, feet, gap)
            feet = self._on(other, place, feet)
            gap = self.at_beginning(place, feet)[1]
        kept &= ~memory.is_beyond_a_corner(place, grain, gap, feet.gap, law)
        return (place[0][kept], place[1][kept], place[2][kept]), feet.chosen(kept)

    def _before(self, rows: Integers, place: Place, feet: Feet, gap: Array) -> tuple[Integers, Booleans]:
        """The facet of the same grain that a point was before, or less deep behind, at the beginning of the step.

        A point that met none of its facets then was outside and comes past a corner: it overlaps nothing.

        Args:
            rows: Which of the contacts are asked for.
            place: Of all contacts.
            feet: Of the same.
            gap: Of the same, at the beginning of the step in µm, shape (P,).

        Returns:
            The facet for all contacts, shape (P,), -1 where none is asked for or it is the one that is met; and whether
            those that are asked for met any, shape (rows,).
        """
        surfaces, shape = self.surfaces, self.surfaces.shape
        positions, _ = _unfolded(surfaces, self.start)
        own, parameter = place[0][rows], shape.points[place[1][rows]]
        functions = shape.shape_functions(parameter, positions.shape[1])
        found = find_feet(
            shape,
            np.einsum("pn,pnd->pd", functions, positions[own]),
            shape.outward_normal(positions[own], surfaces.outward[own], parameter),
            surfaces.grain[own],
            surfaces.grain[feet.facet[rows]],
            positions,
            surfaces.outward,
            surfaces.grain,
            REACH,
            DEPTH,
        )
        found = found.chosen(found.partner)
        nearer = found.chosen(found.gap > gap[rows[found.point]] + BEHIND)
        facet = np.full(len(gap), -1)
        facet[rows[nearer.point]] = nearer.facet
        return facet, np.isin(np.arange(len(rows)), found.point)

    def _on(self, facet: Integers, place: Place, feet: Feet) -> Feet:
        """Feet on given facets (-1: as they are), on the border nearest to the point where it is beyond."""
        shape, chosen, positions = self.surfaces.shape, np.flatnonzero(facet >= 0), self.positions
        other, outward = positions[facet[chosen]], self.surfaces.outward[facet[chosen]]
        nodes = positions.shape[1]
        functions = shape.shape_functions(shape.points, nodes)[place[1][chosen]]
        point = np.einsum("pn,pnd->pd", functions, positions[place[0][chosen]])
        parameter = shape.closest(point, other).parameter
        normal = shape.outward_normal(other, outward, parameter)
        foot = np.einsum("pn,pnd->pd", shape.shape_functions(parameter, nodes), other)
        gap = np.einsum("pd,pd->p", point - foot, normal)
        return feet.replaced(chosen, facet[chosen], parameter, gap, normal)


def _unfolded(surfaces: GrainSurfaces, displacement: Array) -> tuple[Array, Booleans]:
    """Nodes of displaced facets in µm, with those that are folded straight, and which these are, shape (N,)."""
    positions = surfaces.reference + displacement
    folded = ~surfaces.shape.has_sides(positions)
    positions[folded] = surfaces.shape.flat @ positions[folded]
    return positions, folded
