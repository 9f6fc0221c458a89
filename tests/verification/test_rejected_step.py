"""Known answer 16 and gate 12: a rejected step leaves no trace."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from mpi4py import MPI

from fem.errors import RunStopped
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.state import Snapshot
from fem.stepping import Stepper, StepSettings
from tests.quarters import quarters
from tests.small import Array


def electrode(comm: MPI.Intracomm, owner: npt.NDArray[np.int32] | None = None) -> ElectrodeModel:
    """Four quarters of silicon and graphite under an electrolyte strip, lithiated under pressure."""
    model = quarters(comm, owner=owner)
    model.control("pressure").value, model.control("influx").value = 1.0, 3.09 / 96.485
    return model


def advanced(model: ElectrodeModel, solver: NewtonSolver, steps: int = 3) -> Stepper:
    """Take a few good steps, so that there is history to lose."""
    stepper = Stepper(model, solver, StepSettings(first=5.0))
    for _ in range(steps):
        stepper.advance(20.0)
    return stepper


def assert_same(before: Snapshot, after: Snapshot) -> None:
    assert before.arrays.keys() == after.arrays.keys()
    for name, array in before.arrays.items():
        assert array.tobytes() == after.arrays[name].tobytes(), name
    assert before.replicated.keys() == after.replicated.keys()
    for name, array in before.replicated.items():
        assert array.tobytes() == after.replicated[name].tobytes(), name
    assert (before.time, before.steps) == (after.time, after.steps)


def everything(model: ElectrodeModel) -> dict[str, Array]:
    """All arrays of the state's functions, listed or not, so that a forgotten one shows."""
    scratch = {"trial", "next_plastic_inverse"}
    return {
        name: function.x.array.copy()
        for name, function in vars(model.state).items()
        if hasattr(function, "x") and name not in scratch
    }


@pytest.mark.parallel
@pytest.mark.parametrize("trouble", ["absurd step", "nan influx", "no iterations", "refused", "nan pressure"])
def test_a_step_that_fails_for_good_leaves_the_last_good_state(comm: MPI.Intracomm, trouble: str) -> None:
    model = electrode(comm)
    solver = NewtonSolver(model, SolverSettings())
    advanced(model, solver)
    assert model.state.steps == 3 and model.state.time > 0.0
    settings = StepSettings(first=20.0, smallest=10.0)
    refuse = None
    if trouble == "absurd step":
        settings = StepSettings(first=1e9, smallest=5e8, largest=1e10)
    elif trouble == "nan influx":
        model.control("influx").value = np.nan
    elif trouble == "nan pressure":
        model.control("pressure").value = np.nan
    elif trouble == "no iterations":
        solver = NewtonSolver(model, SolverSettings(maximum_iterations=1))
    else:

        def refuse() -> bool:
            return False

    stepper = Stepper(model, solver, settings, refuse)
    before, all_before = model.state.snapshot(), everything(model)
    with pytest.raises(RunStopped):
        stepper.advance(1e10)
    assert_same(before, model.state.snapshot())
    for name, array in everything(model).items():
        assert array.tobytes() == all_before[name].tobytes(), name


@pytest.mark.parallel
def test_a_step_after_a_rejection_is_as_if_there_had_been_none(comm: MPI.Intracomm) -> None:
    model = electrode(comm)
    solver = NewtonSolver(model, SolverSettings())
    advanced(model, solver)
    model.state.stabilisation.x.array[:] = 0.0
    start = model.state.snapshot()
    answers = iter([False, False, True])
    # A retry resists the motion of grains that snapped; without that it is an ordinary step.
    plain = {"stabilisation": 0.0, "resting_stabilisation": 0.0}
    report = Stepper(model, solver, StepSettings(first=20.0, **plain), lambda: next(answers)).advance(20.0)
    assert report.rejected == 2
    retried = model.state.snapshot()
    model.state.restore(start)
    direct = Stepper(model, solver, StepSettings(first=report.dt, **plain)).advance(20.0)
    assert direct.rejected == 0 and direct.dt == report.dt
    for name, array in model.state.snapshot().arrays.items():
        if comm.size == 1:
            assert np.array_equal(array, retried.arrays[name]), name
        else:  # the factorisation on several ranks sums in an order of its own each time
            np.testing.assert_allclose(array, retried.arrays[name], rtol=1e-7, atol=1e-12, err_msg=name)
    assert any(np.any(start.arrays[name] != retried.arrays[name]) for name in start.arrays)


@pytest.mark.parallel
@pytest.mark.parametrize("filling", [0.5, 0.9995])
def test_a_full_grain_is_named_where_a_run_stops(comm: MPI.Intracomm, filling: float) -> None:
    model = electrode(comm)
    storing = model.storing_dofs
    for function in (model.state.unknowns, model.state.previous):
        function.x.array[storing] = filling * model.capacity_of_node[storing]
    model.control("influx").value = float("nan")
    stepper = Stepper(model, NewtonSolver(model, SolverSettings()), StepSettings(first=1.0, smallest=0.5))
    with pytest.raises(RunStopped) as stop:
        stepper.advance(1.0)
    assert ("is full in places (lithiation 0.99950)" in str(stop.value)) == (filling > 0.9)
