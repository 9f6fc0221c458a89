"""Rate capability: what an electrode takes or gives at several currents, each of them from the same state.

Every course passes its current until the voltage reaches a cut-off, with the time steps of an ordinary run (numerical
inertia bounded by its share of the work); then everything is put back, and the next one begins where this one did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fem.errors import RunStopped
from fem.events import CutOff, Watch
from fem.lithium_book import LithiumBook
from fem.measurements.current import cell_voltage, pass_current
from fem.measurements.integrals import shape, summed
from fem.measurements.undisturbed import undisturbed
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.side_solver import side_solver
from fem.solver import NewtonSolver
from fem.solver_settings import SolverSettings
from fem.stepping import Stepper, StepSettings
from fem.units import CM2_PER_UM2, FARADAY, MAH_PER_PC

# s in an hour, and how far the cut-off may be overshot: in V, or as a share of the time so far.
_HOUR, _TOLERANCE, _SHARE = 3600.0, 1.0e-3, 1.0e-4


@dataclass(frozen=True)
class Course:
    """One current.

    Attributes:
        current: In A/m² of section, positive where it lithiates.
        cut_off: Voltage in V that ends it: of the cell, where there are terminals.
        falling: Whether the voltage comes from above.
    """

    current: float
    cut_off: float
    falling: bool


def measure(
    model: ElectrodeModel,
    courses: Sequence[Course],
    limits: StepSettings | None = None,
    settings: SolverSettings | None = None,
    pause: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Go every course, in side calculations that leave the model as it was; collective.

    Args:
        model: The coupled model.
        courses: One or more.
        limits: Of the time steps.
        settings: Of the solver.
        pause: Called before every time step; may raise :class:`fem.errors.Interrupted`.

    Returns:
        ``rates``: for each course ``current_A_m2``, ``rate_C``, ``charge_mAh_cm2`` (magnitude), ``share_of_first`` of
        the first one's charge, ``duration_s``, ``voltage_V``, ``mean_lithiation``, ``thickness_um``, ``time_steps``,
        ``newton_iterations``, ``reached`` (whether it came to the cut-off) and ``reason``.

    Raises:
        RunStopped: The voltage is past a cut-off as it begins, or none of the courses came to its cut-off.
    """
    found: list[dict[str, Any]] = []
    for course in courses:
        with undisturbed(model), side_solver(model, settings or SolverSettings()) as solver:
            found.append(_gone(model, course, limits or StepSettings(), solver, pause))
        found[-1]["share_of_first"] = (
            found[-1]["charge_mAh_cm2"] / found[0]["charge_mAh_cm2"] if found[0]["charge_mAh_cm2"] else None
        )
    if not any(row["reached"] for row in found):
        raise RunStopped(f"no current came to its cut-off; the first one: {found[0]['reason']}")
    return {"rates": found}


def _gone(
    model: ElectrodeModel,
    course: Course,
    limits: StepSettings,
    solver: NewtonSolver,
    pause: Callable[[], None] | None,
) -> dict[str, Any]:
    """Pass one current until its cut-off, or until it goes no further."""
    observer = Observer(model)
    observer.start()

    def finite() -> bool:
        return bool(np.all(np.isfinite(list(observer.measure().values()))))

    begin = cell_voltage(model)
    if (begin <= course.cut_off) if course.falling else (begin >= course.cut_off):
        raise RunStopped(
            f"the voltage of {begin:.4g} V is past the cut-off of {course.cut_off:.4g} V as it begins"
        )
    pass_current(model, course.current)
    stepper = Stepper(model, solver, limits, finite, observer.resisted_share)
    _, capacity = _hosts(model)
    rate = abs(course.current) / (capacity * FARADAY / shape(model).width)
    stepper.driven_at(rate * _HOUR)
    began, steps, reached, reason = model.state.time, model.state.steps, False, "the cut-off was reached"
    known: dict[str, Any] | None = None
    while not reached:
        if pause is not None:
            pause()
        # How far the cut-off may be overshot grows with the time that has passed: each step has a watch of its own.
        spare = _SHARE * (model.state.time - began)
        cut = CutOff(lambda: cell_voltage(model), course.cut_off, course.falling, _TOLERANCE, spare)
        watch = Watch(stepper, [cut])
        if known is not None:
            watch.recall(known)
        try:
            reached = watch.advance(limits.largest).reached is not None
        except RunStopped as stop:
            reason = str(stop)
            break
        known = watch.memory()
    elapsed = model.state.time - began
    held, capacity = _hosts(model)
    return {
        "current_A_m2": abs(course.current),
        "rate_C": rate * _HOUR,
        "charge_mAh_cm2": abs(course.current) * elapsed * MAH_PER_PC / CM2_PER_UM2,
        "duration_s": elapsed,
        "voltage_V": cell_voltage(model),
        "mean_lithiation": held / capacity,
        "thickness_um": shape(model).thickness,
        "time_steps": model.state.steps - steps,
        "newton_iterations": solver.timing.iterations,
        "reached": reached,
        "reason": reason,
    }


def _hosts(model: ElectrodeModel) -> tuple[float, float]:
    """Lithium that the hosts hold and can hold, in fmol (per µm of depth in 2D); collective."""
    book = LithiumBook(model)
    local = book.sums(model.state.unknowns.x.array) | book.capacities()
    totals = summed(model, local)
    held, capacity = (
        sum(totals[f"{what}_{name}"] for name in book.hosts) for what in ("lithium", "capacity")
    )
    return held, capacity
