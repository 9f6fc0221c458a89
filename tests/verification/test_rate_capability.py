"""What a slab takes at several currents: charge lost to the gradient in it, I L² / (3 D) of the current I."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.errors import RunStopped
from fem.measurements import rate_capability
from fem.measurements.current import cell_voltage as voltage
from fem.measurements.rate_capability import Course
from fem.stepping import StepSettings
from fem.units import FARADAY
from tests.cells import TIGHT as TIGHT_CELL
from tests.cells import cell, faces
from tests.small import CURVE, TIGHT, host
from tests.verification.test_cell_tangent import CATHODE
from tests.verification.test_measurements import HEIGHT, HELD, settle, stack

CAPACITY, DIFFUSIVITY, BEGIN, SURFACE = 31.36, 0.07, 0.3, 0.6
CURRENTS = (2.0, 8.0)
_C_M2 = 3.6e4


WHOLE = FARADAY * CAPACITY * HEIGHT


def charge(current: float, fall: float) -> float:
    """Charge in C/m² until the voltage at the face has fallen so far, long after the current was switched on."""
    return WHOLE * fall / CURVE.slope - current * HEIGHT**2 / (3.0 * DIFFUSIVITY)


def test_charge_of_a_slab_at_several_currents() -> None:
    model = stack(["graphite"], [host("graphite", diffusivity=DIFFUSIVITY)], 1, 48, loads=HELD, start=BEGIN)
    settle(model)
    before, time = model.state.snapshot(), model.state.time
    at_rest = voltage(model)
    cut_off = at_rest - CURVE.slope * (SURFACE - BEGIN)
    courses = [Course(current, cut_off, True) for current in CURRENTS]
    rows = rate_capability.measure(model, courses, StepSettings(largest=20.0), TIGHT)["rates"]
    assert all(np.array_equal(before.arrays[n], f.x.array) for n, f in model.state.functions().items())
    assert model.state.time == time and model.control("influx").value == 0.0
    for current, row in zip(CURRENTS, rows, strict=True):
        assert row["reached"] and row["reason"] == "the cut-off was reached"
        assert cut_off - 1.01e-3 <= row["voltage_V"] <= cut_off
        passed = charge(current, at_rest - row["voltage_V"])
        assert row["charge_mAh_cm2"] == pytest.approx(passed / _C_M2, rel=2e-3)
        assert row["duration_s"] == pytest.approx(passed / current, rel=2e-3)
        assert row["rate_C"] == pytest.approx(3600.0 * current / WHOLE, rel=1e-9)
        assert row["mean_lithiation"] == pytest.approx(BEGIN + passed / WHOLE, rel=2e-3)
    assert rows[1]["share_of_first"] == rows[1]["charge_mAh_cm2"] / rows[0]["charge_mAh_cm2"] < 0.75

    out = [Course(-2.0, at_rest + CURVE.slope * 0.2, False)]
    row = rate_capability.measure(model, out, StepSettings(largest=20.0), TIGHT)["rates"][0]
    passed = charge(2.0, row["voltage_V"] - at_rest)
    assert row["charge_mAh_cm2"] == pytest.approx(passed / _C_M2, rel=2e-3)
    assert row["mean_lithiation"] == pytest.approx(BEGIN - passed / WHOLE, rel=2e-3)


def test_a_cut_off_that_lies_behind_is_told() -> None:
    model = stack(["graphite"], [host("graphite", diffusivity=DIFFUSIVITY)], 1, 48, loads=HELD, start=BEGIN)
    settle(model)
    with pytest.raises(RunStopped, match="past the cut-off"):
        rate_capability.measure(model, [Course(2.0, voltage(model) + 0.1, True)], None, TIGHT)


def taken(cut_off: float, resistance: float | None) -> dict[str, float]:
    """What a half cell takes at 5 A/m² until its terminals come to a voltage."""
    model = cell(MPI.COMM_SELF, faces(), separator_resistance=resistance, start=0.3)
    course = [Course(5.0, cut_off, True)]
    row: dict[str, float] = rate_capability.measure(model, course, StepSettings(largest=50.0), TIGHT_CELL)[
        "rates"
    ][0]
    return row


def test_a_cut_off_is_that_of_the_terminals() -> None:
    """A resistance R outside takes I R of the voltage: the cut-off comes as early as one that is higher by that."""
    resistance, drop = 0.02, 0.1
    plain, higher, resisted = taken(0.55, None), taken(0.55 + drop, None), taken(0.55, resistance)
    assert resisted["charge_mAh_cm2"] == pytest.approx(higher["charge_mAh_cm2"], rel=2e-3)
    assert resisted["charge_mAh_cm2"] < 0.9 * plain["charge_mAh_cm2"]
    assert resisted["voltage_V"] == pytest.approx(0.55, abs=1.01e-3)


def test_a_full_cell_is_charged_until_its_voltage_has_risen() -> None:
    model = cell(MPI.COMM_SELF, faces(), counter=CATHODE, start=0.3)
    begin = voltage(model)
    course = [Course(5.0, begin + 0.2, False)]
    row = rate_capability.measure(model, course, StepSettings(largest=50.0), TIGHT_CELL)["rates"][0]
    assert row["reached"] and row["charge_mAh_cm2"] > 0.0
    assert begin + 0.2 <= row["voltage_V"] <= begin + 0.2 + 1.01e-3
