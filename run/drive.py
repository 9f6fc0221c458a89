"""The drive of a run: what the controls are set to, and how far it is to the end, so that a step lands on it.

The foil is clamped, the sides are on rollers and planes of symmetry (no grain passes them), a constant pressure acts on
top from the first step on, and lithium enters through the electrolyte's outer face at a constant rate.

Where all lithium that comes through that face goes to the hosts, and no other does, the end by mean lithiation is a
point in time, known from the capacity of the hosts in the model, and the last step lands on it exactly. Where lithium
metal gives to the hosts as well, or side reactions take some of it, the rate of the last step is used: as long as
more than ``FAR`` is missing a step covers at most a share of what that rate predicts that forgives a rate rising by
40 %, then one that forgives 10 %, and the last one the whole of it once less than ``FINAL`` is missing. What is then
left is that small distance times the relative change of the rate from one of these short steps to the next, which is
below ``TOLERANCE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem as dfem

from fem.loads import Load, Mirror, Pressure, Support
from fem.materials.base import Host, Reservoir
from fem.model import ElectrodeModel
from fem.observables import Row
from fem.stepping import Stepper, StepReport
from fem.units import FARADAY
from run.case_tables import DriveTable
from run.course import News
from run.folder import LOG
from run.process.plan import Planned

#: Largest distance from the mean lithiation asked for at which the drive has ended.
TOLERANCE = 1.0e-6
#: Distances at which the way to the end goes over from one share of the predicted remaining time to the next.
FAR, FINAL = 5.0e-3, 1.0e-4
_SHARES = (0.7, 0.9, 1.0)
_SIDE_REACTIONS = "side reactions take part of the charge: more passes than the hosts take up"


def loads(dimension: int, top: Load) -> list[Load]:
    """Supports and loads of every run, for 2 or 3 space dimensions, with what lithium passes through on top."""
    held: list[Load] = [Support("bottom", component) for component in range(dimension)]
    sides = [("left", 0), ("right", 0), ("front", 1), ("back", 1)][: 2 * (dimension - 1)]
    held += [Support(*side) for side in sides] + [Mirror(*side) for side in sides]
    return [*held, Pressure("top"), top]


@dataclass(frozen=True)
class HostLithium:
    """Lithium in the hosts.

    Attributes:
        amount: In fmol (per um of depth in 2D).
        capacity: What they hold at most, in the same unit.
    """

    amount: float
    capacity: float

    @property
    def mean(self) -> float:
        """Mean lithiation, weighted by capacity."""
        return self.amount / self.capacity


class Approach:
    """The way to a mean lithiation whose rate is not known beforehand.

    Args:
        aim: Mean lithiation at the end.
        time: At the beginning, in s.
        mean: At the beginning.
        rate: First guess of its rate in 1/s.
    """

    def __init__(self, aim: float, time: float, mean: float, rate: float) -> None:
        self.aim, self._first, self._time, self._mean, self._rate = aim, mean, time, mean, rate

    def accepted(self, time: float, mean: float) -> None:
        """Take note of where a step led."""
        self._rate = (mean - self._mean) / (time - self._time)
        self._time, self._mean = time, mean

    def memory(self) -> dict[str, float]:
        """Where it is, as numbers."""
        return {"first": self._first, "time": self._time, "mean": self._mean, "rate": self._rate}

    def recall(self, numbers: Mapping[str, float]) -> None:
        """Go on as the approach would have whose ``memory`` this is."""
        self._first, self._time = numbers["first"], numbers["time"]
        self._mean, self._rate = numbers["mean"], numbers["rate"]

    def remaining(self) -> float | None:
        """Longest next step in s, infinite where the last one led away from the end; None at the end."""
        missing = self.aim - self._mean
        if missing <= TOLERANCE:
            return None
        if self._rate <= 0.0:
            return np.inf
        share = _SHARES[0 if missing > FAR else 1 if missing > FINAL else 2]
        return missing / self._rate * share

    def fraction(self) -> float:
        """How much of the way is done."""
        return (self._mean - self._first) / (self.aim - self._first)


class Drive:
    """Holds a model's controls and knows when the drive ends (a :class:`run.course.Course`).

    Args:
        model: The coupled model, in its initial state.
        table: The case's [drive].
        current_density: In A/m^2.
        stepper: Takes the time steps.
    """

    def __init__(
        self, model: ElectrodeModel, table: DriveTable, current_density: float, stepper: Stepper
    ) -> None:
        self.model, self.table, self.current_density = model, table, current_density
        self.columns: dict[str, str] = {}
        self._stepper = stepper
        self._begin = model.state.time
        hosts = model.phase_ids(Host)
        maximum = model.coefficients["maximum_concentration"]
        self._amount_forms = [
            dfem.form(model.fields.concentration * model.measures.nodal(i)) for i, _ in hosts
        ]
        self._capacity = self._sum([dfem.form(maximum * model.measures.nodal(i)) for i, _ in hosts])
        top = model.measures.boundary(model.domain.boundary_tags["top"])
        self.area = self._sum([dfem.form(dfem.Constant(model.domain.mesh, 1.0) * top)])
        model.control("pressure").value = table.stack_pressure
        model.control("influx").value = current_density / FARADAY
        stepper.driven_at(table.current.rate(self.capacity_mAh_cm2))
        self.start_lithium = self.hosts()
        rate = current_density / FARADAY * self.area / self._capacity
        # Where hosts take all that comes and nothing else, the mean lithiation asked for is a point in time.
        self._times = [] if table.duration is None else [table.duration]
        self._cut_off = ""
        self._approach: Approach | None = None
        aim = table.end_lithiation
        if aim is not None and (model.phase_ids(Reservoir) or model.reactions is not None):
            self._approach = Approach(aim, model.state.time, self.start_lithium.mean, rate)
        elif aim is not None:
            self._times.append((aim - self.start_lithium.mean) / rate)

    def hosts(self) -> HostLithium:
        """Lithium in the hosts now."""
        return HostLithium(self._sum(self._amount_forms), self._capacity)

    @property
    def capacity_mAh_cm2(self) -> float:
        """Areal capacity of the hosts of the model in mAh/cm2."""
        return self._capacity * FARADAY / self.area / 3.6e4  # pC/um2 = C/m2; 3.6e4 C/m2 are 1 mAh/cm2

    def start(self, row: Row) -> None:
        """A drive has no columns of its own."""

    def advance(self, limit: float) -> StepReport:
        """Take one time step of at most ``limit`` seconds.

        Raises:
            RunStopped: Steps of the smallest size fail.
        """
        return self._stepper.advance(limit)

    def take_closed(self) -> list[Planned]:
        """A drive has no steps."""
        return []

    def news(self) -> News:
        """A drive has no cycles to jump over."""
        return News()

    def ending(self) -> str:
        """That the lithiation is reached, or the voltage."""
        return self._cut_off or "the end was reached"

    def step_accepted(self, row: Row, iterations: int) -> None:
        """Take note of an accepted step: its rate decides about the way to the end, its voltage may be the end."""
        mean = self.hosts().mean
        if self._approach is not None:
            self._approach.accepted(self.model.state.time, mean)
        voltage = row["electrolyte_potential_V"]
        if voltage <= self.table.until_voltage:
            limit = f"drive.until_voltage = {self.table.until_voltage:g} V"
            self._cut_off = (
                f"{limit} was reached ({voltage:.4g} V) at a mean lithiation of {mean:.4f}: "
                "the electrode takes up no more at this current"
            )
            if self.model.comm.rank == 0:
                LOG.warning("%s", self._cut_off)

    def memory(self) -> dict[str, Any]:
        """What its end depends on besides the model's state, as numbers."""
        approach = None if self._approach is None else self._approach.memory()
        return {"begin": self._begin, "times": self._times, "approach": approach, "cut_off": self._cut_off}

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the drive would have whose ``memory`` this is."""
        self._begin, self._times = numbers["begin"], list(numbers["times"])
        self._cut_off = numbers["cut_off"]
        if self._approach is not None:
            self._approach.recall(numbers["approach"])

    def remaining(self, next_dt: float) -> float | None:
        """Longest next step in s, or None at the end.

        Args:
            next_dt: What the step controller would like to take; a last step much shorter than it is avoided.
        """
        longest: float = np.inf
        if self._cut_off:
            return None
        for duration in self._times:
            until = self._begin + duration - self.model.state.time
            if until <= 1e-12 * duration:
                return None
            longest = min(longest, 0.5 * until if next_dt < until < 1.5 * next_dt else until)
        if self._approach is not None:
            left = self._approach.remaining()
            return None if left is None else min(longest, left)
        return longest

    def fraction(self) -> float:
        """How much of the drive is done, 0 to 1."""
        done = [(self.model.state.time - self._begin) / duration for duration in self._times]
        if self._approach is not None:
            done.append(self._approach.fraction())
        return min(1.0, max(0.0, *done, 0.0))

    def headline(self) -> str:
        """What is done, in a few words."""
        table, shown = self.table, f"{self.current_density:.4g} A/m^2"
        asked = f"{table.current.value:g} {table.current.kind.internal}"
        current = shown if table.current.kind.internal == "A/m^2" else f"{asked} = {shown}"
        return f"{current}, {table.stack_pressure:g} MPa, {table.temperature:g} K"

    def described(self) -> dict[str, Any]:
        """The drive for summary.json."""
        table = self.table
        return {
            "drive": {
                "temperature_K": table.temperature,
                "stack_pressure_MPa": table.stack_pressure,
                "current_A_m2": self.current_density,
                "current_as_given": f"{table.current.value:g} {table.current.kind.internal}",
                "host_capacity_mAh_cm2": self.capacity_mAh_cm2,
                "start_mean_lithiation": self.start_lithium.mean,
                "until_voltage_V": table.until_voltage,
                "ended_by_voltage": bool(self._cut_off),
            }
        }

    def notes(self) -> tuple[str, ...]:
        """What is simplified, in sentences."""
        ended = (self._cut_off,) if self._cut_off else ()
        return (
            *ended,
            "the current is given; voltage control and delithiation belong to [process]",
            *(() if self.model.reactions is None else (_SIDE_REACTIONS,)),
            "the stack pressure acts from the first step on; the pressing before it and its residual stress are not "
            "modelled",
        )

    def _sum(self, forms: list[Any]) -> float:
        return float(self.model.comm.allreduce(sum(dfem.assemble_scalar(form) for form in forms)))
