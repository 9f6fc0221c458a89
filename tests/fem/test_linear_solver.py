"""The iterative linear solver: rigid grains, contrast, failure, forgetting, and which solver is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from ufl.algorithms import extract_coefficients

from fem import compat, linear_solver
from fem.displacement_multigrid import DisplacementMultigrid
from fem.errors import RunStopped, SolverError
from fem.field_blocks import FieldBlocks
from fem.field_preconditioner import FieldPreconditioner
from fem.model import ElectrodeModel
from fem.near_null_space import rigid_motions
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from run.build import CountingSolver
from tests.blocks import block, tangent
from tests.cells import cell, faces, step, terminal_of
from tests.quarters import quarters
from tests.small import solved_step

Vec = linear_solver.PETSc.Vec
ITERATIVE = SolverSettings(linear="iterative")


def driven(model: ElectrodeModel) -> ElectrodeModel:
    """Under pressure and current."""
    model.control("pressure").value, model.control("influx").value = 0.5, 0.01
    return model


def test_motions_of_a_grain_alone_meet_no_resistance() -> None:
    model = block(MPI.COMM_SELF, tie=1.0e-12, contrast=1.0)
    blocks = FieldBlocks(model)
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    stiffness = blocks.cut(matrix)["uu"]
    motions = rigid_motions(blocks.node_position, MPI.COMM_SELF)
    assert motions.shape == (6, len(blocks.node_grain), 3)
    assert np.linalg.matrix_rank(motions.reshape(6, -1)) == 6
    assert sorted(set(blocks.node_grain.tolist())) == list(range(8))
    vector, force = stiffness.createVecs()
    for grain in range(8):
        own = blocks.node_grain == grain
        for motion in motions:
            vector.array[:] = (motion * own[:, None]).ravel()
            stiffness.mult(vector, force)
            assert vector.norm() > 0.1
            assert abs(vector.dot(force)) < 1e-10 * 15e3 * vector.dot(vector)
        stretch = np.where(own, blocks.node_position[:, 0], 0.0)
        vector.array[:] = 0.0
        vector.array[::3] = stretch
        stiffness.mult(vector, force)
        assert vector.dot(force) > 1e-3 * 15e3 * vector.dot(vector)


def test_lithium_that_is_off_is_found_at_once_and_its_balance_is_met() -> None:
    model = driven(block(MPI.COMM_SELF))
    matrix, held = tangent(model)
    fields = FieldPreconditioner(model, held, "lithium_alone_")
    fields.take(matrix)
    lithium = FieldBlocks(model).lithium_dofs
    error, residual = matrix.createVecs()
    found, left = matrix.createVecs()
    rng = np.random.default_rng(1)
    error.array[lithium] = rng.random(len(lithium))
    matrix.mult(error, residual)
    fields.apply(residual, found)
    np.testing.assert_allclose(found.array, error.array, atol=1e-9)
    residual.array[:] = rng.random(len(residual.array))
    residual.array[FieldBlocks(model).node_dofs.ravel()] *= 1.0e6
    residual.array[held] = 0.0
    fields.apply(residual, found)
    matrix.mult(found, left)
    left.aypx(-1.0, residual)
    assert np.max(np.abs(left.array[lithium])) < 1e-6 < np.max(np.abs(left.array))
    fields.forget()


@pytest.mark.parametrize("tie", [2.0e5, 30.0])
@pytest.mark.parametrize("contrast", [1.0, 1000.0])
def test_contrast_and_loose_grains_cost_few_iterations(contrast: float, tie: float) -> None:
    model = driven(block(MPI.COMM_SELF, contrast=contrast, tie=tie, count=4))
    solver = NewtonSolver(model, ITERATIVE)
    solved_step(model, solver, 1.0)
    assert solver.iterative is not None
    work = solver.iterative.work
    assert work.failures == 0 and work.setups == solver.timing.tangents <= work.solves >= 2
    assert 1 < work.largest <= 30


@pytest.mark.parametrize(("tired", "always"), [(1.5, False), (0.0, True)])
def test_coarse_levels_serve_until_they_tire(
    tired: float, always: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_solver, "_TIRED", tired)
    model = driven(block(MPI.COMM_SELF, tie=30.0))
    solver = NewtonSolver(model, ITERATIVE)
    for _ in range(2):
        solved_step(model, solver, 1.0)
    assert solver.iterative is not None
    work = solver.iterative.work
    assert work.failures == 0 and work.setups > 2
    assert work.renewals == (work.setups if always else 1)


def test_coarse_levels_stay_those_of_the_matrix_they_were_made_of() -> None:
    model = driven(block(MPI.COMM_SELF))
    blocks = FieldBlocks(model)
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    stiffness = blocks.cut(matrix)["uu"]
    shifted = stiffness.getDiagonal()
    multigrid = DisplacementMultigrid("kept_")
    force, answers = stiffness.createVecRight(), []
    force.array[:] = np.random.default_rng(1).standard_normal(force.getLocalSize())
    for renew in (True, False, True):
        multigrid.take(stiffness, blocks.node_position, renew)
        correction = force.duplicate()
        multigrid.apply(force, correction)
        answers.append(correction.array.copy())
        stiffness.setDiagonal(1.5 * shifted)
        stiffness.assemble()
    first, kept, renewed = answers
    assert np.linalg.norm(kept - first) > 0.05 * np.linalg.norm(first), "the finest level follows"
    assert np.linalg.norm(renewed - kept) > 0.05 * np.linalg.norm(kept), "the coarse ones only when asked"
    multigrid.forget()


def test_coarse_levels_that_fail_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    model = driven(block(MPI.COMM_SELF, tie=30.0))
    solver = NewtonSolver(model, ITERATIVE)
    solved_step(model, solver, 1.0)
    assert solver.iterative is not None
    work, spoilt = solver.iterative.work, [True]
    cycle, renew = DisplacementMultigrid.apply, FieldPreconditioner.renew

    def apply(
        self: DisplacementMultigrid, residual: linear_solver.PETSc.Vec, correction: linear_solver.PETSc.Vec
    ) -> None:
        cycle(self, residual, correction)
        if spoilt[0]:
            correction.set(0.0)

    def mended(self: FieldPreconditioner) -> None:
        spoilt[0] = False
        renew(self)

    monkeypatch.setattr(DisplacementMultigrid, "apply", apply)
    monkeypatch.setattr(FieldPreconditioner, "renew", mended)
    before = work.renewals
    solved_step(model, solver, 1.0)
    assert work.failures == 0 and work.renewals == before + 1 and not spoilt[0]


def test_what_does_not_converge_is_a_failed_step_that_leaves_no_trace() -> None:
    model = driven(block(MPI.COMM_SELF))
    solver = NewtonSolver(model, replace(ITERATIVE, linear_iterations=2))
    model.prepare_step(1.0)
    outcome = solver.solve()
    assert not outcome.converged and "LINEAR_SOLVE" in outcome.reason
    model.state.restore(driven(block(MPI.COMM_SELF)).state.snapshot())
    stepper = Stepper(model, solver, StepSettings(first=1.0, smallest=0.5))
    before = model.state.snapshot()
    with pytest.raises(RunStopped, match="LINEAR_SOLVE"):
        stepper.advance(1.0)
    after = model.state.snapshot()
    assert all(before.arrays[name].tobytes() == after.arrays[name].tobytes() for name in before.arrays)
    assert (before.time, before.steps) == (after.time, after.steps)


def test_a_terminal_that_cannot_be_solved_for_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    model = cell(MPI.COMM_SELF, faces())
    solver, terminal = NewtonSolver(model, ITERATIVE), terminal_of(model)
    terminal.control_current(25.0)
    assert solver.iterative is not None
    whole = solver.iterative.apply
    calls = iter(range(100))

    def every_other_one(preconditioner: object, right: object, solution: object) -> None:
        whole(preconditioner, right, solution)  # type: ignore[arg-type]
        if next(calls) % 2:
            reasons = linear_solver.PETSc.PC.FailedReason
            preconditioner.setFailedReason(reasons.SUBPC_ERROR)  # type: ignore[attr-defined]

    monkeypatch.setattr(solver.iterative, "apply", every_other_one)
    model.prepare_step(40.0)
    outcome = solver.solve()
    assert not outcome.converged and "LINEAR_SOLVE" in outcome.reason
    monkeypatch.undo()
    model.state.restore(cell(MPI.COMM_SELF, faces()).state.snapshot())
    terminal.control_current(25.0)
    assert step(model, solver, 40.0).converged


def test_after_forgetting_the_answer_depends_on_the_state_alone() -> None:
    model = driven(block(MPI.COMM_SELF))
    solver = NewtonSolver(model, ITERATIVE)
    solved_step(model, solver, 1.0)
    start, answers = model.state.snapshot(), []
    for detour in (0.0, 1.5):
        model.state.restore(start)
        if detour:
            solved_step(model, solver, detour)
            model.state.restore(start)
        solver.forget()
        solved_step(model, solver, 1.0)
        answers.append(model.state.unknowns.x.array.tobytes())
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", [NewtonSolver, CountingSolver])
def test_after_forgetting_a_solver_is_as_good_as_new(kind: type[NewtonSolver]) -> None:
    """What it has chosen from its first matrix is of no account for the next step; that of a run forgets by itself."""
    model = driven(block(MPI.COMM_SELF, tie=30.0))
    used = kind(model, ITERATIVE)
    solved_step(model, used, 1.0)
    # Grains that let go: what was aggregated across their interfaces is no longer.
    field = next(iter(extract_coefficients(model.facet_parameters.cohesive.stiffness)))
    start, answers = model.state.snapshot(), []
    model.facet_constants.set_values(field, 1e-6 * model.facet_constants.values(field))
    for solver in (used, kind(model, ITERATIVE)):
        model.state.restore(start)
        if kind is NewtonSolver:
            solver.forget()
        solved_step(model, solver, 1.0)
        answers.append(model.state.unknowns.x.array.tobytes())
    assert answers[0] == answers[1]


def test_auto_takes_the_iterative_solver_for_large_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    solid, section = block(MPI.COMM_SELF), quarters(MPI.COMM_SELF)
    auto = SolverSettings(linear="auto")
    assert linear_solver.chosen(auto, solid) == linear_solver.chosen(auto, section) == "direct"
    monkeypatch.setattr(linear_solver, "AUTO_UNKNOWNS", solid.state.space.dofmap.index_map.size_global)
    assert linear_solver.chosen(auto, solid) == "iterative"
    monkeypatch.setattr(linear_solver, "AUTO_UNKNOWNS", 1)
    assert linear_solver.chosen(auto, section) == "direct"
    assert linear_solver.chosen(ITERATIVE, section) == "iterative"


def test_a_solver_without_a_matrix_says_so() -> None:
    model = driven(block(MPI.COMM_SELF))
    solver = NewtonSolver(model, ITERATIVE)
    assert solver.iterative is not None
    right, solution = solver.matrix.createVecs()
    preconditioner = linear_solver.PETSc.PC().create(MPI.COMM_SELF)
    with pytest.raises(SolverError, match="iterative linear solver has no matrix"):
        solver.iterative.apply(preconditioner, right, solution)
    solved_step(model, solver, 1.0)
    solver.iterative.reset(preconditioner)
    with pytest.raises(SolverError, match="iterative linear solver has no matrix"):
        solver.iterative.apply(preconditioner, right, solution)
    with pytest.raises(SolverError, match="multigrid of the displacement has no matrix"):
        DisplacementMultigrid("without_").apply(right, solution)
