"""A disc under constant current through its electrolyte: surface concentration and voltage against closed form.

The disc is the sphere of known answer 2 in two dimensions: D (c - c0) / (J R) = 2τ + r²/2 - 1/4 - 2 Σ J0(λr) e^(-λ²τ) /
(λ² J0(λ)) with J1(λ) = 0.
"""

from __future__ import annotations

from math import asinh

import numpy as np
import numpy.typing as npt
import pytest
from mpi4py import MPI
from scipy.special import jn_zeros

from fem import domain
from fem.loads import TerminalCurrent
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver
from fem.units import FARADAY, GAS_CONSTANT
from tests.cells import ALPHA, TIGHT, electrolyte, face, model_with_terminal, step, terminal_of
from tests.readings import positions
from tests.small import CURVE, TEMPERATURE, Array, mesh_of, midpoints

RADIUS, RING, START = 5.0, 0.5, 0.3
CAPACITY, DIFFUSIVITY = 31.36, 0.24
INFLUX, EXCHANGE = 0.05, 4.0  # fmol/(µm² s) at the surface of the disc; A/m²
TIMES, STEPS = (0.1, 0.5), 4


def quarter(count: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Points and triangles of a quarter of a disc in ``count`` rings with one ring of electrolyte around it."""
    radii = [*np.linspace(0.0, RADIUS, count + 1)[1:], RADIUS + RING]
    angles = np.linspace(0.0, 0.5 * np.pi, count + 1)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    points = np.vstack([np.zeros((1, 2)), *(r * ring for r in radii)])
    cells = [[0, 1 + j, 2 + j] for j in range(count)]
    for level in range(count):
        inner, outer = 1 + level * (count + 1), 1 + (level + 1) * (count + 1)
        for j in range(count):
            cells += [[inner + j, outer + j, outer + j + 1], [inner + j, inner + j + 1, outer + j + 1]]
    return points, np.array(cells, dtype=np.int64)


def disc(comm: MPI.Intracomm, count: int) -> ElectrodeModel:
    mesh = mesh_of(comm, *quarter(count))
    grain = (np.linalg.norm(midpoints(mesh), axis=1) > RADIUS).astype(np.int32)
    boundaries = {
        "bottom": lambda x: np.isclose(x[1], 0.0),
        "top": lambda x: np.isclose(np.hypot(x[0], x[1]), RADIUS + RING),
        "left": lambda x: np.isclose(x[0], 0.0),
    }
    where = domain.from_arrays(mesh, grain, ["alpha", "electrolyte"], boundaries)
    laws = {"alpha|electrolyte": face(EXCHANGE)}
    return model_with_terminal(where, [ALPHA, electrolyte(100.0)], laws, TerminalCurrent("top"), START)


def surface(model: ElectrodeModel) -> float:
    """Mean concentration of the nodes at the surface of the disc."""
    cells = model.domain.cell_grain == 0
    dofs = np.unique(model.state.dofs.cell_concentration[cells])
    dofs = dofs[dofs < model.state.dofs.owned]
    here = dofs[np.isclose(np.linalg.norm(positions(model, 1)[:, dofs], axis=0), RADIUS)]
    local = np.array([np.sum(model.state.unknowns.x.array[here]), len(here)])
    total = np.asarray(model.comm.allreduce(local, op=MPI.SUM))
    return float(total[0] / total[1])


def rise(steps: int) -> list[float]:
    """D (c - c0) / (J R) at the surface at the given times, after backward Euler steps."""
    roots = jn_zeros(1, 400)
    left, values, last = np.ones(len(roots)), [], 0.0
    # What the truncated sum of 1/λ² lacks (it is 1/8) belongs to modes that have long decayed.
    for time in TIMES:
        left, last = left * (1.0 + roots**2 * (time - last) / steps) ** -float(steps), time
        values.append(2.0 * time + 0.25 - 2.0 * float(np.sum(left / roots**2)))
    return values


@pytest.mark.parallel
def test_surface_and_voltage(comm: MPI.Intracomm) -> None:
    found = []
    for count in (6, 12):
        model = disc(comm, count)
        terminal, solver = terminal_of(model), NewtonSolver(model, TIGHT)
        arc, face_arc = terminal.area, terminal.area * RADIUS / (RADIUS + RING)
        terminal.control_current(INFLUX * FARADAY * face_arc / arc)
        last, row = 0.0, []
        for time in TIMES:
            for _ in range(STEPS):
                step(model, solver, (time - last) / STEPS * RADIUS**2 / DIFFUSIVITY)
            last = time
            row.append([surface(model), terminal.voltage])
        found.append(row)
    coarse, fine = np.array(found)
    extrapolated = (4.0 * fine - coarse) / 3.0
    exact = START * CAPACITY + np.array(rise(STEPS)) * INFLUX * RADIUS / DIFFUSIVITY
    scale = INFLUX * RADIUS / DIFFUSIVITY
    np.testing.assert_allclose((extrapolated[:, 0] - exact) / scale, 0.0, atol=2e-3)
    assert np.all(np.abs(fine[:, 0] - exact) < 0.35 * np.abs(coarse[:, 0] - exact))
    x = exact / CAPACITY
    thermal = GAS_CONSTANT * TEMPERATURE / FARADAY
    eta = [
        2.0 * thermal * asinh(0.5 * INFLUX * FARADAY / (EXCHANGE * 2.0 * (v * (1.0 - v)) ** 0.5)) for v in x
    ]
    voltage = np.array([float(CURVE.voltage(v)) for v in x]) - np.array(eta)
    np.testing.assert_allclose(extrapolated[:, 1], voltage, atol=1e-4)
    assert min(eta) > 0.01
