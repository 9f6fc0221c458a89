"""Materials that ship: voltage curves with proper ends, numbers of parameters.md, and words for what is missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem.coefficients import conductor_mobility, row
from fem.errors import ParameterError
from fem.interfaces.law import kind_name
from fem.interfaces.library import shipped_laws
from fem.interfaces.reactions import REACTION_OPTIONS
from fem.kinetics import conductances
from fem.materials.base import Conductor, Host, Reservoir, parameters_of
from fem.materials.library import MATERIALS
from fem.materials.open_circuit import (
    GraphiteChen,
    LinearCurve,
    OpenCircuitCurve,
    SiliconVerbrugge,
    lithiation_at,
)
from tests.readings import integral
from tests.small import grid, host, law, mesh_of, midpoints, model_on, p, sides

CURVES: list[OpenCircuitCurve] = [
    GraphiteChen(),
    SiliconVerbrugge(),
    SiliconVerbrugge(1.0),
    SiliconVerbrugge(0.0),
]


def volts(curve: OpenCircuitCurve, x: float) -> float:
    return float(curve.voltage(x, exp=np.exp, tanh=np.tanh))


@pytest.mark.parametrize("curve", CURVES, ids=str)
def test_curves_reach_every_voltage(curve: OpenCircuitCurve) -> None:
    # The published fits alone never reach 0 V; the end terms take them beyond any voltage inside (0, 1).
    assert volts(curve, 1e-6) > 50.0 and volts(curve, 1.0 - 1e-6) < -50.0
    for voltage in (1.2, 0.5, 0.1, 0.0, -0.05):
        x = lithiation_at(curve, voltage)
        assert 0.0 < x < 1.0 and volts(curve, x) == pytest.approx(voltage, abs=1e-9)


@pytest.mark.parametrize("curve", [GraphiteChen(), SiliconVerbrugge()], ids=str)
def test_curves_fall(curve: OpenCircuitCurve) -> None:
    x = np.linspace(1e-4, 1.0 - 1e-4, 4000)
    assert np.all(np.diff([volts(curve, value) for value in x]) < 0.0)


def test_the_face_is_graphite_of_the_published_set() -> None:
    # Ecker et al. 2015 in a public parameter set: k 1.11e-10, 53.4 kJ/mol about 23 degC, 31.92 kmol/m3 when full, 1 M.
    at_reference = 96485.0 * 1.11e-10 * np.sqrt(1000.0) * 31920.0 / 2.0
    current = at_reference * np.exp(53.4e3 / 8.314 * (1.0 / 296.15 - 1.0 / 333.15))
    assert at_reference == pytest.approx(5.4, rel=0.01)
    assert REACTION_OPTIONS["exchange_current_density"].value == pytest.approx(current, rel=0.01)
    face = shipped_laws()[kind_name("graphite", "electrolyte")]
    charged = replace(face, exchange_current_density=REACTION_OPTIONS["exchange_current_density"])
    linear, around_equilibrium = conductances([face, charged], 333.15)
    assert linear == pytest.approx(around_equilibrium, rel=0.02)
    assert "Ecker" in face.exchange_resistance.source and face.exchange_resistance.mark == "assumed"


def test_published_values() -> None:
    # Chen et al. 2020: flat at 0.092 V above x = 0.75 (parameters.md); the end terms add -4e-4 V there.
    assert volts(GraphiteChen(), 0.8) == pytest.approx(0.092, abs=1.5e-3)
    # Verbrugge et al. 2016 at s = 0.5, by hand from the powers.
    by_hand = {}
    for share, powers in (
        (1.0, (-96.63, 372.6, -587.6, 489.9, -232.8, 62.99, -9.286, 0.8633)),
        (0.0, (-51.02, 161.3, -205.7, 140.2, -58.76, 16.87, -3.792, 0.9937)),
    ):
        by_hand[share] = sum(power * 0.5 ** (7 - n) for n, power in enumerate(powers))
        assert volts(SiliconVerbrugge(share), 0.5) == pytest.approx(by_hand[share], abs=1e-12)
    assert volts(SiliconVerbrugge(), 0.5) == pytest.approx((by_hand[0.0] + by_hand[1.0]) / 2.0, abs=1e-12)
    assert by_hand[1.0] < by_hand[0.0]  # delithiation lies above


@pytest.mark.parametrize("curve", [*CURVES, LinearCurve(1.0, 0.5)], ids=str)
def test_ufl_and_numpy_agree(curve: OpenCircuitCurve) -> None:
    for x in (0.03, 0.3, 0.62, 0.95):
        assert float(curve.voltage(ufl.as_ufl(x))) == pytest.approx(volts(curve, x), rel=1e-12)


def test_a_voltage_out_of_reach_is_said() -> None:
    with pytest.raises(ValueError, match="does not reach"):
        lithiation_at(LinearCurve(1.0, 0.5), 1.7)
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 1, 1.0, 1.0))
    with pytest.raises(ParameterError, match=r"phases|materials"):
        model_on(mesh, sides(1.0, 1.0), [host("alpha")], phases=["beta"])


def test_numbers_of_the_reference() -> None:
    graphite, silicon, lithium = (MATERIALS[name] for name in ("graphite", "silicon", "lithium"))
    assert isinstance(graphite.lithium, Host) and isinstance(silicon.lithium, Host)
    # Capacities of parameters.md from c_max and density: 372 and 3579 mAh/g.
    for material, density, capacity in ((graphite, 2.26, 372.0), (silicon, 2.33, 3579.0)):
        assert isinstance(material.lithium, Host)
        per_gram = material.lithium.maximum_concentration.value * 96485.33 / 3600.0 / density
        assert per_gram == pytest.approx(capacity, rel=1e-3)
    # 9.0e-6 m³/mol in silicon, 4.2e-6 in graphite; J_c = 3.8 at Li3.75Si.
    assert silicon.swelling is not None and graphite.swelling is not None
    assert silicon.swelling.linear.value / 311.1 == pytest.approx(9.0e-3, rel=1e-3)
    assert graphite.swelling.linear.value / 31.36 == pytest.approx(4.2e-3, rel=5e-3)
    assert 1.0 + silicon.swelling.linear.value == pytest.approx(3.8)
    assert isinstance(lithium.lithium, Reservoir)
    assert 1.0 / lithium.lithium.concentration.value == pytest.approx(13.0e-3, rel=2e-3)


def test_conductor_obeys_ohm() -> None:
    # i = κ dφ/dx and µ = F φ: flux = i/F = κ/F² dµ/dx; 1 S/m and 1 mV/µm are 1000 A/m².
    mobility = conductor_mobility(Conductor(p(1.0)))
    assert mobility * 96.48533212 * 1e-3 == pytest.approx(1000.0 / 96.48533212, rel=1e-9)


def test_every_pair_of_phases_has_a_law_and_every_number_a_source() -> None:
    laws = shipped_laws()
    for pair in combinations_with_replacement(MATERIALS, 2):
        if pair not in {
            ("pore", "pore"),
            ("copper", "copper"),
            ("electrolyte", "electrolyte"),
            ("copper", "electrolyte"),
        }:
            assert kind_name(*pair) in laws, pair
    assert kind_name("b", "a") == kind_name("a", "b") == "a|b"
    for name, item in [*MATERIALS.items(), *laws.items()]:
        found = list(parameters_of(item))
        assert found, name
        for key, parameter in found:
            assert (
                parameter.unit
                and parameter.source
                and np.isfinite(parameter.value) | (key == "exchange_resistance")
            ), (name, key)


def test_rows_of_a_host_and_a_reservoir() -> None:
    material = host(
        youngs_modulus=7.0, modulus_slope=3.0, poisson_ratio=0.2, swelling=(1.0, 2.0, 3.0), capacity=5.0
    )
    assert row(material, 0.4)[:8] == [7.0, 3.0, 0.2, 1.0, 2.0, 3.0, 0.4, 5.0]
    assert row(MATERIALS["lithium"], 1.0)[3] == 1.0  # J_c = x: its volume is what is left of it


def test_what_is_missing_is_named() -> None:
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 2, 1.0, 1.0))
    grain = (midpoints(mesh)[:, 1] > 0.5).astype(np.int32)
    pair = [host("alpha"), host("beta")]

    def build(**changes: object) -> object:
        given = {"grain": grain, "phases": ["alpha", "beta"], "laws": {"alpha|beta": law()}, **changes}
        return model_on(mesh, sides(1.0, 1.0), pair, **given)  # type: ignore[arg-type]

    with pytest.raises(ParameterError, match="gamma"):
        build(phases=["alpha", "gamma"])
    with pytest.raises(ParameterError, match=r"alpha\|beta"):
        build(laws={})
    # Too brittle for its stiffness: the area under the curve would be less than that of its rise.
    with pytest.raises(ParameterError, match=r"interfaces.alpha\|beta.fracture_energy"):
        build(laws={"alpha|beta": replace(law(), fracture_energy=p(9e-4))})


def test_a_start_far_from_equilibrium_is_refused() -> None:
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 1, 1.0, 1.0))
    with pytest.raises(ParameterError, match="start_voltage"):
        model_on(mesh, sides(1.0, 1.0), [host("alpha")], start={})


def test_lithium_goes_where_it_is_told() -> None:
    mesh = mesh_of(MPI.COMM_SELF, *grid(2, 2, 1.0, 1.0))
    model = model_on(mesh, sides(1.0, 1.0), [host("alpha", capacity=12.0)], start={"alpha": 0.25})
    assert integral(model, model.fields.concentration) == pytest.approx(3.0, rel=1e-12)
    # µ = -F U(x) in an unstressed host.
    potential = integral(model, model.fields.chemical_potential)
    assert potential == pytest.approx(-96.48533212 * (1.0 - 0.5 * 0.25), rel=1e-12)
