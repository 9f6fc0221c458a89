"""Searched contact, piece by piece: what a place remembers from step to step."""

from __future__ import annotations

import numpy as np
import pytest

from fem.interfaces.contact_memory import ContactMemory, comes_along
from fem.interfaces.pressure_law import PressureLaw
from tests.small import Array

STIFFNESS = 1.0e5
LAW = PressureLaw(np.array([STIFFNESS]), np.array([0.0]))
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
        facet: int = 0,
    ) -> tuple[float, float]:
        """Pressure at the beginning of a step by its geometry, and that which friction goes by."""
        self._at = (np.array([0]), np.array([0]), np.array([slot]))
        offset, last, acting = self._memory.begin_step(
            self._at,
            np.array([grain]),
            np.array([facet]),
            np.array([gap]),
            np.array([gap if expected is None else expected]),
            LAW,
            np.array([slot == PARTNER if handing is None else handing]),
        )
        self._offset, self.acting = float(offset[0]), float(acting[0])
        return STIFFNESS * max(self._offset - gap, 0.0), float(last[0])

    def beyond(self, gap: float, facet: int, grain: int = 7, slot: int = OTHER) -> int:
        """The facet that holds the point in a step whose end is expected on another one."""
        at = (np.array([0]), np.array([0]), np.array([slot]))
        asked = np.array([grain]), np.array([facet]), np.array([gap]), LAW
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
    assert place.step(-2e-2) == (0.0, 0.0)
    assert place.accept(-2.05e-2) == pytest.approx(50.0)
    # A little way out of it again: that part of the overlap is gone for good.
    place.step(-1e-2)
    assert place.accept(-1e-2) == 0.0
    # What is left of it begins to be pushed out, by 500 MPa.
    assert place.step(-1e-2) == pytest.approx((500.0, 0.0))
    assert place.accept(-1.1e-2) == pytest.approx(600.0)


def test_an_overlap_that_was_kept_is_pushed_out_little_by_little() -> None:
    """As deep as 2 GPa of contact, and nothing gives way: 500 MPa more a step, and no more than those 2 GPa."""
    place = Place()
    pressures = []
    for _ in range(6):
        pressures.append(place.step(-2e-2)[0])
        place.accept(-2e-2)
    assert pressures == pytest.approx([0.0, 500.0, 1000.0, 1500.0, 2000.0, 2000.0])


def test_overlap_at_one_end_of_the_step_only_is_none() -> None:
    """Behind an edge's line at the beginning, outside at the end: pressure begins where the surface is."""
    place = Place()
    place.step(1e-3, expected=-2e-3)
    assert place.accept(-2e-3) == pytest.approx(200.0)


def test_new_geometry_raises_the_pressure_by_1_gpa_at_most() -> None:
    place = Place()
    place.step(0.0)
    assert place.accept(-1e-3) == pytest.approx(100.0)
    # The same contact, seen 29 nm deeper: by geometry 2.9 GPa more.
    assert place.step(-3e-2) == pytest.approx((1100.0, 100.0))
    assert place.accept(-3.1e-2) == pytest.approx(1200.0)


def test_past_a_corner_the_depth_before_it_is_none() -> None:
    """Outside at the beginning, 70 nm behind the facet beyond; expected 5 nm behind it at the end."""
    place = Place()
    place.step(1e-3)
    assert place.accept(-1e-3) == pytest.approx(100.0)
    place.step(-0.07, expected=-0.005, facet=3)
    assert place.acting == pytest.approx(0.0), "nothing is stored before it has passed"
    assert place.accept(-0.005) == pytest.approx(500.0)
    # Expected 20 nm behind it: no more than 1 GPa is added by that.
    place.step(-0.07, expected=-0.02, facet=0)
    assert place.accept(-0.02) == pytest.approx(1500.0)
    place.step(-0.02, facet=0)
    assert place.acting == pytest.approx(-0.02)


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
    behind = np.full(3, -0.05)
    before, expected = np.array([-1e-4, 0.02, -0.0499]), np.array([-1e-4, -0.13, 0.0])
    along = comes_along(before, expected, behind, np.zeros(3), LAW)
    # The second comes from in front of a side wall and goes below; the third is as deep behind either.
    assert along.tolist() == [True, False, False]


def test_in_a_notch_the_facet_beyond_holds() -> None:
    """Slid beyond the end of one flank a point sinks in behind the other one, deeper with every step."""
    one = np.full(1, -1e-4)
    for behind, beyond, passes in ((-0.005, -0.01, False), (-0.005, -0.005, False), (-0.005, 1e-3, True)):
        found = comes_along(one, one, np.full(1, behind), np.full(1, beyond), LAW)
        assert found.tolist() == [passes]


def test_nothing_sinks_deeper_between_two_steps_than_contact_can_be() -> None:
    """Deeper than 5 GPa of contact (50 nm here) all through the step, beyond the overlap there has been so far."""
    place = Place()
    at = (np.array([0]), np.array([0]), np.array([OTHER]))

    def sinks(gap: float, expected: float, grain: int = 7) -> bool:
        asked = (np.array([value]) for value in (grain, gap, expected))
        return bool(place._memory.sinks_in(at, *asked, LAW)[0])

    assert sinks(-0.06, -0.055)
    assert not sinks(-0.06, -0.045) and not sinks(-0.045, -0.06)
    place.step(-0.06)
    assert not sinks(-0.06, -0.06) and sinks(-0.06, -0.06, grain=8) and sinks(-0.12, -0.12)


def test_what_is_new_and_still_before_the_corner_is_met_later() -> None:
    place = Place()
    at = (np.array([0]), np.array([0]), np.array([OTHER]))

    def waits(gap: float, expected: float, grain: int = 7) -> bool:
        asked = (np.array([value]) for value in (grain, gap, expected))
        return bool(place._memory.is_beyond_a_corner(at, *asked, LAW)[0])

    assert waits(-0.06, 0.01)
    assert not waits(-0.06, -0.0605), "an overlap that stays is no corner"
    assert not waits(-0.04, 0.01), "no deeper than contact is pressed in, by 5 GPa here"
    place.step(-0.06)
    assert not waits(-0.06, 0.01) and waits(-0.06, 0.01, grain=8)
