"""One session of a run, from mesh to summary: what happens between the start of a process and its end."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mpi4py import MPI

from fem.checkpoint import StateKeeper
from fem.errors import Interrupted, RunStopped
from fem.observables import Observer, Row
from fem.output import FieldWriter
from fem.stepping import Stepper, StepReport
from run import folder, meshing, origin, restart, results, summary
from run.build import CountingSolver, build_model, solver_settings, step_settings
from run.case import Case
from run.course_choice import make_course
from run.errors import EXIT_OK, EXIT_RESUME, EXIT_STOPPED
from run.folder import LOG
from run.interruption import Interruption
from run.memory import Parts, Record, capture, recall
from run.options import RunOptions, RunResult
from run.process.steps import Measure
from run.progress import ProgressLine
from run.progress_files import ProgressFiles
from run.ranks import on_first_rank
from run.snapshots import Snapshots

_WRITE_INTERVAL_S = 2.0


class Session:
    """A run from its mesh to its summary, or the part of it that one process sees.

    Args:
        case: The checked case.
        options: How it is started.
        comm: Ranks.
        began: When, on the monotonic clock, in s.
        interruption: Knows when to leave.
    """

    def __init__(
        self,
        case: Case,
        options: RunOptions,
        comm: MPI.Intracomm,
        began: float,
        interruption: Interruption,
    ) -> None:
        self.case, self.options, self.comm, self.began = case, options, comm, began
        self.interruption = interruption
        self.record = Record()
        self._row: Row = {}

    def run(self, resumed: bool) -> RunResult:
        """Run to the end, or to an interruption; from the newest sound checkpoint if ``resumed``."""
        case, options, comm = self.case, self.options, self.comm
        with ProgressLine(case.name, comm.rank == 0 and not options.quiet) as line:
            line.update(0.0, "meshing")
            mesh_file, found = on_first_rank(comm, self._mesh)
            line.update(0.0, "compiling")
            self._build(mesh_file)
            headline = summary.headline(self.case, self.model, self.course, found)
            LOG.info("%s", headline)
            line.say(headline)
            if not (resumed and self._resume(line)):
                self._start()
            try:
                exit_code, reason = self._steps(line)
            except Interrupted as interrupted:
                exit_code, reason = EXIT_RESUME, str(interrupted)
            return self._finish(exit_code, reason, line)

    @property
    def seconds(self) -> float:
        """Wall time of all sessions so far."""
        return self.record.seconds + time.monotonic() - self.began

    # ------------------------------------------------------------------ before the first step

    def _mesh(self) -> tuple[Path, bool]:
        if self.options.mesh is not None:
            return self.options.mesh, True
        return meshing.mesh_case(self.case, self.options.out / results.MESH)

    def _build(self, mesh_file: Path) -> None:
        case = self.case
        sidecar = on_first_rank(self.comm, lambda: meshing.read_sidecar(mesh_file))
        domain = meshing.read_domain(mesh_file, self.options.out / results.STATE, self.comm)
        self.model = build_model(case, domain)
        if self.options.origin is not None:
            origin.load(self.options.origin, self.model, self.comm)
        self.solver = CountingSolver(self.model, solver_settings(case))
        self.observer = Observer(self.model)
        measures = self._measure, self.observer.resisted_share
        self.stepper = Stepper(self.model, self.solver, step_settings(case), *measures)
        to_course = case, self.model, self.stepper, self.observer, sidecar, self.options.out
        self.course = make_course(*to_course, self._pause)
        columns = {**self.observer.columns, **self.course.columns}
        self._files = ProgressFiles(self.options.out, columns, _WRITE_INTERVAL_S)
        self.writer = FieldWriter(self.model, self.options.out / results.FIELDS)
        self.snapshots = Snapshots(case.file.output, case.process)
        keeper = StateKeeper(self.model)
        self.parts = Parts(keeper, self.stepper, self.solver, self.observer, self.course, self.writer)
        self.identity = {"case": case.content_hash}
        on_first_rank(self.comm, lambda: folder.write_parameters(self.options.out, self.model, case))

    def _start(self) -> None:
        row = dict(self.observer.start())
        row["newton_iterations"] = 0
        self.course.start(row)
        self.record.rows.append(row)
        self._write_frame()
        if self.options.origin is not None:
            self._save()  # from now on the other run is not needed

    def _resume(self, line: ProgressLine) -> bool:
        """Go back to the newest sound checkpoint; False where there is none."""
        wanted = {**self.identity, "mesh": self.parts.keeper.mesh}
        path, refused, checkpoint = restart.newest(self.options.out / results.STATE, wanted, self.comm)
        for sentence in refused:
            LOG.warning("%s", sentence)
            line.say(f"{self.case.name}: {sentence}")
        if path is None:
            said = "there is no sound checkpoint: the run starts from its beginning"
        else:
            self.record = recall(self.parts, checkpoint)
            said = (
                f"goes on after step {self.model.state.steps} at {self.model.state.time:.6g} s ({path.name})"
            )
        LOG.info("%s", said)
        line.say(f"{self.case.name}: {said}")
        return path is not None

    # ------------------------------------------------------------------ the steps

    def _measure(self) -> bool:
        """Measure a converged step before it is committed; False where a value is not finite."""
        self._row = dict(self.observer.measure())
        return all(math.isfinite(value) for value in self._row.values())

    def _steps(self, line: ProgressLine) -> tuple[int, str]:
        self._write_progress("running", force=True)
        every, last = self.case.file.output.checkpoint_every, time.monotonic()
        self.interruption.begin()
        while True:
            reason, due = self.interruption.decide(every, last)
            if reason is not None:
                return EXIT_RESUME, reason
            if due:
                self._save()
                last = time.monotonic()
            left = self.course.remaining(self.stepper.next_dt)
            self._write_sections()
            self._take_note(line)
            if left is None:
                return EXIT_OK, self.course.ending()
            try:
                report = self.course.advance(left)
            except RunStopped as stop:
                LOG.error("%s", stop)
                self._take_note(line)
                return EXIT_STOPPED, str(stop)
            self._take_note(line)
            self._accepted(report, line)
            self.interruption.step_done()

    def _pause(self) -> None:
        """Look, within a measurement, whether the run should leave; collective.

        Raises:
            Interrupted: It should.
        """
        reason, _ = self.interruption.decide(math.inf, time.monotonic())
        if reason is not None:
            raise Interrupted(f"{reason} during a measurement, which is to be begun anew")

    def _take_note(self, line: ProgressLine) -> None:
        """Say what the course has done besides stepping, and forget the steps that it has taken back; collective."""
        news = self.course.news()
        for sentence in news.sentences:
            LOG.info("%s", sentence)
            line.say(f"{self.case.name}: {sentence}")
        if not news.steps:
            return
        record = self.record
        del record.rows[-news.steps :]
        record.accepted -= news.steps
        record.useful -= news.useful
        self.snapshots.go_back(record, self.course.fraction())
        last = record.rows[-1]["time_s"] * (1.0 + 1e-12)
        self.writer.go_on([frame for frame in self.writer.frames if frame[0] <= last])

    def _accepted(self, report: StepReport, line: ProgressLine) -> None:
        self.record.accepted += 1
        self.record.useful += report.iterations
        self._row["newton_iterations"] = report.iterations + report.wasted
        self.course.step_accepted(self._row, report.iterations + report.wasted)
        self.record.rows.append(self._row)
        text = (
            f"x {self._row['mean_lithiation']:.4f}  {self._row['thickening_percent']:+.2f} %  "
            f"step {report.dt:.3g} s  {self.solver.timing.iterations} iterations"
        )
        LOG.info(
            "step %d at %.6g s: %s, %d rejected",
            self.record.accepted,
            self.model.state.time,
            text,
            report.rejected,
        )
        line.update(self.course.fraction(), text)
        self._write_frame()
        self._write_progress("running")

    def _save(self) -> None:
        """Take a checkpoint of the last accepted step; collective."""
        began = time.monotonic()
        record = Record(**{**vars(self.record), "seconds": self.seconds})
        made = capture(self.parts, record, self.identity)

        def write() -> None:
            if made is not None:
                restart.write(self.options.out / results.STATE, made)

        on_first_rank(self.comm, write)
        seconds = time.monotonic() - began
        self.interruption.checkpoint_done(seconds)
        LOG.info("checkpoint after step %d in %.2f s", self.model.state.steps, seconds)

    def _write_frame(self) -> None:
        """Field files at the beginning and where [output] asks for them."""
        if self.snapshots.after_step(self.record, self.course.fraction()):
            self.writer.write(self.model.state.time)

    def _write_sections(self) -> None:
        """The section as it is where a step of a process has just ended, to be drawn later; not for repetitions."""
        for planned in self.course.take_closed():
            if self.snapshots.after_closing(planned):
                self.writer.write(self.model.state.time)
            if planned.again or isinstance(planned.step, Measure) or not self.case.file.output.pictures:
                continue
            arrays = self.writer.section()
            path = self.options.out / results.STEPS / f"{planned.number:04d}.npz"
            on_first_rank(self.comm, partial(results.write_arrays, path, arrays))

    def _write_progress(self, state: str, force: bool = False, **more: Any) -> None:
        """History and status, not more often than every few seconds unless forced; collective."""
        on_first_rank(
            self.comm, lambda: self._files.write(self.record.rows, self._status(state, more), force)
        )

    def _status(self, state: str, more: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "state": state,
            "fraction": self.course.fraction(),
            "time_s": self.model.state.time,
            "steps_accepted": self.record.accepted,
            "newton_iterations": self.solver.timing.iterations,
            "wall_time_s": self.seconds,
            **more,
        }

    # ------------------------------------------------------------------ after the last step

    def _finish(self, exit_code: int, reason: str, line: ProgressLine) -> RunResult:
        out = self.options.out
        line.update(self.course.fraction(), "writing")
        self._save()  # first: whoever interrupts may not wait for long
        if exit_code != EXIT_RESUME and self.case.file.output.fields:
            self.writer.write(self.model.state.time)
        section = None if exit_code == EXIT_RESUME else self.writer.section()
        ending = summary.Ending(exit_code, reason, self.seconds)
        told = summary.describe(self.case, self.model, self.solver, self.course, self.record, ending)
        told["frames"] = len(self.writer.frames)
        told["fields_mib"] = on_first_rank(self.comm, lambda: results.size_mib(out / results.FIELDS))

        def write() -> None:
            results.write_json(out / results.SUMMARY, told)
            if section is not None:
                results.write_arrays(out / results.SECTIONS, section)
            results.write_steps(out, told)
            if exit_code != EXIT_RESUME and self.case.file.output.pictures:
                from run.report import draw_report

                draw_report(out)
            status = self._status(_STATES[exit_code], {"exit_code": exit_code, "reason": reason})
            self._files.write(self.record.rows, status, True)

        on_first_rank(self.comm, write)
        LOG.info("%s; exit code %d", reason, exit_code)
        return RunResult(exit_code, reason, told)


_STATES = {EXIT_OK: "finished", EXIT_STOPPED: "stopped", EXIT_RESUME: "interrupted"}
