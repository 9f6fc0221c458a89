"""Searched contact in three dimensions, piece by piece: feet on curved triangles, who is tried, who is inside."""

from __future__ import annotations

import numpy as np
import pytest

from fem.facet_geometry import nodal_shapes
from fem.interfaces.contact_search import find_feet
from fem.interfaces.contact_triangles import Triangles
from tests.small import Array

SHAPE = Triangles()


def curved(count: int, bend: float, seed: int = 1) -> Array:
    """Nodes of triangles of a side of about 1 µm, every node moved by up to ``bend``, shape (count, 6, 3)."""
    rng = np.random.default_rng(seed)
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.3, 0.9, 0.1]]) + np.zeros((count, 1, 1))
    middles = [0.5 * (corners[:, a] + corners[:, b]) for a, b in ((1, 2), (0, 2), (0, 1))]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1) + bend * rng.uniform(
        -1.0, 1.0, (count, 6, 3)
    )


def at(nodes: Array, place: Array) -> Array:
    """Positions of places on triangles."""
    return np.einsum("en,end->ed", SHAPE.shape_functions(place, 6), nodes)


def test_nodes_are_those_of_the_mesh() -> None:
    """Shape functions are one at their own node of fem/facet_geometry.py; the six points see every shape."""
    corners_and_middles = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.5], [0.5, 0.0]])
    np.testing.assert_allclose(SHAPE.shape_functions(corners_and_middles, 6), np.eye(6), atol=1e-15)
    np.testing.assert_allclose(nodal_shapes(3).values, np.eye(6), atol=1e-15)
    assert np.linalg.cond(SHAPE.shape_functions(SHAPE.points, 6)) < 20.0
    assert np.sum(SHAPE.weights) == pytest.approx(1.0) and np.all(SHAPE.weights > 0.0)


def test_normals_are_square_to_the_surface() -> None:
    nodes = curved(20, 0.05)
    place = np.random.default_rng(2).dirichlet([1.0, 1.0, 1.0], 20)[:, 1:]
    normal = SHAPE.outward_normal(nodes, np.ones(20), place)
    step = 1e-6
    for direction in ([1.0, 0.0], [0.0, 1.0], [1.0, -2.0]):
        along = (
            at(nodes, place + step * np.array(direction)) - at(nodes, place - step * np.array(direction))
        ) / (2.0 * step)
        np.testing.assert_allclose(np.einsum("ed,ed->e", normal, along), 0.0, atol=1e-8)
    first, second = SHAPE.tangents(normal)
    frame = np.stack([normal, first, second], axis=1)
    np.testing.assert_allclose(frame @ frame.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-14)


@pytest.mark.parametrize("gap", [-0.1, 1e-4, 0.3])
def test_the_foot_of_a_point_above_a_curved_triangle_is_found(gap: float) -> None:
    nodes = curved(200, 0.05)
    place = np.random.default_rng(2).dirichlet([1.0, 1.0, 1.0], 200)[:, 1:]
    target = at(nodes, place) + gap * SHAPE.outward_normal(nodes, np.ones(200), place)
    found = SHAPE.closest(target, nodes)
    assert np.all(found.inside)
    np.testing.assert_allclose(found.parameter, place, atol=1e-9)
    np.testing.assert_allclose(found.nearest, place, atol=1e-9)


def test_beside_a_triangle_the_closest_place_is_on_its_border() -> None:
    nodes = curved(300, 0.0)
    rng = np.random.default_rng(4)
    target = rng.uniform(-1.0, 2.0, (300, 3))
    found = SHAPE.closest(target, nodes)
    beside = ~found.inside
    assert 0.5 < np.mean(beside) < 1.0
    a, b = np.meshgrid(np.linspace(0.0, 1.0, 81), np.linspace(0.0, 1.0, 81))
    places = np.column_stack([a.ravel(), b.ravel()])[(a + b).ravel() <= 1.0 + 1e-12]
    samples = SHAPE.shape_functions(places, 6) @ nodes[0]
    distance = np.linalg.norm(target[:, None] - samples, axis=-1).min(axis=1)
    measured = np.linalg.norm(target - at(nodes, found.nearest), axis=1)
    assert np.all(measured <= distance + 1e-12)
    np.testing.assert_allclose(measured, distance, atol=2e-3)
    border = np.column_stack([1.0 - found.nearest.sum(axis=1), found.nearest])[beside].min(axis=1)
    # Within a hundredth of the border a foot still counts.
    np.testing.assert_allclose(border, 0.0, atol=1e-12)


def test_no_triangle_within_reach_is_missed() -> None:
    """Against all pairs, with triangles a hundred times larger than others among them."""
    rng = np.random.default_rng(5)
    size = 10.0 ** rng.uniform(-1.5, 0.5, 60)
    nodes = curved(60, 0.1) * size[:, None, None] + rng.uniform(0.0, 4.0, (60, 1, 3))
    points = rng.uniform(0.0, 4.0, (50, 3))
    reach = 0.4
    point, facet = SHAPE.candidates(points, nodes, reach)
    assert len(np.unique(60 * point + facet)) == len(point) < 0.6 * 50 * 60
    every = np.arange(50).repeat(60), np.tile(np.arange(60), 50)
    nearest = at(nodes[every[1]], SHAPE.closest(points[every[0]], nodes[every[1]]).nearest)
    near = np.linalg.norm(nearest - points[every[0]], axis=1) <= reach
    assert near.sum() > 30
    assert np.isin(60 * every[0][near] + every[1][near], 60 * point + facet).all()


def roof(rise: float) -> Array:
    """Four triangles, two a slope, that meet in a ridge along y at x = 0; a valley for rise < 0. Inside is below."""
    left = [[-1.0, -1.0, -rise], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 1.0, -rise]]
    right = [[0.0, -1.0, 0.0], [1.0, -1.0, -rise], [1.0, 1.0, -rise], [0.0, 1.0, 0.0]]
    corners = np.array([[s[i] for i in t] for s in (left, right) for t in ((0, 1, 2), (0, 2, 3))])
    middles = [0.5 * (corners[:, a] + corners[:, b]) for a, b in ((1, 2), (0, 2), (0, 1))]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1)


DOWN = np.array([0.0, 0.0, -1.0])


def feet(surface: Array, point: Array, normal: Array = DOWN) -> tuple[list[int], list[float]]:
    """Triangles that a point of another grain meets, and the gaps."""
    found = find_feet(
        SHAPE,
        point[None],
        normal[None],
        np.array([1]),
        np.array([-1]),
        surface,
        np.ones(4),
        np.zeros(4, dtype=np.int64),
        0.6,
        0.4,
    )
    return found.facet.tolist(), found.gap.tolist()


def test_a_point_inside_is_behind_the_nearest_slope() -> None:
    normal = np.array([1.0, 0.0, 1.0]) / np.sqrt(2.0)
    facets, gaps = feet(roof(1.0), np.array([0.4, 0.3, -0.4]) - 0.05 * normal)
    assert facets in ([2], [3])
    assert gaps == pytest.approx([-0.05])


def test_beneath_a_valley_a_point_is_inside() -> None:
    """Its foot lies a little beyond the border of both slopes."""
    facets, gaps = feet(roof(-0.5), np.array([0.0, 0.2, -0.01]))
    assert len(facets) == 1
    assert gaps == pytest.approx([-0.01 / np.sqrt(1.25)], rel=1e-6)


@pytest.mark.parametrize("beyond", [-0.2, 0.005])
def test_beside_a_ridge_a_point_is_outside(beyond: float) -> None:
    """Behind the left slope (its foot on it, or a little beyond the ridge), but in front of the right one."""
    along, left = np.array([1.0, 0.0, 3.0]) / np.sqrt(10.0), np.array([-3.0, 0.0, 1.0]) / np.sqrt(10.0)
    point = np.array([0.0, 0.2, 0.0]) + beyond * along - (0.003 - 0.76 * min(beyond, 0.0)) * left
    assert feet(roof(3.0), point, -left) == ([], [])
    inside = np.array([0.0, 0.2, 0.0]) - 0.2 * along - 0.003 * left
    assert feet(roof(3.0), inside, -left)[1] == pytest.approx([-0.003])


def test_a_triangle_is_folded_where_its_midpoint_has_been_drawn_across_it() -> None:
    bent, folded = roof(0.5), roof(0.5)
    bent[2, 5, 1] -= 0.2
    folded[2, 5, 1] += 2.0
    assert SHAPE.has_sides(bent).all()
    assert SHAPE.has_sides(folded).tolist() == [True, True, False, True]


def test_a_flat_triangle_has_its_midpoints_in_the_middle_of_its_edges() -> None:
    corners = np.random.default_rng(3).normal(size=(3, 3))
    nodes = np.concatenate([corners, np.random.default_rng(4).normal(size=(3, 3))])
    flat = SHAPE.flat @ nodes
    np.testing.assert_array_equal(flat[:3], corners)
    places = np.random.default_rng(5).dirichlet([1.0, 1.0, 1.0], 7)
    np.testing.assert_allclose(SHAPE.shape_functions(places[:, 1:], 6) @ flat, places @ corners, atol=1e-14)
