"""Factorisations that need more room than MUMPS has estimated: made again with more, to the same answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from mpi4py import MPI
from petsc4py import PETSc

from fem import factorisation
from fem.errors import RunStopped
from fem.field_blocks import FieldBlocks
from fem.field_preconditioner import FieldPreconditioner
from fem.solver import NewtonSolver, Outcome, SolverSettings
from tests.blocks import block, tangent
from tests.cells import TIGHT, cell, faces, step, terminal_of

# Less room than the estimate itself: MUMPS gives up.
SCANTY = -90
SIZE = 200


def saddle(comm: MPI.Intracomm, last: float = 1.0) -> PETSc.Mat:
    """Constraints without a diagonal, whose pivots are put off; the last unknown's row and column times a factor."""
    coupling = scipy.sparse.random(SIZE, SIZE, 0.03, random_state=1) + scipy.sparse.eye(SIZE)
    scale = np.ones(2 * SIZE)
    scale[-1] = last
    whole = scipy.sparse.diags(scale) @ scipy.sparse.bmat(
        [[1e-14 * scipy.sparse.eye(SIZE), coupling], [coupling.T, None]]
    )
    matrix = PETSc.Mat().create(comm)
    matrix.setSizes(whole.shape)
    matrix.setUp()
    first, end = matrix.getOwnershipRange()
    rows = whole.tocsr()[first:end]
    matrix.setPreallocationCSR((rows.indptr.astype("i4"), rows.indices.astype("i4"), rows.data))
    matrix.assemble()
    return matrix


def scanty(prefix: str | None) -> str:
    """Give the solver of this prefix too little room; returns the option's key."""
    key = f"{prefix or ''}mat_mumps_icntl_14"
    PETSc.Options()[key] = SCANTY
    return key


@pytest.mark.parallel
@pytest.mark.parametrize("room", [None, SCANTY])
def test_a_system_is_solved_however_little_room_there_is_at_first(
    comm: MPI.Intracomm, room: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    whole = factorisation.give_room
    monkeypatch.setattr(factorisation, "give_room", lambda factors: given.append(1) or whole(factors))
    if room is not None:
        monkeypatch.setattr(factorisation, "_SOLVES", iter([-1]))
        scanty("swellbound_once_-1_")
    matrix = saddle(comm)
    solution, right = matrix.createVecs()
    right.set(1.0)
    factorisation.solve(matrix, right, solution)
    left = right.duplicate()
    matrix.mult(solution, left)
    left.aypx(-1.0, right)
    assert left.norm() < 1e-9 * right.norm()
    assert bool(given) == (room is not None)
    assert not PETSc.Options().hasName("swellbound_once_-1_mat_mumps_icntl_14")


@pytest.mark.parallel
def test_a_system_without_a_solution_is_told_and_nothing_is_made_up(comm: MPI.Intracomm) -> None:
    matrix = saddle(comm, last=0.0)
    solution, right = matrix.createVecs()
    with pytest.raises(RunStopped, match="linear system could not be solved: MUMPS ended with INFOG"):
        factorisation.solve(matrix, right, solution)
    assert np.all(solution.array_r == 0.0)


def test_room_grows_to_an_end() -> None:
    factors = PETSc.PC().create(MPI.COMM_SELF)
    factors.setOptionsPrefix("room_grows_")
    rooms = []
    while factorisation.give_room(factors):
        rooms.append(PETSc.Options().getInt("room_grows_mat_mumps_icntl_14"))
    assert rooms == sorted(set(rooms)) and rooms[0] > 20 and rooms[-1] >= 1000
    PETSc.Options().delValue("room_grows_mat_mumps_icntl_14")


@pytest.mark.parallel
def test_a_step_short_of_room_is_as_good_as_any_other(comm: MPI.Intracomm) -> None:
    """With a terminal, whose response is a second solve; nothing is rejected.

    On one rank no bit is another. Several share their work out by the room they have, and sum in another order.
    """
    answers = []
    for short in (False, True):
        model = cell(comm, faces())
        terminal_of(model).control_current(5.0)
        solver = NewtonSolver(model, TIGHT)
        key = scanty(solver.snes.getOptionsPrefix()) if short else ""
        model.prepare_step(40.0)
        outcome = solver.solve()
        assert outcome.converged
        if short:
            assert PETSc.Options().getInt(key) > 0
            PETSc.Options().delValue(key)
        answers.append((outcome.iterations, model.state.unknowns.x.array.copy()))
    assert comm.size > 1 or answers[0][0] == answers[1][0]
    spread = 0.0 if comm.size == 1 else 1e-9
    np.testing.assert_allclose(answers[0][1], answers[1][1], rtol=spread, atol=spread)


def test_a_step_that_fails_before_any_factorisation_just_fails() -> None:
    model = cell(MPI.COMM_SELF, faces())
    terminal_of(model).control_current(5.0)
    solver = NewtonSolver(model, SolverSettings())
    assert step(model, solver, 40.0).converged
    solver.forget()
    model.prepare_step(40.0)
    model.state.unknowns.x.array[:] = np.nan
    assert not solver.solve().converged


def test_what_is_repeated_begins_where_the_step_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room may run short in a later iteration, when the unknowns have moved."""
    model = cell(MPI.COMM_SELF, faces())
    terminal_of(model).control_current(5.0)
    solver = NewtonSolver(model, SolverSettings())
    attempt, begins = solver._attempt, []

    def short_at_first() -> Outcome:
        begins.append(model.state.unknowns.x.array.copy())
        outcome = attempt()
        return (
            replace(outcome, converged=False, reason="DIVERGED_LINEAR_SOLVE") if len(begins) == 1 else outcome
        )

    monkeypatch.setattr(solver, "_attempt", short_at_first)
    monkeypatch.setattr(factorisation, "is_short_of_room", lambda factors: True)
    monkeypatch.setattr(factorisation, "give_room", lambda factors: True)
    model.prepare_step(40.0)
    assert solver.solve().converged
    assert len(begins) == 2 and begins[0].tobytes() == begins[1].tobytes()


def test_lithium_of_the_iterative_solver_gets_its_room() -> None:
    model, answers = block(MPI.COMM_SELF), []
    matrix, held = tangent(model)
    for prefix in ("roomy_", "scanty_"):
        fields = FieldPreconditioner(model, held, prefix)
        key = scanty(f"{prefix}lithium_") if prefix == "scanty_" else ""
        fields.take(matrix)
        residual, found = matrix.createVecs()
        residual.array[FieldBlocks(model).lithium_dofs] = 1.0
        fields.apply(residual, found)
        assert np.all(np.isfinite(found.array_r)) and found.norm() > 0.0
        answers.append(found.array.tobytes())
        if key:
            assert PETSc.Options().getInt(key) > 0
            PETSc.Options().delValue(key)
    assert answers[0] == answers[1]
