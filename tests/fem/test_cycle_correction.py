"""A jump corrected by the slope of the cycle after it: what it adds then, what is left alone, what is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fem.cycle_correction import LEFT
from fem.cycle_extrapolation import CycleExtrapolation, Turn
from fem.model import ElectrodeModel
from fem.symmetric_tensors import exponential, logarithm
from tests.fatigue_cycles import loaded
from tests.fem.test_slopes import at_points_of, block
from tests.small import Array

#: Slope before a jump over five cycles and in the cycle after it, and what the slopes between those add in the five.
BEFORE, AFTER = 0.010, 0.016
BETWEEN = sum(BEFORE + k / 6.0 * (AFTER - BEFORE) for k in range(1, 6))
AXIS = np.array([1.0, -0.4, -0.6, 0.3])


def put(model: ElectrodeModel, name: str, number: float) -> None:
    """Give a field one value everywhere; to Cp⁻¹ the logarithm so many times ``AXIS``."""
    function = model.state.functions()[name]
    if name == "plastic_inverse":
        values = np.tile(number * AXIS, (len(model.state.accumulated.x.array), 1))
        function.x.array[:] = exponential(values).ravel()
    elif function.function_space == model.facet_history.space:
        model.facet_history.set_values(function, np.full(len(model.interfaces.facets), number))
    else:
        function.x.array[:] = number


def got(model: ElectrodeModel, name: str) -> Array:
    """The values of a field, along ``AXIS`` those of Cp⁻¹."""
    function = model.state.functions()[name]
    if name == "plastic_inverse":
        values = logarithm(function.x.array.reshape(-1, 4))
        np.testing.assert_allclose(values, values[:, :1] * AXIS, atol=1e-13)
        return np.asarray(values[:, 0])
    return at_points_of(model, function)


def turn(model: ElectrodeModel, name: str, number: int, begin: float, end: float) -> Turn:
    """A cycle in which a field went from one value to another."""
    put(model, name, begin)
    first = model.state.snapshot()
    put(model, name, end)
    return Turn(number, first, model.state.snapshot())


def jumped(model: ElectrodeModel, name: str) -> tuple[CycleExtrapolation, Turn, Turn, Turn]:
    """Cycles 2 and 3 of the same slope, and 9 after five that were jumped over, with another slope."""
    extrapolation = CycleExtrapolation(model)
    old = turn(model, name, 2, 0.1, 0.1 + BEFORE)
    new = turn(model, name, 3, 0.1 + BEFORE, 0.1 + 2.0 * BEFORE)
    extrapolation.jump(old, new, 5)
    np.testing.assert_allclose(got(model, name), 0.1 + 7.0 * BEFORE, rtol=1e-12)
    later = turn(model, name, 9, 0.1 + 7.0 * BEFORE, 0.1 + 7.0 * BEFORE + AFTER)
    return extrapolation, old, new, later


@pytest.mark.parametrize("name", ["interface_fatigue", "accumulated_flow_strain", "plastic_inverse"])
def test_a_jump_adds_what_the_slopes_at_both_ends_say(name: str) -> None:
    model = loaded(4e-3, 0.25) if name == "interface_fatigue" else block()
    extrapolation, old, new, later = jumped(model, name)
    found = extrapolation.correction.corrected(old, new, later)
    end = 0.1 + 2.0 * BEFORE + BETWEEN + AFTER
    for snapshot, value in ((found.end, end), (found.begin, end - AFTER)):
        model.state.restore(snapshot)
        np.testing.assert_allclose(got(model, name), value, rtol=1e-10)
    # What is fatigue counts in full and as a share, of flow a third and over what there is.
    error = extrapolation.correction.errors(old, new, later)[name]
    wrong, size = BETWEEN - 5.0 * BEFORE, 0.1 + 7.0 * BEFORE + AFTER
    wanted = wrong if name == "interface_fatigue" else LEFT * wrong / size
    assert error == pytest.approx(wanted, rel=1e-10)
    # Brought to the corrected end on the way, the state goes on from there, and with the slope found.
    model.state.restore(later.end)
    extrapolation.jump(new, found, 0)
    np.testing.assert_allclose(got(model, name), end, rtol=1e-10)
    model.state.restore(later.end)
    extrapolation.jump(found, replace(found, number=10), 4)
    np.testing.assert_allclose(got(model, name), end + 4.0 * AFTER, rtol=1e-10)


@pytest.mark.parametrize("name", ["interface_fatigue", "accumulated_flow_strain"])
def test_what_only_grows_is_not_corrected_down(name: str) -> None:
    """The slope after the jump is none: less should have been added; what is there stays there."""
    model = loaded(4e-3, 0.25) if name == "interface_fatigue" else block()
    extrapolation, old, new, later = jumped(model, name)
    later = turn(model, name, 9, 0.17, 0.17)
    found = extrapolation.correction.corrected(old, new, later)
    model.state.restore(found.end)
    np.testing.assert_allclose(got(model, name), 0.12 + 0.025, rtol=1e-10)
    model.state.restore(later.end)
    extrapolation.jump(new, found, 0)
    np.testing.assert_allclose(got(model, name), 0.17, rtol=1e-10)


@pytest.mark.parametrize("name", ["interface_fatigue", "accumulated_flow_strain", "plastic_inverse"])
def test_a_shorter_jump_goes_by_the_slope_known_ahead(name: str) -> None:
    """Four cycles on from the third, with the slope of the ninth: and no error where that is what is found."""
    model = loaded(4e-3, 0.25) if name == "interface_fatigue" else block()
    extrapolation, old, new, far = jumped(model, name)
    added = sum(BEFORE + k / 6.0 * (AFTER - BEFORE) for k in range(1, 5))
    model.state.restore(new.end)
    extrapolation.jump(old, new, 4, far)
    np.testing.assert_allclose(got(model, name), 0.12 + added, rtol=1e-10)
    slope = BEFORE + 5.0 / 6.0 * (AFTER - BEFORE)
    later = turn(model, name, 8, 0.12 + added, 0.12 + added + slope)
    assert extrapolation.correction.errors(old, new, later, far)[name] < 1e-12
    found = extrapolation.correction.corrected(old, new, later, far)
    model.state.restore(found.end)
    np.testing.assert_allclose(got(model, name), 0.12 + added + slope, rtol=1e-10)


def test_what_a_cycle_puts_right_is_left_where_it_is() -> None:
    """Interfaces that had to open by 0.016 have opened by 0.076 in six cycles, more in the later ones."""
    model = loaded(4e-3, 0.25)
    extrapolation, old, new, later = jumped(model, "largest_opening")
    found = extrapolation.correction.corrected(old, new, later)
    for snapshot, value in ((found.end, 0.186), (found.begin, 0.186 - 0.011 - 0.001)):
        model.state.restore(snapshot)
        np.testing.assert_allclose(got(model, "largest_opening"), value, rtol=1e-10)
    assert "largest_opening" not in extrapolation.correction.errors(old, new, later)


def test_lithium_goes_on_as_far_as_both_slopes_say() -> None:
    """The smaller one of the slope found and the mean one of the jump, none where they differ in sign."""
    model = block()
    state, storing = model.state, model.storing_dofs
    capacity = model.capacity_of_node[storing]

    def at(x: float) -> Turn:
        state.unknowns.x.array[storing] = x * capacity
        return Turn(9, state.snapshot(), state.snapshot())

    correction = CycleExtrapolation(model).correction
    old, new = (Turn(number, at(x).end, at(x + 0.01).end) for number, x in ((2, 0.30), (3, 0.31)))
    for begin, end, slope in ((0.37, 0.38, 0.01), (0.40, 0.38, 0.0), (0.34, 0.38, 0.01)):
        later = Turn(9, at(begin).end, at(end).end)
        found = correction.corrected(old, new, later)
        gained = found.end.arrays["unknowns"] - found.begin.arrays["unknowns"]
        np.testing.assert_allclose(gained[storing] / capacity, slope, atol=1e-12)
        np.testing.assert_array_equal(found.end.arrays["unknowns"], later.end.arrays["unknowns"])
    # Half of the places overshot, half did not: those that did stop.
    wrong = at(0.37)
    state.unknowns.x.array[storing[::2]] = 0.40 * capacity[::2]
    gained = []
    for begin in (wrong.begin, state.snapshot()):
        found = correction.corrected(old, new, Turn(9, begin, at(0.38).end))
        gained.append((found.end.arrays["unknowns"] - found.begin.arrays["unknowns"])[storing] / capacity)
    np.testing.assert_allclose(gained[0], 0.01, atol=1e-12)
    assert np.mean(gained[1][1::2]) - np.mean(gained[1][::2]) > 0.005
    smooth = correction.smoothed(new, Turn(4, at(0.32).end, at(0.35).end))
    gained = smooth.end.arrays["unknowns"] - smooth.begin.arrays["unknowns"]
    np.testing.assert_allclose(gained[storing] / capacity, 0.02, atol=1e-12)
