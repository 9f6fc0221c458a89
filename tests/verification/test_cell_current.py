"""The terminals: current split by Butler and Volmer, ohmic drop, exact current and voltage, CC-CV, events."""

from __future__ import annotations

from math import asinh, exp

import numpy as np
import pytest
from mpi4py import MPI
from scipy.optimize import brentq

from fem.counter_electrode import LithiumMetal
from fem.events import CutOff, Watch
from fem.materials.base import REFERENCE_TEMPERATURE, Material
from fem.solver import NewtonSolver, Outcome
from fem.stepping import Stepper, StepSettings
from fem.units import FARADAY, GAS_CONSTANT
from tests.cells import (
    ALPHA,
    PERFECT,
    STRIP,
    TIGHT,
    Books,
    cell,
    electrolyte,
    face,
    face_values,
    faces,
    parameter,
    step,
    terminal_of,
    whole,
)
from tests.small import CURVE, Array, host

STEPS = StepSettings(first=1.0, largest=1000.0, smallest=1e-3, lithiation_change=1.0)


def transferred(i0: float, alpha: float, x: float, driving: float) -> float:
    """Current density in A/m² of Butler and Volmer; ``driving`` is F η / RT."""
    return i0 * 2.0 * (x * (1.0 - x)) ** 0.5 * (exp(alpha * driving) - exp(-(1.0 - alpha) * driving))


@pytest.mark.parametrize(
    ("i0", "temperature", "current"),
    [((5.0, 0.3), 333.15, 40.0), ((0.02, 7.0), 298.15, -25.0), ((60.0, 0.001), 353.15, 3.0)],
)
def test_current_splits_after_butler_and_volmer(
    i0: tuple[float, float], temperature: float, current: float
) -> None:
    x, transfer, energy = {"alpha": 0.2, "silicon": 0.45}, (0.5, 0.35), 40.0
    laws = {
        "alpha|electrolyte": face(i0[0], transfer_coefficient=transfer[0]),
        "electrolyte|silicon": face(i0[1], transfer_coefficient=transfer[1], exchange_energy=energy),
        "alpha|silicon": whole(),
    }
    model = cell(MPI.COMM_SELF, laws, start=x, strip=PERFECT, temperature=temperature)
    terminal, books = terminal_of(model), Books(model)
    terminal.control_current(current)
    dt = 1e-5  # so short that the hosts stay as they are
    step(model, NewtonSolver(model, TIGHT), dt)

    thermal = GAS_CONSTANT * temperature / FARADAY
    warmed = i0[1] * exp(-energy / GAS_CONSTANT * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE))

    def shares(voltage: float) -> Array:
        driving = [(float(CURVE.voltage(x[name])) - voltage) / thermal for name in x]
        return 0.5 * np.array(
            [
                transferred(i0[0], transfer[0], x["alpha"], driving[0]),
                transferred(warmed, transfer[1], x["silicon"], driving[1]),
            ]
        )

    expected = brentq(lambda v: float(np.sum(shares(v))) - current, 0.0, 2.0, xtol=1e-15)
    assert terminal.voltage == pytest.approx(expected, abs=1e-6)
    gained = books.gained()
    np.testing.assert_allclose(
        [gained["alpha"] / dt, gained["silicon"] / dt], shares(expected), rtol=1e-4, atol=1e-4
    )
    assert np.ptp(shares(expected)) > 0.3 * abs(current)  # contrasted


@pytest.mark.parametrize("linear", [False, True])
def test_ohmic_drop_and_counter_electrode(linear: bool) -> None:
    current, conductivity, resistance, i0 = 7.0, 0.03, 2e-3, 2.0
    same = (ALPHA, host("silicon", capacity=31.36, diffusivity=0.24))
    laws = faces(2.0, 2.0)
    voltages = []
    for strip, separator, counter in (
        (PERFECT, None, None),
        (electrolyte(conductivity), resistance, LithiumMetal(parameter(i0), linear)),
    ):
        model = cell(MPI.COMM_SELF, laws, same, strip=strip, separator_resistance=separator, counter=counter)
        terminal_of(model).control_current(current)
        step(model, NewtonSolver(model, TIGHT), 5.0)
        voltages.append(terminal_of(model).voltage)
    thermal = GAS_CONSTANT * model.temperature / FARADAY
    eta = thermal * current / i0 if linear else 2.0 * thermal * asinh(0.5 * current / i0)
    drop = current * (STRIP * 1e-6 / conductivity - STRIP * 1e-6 / 1e3 + resistance) + eta
    assert voltages[0] - voltages[1] == pytest.approx(drop, abs=1e-9)


@pytest.mark.parallel
@pytest.mark.parametrize("strip", [electrolyte(0.8), electrolyte(1e-4)], ids=["good", "poor"])
def test_current_is_exact_and_the_face_an_equipotential(comm: MPI.Intracomm, strip: Material) -> None:
    model = cell(comm, faces(), strip=strip)
    solver, terminal, books = NewtonSolver(model, TIGHT), terminal_of(model), Books(model)
    charge = 0.0
    for current, dt in ((3.0, 1.0), (3.0, 30.0), (-0.4, 100.0), (0.0, 10.0)):
        before = sum(books.now().values())
        terminal.control_current(current)
        step(model, solver, dt)
        charge += current * dt
        passed = sum(books.now().values()) - before
        assert passed == pytest.approx(current * dt, rel=1e-10, abs=1e-11 * sum(books.begin.values()))
        assert terminal.current == current
        assert terminal.charge == pytest.approx(charge, rel=1e-13)
        assert np.ptp(face_values(model)) == 0.0


@pytest.mark.parallel
def test_constant_current_then_constant_voltage(comm: MPI.Intracomm) -> None:
    resistance, i0 = 1e-3, 5.0
    model = cell(comm, faces(), separator_resistance=resistance, counter=LithiumMetal(parameter(i0)))
    solver, terminal, books = NewtonSolver(model, TIGHT), terminal_of(model), Books(model)
    stepper = Stepper(model, solver, STEPS)
    terminal.control_current(20.0)
    watch = Watch(stepper, [CutOff(lambda: terminal.voltage, 0.6, True, 1e-3)])
    while (landing := watch.advance(np.inf)).reached is None:
        assert terminal.voltage > 0.6
    assert 0.0 <= landing.overshoot <= 1e-3
    terminal.control_potential(0.6)
    stepper.next_dt = 1.0
    watch = Watch(stepper, [CutOff(lambda: abs(terminal.current), 2.0, True, 0.02)])
    currents = [terminal.current]
    while True:
        landing = watch.advance(np.inf)
        assert terminal.voltage == pytest.approx(0.6, abs=1e-10)
        # The voltage is held between the terminals, behind separator and counter electrode.
        thermal = GAS_CONSTANT * model.temperature / FARADAY
        behind = terminal.current * resistance + 2.0 * thermal * asinh(0.5 * terminal.current / i0)
        assert terminal.working_potential == pytest.approx(0.6 + behind, abs=1e-10)
        currents.append(terminal.current)
        if landing.reached is not None:
            break
    assert np.all(np.diff(currents) < 0.0)
    assert 0.0 <= landing.overshoot <= 0.02 and currents[-1] == pytest.approx(2.0, abs=0.021)
    assert sum(books.gained().values()) == pytest.approx(terminal.charge, rel=1e-10)


def test_a_jump_beyond_the_cut_off_ends_at_once() -> None:
    model = cell(MPI.COMM_SELF, faces())
    terminal, stepper = terminal_of(model), Stepper(model, NewtonSolver(model, TIGHT), STEPS)
    terminal.control_current(20.0)
    landing = Watch(stepper, [CutOff(lambda: terminal.voltage, 0.84, True, 1e-3)]).advance(np.inf)
    assert landing.reached == 0 and landing.report.dt == STEPS.smallest
    assert landing.overshoot > 1e-3 and landing.report.rejected == 0


def test_the_first_of_several_cut_offs_ends_the_step() -> None:
    """Also one that lies closer than one step away: the step is shortened and nothing is left behind."""
    model = cell(MPI.COMM_SELF, faces())
    terminal = terminal_of(model)
    stepper = Stepper(model, NewtonSolver(model, TIGHT), STEPS)
    terminal.control_current(20.0)
    watch = Watch(
        stepper,
        [
            CutOff(lambda: terminal.voltage, 0.55, True, 1e-3),
            CutOff(lambda: terminal.charge, 2000.0, False, 1e-9, spare_time=1e-9 / 20.0),
        ],
    )
    while (landing := watch.advance(np.inf)).reached is None:
        pass
    assert landing.reached == 1
    assert terminal.charge == pytest.approx(2000.0, rel=1e-9)
    assert model.state.time == pytest.approx(2000.0 / 20.0, rel=1e-9)


@pytest.mark.parallel
def test_steps_that_are_cut_back_before_an_event_land_on_it_all_the_same(comm: MPI.Intracomm) -> None:
    """Gate 13: the first attempts that would end in the last tenth fail, as if a solve had not converged."""

    class Failing(NewtonSolver):
        left = 3

        def solve(self) -> Outcome:
            outcome = super().solve()
            if self.left and self.model.state.time + float(self.model.dt.value) > 90.0:
                self.left -= 1
                return Outcome(False, outcome.iterations, "injected")
            return outcome

    model = cell(comm, faces())
    terminal = terminal_of(model)
    stepper = Stepper(model, Failing(model, TIGHT), STEPS)
    terminal.control_current(20.0)
    charge = CutOff(lambda: terminal.charge, 2000.0, False, 1e-9, spare_time=1e-9 / 20.0)
    watch, rejected = Watch(stepper, [charge]), 0
    while True:
        landing = watch.advance(np.inf)
        rejected += landing.report.rejected
        if landing.reached is not None:
            break
    assert rejected == 3
    assert terminal.charge == pytest.approx(2000.0, rel=1e-9)
    assert model.state.time == pytest.approx(100.0, rel=1e-9)
