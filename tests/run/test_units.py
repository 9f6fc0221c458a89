"""Quantities with units come out in the internal system, and nothing else comes in."""

from __future__ import annotations

import math
import pickle

import pytest
from mpi4py import MPI

from run import units
from run.quantities import Current
from run.units import UnitError, parse, shown


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("550 MPa", units.PRESSURE, 550.0),
        ("0.1 GPa", units.PRESSURE, 100.0),
        ("1 bar", units.PRESSURE, 0.1),
        ("60 degC", units.TEMPERATURE, 333.15),
        ("60 °C", units.TEMPERATURE, 333.15),
        ("300 K", units.TEMPERATURE, 300.0),
        ("10 h", units.TIME, 36000.0),
        ("0.1 C", units.C_RATE, 0.1),
        ("3.09 A/m^2", units.CURRENT_DENSITY, 3.09),
        ("0.309 mA/cm^2", units.CURRENT_DENSITY, 3.09),
        ("3.09 A/m²", units.CURRENT_DENSITY, 3.09),
        ("2.4e-13 m^2/s", units.DIFFUSIVITY, 0.24),
        ("31360 mol/m^3", units.CONCENTRATION, 31.36),
        ("0.31 N/m", units.SURFACE_ENERGY, 0.31),
        ("-5 mV", units.VOLTAGE, -0.005),
        ("10 ohm cm^2", units.EXCHANGE_RESISTANCE, 1e-3 * 96.48533212**2),
        ("5 %", units.NUMBER, 0.05),
        (0.3, units.NUMBER, 0.3),
        ("1e-3MPa", units.PRESSURE, 1e-3),
    ],
)
def test_values_are_converted(text: object, kind: units.Kind, expected: float) -> None:
    assert parse(text, kind)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (5, units.PRESSURE, "bare number"),
        ("5", units.PRESSURE, "unit is missing"),
        ("5 MPaa", units.PRESSURE, "did you mean MPa?"),
        ("5 mpa", units.PRESSURE, "did you mean MPa?"),
        ("5 K", units.PRESSURE, "not one of Pa"),
        ("five MPa", units.PRESSURE, "1 MPa"),
        ("5 5 MPa", units.PRESSURE, "not one of"),
        ("inf MPa", units.PRESSURE, "finite"),
        (math.nan, units.NUMBER, "finite"),
        (True, units.NUMBER, "plain number"),
        ([1], units.TIME, "10 h"),
        ("", units.TIME, "10 h"),
    ],
)
def test_everything_else_is_refused_with_what_is_allowed(value: object, kind: units.Kind, said: str) -> None:
    with pytest.raises(UnitError, match=said.replace("?", r"\?")):
        parse(value, kind)


@pytest.mark.parametrize("kind", units.KINDS, ids=lambda kind: kind.name)
def test_what_is_shown_is_read_back_bit_for_bit(kind: units.Kind) -> None:
    number = 1.0 / 3.0
    assert parse(shown(number, kind), kind)[0] == number


@pytest.mark.parametrize("kind", units.KINDS, ids=lambda kind: kind.name)
def test_the_example_of_a_kind_is_of_that_kind(kind: units.Kind) -> None:
    assert parse(kind.example, kind)[1] is kind


def test_the_first_fitting_kind_is_named() -> None:
    assert parse("0.2 C", units.C_RATE, units.CURRENT_DENSITY)[1] is units.C_RATE
    assert parse("2 A/m^2", units.C_RATE, units.CURRENT_DENSITY)[1] is units.CURRENT_DENSITY


@pytest.mark.parametrize("kind", units.KINDS, ids=lambda kind: kind.name)
def test_a_kind_stays_itself_on_its_way_to_another_rank(kind: units.Kind) -> None:
    assert pickle.loads(pickle.dumps(kind)) is kind


def test_a_current_density_is_none_of_rates_after_a_broadcast() -> None:
    current = MPI.COMM_SELF.bcast(Current(2.0, units.CURRENT_DENSITY))
    assert current.density(3.09) == 2.0
