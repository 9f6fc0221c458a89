"""What a process is run with, and what is said of every one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from run.case import Case
from run.process.plan import Plan

NOTES = (
    "a grain counts as connected through an interface while the share connected_share of it holds in the section; "
    "open_exchange lets some lithium pass open gaps, so what is called trapped is slowed, not stopped",
    "each thickness is measured under the pressure of its step; 'measure thickness unloaded' takes the pressure away",
    "the cell counts as built when the first current or voltage is applied: before it no electrolyte decomposes",
)


@dataclass(frozen=True)
class Setting:
    """What a process is run with.

    Attributes:
        case: The checked case.
        plan: Its process.
        connected_share: Share of an interface that must hold for a grain to count as connected through it.
        capacity_mAh_cm2: What a C rate refers to, None where the mesh states none.
        active_mg_cm2: Active material per area, None where it is not known.
        out: The run folder.
    """

    case: Case
    plan: Plan
    connected_share: float
    capacity_mAh_cm2: float | None
    active_mg_cm2: float | None
    out: Path
