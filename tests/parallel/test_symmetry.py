"""Gate 3: names, numbers and colours of the grains and a mirror change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem.interfaces.law import kind_name
from fem.loads import Pressure, Support
from fem.materials.base import Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.alone import alone
from tests.readings import integral
from tests.small import Array, grid, host, law, mesh_of, midpoints, model_on, overstress, sides, solved_step

SIZE, STEPS = 4.0, 6
SETTINGS = SolverSettings(
    force_tolerance=1e-9, lithium_tolerance=1e-13, potential_tolerance=1e-10, displacement_tolerance=1e-9
)


def flake(phase: str) -> Material:
    return host(
        phase, youngs_modulus=15e3, modulus_slope=30e3, swelling=0.13, capacity=31.36, diffusivity=0.24
    )


def agglomerate(phase: str) -> Material:
    return host(
        phase,
        youngs_modulus=55e3,
        modulus_slope=-36e3,
        poisson_ratio=0.26,
        swelling=2.8,
        capacity=311.1,
        diffusivity=5e-3,
        flow=overstress(120.0, 0.0, 120.0, 6e-10, 4.0),
    )


def electrode(
    comm: MPI.Intracomm,
    *,
    names: tuple[str, str] = ("alpha", "beta"),
    order: tuple[int, ...] = (0, 1, 2, 3),
    colours: tuple[int, ...] = (0, 1, 2, 3),
    mirrored: bool = False,
) -> ElectrodeModel:
    """Four quarters: two flakes on the diagonal, two agglomerates beside it.

    Args:
        comm: Ranks.
        names: Phase names of flakes and agglomerates; their alphabetical order decides which side is '+'.
        order: Number of each quarter as a grain.
        colours: Colour of each quarter.
        mirrored: Whether left and right are exchanged.
    """
    points, cells = grid(4, 4, SIZE, SIZE)
    quarter_of = np.random.default_rng(5).permutation(len(cells)) if mirrored else np.arange(len(cells))
    cells = cells[quarter_of]  # the mirrored mesh is numbered differently as well
    if mirrored:
        points[:, 0] = SIZE - points[:, 0]
    mesh = mesh_of(comm, points, cells)
    middle = midpoints(mesh)
    right = (middle[:, 0] < 2.0) if mirrored else (middle[:, 0] > 2.0)
    quarter = right + 2 * (middle[:, 1] > 1.5)
    phase_of_quarter = [names[0], names[1], names[1], names[0]]
    phases, colour_of_grain = [""] * 4, [0] * 4
    for number in range(4):
        phases[order[number]], colour_of_grain[order[number]] = phase_of_quarter[number], colours[number]
    flakes, agglomerates = flake(names[0]), agglomerate(names[1])
    cohesive = law(20.0, 0.31, shear_ratio=0.8, exchange_resistance=30.0, friction=0.2, relaxation_time=20.0)
    kinds = {kind_name(a, b): cohesive for a in names for b in names}
    loads = [Support("bottom", 1), Support("bottom", 0), Pressure("top")]
    model = model_on(
        mesh,
        sides(SIZE, SIZE),
        [flakes, agglomerates],
        loads,
        grain=np.array(order, dtype=np.int32)[quarter],
        phases=phases,
        colours=colour_of_grain,
        laws=kinds,
        start=0.1,
    )
    model.control("pressure").value, model.control("influx").value = 0.5, 0.04
    return model


def answer(model: ElectrodeModel, mirrored: bool = False) -> Array:
    solver = NewtonSolver(model, SETTINGS)
    for _ in range(STEPS):
        solved_step(model, solver, 10.0)
    top = model.measures.boundary(model.domain.boundary_tags["top"])
    u, c, sign = model.fields.displacement, model.fields.concentration, -1.0 if mirrored else 1.0
    x = ufl.SpatialCoordinate(model.domain.mesh)
    across = SIZE - x[0] if mirrored else x[0]
    return np.array(
        [
            SIZE + integral(model, u[1] * top) / SIZE,
            integral(model, (sign * u[0] + 1.0) * top),
            1.0 + integral(model, u[1] * across * top),
            model.mean_damage(),
            integral(model, c * across),
            integral(model, c * x[1]),
            integral(model, model.bulk.elastic_energy),
        ]
    )


@pytest.fixture(scope="module")
def reference() -> Array:
    found: Array = alone(MPI.COMM_WORLD, "reference", lambda self: answer(electrode(self)))
    assert found[0] > SIZE + 1e-3 and 0.02 < found[3] < 0.999
    return found


@pytest.mark.parallel
@pytest.mark.parametrize(
    "change",
    [
        {"order": (2, 0, 3, 1)},
        {"colours": (3, 1, 0, 2)},
        {"names": ("beta", "alpha")},
        {"mirrored": True},
        {"names": ("beta", "alpha"), "order": (3, 2, 1, 0), "colours": (1, 3, 2, 0), "mirrored": True},
    ],
    ids=["numbers", "colours", "names", "mirror", "all"],
)
def test_nothing_changes(comm: MPI.Intracomm, reference: Array, change: dict[str, tuple[int, ...]]) -> None:
    model = electrode(comm, **change)  # type: ignore[arg-type]
    found = answer(model, bool(change.get("mirrored", False)))
    print(found, found / reference - 1.0)
    np.testing.assert_allclose(found[:-1], reference[:-1], rtol=1e-12)
    # Energy goes by strains of 1e-3 and less, which carry the rounding of displacements near one.
    np.testing.assert_allclose(found[-1], reference[-1], rtol=1e-11)
