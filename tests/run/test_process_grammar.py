"""The words of process steps: what they are read as, that they are written back to the same, cycles and leaps."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from run import units
from run.process.ends import ForTime, UntilCharge, UntilCurrent, UntilLithiation, UntilVoltage
from run.process.grammar import read_steps
from run.process.plan import make_plan
from run.process.steps import Heat, Hold, Measure, Pass, Press, Pulse, Repeat, Rest, lithiates, written
from run.quantities import Current
from run.toml_text import dumps

TENTH = Current(0.1, units.C_RATE)
CELLS = [
    ("press to 550 MPa at 60 degC in 10 s", Press(True, 550.0, 10.0, 333.15)),
    ("press to 0.5 GPa", Press(True, 500.0, 10.0)),
    ("release to 0.1 MPa", Press(False, 0.1, 10.0)),
    ("release to 1 bar in 2 min", Press(False, 0.1, 120.0)),
    ("rest for 10 h", Rest(36000.0)),
    ("rest   for 10 hours at 25 degC", Rest(36000.0, 298.15)),
    ("discharge at 0.1 C until 5 mV", Pass("discharge", TENTH, (UntilVoltage(0.005),))),
    ("charge at 0.1C until 1.5V", Pass("charge", TENTH, (UntilVoltage(1.5),))),
    (
        "lithiate at C/10 until 5 mV or for 12 h",
        Pass("lithiate", TENTH, (UntilVoltage(0.005), ForTime(43200.0))),
    ),
    (
        "delithiate at 3 A/m^2 at 60 degC until lithiation 0.2",
        Pass("delithiate", Current(3.0, units.CURRENT_DENSITY), (UntilLithiation(0.2),), 333.15),
    ),
    (
        "discharge at 0.1 C until 1 mAh/cm2 or 5 mV",
        Pass("discharge", TENTH, (UntilCharge(1.0, units.AREAL_CAPACITY), UntilVoltage(0.005))),
    ),
    (
        "discharge at 0.1 C until 300 mAh/g",
        Pass("discharge", TENTH, (UntilCharge(300.0, units.SPECIFIC_CAPACITY),)),
    ),
    ("hold at 5 mV until 0.01 C", Hold(0.005, (UntilCurrent(Current(0.01, units.C_RATE)),))),
    (
        "hold at 1.5 V until 0.05 mA/cm^2 or for 30 min",
        Hold(1.5, (UntilCurrent(Current(0.5, units.CURRENT_DENSITY)), ForTime(1800.0))),
    ),
    ("set temperature to 25 degC", Heat(298.15)),
    ("set temperature to 300 K in 10 min", Heat(300.0, 600.0)),
    ("at 60 degC", Heat(333.15)),
    ("measure thickness unloaded", Measure("thickness", ("unloaded",))),
    ("measure adhesion at foil", Measure("adhesion", ("at", "foil"))),
    (
        "pulse at 0.1 C for 10 min then rest for 1 h, 5 times",
        Pulse("lithiate", TENTH, 600.0, 3600.0, 5),
    ),
    (
        "pulse charge at 0.1 C until 1.5 V or for 10 min then rest for 1 h, 5 times",
        Pulse("charge", TENTH, 600.0, 3600.0, 5, (UntilVoltage(1.5),)),
    ),
    ("repeat 2 times: rest for 1 h; rest for 2 h", Repeat(2, (Rest(3600.0), Rest(7200.0)))),
    (["repeat 2 times", "rest for 1 h", "rest for 2 h"], Repeat(2, (Rest(3600.0), Rest(7200.0)))),
    ({"repeat": 2, "steps": ["rest for 1 h"]}, Repeat(2, (Rest(3600.0),))),
    (
        ["repeat 2 times:", ["repeat 3 times", "rest for 1 h"], "rest for 2 h"],
        Repeat(2, (Repeat(3, (Rest(3600.0),)), Rest(7200.0))),
    ),
]


@pytest.mark.parametrize(("given", "step"), CELLS, ids=[str(given) for given, _ in CELLS])
def test_a_step_is_read_and_written_back(given: Any, step: Any) -> None:
    assert read_steps([given]) == (step,)
    table = tomllib.loads(dumps({"process": {"steps": [written(step)]}}))
    assert read_steps(table["process"]["steps"]) == (step,)


def test_numbers_that_are_not_round_survive() -> None:
    (step,) = read_steps(["discharge at C/3 until 7.123456789 mV or for 1234.56789012345678 s"])
    assert read_steps([written(step)]) == (step,)


@pytest.mark.parametrize(
    ("verb", "half", "full"),
    [
        ("discharge", True, False),
        ("charge", False, True),
        ("lithiate", True, True),
        ("delithiate", False, False),
    ],
)
def test_which_way_lithium_goes(verb: str, half: bool, full: bool) -> None:
    assert (lithiates(verb, False), lithiates(verb, True)) == (half, full)


def test_the_plan_writes_out_and_counts_cycles() -> None:
    plan = make_plan(
        read_steps(
            [
                "rest for 1 h",
                [
                    "repeat 2 times",
                    "discharge at 0.1 C until 5 mV",
                    "hold at 5 mV until 0.01 C",
                    "charge at 0.1 C until 1.5 V",
                ],
                "measure thickness",
            ]
        ),
        full_cell=False,
    )
    assert [planned.number for planned in plan.steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [planned.place for planned in plan.steps] == ["1", "2.1", "2.2", "2.3", "2.1", "2.2", "2.3", "3"]
    assert [planned.cycle for planned in plan.steps] == [0, 1, 1, 1, 2, 2, 2, 2]
    assert [planned.again for planned in plan.steps[1:7]] == ["1 of 2"] * 3 + ["2 of 2"] * 3
    # In a full cell the first discharge is a delithiation: what follows begins the next cycle.
    full = make_plan(
        read_steps(["charge at 1 C until 4.2 V", "discharge at 1 C until 3 V", "charge at 1 C until 4.2 V"]),
        True,
    )
    assert [planned.cycle for planned in full.steps] == [1, 1, 2]


def test_a_pulse_cut_short_ends_the_pulses_after_its_rest() -> None:
    plan = make_plan(
        read_steps(["pulse at 0.1 C until 5 mV or for 10 min then rest for 1 h, 3 times", "rest for 2 h"]),
        False,
    )
    assert [type(planned.step) for planned in plan.steps] == [Pass, Rest] * 3 + [Rest]
    assert [planned.leap for planned in plan.steps] == [7, None, 7, None, 7, None, None]
    steady = make_plan(read_steps(["pulse at 0.1 C for 10 min then rest for 1 h, 2 times"]), False)
    assert [planned.leap for planned in steady.steps] == [None] * 4
