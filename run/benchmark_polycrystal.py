"""``swellbound benchmark polycrystal``: the yardstick of interface codes beside a plain elastic solve of its mesh.

The plain solve is what DOLFINx users write first: linear elasticity with continuous P1 displacement on the same mesh,
assembled into PETSc and solved by MUMPS once, symbolic analysis included. Both are measured in one process on the same
ranks, a plain solve after each of the first steps of the other, so that whatever else the machine does slows both;
compiling forms is not counted. How long a solve takes when the analysis is there already is given as well, and the
processor time of both, which depends less on what else runs.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from run import about
from run.errors import EXIT_FAILURE, EXIT_OK, InputError, ResultsError
from run.launch import on_ranks
from run.machine import machine
from run.results import write_json

if TYPE_CHECKING:
    from mpi4py import MPI

FORMAT = "swellbound-benchmark/1"
DEFAULT_OUT = Path("results/benchmark/polycrystal.json")
REFERENCE = {
    "work": 2.8945e-4,
    "force": 1.08107e-2,
    "force_at": 0.016,
    "newton_iterations": 202,
    "seconds": 17.0,
    "plain_solves": 150.0,
    "tolerance": 1.0e-3,
}
"""What is aimed at: the answers of run/data/README.md to a tolerance, and less work than the faster code there."""
_MARK = "BENCHMARK "
_WIDTH = 110
_REPEATS = 30


@dataclass(frozen=True)
class Run:
    """What is measured: on so many ranks, in so many steps to the full stretch."""

    ranks: int
    steps: int


RUNS = (Run(1, 65), Run(2, 65), Run(1, 130))


def run_polycrystal(out: Path, runs: Sequence[Run] = RUNS) -> int:
    """Measure all runs, print a table and write a JSON file.

    Args:
        out: The JSON file.
        runs: What to measure.

    Returns:
        Exit code: a failure where an answer is not that of the table.

    Raises:
        InputError: There is no mpirun.
        ResultsError: A run failed, or the file cannot be written.
    """
    from rich.console import Console

    if out.suffix != ".json":
        raise InputError("--out", f"= {str(out)!r} is not allowed: its name must end in .json")
    found = [_started(run) for run in runs]
    table = {
        "format": FORMAT,
        "benchmark": "polycrystal",
        "machine": machine(),
        "version": about.version(),
        "commit": about.commit(),
        "libraries": about.versions(),
        "reference": REFERENCE,
        "runs": found,
    }
    write_json(out, table)
    Console(width=_WIDTH).print(comparison(table))
    print(f"{table['machine']}; figures in {out}")
    return EXIT_OK if all(run["right"] for run in found) else EXIT_FAILURE


def comparison(table: dict[str, Any]) -> Any:
    """The figures as a table for people, with what is aimed at in the last column."""
    from rich.table import Table

    runs = table["runs"]
    shown = Table(title="The cohesive polycrystal", title_justify="left")
    shown.add_column("")
    for run in runs:
        ranks = "1 rank" if run["ranks"] == 1 else f"{run['ranks']} ranks"
        shown.add_column(f"{ranks}, {run['steps']} steps", justify="right")
    shown.add_column("aim", justify="right")

    def row(name: str, key: str, form: str, aim: str = "") -> None:
        shown.add_row(name, *(format(run[key], form) for run in runs), aim)

    row("work to separation", "work", ".5e", f"{REFERENCE['work']:.4e} ± 0.1 %")
    row(f"force at {REFERENCE['force_at']}", "force", ".5e", f"{REFERENCE['force']:.5e} ± 0.1 %")
    row("Newton iterations", "newton_iterations", "d", f"under {REFERENCE['newton_iterations']} in 65 steps")
    row("unknowns", "dofs", "d")
    row("  of the plain problem", "plain_dofs", "d")
    row("all, s", "seconds", ".2f", f"{REFERENCE['seconds']:.0f} or less in 65 steps")
    row("  of it set-up, s", "setup_s", ".2f")
    row("  residuals, s", "residual_s", ".2f")
    row("  Jacobians, s", "jacobian_s", ".2f")
    row("  linear solves, s", "solve_s", ".2f")
    row("one plain solve, ms", "plain_ms", ".1f")
    row("  with the analysis there, ms", "plain_again_ms", ".1f")
    row("all, in plain solves", "plain_solves", ".0f", f"{REFERENCE['plain_solves']:.0f} or less in 65 steps")
    row("  with the analysis there", "plain_again_solves", ".0f")
    row("  by processor time", "plain_solves_processor", ".0f")
    row("processor time a rank, s", "processor_s", ".2f")
    row("peak memory, MiB", "memory_mib", ".0f")
    return shown


def _started(run: Run) -> dict[str, Any]:
    """Measure one run in processes of its own.

    Raises:
        ResultsError: They failed.
    """
    given = ["--measure", "--steps", str(run.steps)]
    done = on_ranks(run.ranks, "run.benchmark_polycrystal", given, capture=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not found:
        raise ResultsError(f"the polycrystal failed on {run.ranks} ranks:\n{done.stderr[-2000:]}")
    measured: dict[str, Any] = json.loads(found[0].removeprefix(_MARK))
    return measured


# ---------------------------------------------------------------------- inside the measured process


class _Clock:
    """Adds up the time and the processor time of what happens inside its blocks on all ranks at once."""

    def __init__(self, comm: MPI.Intracomm):
        self._comm, self.seconds, self.processor_seconds = comm, 0.0, 0.0

    def __enter__(self) -> None:
        self._comm.Barrier()
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self._comm.Barrier()
        self.seconds += time.perf_counter() - self._began[0]
        self.processor_seconds += time.process_time() - self._began[1]


def measure(steps: int) -> dict[str, Any]:
    """Figures of one run on all ranks of this process; collective.

    Args:
        steps: Equal steps to the full stretch.
    """
    from mpi4py import MPI

    from run.plain_elasticity import PlainElasticity
    from run.polycrystal import Point, Pull, polycrystal, polycrystal_model

    comm = MPI.COMM_WORLD
    domain = polycrystal(comm)
    polycrystal_model(domain)  # compiles what is not compiled yet
    plain = PlainElasticity(domain)
    plain.solve()
    clock = _Clock(comm)
    with clock:
        model = polycrystal_model(polycrystal(comm))
        pull = Pull(model, steps)
    setup = clock.seconds
    points: list[Point] = []
    beside: list[tuple[float, float, float]] = []
    coming = pull.points()
    while len(points) < steps:
        with clock:
            points.append(next(coming))
        if len(beside) < _REPEATS:
            beside.append(plain.solve())
    plain_once, plain_again, plain_processor = (
        sum(times) / len(beside) for times in zip(*beside, strict=True)
    )
    seconds = comm.allreduce(clock.seconds, op=MPI.MAX)
    force = next(p.force for p in points if abs(p.stretch - REFERENCE["force_at"]) < 1e-12)
    work, timing = points[-1].work, pull.solver.timing
    errors = {
        "work_error": work / REFERENCE["work"] - 1.0,
        "force_error": force / REFERENCE["force"] - 1.0,
    }
    return {
        "ranks": comm.size,
        "steps": steps,
        "work": work,
        "force": force,
        **errors,
        "right": max(map(abs, errors.values())) <= REFERENCE["tolerance"],
        "newton_iterations": sum(p.iterations for p in points),
        "dofs": int(model.state.space.dofmap.index_map.size_global),
        "plain_dofs": plain.dofs,
        "seconds": seconds,
        "setup_s": setup,
        "residual_s": timing.residual_seconds,
        "jacobian_s": timing.jacobian_seconds,
        "solve_s": timing.solve_seconds,
        "processor_s": clock.processor_seconds,
        "plain_ms": 1e3 * plain_once,
        "plain_again_ms": 1e3 * plain_again,
        "plain_solves": seconds / plain_once,
        "plain_again_solves": seconds / plain_again,
        "plain_solves_processor": clock.processor_seconds / plain_processor,
        "memory_mib": comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
        "curve": [[p.stretch, p.force, p.work, p.iterations] for p in points],
    }


def main() -> int:
    """Command line of the measured process."""
    from mpi4py import MPI

    parser = argparse.ArgumentParser(prog="python3 -m run.benchmark_polycrystal", description=__doc__)
    parser.add_argument("--measure", action="store_true", required=True)
    parser.add_argument("--steps", type=int, required=True)
    found = measure(parser.parse_args().steps)
    if MPI.COMM_WORLD.rank == 0:
        print(_MARK + json.dumps(found), flush=True)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
