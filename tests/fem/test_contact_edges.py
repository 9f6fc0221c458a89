"""Searched contact in sections, piece by piece: which points count as inside another grain, and folded edges."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from fem.interfaces.contact_corners import StepMotion
from fem.interfaces.contact_edges import Edges
from fem.interfaces.contact_memory import ContactMemory
from fem.interfaces.contact_search import Feet, find_feet
from fem.interfaces.pressure_law import PressureLaw
from tests.small import Array

# A thin wedge with its tip at the origin, a flat lower face and an upper one that rises by 60 degrees.
TIP, RIGHT, UPPER = np.array([0.0, 0.0]), np.array([0.3, 0.0]), np.array([0.3, 0.3 * np.sqrt(3.0)])
STEEP = np.array([-np.sqrt(0.75), 0.5])  # outward normal of the upper face


# The normal of the node order is to its right: out of the wedge below and at the back, into it above.
WEDGE = [(TIP, RIGHT), (TIP, UPPER), (RIGHT, UPPER)], [1.0, -1.0, 1.0]
# A floor and a wall that meet in a corner at the origin, all around them solid but for what is above the floor on the
# right of the wall; and the top of the wall.
CORNER = (
    [(TIP, np.array([0.3, 0.0])), (TIP, np.array([0.0, 0.3])), (np.array([0.0, 0.3]), np.array([-0.3, 0.3]))],
    [-1.0, 1.0, 1.0],
)


def feet(
    point: tuple[float, float],
    normal: tuple[float, float],
    grain: tuple[list[tuple[Array, Array]], list[float]] = WEDGE,
) -> tuple[list[int], list[float]]:
    """Edges of a grain (of the wedge: lower, upper, back) that a point of another one meets, and the gaps."""
    ends, outward = grain
    positions = np.array([[a, b, 0.5 * (a + b)] for a, b in ends])
    found = find_feet(
        Edges(),
        np.array([point]),
        np.array([normal]),
        np.array([1]),
        np.array([-1]),
        positions,
        np.array(outward),
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


@pytest.mark.parametrize(("normal", "met"), [((-0.6, -0.8), 0), ((-0.8, -0.6), 1)])
def test_behind_an_inward_corner_a_point_has_come_in_there(normal: tuple[float, float], met: int) -> None:
    """It has a foot on neither of the two faces, and one on the top of the wall, far above."""
    edges, gaps = feet((-0.001, -0.002), normal, CORNER)
    assert edges == [met] and gaps == pytest.approx([[-0.002], [-0.001]][met])


def test_where_a_surface_ends_nothing_is_behind_a_corner() -> None:
    """The floor alone, as at the side of a mesh; and a corner further away than contact can be deep."""
    floor = CORNER[0][:1], CORNER[1][:1]
    assert feet((-0.001, -0.002), (-0.6, -0.8), floor) == ([], [])
    assert feet((-0.2, -0.35), (-0.6, -0.8), CORNER) == ([], [])


def test_above_an_inward_corner_a_point_meets_the_closer_face() -> None:
    edges, gaps = feet((0.002, 0.001), (-0.6, -0.8), CORNER)
    assert edges == [0] and gaps == pytest.approx([0.001])


@pytest.mark.parametrize(
    ("height", "turned", "met"), [(0.01, -0.2, False), (0.01, -0.4, True), (-0.01, -0.2, True)]
)
def test_nearly_square_surfaces_meet_inside_a_grain_only(height: float, turned: float, met: bool) -> None:
    """Before the floor a surface that stands on it at a steep angle passes; a corner that is in counts."""
    edges, _ = feet((0.15, height), (np.sqrt(1.0 - turned**2), turned), CORNER)
    assert edges == ([0] if met else [])


def edge(share: float) -> Array:
    """An edge of 0.3 µm whose midpoint has moved along it by a share of that, shape (1, 3, 2)."""
    return np.array([[[0.0, 0.0], [0.3, 0.0], [0.15 + 0.3 * share, 0.0]]])


def test_an_edge_folds_back_where_its_midpoint_has_passed_a_fourth_of_it() -> None:
    folded = [not Edges().has_sides(edge(share))[0] for share in (-0.3, -0.2, 0.0, 0.2, 0.3)]
    assert folded == [True, False, False, False, True]


@pytest.mark.parametrize("folded", [0, 1], ids=["searching", "met"])
def test_an_edge_that_is_folded_meets_as_its_chord(folded: int) -> None:
    """Two edges over each other: wherever the midpoint of one has been drawn to, the gap is that of its ends."""
    edges, gap, start = Edges(), 0.02, 0.05
    upper = np.array([[[0.3, gap], [0.0, gap], [0.15, gap]]])
    reference = np.concatenate([upper, edge(0.0)])
    drawn = np.zeros((2, 3, 2))
    drawn[folded, 2] = 0.4, -0.3
    moved = np.zeros((2, 3, 2))
    moved[0, :, 1] = start - gap
    surfaces = SimpleNamespace(
        shape=edges, reference=reference, outward=np.ones(2), dofs=np.zeros((2, 3, 2), dtype=np.int64)
    )
    motion = StepMotion(cast(Any, surfaces), moved + 0.5 * drawn, drawn)
    assert motion.folded.tolist() == [folded == 0, folded == 1]
    np.testing.assert_allclose(motion.positions, reference, atol=1e-15)
    one = np.array([0])
    place, foot = (one, np.array([1]), one), edges.points[[3]]
    met = Feet(one, np.array([False]), np.array([1]), foot, np.array([gap]), np.array([[0.0, 1.0]]))
    functions, before = motion.at_beginning(place, met)
    assert before == pytest.approx([start])
    middle = 2 + 3 * folded
    assert functions[0, middle] == 0.0 and functions[0, 2 + 3 * (1 - folded)] != 0.0
    np.testing.assert_allclose([functions[0, :3].sum(), functions[0, 3:].sum()], [1.0, -1.0], atol=1e-15)
    # The ends share the place between them as on a straight edge.
    where = 0.5 * (1.0 + (edges.points[1] if folded == 0 else edges.points[3]))
    np.testing.assert_allclose(
        functions[0, 3 * folded : 3 * folded + 2] * (1, -1)[folded], [1.0 - where, where], atol=1e-15
    )


# The corner of a grain that fills what is right of the origin and below it: its top and its left side.
CONVEX = np.array([[[0.0, 0.0], [0.3, 0.0], [0.15, 0.0]], [[0.0, 0.0], [0.0, -0.3], [0.0, -0.15]]])


@pytest.mark.parametrize(
    ("start", "end", "met", "gap"),
    [
        ((0.06, 0.057), (0.055, -0.06), 0, 0.057),
        ((-0.057, -0.06), (0.06, -0.055), 1, 0.057),
        ((0.06, -0.07), (0.0602, -0.07), 1, -0.06),
        ((0.5, -0.2), (0.055, -0.06), None, 0.0),
        ((0.0555, -0.45), (0.055, -0.06), None, 0.0),
    ],
    ids=["through the top", "through the side", "inside all the time", "from far behind", "from far below"],
)
def test_a_point_is_held_by_the_facet_it_comes_in_through(
    start: tuple[float, float], end: tuple[float, float], met: int | None, gap: float
) -> None:
    """At the expected end it is nearer to the other one, behind which it has been from the beginning."""
    edges, off = Edges(), np.array([0.6, -0.8])
    # The point is the first corner of an edge of another grain, which looks down to the right.
    along = np.array([0.8, 0.6])
    own = np.array([end, end + 0.3 * along, end + 0.15 * along])
    reference = np.concatenate([CONVEX, own[None]])
    back = np.zeros_like(reference)
    back[2] = np.subtract(start, end)
    surfaces = SimpleNamespace(
        shape=edges,
        reference=reference,
        outward=np.array([-1.0, 1.0, 1.0]),
        grain=np.array([0, 0, 1]),
        dofs=np.zeros((3, 3, 2), dtype=np.int64),
    )
    motion = StepMotion(cast(Any, surfaces), back, np.zeros_like(back))
    law = PressureLaw(np.array([1.0e5]), np.array([0.0]))
    found = find_feet(
        edges, np.array([end]), off[None], np.array([1]), np.array([-1]), reference, surfaces.outward,
        surfaces.grain, 0.6, 0.4,
    )  # fmt: skip
    place = np.array([2]), np.array([0]), np.array([0])
    place, feet = motion.met(place, found, ContactMemory({}, 3, 5), law)
    assert feet.facet.tolist() == ([] if met is None else [met])
    assert motion.at_beginning(place, feet)[1] == pytest.approx([] if met is None else [gap])
