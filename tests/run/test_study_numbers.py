"""Orders, limits and intervals of a study against sequences whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from run.study.quantities import numbers_of
from run.study.richardson import SAFE, TRUSTED, UNSAFE, convergence, fit, observed_order
from run.study.sampling import factors, sample
from run.study.spread import rank_correlation, spread
from run.study.tables import DesignTable
from run.study.values import axis


@pytest.mark.parametrize("order", [0.5, 1.0, 1.7, 2.0, 3.0])
@pytest.mark.parametrize("factor", [3.0, -0.02])
@pytest.mark.parametrize("sizes", [(1.6, 0.8, 0.4, 0.2), (1.8, 1.3, 1.0, 0.63)])
def test_order_and_limit_of_a_manufactured_sequence_come_back(
    order: float, factor: float, sizes: tuple[float, ...]
) -> None:
    values = [5.0 + factor * size**order for size in sizes]
    found = convergence(sizes, values)
    assert found.behaviour == "converging"
    assert found.order == pytest.approx(order, rel=1e-6)
    assert found.order_before == pytest.approx(order, rel=1e-6)
    assert found.limit == pytest.approx(5.0, rel=1e-8)
    assert found.asymptotic
    assert found.safety == SAFE
    assert found.fit == pytest.approx((5.0, factor, order), rel=1e-4)
    # The uncertainty covers the error that is left, by the safety factor where the order may be taken as it is.
    error = abs(values[-1] - 5.0)
    assert found.uncertainty >= SAFE * error * (1.0 - 1e-9)
    if TRUSTED[0] <= order <= TRUSTED[1]:
        assert found.uncertainty == pytest.approx(SAFE * error, rel=1e-6)


def test_the_uncertainty_of_perturbed_sequences_holds_the_limit_nine_times_in_ten() -> None:
    generator = np.random.default_rng(7)
    sizes = [1.2, 0.85, 0.6, 0.42, 0.3]
    inside = 0
    for _ in range(200):
        noise = 1.0 + 0.02 * generator.standard_normal(5)
        values = [1.0 + 0.5 * size**1.5 * factor for size, factor in zip(sizes, noise, strict=True)]
        found = convergence(sizes, values)
        inside += abs(values[-1] - 1.0) <= found.uncertainty
    assert inside >= 180


def test_what_goes_up_and_down_has_no_order_and_says_so() -> None:
    found = convergence([1.0, 0.5, 0.25, 0.125], [1.0, 1.2, 1.1, 1.15])
    assert (found.behaviour, found.order, found.limit) == ("oscillating", None, None)
    assert not found.asymptotic
    assert "up and down" in found.verdict
    assert found.uncertainty == pytest.approx(UNSAFE * 0.1)


def test_what_changes_more_and_more_has_no_order() -> None:
    found = convergence([1.0, 0.5, 0.25, 0.125], [1.0, 1.1, 1.3, 1.7])
    assert (found.behaviour, found.order, found.limit) == ("diverging", None, None)


def test_an_order_of_the_finest_three_only_is_no_steady_one() -> None:
    found = convergence([1.0, 0.5, 0.25, 0.125], [0.9, 1.2, 1.1, 1.05])
    assert found.behaviour == "converging"
    assert found.order == pytest.approx(1.0)
    assert found.order_before is None
    assert not found.asymptotic
    assert found.safety == UNSAFE
    assert found.uncertainty >= UNSAFE * 0.05


def test_what_no_longer_changes_is_flat() -> None:
    assert observed_order([1.0, 0.5, 0.25], [2.0, 2.0, 2.0]).behaviour == "flat"
    assert convergence([1.0, 0.5, 0.25], [2.0, 2.0, 2.0]).uncertainty == 0.0


def test_sizes_that_do_not_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="must fall"):
        convergence([1.0, 0.5, 0.5], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="levels"):
        convergence([1.0, 0.5], [1.0, 2.0])


def test_the_fit_finds_the_best_order_of_noisy_levels() -> None:
    generator = np.random.default_rng(3)
    sizes = np.geomspace(2.0, 0.05, 12)
    values = 3.0 - 0.4 * sizes**1.5 + 1e-4 * generator.standard_normal(12)
    limit, factor, order = fit(sizes.tolist(), values.tolist())
    assert (limit, factor, order) == pytest.approx((3.0, -0.4, 1.5), rel=2e-3)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_interval_is_students(confidence: float) -> None:
    values = [10.3, 9.6, 11.2, 10.9, 8.8]
    found = spread(values, confidence)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert (found.mean, found.deviation) == pytest.approx((np.mean(values), stats.tstd(values)), rel=1e-14)
    assert (found.count, found.smallest, found.largest) == (5, 8.8, 11.2)


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    samples = np.random.default_rng(5).normal(4.0, 2.0, (1000, 4))
    hits = sum(found.low <= 4.0 <= found.high for found in (spread(row.tolist(), 0.9) for row in samples))
    assert 870 <= hits <= 930


def test_how_many_seeds_would_do() -> None:
    found = spread([9.0, 10.0, 11.0], 0.95)
    needed = found.needed(0.05)
    assert stats.t.ppf(0.975, needed - 1) * 1.0 / math.sqrt(needed) <= 0.5
    assert stats.t.ppf(0.975, needed - 2) * 1.0 / math.sqrt(needed - 1) > 0.5


def test_one_value_has_no_spread() -> None:
    with pytest.raises(ValueError, match="two values"):
        spread([1.0])


def test_rank_correlations_are_spearmans() -> None:
    generator = np.random.default_rng(1)
    one, other = generator.random(12), generator.random(12)
    found = rank_correlation(one.tolist(), other.tolist())
    expected = stats.spearmanr(one, other)
    assert found is not None
    assert (found.coefficient, found.chance) == pytest.approx((expected.statistic, expected.pvalue))
    falling = rank_correlation([1.0, 2.0, 5.0, 9.0], [3.0, 2.0, 1.0, -50.0])
    assert falling is not None
    assert falling.coefficient == pytest.approx(-1.0)
    assert rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_a_design_fills_every_slice_of_every_factor_once(method: str) -> None:
    design = DesignTable.model_validate({"method": method, "points": 16, "seed": 5, "bounds": {}})
    shares = sample(design, 3)
    assert shares.shape == (16, 3)
    for column in shares.T:
        assert sorted(np.floor(16 * column).astype(int)) == list(range(16))
    assert np.array_equal(shares, sample(design, 3)), "the same seed gives the same design"
    other = DesignTable.model_validate({"method": method, "points": 16, "seed": 6, "bounds": {}})
    assert not np.array_equal(shares, sample(other, 3))


def test_bounds_carry_units_scale_and_whole_numbers() -> None:
    table = {
        "drive": {"stack_pressure": {"low": "0.1 MPa", "high": "10 MPa", "scale": "log"}},
        "mesh": {"porosity": {"low": 0.05, "high": 0.15}, "seed": {"low": 1, "high": 4}},
    }
    pressure, porosity, seed = factors(table)
    assert [factor.key for factor in (pressure, porosity, seed)] == [
        "drive.stack_pressure",
        "mesh.porosity",
        "mesh.seed",
    ]
    assert pressure.value(0.5) == "1.0 MPa"
    assert (porosity.value(0.0), porosity.value(0.5)) == (0.05, 0.1)
    assert [seed.value(share) for share in (0.0, 0.26, 0.51, 0.999, 1.0)] == [1, 2, 3, 4, 4]


def test_values_of_one_unit_are_numbers() -> None:
    numbers, unit = axis(["0.1 MPa", "5 MPa"]) or (None, None)
    assert numbers is not None
    assert (numbers.tolist(), unit) == ([0.1, 5.0], "MPa")
    numbers, unit = axis(["200 kPa", "5 MPa"]) or (None, None)
    assert numbers is not None
    assert (numbers.tolist(), unit) == (pytest.approx([0.2, 5.0]), "MPa")
    assert axis(["bilinear", "exponential"]) is None
    assert axis(["1 MPa", "1 h"]) is None
    assert axis([True, False]) is None


def test_numbers_of_a_summary_are_named_by_their_place() -> None:
    summary = {
        "thickness_um": 30.0,
        "case": "x",
        "complete": True,
        "debonded_fraction": {"all": 0.5, "graphite|silicon": 0.7},
        "cycles": [{"number": 1, "capacity": 3.0}, {"number": 2, "capacity": 2.5}],
        "steps": [],
        "notes": ["a", "b"],
    }
    assert numbers_of(summary, {"strength_MPa": 5.0}) == {
        "thickness_um": 30.0,
        "debonded_fraction.all": 0.5,
        "debonded_fraction.graphite|silicon": 0.7,
        "cycles.last.number": 2,
        "cycles.last.capacity": 2.5,
        "adhesion.strength_MPa": 5.0,
    }
