"""What a case amounts to, in a few lines, before anything is meshed: sizes, capacity, drive, and what it may cost."""

from __future__ import annotations

from fem.parameters import Parameter
from run import snapshots
from run.case import Case
from run.parameter_file import in_one_sentence

#: Unknowns per triangle of the shipped meshes: P2 displacement, P1 concentration and potential, split at every grain.
#: The shipped meshes of tetrahedra come to 6.8 a cell.
DOFS_PER_CELL = 6.6
#: Newton iterations for each unit of mean lithiation;
#: measured on the shipped bare cases, and stated with a factor of two either way.
ITERATIONS_PER_LITHIATION = 5000.0
#: Seconds per iteration and dof on one core of a machine of 2026.
SECONDS_PER_DOF = 1.7e-5
BYTES_PER_DOF = 6.0e3
_BASE_MIB = 250.0


def describe(case: Case) -> str:
    """Some lines of text for ``swellbound check``."""
    drive = case.file.drive
    lines = [f"{case.name}: the case file is sound."]
    capacity = None
    if case.plan is not None and case.recipe is not None:
        plan, capacity = case.plan, case.plan.areal_capacity_mAh_cm2
        bodies = ", ".join(f"{count} {phase}" for phase, count in plan.counts.items())
        face = f"{case.recipe.width_um:g}"
        face += "" if case.recipe.depth_um is None else f" x {case.recipe.depth_um:g}"
        lines.append(f"mesh:     {face} x {plan.thickness_um:.2f} um, {bodies}")
        lines.append(
            f"capacity: {capacity:.3f} mAh/cm2 of the hosts"
            + (
                f", {plan.lithium_capacity_mAh_cm2:.3f} mAh/cm2 of lithium powder"
                if plan.counts.get("lithium")
                else ""
            )
        )
    elif case.mesh_file is not None:
        lines.append(f"mesh:     {case.mesh_file.file}")
    elif case.image is not None:
        lines.append(f"mesh:     from the image {case.image.image}")
    end = None if case.process is not None else drive.end_lithiation
    lines += _process(case) if case.process is not None else [_drive(case, capacity)]
    changed = [
        f"{owner}.{name} = {parameter.value:g} {parameter.unit}"
        for owner, name, parameter in user_parameters(case)
    ]
    if changed:
        lines.append(f"changed:  {', '.join(changed)}")
    if case.file.case.origins:
        lines.append(f"taken:    {in_one_sentence(case.file.case.origins)}")
    if case.plan is not None and case.recipe is not None and case.recipe.dimension == 3:
        cells = case.plan.estimated_cells
        lines.append(f"cost:     about {cells} tetrahedra and {cells * DOFS_PER_CELL:,.0f} unknowns (rough)")
    elif case.plan is not None:
        lines.append(f"cost:     {_cost(case.plan.estimated_cells, end)}")
    if case.plan is not None and case.recipe is not None:
        cells, dimension = case.plan.estimated_cells, case.recipe.dimension
        lines.append(f"fields:   {snapshots.in_words(case.file.output, case.process, cells, dimension)}")
    return "\n".join(lines)


def _drive(case: Case, capacity: float | None) -> str:
    drive = case.file.drive
    asked = f"{drive.current.value:g} {drive.current.kind.internal}"
    if capacity is not None or drive.current.kind.internal == "A/m^2":
        density = drive.current.density(capacity)
        asked += "" if asked.endswith("A/m^2") else f" = {density:.4g} A/m^2"
    end = drive.end_lithiation
    ends = [] if end is None else [f"until the hosts' mean lithiation is {end:g}"]
    ends += [] if drive.duration is None else [f"for {drive.duration:g} s"]
    return (
        f"drive:    {asked}, {' or '.join(ends)}; {drive.stack_pressure:g} MPa, {drive.temperature - 273.15:.4g} degC, "
        f"hosts at {drive.start_voltage:g} V in the beginning"
    )


def _process(case: Case) -> list[str]:
    """Convention and steps as they are given, repetitions on one line."""
    plan = case.process
    if plan is None:
        return []
    cycles = max((planned.cycle for planned in plan.steps), default=0)
    lines = [
        f"process:  {len(plan.steps)} steps, {cycles} cycle{'' if cycles == 1 else 's'}; {plan.convention}",
        f"          from {case.temperature - 273.15:.4g} degC, hosts at {case.start_voltage:g} V, no pressure",
    ]
    return lines + [f"{number:>8}. {step.text()}" for number, step in enumerate(plan.given, start=1)]


def user_parameters(case: Case) -> list[tuple[str, str, Parameter]]:
    """Owner, name and value of every parameter the case file changes."""
    from fem.materials.base import parameters_of

    items = [(f"materials.{name}", item) for name, item in case.materials.items()]
    laws = [(f"interfaces.{name}", item) for name, item in case.laws.items()]
    return [
        (owner, name, parameter)
        for owner, item in [*items, *laws]
        for name, parameter in parameters_of(item)
        if parameter.mark == "user"
    ]


def memory_mib(cells: int) -> float:
    """Memory of a run on a mesh of so many triangles in MiB, roughly."""
    return _BASE_MIB + cells * DOFS_PER_CELL * BYTES_PER_DOF / 2**20


def _cost(cells: int, end: float | None) -> str:
    dofs, memory = cells * DOFS_PER_CELL, memory_mib(cells)
    size = f"about {cells} triangles and {dofs:,.0f} unknowns"
    if end is None:
        return f"{size}; {memory:.0f} MiB (rough)"
    count = ITERATIONS_PER_LITHIATION * end
    few, many = 0.5 * count, 2.0 * count
    low, high = (number * dofs * SECONDS_PER_DOF / 60.0 for number in (few, many))
    return (
        f"{size}; {few:.0f} to {many:.0f} Newton iterations, so {low:.0f} to {high:.0f} minutes on one core, "
        f"and {memory:.0f} MiB (rough)"
    )
