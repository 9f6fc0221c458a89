"""Contact fraction of lithium metal: the closed form of its equation, and what it does to the exchange."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from fem.errors import ParameterError
from fem.loads import Pressure, Support
from fem.materials.base import Elasticity, Material, Reservoir
from fem.materials.library import LITHIUM
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from fem.units import FARADAY, GAS_CONSTANT
from tests.readings import set_displacement
from tests.small import (
    CURVE,
    TEMPERATURE,
    TIGHT,
    grid,
    host,
    law,
    mesh_of,
    midpoints,
    model_on,
    p,
    sides,
    solved_step,
)

WIDTH = 2.0
# So little passes in these tests that neither side notices.
RESISTANCE, DEPTH = 1.0e6, 1.0e-4
# Steps of minutes: lithium balances to rounding of what diffuses meanwhile.
SETTINGS = replace(TIGHT, lithium_tolerance=1e-10)
METAL = Reservoir(p(76.9), p(0.02), p(10.0), p(0.15))
# j_c: metal that is full, at µ = 0, gives 0.98/0.99 of what it could to the host at x = 0.2.
OUTFLOW = 0.98 / 0.99 * FARADAY * CURVE.voltage(0.2) / RESISTANCE
# 3/2 ε̇0 (3 / (2 n S))^n of the creep law, in 1/(s MPa^n).
_RATE = 4.25e4 * np.exp(-37.0 / (GAS_CONSTANT * TEMPERATURE))


def healing(pressure: float, resistance: float = 9.5) -> float:
    """H in 1/s."""
    return float(1.5 * _RATE * (3.0 * pressure * 0.15 / (2.0 * resistance)) ** (1.0 / 0.15))


def loss(replenishment: float = 0.0) -> float:
    """K in 1/s."""
    return max(OUTFLOW - replenishment, 0.0) / 76.9 / DEPTH


def pair(
    comm: MPI.Intracomm, *, host_name: str = "alpha", cut: bool = False, **void: float | None
) -> ElectrodeModel:
    """Host below, metal above; ``host_name`` decides which of them is '+'."""
    points, cells = grid(2, 4, WIDTH, 4.0)
    upper = points[cells].mean(axis=1)[:, 1] > 2.0
    mesh = mesh_of(comm, points, cells, upper.astype(np.int32) if cut else None)
    metal = Material("metal", Elasticity(p(7.81e3), p(0.0), p(0.38)), LITHIUM.flow, None, METAL)
    held: dict[str, Any] = {
        "exchange_resistance": RESISTANCE,
        "void_depth": DEPTH,
        "open_exchange": 0.0,
    } | void
    given = {name: value for name, value in held.items() if value is not None}
    return model_on(
        mesh,
        sides(WIDTH, 4.0),
        [host(host_name, capacity=1e4), metal],
        [
            Support("bottom", 0),
            Support("bottom", 1),
            Support("left", 0),
            Support("right", 0),
            Pressure("top"),
        ],
        grain=(midpoints(mesh)[:, 1] > 2.0).astype(np.int32),
        phases=[host_name, "metal"],
        laws={"|".join(sorted([host_name, "metal"])): law(None, None, **given)},
        start={host_name: 0.2, "metal": 1.0},
    )


def contact(model: ElectrodeModel) -> np.ndarray:
    """θ at every owned facet, from all ranks."""
    field = model.facet_constants.projection(model.history_value.contact)
    one = model.facet_constants.projection(model.cohesive.stiffness / 2.0e5)
    facets = model.facet_constants
    return np.concatenate(model.comm.allgather(facets.integrals(field) / facets.integrals(one)))


def advance(model: ElectrodeModel, duration: float, steps: int) -> None:
    solver = NewtonSolver(model, SETTINGS)
    for _ in range(steps):
        solved_step(model, solver, duration / steps)


def run(model: ElectrodeModel, duration: float, steps: int) -> np.ndarray:
    advance(model, duration, steps)
    return contact(model)


@pytest.mark.parallel
@pytest.mark.parametrize(("host_name", "cut"), [("alpha", False), ("omega", False), ("alpha", True)])
def test_contact_is_lost_where_lithium_leaves(comm: MPI.Intracomm, host_name: str, cut: bool) -> None:
    model = pair(comm, host_name=host_name, cut=cut)
    plus = model.domain.cell_grain[model.interfaces.quadruples[:, 0]]
    assert np.all(plus == (0 if host_name == "alpha" else 1))
    np.testing.assert_allclose(contact(model), 1.0, rtol=1e-13)
    # Whatever the number of steps: the equation is integrated exactly where the rates are constant.
    np.testing.assert_allclose(run(model, 1.0 / loss(), 1), np.exp(-1.0), rtol=1e-4)
    np.testing.assert_allclose(run(model, 1.0 / loss(), 3), np.exp(-2.0), rtol=1e-4)


@pytest.mark.parallel
def test_creep_under_pressure_heals(comm: MPI.Intracomm) -> None:
    model = pair(comm)
    pressure = 30.0
    model.control("pressure").value = pressure
    k, h = loss(), healing(pressure)
    assert 0.2 < h / k < 5.0
    # Pressure lowers µ of the metal by Ω p, and so the outflow by some tenths of a per cent.
    end = h / (k + h)
    expected = [end + (1.0 - end) * np.exp(-(k + h) * t) for t in (0.5 / k, 1.5 / k)]
    np.testing.assert_allclose(run(model, 0.5 / k, 2), expected[0], rtol=5e-3)
    np.testing.assert_allclose(run(model, 1.0 / k, 1), expected[1], rtol=5e-3)
    np.testing.assert_allclose(run(model, 20.0 / k, 4), end, rtol=5e-3)
    # Without lithium that leaves, it goes back to one.
    free = pair(comm, void_replenishment=1e3)
    free.facet_history.set_values(free.state.memory["contact"], np.full(len(free.interfaces.facets), 0.2))
    free.control("pressure").value = pressure
    np.testing.assert_allclose(run(free, 1.0 / h, 2), 1.0 - 0.8 * np.exp(-1.0), rtol=1e-4)


def test_diffusion_makes_up_for_a_slow_outflow(comm: MPI.Intracomm) -> None:
    half = pair(comm, void_replenishment=0.5 * OUTFLOW * FARADAY)
    np.testing.assert_allclose(run(half, 1.0 / loss(), 1), np.exp(-0.5), rtol=1e-4)
    all_of_it = pair(comm, void_replenishment=1.001 * OUTFLOW * FARADAY)
    np.testing.assert_allclose(run(all_of_it, 10.0 / loss(), 1), 1.0, rtol=1e-12)


def given_away(model: ElectrodeModel, dt: float) -> float:
    """Lithium in fmol that the metal gives in a step, which then is committed."""
    solver = NewtonSolver(model, SETTINGS)
    dofs = model.state.dofs
    owned = dofs.concentration[dofs.concentration < dofs.owned]
    before = model.state.unknowns.x.array.copy()
    model.prepare_step(dt)
    assert solver.solve().converged
    change = before - model.state.unknowns.x.array
    metal = owned[np.isclose(model.capacity_of_node[owned], 76.9)]
    # The metal is level, so that the mean over its nodes is that over its volume.
    total, count = model.comm.allreduce(float(np.sum(change[metal]))), model.comm.allreduce(len(metal))
    model.commit()
    return total / count * WIDTH * 2.0


@pytest.mark.parallel
def test_the_exchange_goes_by_the_contact_that_is_left(comm: MPI.Intracomm) -> None:
    model = pair(comm)
    dt = 1.0 / loss()
    given = [given_away(model, dt) for _ in range(3)]
    # A step goes by the contact at its beginning.
    np.testing.assert_allclose(given, OUTFLOW * WIDTH * dt * np.exp([0.0, -1.0, -2.0]), rtol=1e-3)


def test_without_a_depth_nothing_is_lost_and_nothing_is_kept(comm: MPI.Intracomm) -> None:
    without, infinite = pair(comm, void_depth=None), pair(comm, void_depth=float("inf"))
    for model in (without, infinite):
        assert not model.state.memory and model.history_value.contact is None
        advance(model, 1.0 / loss(), 1)
    assert np.array_equal(without.state.unknowns.x.array, infinite.state.unknowns.x.array)


def test_a_rejected_step_leaves_no_trace(comm: MPI.Intracomm) -> None:
    model = pair(comm)
    run(model, 0.5 / loss(), 1)
    before, kept = model.state.snapshot(), contact(model)
    run(model, 1.0 / loss(), 1)
    assert np.all(contact(model) < 0.5 * kept)
    model.state.restore(before)
    assert np.array_equal(contact(model), kept)


def test_a_partner_that_is_gone_but_for_rounding_heals_nothing(comm: MPI.Intracomm) -> None:
    model = pair(comm, void_replenishment=1e3)
    model.facet_history.set_values(model.state.memory["contact"], np.full(len(model.interfaces.facets), 0.2))
    set_displacement(model, lambda x: np.array([0.0 * x[0], 0.0 * x[0] - 1e-4]), 1)
    for share, healed in ((-1e-16, False), (1.0, True)):
        model.facet_constants.set_values(model.state.paired, np.full(len(model.interfaces.facets), share))
        model.prepare_step(1e3)
        model.commit()
        assert np.all(contact(model) > 0.3) if healed else contact(model) == pytest.approx(0.2, rel=1e-12)


def test_contact_is_lost_by_lithium_metal_only(comm: MPI.Intracomm) -> None:
    mesh = mesh_of(comm, *grid(2, 2, WIDTH, 2.0))
    bodies = [host("alpha"), replace(host("beta"), phase="beta")]
    with pytest.raises(ParameterError, match=r"interfaces\.alpha\|beta\.void_depth"):
        model_on(
            mesh,
            sides(WIDTH, 2.0),
            bodies,
            grain=(midpoints(mesh)[:, 1] > 1.0).astype(np.int32),
            phases=["alpha", "beta"],
            laws={"alpha|beta": law(None, None, void_depth=1.0)},
        )
