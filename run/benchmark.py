"""``swellbound benchmark newton``: what a Newton step costs beside a plain DOLFINx one on the same mesh.

The plain step is a hyperelastic one: neo-Hookean, continuous P2, same mesh, same assembly calls and the same direct
solver; it is measured on the same mesh and on one refined until it has as many dofs. Each is measured in a process of
its own, on 1 and 2 ranks.
Newton iterations per lithiation are read from the run folders given.
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

import meshes
from run.errors import EXIT_FAILURE, EXIT_OK, InputError, ResultsError
from run.launch import on_ranks
from run.machine import machine
from run.results import SUMMARY, read_json

RANKS = (1, 2)
_STEPS = 3
_MARK = "BENCHMARK "
COUPLED, SAME_MESH, SAME_DOFS = "coupled", "plain, same mesh", "plain, as many dofs"


def run_benchmark(folders: Sequence[Path], refine: float) -> int:
    """Measure, and print a markdown table.

    Args:
        folders: Run folders whose Newton iterations are listed.
        refine: Element sizes of the demonstration case are divided by this.

    Raises:
        InputError: A folder holds no run.
    """
    from run.case import load_case
    from run.meshing import mesh_case

    if not 0.25 <= refine <= 8.0:
        raise InputError("--refine", f"= {refine:g} is not allowed: it must be between 0.25 and 8")
    for folder in folders:
        if not (folder / SUMMARY).is_file():
            raise InputError(
                "DIR", f"= {str(folder)!r} is not allowed: it holds no {SUMMARY}; give a run folder"
            )
    file = Path(__file__).parent / "cases" / "demo_bare.toml"
    sizes = load_case(file).recipe
    if sizes is None:
        raise InputError("CASE", f"= {str(file)!r} is not allowed: the benchmark needs a recipe")
    print(f"machine: {machine()}\n", flush=True)
    for line in _lithiations(folders):
        print(line, flush=True)
    measured: dict[tuple[str, int], dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="swellbound-") as scratch:
        mesh, _ = mesh_case(load_case(file, _finer(sizes, refine)), Path(scratch) / "same")
        for ranks in RANKS:
            measured[COUPLED, ranks] = _started("coupled", mesh, ranks)
            measured[SAME_MESH, ranks] = _started("plain", mesh, ranks)
        # A plain step has fewer unknowns on the same mesh, and a direct solver's cost grows faster than their number.
        # Grains limit how coarse a mesh can be, so cells grow with less than the square of the refinement.
        more = (measured[COUPLED, 1]["dofs"] / measured[SAME_MESH, 1]["dofs"]) ** 0.85
        mesh, _ = mesh_case(load_case(file, _finer(sizes, refine * more)), Path(scratch) / "finer")
        for ranks in RANKS:
            measured[SAME_DOFS, ranks] = _started("plain", mesh, ranks)
    print("\n".join(_table(measured)))
    return EXIT_OK


def _finer(recipe: meshes.Recipe, refine: float) -> list[str]:
    """Settings that divide the element sizes of a recipe."""
    sizes = recipe.resolution
    return [
        f"mesh.resolution.element_size_um={sizes.element_size_um / refine!r}",
        f"mesh.resolution.interface_element_size_um={sizes.interface_element_size_um / refine!r}",
    ]


def _started(problem: str, mesh: Path, ranks: int) -> dict[str, float]:
    """Measure in processes of their own.

    Raises:
        ResultsError: They failed.
    """
    done = on_ranks(ranks, "run.benchmark", ["--measure", problem, "--mesh", str(mesh)], capture=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not found:
        raise ResultsError(f"the {problem} step failed on {ranks} ranks:\n{done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(found[0].removeprefix(_MARK))
    return measured


def _lithiations(folders: Sequence[Path]) -> list[str]:
    if not folders:
        return []
    lines = [
        "| lithiation | to x | dofs | ranks | Newton iterations (wasted) | steps (rejected) | time | peak memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for folder in folders:
        s = read_json(folder / SUMMARY)
        lines.append(
            f"| {s['case']} | {s['mean_lithiation']['hosts']:.3f} | {s['dofs']} | {s['ranks']} | "
            f"{s['newton_iterations']} ({s['newton_iterations_wasted']}) | "
            f"{s['steps_accepted']} ({s['steps_rejected']}) | {s['wall_time_s']:.0f} s | "
            f"{s['peak_memory_mib']:.0f} MiB |"
        )
    return [*lines, ""]


def _table(measured: dict[tuple[str, int], dict[str, float]]) -> list[str]:
    lines = [
        "| Newton iteration | ranks | cells | dofs | assembly | solve | sum per dof | coupled is | peak memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for problem in (COUPLED, SAME_MESH, SAME_DOFS):
        for ranks in RANKS:
            m = measured[problem, ranks]
            ratio = _per_dof(measured[COUPLED, ranks]) / _per_dof(m)
            lines.append(
                f"| {problem} | {ranks} | {m['cells']:.0f} | {m['dofs']:.0f} | {1e3 * m['assembly_s']:.0f} ms | "
                f"{1e3 * m['solve_s']:.0f} ms | {1e6 * _per_dof(m):.1f} us | {ratio:.2f} x | "
                f"{m['memory_mib']:.0f} MiB |"
            )
    return lines


def _per_dof(m: dict[str, float]) -> float:
    return (m["assembly_s"] + m["solve_s"]) / m["dofs"]


# ---------------------------------------------------------------------- inside the measured process


def _measure_coupled(mesh: Path) -> dict[str, float]:
    """Our Newton iterations over the first steps of the demonstration case; the very first step warms up."""
    from mpi4py import MPI

    from fem import domain as domains
    from fem.solver import NewtonSolver, Timing
    from fem.stepping import Stepper
    from run import drive, meshing
    from run.build import build_model, solver_settings, step_settings
    from run.case import load_case

    case = load_case(Path(__file__).parent / "cases" / "demo_bare.toml")
    table = case.file.drive
    domain = domains.read(mesh, MPI.COMM_WORLD)
    model = build_model(case, domain)
    density = table.current.density(meshing.host_capacity(meshing.read_sidecar(mesh)))
    solver = NewtonSolver(model, solver_settings(case))
    stepper = Stepper(model, solver, step_settings(case))
    way = drive.Drive(model, table, density, stepper)
    for number in range(_STEPS + 1):
        stepper.advance(way.remaining(stepper.next_dt) or 1.0)
        if number == 0:
            solver.timing = Timing()
    timing, space = solver.timing, model.state.space.dofmap
    return {
        "dofs": float(space.index_map.size_global * space.index_map_bs),
        "cells": float(domain.mesh.topology.index_map(domain.dimension).size_global),
        "assembly_s": (timing.residual_seconds + timing.jacobian_seconds) / timing.iterations,
        "solve_s": timing.solve_seconds / timing.iterations,
    }


def _measure_plain(mesh: Path) -> dict[str, float]:
    """Newton iterations of a stretched neo-Hookean block on the same mesh, as a textbook writes them."""
    import numpy as np
    import ufl
    from dolfinx import fem as dfem
    from mpi4py import MPI
    from petsc4py import PETSc

    from fem import compat
    from fem import domain as domains

    domain = domains.read(mesh, MPI.COMM_WORLD)
    space = dfem.functionspace(domain.mesh, ("Lagrange", 2, (domain.dimension,)))
    u, v = dfem.Function(space), ufl.TestFunction(space)
    deformation = ufl.Identity(domain.dimension) + ufl.grad(u)
    ratio = ufl.det(deformation)
    shear, bulk = dfem.Constant(domain.mesh, 6.0e3), dfem.Constant(domain.mesh, 1.0e4)
    energy = (
        0.5 * shear * (ufl.inner(deformation, deformation) - 2.0 - 2.0 * ufl.ln(ratio))
        + 0.5 * bulk * (ratio - 1.0) ** 2
    )
    dx = ufl.Measure("dx", domain=domain.mesh, metadata={"quadrature_degree": 2})
    residual = ufl.derivative(energy * dx, u, v)
    options = compat.jit_options()
    residual_form = dfem.form(residual, jit_options=options)
    jacobian_form = dfem.form(ufl.derivative(residual, u), jit_options=options)
    matrix, assembled = compat.create_matrix(jacobian_form), dfem.Function(space)
    size, block = space.dofmap.index_map.size_local, space.dofmap.index_map_bs
    fixed, values = [], []
    for name, value in (("bottom", 0.0), ("top", 0.02 * domain.box["thickness"])):
        nodes = dfem.locate_dofs_topological(space, domain.dimension - 1, domain.boundary_facets(name))
        nodes = nodes[nodes < size]
        for component in range(domain.dimension):
            fixed.append(nodes * block + component)
            values.append(np.full(len(nodes), value if component == domain.dimension - 1 else 0.0))
    dofs, wanted = np.concatenate(fixed).astype(np.int32), np.concatenate(values)
    solver = PETSc.KSP().create(domain.mesh.comm)
    solver.setOperators(matrix)
    solver.setType("preonly")
    solver.getPC().setType("lu")
    solver.getPC().setFactorSolverType("mumps")
    step, right = matrix.createVecs()
    assembly = solve = 0.0
    iterations = 8
    for number in range(iterations + 1):
        if number == 1:  # the first one warms up
            assembly = solve = 0.0
        began = time.perf_counter()
        compat.assemble_vector(assembled, residual_form)
        right.array[:] = assembled.x.array[: size * block]
        right.array[dofs] = u.x.array[dofs] - wanted
        compat.assemble_matrix(matrix, jacobian_form)
        matrix.zeroRowsLocal(dofs, diag=1.0)
        middle = time.perf_counter()
        solver.solve(right, step)
        u.x.array[: size * block] -= step.array_r
        u.x.scatter_forward()
        assembly, solve = assembly + middle - began, solve + time.perf_counter() - middle
    if not np.isfinite(right.norm()) or right.norm() > 1e-6:
        raise RuntimeError(f"the plain Newton iteration did not converge: residual {right.norm():.3g}")
    return {
        "dofs": float(space.dofmap.index_map.size_global * block),
        "cells": float(domain.mesh.topology.index_map(domain.dimension).size_global),
        "assembly_s": assembly / iterations,
        "solve_s": solve / iterations,
    }


def _measured(problem: str, mesh: Path) -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    found: dict[str, Any] = (_measure_coupled if problem == "coupled" else _measure_plain)(mesh)
    found["memory_mib"] = comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    if comm.rank == 0:
        print(_MARK + json.dumps(found), flush=True)


def main() -> int:
    """Command line of ``python3 -m run.benchmark``."""
    parser = argparse.ArgumentParser(prog="python3 -m run.benchmark", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, help="run folders whose Newton iterations are listed"
    )
    parser.add_argument(
        "--refine", type=float, default=1.0, help="element sizes are divided by this (default 1)"
    )
    parser.add_argument("--measure", choices=("coupled", "plain"), help=argparse.SUPPRESS)
    parser.add_argument("--mesh", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measured(given.measure, given.mesh)
        return EXIT_OK
    try:
        return run_benchmark(given.folders, given.refine)
    except (InputError, ResultsError) as error:
        print(f"swellbound: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else EXIT_FAILURE


if __name__ == "__main__":
    sys.exit(main())
