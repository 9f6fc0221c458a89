"""The way to a mean lithiation that lithium metal hurries: the end is met within the tolerance, in few steps.

And what the time steps are told of the current.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from mpi4py import MPI

from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import RESOLVED_AT, Stepper, StepSettings
from fem.units import FARADAY
from run.case_tables import DriveTable
from run.drive import TOLERANCE, Approach, Drive
from tests.cycling import prepared
from tests.fem.bodies import WIDTH, electrode


@pytest.mark.parametrize(
    "course",
    [
        lambda t: t / 36000.0,
        lambda t: t / 36000.0 + 0.2 * (1.0 - math.exp(-t / 9000.0)),
        lambda t: t / 36000.0 + 0.02 * math.sin(t / 2000.0),
    ],
    ids=["steady", "metal that runs out", "wavy"],
)
@pytest.mark.parametrize("step", [60.0, 600.0, 1800.0])
def test_the_end_is_met(course: Callable[[float], float], step: float) -> None:
    time, count, near = 0.0, 0, 0
    way = Approach(0.9, time, course(time), 1.0 / 36000.0)
    while (left := way.remaining()) is not None:
        near += left < step
        time += min(step, left)
        way.accepted(time, course(time))
        count += 1
        assert count < 2000
    assert abs(course(time) - 0.9) <= TOLERANCE
    assert way.fraction() == pytest.approx(1.0, abs=2e-6)
    assert near <= 9


def test_a_step_that_leads_away_does_not_end_the_drive() -> None:
    way = Approach(0.5, 0.0, 0.2, 1e-3)
    way.accepted(10.0, 0.19)
    assert way.remaining() == math.inf


@pytest.mark.parametrize("decomposing", [0.004, 0.0])
def test_a_drive_ends_at_the_lithiation_whatever_side_reactions_take(decomposing: float) -> None:
    model = electrode(MPI.COMM_SELF, decomposing or 1e-9)
    stepper = Stepper(model, NewtonSolver(model, SolverSettings()), StepSettings())
    table = DriveTable.model_validate({"current": "2 A/m^2", "until_mean_lithiation": 0.16})
    drive = Drive(model, table, 2.0, stepper)
    row = {"electrolyte_potential_V": 1.0}
    begun = drive.hosts()
    while (left := drive.remaining(stepper.next_dt)) is not None:
        report = drive.advance(left)
        drive.step_accepted(row, report.iterations)
        assert model.state.time < 1e4
    assert drive.hosts().mean == pytest.approx(0.16, abs=2.0 * TOLERANCE)
    # What came through the face is what the hosts hold more, and what is spent.
    came = model.state.time * 2.0 * drive.area / FARADAY
    spent = came - (drive.hosts().amount - begun.amount)
    assert spent == pytest.approx(decomposing * 3.6e4 * WIDTH / FARADAY, rel=0.02, abs=1e-4 * came)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The rates that steppers are told, in order."""
    rates: list[float | None] = []
    whole = Stepper.driven_at

    def noted(self: Stepper, rate: float | None) -> None:
        rates.append(rate)
        whole(self, rate)

    monkeypatch.setattr(Stepper, "driven_at", noted)
    return rates


def test_a_drive_tells_the_steps_its_rate(told: list[float | None]) -> None:
    model = electrode(MPI.COMM_SELF)
    stepper = Stepper(model, NewtonSolver(model, SolverSettings()), StepSettings())
    for text in ("0.1 C", "0.5 C", "7 A/m^2"):
        table = DriveTable.model_validate({"current": text, "duration": "1 h"})
        drive = Drive(model, table, table.current.density(2.0), stepper)
    # The rate as it was given, to the last bit: nothing changes at the rate that ``time.resolved`` is given for.
    assert told == [RESOLVED_AT, 0.5, pytest.approx(7.0 / (10.0 * drive.capacity_mAh_cm2))]


def test_a_process_tells_the_steps_the_rate_of_each_current(told: list[float | None]) -> None:
    steps = ["discharge at 0.1 C for 4 s", "rest for 4 s", "charge at 2 A/m^2 for 4 s"]
    runner, stepper, observer, row = prepared(MPI.COMM_SELF, [*steps, "hold at 0.8 V for 4 s"], {})
    runner.start(dict(observer.start()))
    rates: dict[int, float | None] = {}
    while (left := runner.remaining(stepper.next_dt)) is not None:
        report = runner.advance(left)
        runner.step_accepted(row, report.iterations)
        rates[int(row["process_step"])] = told[-1]
    assert rates == {1: 0.1, 2: None, 3: pytest.approx(2.0 / (10.0 * runner.host_capacity)), 4: None}
