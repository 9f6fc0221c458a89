"""Bonds that grow under contact pressure: closed form, the gain of pressed over unpressed, and bonds formed anew."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem import compat
from fem.checkpoint import StateKeeper
from fem.errors import ParameterError
from fem.model import ElectrodeModel
from tests.readings import residual
from tests.separation import Puller, leg, pair
from tests.small import law

STRENGTH, ENERGY, CONTACT, ONSET = 20.0, 0.31, 2.0e5, 1.0e-4
FINAL = 2.0 * ENERGY / STRENGTH
HARDNESS, START, TIME = 100.0, 1.0 / 1.44, 3.0
PRESSED = 550.0


def bonding(**others: float) -> ElectrodeModel:
    """Two blocks whose bond grows."""
    given = {
        "bonding_hardness": HARDNESS,
        "initial_bond": START,
        "bonding_time": TIME,
        "bonding_energy": 37.0,
    }
    return pair(MPI.COMM_WORLD, law(STRENGTH, ENERGY, **given | others))


def share(model: ElectrodeModel, name: str = "bond") -> float:
    """Mean of a field of the bonds over the interface."""
    space = model.facet_history
    value = space.value(model.state.bonding[name])
    total, area = (
        model.comm.allreduce(float(np.sum(space.integrals(space.projection(v)))))
        for v in (value, value / value)
    )
    return total / area


def press(puller: Puller, pressure: float, steps: int, at: float = 0.0) -> None:
    """Hold a contact pressure for as many seconds, at a tangential opening."""
    puller.along([(-pressure / CONTACT, at)] * steps)


@pytest.mark.parallel
def test_growth_under_pressure_is_that_of_the_closed_form() -> None:
    model = bonding()
    puller = Puller(model)
    for temperature, slowness in (
        (333.15, 1.0),
        (298.15, np.exp(37.0 / 8.31446e-3 * (1 / 298.15 - 1 / 333.15))),
    ):
        puller.reset()
        model.set_temperature(temperature)
        # 50 MPa alone would bond less than is bonded: nothing grows, and nothing falls.
        press(puller, 50.0, 2)
        assert share(model) == pytest.approx(START, rel=1e-12)
        press(puller, 300.0, 4)
        target = 1.0 - np.exp(-300.0 / HARDNESS)
        held = target - (target - START) * np.exp(-4.0 / (TIME * slowness))
        assert share(model) == pytest.approx(held, rel=1e-4)
        press(puller, 1.0, 2)
        assert share(model) == pytest.approx(held, rel=1e-4)


@pytest.mark.parallel
@pytest.mark.parametrize("mode", ["opening", "shear"])
def test_pressed_adhesion_exceeds_unpressed_by_the_stated_gain(mode: str) -> None:
    """+44 % of the reference electrode, in strength and in work of separation, of one interface pulled apart."""
    model = bonding()
    puller = Puller(model)
    peak, work = {}, {}
    for name in ("unpressed", "pressed"):
        puller.reset()
        press(puller, PRESSED if name == "pressed" else 1.0, 30)
        puller.to(0.0)
        steps = np.concatenate([np.linspace(0.0, ONSET, 3)[1:], np.linspace(ONSET, 1.02 * FINAL, 41)[1:]])
        before = puller.work
        tractions = puller.along([(x, 0.0) if mode == "opening" else (1e-9, x) for x in steps])
        peak[name], work[name] = float(np.max(tractions)), puller.work - before
        assert puller.debonded == pytest.approx(1.0, rel=1e-6)
        assert puller.dissipated == pytest.approx(work[name], rel=2e-3)
    held = 1.0 - np.exp(-PRESSED / HARDNESS)
    held -= (held - START) * np.exp(-30.0 / TIME)
    assert peak["unpressed"] == pytest.approx(START * STRENGTH, rel=1e-3)
    assert work["unpressed"] == pytest.approx(START * ENERGY, rel=2e-3)
    assert peak["pressed"] / peak["unpressed"] == pytest.approx(held / START, rel=1e-3)
    assert work["pressed"] / work["unpressed"] == pytest.approx(held / START, rel=1e-3)
    assert held / START == pytest.approx(1.44, rel=5e-3)


@pytest.mark.parallel
@pytest.mark.parametrize("swapped", [False, True])
def test_a_broken_bond_forms_anew_where_the_sides_are(swapped: bool) -> None:
    given = {"bonding_hardness": HARDNESS, "bonding_time": TIME}
    model = pair(MPI.COMM_WORLD, law(STRENGTH, ENERGY, **given), swapped=swapped)
    puller = Puller(model)
    # Slid apart, far below the distance at which contact by search takes over.
    away = 0.04
    puller.along([(1e-4, 1.0e-3), *leg((1e-4, 1e-3), (1e-4, away), 20)])
    assert puller.debonded == pytest.approx(1.0, abs=1e-9)
    press(puller, PRESSED, 40, away)
    held = 1.0 - np.exp(-PRESSED / HARDNESS)
    held *= 1.0 - np.exp(-40.0 / TIME)
    assert share(model) == pytest.approx(held, rel=1e-5)
    assert abs(puller.tractions[-1][1]) < 1e-6 * STRENGTH
    # From here it answers as a new bond does, to either side.
    for way in (1.0, -1.0):
        snapshot = model.state.snapshot()
        first = puller.to(0.0, away + way * ONSET)
        assert first[1] == pytest.approx(way * held * STRENGTH, rel=2e-3)
        begin = puller.dissipated
        puller.along(leg((0.0, away + way * ONSET), (0.0, away + way * 1.02 * FINAL), 40))
        assert puller.dissipated - begin == pytest.approx(held * ENERGY, rel=5e-3)
        model.state.restore(snapshot)


@pytest.mark.parallel
def test_traction_stays_while_a_damaged_bond_grows_and_energy_falls() -> None:
    model = bonding(initial_bond=0.9)
    puller = Puller(model)
    half = 0.5 * FINAL
    puller.along(leg((0.0, 0.0), (0.0, half), 30))
    assert 0.4 < puller.debonded < 0.6
    puller.to(-PRESSED / CONTACT, half)
    before, stored, spent = puller.tractions[-1][1], puller.stored, puller.dissipated
    assert before == pytest.approx(0.9 * STRENGTH * (FINAL - half) / (FINAL - ONSET), rel=1e-3)
    press(puller, PRESSED, 30, half)
    assert puller.tractions[-1][1] == pytest.approx(before, rel=1e-4)
    assert puller.debonded < 0.03
    assert puller.stored < stored and puller.dissipated > spent
    assert puller.stored + puller.dissipated == pytest.approx(stored + spent, rel=1e-9)


def test_without_a_hardness_nothing_is_there() -> None:
    plain, idle = (
        pair(MPI.COMM_WORLD, law(STRENGTH, ENERGY, **given)) for given in ({}, {"initial_bond": 0.5})
    )
    for model in (plain, idle):
        assert model.bonds is None and not model.state.bonding and not model.state.memory
    infinite = pair(MPI.COMM_WORLD, law(STRENGTH, ENERGY, bonding_hardness=float("inf")))
    assert infinite.bonds is None


@pytest.mark.parametrize(
    ("others", "key"),
    [
        ({"initial_bond": 0.0}, "initial_bond"),
        ({"initial_bond": 1.1}, "initial_bond"),
        ({"bonding_time": 0.0}, "bonding_time"),
        ({"bonding_hardness": -1.0}, "bonding_hardness"),
        ({"fatigue_accumulation_length": 1.0}, "bonding_hardness"),
        ({"shear_fracture_energy": 0.5}, "bonding_hardness"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(others: dict[str, float], key: str) -> None:
    with pytest.raises(ParameterError, match=key):
        bonding(**others)


@pytest.mark.parallel
def test_bonds_are_rolled_back_and_kept_in_checkpoints_bit_for_bit() -> None:
    model = bonding()
    puller = Puller(model)
    press(puller, 300.0, 2, 0.01)
    snapshot, keeper = model.state.snapshot(), StateKeeper(model)
    saved = keeper.capture()
    press(puller, PRESSED, 2, -0.01)
    assert share(model) > 1.01 * START
    changed = {n: f.x.array.copy() for n, f in model.state.bonding.items()}
    for bring_back in (lambda: model.state.restore(snapshot), lambda: keeper.restore(saved)):
        for name, values in changed.items():
            model.state.bonding[name].x.array[:] = values
        bring_back()
        for name, field in model.state.bonding.items():
            assert np.array_equal(field.x.array, snapshot.arrays[field.name]), name


def test_the_tangent_knows_the_rest_slip() -> None:
    model = bonding(initial_bond=0.5)
    puller = Puller(model)
    puller.along([(1e-4, 1.0e-3), *leg((1e-4, 1e-3), (1e-4, 0.04), 10)])
    press(puller, PRESSED, 5, 0.04)
    assert abs(share(model, "rest_slip_x")) > 1e-3
    model.prepare_step(1.0)
    unknowns = model.state.unknowns.x.array
    random = np.random.default_rng(5)
    unknowns[:] += 2e-5 * random.standard_normal(len(unknowns))
    direction = random.standard_normal(len(unknowns))
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    left, right = matrix.createVecs()
    left.array[:] = direction
    matrix.mult(left, right)
    here, step = unknowns.copy(), 1e-9
    values = []
    for sign in (1.0, -1.0):
        unknowns[:] = here + sign * step * direction
        values.append(residual(model))
    difference = (values[0] - values[1]) / (2.0 * step)
    assert np.max(np.abs(difference - right.array_r)) < 1e-6 * np.max(np.abs(difference))
