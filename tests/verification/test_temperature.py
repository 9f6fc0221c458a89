"""A model brought to another temperature between steps is the model made at that temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.errors import ParameterError
from fem.interfaces import contact_fraction
from fem.materials.base import AnandFlow, Conductor, Host, Material, arrhenius
from fem.materials.library import LITHIUM
from fem.solver import NewtonSolver
from tests.cells import ALPHA, SILICON, TIGHT, cell, electrolyte, face, parameter, step, terminal_of, whole
from tests.verification.test_contact_fraction import pair

COLD, WARM = 298.15, 333.15


def warmed(material: Material, energy: float) -> Material:
    """A material whose diffusivity or conductivity has an activation energy."""
    lithium = material.lithium
    if isinstance(lithium, Host):
        return replace(material, lithium=replace(lithium, diffusion_energy=parameter(energy)))
    assert isinstance(lithium, Conductor)
    return replace(material, lithium=replace(lithium, conduction_energy=parameter(energy)))


def history(made: float, run: float) -> list[float]:
    """Voltages of a cell made at one temperature and run at another."""
    laws = {
        "alpha|electrolyte": face(5.0, exchange_energy=45.0),
        "electrolyte|silicon": face(0.5, decomposition_onset=0.8),
        "alpha|silicon": whole(),
    }
    hosts = (warmed(ALPHA, 35.0), SILICON)
    model = cell(MPI.COMM_SELF, laws, hosts, strip=warmed(electrolyte(1e-3), 30.0), temperature=made)
    model.set_temperature(run)
    terminal, solver = terminal_of(model), NewtonSolver(model, TIGHT)
    terminal.control_current(10.0)
    voltages = []
    for dt in (1.0, 50.0):
        step(model, solver, dt)
        voltages.append(terminal.voltage)
    return voltages


def test_the_way_to_a_temperature_does_not_matter() -> None:
    cold = history(COLD, COLD)
    assert history(WARM, COLD) == cold
    assert np.max(np.abs(np.subtract(history(WARM, WARM), cold))) > 0.02


def test_arrhenius() -> None:
    # 35 kJ/mol between 25 and 60 °C: the factor 4.4 of parameters.md.
    assert 1.0 / arrhenius(parameter(35.0), COLD) == pytest.approx(4.4, abs=0.05)
    assert arrhenius(None, COLD) == 1.0 == arrhenius(parameter(35.0), WARM)


def test_creep_and_the_closure_of_voids_follow() -> None:
    model = pair(MPI.COMM_SELF)
    flow, found = LITHIUM.flow, []
    assert isinstance(flow, AnandFlow) and model.flow is not None
    drag = model.state.drag.x.array.copy()
    for temperature in (WARM, COLD):
        model.set_temperature(temperature)
        closure = model.facet_constants.values(model.facet_constants.named[contact_fraction.CLOSURE])
        found.append([model.flow.table.rate.min(), closure[0], closure[-1]])
    expected = flow.rate_at(COLD) / flow.rate_at(WARM)
    np.testing.assert_allclose(np.array(found[1]) / found[0], [expected] * 3, rtol=1e-12)
    assert found[0][0] == pytest.approx(flow.rate_at(WARM))
    # What hardening has made of the metal stays.
    np.testing.assert_array_equal(model.state.drag.x.array, drag)


@pytest.mark.parametrize("temperature", [0.0, -10.0, np.nan])
def test_no_such_temperature(temperature: float) -> None:
    model = pair(MPI.COMM_SELF)
    with pytest.raises(ParameterError, match="temperature"):
        model.set_temperature(temperature)
    assert model.temperature == WARM
