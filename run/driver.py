"""Runs a case: mesh, model, steps to the end of the drive, and everything that is written on the way."""

from __future__ import annotations

import contextlib
import logging
import math
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from fem import crack_risk
from fem import domain as domains
from fem.errors import RunStopped
from fem.materials.base import parameters_of
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.output import FieldWriter
from fem.solver import NewtonSolver, Outcome, SolverSettings
from fem.stepping import Stepper, StepSettings
from run import about, drive, meshing, results
from run.case import Case
from run.errors import EXIT_OK, EXIT_STOPPED, InputError, ResultsError
from run.progress import ProgressLine
from run.ranks import on_first_rank
from run.toml_text import dumps

_LOG = logging.getLogger("swellbound")
_WRITE_INTERVAL_S = 2.0
NOTES = (
    "two-dimensional section in plane strain; swelling is Fc = diag(sqrt(Jc), sqrt(Jc), 1): the area ratio is Jc",
    "pores are meshed with a soft filling",
    "the current is given; voltage control, cut-offs, side reactions and delithiation are not modelled",
    "diffusivities are those at 60 degC whatever the temperature; only the creep of lithium follows it",
    "the stack pressure acts from the first step on; the pressing before it and its residual stress are not modelled",
    "penetration_max_um is the largest over all accepted steps; everything else is as at the end",
)


@dataclass(frozen=True)
class RunOptions:
    """How a run is started.

    Attributes:
        out: The run folder.
        quiet: Show nothing on the way.
        mesh: A mesh of ours to use instead of making one, or None.
    """

    out: Path
    quiet: bool = False
    mesh: Path | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended: exit code, reason, and the summary (the same on every rank)."""

    exit_code: int
    reason: str
    summary: dict[str, Any]


def run_case(case: Case, options: RunOptions, comm: MPI.Intracomm) -> RunResult:
    """Run a case; collective.

    Raises:
        InputError: The folder, the mesh or the drive is not possible.
        ResultsError: A file cannot be written.
        fem.errors.SwellboundError: The mesh does not fit the model.
    """
    began = time.monotonic()
    on_first_rank(comm, lambda: _begin_folder(case, options))
    handler = _log_to(options.out / results.LOG) if comm.rank == 0 else None
    try:
        return _Run(case, options, comm, began).run()
    except Exception as error:
        _LOG.exception("the run failed")
        if comm.rank == 0:
            # Where the disk is full this cannot be written either; the first error says why.
            with contextlib.suppress(ResultsError):
                results.write_json(options.out / results.STATUS, {"state": "failed", "reason": str(error)})
        raise
    finally:
        if handler is not None:
            _LOG.removeHandler(handler)
            handler.close()


class _CountedSolver(NewtonSolver):
    """Newton solver that counts its solves: those of a step that fails for good are in no report of a step."""

    solves = 0

    def solve(self) -> Outcome:
        """Solve the current step, starting from the model's unknowns."""
        self.solves += 1
        return super().solve()


class _Run:
    """One run from mesh to summary."""

    def __init__(self, case: Case, options: RunOptions, comm: MPI.Intracomm, began: float) -> None:
        self.case, self.options, self.comm, self.began = case, options, comm, began
        self.rows: list[dict[str, float]] = []
        self.accepted = self.useful = 0
        self._row: dict[str, float] = {}
        self._written = 0.0
        self._frame = 0

    def run(self) -> RunResult:
        case, options, comm = self.case, self.options, self.comm
        with ProgressLine(case.name, comm.rank == 0 and not options.quiet) as line:
            line.update(0.0, "meshing")
            mesh_file, found = on_first_rank(comm, self._mesh)
            line.update(0.0, "compiling")
            self._build(mesh_file)
            line.say(self._headline(found))
            exit_code, reason = self._steps(line)
            return self._finish(exit_code, reason, line)

    @property
    def iterations(self) -> int:
        """All Newton iterations so far, those of failed attempts included."""
        return self.solver.timing.iterations

    @property
    def rejected(self) -> int:
        """Attempts that were rolled back so far."""
        return self.solver.solves - self.accepted

    # ------------------------------------------------------------------ before the first step

    def _mesh(self) -> tuple[Path, bool]:
        if self.options.mesh is not None:
            return self.options.mesh, True
        return meshing.mesh_case(self.case, self.options.out / results.MESH)

    def _build(self, mesh_file: Path) -> None:
        case, table = self.case, self.case.file
        self.mesh_file = mesh_file
        self.sidecar = on_first_rank(self.comm, lambda: meshing.read_sidecar(mesh_file))
        self.current_density = table.drive.current.density(meshing.host_capacity(self.sidecar))
        on_first_rank(self.comm, meshing.silence_reader)
        self.domain = domains.read(mesh_file, self.comm)
        self.model = build_model(case, self.domain)
        self.solver = _CountedSolver(self.model, solver_settings(case))
        self.stepper = Stepper(self.model, self.solver, step_settings(case), self._measure)
        self.drive = drive.Drive(self.model, table.drive, self.current_density)
        end = table.drive.end_lithiation
        if end is not None and end <= self.drive.start.mean:
            raise InputError(
                "drive.until_mean_lithiation",
                f"= {end:g} is not allowed: at start_voltage = {table.drive.start_voltage:g} V the hosts already hold "
                f"{self.drive.start.mean:.4f}; it must be above that",
            )
        self.observer = Observer(self.model)
        self.writer = FieldWriter(self.model, self.options.out / results.FIELDS)
        space = self.model.state.space.dofmap
        self.dofs = int(space.index_map.size_global * space.index_map_bs)
        self.cells = int(self.domain.mesh.topology.index_map(self.domain.dimension).size_global)
        on_first_rank(self.comm, self._write_parameters)

    def _write_parameters(self) -> None:
        """Every parameter of the phases and interfaces that occur, with unit, source and mark."""
        items: list[tuple[str, Any]] = [(f"materials.{m.phase}", m) for m in self.model.materials]
        items += [
            (f"interfaces.{kind}", law)
            for kind, law in zip(self.model.interfaces.kinds, self.model.laws, strict=True)
        ]
        lines = ["parameter,value,unit,mark,source"]
        for owner, item in items:
            for name, p in parameters_of(item):
                source = p.source.replace('"', "'")
                lines.append(f'{owner}.{name},{p.value!r},{p.unit},{p.mark},"{source}"')
        results.write_text(self.options.out / results.PARAMETERS, "\n".join(lines) + "\n")

    def _headline(self, found: bool) -> str:
        table = self.case.file.drive
        asked = f"{table.current.value:g} {table.current.kind.internal}"
        shown = f"{self.current_density:.4g} A/m^2"
        current = shown if table.current.kind.internal == "A/m^2" else f"{asked} = {shown}"
        text = (
            f"{self.case.name}: {self.cells} cells{' (mesh found)' if found else ''}, {self.dofs} dofs, "
            f"{self.comm.size} rank{'s' if self.comm.size > 1 else ''}; {current}, "
            f"{table.stack_pressure:g} MPa, {table.temperature:g} K"
        )
        _LOG.info("%s", text)
        return text

    # ------------------------------------------------------------------ the steps

    def _measure(self) -> bool:
        """Measure a converged step before it is committed; False where a value is not finite."""
        self._row = dict(self.observer.measure())
        return all(math.isfinite(value) for value in self._row.values())

    def _steps(self, line: ProgressLine) -> tuple[int, str]:
        row = dict(self.observer.start())
        row["newton_iterations"] = 0
        self.rows.append(row)
        self._write_frame()
        self._write_progress("running", force=True)
        while True:
            left = self.drive.remaining(self.stepper.next_dt)
            if left is None:
                return EXIT_OK, "the end of the drive was reached"
            try:
                report = self.stepper.advance(left)
            except RunStopped as stop:
                _LOG.error("%s", stop)
                return EXIT_STOPPED, str(stop)
            self.drive.step_accepted()
            self.accepted += 1
            self.useful += report.iterations
            self._row["newton_iterations"] = report.iterations + report.wasted
            self.rows.append(self._row)
            text = (
                f"x {self._row['mean_lithiation']:.4f}  {self._row['thickening_percent']:+.2f} %  "
                f"step {report.dt:.3g} s  {self.iterations} iterations"
            )
            _LOG.info(
                "step %d at %.6g s: %s, %d rejected",
                self.accepted,
                self.model.state.time,
                text,
                report.rejected,
            )
            line.update(self.drive.fraction(), text)
            self._write_frame()
            self._write_progress("running")

    def _write_frame(self) -> None:
        """Field files at the beginning and whenever the drive has passed another of its frames."""
        output = self.case.file.output
        due = math.floor(self.drive.fraction() * output.frames + 1e-9) + 1
        if output.fields and due > self._frame:
            self.writer.write(self.model.state.time)
            self._frame = due

    def _write_progress(self, state: str, force: bool = False, **more: Any) -> None:
        """History and status, not more often than every few seconds unless forced; collective."""
        on_first_rank(self.comm, lambda: self._write_history(state, force, more))

    def _write_history(self, state: str, force: bool, more: Mapping[str, Any]) -> None:
        if not force and time.monotonic() - self._written < _WRITE_INTERVAL_S:
            return
        out = self.options.out
        results.write_history(out / results.HISTORY, self.observer.columns, self.rows)
        results.write_json(
            out / results.STATUS,
            {
                "state": state,
                "fraction": self.drive.fraction(),
                "time_s": self.model.state.time,
                "steps_accepted": self.accepted,
                "newton_iterations": self.iterations,
                "wall_time_s": time.monotonic() - self.began,
                **more,
            },
        )
        self._written = time.monotonic()

    # ------------------------------------------------------------------ after the last step

    def _finish(self, exit_code: int, reason: str, line: ProgressLine) -> RunResult:
        out = self.options.out
        line.update(self.drive.fraction(), "writing")
        if exit_code != EXIT_OK:
            self._save_state()
            if self.case.file.output.fields:
                self.writer.write(self.model.state.time)
        section = self.writer.section()
        summary = self._summary(exit_code, reason)

        def write() -> None:
            results.write_json(out / results.SUMMARY, summary)
            if section is not None:
                with results.written_whole(out / results.SECTIONS) as aside:
                    arrays: dict[str, Any] = dict(section)
                    np.savez_compressed(aside, **arrays)
            if self.case.file.output.pictures:
                from run.report import draw_report

                draw_report(out)
            state = "finished" if exit_code == EXIT_OK else "stopped"
            self._write_history(state, True, {"exit_code": exit_code, "reason": reason})

        on_first_rank(self.comm, write)
        _LOG.info("%s; exit code %d", reason, exit_code)
        return RunResult(exit_code, reason, summary)

    def _save_state(self) -> None:
        """The state of the last accepted step, one file a rank: arrays by name, time and number of steps."""
        snapshot = self.model.state.snapshot()
        arrays: dict[str, Any] = dict(snapshot.arrays)
        path = self.options.out / results.STATE / f"rank_{self.comm.rank:04d}_of_{self.comm.size:04d}.npz"
        problem = ""
        try:
            with results.written_whole(path) as aside:
                np.savez_compressed(aside, time=snapshot.time, steps=snapshot.steps, **arrays)
        except ResultsError as error:
            problem = str(error)
        problems = [text for text in self.comm.allgather(problem) if text]
        if problems:
            raise ResultsError(problems[0])

    def _summary(self, exit_code: int, reason: str) -> dict[str, Any]:
        last = self.rows[-1]
        memory = self.comm.allgather(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
        timing = self.solver.timing
        table = self.case.file
        return {
            "case": self.case.name,
            "description": table.case.description,
            "end_reason": reason,
            "exit_code": exit_code,
            "thickness_um": last["thickness_um"],
            "thickness_start_um": self.rows[0]["thickness_um"],
            "thickening_percent": last["thickening_percent"],
            "thickening_parts_um": {
                part: last[f"thickening_{part}_um"]
                for part in ("solids", "interface_void", "pores", "lithium_removed")
            },
            "mean_lithiation": {"hosts": last["mean_lithiation"], **_ending(last, "mean_lithiation_")},
            "debonded_fraction": {"all": last["debonded_fraction"], **_ending(last, "debonded_fraction_")},
            "crack_risk": {
                material.phase: {number: last[f"{number}_{material.phase}"] for number in crack_risk.NUMBERS}
                for material in self.model.materials
                if material.fracture is not None
            },
            "damaged_fraction": {"all": last["damaged_fraction"], **_ending(last, "damaged_fraction_")},
            "penetration_max_um": max(row["penetration_max_um"] for row in self.rows),
            "lithium_book_error": last["lithium_book_error"],
            "energy_balance_error": last["energy_balance_error"],
            "dissipation_pJ_um": {
                name.removesuffix("_dissipation_pJ_um"): value
                for name, value in last.items()
                if name.endswith("_dissipation_pJ_um")
            },
            "charge_mAh_cm2": last["charge_mAh_cm2"],
            "time_s": last["time_s"],
            "newton_iterations": self.iterations,
            "newton_iterations_wasted": self.iterations - self.useful,
            "steps_accepted": self.accepted,
            "steps_rejected": self.rejected,
            "cells": self.cells,
            "dofs": self.dofs,
            "ranks": self.comm.size,
            "wall_time_s": time.monotonic() - self.began,
            "peak_memory_mib": sum(memory),
            "peak_memory_mib_largest_rank": max(memory),
            "drive": {
                "temperature_K": table.drive.temperature,
                "stack_pressure_MPa": table.drive.stack_pressure,
                "current_A_m2": self.current_density,
                "current_as_given": f"{table.drive.current.value:g} {table.drive.current.kind.internal}",
                "host_capacity_mAh_cm2": self.drive.capacity_mAh_cm2,
                "start_mean_lithiation": self.drive.start.mean,
            },
            "solver": {
                **table.solver.model_dump(mode="json"),
                "method": "PETSc SNES newtonls, direct solver MUMPS",
                "residuals": timing.residuals,
                "residual_seconds": timing.residual_seconds,
                "jacobian_seconds": timing.jacobian_seconds,
                "solve_seconds": timing.solve_seconds,
            },
            "mesh_hash": self.domain.mesh_hash,
            "case_hash": self.case.content_hash,
            "settings": list(self.case.settings),
            "version": about.version(),
            "commit": about.commit(),
            "versions": about.versions(),
            "notes": list(NOTES),
        }


def build_model(case: Case, domain: domains.Domain) -> ElectrodeModel:
    """The model of a case on its mesh."""
    table = case.file
    return ElectrodeModel(
        domain,
        case.materials,
        case.laws,
        drive.loads(domain.dimension),
        table.drive.temperature,
        table.drive.start_voltage,
        relaxation_ratio=table.solver.damage_relaxation,
    )


def solver_settings(case: Case) -> SolverSettings:
    """The solver's settings of a case."""
    return SolverSettings(**case.file.solver.model_dump(exclude={"damage_relaxation"}))


def step_settings(case: Case) -> StepSettings:
    """The step controller's settings of a case: the keys are those of StepSettings, ``_step`` left out."""
    table = case.file.time.model_dump()
    return StepSettings(**{key.removesuffix("_step"): value for key, value in table.items()})


def _ending(row: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def _begin_folder(case: Case, options: RunOptions) -> None:
    results.prepare_folder(options.out)
    results.write_text(options.out / results.CASE, case.source)
    settings = "".join(f"# --set {setting}\n" for setting in case.settings)
    results.write_text(options.out / results.RESOLVED, settings + dumps(case.resolved()))


def _log_to(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    return handler
