"""Power diagrams against known ones, and weights that give bodies their areas."""

from __future__ import annotations

import numpy as np
import pytest

from meshes.errors import GeometryError
from meshes.tessellation import power_diagram, transport


def test_two_generators_share_the_box_at_the_radical_axis() -> None:
    # |x - 1|^2 - 2 = |x - 3|^2 - 0.4  at  x = 2.4
    diagram = power_diagram(np.array([[1.0, 1.0], [3.0, 1.0]]), np.array([2.0, 0.4]), 4.0, 2.0)
    assert diagram.areas == pytest.approx([4.8, 3.2], rel=1e-12)
    assert diagram.centroids == pytest.approx(np.array([[1.2, 1.0], [3.2, 1.0]]), rel=1e-12)
    (inner,) = np.flatnonzero(diagram.second >= 0)
    assert diagram.start[inner, 0] == pytest.approx(2.4) and diagram.end[inner, 0] == pytest.approx(2.4)


def test_every_point_lies_in_the_cell_of_least_power() -> None:
    random = np.random.default_rng(3)
    points, weights = random.random((40, 2)) * [7.0, 3.0], random.random(40) * 0.1
    diagram = power_diagram(points, weights, 7.0, 3.0)
    samples = random.random((200_000, 2)) * [7.0, 3.0]
    power = ((samples[:, None, :] - points[None]) ** 2).sum(axis=2) - weights
    counted = np.bincount(power.argmin(axis=1), minlength=40) * 21.0 / len(samples)
    assert diagram.areas.sum() == pytest.approx(21.0, rel=1e-12)
    assert diagram.areas == pytest.approx(counted, abs=0.025)


def test_hidden_generators_have_no_cell() -> None:
    points = np.array([[1.0, 1.0], [1.2, 1.0], [3.0, 1.0]])
    diagram = power_diagram(points, np.array([1.0, 0.0, 0.0]), 4.0, 2.0)
    assert diagram.areas[1] == 0.0


def test_transport_meets_every_area() -> None:
    random = np.random.default_rng(7)
    points = random.random((60, 2)) * [10.0, 5.0]
    owner = np.arange(60) // 2  # bodies of two generators each
    targets = random.uniform(0.2, 3.0, 30)
    targets *= 50.0 / targets.sum()
    diagram, weights = transport(points, owner, targets, 10.0, 5.0)
    assert np.bincount(owner, diagram.areas) == pytest.approx(targets, rel=1e-7)
    # Started from its own answer there is nothing left to do.
    _, again = transport(points, owner, targets, 10.0, 5.0, weights)
    assert again == pytest.approx(weights)


def test_transport_refuses_coinciding_generators() -> None:
    points = np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
    with pytest.raises(GeometryError):
        transport(points, np.arange(3), np.array([2.0, 3.0, 3.0]), 4.0, 2.0)
