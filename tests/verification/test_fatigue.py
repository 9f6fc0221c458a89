"""Fatigue of interfaces: cycle counts against the closed forms of docs/interfaces.md, endurance, rollback, exchange."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from fem.loads import Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from fem.stepping import Stepper, StepSettings
from tests.fatigue_cycles import (
    SETTINGS,
    cycle,
    cycles_of_traction,
    cycles_to_failure,
    fatigue_of,
    loaded,
    sum_of_rates,
    tiring,
)
from tests.separation import RIGID, Puller, pair, straight
from tests.separation_laws import OPENING, RATIO, SHEAR, STIFFNESS, STRENGTH, TOUGH_IN_SHEAR
from tests.small import grid, host, mesh_of, midpoints, model_on, sides

ONSET = STRENGTH / STIFFNESS
PEAK = OPENING / (np.e * STRENGTH)


@pytest.mark.parametrize(
    ("amplitude", "endurance", "length", "steps"),
    [(0.5, 0.25, 2e-4, 1), (0.8, 0.1, 2e-3, 2), (0.9, 0.4, 4e-4, 3)],
)
@pytest.mark.parametrize("degrees", [0.0, 60.0])
def test_cycles_of_constant_opening(
    amplitude: float, endurance: float, length: float, steps: int, degrees: float
) -> None:
    """N = δ_Σ s / (Λ (s - C_f)²) with s the traction over the strength at the largest effective opening Λ."""
    share = float(np.hypot(np.cos(np.deg2rad(degrees)), RATIO * np.sin(np.deg2rad(degrees))))
    puller = Puller(pair(MPI.COMM_SELF, tiring(length, endurance)))
    count = cycles_to_failure(puller, straight(degrees, amplitude * ONSET / share * cycle(steps)))
    # Exact whatever the steps, because T / σ_now is a straight line in Λ; the blocks are not quite rigid.
    assert count == pytest.approx(
        length * amplitude / (amplitude * ONSET * (amplitude - endurance) ** 2), rel=4e-3
    )
    assert np.all(np.abs(puller.to(*straight(degrees, [0.5 * amplitude * ONSET])[0])) < 1e-3)
    # The hysteresis of all cycles is what fatigue has dissipated.
    assert puller.work == pytest.approx(puller.dissipated, rel=1e-2)


def potential_overload(largest: float, exponent: float, slope: float) -> float:
    """T / σ_now of the law of Park, Paulino and Roesler at its largest opening (per final opening) below the peak."""
    m = exponent * (exponent - 1.0) * slope**2 / (1.0 - exponent * slope**2)

    def height(x: float) -> float:
        return x * (1.0 - x) ** (exponent - 1.0) * (1.0 + exponent * x / m) ** (m - 1.0)

    return height(largest) / height(slope)


@pytest.mark.parametrize("degrees", [0.0, 90.0])
@pytest.mark.parametrize("name", ["exponential", "ppr"])
def test_cycles_of_constant_opening_of_smooth_laws(name: str, degrees: float) -> None:
    """The same form holds for every law after the first half cycle, which follows the envelope."""
    endurance, shear = 0.2, degrees == 90.0
    keys: dict[str, Any] = {"shear_fracture_energy": SHEAR}
    if name == "exponential":
        opening = 0.4 * PEAK * (SHEAR / OPENING / RATIO if shear else 1.0)
        traction = 0.4 * np.exp(0.6)
        # Λ is measured in the metric of the stiffnesses, which are e² σ² / Gc.
        effective = opening * (RATIO * np.sqrt(OPENING / SHEAR) if shear else 1.0)
    else:
        exponent, slope = (1.7, 0.1) if shear else (3.0, 0.05)
        keys |= {
            "opening_shape_exponent": 3.0,
            "shear_shape_exponent": 1.7,
            "opening_slope_indicator": 0.05,
            "shear_slope_indicator": 0.1,
        }
        final = TOUGH_IN_SHEAR.delta_t if shear else TOUGH_IN_SHEAR.delta_n
        opening = 0.4 * slope * final
        traction = potential_overload(0.4 * slope, exponent, slope)
        effective = opening * (RATIO if shear else 1.0)
    length = 25.0 * effective * (traction - endurance) ** 2 / traction
    puller = Puller(pair(MPI.COMM_SELF, tiring(length, endurance, law=name, **keys)))
    path = straight(degrees, opening * cycle(2))
    puller.along(path)
    values = []
    for _ in range(3):
        puller.along(path)
        values.append(float(np.mean(fatigue_of(puller.model))))
    np.testing.assert_allclose(np.diff(values), 1.0 / 25.0, rtol=4e-3)


@pytest.mark.parametrize(
    ("share", "endurance", "length"), [(0.5, 0.25, 1e-3), (0.8, 0.1, 1e-2), (0.7, 0.4, 2e-3)]
)
def test_cycles_of_constant_traction(share: float, endurance: float, length: float) -> None:
    """N = δ_Σ/δ_0 ∫ q² / (s - C_f q)² dq up to a given damage; the steps of a cycle converge to it at first order."""
    target = 0.9 * (1.0 - share)
    expected = length / ONSET * sum_of_rates(share, endurance, 1.0 - target)
    errors = [
        cycles_of_traction(share, endurance, length, target, steps) / expected - 1.0 for steps in (2, 4, 8)
    ]
    assert 0.0 < errors[2] < 0.012 and errors[1] < 0.02
    assert errors[2] < 0.65 * errors[1] < 0.65 * errors[0]


@pytest.mark.parametrize("keys", [{}, {"law": "exponential"}, {"law": "ppr", "shear_fracture_energy": SHEAR}])
def test_there_is_an_endurance_limit(keys: dict[str, Any]) -> None:
    """Cycles whose traction stays under C_f of the strength do nothing at all; without fatigue none do."""
    # The law of Park, Paulino and Roesler rises steeply: 0.4 of the strength a thirtieth of the way to its peak.
    weak = 0.1 * {"exponential": PEAK, "ppr": 5e-4}.get(str(keys.get("law")), ONSET)
    puller = Puller(pair(MPI.COMM_SELF, tiring(1e-6, 0.6, **keys)))
    puller.along(straight(30.0, weak * cycle(2)))
    damage = puller.damage
    for _ in range(5):
        puller.along(straight(30.0, weak * cycle(2)))
    assert puller.damage == pytest.approx(damage, abs=1e-11)
    assert np.all(fatigue_of(puller.model) == 0.0)
    # Above it the same interface goes at once.
    puller.along(straight(30.0, 9.0 * weak * cycle(2)))
    assert np.all(fatigue_of(puller.model) > 0.5)


def test_damage_by_cycles_adds_to_damage_by_opening() -> None:
    """1 - (1 - D)(1 - D_c), tractions and dissipation with it; both are there after an overload."""
    puller = Puller(pair(MPI.COMM_SELF, tiring(4e-2, 0.2)))
    far = 40.0 * ONSET
    puller.along(straight(0.0, np.linspace(0.0, far, 30)[1:]))
    by_opening = 1.0 - (2 * OPENING / STRENGTH - far) / (2 * OPENING / STRENGTH - ONSET) * ONSET / far
    spent = puller.dissipated
    for _ in range(4):
        puller.along(straight(0.0, far * cycle(8)[::-1]))
        by_cycles = float(np.mean(fatigue_of(puller.model)))
        assert puller.damage == pytest.approx(1.0 - (1.0 - by_opening) * (1.0 - by_cycles), rel=1e-4)
        assert puller.dissipated > spent
        spent = puller.dissipated
    assert 0.2 < by_cycles < 0.9
    traction = puller.to(0.5 * far)[0]
    assert traction == pytest.approx((1.0 - puller.damage) * STIFFNESS * 0.5 * far, rel=5e-2)
    assert puller.work == pytest.approx(puller.dissipated + puller.stored, rel=1e-2)


def test_a_rejected_step_leaves_no_trace() -> None:
    """Damage by cycles after steps of which every other one was refused once is that of a run without refusals."""
    ends = []
    for refuses in (False, True):
        model = loaded(1e-3, 0.1)
        refused: list[float] = []

        def accept(
            model: ElectrodeModel = model, refused: list[float] = refused, refuses: bool = refuses
        ) -> bool:
            if not refuses or model.state.time in refused:
                return True
            refused.append(model.state.time)
            return False

        solver = NewtonSolver(model, SETTINGS)
        settings = StepSettings(
            first=1.0, largest=1.0, growth=1.0, cut=1.0,
            stabilisation=1e-9, resting_stabilisation=0.0, holding_stabilisation=0.0,
        )  # fmt: skip
        stepper = Stepper(model, solver, settings, accept)
        for part in (*cycle(2), *cycle(2)):
            model.control("pressure").value = -0.5 * STRENGTH * part
            stepper.next_dt = 1.0
            stepper.advance(1.0)
        ends.append({name: field.x.array.copy() for name, field in model.state.memory.items()})
        assert len(refused) == (8 if refuses else 0)
    assert np.max(np.abs(ends[0]["fatigue"])) > 1e-3
    for name, values in ends[0].items():
        np.testing.assert_allclose(ends[1][name], values, rtol=1e-8, atol=1e-12)


def test_a_snapshot_holds_the_damage_by_cycles() -> None:
    model = loaded(1e-3, 0.1)
    solver = NewtonSolver(model, SETTINGS)
    start = model.state.snapshot()
    model.control("pressure").value = -0.7 * STRENGTH
    model.prepare_step(1.0)
    assert solver.solve().converged
    model.commit()
    assert np.all(fatigue_of(model) > 0.0)
    model.state.restore(start)
    assert np.all(fatigue_of(model) == 0.0)


def test_damage_by_cycles_degrades_lithium_exchange() -> None:
    """What the interface passes falls by the damage that cycles do, like that by opening."""
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 2, 1.0, 1.0))
    loads = [Support("bottom", 0), Support("bottom", 1), Support("top", 0, "across"), Support("top", 1, "up")]
    laws = {"alpha|beta": tiring(4e-4, 0.25, exchange_resistance=2.0)}
    model = model_on(
        mesh,
        sides(1.0, 1.0),
        [host("alpha", youngs_modulus=RIGID), host("beta", youngs_modulus=RIGID)],
        loads,
        grain=(midpoints(mesh)[:, 1] > 0.5).astype(np.int32),
        phases=["alpha", "beta"],
        laws=laws,
    )
    solver = NewtonSolver(model, SETTINGS)
    space, shares = model.facet_constants, []
    passing = space.projection(model.facet_history.value(model.state.exchange_share))
    for _ in range(3):
        for part in cycle(2):
            model.control("up").value = 0.7 * ONSET * part
            model.prepare_step(1.0)
            outcome = solver.solve()
            assert outcome.converged, outcome
            model.commit()
        shares.append(float(np.sum(space.integrals(passing))))
        assert shares[-1] == pytest.approx(1.0 - model.mean_damage(), rel=1e-9)
    each = 0.7 * ONSET * (0.7 - 0.25) ** 2 / (0.7 * 4e-4)
    np.testing.assert_allclose(shares, 1.0 - each * np.arange(1, 4), rtol=1e-2)
