"""From [process] and [cell] to a checked plan."""

from __future__ import annotations

import meshes
from run.process.checks import Electrode, check
from run.process.cycling import CyclingTable, check_cycling
from run.process.grammar import read_steps
from run.process.known import Known, StartState
from run.process.plan import Plan, make_plan
from run.process.tables import CellTable, ProcessTable


def read_process(
    table: ProcessTable,
    cell: CellTable,
    mesh: meshes.Plan | None,
    start: StartState | None,
    cycling: CyclingTable | None = None,
) -> Plan:
    """Read the steps, write them out, and check each against what the ones before it leave.

    Args:
        table: [process].
        cell: [cell].
        mesh: What the recipe of the mesh amounts to; None for a mesh made elsewhere.
        start: What they start from; None for a new electrode.
        cycling: [cycling], None where the case has none.

    Raises:
        InputError: The first mistake.
    """
    plan = make_plan(read_steps(table.steps), cell.full_cell)
    if mesh is None:
        electrode, metal = Electrode(None, None, None, cell.terminal), True
    else:
        electrode = Electrode(
            mesh.areal_capacity_mAh_cm2, mesh.active_loading_mg_cm2, mesh.thickness_um, cell.terminal
        )
        metal = bool(mesh.counts.get("lithium"))
    known = Known.fresh(table.start_voltage, metal, cell.full_cell)
    check(plan, known if start is None else Known.later(start, cell.full_cell), electrode)
    check_cycling(plan, cycling)
    return plan
