"""The scalar flow increment at quadrature points, against bisection and against the laws as written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from fem.errors import StepFailed
from fem.materials.base import AnandFlow, Material
from fem.materials.flow import FlowTable, flow_table, hardened_drag, solve_increment
from fem.materials.library import GRAPHITE, LITHIUM, PORE, SILICON
from tests.small import Array, host, overstress, p

COUNT = 300


def random_table(rng: np.random.Generator) -> FlowTable:
    """Laws with exponents from 1 to 10, with and without threshold and hardening."""
    threshold = np.where(rng.random(COUNT) < 0.5, 0.0, rng.uniform(1.0, 200.0, COUNT))
    hardening = np.where(rng.random(COUNT) < 0.5, 0.0, rng.uniform(1.0, 1e3, COUNT))
    rate, exponent = 10.0 ** rng.uniform(-10, -1, COUNT), rng.uniform(1.0, 10.0, COUNT)
    return FlowTable(threshold, hardening, rate, exponent, 10.0 ** rng.uniform(-1, 2.5, COUNT), ())


def equation(
    table: FlowTable, k: int, trial: float, slope: float, accumulated: float, drag: float, dt: float
):
    """σ̄(Δε) by elasticity minus σ̄(Δε) by the flow law."""

    def difference(increment: float) -> float:
        creep = drag * (increment / (dt * table.rate[k])) ** (1.0 / table.exponent[k])
        flow = table.threshold[k] + table.hardening[k] * (accumulated + increment) + creep
        return trial - slope * increment - flow

    return difference


def test_increment_against_bisection() -> None:
    rng = np.random.default_rng(11)
    table, dt = random_table(rng), 7.0
    trial, slope = 10.0 ** rng.uniform(-2, 3.5, COUNT), 10.0 ** rng.uniform(2, 5.3, COUNT)
    accumulated = rng.uniform(0.0, 0.2, COUNT)
    increment, modulus = solve_increment(table, trial, slope, accumulated, table.initial_drag, dt)
    flows = trial > table.threshold + table.hardening * accumulated
    assert 0.2 * COUNT < np.count_nonzero(flows) < 0.95 * COUNT
    assert np.all(increment[~flows] == 0.0) and np.all(modulus[~flows] >= 1e29)
    for k in np.flatnonzero(flows):
        args = (table, k, trial[k], slope[k], accumulated[k], table.initial_drag[k], dt)
        root = brentq(equation(*args), 0.0, trial[k] / slope[k], xtol=1e-300, rtol=1e-14, maxiter=2000)
        assert increment[k] == pytest.approx(root, rel=1e-9), k
        assert modulus[k] > 0.0


def test_modulus_is_the_derivative() -> None:
    rng = np.random.default_rng(12)
    table, dt = random_table(rng), 3.0
    slope, accumulated = np.full(COUNT, 5e4), np.zeros(COUNT)
    trial = table.threshold + rng.uniform(50.0, 900.0, COUNT)
    h = 1e-5 * trial
    above, _ = solve_increment(table, trial + h, slope, accumulated, table.initial_drag, dt)
    below, _ = solve_increment(table, trial - h, slope, accumulated, table.initial_drag, dt)
    _, modulus = solve_increment(table, trial, slope, accumulated, table.initial_drag, dt)
    # dΔε = dσ_tr / (3 µ̄ + h), the derivative the Jacobian uses.
    np.testing.assert_allclose((above - below) / (2.0 * h), 1.0 / (slope + modulus), rtol=1e-5)


def test_short_and_long_steps() -> None:
    rng = np.random.default_rng(13)
    table = random_table(rng)
    trial, slope, zero = np.full(COUNT, 500.0), np.full(COUNT, 3e4), np.zeros(COUNT)
    short, _ = solve_increment(table, trial, slope, zero, table.initial_drag, 1e-60)
    assert np.all(short >= 0.0) and np.max(short) < 1e-6
    long, _ = solve_increment(table, trial, slope, zero, table.initial_drag, 1e80)
    relaxed = (trial - table.threshold) / (slope + table.hardening)
    np.testing.assert_allclose(long, relaxed, rtol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_trial_stress_that_is_no_number_fails_the_step(bad: float) -> None:
    table = random_table(np.random.default_rng(14))
    trial, slope, zero = np.full(COUNT, 100.0), np.full(COUNT, 3e4), np.zeros(COUNT)
    trial[7] = bad
    with pytest.raises(StepFailed):
        solve_increment(table, trial, slope, zero, table.initial_drag, 1.0)


def materials() -> list[Material]:
    return [GRAPHITE, LITHIUM, PORE, SILICON]


def test_table_of_the_phases() -> None:
    phase = np.array([3, 1, 2, 0, 3, 1], dtype=np.int32)
    table = flow_table(phase, materials(), 298.15)
    assert np.all(table.threshold[[0, 4]] == 120.0) and np.all(table.exponent[[0, 4]] == 4.0)
    assert table.threshold[2] >= 1e29  # pores do not flow
    # parameters.md: A exp(-Q/RT) is 0.01400 /s at 25 °C and 0.06718 /s at 60 °C.
    assert table.rate[1] == pytest.approx(0.01400, abs=6e-6)
    assert flow_table(phase, materials(), 333.15).rate[5] == pytest.approx(0.06718, abs=6e-6)
    assert table.exponent[1] == pytest.approx(1.0 / 0.15)
    assert isinstance(LITHIUM.flow, AnandFlow)
    assert table.initial_drag[1] == pytest.approx(0.95 * LITHIUM.flow.size_factor.value)


def anand(factor: float) -> tuple[FlowTable, AnandFlow]:
    flow = LITHIUM.flow
    assert isinstance(flow, AnandFlow)
    changed = replace(flow, size_factor=p(factor))
    return flow_table(np.zeros(COUNT, dtype=np.int32), [replace(LITHIUM, flow=changed)], 333.15), changed


@pytest.mark.parametrize("factor", [1.0, 10.0])
def test_resistance_against_bisection(factor: float) -> None:
    rng = np.random.default_rng(15)
    table, flow = anand(factor)
    increment, dt = 10.0 ** rng.uniform(-6, -1, COUNT), 20.0
    drag = factor * rng.uniform(0.5, 4.0, COUNT)
    found = hardened_drag(table, drag, increment, dt)
    limit = factor * 2.0 * (increment / (dt * flow.rate_at(333.15))) ** 0.05
    assert np.any(limit > drag) and np.any(limit < drag)
    for k in range(COUNT):

        def excess(s: float, k: int = k) -> float:
            ratio = 1.0 - s / limit[k]
            return s - drag[k] - 10.0 * factor * abs(ratio) ** 2.0 * np.sign(ratio) * increment[k]

        root = brentq(excess, min(drag[k], limit[k]), max(drag[k], limit[k]), xtol=1e-14, rtol=1e-14)
        assert found[k] == pytest.approx(root, rel=1e-10), k
    # It moves towards the limit and never beyond.
    assert np.all((found - drag) * (limit - drag) >= 0.0) and np.all(
        np.abs(limit - found) <= np.abs(limit - drag)
    )


def test_resistance_rests_without_flow_and_in_other_laws() -> None:
    table, _ = anand(1.0)
    drag = np.linspace(0.5, 3.0, COUNT)
    assert np.array_equal(hardened_drag(table, drag, np.zeros(COUNT), 1.0), drag)
    other = flow_table(
        np.zeros(COUNT, dtype=np.int32), [host(flow=overstress(1.0, 2.0, 3.0, 1e-3, 4.0))], 300.0
    )
    assert np.array_equal(hardened_drag(other, drag, np.full(COUNT, 1e-3), 1.0), drag)


def test_harder_by_strain_lets_less_flow() -> None:
    table = flow_table(
        np.zeros(3, dtype=np.int32), [host(flow=overstress(100.0, 1e3, 10.0, 1e-3, 5.0))], 300.0
    )
    accumulated: Array = np.array([0.0, 0.05, 0.1])
    increment, _ = solve_increment(
        table, np.full(3, 180.0), np.full(3, 3e4), accumulated, table.initial_drag, 1.0
    )
    assert increment[0] > increment[1] > 0.0 == increment[2]
