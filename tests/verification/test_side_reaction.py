"""Decomposition and oxide: rate and charge against closed form, the lithium book, rollback, snapshot and checkpoint."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from mpi4py import MPI

from fem.checkpoint import StateKeeper
from fem.errors import ParameterError
from fem.interfaces.law import InterfaceLaw
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.solver import NewtonSolver
from fem.units import FARADAY, GAS_CONSTANT
from run.errors import InputError
from run.overrides import laws_with
from tests.cells import HEIGHT, TIGHT, WIDTH, Books, cell, electrolyte, face, faces, step, terminal_of, whole
from tests.small import TEMPERATURE

# mAh/cm² in C/m².
MAH_CM2 = 3.6e4


def reacting(**others: float) -> dict[str, InterfaceLaw]:
    """Both hosts decompose the electrolyte, differently, and silicon is oxidised at both of its faces."""
    first = {"decomposition_charge": 0.02, "decomposition_onset": 0.8, "decomposition_current": 4.0}
    second = {"decomposition_charge": 0.008, "decomposition_onset": 0.6, "decomposition_current": 9.0}
    oxide = {"oxide_charge": 0.002, "oxide_onset": 0.8, "oxide_current": 1.5}
    return {
        "alpha|electrolyte": face(**({"exchange_current_density": 5.0} | first | others)),
        "electrolyte|silicon": face(**({"exchange_current_density": 3.0} | second | oxide | others)),
        "alpha|silicon": whole(**(oxide | {"oxide_charge": 0.005})),
    }


def drive(potential: float, onset: float) -> float:
    """Share r of the largest rate at a potential in V."""
    z = max(0.5 * FARADAY * (onset - potential) / (GAS_CONSTANT * TEMPERATURE), 0.0)
    return 1.0 - exp(-(z**2) / (1.0 + z))


@pytest.mark.parametrize("potential", [0.75, 0.3, 0.85])
def test_decomposition_against_closed_form(potential: float) -> None:
    """The voltage is held, and a perfect electrolyte brings it to the faces: s = 1 - exp(-k r t)."""
    # Nothing is transferred to the hosts but for a trace.
    laws = reacting(exchange_current_density=1e-9)
    laws["electrolyte|silicon"] = replace(laws["electrolyte|silicon"], oxide_charge=None)
    laws["alpha|silicon"] = whole()
    model = cell(MPI.COMM_SELF, laws, strip=electrolyte(30.0))
    terminal, books, solver = terminal_of(model), Books(model), NewtonSolver(model, TIGHT)
    terminal.control_potential(potential)
    expected, time = 0.0, 0.0
    for dt in (1.0, 20.0, 50.0, 200.0):
        step(model, solver, dt)
        time += dt
        before, expected = expected, 0.0
        for charge, onset, current in ((0.02, 0.8, 4.0), (0.008, 0.6, 9.0)):
            q = charge * MAH_CM2
            expected += 0.5 * q * (1.0 - exp(-current / q * drive(potential, onset) * time))
        assert books.gained()["side_products"] == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert terminal.current == pytest.approx((expected - before) / dt, rel=1e-4, abs=1e-3)
    assert (expected > 1.0) == (potential < 0.8)


def test_what_is_spent_in_the_end_is_area_times_charge() -> None:
    model = cell(MPI.COMM_SELF, reacting(), start=0.45)
    books, solver = Books(model), NewtonSolver(model, TIGHT)
    terminal_of(model).control_potential(0.55)
    for _ in range(8):
        step(model, solver, 2000.0)
    gained = books.gained()
    half = WIDTH / 2
    products = half * 0.02 * MAH_CM2 + half * 0.008 * MAH_CM2
    oxide = half * 0.002 * MAH_CM2 + HEIGHT * 0.005 * MAH_CM2
    assert gained["side_products"] == pytest.approx(products / WIDTH, rel=1e-9)
    # Silicon, at 0.55 V in the end, oxidises as well.
    assert gained["oxide"] == pytest.approx(oxide / WIDTH, rel=1e-9)


@pytest.mark.parallel
def test_the_book_closes_over_a_cycle(comm: MPI.Intracomm) -> None:
    model = cell(comm, reacting(), start=0.3)
    terminal, books, solver = terminal_of(model), Books(model), NewtonSolver(model, TIGHT)
    observer = Observer(model)
    assert {"side_products_mAh_cm2", "oxide_mAh_cm2"} <= set(observer.columns)
    row = observer.start()
    assert row["side_products_mAh_cm2"] == row["oxide_mAh_cm2"] == 0.0
    total = sum(books.begin.values())
    for current in 4 * [20.0] + 3 * [-20.0] + [0.0]:
        terminal.control_current(current)
        model.prepare_step(50.0)
        assert solver.solve().converged
        row = observer.measure()
        model.commit()
        assert row["lithium_book_error"] < 1e-10
        gained = books.gained()
        assert row["side_products_mAh_cm2"] == pytest.approx(gained["side_products"] / MAH_CM2, rel=1e-9)
        assert row["oxide_mAh_cm2"] == pytest.approx(gained["oxide"] / MAH_CM2, rel=1e-9, abs=1e-15)
    assert gained["side_products"] > 50.0 and gained["oxide"] > 1.0
    assert abs(sum(gained.values()) - terminal.charge) < 1e-8 * total
    assert row["charge_mAh_cm2"] == pytest.approx(terminal.charge / MAH_CM2, rel=1e-12)


def history(model: ElectrodeModel) -> list[float]:
    """Voltage, current and charge after some steps of a current, then of a voltage."""
    solver, terminal = NewtonSolver(model, TIGHT), terminal_of(model)
    found = []
    for _ in range(2):
        step(model, solver, 30.0)
        found += [terminal.voltage, terminal.current, terminal.charge, *Books(model).begin.values()]
    return found


def test_rollback_and_checkpoint_bring_everything_back() -> None:
    model = cell(MPI.COMM_SELF, reacting())
    terminal, solver = terminal_of(model), NewtonSolver(model, TIGHT)
    terminal.control_current(20.0)
    step(model, solver, 60.0)
    terminal.control_potential(0.6)
    model.set_temperature(320.0)
    step(model, solver, 20.0)
    checkpoint, snapshot = StateKeeper(model).capture(), model.state.snapshot()
    then = [terminal.voltage, terminal.current, terminal.charge]
    first = history(model)
    assert checkpoint is not None and first[5] != first[-1]
    model.state.restore(snapshot)
    assert [terminal.voltage, terminal.current, terminal.charge] == then
    assert history(model) == first
    other = cell(MPI.COMM_SELF, reacting())
    StateKeeper(other).restore(checkpoint)
    assert terminal_of(other).holds_voltage and other.temperature == 320.0
    assert [getattr(terminal_of(other), name) for name in ("voltage", "current", "charge")] == then
    np.testing.assert_allclose(history(other), first, rtol=1e-13)


@pytest.mark.parametrize(
    ("kind", "given", "key"),
    [
        ("alpha|silicon", {"exchange_current_density": 1.0}, "exchange_current_density"),
        ("alpha|silicon", {"decomposition_charge": 1.0}, "decomposition_charge"),
        ("alpha|electrolyte", {"oxide_charge": 1.0}, "oxide_charge"),
        ("alpha|electrolyte", {"exchange_current_density": 1.0, "transfer_coefficient": 1.2}, "transfer_coefficient"),
        ("alpha|electrolyte", {"decomposition_charge": -1.0}, "decomposition_charge"),
    ],
)  # fmt: skip
def test_reactions_in_the_wrong_place_are_refused(kind: str, given: dict[str, float], key: str) -> None:
    with pytest.raises(ParameterError, match=rf"interfaces\.{kind.replace('|', '.')}\.{key}"):
        cell(MPI.COMM_SELF, {**faces(), kind: whole(**given)})


@pytest.mark.parametrize("key", ["transfer_coefficient", "decomposition_onset", "oxide_current"])
def test_a_case_cannot_give_what_would_mean_nothing(key: str) -> None:
    value = {"transfer_coefficient": 0.4, "decomposition_onset": "0.6 V", "oxide_current": "1 A/m^2"}[key]
    with pytest.raises(InputError, match=f"{key}.*needs"):
        laws_with({"electrolyte|silicon": {key: value}})
    needed = {"exchange_current_density": "2 A/m^2", "decomposition_charge": "0.1 mAh/cm^2"}
    needed["oxide_charge"] = "1e-3 mAh/cm^2"
    given = laws_with({"electrolyte|silicon": {key: value, **needed}})["electrolyte|silicon"]
    assert getattr(given, key).mark == "user"
