"""Lithium exchange of every kind of interface: what leaves one grain enters the other, whichever of them is '+'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem import balances
from fem.domain import cell_volumes
from fem.interfaces.library import shipped_laws
from fem.loads import Pressure, Support
from fem.materials.library import MATERIALS
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from tests.small import TIGHT, Array, grid, mesh_of, midpoints, model_on, sides

SIZE = 2.0
PHASES = ("graphite", "graphite", "silicon", "silicon", "graphite", "lithium", "silicon", "electrolyte")
# Grains by square: the upper row is under the electrolyte, lithium lies over the two squares in the middle.
GRAINS = np.array([[0, 1, 2, 3], [4, 5, 5, 6], [7, 7, 7, 7]])
EXCHANGING = {kind for kind, law in shipped_laws().items() if np.isfinite(law.exchange_resistance.value)}
INFLUX = 2e-3
SETTINGS = replace(TIGHT, lithium_tolerance=1e-11, potential_tolerance=1e-8)


def patchwork(
    comm: MPI.Intracomm, *, reverse: bool = False, mirrored: bool = False, cut: bool = False
) -> ElectrodeModel:
    """Squares of every phase that exchanges lithium, so that every kind of interface occurs."""
    points, cells = grid(8, 6, 4 * SIZE, 3 * SIZE)
    if mirrored:
        points[:, 0] = 4 * SIZE - points[:, 0]

    def grain_at(x: Array) -> np.ndarray:
        across = 4 * SIZE - x[:, 0] if mirrored else x[:, 0]
        return GRAINS[(x[:, 1] / SIZE).astype(int), (across / SIZE).astype(int)].astype(np.int32)

    owner = grain_at(points[cells].mean(axis=1)) if cut else None
    mesh = mesh_of(comm, points, cells, owner)
    colours = list(range(len(PHASES)))
    supports = [Support("bottom", 0), Support("bottom", 1), Support("left", 0), Support("right", 0)]
    return model_on(
        mesh,
        sides(4 * SIZE, 3 * SIZE),
        [MATERIALS[phase] for phase in sorted(set(PHASES))],
        [*supports, Pressure("top")],
        grain=grain_at(midpoints(mesh)),
        phases=PHASES,
        colours=colours[::-1] if reverse else colours,
        # They hold whatever comes, so that the balance is not that of a snapping grain.
        laws={
            kind: replace(law, strength=None, fracture_energy=None) for kind, law in shipped_laws().items()
        },
        start={"graphite": 0.3, "silicon": 0.3, "lithium": 1.0},
    )


class Meter:
    """Lithium of every grain, and what passes from grain to grain in a step."""

    def __init__(self, model: ElectrodeModel):
        self.model = model
        flux = balances.interface_flux(
            model.fields, model.coefficients, model.exchange_share, model.conductance
        )
        self._flux = model.facet_constants.projection(flux)
        self._volumes = cell_volumes(model.domain)

    def held(self) -> Array:
        """Lithium of every grain in fmol/µm, shape (grains,)."""
        model, owned = self.model, len(self._volumes)
        nodal = model.state.unknowns.x.array[model.state.dofs.cell_concentration[:owned]]
        grain = model.domain.cell_grain[:owned]
        local = np.bincount(grain, weights=self._volumes * nodal.mean(axis=1), minlength=len(PHASES))
        local[7] = 0.0  # the electrolyte stores nothing
        return np.asarray(model.comm.allreduce(local))

    def passed(self) -> Array:
        """Flux in fmol/(µm s) from grain (row) to grain (column), what came back subtracted."""
        model, pairs = self.model, self.model.interfaces.quadruples
        table = np.zeros((len(PHASES), len(PHASES)))
        plus, minus = model.domain.cell_grain[pairs[:, 0]], model.domain.cell_grain[pairs[:, 2]]
        # From '-' to '+' is counted positive.
        np.add.at(table, (minus, plus), model.facet_constants.integrals(self._flux))
        table = np.asarray(model.comm.allreduce(table))
        return table - table.T


def course(model: ElectrodeModel, steps: int = 4) -> Array:
    """Fluxes of each step, shape (steps, grains, grains); the balance is checked on the way."""
    model.control("pressure").value = 1.0
    model.control("influx").value = INFLUX
    solver, meter = NewtonSolver(model, SETTINGS), Meter(model)
    fluxes = []
    for _ in range(steps):
        before, dt = meter.held(), 20.0
        model.prepare_step(dt)
        outcome = solver.solve()
        assert outcome.converged, outcome
        passed = meter.passed()
        entered = passed.sum(axis=0)
        entered[7] += INFLUX * 4 * SIZE
        gained = (meter.held() - before) / dt
        assert np.max(np.abs(gained - entered)) < 1e-10 * np.sum(np.abs(passed))
        fluxes.append(passed)
        model.commit()
    return np.array(fluxes)


@pytest.mark.parallel
@pytest.mark.parametrize(
    ("reverse", "mirrored", "cut"), [(True, False, False), (False, True, False), (False, False, True)]
)
def test_every_kind_of_interface_balances(
    comm: MPI.Intracomm, reverse: bool, mirrored: bool, cut: bool
) -> None:
    plain = patchwork(comm)
    fluxes = course(plain)
    names = np.array(PHASES)
    exchanging = {
        "|".join(sorted((names[a], names[b])))
        for a, b in np.argwhere(np.max(np.abs(fluxes), axis=0) > 1e-7 * np.max(np.abs(fluxes)))
    }
    assert exchanging == EXCHANGING
    # Metal gives to all its neighbours; the electrolyte hands on what enters it.
    assert np.all(fluxes[:, 5, [1, 2, 4, 6]] > 0.0)
    np.testing.assert_allclose(fluxes[:, 7].sum(axis=1), INFLUX * 4 * SIZE, rtol=1e-10)
    other = course(patchwork(comm, reverse=reverse, mirrored=mirrored, cut=cut))
    np.testing.assert_allclose(other, fluxes, rtol=1e-7, atol=1e-10 * np.max(np.abs(fluxes)))
