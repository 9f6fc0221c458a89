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
    later_slope,
    of_tensors,
    progress,
    ufl_believed,
    ufl_later_slope,
    ufl_progress,
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


@pytest.mark.parametrize(
    ("of_ufl", "of_numbers"),
    [(ufl_progress, progress), (ufl_later_slope, later_slope), (ufl_believed, None)],
)
def test_facets_are_extrapolated_as_cells_are(
    of_ufl: Callable[..., Any], of_numbers: Callable[..., Array] | None
) -> None:
    sizes = (-3.0, -1.1, -1.0, 0.0, 0.4, 1.0, 1.0 + 1e-9, 7.0)
    for (slope, before), apart, count in product(product(sizes, sizes), (1, 3), (1, 2, 30)):
        arguments = [ufl.as_ufl(number) for number in (slope, before)]
        if of_numbers is None:
            found = value(of_ufl(*arguments, ufl.as_ufl(float(count))))
            wanted = believed(np.array(slope), np.array(before), count)
        else:
            found = value(of_ufl(*arguments, ufl.as_ufl(float(apart)), ufl.as_ufl(float(count))))
            wanted = of_numbers(np.array(slope), np.array(before), apart, count)
        assert found == pytest.approx(float(wanted), rel=1e-12), (slope, before, apart, count)


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


def test_what_facets_are_judged_by() -> None:
    """A mean square over the whole area, and a beginning that leaves the slope that is believed; the first one too."""
    model = loaded(4e-3, 0.25)
    slopes, facets, count = FacetSlopes(model), model.facet_history, len(model.interfaces.facets)

    def of(number: float) -> Array:
        function = facets.function("of")
        facets.set_values(function, np.full(count, number))
        return np.asarray(function.x.array.copy())

    for _ in range(2):
        # A slope of 2, then of 1, goes on as 1 · ½^k: after three cycles an eighth is expected.
        assert slopes.mean(of(0.5), (of(1.0), of(2.0)), (1, 3)) == pytest.approx(0.375, rel=1e-12)
        target = facets.function("target")
        target.x.array[:] = slopes.begin(of(0.9), of(0.3), (of(0.1), of(0.1)), (1, 100))
        np.testing.assert_allclose(at_points_of(model, target), 0.9 - 0.2, rtol=1e-12)
