"""Pressure against penetration: slope, energy and inverse belong together, whether it stiffens or not."""

from __future__ import annotations

import numpy as np
import pytest

from fem.interfaces.pressure_law import PressureLaw

STIFFNESS, DEPTH = 3.0e5, 5.0e-4
LAWS = PressureLaw(np.array([STIFFNESS, STIFFNESS]), np.array([0.0, 1.0 / DEPTH]))


def test_at_its_depth_the_pressure_is_twice_what_the_stiffness_alone_gives() -> None:
    np.testing.assert_allclose(LAWS.pressure(DEPTH), [STIFFNESS * DEPTH, 2.0 * STIFFNESS * DEPTH], rtol=1e-14)


@pytest.mark.parametrize("depth", [1.0e-6, 3.0e-4, 4.0e-3])
def test_slope_and_pressure_are_the_derivatives_of_pressure_and_energy(depth: float) -> None:
    step = 1.0e-3 * depth
    for value, derivative in ((LAWS.pressure, LAWS.slope), (LAWS.energy, LAWS.pressure)):
        difference = (value(depth + step) - value(depth - step)) / (2.0 * step)
        np.testing.assert_allclose(difference, derivative(depth), rtol=1e-6)


@pytest.mark.parametrize("pressure", [0.0, 1.0e-3, 50.0, 5.0e3])
def test_the_depth_belongs_to_the_pressure(pressure: float) -> None:
    np.testing.assert_allclose(LAWS.pressure(LAWS.depth(pressure)), pressure, rtol=1e-12)


def test_some_of_the_laws() -> None:
    one = LAWS.chosen(np.array([False, True]))
    assert one.pressure(DEPTH) == pytest.approx(2.0 * STIFFNESS * DEPTH)
