"""When a solve is done: lithium that Newton's method leaves just under its tolerance is taken to rounding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fem.solver import NewtonSolver, Outcome
from tests.small import TIGHT, host
from tests.verification.test_measurements import HELD, stack


def solved(aim: float, maximum: int = 30) -> Outcome:
    """A step of a slab that swells as lithium enters, with tolerances that end it before it has fully converged."""
    hosts = [host("graphite", diffusivity=0.05, swelling=0.5)]
    model = stack(["graphite"], hosts, columns=1, rows=8, loads=HELD, start=0.3)
    loose = {"force_tolerance": 1e3, "displacement_tolerance": 1.0, "potential_tolerance": 1.0}
    settings = replace(TIGHT, **loose, lithium_tolerance=1e-3, kept_tangent=0.0)
    model.control("influx").value = 0.05
    model.prepare_step(50.0)
    return NewtonSolver(model, replace(settings, lithium_aim=aim, maximum_iterations=maximum)).solve()


def test_one_more_iteration_leaves_rounding() -> None:
    plain, aimed = solved(1e-3), solved(1e-12)
    assert plain.converged and aimed.converged
    assert plain.norms[1] > 1e-9
    assert aimed.iterations == plain.iterations + 1
    assert aimed.norms[1] < 1e-3 * plain.norms[1]


def test_it_is_one_more_and_not_two() -> None:
    """An aim below rounding asks for one iteration, and is no tolerance."""
    assert solved(1e-30).iterations == solved(1e-3).iterations + 1


def test_no_iteration_is_asked_for_that_is_not_allowed() -> None:
    plain = solved(1e-3)
    last = solved(1e-30, maximum=plain.iterations)
    assert last.converged and last.iterations == plain.iterations
    assert last.norms[1] == pytest.approx(plain.norms[1])
