"""Networks of grain boundaries: extraction, areas, relaxation and surgery."""

from __future__ import annotations

import numpy as np
import pytest

from meshes import surgery
from meshes.bodies import Body
from meshes.errors import GeometryError
from meshes.geometry import finish
from meshes.network import OUTSIDE, AreaMap, Network, extract_network
from meshes.relaxation import Scales, relax, restore_areas
from meshes.tessellation import transport


def foam(count: int = 60, seed: int = 1) -> tuple[Network, Scales, list[Body]]:
    """Compact bodies of two sizes in a box of 12 x 8 um, unrelaxed: full of short edges."""
    random = np.random.default_rng(seed)
    points = random.random((count, 2)) * [12.0, 8.0]
    targets = np.where(np.arange(count) % 3 == 0, 3.0, 1.0)
    targets *= 96.0 / targets.sum()
    diagram, _ = transport(points, np.arange(count), targets, 12.0, 8.0)
    width = np.sqrt(4.0 * targets / np.pi)
    bodies = [
        Body("graphite" if k % 3 == 0 else "pore", targets[k], width[k], 1.0, 0.0) for k in range(count)
    ]
    network = extract_network(diagram, np.arange(count), count, 12.0, 8.0)
    return network, Scales(width, np.arange(count) % 3 == 0, targets), bodies


def quarters() -> Network:
    """Four squares of 1 um that meet in one point."""
    vertices = np.array([[x, y] for y in (0.0, 1.0, 2.0) for x in (0.0, 1.0, 2.0)])
    edges = [[0, 1], [1, 2], [2, 5], [5, 8], [8, 7], [7, 6], [6, 3], [3, 0], [1, 4], [4, 7], [3, 4], [4, 5]]
    out = OUTSIDE
    sides = [[0, out], [1, out], [1, out], [3, out], [3, out], [2, out], [2, out], [0, out]]
    sides += [[0, 1], [2, 3], [2, 0], [3, 1]]
    return Network(vertices, np.array(edges), np.array(sides), (2.0, 2.0))


def shortest_edge(network: Network) -> float:
    return float(network.lengths().min())


def test_areas_and_loops_of_four_squares() -> None:
    network = quarters()
    assert network.areas(4) == pytest.approx([1.0] * 4)
    loops = network.loops()
    assert all(len(loops[body]) == 1 and len(loops[body][0]) == 4 for body in range(4))


def test_extraction_keeps_areas_and_closes_loops() -> None:
    network, scales, _ = foam()
    assert network.areas(60) == pytest.approx(scales.targets, rel=1e-7)
    assert all(len(loops) == 1 for loops in network.loops().values())


def test_area_gradient_against_differences() -> None:
    network, _, _ = foam()
    areas = AreaMap(network, 60)
    value, gradient = areas.evaluate(network.vertices)
    assert value == pytest.approx(network.areas(60), rel=1e-12)
    random = np.random.default_rng(0)
    direction = random.standard_normal(network.vertices.shape) * network.free()
    ahead, _ = areas.evaluate(network.vertices + 1e-5 * direction)
    behind, _ = areas.evaluate(network.vertices - 1e-5 * direction)
    assert gradient @ direction.ravel() == pytest.approx((ahead - behind) / 2e-5, abs=1e-8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_relaxation_heals_without_changing_areas(seed: int) -> None:
    network, scales, bodies = foam(seed=seed)
    before = shortest_edge(network)
    relax(network, scales)
    assert network.areas(60) == pytest.approx(scales.targets, rel=1e-8)
    assert before < 0.05 < 0.12 < shortest_edge(network)
    assert finish(network, bodies).phases[0] == "graphite"
    # Vertices on walls and corners stay there.
    assert network.vertices.min(axis=0) == pytest.approx([0.0, 0.0], abs=0.0)
    assert network.vertices.max(axis=0) == pytest.approx([12.0, 8.0], abs=0.0)


def test_restoring_areas() -> None:
    network, scales, _ = foam()
    relax(network, scales)
    random = np.random.default_rng(0)
    network.vertices += 0.01 * random.standard_normal(network.vertices.shape) * network.free()
    assert np.abs(network.areas(60) / scales.targets - 1.0).max() > 1e-3
    restore_areas(network, scales.targets)
    assert network.areas(60) == pytest.approx(scales.targets, rel=1e-8)


def test_collapse_spares_bodies_that_would_be_pinched() -> None:
    # Moving the middle next to an outer vertex makes the edge between them short, but squares have four edges only.
    network = quarters()
    network.vertices[4] = [1.0, 0.01]
    scales = Scales(np.ones(4), np.zeros(4, dtype=bool), np.ones(4))
    surgery.collapse_short_edges(network, scales)
    assert len(network.edges) == 12


def test_crowded_corner_is_opened() -> None:
    network = quarters()
    network.vertices[5], network.vertices[7] = [2.0, 1.6], [1.6, 2.0]  # leaves grain 3 a corner of 28 degrees
    network.vertices[1], network.vertices[3] = [0.9, 0.0], [0.0, 0.9]
    scales = Scales(np.ones(4), np.zeros(4, dtype=bool), np.ones(4))
    total = network.areas(4).sum()
    surgery.open_crowded_corners(network, scales)
    assert len(network.edges) == 13
    assert sorted(network.sides[-1].tolist()) == [1, 2]  # the neighbours of the corner now touch
    assert network.areas(4).sum() == pytest.approx(total)
    assert all(len(loops) == 1 for loops in network.loops().values())
    assert network.degrees().max() == 3


def test_crossing_boundaries_are_refused() -> None:
    network = quarters()
    network.vertices[4] = [2.5, 1.0]
    bodies = [Body("graphite", float(area), 1.0, 1.0, 0.0) for area in network.areas(4)]
    with pytest.raises(GeometryError, match="cross"):
        finish(network, bodies)


def test_wrong_areas_are_refused() -> None:
    network = quarters()
    bodies = [Body("graphite", area, 1.0, 1.0, 0.0) for area in (1.0, 1.0, 1.0, 1.02)]
    with pytest.raises(GeometryError, match="misses its area"):
        finish(network, bodies)


def test_sharp_corners_are_refused() -> None:
    network = quarters()
    network.vertices[4] = [1.9, 0.05]  # grain 1 is left a corner of 3 degrees at the lower wall
    bodies = [Body("graphite", float(area), 1.0, 1.0, 0.0) for area in network.areas(4)]
    with pytest.raises(GeometryError, match=r"a corner of \d+\.\d degrees"):
        finish(network, bodies)
