"""Known answer 10 for every law: energy, peak, dissipation and unloading at 0°, 45° and 90° and under changing mode."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from mpi4py import MPI

from tests.readings import residual, set_displacement
from tests.separation import Puller, elastic, leg, pair, straight
from tests.separation_laws import (
    LAWS,
    OPENING,
    POTENTIALS,
    RATIO,
    SHEAR,
    STRENGTH,
)
from tests.small import Array, box, faces, mesh_of, midpoints, model_on

# As fine at the beginning as the rise to the strength asks for.
GRADED = np.linspace(0.0, 1.0, 85)[1:] ** 2.0


def resolved(path: Array) -> Array:
    """A path from its first opening in µm that the solver's tolerance on supports, 2e-6, lets it see."""
    return path[np.linalg.norm(path, axis=1) > 5e-6]


@cache
def prepared(name: str, swapped: bool = False) -> Puller:
    """A model of each law, built once."""
    return Puller(pair(MPI.COMM_SELF, LAWS[name].law, swapped=swapped))


def puller_of(name: str, swapped: bool = False) -> Puller:
    """The model of a law at its beginning."""
    puller = prepared(name, swapped)
    puller.reset()
    return puller


def fine(path: Array, parts: int = 40) -> Array:
    """A path from the origin with every step cut into parts, for the reference to integrate."""
    corners = np.vstack([np.zeros((1, 2)), path])
    return np.vstack([corners[:1], *(leg(a, b, parts) for a, b in pairwise(corners))])


def breaks(puller: Puller, path: Array) -> None:
    """Follow a path to where nothing holds any more, on which nothing heals."""
    measured = [(0.0, 0.0, 0.0)]
    for opening in path:
        puller.to(*opening)
        measured.append((puller.damage, puller.dissipated, puller.debonded))
    damage, spent, debonded = np.array(measured).T
    assert np.all(np.diff(damage) >= -1e-13) and damage[-1] == pytest.approx(1.0, abs=1e-6)
    assert np.all(np.diff(spent) >= -1e-12)
    assert np.all(np.diff(debonded) >= -1e-12) and debonded[-1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("degrees", [0.0, 45.0, 90.0])
@pytest.mark.parametrize("name", LAWS)
def test_straight_separation(name: str, degrees: float) -> None:
    reference = LAWS[name]
    puller = puller_of(name)
    path = resolved(
        straight(degrees, 1.001 * reference.final / max(np.cos(np.deg2rad(degrees)), 0.7) * GRADED)
    )
    breaks(puller, path)
    tractions = np.array(puller.tractions[1:])
    np.testing.assert_allclose(tractions, reference.tractions(path), atol=1e-3 * STRENGTH)
    energy = reference.work(fine(path))
    if degrees != 45.0:
        law = reference.law
        given = law.fracture_energy if degrees == 0.0 else law.shear_fracture_energy or law.fracture_energy
        assert given is not None
        assert energy == pytest.approx(given.value, rel=1e-4)
        peak = STRENGTH * (1.0 if degrees == 0.0 else RATIO)
        assert tractions.max() == pytest.approx(peak, rel=1e-2) and tractions.max() < peak * (1 + 1e-4)
    assert puller.work == pytest.approx(energy, rel=2e-3)
    # A broken interface has dissipated what it cost to break, and all of that was fracture.
    assert puller.dissipated == pytest.approx(energy, rel=1e-3)
    assert puller.stored < 1e-4 * energy and puller.viscous < 1e-6 * energy


@pytest.mark.parametrize("first", ["opening", "shear"])
@pytest.mark.parametrize("name", LAWS)
def test_changing_mode(name: str, first: str) -> None:
    """Open part of the way, then slide until it breaks; and the reverse.

    With a potential that is Ψ(a, δ̄t) after an opening of a, and Ψ(δ̄n, b) after sliding by b.
    """
    reference = LAWS[name]
    part = 0.1 * reference.final
    corner = np.array([part, 0.0] if first == "opening" else [0.0, part])
    end = np.array([part, 1.001 * reference.final] if first == "opening" else [1.001 * reference.final, part])
    shares = GRADED[1::2, None]
    path = resolved(np.vstack([shares * corner, corner + shares * (end - corner)]))
    puller = puller_of(name)
    breaks(puller, path)
    energy = reference.work(fine(path))
    if name in POTENTIALS:
        law = POTENTIALS[name]
        closed = law.potential(part, law.delta_t) if first == "opening" else law.potential(law.delta_n, part)
        assert energy == pytest.approx(closed, rel=1e-4)
    np.testing.assert_allclose(puller.tractions[1:], reference.tractions(path), atol=1e-3 * STRENGTH)
    assert puller.work == pytest.approx(energy, rel=5e-3)
    assert puller.dissipated == pytest.approx(energy, rel=1e-3)
    assert puller.stored < 1e-4 * energy
    assert OPENING * (1 - 1e-3) < energy < SHEAR * (1 + 2e-2)


@pytest.mark.parametrize("degrees", [0.0, 45.0, 90.0])
@pytest.mark.parametrize("name", LAWS)
def test_unloading_goes_through_the_origin(name: str, degrees: float) -> None:
    reference = LAWS[name]
    far = 0.15 * reference.final
    puller = puller_of(name)
    loaded = puller.along(straight(degrees, far * np.linspace(0.0, 1.0, 40)[1:]))[-1]
    damage, spent = puller.damage, puller.dissipated
    assert 0.1 < damage < 1.0 and spent > 0.0
    for share in (0.6, 0.1, 0.0, 0.4, 1.0):
        traction = puller.to(*straight(degrees, [share * far])[0])
        np.testing.assert_allclose(traction, share * loaded, atol=3e-4 * STRENGTH)
        assert puller.damage == pytest.approx(damage, rel=1e-10)
        assert puller.dissipated == pytest.approx(spent, rel=1e-8)
    # Going on meets the envelope again.
    beyond = straight(degrees, [1.5 * far])
    np.testing.assert_allclose(
        puller.to(*beyond[0]), reference.tractions(fine(beyond))[-1], atol=1e-3 * STRENGTH
    )
    # In the other mode it stays damaged as well.
    damage = puller.damage
    puller.to(0.0, 0.0)
    other = puller.to(*straight(90.0 - degrees, [0.02 * far])[0])
    assert puller.damage >= damage * (1.0 - 1e-10)
    virgin = puller_of(name).to(*straight(90.0 - degrees, [0.02 * far])[0])
    assert np.all(np.abs(other) <= np.abs(virgin) + 1e-4)


@pytest.mark.parametrize("name", LAWS)
def test_contact_of_a_broken_interface(name: str) -> None:
    reference = LAWS[name]
    puller = puller_of(name)
    puller.along(straight(20.0, 1.1 * reference.final / np.cos(0.35) * np.linspace(0.0, 1.0, 20)[1:]))
    assert puller.damage == pytest.approx(1.0, abs=1e-3)
    # Slid far, faces are paired anew as they stand at the beginning of a step: back to where they were first.
    assert abs(puller.to(0.05 * reference.final)[0]) < 1e-3 * STRENGTH
    depth = 1e-4
    np.testing.assert_allclose(puller.to(-depth, 0.0), [-2.0e5 * depth, 0.0], atol=1e-2)
    assert abs(puller.to(0.01 * reference.final)[0]) < 1e-3 * STRENGTH


@pytest.mark.parametrize("name", LAWS)
def test_the_sides_may_be_swapped(name: str) -> None:
    """'+' and '-' exchanged: the same tractions, energies and damage, along a path that turns round every corner."""
    reference = LAWS[name]
    far = 0.2 * reference.final
    corners = [(0.5, 0.0), (0.5, 0.7), (-1e-3, 0.7), (0.1, -0.9), (1.0, 0.3), (0.0, 0.0)]
    path = np.vstack([leg(a, b, 5) for a, b in zip([(0.0, 0.0), *corners[:-1]], corners, strict=True)]) * far
    one, other = puller_of(name), puller_of(name, swapped=True)
    for opening in path:
        one.to(*opening)
        other.to(*opening)
    # Rounding of the blocks' stiffness, 1e9 MPa, in sums of forces.
    np.testing.assert_allclose(one.tractions, other.tractions, atol=1e-4)
    assert one.damage == pytest.approx(other.damage, rel=1e-9)
    assert one.dissipated == pytest.approx(other.dissipated, rel=1e-9)


@pytest.mark.parallel
@pytest.mark.parametrize("name", ["bilinear, power", "exponential", "ppr, tough in shear"])
def test_any_number_of_ranks(comm: MPI.Intracomm, name: str) -> None:
    """The reference's tractions, the same energies and damage on every number of ranks."""
    reference = LAWS[name]
    puller = Puller(pair(comm, reference.law))
    path = resolved(straight(30.0, 1.2 * reference.final * GRADED[::4]))
    tractions = puller.along(path)
    np.testing.assert_allclose(tractions, reference.tractions(path), atol=1e-3 * STRENGTH)
    assert puller.dissipated == pytest.approx(reference.work(fine(path)), rel=1e-2)
    assert puller.damage == pytest.approx(1.0, abs=1e-4) and puller.debonded == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", LAWS)
def test_energy_with_relaxed_growth(name: str) -> None:
    """Damage that lags by two steps: work is stored, fracture and viscous dissipation, none of them negative."""
    reference = LAWS[name]
    puller = puller_of(name)
    viscous = [0.0]
    try:
        puller.model.relaxation_ratio = 2.0
        for opening in resolved(straight(45.0, 1.1 * reference.final * GRADED[1::2])):
            puller.to(*opening)
            viscous.append(puller.viscous)
    finally:
        puller.model.relaxation_ratio = 0.0
    assert puller.work == pytest.approx(puller.stored + puller.dissipated + puller.viscous, rel=1e-2)
    assert np.all(np.diff(viscous) >= -1e-12) and puller.viscous > 0.2 * puller.dissipated


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bilinear, power", "exponential, power", "ppr, tough in shear"])
def test_separation_in_three_dimensions(name: str) -> None:
    """A cube of two grains, moved apart at an angle to all axes without being strained."""
    reference, tilt, turn = LAWS[name], 0.7, 0.4
    mesh = mesh_of(MPI.COMM_SELF, *box(2, 1.0))
    model = model_on(
        mesh,
        faces(1.0),
        [elastic("alpha", 1e3), elastic("beta", 1e3)],
        grain=(midpoints(mesh)[:, 2] > 0.5).astype(np.int32),
        phases=["alpha", "beta"],
        laws={"alpha|beta": reference.law},
    )
    direction = np.array([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)])
    upper = model.state.dofs.cell_displacement[model.domain.cell_grain == 1]
    path = 1.3 * reference.final * GRADED[1::2]
    forces = []
    for distance in path:
        model.prepare_step(1.0)
        for grain in (0, 1):
            shift = grain * distance * direction
            set_displacement(model, lambda x, s=shift: s[:, None] * np.ones_like(x[:1]), grain)
        values = residual(model)
        forces.append([np.sum(values[np.unique(upper[..., axis])]) for axis in range(3)])
        model.commit()
    expected = reference.tractions(straight(np.rad2deg(tilt), path))
    across = np.array([np.cos(turn), np.sin(turn), 0.0])
    np.testing.assert_allclose(np.array(forces)[:, 2], expected[:, 0], atol=1e-6 * STRENGTH)
    np.testing.assert_allclose(np.array(forces) @ across, expected[:, 1], atol=1e-6 * STRENGTH)
    spent = model.facet_constants.projection(model.history_value.dissipated)
    energy = reference.work(fine(straight(np.rad2deg(tilt), path)))
    assert np.sum(model.facet_constants.integrals(spent)) == pytest.approx(energy, rel=1e-3)
