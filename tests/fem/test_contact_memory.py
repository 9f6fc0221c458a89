"""Searched contact, piece by piece: what a place remembers, and which points count as inside another grain."""

from __future__ import annotations

import numpy as np
import pytest

from fem.interfaces.contact_edges import Edges
from fem.interfaces.contact_memory import ContactMemory, comes_along
from fem.interfaces.contact_search import find_feet
from tests.small import Array

STIFFNESS = 1.0e5
PARTNER, OTHER = 1, 0


class Place:
    """One searching point on one edge."""

    def __init__(self) -> None:
        self.history: dict[str, Array] = {}
        self._memory = ContactMemory(self.history, 1, 1)

    def step(
        self,
        gap: float,
        slot: int = OTHER,
        expected: float | None = None,
        grain: int = 7,
        handing: bool | None = None,
    ) -> tuple[float, float]:
        """Pressure at the beginning of a step by its geometry, and that which friction goes by."""
        self._at = (np.array([0]), np.array([0]), np.array([slot]))
        offset, last = self._memory.begin_step(
            self._at,
            np.array([grain]),
            np.array([0]),
            np.array([gap]),
            np.array([gap if expected is None else expected]),
            np.array([STIFFNESS]),
            np.array([slot == PARTNER if handing is None else handing]),
        )
        self._offset = float(offset[0])
        return STIFFNESS * max(self._offset - gap, 0.0), float(last[0])

    def beyond(self, gap: float, facet: int, grain: int = 7, slot: int = OTHER) -> int:
        """The facet that holds the point in a step whose end is expected on another one."""
        at = (np.array([0]), np.array([0]), np.array([slot]))
        asked = np.array([grain]), np.array([facet]), np.array([gap]), np.array([STIFFNESS])
        found = self._memory.passing_a_corner(at, *asked)
        return int(found[0])

    def accept(self, gap: float) -> float:
        """Pressure at the end of the step, which is remembered."""
        pressure = STIFFNESS * max(self._offset - gap, 0.0)
        self._memory.commit(self._at, np.array([pressure]))
        return pressure


def test_what_a_facet_hands_over_keeps_its_pressure() -> None:
    place = Place()
    # 2 nm deep in the partner: 200 MPa, at once and for friction too.
    assert place.step(-2e-3, PARTNER) == pytest.approx((200.0, 200.0))
    assert place.accept(-3e-3) == pytest.approx(300.0)
    assert place.step(-3e-3, PARTNER) == pytest.approx((300.0, 300.0))


def test_a_partner_met_again_is_met_like_any_other_grain() -> None:
    """Its facets have parted for good; what has come in between unseen is no pressure that anything had."""
    assert Place().step(-0.06, PARTNER, handing=False) == (0.0, 0.0)


def test_an_overlap_too_deep_for_contact_is_not_handed_over_whole() -> None:
    assert Place().step(-0.2, PARTNER) == pytest.approx((5000.0, 5000.0))


def test_a_third_grain_is_met_without_pressure_and_pushes_when_it_comes_closer() -> None:
    place = Place()
    assert place.step(-2e-3) == (0.0, 0.0)
    assert place.accept(-2.5e-3) == pytest.approx(50.0)
    # A little way out of it again: that part of the overlap is gone for good.
    place.step(-1e-3)
    assert place.accept(-1e-3) == 0.0
    assert place.step(-1e-3) == (0.0, 0.0)
    assert place.accept(-2e-3) == pytest.approx(100.0)


def test_overlap_at_one_end_of_the_step_only_is_none() -> None:
    """Behind an edge's line at the beginning, outside at the end: pressure begins where the surface is."""
    place = Place()
    place.step(1e-3, expected=-2e-3)
    assert place.accept(-2e-3) == pytest.approx(200.0)


def test_new_geometry_raises_the_pressure_by_200_mpa_at_most() -> None:
    place = Place()
    place.step(0.0)
    assert place.accept(-1e-3) == pytest.approx(100.0)
    # The same contact, seen 9 nm deeper: by geometry 900 MPa more.
    assert place.step(-1e-2) == pytest.approx((300.0, 100.0))
    assert place.accept(-1.1e-2) == pytest.approx(400.0)


def test_another_grain_or_a_step_apart_ends_a_contact() -> None:
    for between in ({"grain": 8}, {"slot": PARTNER, "grain": 9}):
        place = Place()
        place.step(0.0)
        assert place.accept(-1e-3) == pytest.approx(100.0)
        place.step(-1e-3, **between)
        place.accept(-1e-3)
        assert place.step(-1e-3) == (0.0, 0.0)


def test_what_passes_a_corner_is_held_by_the_facet_it_comes_from() -> None:
    place = Place()
    assert place.beyond(-0.05, 3) == -1, "with nobody there is no corner to pass"
    place.step(1e-3)
    place.accept(-2e-4)
    assert place.beyond(-0.05, 3) == 0
    assert place.beyond(-0.05, 0) == -1, "no other facet"
    assert place.beyond(0.01, 3) == -1, "in front of the other facet"
    assert place.beyond(-0.05, 3, grain=8) == -1, "another grain"
    assert place.beyond(-0.05, 3, slot=PARTNER) == -1, "another contact"
    # As deep as it is pressed in anyway, on a flat surface: there is no corner.
    assert place.beyond(-1.1e-3, 3) == -1
    # An overlap that is kept is not deeper for being kept.
    place = Place()
    place.step(-0.04)
    place.accept(-0.04)
    assert place.beyond(-0.0405, 3) == -1 and place.beyond(-0.045, 3) == 0


def test_a_corner_is_passed_along_a_facet_and_not_through_it() -> None:
    behind, stiffness = np.full(3, -0.05), np.full(3, STIFFNESS)
    before, expected = np.array([-1e-4, 0.02, -0.0499]), np.array([-1e-4, -0.13, 0.0])
    along = comes_along(before, expected, behind, stiffness)
    # The second comes from in front of a side wall and goes below; the third is as deep behind either.
    assert along.tolist() == [True, False, False]


def test_what_is_new_and_still_before_the_corner_is_met_later() -> None:
    place = Place()
    at = (np.array([0]), np.array([0]), np.array([OTHER]))

    def waits(gap: float, expected: float, grain: int = 7) -> bool:
        asked = (np.array([value]) for value in (grain, gap, expected, STIFFNESS))
        return bool(place._memory.is_beyond_a_corner(at, *asked)[0])

    assert waits(-0.06, 0.01)
    assert not waits(-0.06, -0.0605), "an overlap that stays is no corner"
    assert not waits(-0.04, 0.01), "no deeper than contact is pressed in, by 5 GPa here"
    place.step(-0.06)
    assert not waits(-0.06, 0.01) and waits(-0.06, 0.01, grain=8)


# A thin wedge with its tip at the origin, a flat lower face and an upper one that rises by 60 degrees.
TIP, RIGHT, UPPER = np.array([0.0, 0.0]), np.array([0.3, 0.0]), np.array([0.3, 0.3 * np.sqrt(3.0)])
STEEP = np.array([-np.sqrt(0.75), 0.5])  # outward normal of the upper face


def feet(
    point: tuple[float, float], normal: tuple[float, float], drawn_out: float = 0.0
) -> tuple[list[int], list[float]]:
    """Edges of the wedge (lower, upper, back) that a point of another grain meets, and the gaps.

    The midpoint of the lower edge may have been moved to the right, by so much in µm.
    """
    ends = [(TIP, RIGHT), (TIP, UPPER), (RIGHT, UPPER)]
    positions = np.array([[a, b, 0.5 * (a + b)] for a, b in ends])
    positions[0, 2, 0] += drawn_out
    # The normal of the node order is to its right: out of the wedge below and at the back, into it above.
    outward = np.array([1.0, -1.0, 1.0])
    found = find_feet(
        Edges(),
        np.array([point]),
        np.array([normal]),
        np.array([1]),
        np.array([-1]),
        positions,
        outward,
        np.zeros(3, dtype=np.int64),
        0.6,
        0.4,
    )
    return found.facet.tolist(), found.gap.tolist()


def test_a_point_inside_is_behind_the_nearest_face() -> None:
    edges, gaps = feet((0.2, 0.03), (0.0, 1.0))
    assert edges == [0] and gaps == pytest.approx([-0.03])


def test_a_point_in_front_of_a_face_meets_that_face() -> None:
    point = 0.5 * UPPER + 0.02 * STEEP
    edges, gaps = feet((point[0], point[1]), (-STEEP[0], -STEEP[1]))
    assert edges == [1] and gaps == pytest.approx([0.02])


def test_beside_a_convex_corner_a_point_is_outside() -> None:
    """Before the tip and looking away from it: in front of one of the faces there, behind the back."""
    assert feet((-0.05, 0.02), (-1.0, 0.0)) == ([], [])


def test_a_face_it_does_not_look_at_hides_what_lies_deep_behind() -> None:
    """Come in through the upper face, which it hardly looks at: not so deep as behind the lower one, which it does."""
    point = 0.4 * UPPER - 0.004 * STEEP
    assert feet((point[0], point[1]), (0.3, 0.954)) == ([], [])
    # Nearer to the lower face than to the upper one: that is where it has come in.
    edges, gaps = feet((0.2, 0.03), (0.3, 0.954))
    assert edges == [0] and gaps == pytest.approx([-0.03])


def test_an_edge_that_is_folded_back_onto_itself_is_not_met() -> None:
    """Its midpoint is beyond its end: parts of it face down, parts of it up."""
    assert feet((0.2, -0.03), (0.0, 1.0), drawn_out=0.05)[0] == [0]
    assert feet((0.2, -0.03), (0.0, 1.0), drawn_out=0.5) == ([], [])
    # A fourth of the length along the edge is where an end begins to fold back.
    folded = [
        not Edges().has_sides(np.array([[[0.0, 0.0], [0.3, 0.0], [0.15 + 0.3 * share, 0.0]]]))[0]
        for share in (-0.3, -0.2, 0.0, 0.2, 0.3)
    ]
    assert folded == [True, False, False, False, True]
