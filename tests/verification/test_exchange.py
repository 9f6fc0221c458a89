"""Known answer 12: steady flux through two layers and the interface, whole, half debonded, swapped, mirrored."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import balances
from fem.loads import Prescribed, Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import at_points, chemical_slope, integral, reaction, set_displacement
from tests.small import Array, grid, host, law, mesh_of, midpoints, model_on, sides, solved_step

# 10 µm of 2e-13 m²/s and 5 µm of 5e-14 m²/s between concentrations 1e4 mol/m³ apart; fluxes in fmol/(µm² s).
CAPACITY, LOW, HIGH = 31.36, 3.0, 13.0
CONDUCTANCE = 1e-2  # µm/s, that is 1e-8 m/s
OPEN_FLUX, FLUX, HALF_FLUX = 6.6667e-2, 4.0000e-2, 10.0 / 350.0
WIDTH = 2.0
SETTINGS = SolverSettings(lithium_tolerance=1e-6, potential_tolerance=1e-11)
STEP = 1e6  # s, two hundred times the time of diffusion


def layers(
    comm: MPI.Intracomm,
    conductance: float,
    *,
    names: tuple[str, str] = ("alpha", "beta"),
    mirrored: bool = False,
    cut: str | None = None,
    **others: float,
) -> ElectrodeModel:
    """Two layers; the thick one lies below, or above where ``mirrored``; ``names`` are their phases.

    ``others`` are parameters of their interface.
    """
    points, cells = grid(2, 6, WIDTH, 6.0)
    level = points[:, 1].copy()
    points[:, 1] = np.where(level < 4.0, 2.5 * level, 10.0 + 2.5 * (level - 4.0))
    if mirrored:
        points[:, 1] = 15.0 - points[:, 1]
    middle = points[cells].mean(axis=1)
    thick = middle[:, 1] > 5.0 if mirrored else middle[:, 1] < 10.0
    owner = None if cut is None else (~thick).astype(np.int32) + (middle[:, 0] > 1.0)
    mesh = mesh_of(comm, points, cells, owner)
    height = midpoints(mesh)[:, 1]
    grain = (height < 5.0 if mirrored else height > 10.0).astype(np.int32)
    slope = chemical_slope(CAPACITY)
    where = {"low": "top", "high": "bottom"} if not mirrored else {"low": "bottom", "high": "top"}
    loads = [
        Support("left", 0),
        Support("bottom", 1),
        Prescribed(where["high"], 1, lambda x: np.full(x.shape[1], HIGH)),
        Prescribed(where["low"], 1, lambda x: np.full(x.shape[1], LOW)),
    ]
    materials = [
        host(names[0], capacity=CAPACITY, diffusivity=0.2),
        host(names[1], capacity=CAPACITY, diffusivity=0.05),
    ]
    return model_on(
        mesh,
        sides(WIDTH, 15.0),
        materials,
        loads,
        grain=grain,
        phases=list(names),
        # j = (µ⁻ - µ⁺) / R_s = h (c⁻ - c⁺): the resistance that belongs to a conductance on concentration.
        laws={"alpha|beta": law(exchange_resistance=slope / conductance, **others)},
        start=0.2,
    )


def debond(model: ElectrodeModel, share: float) -> None:
    """Spend a share of the interface's fracture energy and let the exchange know."""
    stiffness = model.laws[0].stiffness.value
    history = (1.0 - share) * 20.0 / stiffness + share * 2.0 * 0.31 / 20.0
    field = model.facet_constants.constant("history", np.full(len(model.interfaces.facets), history))
    value = model.facet_constants.value(field)
    model.facet_history.update(model.state.largest_opening, model.facet_history.projection(value))
    model.commit_exchange()


def debond_half(model: ElectrodeModel) -> None:
    """Spend half of the interface's fracture energy."""
    debond(model, 0.5)
    # Of the intact stiffness, which is a numerical one, hardly anything is left.
    assert model.mean_damage() == pytest.approx(0.9968, rel=1e-3)


def steady_fluxes(model: ElectrodeModel) -> Array:
    """Flux from the high to the low side: at the interface, and in the two layers (mean and largest deviation)."""
    solver = NewtonSolver(model, SETTINGS)
    for _ in range(6):
        solved_step(model, solver, STEP)
    share = model.facet_history.value(model.state.exchange_share)
    flux = balances.interface_flux(model.fields, model.coefficients, share, model.conductance)
    # '-' to '+' is counted; turn it into high to low by what lies on the '+' side.
    towards = ufl.sign(model.fields.concentration("-") - model.fields.concentration("+"))
    through = integral(model, flux * towards * model.dS) / WIDTH
    gradient = at_points(model, ufl.grad(model.fields.concentration))[..., 1]
    local = np.abs(gradient * np.where(model.domain.cell_grain == 0, 0.2, 0.05)[:, None])
    assert model.comm.allreduce(float(np.ptp(local)) if len(local) else 0.0, op=MPI.MAX) < 1e-10
    inside = model.comm.allreduce(float(np.max(local, initial=0.0)), op=MPI.MAX)
    high = "bottom" if reaction(model, "bottom", 1) > 0.0 else "top"
    entering = reaction(model, high, 1) / (STEP * WIDTH)
    return np.array([through, inside, entering])


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", [None, "seam on the interface"])
def test_flux_limited_by_the_interface(comm: MPI.Intracomm, cut: str | None) -> None:
    np.testing.assert_allclose(steady_fluxes(layers(comm, CONDUCTANCE, cut=cut)), FLUX, rtol=1e-8)


@pytest.mark.parallel
def test_flux_through_a_perfect_interface(comm: MPI.Intracomm) -> None:
    fluxes = steady_fluxes(layers(comm, 1e3))
    np.testing.assert_allclose(fluxes, 10.0 / (150.0 + 1e-3), rtol=1e-8)
    np.testing.assert_allclose(fluxes, OPEN_FLUX, rtol=2e-5)


@pytest.mark.parallel
def test_half_debonding_halves_the_conductance(comm: MPI.Intracomm) -> None:
    model = layers(comm, CONDUCTANCE)
    debond_half(model)
    np.testing.assert_allclose(steady_fluxes(model), HALF_FLUX, rtol=1e-8)


@pytest.mark.parallel
@pytest.mark.parametrize(("swapped", "mirrored"), [(True, False), (False, True), (True, True)])
def test_names_and_mirror_do_not_matter(comm: MPI.Intracomm, swapped: bool, mirrored: bool) -> None:
    names = ("beta", "alpha") if swapped else ("alpha", "beta")
    model = layers(comm, CONDUCTANCE, names=names, mirrored=mirrored)
    plus = model.domain.cell_grain[model.interfaces.quadruples[:, 0]]
    assert np.all(plus == (1 if swapped else 0))
    np.testing.assert_allclose(steady_fluxes(model), FLUX, rtol=1e-8)
    debond_half(model)
    np.testing.assert_allclose(steady_fluxes(model), HALF_FLUX, rtol=1e-8)


@pytest.mark.parametrize(
    ("debonded", "opening", "kept", "share"),
    [
        (0.0, 0.0, 0.0, 1.0),
        (0.0, -1e-5, 0.0, 1.0),
        # A gap passes what still holds; when nothing does, what the section does not show.
        (0.3, 2e-3, 0.0, 0.7),
        (1.0, 0.1, 0.0, 0.0),
        (1.0, 0.1, 0.25, 0.25),
        (0.4, 0.1, 0.25, 0.25 + 0.75 * 0.6),
        # 2 MPa of contact pressure against 3 MPa that restore half.
        (1.0, -1e-5, 0.0, 0.4),
        (0.5, -1e-5, 0.0, 0.5 + 0.5 * 0.4),
        (1.0, -1e-5, 0.25, 0.25 + 0.75 * 0.4),
    ],
)
def test_share_of_the_exchange_by_debonding_gap_and_pressure(
    comm: MPI.Intracomm, debonded: float, opening: float, kept: float, share: float
) -> None:
    model = layers(comm, CONDUCTANCE, open_exchange=kept, contact_pressure=3.0)
    set_displacement(model, lambda x: np.array([0.0 * x[0], 0.0 * x[0] + opening]), 1)
    debond(model, debonded)
    passed = model.facet_constants.integrals(model.facet_constants.projection(model.exchange_share))
    assert model.comm.allreduce(float(np.sum(passed))) / WIDTH == pytest.approx(share, abs=1e-7)


def test_a_numerical_stiffness_does_not_count(comm: MPI.Intracomm) -> None:
    for stiffness in (2.0e4, 2.0e5, 2.0e6):
        model = layers(comm, CONDUCTANCE, stiffness=stiffness)
        debond(model, 0.5)
        np.testing.assert_allclose(steady_fluxes(model), HALF_FLUX, rtol=1e-8)
