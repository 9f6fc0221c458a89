"""Effective diffusion coefficient by a steady flux: layers, columns, a checkerboard, a stretched body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mpi4py import MPI

from fem.materials.base import Elasticity, Material
from fem.measurements import steady_flux
from fem.model import ElectrodeModel
from fem.units import FARADAY
from tests.readings import set_displacement
from tests.small import CURVE, Array, grid, host, law, mesh_of, midpoints, model_on, p, sides

WIDTH, HEIGHT = 6.0, 12.0
RESISTANCE = 30.0
ALPHA, BETA = (31.36, 0.24), (40.0, 0.04)


def body(
    columns: int,
    rows: int,
    belongs: Callable[[Array], Array],
    resistance: float = RESISTANCE,
    pore: bool = False,
    height: float = HEIGHT,
) -> ElectrodeModel:
    """A rectangle with a grain of alpha and one of beta (or of a pore), by a function of the midpoints."""
    mesh = mesh_of(MPI.COMM_WORLD, *grid(columns, rows, WIDTH, height))
    grain = np.asarray(belongs(midpoints(mesh)), dtype=np.int32)
    names = ["alpha", "beta"] if not pore else ["alpha", "hole"]
    first = host("alpha", capacity=ALPHA[0], diffusivity=ALPHA[1])
    hole = Material("hole", Elasticity(p(0.1), p(0.0), p(0.0)), solid=False)
    second = hole if pore else host("beta", capacity=BETA[0], diffusivity=BETA[1])
    count = int(MPI.COMM_WORLD.allreduce(int(grain.max(initial=0)), op=MPI.MAX)) + 1
    phases = [names[n % 2] for n in range(count)]
    laws = {f"{a}|{b}": law(exchange_resistance=resistance) for a in names for b in names if a <= b}
    if pore:
        laws["alpha|hole"] = law(None, None)
    return model_on(mesh, sides(WIDTH, height), [first, second], grain=grain, phases=phases, laws=laws)


def mobility(capacity: float, diffusivity: float) -> float:
    return diffusivity * storage(capacity)


def storage(capacity: float) -> float:
    return capacity / (FARADAY * CURVE.slope)


@pytest.mark.parallel
def test_layers_in_series_with_an_interface() -> None:
    model = body(3, 12, lambda x: x[:, 1] > HEIGHT / 3.0)
    found = steady_flux.measure(model)
    lower, upper = HEIGHT / 3.0, HEIGHT * 2.0 / 3.0
    parts = lower / mobility(*ALPHA), RESISTANCE, upper / mobility(*BETA)
    held = lower * storage(ALPHA[0]) + upper * storage(BETA[0])
    flux = 1.0 / sum(parts)
    mean = (lower * mobility(*ALPHA) + upper * mobility(*BETA)) / HEIGHT
    assert found["flux_per_potential_fmol2_pJ_um2_s"] == pytest.approx(flux, rel=1e-9)
    assert found["effective_diffusivity_um2_s"] == pytest.approx(flux * HEIGHT**2 / held, rel=1e-9)
    assert found["interface_share"] == pytest.approx(RESISTANCE * flux, rel=1e-9)
    assert found["tortuosity"] == pytest.approx(mean * sum(parts) / HEIGHT, rel=1e-9)
    assert found["tortuosity_of_grains"] == pytest.approx(mean * (parts[0] + parts[2]) / HEIGHT, rel=1e-5)


@pytest.mark.parallel
def test_columns_in_parallel_are_not_tortuous() -> None:
    found = steady_flux.measure(body(4, 3, lambda x: x[:, 0] > WIDTH / 4.0))
    mean = 0.25 * mobility(*ALPHA) + 0.75 * mobility(*BETA)
    held = 0.25 * storage(ALPHA[0]) + 0.75 * storage(BETA[0])
    assert found["tortuosity"] == pytest.approx(1.0, rel=1e-9)
    assert found["interface_share"] == pytest.approx(0.0, abs=1e-12)
    assert found["effective_diffusivity_um2_s"] == pytest.approx(mean / held, rel=1e-9)


def test_a_pore_takes_room_and_lets_nothing_through() -> None:
    found = steady_flux.measure(body(4, 3, lambda x: x[:, 0] > WIDTH / 4.0, pore=True))
    assert found["effective_diffusivity_um2_s"] == pytest.approx(ALPHA[1], rel=1e-9)
    assert found["tortuosity"] == pytest.approx(1.0, rel=1e-9)
    flux = 0.25 * mobility(*ALPHA) / HEIGHT
    assert found["flux_per_potential_fmol2_pJ_um2_s"] == pytest.approx(flux, rel=1e-9)


def test_tortuosity_of_a_checkerboard() -> None:
    """Keller (1964, 10.1063/1.1704146): √(M₁ M₂); here the square between four lines of symmetry."""
    errors = []
    for count in (6, 12):

        def squares(x: np.ndarray) -> np.ndarray:
            right, upper = x[:, 0] > 0.5 * WIDTH, x[:, 1] > 0.5 * WIDTH
            return 2 * upper + (right != upper)

        found = steady_flux.measure(body(2 * count, 2 * count, squares, resistance=1e-7, height=WIDTH))
        mean = 0.5 * (mobility(*ALPHA) + mobility(*BETA))
        exact = mean / np.sqrt(mobility(*ALPHA) * mobility(*BETA))
        errors.append(abs(found["tortuosity"] / exact - 1.0))
    assert errors[1] < 0.7 * errors[0]
    assert errors[1] < 0.013


@pytest.mark.parallel
def test_a_stretched_slab_keeps_its_diffusion_coefficient() -> None:
    model = body(3, 12, lambda x: x[:, 1] > HEIGHT / 3.0, resistance=1e-6)
    before = steady_flux.measure(model)
    set_displacement(model, lambda x: np.vstack([0.0 * x[0], 0.3 * x[1]]))
    after = steady_flux.measure(model)
    assert after["thickness_um"] == pytest.approx(1.3 * HEIGHT, rel=1e-12)
    assert after["flux_per_potential_fmol2_pJ_um2_s"] == pytest.approx(
        before["flux_per_potential_fmol2_pJ_um2_s"] / 1.3**2, rel=1e-5
    )
    assert after["effective_diffusivity_um2_s"] == pytest.approx(
        before["effective_diffusivity_um2_s"], rel=1e-5
    )
    assert after["tortuosity"] == pytest.approx(before["tortuosity"], rel=1e-5)
