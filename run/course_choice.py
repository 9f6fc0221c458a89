"""Which course a case takes: its [drive] or its [process]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fem.boundary_means import BoundaryMeans
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.stepping import Stepper
from run import meshing
from run.case import Case
from run.course import Course
from run.drive import Drive
from run.errors import InputError
from run.process.runner import ProcessRunner
from run.process.setting import Setting


def make_course(
    case: Case,
    model: ElectrodeModel,
    stepper: Stepper,
    observer: Observer,
    sidecar: dict[str, Any],
    out: Path,
    pause: Callable[[], None],
) -> Course:
    """The course of a case; collective.

    Args:
        case: The checked case.
        model: Its model, in the state to start from.
        stepper: Takes the time steps.
        observer: Of the run.
        sidecar: Of the mesh.
        out: The run folder.
        pause: Called between the time steps of side calculations; may raise Interrupted.

    Raises:
        InputError: A rate of charge on a mesh that states no capacity, or an end that lies before the beginning.
    """
    capacity = meshing.host_capacity(sidecar)
    if case.process is None or case.file.process is None:
        return _drive(case, model, stepper, capacity)
    active = None if case.plan is None else case.plan.active_loading_mg_cm2
    share = case.file.process.connected_share
    setting = Setting(case, case.process, share, capacity, active, out)
    return ProcessRunner(model, setting, stepper, observer, electrode_area(model), pause)


def electrode_area(model: ElectrodeModel) -> float:
    """Area of the electrode seen from above in µm² (its width in µm in 2D); collective."""
    return float(model.comm.allreduce(BoundaryMeans(model, "top").area()["top_area"]))


def _drive(case: Case, model: ElectrodeModel, stepper: Stepper, capacity: float | None) -> Drive:
    table = case.file.drive
    drive = Drive(model, table, table.current.density(capacity), stepper)
    end = table.end_lithiation
    if end is not None and end <= drive.start_lithium.mean:
        raise InputError(
            "drive.until_mean_lithiation",
            f"= {end:g} is not allowed: at start_voltage = {table.start_voltage:g} V the hosts already hold "
            f"{drive.start_lithium.mean:.4f}; it must be above that",
        )
    return drive
