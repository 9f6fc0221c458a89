"""Leads a model through a plan, step by step: begins each, lands on what ends it, and keeps its results block.

Everything the way depends on is either in the model's state and controls or in ``memory``: a run that is resumed in
the middle of a step goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fem.errors import RunStopped
from fem.events import Watch
from fem.measurements.undisturbed import undisturbed
from fem.model import ElectrodeModel
from fem.observables import Observer, Row
from fem.stepping import Stepper, StepReport
from run.course import News
from run.folder import LOG
from run.process import entering, registry
from run.process.amounts import C_M2, Amounts
from run.process.chronicle import COLUMNS, Chronicle
from run.process.controls import Controls
from run.process.cycling import CyclingTable
from run.process.jump_parts import Parts
from run.process.jumping import Jumper
from run.process.landing import Aim, Situation, aim
from run.process.measurements import measured
from run.process.plan import Planned
from run.process.setting import NOTES, Setting
from run.process.steps import Heat, Hold, Measure, Pass, Rest, lithiates
from run.process.subject import Subject
from run.quantities import Current


class ProcessRunner:
    """A run along a plan (a :class:`run.course.Course`); methods are collective.

    Args:
        model: The coupled model, in the state the process starts from.
        setting: The plan and what belongs to it.
        stepper: Takes the time steps.
        observer: Of the run.
        area: Of the electrode in µm² (µm in 2D).
        pause: Called between the time steps of measurements; may raise Interrupted, which leaves the run where it was
            before the measurement.
    """

    def __init__(
        self,
        model: ElectrodeModel,
        setting: Setting,
        stepper: Stepper,
        observer: Observer,
        area: float,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._model, self._setting, self._stepper, self._observer = model, setting, stepper, observer
        self._plan, self._pause = setting.plan, pause
        self._amounts = Amounts(model, area, setting.connected_share, setting.active_mg_cm2)
        self._chronicle = Chronicle(model, self._amounts, self._plan.full_cell)
        self._controls = Controls(model)
        self.columns = {name: unit for name, unit in COLUMNS.items() if name not in observer.columns}
        self._jumper: Jumper | None = None
        if self._plan.jumps:
            table = setting.case.file.cycling or CyclingTable()
            self._jumper = Jumper(Parts(model, observer, self._chronicle, self._controls), self._plan, table)
        self._capacity = self._amounts.capacity() * C_M2
        self._nominal = [
            entering.nominal_time(planned.step, self._capacity, self._density) for planned in self._plan.steps
        ]
        self._index, self._begun = 0, False
        self._reached: str | None = None
        self._watch: dict[str, Any] | None = None
        self._leap: int | None = None
        self._fresh: list[int] = []

    @property
    def host_capacity(self) -> float:
        """Areal capacity of the hosts of the model in mAh/cm²."""
        return self._capacity / C_M2

    def start(self, row: Row) -> None:
        """Add the columns of a process to the row of the initial state."""
        self._chronicle.note(row, 0, 0)

    def remaining(self, next_dt: float) -> float | None:
        """Longest next time step in s, or None at the end; ends and begins steps of the process, and measures.

        Args:
            next_dt: What the step controller would like to take in a step that has begun already.

        Raises:
            Interrupted: The run has to leave; the measurement that was on its way begins anew next time.
        """
        while self._index < len(self._plan.steps):
            if not self._begun:
                next_dt = self._begin()
            if self._reached is None:
                longest = self._longest(next_dt)
                if longest is not None:
                    return longest
            self._end()
        return None

    def advance(self, limit: float) -> StepReport:
        """Take one time step of at most ``limit`` seconds that overshoots no end of the present step.

        Raises:
            RunStopped: Steps of the smallest size fail.
        """
        try:
            report = self._advance(limit)
        except RunStopped as stop:
            if self._jumper is None or not self._jumper.provisional:
                raise
            # Where a jump has led nothing may converge: without it the way goes on.
            self._index, self._leap, self._begun = self._jumper.take_back(str(stop)), None, False
            longest = self.remaining(self._stepper.next_dt)
            if longest is None:
                raise
            return self.advance(longest)
        if self._jumper is not None:
            self._jumper.counts(report)
        return report

    def _advance(self, limit: float) -> StepReport:
        aims = self._aims()
        watch = Watch(self._stepper, [item.cut_off for item in aims])
        if self._watch is not None and len(self._watch["far"]) == len(aims):
            watch.recall(self._watch)
        step = self._planned.step
        self._stepper.driven_at(step.current.rate(self.host_capacity) if isinstance(step, Pass) else None)
        landing = watch.advance(limit)
        self._watch = watch.memory()
        if landing.reached is not None:
            self._reached, self._leap = aims[landing.reached].reason, self._planned.leap
        return landing.report

    def step_accepted(self, row: Row, iterations: int) -> None:
        """Take note of an accepted time step."""
        self._chronicle.note(row, self._planned.number, self._planned.cycle)
        self._chronicle.count(iterations)

    def fraction(self) -> float:
        """How much is done, by the times the steps take if nothing cuts them short."""
        total = sum(self._nominal)
        if self._index >= len(self._nominal) or total <= 0.0:
            return 1.0
        done = sum(self._nominal[: self._index])
        if self._begun:
            done += min(self._elapsed(), self._nominal[self._index])
        return min(1.0, done / total)

    def news(self) -> News:
        """Jumps over cycles that were kept or taken back since this was last asked."""
        return News() if self._jumper is None else self._jumper.news()

    def ending(self) -> str:
        """All steps are done."""
        return "the end was reached"

    def take_closed(self) -> list[Planned]:
        """The steps that have ended since this was last asked."""
        fresh, self._fresh = self._fresh, []
        return [self._plan.steps[number - 1] for number in fresh]

    def memory(self) -> dict[str, Any]:
        """What its way depends on besides the model's state, as JSON can hold it."""
        return {
            "index": self._index,
            "begun": self._begun,
            "reached": self._reached,
            "watch": self._watch,
            "leap": self._leap,
            "fresh": self._fresh,
            "chronicle": self._chronicle.memory(),
            "controls": self._controls.memory(),
            "jumper": None if self._jumper is None else self._jumper.memory(),
        }

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the runner would have whose ``memory`` this is."""
        self._index, self._begun = int(numbers["index"]), bool(numbers["begun"])
        self._reached, self._watch = numbers["reached"], numbers["watch"]
        self._leap, self._fresh = numbers["leap"], list(numbers["fresh"])
        self._chronicle.recall(numbers["chronicle"])
        self._controls.recall(numbers["controls"])
        if self._jumper is not None:
            self._jumper.recall(numbers["jumper"])

    def headline(self) -> str:
        """What is done, in a few words."""
        return f"{len(self._plan.steps)} steps, {self._plan.convention}"

    def described(self) -> dict[str, Any]:
        """Convention, steps and cycles for summary.json."""
        running = self._planned if self._begun and self._index < len(self._plan.steps) else None
        told = self._chronicle.described(running)
        if self._jumper is not None:
            told |= self._jumper.described(told["cycles"])
        return {
            "process": {
                "convention": self._plan.convention,
                "steps_planned": len(self._plan.steps),
                "steps_ended": len(self._chronicle.blocks),
                "c_rate_capacity_mAh_cm2": self._setting.capacity_mAh_cm2,
                "host_capacity_mAh_cm2": self.host_capacity,
                "active_mg_cm2": self._setting.active_mg_cm2,
            },
            **told,
        }

    def notes(self) -> tuple[str, ...]:
        """What is simplified, in sentences."""
        return (self._plan.convention, *NOTES, *(() if self._jumper is None else self._jumper.notes()))

    @property
    def _planned(self) -> Planned:
        return self._plan.steps[self._index]

    def _begin(self) -> float:
        """Begin the present step; gives its first time step in s."""
        LOG.info("%s begins at %.6g s", self._planned.title, self._model.state.time)
        if self._jumper is not None:
            self._jumper.begins(self._planned)
        self._chronicle.begin()
        self._chronicle.mark["lead_s"] = 0.0
        self._begun, self._reached, self._watch = True, None, None
        step = self._planned.step
        if isinstance(step, Measure):
            return 0.0
        first, full_cell = self._stepper.settings.first, self._plan.full_cell
        first = entering.enter(step, self._model, self._controls, self._density, full_cell, first)
        self._stepper.begin_anew(first)
        self._chronicle.mark["lead_s"] = self._controls.ramps_for() if isinstance(step, Hold) else 0.0
        return first

    def _longest(self, next_dt: float) -> float | None:
        """Longest next time step of the present step, None where a time has ended it."""
        step, elapsed = self._planned.step, self._elapsed()
        limit = entering.largest_time_step(step)
        for duration, reason in entering.times(step, self._nominal[self._index]):
            left = duration + self._chronicle.mark["lead_s"] - elapsed
            if left <= 1e-9 * duration:
                self._reached = reason
                return None
            # A last step much shorter than the one before it is avoided.
            limit = min(limit, 0.5 * left if next_dt < left < 1.5 * next_dt else left)
        ramp = self._controls.ramps_for()
        ramps = ramp > 1e-12 * self._model.state.time
        return min(limit, ramp if ramps else self._foreseen())

    def _foreseen(self) -> float:
        """Time in s to the nearest end that follows the charge, at the present current."""
        terminal = self._model.terminal
        if terminal is None or terminal.current == 0.0 or not isinstance(self._planned.step, Pass):
            return float("inf")
        missing = [item.missing() for item in self._aims() if item.missing is not None]
        return min(
            (charge / abs(terminal.current) for charge in missing if charge > 0.0), default=float("inf")
        )

    def _aims(self) -> list[Aim]:
        step, terminal = self._planned.step, self._model.terminal
        if terminal is None or not isinstance(step, Pass | Hold):
            return []
        if isinstance(step, Hold) and self._controls.ramps_for() > 1e-12 * self._model.state.time:
            return []  # on the way to the voltage the current need not have risen yet
        inwards = lithiates(step.verb, self._plan.full_cell) if isinstance(step, Pass) else None
        now = Situation(
            terminal=terminal,
            lithiation=self._lithiation,
            density=lambda end: self._density(end.current),
            inwards=inwards,
            falls=inwards is not None and inwards != self._plan.full_cell,
            charge=self._chronicle.mark["terminal_charge"],
            capacity=self._capacity,
            elapsed=self._elapsed(),
            active_mg_cm2=self._setting.active_mg_cm2,
        )
        return [item for item in (aim(end, now) for end in step.ends) if item is not None]

    def _end(self) -> None:
        planned, step = self._planned, self._planned.step
        reason = self._reached or "done at once"
        # Before anything is noted down: it may be interrupted, and is then begun anew.
        result = self._measure(planned, step) if isinstance(step, Measure) else None
        block = self._chronicle.end(planned, reason, with_book=not isinstance(step, Measure | Heat))
        if result is not None:
            block["result"] = result
        LOG.info("%s ended at %.6g s: %s", planned.title, self._model.state.time, reason)
        self._fresh.append(planned.number)
        self._index += 1
        if self._leap is not None and isinstance(step, Rest):
            self._index, self._leap = self._leap - 1, None
        if self._jumper is not None:
            self._index = self._jumper.ends(planned, self._index)
        self._begun, self._reached, self._watch = False, None, None

    def _measure(self, planned: Planned, step: Measure) -> dict[str, Any]:
        model, folder = self._model, self._setting.out / "steps" / f"{planned.number:04d}"
        subject = Subject(self._setting.case, model, self._observer, self._density, folder, self._pause)
        with undisturbed(model):
            # What the process leads must not lead the side calculation.
            model.constraints = [item for item in model.constraints if item is not self._controls.constraint]
            return measured(subject, step.name, step.words, registry.find(step.name))

    def _elapsed(self) -> float:
        return float(self._model.state.time - self._chronicle.mark["start_time_s"])

    def _lithiation(self) -> float:
        held = self._amounts.held()
        return sum(held[name] for name in self._amounts.hosts) * C_M2 / self._capacity

    def _density(self, current: Current) -> float:
        return current.density(self._setting.capacity_mAh_cm2)
