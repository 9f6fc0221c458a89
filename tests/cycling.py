"""A small section of an electrode under cycles: two hosts under electrolyte, with fatigue, flow and a side reaction.

What tests/verification/test_cycling.py checks and docs/cycling.md tabulates. The section is driven by the product's own
process, jumps and all; only the mesh is made in memory instead of from a recipe.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

from mpi4py import MPI

from fem.observables import Observer, Row
from fem.solver import NewtonSolver
from fem.stepping import Stepper, StepSettings
from run.case import check_case
from run.process.runner import ProcessRunner
from run.process.setting import Setting
from tests.cells import TIGHT, WIDTH, cell, face, terminal_of
from tests.small import host, law, overstress

#: What a C rate refers to, in mAh/cm².
CAPACITY = 0.25
CYCLE = ("discharge at 0.5 C until 0.62 V", "charge at 0.5 C until 0.88 V")
# A process needs a case, and a case a recipe; it is not meshed.
_SHIPPED = Path(__file__).resolve().parents[1] / "run" / "cases" / "tiny_100_cycles.toml"


def section(comm: MPI.Intracomm) -> Any:
    """The section: graphite-like and silicon-like hosts side by side, 4 µm wide and 3 µm high."""
    reacts = {"decomposition_charge": 0.02, "decomposition_onset": 0.8, "decomposition_current": 2.0e-3}
    hosts = (
        host("alpha", capacity=31.36, diffusivity=0.24, swelling=0.1),
        host("silicon", capacity=80.0, diffusivity=0.05, swelling=0.3, youngs_modulus=2.0e4,
             flow=overstress(250.0, 500.0, 250.0, 1e-4, 4.0)),
    )  # fmt: skip
    tiring = law(
        60.0,
        3.0,
        stiffness=2e4,
        shear_ratio=0.8,
        fatigue_accumulation_length=4.0,
        fatigue_endurance_ratio=0.1,
    )
    laws = {
        "alpha|electrolyte": face(5.0, **reacts),
        "electrolyte|silicon": face(2.0, **reacts),
        "alpha|silicon": tiring,
    }
    return cell(comm, laws, hosts, start=0.2)


def prepared(
    comm: MPI.Intracomm, steps: list[Any], cycling: dict[str, Any]
) -> tuple[ProcessRunner, Stepper, Observer, Row]:
    """The section at the beginning of a process, and the row that each time step will write."""
    model = section(comm)
    shipped = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))
    table: dict[str, Any] = {"case": shipped["case"], "mesh": shipped["mesh"]}
    table["process"] = {"steps": steps}
    case = check_case(table | ({"cycling": cycling} if cycling else {}), "", (), Path("section"))
    if case.process is None:
        raise AssertionError("the case has a process")
    observer, solver, row = Observer(model), NewtonSolver(model, TIGHT), {}

    def measure() -> bool:
        row.clear()
        row.update(observer.measure())
        return all(math.isfinite(value) for value in row.values())

    stepper = Stepper(model, solver, StepSettings(first=2.0, largest=900.0), measure)
    setting = Setting(case, case.process, 0.05, CAPACITY, None, Path("."))
    return ProcessRunner(model, setting, stepper, observer, WIDTH), stepper, observer, row


def cycled(comm: MPI.Intracomm, head: str, cycling: dict[str, Any]) -> dict[str, Any]:
    """Run cycles of the section; ``head`` says how often, for example ``repeat 25 times``.

    Returns:
        What summary.json says of steps, cycles and jumps, and ``newton_iterations`` of all attempts,
        ``lithium_book_error``, ``state``: the model's.
    """
    runner, stepper, observer, row = prepared(comm, [[head, *CYCLE]], cycling)
    model = stepper.model
    start = dict(observer.start())
    runner.start(start)
    sentences = []
    while (left := runner.remaining(stepper.next_dt)) is not None:
        report = runner.advance(left)
        sentences += runner.news().sentences
        runner.step_accepted(row, report.iterations + report.wasted)
    sentences += runner.news().sentences
    told = runner.described()
    return told | {
        "newton_iterations": stepper.solver.timing.iterations,
        "lithium_book_error": observer.start()["lithium_book_error"],
        "energy_balance_error": observer.start()["energy_balance_error"],
        "charge_C_m2": terminal_of(model).charge,
        "sentences": sentences,
        "flow_strain": float(model.state.accumulated.x.array.max()),
        "fatigue": model.mean_damage(),
    }
