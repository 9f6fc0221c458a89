"""Side calculations leave no solver behind: a run of hundreds of cycles measures hundreds of times."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from mpi4py import MPI

from fem.adhesion import unload
from fem.errors import Interrupted, RunStopped
from fem.measurements import gitt, rate_capability
from fem.measurements.current import cell_voltage
from fem.measurements.rate_capability import Course
from fem.measurements.undisturbed import undisturbed
from fem.model import ElectrodeModel
from fem.side_solver import side_solver
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import StepSettings
from tests.quarters import quarters
from tests.small import solved_step

SETTINGS = SolverSettings()


def unloaded(model: ElectrodeModel) -> None:
    with undisturbed(model):
        unload(model, SETTINGS)


def pulsed(model: ElectrodeModel) -> None:
    gitt.measure(model, gitt.Pulse(1.0, 1.0, 1.0, 4), SETTINGS)


def discharged(model: ElectrodeModel) -> None:
    course = Course(1.0, cell_voltage(model) - 0.01, True)
    rate_capability.measure(model, [course], StepSettings(largest=5.0), SETTINGS)


@pytest.mark.parallel
@pytest.mark.parametrize("measure", [unloaded, pulsed, discharged])
def test_none_is_left(
    comm: MPI.Intracomm, measure: Callable[[ElectrodeModel], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = quarters(comm)
    model.control("pressure").value = 0.5
    own = NewtonSolver(model, SETTINGS)
    solved_step(model, own, 1.0)
    made: list[weakref.ref[NewtonSolver]] = []
    begin = NewtonSolver.__init__

    def noted(self: NewtonSolver, model: ElectrodeModel, settings: SolverSettings) -> None:
        begin(self, model, settings)
        made.append(weakref.ref(self))

    monkeypatch.setattr(NewtonSolver, "__init__", noted)
    # The garbage collection does not know how much memory stands behind a ring of objects: it comes far too late.
    gc.disable()
    try:
        measure(model)
        left = [solver() is not None for solver in made]
    finally:
        gc.enable()
    assert made and not any(left)
    # The solver of the run is none of theirs.
    solved_step(model, own, 1.0)


@pytest.mark.parametrize(
    ("error", "closed"), [(RunStopped("no"), True), (Interrupted("now"), True), (ValueError("here"), False)]
)
def test_errors_of_all_ranks_close_it_and_those_of_one_do_not_wait(error: Exception, closed: bool) -> None:
    model = quarters(MPI.COMM_SELF)
    with pytest.raises(type(error)), side_solver(model, SETTINGS) as solver:
        raise error
    assert bool(solver.snes) is not closed
