"""Known answers of whole cells: open-circuit curve at C/1000, equilibrium between hosts, balance of a full cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mpi4py import MPI
from scipy.optimize import brentq

from fem.counter_electrode import LithiumCobaltOxide, LumpedCathode, Passed, balanced_capacity
from fem.errors import ParameterError
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import Host, Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from fem.units import FARADAY
from tests.cells import ALPHA, HEIGHT, Books, advance, cell, face, faces, parameter, rigid, terminal_of, whole
from tests.cells import SILICON as LINEAR_SILICON

GRAPHITE, SILICON = rigid("graphite"), rigid("silicon")
HOSTS = (GRAPHITE, SILICON)
# The rounding of the electrolyte's residual grows with the step, which may be days long here.
LOOSE = SolverSettings(lithium_tolerance=1e-9, potential_tolerance=1e-3)


def laws(graphite: float = 9.0, silicon: float = 0.3, between: float = 1e3) -> dict[str, InterfaceLaw]:
    """Charge transfer at both faces, and an exchange between the hosts with a given resistance."""
    return {
        "electrolyte|graphite": face(graphite),
        "electrolyte|silicon": face(silicon),
        "graphite|silicon": whole(exchange_resistance=between),
    }


def stepper_of(model: ElectrodeModel) -> Stepper:
    """Steps that may be as long as they converge."""
    settings = StepSettings(first=0.1, largest=np.inf, smallest=1e-6, growth=2.5, target_iterations=15)
    return Stepper(model, NewtonSolver(model, LOOSE), settings)


def curve(material: Material) -> Callable[[float], float]:
    """Open-circuit voltage of a host."""
    assert isinstance(material.lithium, Host)
    voltage = material.lithium.curve.voltage
    return lambda x: float(voltage(x, exp=np.exp, tanh=np.tanh))


def capacity(material: Material) -> float:
    """Capacity of a host of full width in C/m² of section."""
    assert isinstance(material.lithium, Host)
    return material.lithium.maximum_concentration.value * HEIGHT * FARADAY


def test_half_cell_of_one_grain_follows_its_open_circuit_curve() -> None:
    """Graphite at C/1000, charged and discharged, beside silicon that nothing reaches."""
    given = laws(between=np.inf) | {"electrolyte|silicon": whole()}
    model = cell(MPI.COMM_SELF, given, HOSTS, start={"graphite": 0.05, "silicon": 0.3})
    terminal, books, stepper = terminal_of(model), Books(model), stepper_of(model)
    full = 0.5 * capacity(GRAPHITE)
    current, x, errors = full / 3.6e6, 0.05, []
    for change in (0.1, 0.3, 0.4, 0.1, -0.4):
        terminal.control_current(np.sign(change) * current)
        advance(model, stepper, abs(change) * 3.6e6)
        x += change
        errors.append(terminal.voltage - curve(GRAPHITE)(x))
    # 9 A/m² against 0.002 A/m²: an overpotential of 10 µV, and diffusion does the rest.
    assert 1e-6 < np.max(np.abs(errors)) < 1e-4
    assert books.gained()["silicon"] == 0.0


def test_insulated_hosts_come_to_one_potential() -> None:
    start = {"graphite": 0.6, "silicon": 0.1}
    model = cell(MPI.COMM_SELF, laws(), HOSTS, start=start)
    terminal, books, stepper = terminal_of(model), Books(model), stepper_of(model)
    terminal.control_current(0.0)
    advance(model, stepper, 3e6)
    halves = {one.phase: 0.5 * capacity(one) for one in HOSTS}
    total = sum(halves[name] * x for name, x in start.items())
    graphite, silicon = curve(GRAPHITE), curve(SILICON)

    def left_over(x: float) -> float:
        return graphite(x) - silicon((total - halves["graphite"] * x) / halves["silicon"])

    equal = brentq(left_over, 0.01, 0.59, xtol=1e-15)
    now = books.now()
    assert now["graphite"] / halves["graphite"] == pytest.approx(equal, rel=1e-6)
    assert now["silicon"] == pytest.approx(total - halves["graphite"] * equal, rel=1e-6)
    assert terminal.voltage == pytest.approx(graphite(equal), abs=1e-8)
    assert sum(now.values()) == pytest.approx(total, rel=1e-12)


def test_full_cell_is_balanced() -> None:
    """N/P 1.1, 5 % of the cathode lost in the first cycle: lithiations of both sides and the voltage by hand."""
    negative = 0.5 * (capacity(ALPHA) + capacity(LINEAR_SILICON))
    q = balanced_capacity(negative, 1.1, 0.99, 0.5)
    assert q * 0.49 * 1.1 == pytest.approx(negative, rel=1e-14)
    i0, resistance = 3.0, 1e-3
    cathode = LumpedCathode(
        parameter(q), parameter(0.99), parameter(0.05), exchange_current_density=parameter(i0), linear=True
    )
    model = cell(MPI.COMM_SELF, faces(5.0, 5.0), counter=cathode, separator_resistance=resistance, start=0.1)
    terminal, books, stepper = terminal_of(model), Books(model), stepper_of(model)
    lco = LithiumCobaltOxide()
    thermal = 8.31446261815324e-3 * 333.15 / FARADAY
    peak = charge = 0.0
    # Charging the cell lithiates the working electrode: positive current.
    for share in (0.1, 0.3, 0.3, -0.2, -0.3, 0.15):
        current = 30.0 if share > 0.0 else -30.0
        terminal.control_current(current)
        advance(model, stepper, abs(share) * 0.49 * q / 30.0)
        charge += share * 0.49 * q
        peak = max(peak, charge)
        y = 0.99 - peak / q + (peak - charge) / (0.95 * q)
        expected = lco.voltage(y) - terminal.working_potential
        expected += current * (resistance + thermal / i0)
        assert terminal.voltage == pytest.approx(expected, abs=1e-9)
        assert sum(books.gained().values()) == pytest.approx(charge, rel=1e-9)
    # Held: the voltage of the cell is what is held.
    terminal.control_potential(3.5)
    for duration in (1.0, 100.0, 1000.0):
        advance(model, stepper, duration)
        assert terminal.voltage == pytest.approx(3.5, abs=1e-10)
        assert sum(books.gained().values()) == pytest.approx(terminal.charge, rel=1e-9)


def test_cathode_curve_and_first_cycle_loss() -> None:
    lco = LithiumCobaltOxide()
    # The published polynomials at one half, term by term.
    above = -4.656 + 88.669 / 4 - 401.119 / 16 + 342.909 / 64 - 462.471 / 256 + 433.434 / 1024
    below = -1.0 + 18.933 / 4 - 79.532 / 16 + 37.311 / 64 - 73.083 / 256 + 95.960 / 1024
    assert lco.voltage(0.5) == pytest.approx(above / below, rel=1e-13)
    assert lco.voltage(0.5) == pytest.approx(4.235, abs=1e-3)
    for y in (0.3, 0.47, 0.5, 0.7, 0.95, 0.99, 1.01):
        rise = (lco.voltage(y + 1e-6) - lco.voltage(y - 1e-6)) / 2e-6
        assert lco.slope(y) == pytest.approx(rise, rel=1e-4) and rise < 0.0
    cathode = LumpedCathode(parameter(100.0), parameter(0.95), parameter(0.1))
    assert cathode.lithiation(Passed(40.0, 40.0))[0] == pytest.approx(0.55)
    # Nine tenths of what has left it fill it again.
    assert cathode.lithiation(Passed(4.0, 40.0))[0] == pytest.approx(0.95)
    assert cathode.lithiation(Passed(22.0, 40.0))[0] == pytest.approx(0.75)
    for passed in (Passed(40.0, 40.0), Passed(22.0, 40.0)):
        value, rate = cathode.potential(passed)
        further = Passed(passed.charge + 1e-5, max(passed.charge + 1e-5, passed.peak))
        assert (cathode.potential(further)[0] - value) / 1e-5 == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize(
    ("q", "start", "loss"), [(0.0, 0.9, 0.0), (1.0, 0.2, 0.0), (1.0, 1.2, 0.0), (1.0, 0.9, 1.0)]
)
def test_impossible_cathodes_are_refused(q: float, start: float, loss: float) -> None:
    with pytest.raises(ParameterError, match=r"cathode\."):
        LumpedCathode(parameter(q), parameter(start), parameter(loss))


def test_impossible_balances_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"cathode\.end"):
        balanced_capacity(1.0, 1.1, 0.5, 0.9)
    with pytest.raises(ParameterError, match=r"cathode\.ratio"):
        balanced_capacity(1.0, 0.0, 0.9, 0.5)
