"""Iterations that go on with the tangent of the one before: when, and that they lead to the same answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.kept_tangent import KeptTangent
from fem.solver import NewtonSolver
from fem.solver_settings import SolverSettings
from tests.cells import TIGHT, cell, terminal_of
from tests.verification.test_cell_tangent import reacting

SETTINGS = SolverSettings(kept_tangent=0.1)
LAST = (1.0, 1e-3, 1e-2)


def served(
    norms: tuple[float, float, float], taken: float = 1.0, settings: SolverSettings = SETTINGS
) -> bool:
    """Whether the tangent of an iteration that left ``norms`` of LAST serves for the next one."""
    kept = KeptTangent(settings)
    assert not kept.serves(LAST, 1.0)  # the first iteration of a solve has none to keep
    return kept.serves(norms, taken)


@pytest.mark.parametrize(
    ("norms", "serves"),
    [
        ((0.05, 5e-5, 5e-4), True),
        ((0.2, 5e-5, 5e-4), False),
        ((0.05, 5e-4, 5e-4), False),
        ((0.05, 5e-5, 5e-3), False),
        ((np.nan, 5e-5, 5e-4), False),
    ],
)
def test_every_field_must_have_fallen(norms: tuple[float, float, float], serves: bool) -> None:
    assert served(norms) is serves


def test_a_field_that_is_done_need_not_fall() -> None:
    kept = KeptTangent(SETTINGS)
    kept.serves((1.0, 1e-12, 1e-7), 1.0)
    assert kept.serves((0.05, 5e-12, 2e-7), 1.0)


def test_an_update_that_was_shortened_tells_nothing() -> None:
    assert not served((0.05, 5e-5, 5e-4), taken=0.5)


def test_none_is_kept_for_another_solve_or_a_symmetric_tangent() -> None:
    kept = KeptTangent(SETTINGS)
    kept.serves(LAST, 1.0)
    kept.reset()
    assert not kept.serves((0.05, 5e-5, 5e-4), 1.0)
    assert not served((0.05, 5e-5, 5e-4), settings=replace(SETTINGS, symmetric=True))
    assert not served((0.05, 5e-5, 5e-4), settings=replace(SETTINGS, kept_tangent=0.0))


@pytest.mark.parallel
def test_fewer_tangents_lead_to_the_same_answer(comm: MPI.Intracomm) -> None:
    """A half cell with side reactions, two steps: what is solved for agrees to what the tolerances leave."""
    answers, solvers = [], []
    for share in (0.0, 0.1):
        model = cell(comm, reacting(), separator_resistance=2e-3, start=0.4)
        solver = NewtonSolver(model, replace(TIGHT, kept_tangent=share))
        for level in range(2):
            terminal_of(model).control_current(1e-3 * (1.0 + level))
            model.prepare_step(20.0)
            assert solver.solve().converged
            model.commit()
        answers.append(model.state.unknowns.x.array.copy())
        solvers.append(solver.timing)
    plain, keeping = solvers
    assert plain.tangents == plain.iterations
    assert keeping.tangents < plain.tangents and keeping.tangents < keeping.iterations
    scale = np.max(np.abs(answers[0]))
    np.testing.assert_allclose(answers[1], answers[0], rtol=0.0, atol=1e-8 * scale)
