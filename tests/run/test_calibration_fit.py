"""The fit by itself, on functions of known answer: bounds, what is known beforehand, noise, failures, few calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import least_squares

from run.calibration.fit import Fit, FitSettings, NoStart, fit
from run.calibration.uncertainty import uncertainty

Array = npt.NDArray[np.float64]
NOTHING = np.full(2, np.inf)
SETTINGS = FitSettings(evaluations=40)


def curved(point: Array) -> Array:
    """Three residuals in tolerances, as far from linear as a capacity is in the logarithm of a resistance."""
    x, y = point
    reached = np.array([3.0 * np.tanh(2.0 * x), 2.0 * np.exp(-1.5 * y) + x, 4.0 * x * y])
    return np.asarray(10.0 * (reached - np.array([3.0 * np.tanh(1.2), 2.0 * np.exp(-0.6) + 0.6, 0.96])))


class Asked:
    """Answers, and remembers what it was asked."""

    def __init__(
        self, answer: Callable[[Array], Array], fails: Callable[[Array], bool] = lambda point: False
    ) -> None:
        self.answer, self.fails = answer, fails
        self.points: list[Array] = []

    def __call__(self, points: Sequence[Array]) -> list[Array | None]:
        self.points += [point.copy() for point in points]
        assert all(np.all((point >= 0.0) & (point <= 1.0)) for point in points), "a bound was passed"
        return [None if self.fails(point) else self.answer(point) for point in points]


@pytest.mark.parametrize("start", [(0.1, 0.9), (0.95, 0.05), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)])
def test_known_answer_from_contrasted_starts(start: tuple[float, float]) -> None:
    asked = Asked(curved)
    found = fit(asked, np.array(start), NOTHING, SETTINGS)
    assert found.converged and found.measured
    np.testing.assert_allclose(found.point, [0.6, 0.4], atol=0.005)
    assert found.calls == len(asked.points) <= 20, "every call is a run of minutes"


def test_a_bound_is_kept_and_the_rest_is_as_good_as_can_be() -> None:
    def aim(point: Array) -> Array:
        return np.array(
            [8.0 * (point[0] - 1.4), 6.0 * (point[1] - 0.3) + 2.0 * point[0], point[0] - point[1]]
        )

    found = fit(Asked(aim), np.array([0.2, 0.2]), NOTHING, SETTINGS)
    wanted = least_squares(aim, [0.2, 0.2], bounds=(0.0, 1.0)).x
    assert wanted[0] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.point, wanted, atol=2e-3)
    known = uncertainty(found, NOTHING)
    assert known.at_bound == ("high", "low" if wanted[1] < 1e-3 else "")


def test_what_is_known_beforehand_weighs_as_a_measurement_does() -> None:
    def aim(point: Array) -> Array:
        return np.array([4.0 * (point[0] - 0.8)])

    widths = np.array([0.25, 0.1])
    found = fit(Asked(aim), np.array([0.4, 0.3]), widths, SETTINGS)
    # Two measurements of the first, 0.8 and 0.4, both of deviation 0.25; nothing tells the second.
    np.testing.assert_allclose(found.point, [0.6, 0.3], atol=1e-6)
    known = uncertainty(found, widths)
    np.testing.assert_allclose(known.shares, [0.25 / 2.0**0.5, 0.1], rtol=1e-9)
    np.testing.assert_allclose(known.learned, [1.0 - 0.5**0.5, 0.0], atol=1e-9)


def test_large_differences_see_through_the_noise_of_contact() -> None:
    """1 % of noise, the same for the same setting, as a section of grains has it."""

    def noisy(point: Array) -> Array:
        seed = abs(hash(tuple(np.round(point, 6).tolist()))) % 2**32
        return curved(point) + np.random.default_rng(seed).normal(0.0, 0.2, 3)

    starts = [np.array(start) for start in ((0.15, 0.8), (0.9, 0.15), (0.3, 0.2), (0.8, 0.9))]
    far = [np.max(np.abs(fit(Asked(noisy), start, NOTHING, SETTINGS).point - [0.6, 0.4])) for start in starts]
    assert max(far) < 0.08
    tiny = FitSettings(evaluations=40, difference=1e-4)
    worse = [np.max(np.abs(fit(Asked(noisy), start, NOTHING, tiny).point - [0.6, 0.4])) for start in starts]
    assert max(worse) > 0.15, "differences as small as the noise would do as well: then why large ones?"


def test_a_failed_move_is_turned_back_from_and_said() -> None:
    asked = Asked(curved, lambda point: bool(0.28 < point[0] < 0.5 and 0.5 < point[1] < 0.62))
    found = fit(asked, np.array([0.1, 0.9]), NOTHING, SETTINGS)
    assert any(asked.fails(point) for point in asked.points), "it never met what fails"
    assert any("failed" in note for note in found.notes)
    assert found.converged
    np.testing.assert_allclose(found.point, [0.6, 0.4], atol=0.03)


def test_who_stands_before_failures_has_not_converged() -> None:
    asked = Asked(curved, lambda point: bool(point[0] > 0.3 and point[1] > 0.5))
    found = fit(asked, np.array([0.1, 0.9]), NOTHING, SETTINGS)
    assert not found.converged
    assert "fail" in found.reason


def test_a_slope_that_fails_is_taken_the_other_way_and_held_where_neither_goes() -> None:
    one_way = Asked(curved, lambda point: bool(point[0] > 0.4 and len(one_way.points) < 4))
    found = fit(one_way, np.array([0.35, 0.4]), NOTHING, SETTINGS)
    assert found.held == set()
    np.testing.assert_allclose(found.point, [0.6, 0.4], atol=0.02)

    neither = Asked(curved, lambda point: bool(point[0] != 0.35))
    found = fit(neither, np.array([0.35, 0.2]), NOTHING, SETTINGS)
    assert found.held == {0} and found.point[0] == 0.35
    alone = least_squares(lambda y: curved(np.array([0.35, y[0]])), [0.2], bounds=(0.0, 1.0)).x[0]
    assert found.point[1] == pytest.approx(alone, abs=0.02)
    assert np.isnan(uncertainty(found, NOTHING).shares[0])


def test_no_start_and_no_more_evaluations() -> None:
    with pytest.raises(NoStart):
        fit(Asked(curved, lambda point: True), np.array([0.5, 0.5]), NOTHING, SETTINGS)
    asked = Asked(curved)
    found = fit(asked, np.array([0.05, 0.95]), NOTHING, FitSettings(evaluations=4))
    assert len(asked.points) == found.calls == 4
    assert not found.converged and "4 evaluations" in found.reason


def test_a_move_teaches_the_slopes_what_it_has_shown() -> None:
    asked = Asked(curved)
    found = fit(asked, np.array([0.2, 0.7]), NOTHING, FitSettings(evaluations=4, sharpen=False))
    move = asked.points[3] - asked.points[0]
    np.testing.assert_allclose(
        found.slopes @ move, curved(asked.points[3]) - curved(asked.points[0]), rtol=1e-9
    )
    assert not found.measured


def test_what_promises_too_little_is_not_tried() -> None:
    asked = Asked(curved)
    start = np.array([0.59, 0.41])
    squares = float(np.sum(curved(start) ** 2))
    found = fit(asked, start, NOTHING, FitSettings(evaluations=40, least_gain=1.01 * squares))
    assert found.converged and found.measured and found.calls == len(asked.points) == 3
    assert fit(Asked(curved), start, NOTHING, FitSettings(evaluations=40, least_gain=0.5 * squares)).calls > 3


def test_a_move_that_overshoots_is_not_taken() -> None:
    def steep(point: Array) -> Array:
        return np.array([10.0 * (np.exp(6.0 * (point[0] - 0.5)) - 1.0), point[1] - 0.5])

    asked = Asked(steep)
    found = fit(asked, np.array([0.05, 0.5]), NOTHING, FitSettings(evaluations=4, trust=1.0))
    assert np.sum(steep(asked.points[3]) ** 2) > np.sum(steep(asked.points[0]) ** 2), "it did not overshoot"
    np.testing.assert_array_equal(found.point, [0.05, 0.5])
    found = fit(Asked(steep), np.array([0.05, 0.5]), NOTHING, FitSettings(evaluations=40, trust=1.0))
    np.testing.assert_allclose(found.point, [0.5, 0.5], atol=0.005)


def test_the_way_depends_on_the_answers_only() -> None:
    first, second = Asked(curved), Asked(curved)
    a, b = (fit(asked, np.array([0.1, 0.9]), NOTHING, SETTINGS) for asked in (first, second))
    np.testing.assert_array_equal(np.array(first.points), np.array(second.points))
    np.testing.assert_array_equal(a.point, b.point)


def test_uncertainties_and_correlations_in_closed_form() -> None:
    slopes = np.array([[3.0, 1.0], [0.0, 2.0], [1.0, -4.0]])
    state = Fit(np.array([0.5, 0.5]), np.zeros(3), slopes)
    widths = np.array([0.5, 0.2])
    known = uncertainty(state, widths)
    covariance = np.linalg.inv(slopes.T @ slopes + np.diag([4.0, 25.0]))
    np.testing.assert_allclose(known.shares, np.sqrt(np.diag(covariance)), rtol=1e-12)
    assert known.correlations[0, 1] == pytest.approx(
        covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    )
    np.testing.assert_allclose(np.diag(known.correlations), 1.0)
