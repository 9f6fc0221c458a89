"""Known answer 7: a thick cylinder in plane strain under internal pressure, perfectly plastic after von Mises."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.loads import Pressure, Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import positions
from tests.small import Array, grid, mesh_of, midpoints, model_on, overstress, p, solved_step

INNER, OUTER, MODULUS, POISSON, YIELD = 100.0, 200.0, 210.0e3, 0.3, 240.0
SETTINGS = SolverSettings(
    force_tolerance=1e-4,
    displacement_tolerance=1e-5,
    first_update=5.0,
    largest_update=50.0,
    maximum_iterations=25,
)


def cylinder(comm: MPI.Intracomm, radial: int = 16, around: int = 20) -> ElectrodeModel:
    """A quarter of the section, finer at the bore."""
    points, cells = grid(radial, around, 1.0, 1.0)
    radius = INNER + (OUTER - INNER) * points[:, 0]
    angle = 0.5 * np.pi * points[:, 1]
    where = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    boundaries = {
        "bottom": lambda x: np.isclose(x[1], 0.0, atol=1e-9),
        "top": lambda x: np.isclose(x[0] ** 2 + x[1] ** 2, INNER**2, rtol=1e-9),
        "left": lambda x: np.isclose(x[0], 0.0, atol=1e-9),
        "right": lambda x: np.isclose(x[0] ** 2 + x[1] ** 2, OUTER**2, rtol=1e-9),
    }
    # An overstress of 1 MPa at one per second: steps of 1e4 s leave nothing of it.
    flow = overstress(YIELD, 0.0, 1.0, 1.0, 1.0)
    material = Material("steel", Elasticity(p(MODULUS), p(0.0), p(POISSON)), flow)
    held = [Support("bottom", 1), Support("left", 0), Pressure("top")]
    return model_on(mesh_of(comm, where, cells), boundaries, [material], held)


def pressure_at(front: float) -> float:
    """Pressure in MPa at which the plastic zone reaches a radius."""
    return YIELD / np.sqrt(3.0) * (1.0 - front**2 / OUTER**2 + 2.0 * np.log(front / INNER))


def plastic_radius(model: ElectrodeModel) -> float:
    """Radius of the outermost cell with flow, to half a cell."""
    strain = model.state.accumulated.x.array[np.asarray(model.state.accumulated.function_space.dofmap.list)]
    radius = np.hypot(*midpoints(model.domain.mesh)[:, :2].T)
    flowed = strain.max(axis=1) > 1e-7
    return float(model.comm.allreduce(float(np.max(radius[flowed], initial=0.0)), op=MPI.MAX))


def outer_displacement(model: ElectrodeModel) -> float:
    """Radial displacement of the outer face at the foot of the quarter in µm."""
    where = positions(model, 0)
    dofs = np.unique(model.state.dofs.cell_displacement[:, :, 0])
    outermost = dofs[np.isclose(where[dofs], OUTER, rtol=1e-9)]
    values: Array = model.state.unknowns.x.array[outermost]
    return float(model.comm.allreduce(float(np.max(values, initial=0.0)), op=MPI.MAX))


@pytest.mark.parallel
def test_thick_cylinder_yields_from_the_bore() -> None:
    assert pressure_at(INNER) == pytest.approx(103.92, abs=5e-3)
    assert [pressure_at(c) for c in (120.0, 150.0, 180.0)] == pytest.approx(
        [139.21, 172.99, 189.22], abs=5e-3
    )
    model = cylinder(MPI.COMM_WORLD)
    solver = NewtonSolver(model, SETTINGS)
    cell = (OUTER - INNER) / 16.0

    def press(value: float) -> None:
        model.control("pressure").value = value
        solved_step(model, solver, 1e4)

    press(0.98 * 103.92)
    assert plastic_radius(model) == 0.0
    elastic = 2.0 * (1.0 - POISSON**2) * 0.98 * 103.92 * INNER**2 * OUTER / (MODULUS * (OUTER**2 - INNER**2))
    assert outer_displacement(model) == pytest.approx(elastic, rel=3e-3)
    press(1.06 * 103.92)
    assert 0.0 < plastic_radius(model) < INNER + 2.0 * cell
    for front, steps in ((120.0, 1), (150.0, 2)):
        begin = float(model.control("pressure").value)
        for share in np.arange(1, steps + 1) / steps:
            press(begin + share * (pressure_at(front) - begin))
        assert plastic_radius(model) == pytest.approx(front, abs=cell)
    assert outer_displacement(model) == pytest.approx(0.13510, rel=1e-2)
