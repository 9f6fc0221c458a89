"""Known answer 11: bodies and interfaces in series, with the cut between ranks anywhere, also on an interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import ufl
from mpi4py import MPI
from scipy.optimize import brentq

from fem import balances
from fem.interfaces import cohesive
from fem.loads import Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import at_points, integral, reaction
from tests.small import Array, box, faces, grid, host, law, mesh_of, midpoints, model_on, sides, solved_step

# Three grains of unit height in a bar along the last axis: soft, stiff, soft, and two interfaces of the same kind.
YOUNG, POISSON, STIFFNESS, PULL = {"alpha": 4e3, "beta": 90e3}, 0.3, 3.0e4, 0.01
WIDTH, HEIGHT = 1.0, 3.0
SETTINGS = SolverSettings(force_tolerance=1e-8, displacement_tolerance=1e-6)


def confined(stretch: float, young: float) -> tuple[float, float]:
    """Nominal stress and energy of a laterally confined body, by hand from the neo-Hookean energy of the design."""
    shear, bulk = young / (2.0 * (1.0 + POISSON)), young / (3.0 * (1.0 - 2.0 * POISSON))
    shape = stretch ** (-2.0 / 3.0) * (stretch**2 + 2.0)
    energy = bulk / 2.0 * ((stretch**2 - 1.0) / 2.0 - np.log(stretch)) + shear / 2.0 * (shape - 3.0)
    slope = shear / 2.0 * (stretch ** (-2.0 / 3.0) * 2.0 * stretch - 2.0 / 3.0 * shape / stretch)
    return bulk / 2.0 * (stretch - 1.0 / stretch) + slope, energy


def exact() -> tuple[float, float, float]:
    """Jump of each interface, energy per area, nominal stress."""

    def stretch_at(stress: float, young: float) -> float:
        return float(brentq(lambda s: confined(s, young)[0] - stress, 0.5, 2.0, xtol=1e-15, rtol=1e-14))

    def length(stress: float) -> float:
        soft, stiff = (stretch_at(stress, young) for young in YOUNG.values())
        return 2.0 * soft + stiff - 3.0 + 2.0 * stress / STIFFNESS

    stress = float(brentq(lambda s: length(s) - PULL, 0.0, 3e3, xtol=1e-12, rtol=1e-14))
    soft, stiff = (confined(stretch_at(stress, young), young)[1] for young in YOUNG.values())
    return stress / STIFFNESS, 2.0 * soft + stiff + stress**2 / STIFFNESS, stress


def partition(name: str, cells: Array) -> Any:
    """Rank of every cell from the cells' midpoints, shape (cells, dimension); None for DOLFINx's own."""
    if name == "seam on the interfaces":
        return cells[:, -1].astype(np.int32)
    if name == "along the bar":
        return (3 * cells[:, 0] / WIDTH).astype(np.int32)
    if name == "cell by cell":
        return np.random.default_rng(1).integers(0, 1000, len(cells)).astype(np.int32)
    return None


def bar(comm: MPI.Intracomm, dimension: int, cut: str) -> ElectrodeModel:
    points, cells = grid(2, 6, WIDTH, HEIGHT) if dimension == 2 else box(3, HEIGHT)
    boundaries = sides(WIDTH, HEIGHT) if dimension == 2 else faces(HEIGHT)
    mesh = mesh_of(comm, points, cells, partition(cut, points[cells].mean(axis=1)))
    last = dimension - 1
    loads = [Support("left", 0), Support("right", 0), Support("bottom", last), Support("top", last, "pull")]
    loads += [Support("front", 1), Support("back", 1)] if dimension == 3 else []
    return model_on(
        mesh,
        boundaries,
        [host(phase, youngs_modulus=young, poisson_ratio=POISSON) for phase, young in YOUNG.items()],
        loads,
        grain=midpoints(mesh)[:, last].astype(np.int32),
        phases=["alpha", "beta", "alpha"],
        laws={"alpha|beta": law(None, None, stiffness=STIFFNESS)},
    )


def check(model: ElectrodeModel) -> None:
    area = WIDTH if model.domain.dimension == 2 else HEIGHT**2
    jump, energy, stress = exact()
    solver = NewtonSolver(model, SETTINGS)
    for share in (0.5, 1.0):
        model.control("pull").value = share * PULL
        solved_step(model, solver, 1.0)
    opening = balances.interface_opening(model.fields.displacement)
    upward = ufl.as_vector([0.0] * (model.domain.dimension - 1) + [1.0])
    # '+' is alpha: at the lower interface it lies below, at the upper one above.
    rise = ufl.dot(opening, upward) * ufl.dot(model.normal("+"), upward)
    total = integral(model, rise * model.dS) / area
    square = integral(model, ufl.dot(opening, opening) * model.dS) / area
    assert total == pytest.approx(2.0 * jump, rel=1e-10)
    assert square == pytest.approx(2.0 * jump**2, rel=1e-10)  # each of the two, everywhere, none of it slip
    normal = model.normal("+")
    stored = integral(model, model.bulk.elastic_energy) + integral(
        model, cohesive.stored_energy(opening, normal, model.history_value, model.cohesive) * model.dS
    )
    assert stored / area == pytest.approx(energy, rel=1e-10)
    assert reaction(model, "top", 0, model.domain.dimension - 1) / area == pytest.approx(stress, rel=1e-9)
    nominal = at_points(model, model.bulk.nominal_stress)[
        ..., model.domain.dimension - 1, model.domain.dimension - 1
    ]
    np.testing.assert_allclose(nominal, stress, rtol=1e-9)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", ["default", "seam on the interfaces", "along the bar", "cell by cell"])
def test_bar_with_interfaces(comm: MPI.Intracomm, cut: str) -> None:
    check(bar(comm, 2, cut))


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", ["seam on the interfaces", "cell by cell"])
def test_bar_with_interfaces_in_3d(comm: MPI.Intracomm, cut: str) -> None:
    check(bar(comm, 3, cut))
