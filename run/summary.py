"""summary.json: what a run came to, how, and with what."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fem import crack_risk
from fem.model import ElectrodeModel
from run import about
from run.build import CountingSolver
from run.case import Case
from run.course import Course
from run.memory import Record
from run.parameter_file import in_one_sentence

BY_DIMENSION = {
    2: "two-dimensional section in plane strain; swelling is Fc = diag(sqrt(Jc), sqrt(Jc), 1): the area ratio is Jc",
    3: "three dimensions: lithium passes between the facets that were neighbours at the start only",
}
NOTES = (
    "interfaces resist departures from the motion of the last step (numerical inertia); what that takes is reported",
    "pores are meshed with a soft filling",
    "diffusivities and conductivities follow the temperature only where an activation energy is given",
    "penetration_max_um and penetration_at_folds_max_um (of facets folded back onto themselves) are the largest over "
    "all accepted steps; everything else is as at the end",
)


@dataclass(frozen=True)
class Ending:
    """How a run ended: exit code, reason, and the wall time of all its sessions in s."""

    exit_code: int
    reason: str
    seconds: float


def simplifications(model: ElectrodeModel) -> list[str]:
    """What a model leaves out or replaces, in sentences."""
    notes = [BY_DIMENSION[model.domain.dimension], *NOTES]
    if model.relaxation_ratio > 0.0:
        notes.append(
            f"damage follows the opening over {model.relaxation_ratio:g} time steps: bonds let go too late"
        )
    if model.kinetics is not None:
        notes.append(
            "charge transfer follows Butler and Volmer with exchange currents that are assumed (docs/cell.md)"
        )
    if model.reactions is not None:
        notes.append(
            "side reactions are irreversible with a largest current, a form of our own (docs/cell.md)"
        )
    return notes


def size(model: ElectrodeModel) -> tuple[int, int]:
    """Cells and unknowns of a model."""
    domain, space = model.domain, model.state.space.dofmap
    cells = domain.mesh.topology.index_map(domain.dimension).size_global
    return int(cells), int(space.index_map.size_global * space.index_map_bs)


def headline(case: Case, model: ElectrodeModel, course: Course, found: bool) -> str:
    """One line on what is run: mesh, unknowns, ranks, course, and what came from a parameter file."""
    ranks = model.comm.size
    cells, dofs = size(model)
    origins = case.file.case.origins
    return (
        f"{case.name}: {cells} cells{' (mesh found)' if found else ''}, {dofs} dofs, "
        f"{ranks} rank{'s' if ranks > 1 else ''}; {course.headline()}"
        f"{f'; {in_one_sentence(origins)}' if origins else ''}"
    )


def describe(
    case: Case, model: ElectrodeModel, solver: CountingSolver, course: Course, record: Record, ending: Ending
) -> dict[str, Any]:
    """The summary of a run; collective, the same on every rank."""
    last = record.rows[-1]
    memory = model.comm.allgather(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    timing, iterations = solver.timing, solver.timing.iterations
    cells, dofs = size(model)
    table = case.file
    return {
        "case": case.name,
        "description": table.case.description,
        "end_reason": ending.reason,
        "exit_code": ending.exit_code,
        "thickness_um": last["thickness_um"],
        "thickness_start_um": record.rows[0]["thickness_um"],
        "thickening_percent": last["thickening_percent"],
        "thickening_parts_um": {
            part: last[f"thickening_{part}_um"]
            for part in ("solids", "interface_void", "pores", "lithium_removed")
        },
        "mean_lithiation": {"hosts": last["mean_lithiation"], **_ending(last, "mean_lithiation_")},
        "debonded_fraction": {"all": last["debonded_fraction"], **_ending(last, "debonded_fraction_")},
        "crack_risk": {
            material.phase: {number: last[f"{number}_{material.phase}"] for number in crack_risk.NUMBERS}
            for material in model.materials
            if material.fracture is not None
        },
        "contact_fraction": _ending(last, "contact_fraction_"),
        "damaged_fraction": {"all": last["damaged_fraction"], **_ending(last, "damaged_fraction_")},
        "penetration_max_um": max(row["penetration_max_um"] for row in record.rows),
        "penetration_at_folds_max_um": max(row["penetration_at_folds_um"] for row in record.rows),
        "lithium_book_error": last["lithium_book_error"],
        "energy_balance_error": last["energy_balance_error"],
        "unresolved_share": last["unresolved_share"],
        "contact_turning_share": last["contact_turning_share"],
        "dissipation_pJ_um": {
            name.removesuffix("_dissipation_pJ_um"): value
            for name, value in last.items()
            if name.endswith("_dissipation_pJ_um")
        },
        "charge_mAh_cm2": last["charge_mAh_cm2"],
        "time_s": last["time_s"],
        "newton_iterations": iterations,
        "newton_iterations_wasted": iterations - record.useful,
        "steps_accepted": record.accepted,
        "steps_rejected": solver.solves - record.accepted,
        "cells": cells,
        "dofs": dofs,
        "ranks": model.comm.size,
        "wall_time_s": ending.seconds,
        "peak_memory_mib": sum(memory),
        "peak_memory_mib_largest_rank": max(memory),
        **course.described(),
        "solver": {
            **table.solver.model_dump(mode="json"),
            "method": "PETSc SNES newtonls, direct solver MUMPS",
            "tangents": timing.tangents,
            "residuals": timing.residuals,
            "residual_seconds": timing.residual_seconds,
            "jacobian_seconds": timing.jacobian_seconds,
            "solve_seconds": timing.solve_seconds,
        },
        "mesh_hash": model.domain.mesh_hash,
        "case_hash": case.content_hash,
        "settings": list(case.settings),
        "parameters_from_file": dict(table.case.origins or {}),
        "version": about.version(),
        "commit": about.commit(),
        "versions": about.versions(),
        "notes": [*simplifications(model), *course.notes()],
    }


def _ending(row: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
