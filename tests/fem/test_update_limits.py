"""Limits of a Newton update: trust radius, strain of solids, updates that turn back, bounds of concentrations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver_settings import SolverSettings
from fem.update_limits import UpdateLimits
from tests.readings import positions, set_displacement
from tests.small import Array, box, faces, grid, host, mesh_of, model_on, p, sides

SETTINGS = SolverSettings(first_update=0.1, largest_update=0.5, largest_strain=1e9)


class Limited:
    """A block of a host with limits of its own; the first concentration dof of rank 0 is prescribed."""

    def __init__(self, comm: MPI.Intracomm, settings: SolverSettings = SETTINGS):
        self.model: ElectrodeModel = model_on(mesh_of(comm, *grid(2, 2, 2.0, 2.0)), sides(2.0, 2.0), [host()])
        dofs, self.owned = self.model.state.dofs, self.model.state.dofs.owned
        self.displacement = dofs.displacement[dofs.displacement < self.owned]
        self.concentration = dofs.concentration[dofs.concentration < self.owned]
        self.held = self.concentration[:1] if comm.rank == 0 else self.concentration[:0]
        self.start = self.model.state.unknowns.x.array[: self.owned].copy()
        self.limits = UpdateLimits(self.model, settings, self.displacement, self.concentration, self.held)

    def rigid(self, size: float) -> Array:
        """An update that moves everything sideways."""
        update = np.zeros(self.owned)
        across = np.asarray(self.model.state.space.sub(0).sub(0).dofmap.list).ravel()
        update[across[across < self.owned]] = size
        return update

    def moved(self, size: float, force: float) -> float:
        """What is left of a rigid motion, after an imbalance."""
        update = self.rigid(size)
        assert self.limits.shorten(self.start, update, force) == pytest.approx(abs(size))
        largest = np.max(np.abs(update[self.displacement]), initial=0.0)
        return float(np.sign(size)) * float(self.model.comm.allreduce(float(largest), op=MPI.MAX))


@pytest.mark.parallel
def test_the_first_update_is_bounded_and_the_bound_widens_while_the_imbalance_falls(
    comm: MPI.Intracomm,
) -> None:
    limited = Limited(comm)
    assert limited.moved(0.05, 100.0) == pytest.approx(0.05)
    limited.limits.reset()
    assert limited.moved(1.0, 100.0) == pytest.approx(0.1)
    # A tenth of the way was taken, and the imbalance fell by a tenth of itself: as it should.
    assert limited.moved(1.0, 90.0) == pytest.approx(0.2)
    assert limited.moved(1.0, 70.0) == pytest.approx(0.4)
    assert limited.moved(1.0, 10.0) == pytest.approx(0.5)
    assert limited.moved(0.3, 1.0) == pytest.approx(0.3)
    limited.limits.reset()
    assert limited.moved(1.0, 100.0) == pytest.approx(0.1)


@pytest.mark.parallel
def test_the_bound_stays_while_the_imbalance_stands_and_narrows_when_it_grows(comm: MPI.Intracomm) -> None:
    limited = Limited(comm)
    for force, expected in ((100.0, 0.1), (100.0, 0.1), (250.0, 0.1), (751.0, 0.04), (3000.0, 0.016)):
        assert limited.moved(1.0, force) == pytest.approx(expected)
    # Back to the first update by a fifth an iteration, and no further without progress.
    for expected in (0.0192, 0.02304, 0.027648):
        assert limited.moved(1.0, 3000.0) == pytest.approx(expected)
    for _ in range(10):
        limited.moved(1.0, 3000.0)
    assert limited.moved(1.0, 3000.0) == pytest.approx(0.1)
    # A growing imbalance never stops it altogether.
    for power in range(12):
        last = limited.moved(1.0, 3000.0 * 4.0 ** (power + 1))
    assert last == pytest.approx(0.001)


def test_an_update_that_was_halved_halves_the_bound() -> None:
    limited = Limited(MPI.COMM_SELF)
    assert limited.moved(1.0, 100.0) == pytest.approx(0.1)
    limited.limits.halve()
    assert limited.moved(1.0, 100.0) == pytest.approx(0.06)


@pytest.mark.parallel
def test_solids_strain_by_so_much_at_once_and_may_turn_and_move(comm: MPI.Intracomm) -> None:
    limited = Limited(comm, replace(SETTINGS, first_update=100.0, largest_update=100.0, largest_strain=0.1))
    place = positions(limited.model, 0)[: limited.owned]
    along = np.zeros(limited.owned)
    across = np.asarray(limited.model.state.space.sub(0).sub(0).dofmap.list).ravel()
    across = np.unique(across[across < limited.owned])
    along[across] = 0.5 * place[across]
    update = along.copy()
    # Stretched by a half at once, of which a fifth may go.
    assert limited.limits.shorten(limited.start, update, 1.0) == pytest.approx(1.0)
    np.testing.assert_allclose(update, 0.2 * along)
    assert limited.moved(10.0, 1.0) == pytest.approx(10.0)
    # Squeezed to a tenth of its width, the same motion is ten times the strain.
    limited.limits.reset()
    squeezed = limited.start.copy()
    squeezed[across] = -0.9 * place[across]
    update = along.copy()
    limited.limits.shorten(squeezed, update, 1.0)
    np.testing.assert_allclose(update, 0.02 * along)
    # Its corners about to pass each other, or past: the strain of the cell as it was meshed counts.
    for left in (0.01, -0.3):
        limited.limits.reset()
        squeezed[across] = (left - 1.0) * place[across]
        update = along.copy()
        limited.limits.shorten(squeezed, update, 1.0)
        np.testing.assert_allclose(update, 0.2 * along)


def test_updates_that_keep_turning_back_are_shortened() -> None:
    limited = Limited(MPI.COMM_SELF, replace(SETTINGS, first_update=1.0, largest_update=1.0))
    sizes = [0.4, -0.4, 0.4, -0.4, 0.4, -0.4, -0.4, -0.4]
    expected = [0.4, -0.2, 0.1, -0.05, 0.025, -0.025, -0.05, -0.1]
    assert [limited.moved(size, 1.0) for size in sizes] == pytest.approx(expected)
    # The last motion to rounding is no cycle.
    limited.limits.reset()
    tiny = 0.5 * SETTINGS.displacement_tolerance
    assert [limited.moved(size, 1.0) for size in (tiny, -tiny)] == pytest.approx([tiny, -tiny])


@pytest.mark.parallel
def test_a_concentration_goes_nine_tenths_of_the_way_to_its_bound(comm: MPI.Intracomm) -> None:
    limited = Limited(comm)
    capacity, inside = 31.36, np.setdiff1d(limited.concentration, limited.held)
    begin = limited.start[inside]
    np.testing.assert_allclose(begin, 0.1 * capacity)
    for aim, reached in ((-5.0, 0.01 * capacity), (100.0, 0.91 * capacity), (0.5 * capacity, 0.5 * capacity)):
        update = np.zeros(limited.owned)
        update[limited.concentration] = limited.start[limited.concentration] - aim
        limited.limits.shorten(limited.start, update, 1.0)
        np.testing.assert_allclose(begin - update[inside], reached)
        # What is prescribed goes where it is told.
        np.testing.assert_allclose(limited.start[limited.held] - update[limited.held], aim)


@pytest.mark.parallel
@pytest.mark.parametrize("dimension", [2, 3])
def test_a_filling_keeps_a_quarter_of_its_volume(comm: MPI.Intracomm, dimension: int) -> None:
    """However far an update would close it, inside out included; what opens it is not shortened."""
    pore = Material("pore", Elasticity(p(0.1), p(0.0), p(0.0)), solid=False)
    if dimension == 2:
        mesh, boundaries = mesh_of(comm, *grid(2, 2, 2.0, 2.0)), sides(2.0, 2.0)
    else:
        mesh, boundaries = mesh_of(comm, *box(1, 2.0)), faces(2.0)
    model = model_on(mesh, boundaries, [pore], phases=["pore"])
    owned = model.state.dofs.owned
    displacement = model.state.dofs.displacement[model.state.dofs.displacement < owned]
    nothing = displacement[:0]
    settings = SolverSettings(first_update=1e9, largest_update=1e9, largest_strain=1e9)
    limits = UpdateLimits(model, settings, displacement, nothing, nothing)

    def taken(height: float, closing: float) -> float:
        """Share of an update that takes ``closing`` off the height that is taken."""
        limits.reset()
        set_displacement(
            model, lambda x: np.stack([0.0 * x[0]] * (dimension - 1) + [(height - 1.0) * x[dimension - 1]])
        )
        start = model.state.unknowns.x.array[:owned].copy()
        set_displacement(
            model, lambda x: np.stack([0.0 * x[0]] * (dimension - 1) + [closing * x[dimension - 1]])
        )
        full = model.state.unknowns.x.array[:owned].copy()
        update = full.copy()
        limits.shorten(start, update, 1.0)
        ratio = float(np.max(np.abs(update), initial=0.0)), float(np.max(np.abs(full), initial=0.0))
        return comm.allreduce(ratio[0], op=MPI.MAX) / comm.allreduce(ratio[1], op=MPI.MAX)

    assert taken(0.6, 0.4) == 1.0
    assert taken(0.6, -3.0) == 1.0
    for height, closing in ((0.6, 0.5), (0.6, 1.5), (0.02, 0.019), (1.3, 40.0)):
        left = height - taken(height, closing) * closing
        assert 0.25 * height - 1e-12 <= left < 0.5 * height
    assert taken(-0.1, 0.3) == 1.0
