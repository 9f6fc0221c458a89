"""``swellbound benchmark solvers``: the iterative linear solver in three dimensions beside the direct one.

Blocks of the shipped case ``demo_solid`` grow at the same size of grains and elements. Each is measured in a process of
its own, on 1 and 2 ranks: the first Newton iterations of its first step. Times are of the processor, so that other work
on the machine counts little; ranks that wait for each other count as working. How a larger machine would share the work
is counted in run/partition_figures.py.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from run.errors import EXIT_FAILURE, EXIT_OK, InputError, ResultsError
from run.launch import on_ranks
from run.machine import machine
from run.results import write_json

CASE = Path(__file__).parent / "cases" / "demo_solid.toml"
DEFAULT_OUT = Path("results") / "benchmark" / "solvers.json"
DEFAULT_SIZES = (3.0e4, 1.0e5)
#: Unknowns up to which the direct solver is measured as well.
DEFAULT_DIRECT = 4.0e4
#: Unknowns and side in µm of the shipped block.
_SHIPPED, _SIDE = 29_205.0, 10.0
#: Young's moduli in MPa of the pores' filling that is measured with, on the smallest block; graphite has some 10^4.
_FILLINGS = (0.1, 10.0)
#: Newton iterations that are measured.
_ITERATIONS = 3
_RANKS = (1, 2)
_PARTS = (1, 2, 4, 8, 16, 32, 64)
_MARK = "BENCHMARK "


def run_solvers(sizes: Sequence[float], direct_up_to: float, out: Path) -> int:
    """Measure, write the figures and print them as markdown.

    Args:
        sizes: Unknowns of the blocks, about.
        direct_up_to: Unknowns up to which the direct solver is measured as well.
        out: JSON file for the figures.

    Raises:
        InputError: A size is not allowed.
        ResultsError: A measurement failed.
    """
    for size in sizes:
        if not 2.0e4 <= size <= 1.0e7:
            raise InputError("--unknowns", f"= {size:g} is not allowed: it must be between 2e4 and 1e7")
    if not direct_up_to >= 0.0:
        raise InputError("--direct-up-to", f"= {direct_up_to:g} is not allowed: it must be 0 or more")
    if out.suffix != ".json":
        raise InputError("--out", f"= {str(out)!r} is not allowed: it must end in .json")
    found: dict[str, Any] = {"machine": machine(), "solvers": [], "fillings": [], "parts": []}
    print(f"machine: {found['machine']}\n\n{TABLE_HEADER}", flush=True)

    def measure(key: str, side: float, linear: str, ranks: int, *settings: str) -> None:
        row = _started(side, linear, ranks, settings)
        found[key].append(row)
        print(table_row(row), flush=True)
        write_json(out, found)

    out.parent.mkdir(parents=True, exist_ok=True)
    sides = [_SIDE * (size / _SHIPPED) ** (1.0 / 3.0) for size in sorted(sizes)]
    found["parts"] = _parts(sides[-1])
    for size, side in zip(sorted(sizes), sides, strict=True):
        for ranks in _RANKS:
            measure("solvers", side, "iterative", ranks)
        if size <= direct_up_to:
            measure("solvers", side, "direct", 1)
    for modulus in _FILLINGS:
        measure("fillings", sides[0], "iterative", 1, f"materials.pore.youngs_modulus={modulus} MPa")
    for part in found["parts"]:
        print(part)
    print(f"\n{out}")
    return EXIT_OK


TABLE_HEADER = (
    "| solver | ranks | unknowns | grains | Krylov iterations: mean, most | tangent, µs/unknown | set-up, µs/unknown | "
    "solve, µs/unknown | memory, kB/unknown |\n|---|---|---|---|---|---|---|---|---|"
)


def table_row(m: dict[str, Any]) -> str:
    """A line of the table of one measurement."""
    per = 1.0e6 / m["unknowns"]
    iterative = m["linear"] == "iterative"
    krylov = f"{m['krylov_mean']:.1f}, {m['krylov_most']:.0f}" if iterative else "–"
    setup = f"{per * m['setup_s']:.0f}" if iterative else "in solve"
    return (
        f"| {m['linear']} | {m['ranks']} | {m['unknowns']:.0f} | {m['grains']:.0f} | {krylov} | "
        f"{per * m['tangent_s']:.0f} | {setup} | {per * m['solve_s']:.0f} | "
        f"{m['memory_mib'] * 1024.0 / m['unknowns']:.1f} |"
    )


def _settings(side: float, settings: Sequence[str]) -> list[str]:
    sizes = [f"mesh.{axis}_um={side:.2f}" for axis in ("width", "depth", "thickness")]
    return [*sizes, "mesh.resolution.max_cells=5000000", *settings]


def _started(side: float, linear: str, ranks: int, settings: Sequence[str]) -> dict[str, Any]:
    """Measure in processes of their own.

    Raises:
        ResultsError: They failed.
    """
    from run.case import load_case
    from run.meshing import mesh_case

    given = _settings(side, settings)
    with tempfile.TemporaryDirectory(prefix="swellbound-") as scratch:
        mesh, _ = mesh_case(load_case(CASE, given), Path(scratch))
        arguments = ["--measure", linear, "--mesh", str(mesh)]
        arguments += [word for setting in given for word in ("--set", setting)]
        done = on_ranks(ranks, "run.benchmark_solvers", arguments, capture=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not lines:
        raise ResultsError(f"the {linear} solver failed on {ranks} ranks:\n{done.stderr[-2000:]}")
    measured: dict[str, Any] = json.loads(lines[0].removeprefix(_MARK))
    return measured


def _parts(side: float) -> list[dict[str, float]]:
    """How the largest block would be shared."""
    from mpi4py import MPI

    from fem import domain as domains
    from run.case import load_case
    from run.meshing import mesh_case, silence_reader
    from run.partition_figures import shared

    with tempfile.TemporaryDirectory(prefix="swellbound-") as scratch:
        mesh, _ = mesh_case(load_case(CASE, _settings(side, ())), Path(scratch))
        silence_reader()
        domain = domains.read(mesh, MPI.COMM_SELF)
        return [shared(domain, parts) for parts in _PARTS]


# ---------------------------------------------------------------------- inside the measured process


def _measured(mesh: Path, linear: str, settings: Sequence[str]) -> None:
    from dataclasses import replace

    import numpy as np
    from mpi4py import MPI

    from fem import domain as domains
    from fem.solver import NewtonSolver, Timing
    from fem.stepping import Stepper
    from run import drive, meshing
    from run.build import build_model, solver_settings, step_settings
    from run.case import load_case

    comm, case = MPI.COMM_WORLD, load_case(CASE, settings)
    meshing.silence_reader()
    domain = domains.read(mesh, comm)
    model = build_model(case, domain)
    chosen = replace(solver_settings(case), linear=linear, maximum_iterations=_ITERATIONS)
    solver = NewtonSolver(model, chosen)
    stepper = Stepper(model, solver, step_settings(case))
    density = case.file.drive.current.density(meshing.host_capacity(meshing.read_sidecar(mesh)))
    drive.Drive(model, case.file.drive, density, stepper)
    spent = _clock(solver)
    solver.timing = Timing()
    model.prepare_step(1.0)
    began, wall = time.process_time(), time.perf_counter()
    solver.solve()
    total, wall = time.process_time() - began, time.perf_counter() - wall
    times = np.array([total, spent["tangent"], spent["residual"], spent["setup"]])
    comm.Allreduce(MPI.IN_PLACE, times, op=MPI.MAX)
    iterations = solver.timing.iterations
    map_ = model.state.space.dofmap.index_map
    found: dict[str, Any] = {
        "linear": linear,
        "ranks": comm.size,
        "unknowns": map_.size_global,
        "grains": len(domain.grains),
        "newton": iterations,
        "settings": list(settings),
        "tangent_s": times[1] / iterations,
        "setup_s": times[3] / iterations,
        "solve_s": (times[0] - times[1:].sum()) / iterations,
        "wall_s": wall / iterations,
        "memory_mib": comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0),
    }
    if solver.iterative is not None:
        work = solver.iterative.work
        if work.failures:
            raise RuntimeError(f"{work.failures} of {work.solves} linear systems were not solved")
        found |= {
            "krylov_mean": work.iterations / work.solves,
            "krylov_most": work.largest,
            "renewals": work.renewals,
        }
    if comm.rank == 0:
        print(_MARK + json.dumps(found), flush=True)


def _clock(solver: Any) -> dict[str, float]:
    """Counts the processor time in s that goes into tangents, residuals and the iterative solver's set-up."""
    spent = {"tangent": 0.0, "residual": 0.0, "setup": 0.0}

    def timed(name: str, action: Any) -> Any:
        def run(*arguments: Any) -> Any:
            began = time.process_time()
            result = action(*arguments)
            spent[name] += time.process_time() - began
            return result

        return run

    snes = solver.snes
    snes.setFunction(timed("residual", snes.getFunction()[1][0]), snes.getFunction()[0])
    # Under the solver's own name: it hands its tangent to PETSc again whenever contacts need room in the matrix.
    solver._jacobian = timed("tangent", solver._jacobian)
    snes.setJacobian(solver._jacobian, solver.matrix)
    if solver.iterative is not None:
        solver.iterative.setUp = timed("setup", solver.iterative.setUp)
    return spent


def main() -> int:
    """Command line of ``python3 -m run.benchmark_solvers``."""
    parser = argparse.ArgumentParser(prog="python3 -m run.benchmark_solvers", description=__doc__)
    parser.add_argument("--measure", choices=("direct", "iterative"), required=True, help=argparse.SUPPRESS)
    parser.add_argument("--mesh", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--set", action="append", default=[], help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        _measured(given.mesh, given.measure, given.set)
    except (InputError, ResultsError) as error:
        print(f"swellbound: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else EXIT_FAILURE
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
