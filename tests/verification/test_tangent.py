"""Known answer 14 and gate 6: the Jacobian of the coupled residual against finite differences, regime by regime."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI
from scipy.sparse import csr_matrix

from fem import balances, compat, kinematics
from fem.interfaces import cohesive
from fem.interfaces.opening import split_opening
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.quarters import WITH_METAL, quarters
from tests.readings import integral, residual, set_displacement
from tests.small import Array


@pytest.fixture(scope="module")
def model() -> ElectrodeModel:
    return quarters(MPI.COMM_SELF, WITH_METAL, start_voltage=0.4)


def move(model: ElectrodeModel, openings: dict[int, tuple[float, float]]) -> None:
    """Translate whole grains, and strain all of them a little, so that nothing is exactly on a kink."""
    for grain in range(len(WITH_METAL)):
        x, y = openings.get(grain, (0.0, 0.0))
        set_displacement(
            model,
            lambda p, x=x, y=y: np.stack([x + 1e-6 * np.sin(p[1]) * p[0], y + 1e-6 * np.cos(p[0]) * p[1]]),
            grain,
        )


def closed(model: ElectrodeModel) -> None:
    """Neighbours pressed together: every interface in contact."""
    move(model, {1: (-4e-5, 0.0), 3: (-4e-5, -4e-5), 2: (0.0, -4e-5), 4: (-2e-5, -9e-5)})


def opening(model: ElectrodeModel) -> None:
    """Open below the onset of damage (1e-4 µm), with slip."""
    move(model, {1: (4e-5, 1e-5), 2: (1e-5, 4e-5), 3: (5e-5, 6e-5), 4: (2e-5, 9e-5)})


def damaging(model: ElectrodeModel) -> None:
    """Open far beyond the onset: damage grows in this very step."""
    move(model, {1: (6e-3, 1e-3), 2: (2e-3, 5e-3), 3: (9e-3, 8e-3), 4: (4e-3, 1.7e-2)})


def unloading(model: ElectrodeModel) -> None:
    """As far open as before, with a larger opening in the history."""
    field = model.facet_constants.constant("history", np.full(len(model.interfaces.facets), 2.5e-2))
    value = model.facet_constants.value(field)
    model.facet_history.update(model.state.largest_opening, model.facet_history.projection(value))
    damaging(model)


def flowing(model: ElectrodeModel) -> None:
    """Strains of two per cent: silicon, graphite and lithium flow; apart, for at zero opening the stiffness jumps."""
    apart = {1: (1e-2, 0.0), 2: (0.0, 1e-2), 3: (1e-2, 1e-2), 4: (0.0, 2e-2)}
    for grain in range(len(WITH_METAL)):
        x, y = apart.get(grain, (0.0, 0.0))
        set_displacement(
            model,
            lambda p, x=x, y=y: np.stack(
                [x + 0.02 * p[0] + 5e-3 * p[1], y - 0.025 * p[1] + 2e-3 * p[0] * p[1]]
            ),
            grain,
        )


def emptied(model: ElectrodeModel) -> None:
    """As flowing, with metal that has shrunk to where vacancies begin to stay in it."""
    flowing(model)
    dofs, metal = model.state.dofs, model.domain.cell_grain == WITH_METAL.index("lithium")
    model.state.unknowns.x.array[dofs.cell_concentration[metal]] = 0.145 * 76.9
    set_displacement(
        model,
        lambda p: np.stack([1e-2 - 0.6 * p[0] + 5e-3 * p[1], 1e-2 - 0.59 * p[1] + 2e-3 * p[0] * p[1]]),
        WITH_METAL.index("lithium"),
    )


# Imbalance in MPa·µm below which norms are noise: five to thirty times what the last ones come to.
ROUNDING = 1e-9

REGIMES = {
    "closed": closed,
    "opening": opening,
    "damaging": damaging,
    "unloading": unloading,
    "flowing": flowing,
    "emptied": emptied,
}


@pytest.mark.parametrize("regime", REGIMES)
def test_jacobian_against_finite_differences(model: ElectrodeModel, regime: str) -> None:
    start = model.state.snapshot()
    try:
        check(model, REGIMES[regime], regime)
    finally:
        model.state.restore(start)


def check(model: ElectrodeModel, prepare: Callable[[ElectrodeModel], None], regime: str) -> None:
    model.prepare_step(50.0)
    model.control("pressure").value, model.control("influx").value = 1.0, 0.032
    prepare(model)
    state, rng = model.state, np.random.default_rng(7)
    values, dofs = state.unknowns.x.array, state.dofs
    # Lithium, too, away from its start and different everywhere.
    capacity = model.capacity_of_node[dofs.concentration]
    values[dofs.concentration] += 0.02 * capacity * rng.random(len(dofs.concentration))
    values[dofs.chemical_potential] += rng.standard_normal(len(dofs.chemical_potential))
    base = values.copy()
    # Grains move as rigid bodies first of all, so that the interfaces carry most of the change, in proportion to
    # the openings, so that no facet crosses a kink; in the flowing regime they deform.
    length, noise = {
        "flowing": (1e-3, 1.0),
        "emptied": (1e-3, 1.0),
        "closed": (1e-6, 0.1),
        "opening": (1e-6, 0.1),
    }.get(regime, (1e-4, 0.01))
    direction = rigid_motions(model, length, rng)
    direction[dofs.displacement] += noise * length * rng.standard_normal(len(dofs.displacement))
    direction[dofs.concentration] = 1e-2 * capacity * rng.standard_normal(len(dofs.concentration))
    direction[dofs.chemical_potential] = rng.standard_normal(len(dofs.chemical_potential))

    residual(model)
    if regime in ("flowing", "emptied"):
        assert np.count_nonzero(state.increment.x.array > 1e-6) > 0.5 * len(state.increment.x.array)
    else:
        assert share_in_regime(model, regime) == pytest.approx(1.0, rel=1e-12)
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    indptr, indices, data = matrix.getValuesCSR()
    predicted = csr_matrix((data, indices, indptr)) @ direction

    def error(h: float) -> list[float]:
        values[:] = base + h * direction
        above = residual(model)
        values[:] = base - h * direction
        below = residual(model)
        difference = (above - below) / (2.0 * h) - predicted
        return [
            float(np.linalg.norm(difference[d]) / np.linalg.norm(predicted[d]))
            for d in (dofs.displacement, dofs.concentration, dofs.chemical_potential)
        ]

    errors = np.array([error(h) for h in (1e-2, 1e-3, 1e-4)])
    values[:] = base
    assert np.all(errors.min(axis=0) < 1e-8)
    # Central differences err like h² until rounding shows.
    resolved = errors[1] > 5e-11
    assert np.any(resolved)
    assert np.all(np.abs(np.log10(errors[0] / errors[1])[resolved] - 2.0) < 0.1)


def rigid_motions(model: ElectrodeModel, length: float, rng: np.random.Generator) -> Array:
    """A direction in which every grain is translated at random."""
    scratch = dfem.Function(model.state.space)
    for grain in range(len(WITH_METAL)):
        shift = length * rng.standard_normal(2)
        cells = np.flatnonzero(model.domain.cell_grain == grain).astype(np.int32)
        scratch.sub(0).interpolate(lambda x, s=shift: s[:, None] * np.ones_like(x[:1]), cells)
    return scratch.x.array.copy()


def share_in_regime(model: ElectrodeModel, regime: str) -> float:
    """Share of the interface area that is in the regime it was meant to be in."""
    jump = balances.interface_opening(model.fields.displacement)
    normal = kinematics.rotated_normal(model.fields.displacement, model.normal)
    along, _ = split_opening(jump, normal)
    effective = cohesive.effective_opening(jump, normal, model.cohesive)
    grown = cohesive.grown_history(jump, normal, model.history_value, model.cohesive, model.dt)
    damaged = ufl.gt(cohesive.damage(grown, model.cohesive), 1e-3)
    condition = {
        "closed": ufl.lt(along, 0.0),
        "opening": ufl.And(ufl.gt(along, 0.0), ufl.Not(damaged)),
        "damaging": ufl.And(ufl.gt(effective, model.history_value.opening), damaged),
        "unloading": ufl.And(ufl.lt(effective, 0.95 * model.history_value.opening), damaged),
    }[regime]
    one = ufl.dot(model.normal("+"), model.normal("+"))
    area = integral(model, one * model.dS)
    return integral(model, ufl.conditional(condition, 1.0, 0.0) * one * model.dS) / area


def test_newton_converges_quadratically(model: ElectrodeModel) -> None:
    start = model.state.snapshot()
    try:
        settings = SolverSettings(
            force_tolerance=1e-8, lithium_tolerance=1e-12, potential_tolerance=1e-10, kept_tangent=0.0
        )
        solver = NewtonSolver(model, settings)
        history: list[float] = []
        solver.snes.setMonitor(lambda snes, iteration, norm: history.append(float(norm)))
        model.control("pressure").value, model.control("influx").value = 1.0, 0.032
        for _ in range(3):
            model.prepare_step(1.0)
            history.clear()
            outcome = solver.solve()
            assert outcome.converged, outcome
            model.commit()
            # The last three norms that tell linear from quadratic convergence: what the former would make of them is
            # well above rounding. Each norm is the square of the one before, times a constant that may settle within
            # a factor of ten.
            a, b, c = next(
                triple for triple in reversed(list(zip(history, history[1:], history[2:], strict=False)))
                if triple[1] ** 2 / triple[0] > 10.0 * ROUNDING
            )  # fmt: skip
            assert c < max(ROUNDING, 10.0 * b**3 / a**2)
            assert c < 0.1 * b**2 / a
    finally:
        model.state.restore(start)
