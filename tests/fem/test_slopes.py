"""Slopes over cycles: what is believed of one, tensors in any axes, UFL against numbers, and what must never fall."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.cycle_extrapolation import CycleExtrapolation, Turn
from fem.facet_slopes import FacetSlopes
from fem.model import ElectrodeModel
from fem.slopes import (
    believed,
    between,
    later_slope,
    mean_slope,
    of_tensors,
    progress,
    steepness,
    ufl_believed,
    ufl_between,
    ufl_later_slope,
    ufl_mean_slope,
    ufl_progress,
    ufl_steepness,
)
from tests.fatigue_cycles import loaded
from tests.small import Array, grid, host, mesh_of, model_on, overstress, sides


def value(expression: Any) -> float:
    return float(ufl.as_ufl(expression)(()))


@pytest.mark.parametrize(
    ("found", "expected", "span", "kept"),
    [
        (1.5, 1.0, 4, 1.5),
        (5.0, 1.0, 100, 2.0),
        (-9.0, -1.0, 100, -2.0),
        (-9.0, 1.0, 100, -2.0),
        (9.0, 0.0, 3, 3.0),
        (9.0, 1.0, 3, 3.0),
        (0.0, 1.0, 3, 0.0),
    ],
)
def test_a_slope_is_believed_to_twice_what_was_expected_or_a_cycles_share(
    found: float, expected: float, span: int, kept: float
) -> None:
    assert believed(np.array([found]), np.array([expected]), span) == pytest.approx(kept)


def test_between_known_slopes_a_series_or_the_trapezoidal_rule() -> None:
    """Slopes 3 · 0.8^k and 2 + 0.1 k, and one that turns, between the last cycle and one eight cycles later."""
    slope, far = np.array([3.0, 2.0, 1.0]), np.array([3.0 * 0.8**8, 2.8, -1.0])
    wanted = [sum(3.0 * 0.8**k for k in range(1, 8)), sum(2.0 + 0.1 * k for k in range(1, 8)), 0.0]
    np.testing.assert_allclose(between(slope, far, 8, 7), wanted, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(between(slope, far, 8, 3)[1], 2.1 + 2.2 + 2.3, rtol=1e-14)


@pytest.mark.parametrize(
    ("gained", "slope", "found"),
    [
        (2.0, 1.0, 0.25),  # ½ on average, so that it has fallen from 1 to ¼
        (6.0, 1.2, 1.8),  # 1.5 on average, so that it has grown from 1.2 to 1.8
        (6.0, 0.1, 2.25),  # half as much again at most
        (-2.0, 1.0, -0.5),
        (2.0, 0.0, 0.5),
    ],
)
def test_what_a_cycle_puts_right_has_the_slope_of_what_was_gained(
    gained: float, slope: float, found: float
) -> None:
    assert mean_slope(np.array([gained]), np.array([slope]), 4) == pytest.approx(found)


def test_a_slope_that_settles_may_be_half_as_steep_as_it_was() -> None:
    """The series leads to expect 1/1024, flow under a held load has more; one that goes on steeply is steep."""
    assert steepness(np.array(1.0), np.array(2.0), 1, 10) == pytest.approx(0.5)
    assert steepness(np.array(1.0), np.array(0.9), 1, 10) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("of_ufl", "of_numbers"),
    [
        (ufl_progress, progress),
        (ufl_later_slope, later_slope),
        (ufl_steepness, steepness),
        (ufl_believed, believed),
        (ufl_mean_slope, mean_slope),
        (ufl_between, between),
    ],
)
def test_facets_are_extrapolated_as_cells_are(
    of_ufl: Callable[..., Any], of_numbers: Callable[..., Array]
) -> None:
    sizes = (-3.0, -1.1, -1.0, 0.0, 0.4, 1.0, 1.0 + 1e-9, 7.0)
    last = 1 if of_numbers in (believed, mean_slope) else 2
    for (slope, before), *numbers in product(product(sizes, sizes), (3, 31), (1, 2, 30)):
        given = numbers[:last]
        arguments = [ufl.as_ufl(float(number)) for number in (slope, before, *given)]
        wanted = of_numbers(np.array(slope), np.array(before), *given)
        assert value(of_ufl(*arguments)) == pytest.approx(float(wanted), rel=1e-12), (slope, before, given)


def turned(tensors: Array, angle: float) -> Array:
    """Tensors (xx, yy, zz, xy) seen from axes that are turned in the plane."""
    c, s = np.cos(angle), np.sin(angle)
    xx, yy, zz, xy = tensors.T
    return np.column_stack(
        [
            c * c * xx + s * s * yy + 2 * c * s * xy,
            s * s * xx + c * c * yy - 2 * c * s * xy,
            zz,
            c * s * (yy - xx) + (c * c - s * s) * xy,
        ]
    )


@pytest.mark.parametrize("function", [progress, later_slope])
def test_tensors_go_on_alike_in_all_axes(function: Callable[..., Array]) -> None:
    random = np.random.default_rng(4)
    slope, before = random.normal(size=(2, 50, 4))
    here = of_tensors(function, slope, before, 2, 6)
    there = of_tensors(function, turned(slope, 0.7), turned(before, 0.7), 2, 6)
    np.testing.assert_allclose(there, turned(here, 0.7), rtol=1e-11, atol=1e-11)
    # One that has turned round goes on as it is, whatever it was before.
    back = of_tensors(progress, slope, -5.0 * slope, 1, 6)
    np.testing.assert_allclose(back, 6.0 * slope, rtol=1e-12)


def block() -> ElectrodeModel:
    """A block that can flow."""
    material = host("alpha", swelling=0.3, flow=overstress(100.0, 10.0, 50.0, 1e-3, 2.0))
    return model_on(mesh_of(MPI.COMM_SELF, *grid(1, 1, 1.0, 1.0)), sides(1.0, 1.0), [material])


def extrapolated(model: ElectrodeModel, name: str, values: tuple[float, ...], count: int) -> Array:
    """What a field comes to that had four values at the ends of three cycles."""
    function, ends = model.state.functions()[name], []
    facets = model.facet_history
    for number in values:
        if function.function_space == facets.space:
            facets.set_values(function, np.full(len(model.interfaces.facets), number))
        else:
            function.x.array[:] = number
        ends.append(model.state.snapshot())
    CycleExtrapolation(model).jump(Turn(2, ends[1], ends[2]), Turn(3, ends[2], ends[3]), count)
    return at_points_of(model, function)


def at_points_of(model: ElectrodeModel, function: dfem.Function) -> Array:
    """Values of a field on cells, or its values on the facets."""
    facets = model.facet_history
    if function.function_space != facets.space:
        return np.asarray(function.x.array)
    constants = model.facet_constants
    means = constants.function("means")
    constants.update(means, constants.projection(facets.value(function)))
    return np.asarray(constants.values(means))


FALLING, RISING = (0.7, 0.6, 0.5, 0.4), (0.1, 0.3, 0.5, 0.7)


def test_what_only_grows_never_falls_and_what_is_positive_stays_so() -> None:
    model = block()
    np.testing.assert_allclose(extrapolated(model, "accumulated_flow_strain", FALLING, 3), 0.4)
    np.testing.assert_allclose(extrapolated(model, "accumulated_flow_strain", RISING, 3), 1.3)
    np.testing.assert_allclose(extrapolated(model, "flow_resistance", FALLING, 3), 0.1)
    np.testing.assert_allclose(extrapolated(model, "flow_resistance", FALLING, 30), 0.25 * 0.4)


def test_damage_never_falls_and_ends_at_one() -> None:
    model = loaded(4e-3, 0.25)
    np.testing.assert_allclose(extrapolated(model, "interface_fatigue", FALLING, 3), 0.4, rtol=1e-12)
    np.testing.assert_allclose(
        extrapolated(model, "interface_fatigue", (0.1, 0.2, 0.3, 0.4), 3), 0.7, rtol=1e-12
    )
    np.testing.assert_allclose(extrapolated(model, "interface_fatigue", RISING, 3), 1.0, rtol=1e-12)
    np.testing.assert_allclose(extrapolated(model, "largest_opening", FALLING, 3), 0.4, rtol=1e-12)
    np.testing.assert_allclose(extrapolated(model, "largest_opening", RISING, 3), 1.3, rtol=1e-12)


def test_facets_have_slopes_as_cells_have() -> None:
    """A mean square over the whole area, and every function of fem/slopes.py; whichever form is compiled first."""
    model = loaded(4e-3, 0.25)
    facets, count = model.facet_history, len(model.interfaces.facets)

    def of(number: float) -> Array:
        function = facets.function("of")
        facets.set_values(function, np.full(count, number))
        return np.asarray(function.x.array.copy())

    def found(values: Array) -> Array:
        target = facets.function("target")
        target.x.array[:] = values
        return at_points_of(model, target)

    slopes = FacetSlopes(model)
    np.testing.assert_allclose(found(slopes.believed(of(0.3), of(0.1), of(0.1), 1, 100)), 0.2, rtol=1e-12)
    for _ in range(2):
        assert slopes.mean(of(-0.375)) == pytest.approx(0.375, rel=1e-12)
        # A slope of 2, then of 1, goes on as 1 · ½^k: after three cycles an eighth is expected.
        np.testing.assert_allclose(found(slopes.expected(of(1.0), of(2.0), 1, 3)), 0.125, rtol=1e-12)
        np.testing.assert_allclose(found(slopes.progress(of(1.0), of(2.0), 1, 3)), 0.875, rtol=1e-12)
        np.testing.assert_allclose(found(slopes.between(of(1.0), of(3.0), 4, 3)), 6.0, rtol=1e-12)
        np.testing.assert_allclose(found(slopes.mean_slope(of(2.0), of(1.0), 4)), 0.25, rtol=1e-12)


def test_largest_openings_go_on_no_faster() -> None:
    """What opened by 0.1 and then by 0.2 a cycle is opened by 0.2 in each of three more; fatigue would speed up."""
    model = loaded(4e-3, 0.25)
    values = (0.0, 0.1, 0.1, 0.3)
    np.testing.assert_allclose(extrapolated(model, "largest_opening", values, 3), 0.9, rtol=1e-12)
    values = (0.0, 0.01, 0.01, 0.03)
    np.testing.assert_allclose(extrapolated(model, "interface_fatigue", values, 3), 0.12, rtol=1e-12)
