"""Crack risk of bodies with known stress: tension, bending, compression, a lithiating sphere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from scipy.integrate import quad

from fem.crack_risk import CrackRisk
from fem.loads import Load, Prescribed, Support
from fem.materials.base import Brittleness, Material
from fem.model import ElectrodeModel
from fem.output import FieldWriter
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import rates
from tests.small import (
    TIGHT,
    grid,
    host,
    law,
    mesh_of,
    midpoints,
    model_on,
    octant,
    p,
    sides,
    solved_step,
    spherical,
)

YOUNG, POISSON = 15e3, 0.3


def brittle(
    material: Material,
    modulus: float = 6.0,
    strength: float = 50.0,
    threshold: float = 0.0,
    volume: float = 3.0,
    toughness: float = 80.0,
    flaw: float = 0.05,
) -> Material:
    """The material with a way to crack."""
    numbers = (modulus, strength, threshold, volume, toughness, 1.12, flaw)
    return replace(material, fracture=Brittleness(*(p(number) for number in numbers)))


def stretched_stress(stretch: float) -> float:
    """Cauchy stress along the only direction that is stretched, of the law in fem/constitutive.py."""
    shear, bulk = YOUNG / 2.0 / (1.0 + POISSON), YOUNG / 3.0 / (1.0 - 2.0 * POISSON)
    deviator = stretch ** (-2.0 / 3.0) * (stretch**2 - (stretch**2 + 2.0) / 3.0)
    return (bulk / 2.0 * (stretch**2 - 1.0) + shear * deviator) / stretch


def column(comm: MPI.Intracomm, materials: list[Material], seam: float) -> ElectrodeModel:
    """6 × 4 µm held at the sides, lifted at the top; two phases meet at the height ``seam`` in a stiff tie."""
    mesh = mesh_of(comm, *grid(6, 4, 6.0, 4.0))
    loads: list[Load] = [
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Support("top", 1, "lift"),
    ]
    return model_on(
        mesh,
        sides(6.0, 4.0),
        materials,
        loads,
        grain=(midpoints(mesh)[:, 1] > seam).astype(np.int32),
        phases=[material.phase for material in materials],
        laws={"alpha|beta": law(None, None, stiffness=1e9, contact_stiffness=1e9)},
    )


def lifted(model: ElectrodeModel, solver: NewtonSolver, lift: float) -> None:
    model.control("lift").value = lift
    solved_step(model, solver, 1.0)


@pytest.mark.parallel
def test_uniform_tension(comm: MPI.Intracomm) -> None:
    below = brittle(host("alpha", youngs_modulus=YOUNG), flaw=0.05)
    above = brittle(
        host("beta", youngs_modulus=YOUNG), modulus=3.0, strength=80.0, threshold=20.0, volume=5.0, flaw=1e3
    )
    model = column(comm, [below, above], seam=3.0)
    solver = NewtonSolver(model, TIGHT)
    lifted(model, solver, 0.01)
    # The tie gives way by 5e-8 µm: a few parts in 1e6 of the stress.
    stress = stretched_stress(1.0 + 0.01 / 4.0)
    risk = CrackRisk(model)
    assert risk.phases == ("alpha", "beta")
    # Depth and largest flaw go by the circle of the grain's area.
    np.testing.assert_allclose(risk.diameter, [np.sqrt(72.0 / np.pi), np.sqrt(24.0 / np.pi)], rtol=1e-12)
    expected = np.array(
        [
            18.0 * risk.diameter[0] / 3.0 * (stress / 50.0) ** 6.0,
            6.0 * risk.diameter[1] / 5.0 * ((stress - 20.0) / 80.0) ** 3.0,
        ]
    )
    grains = risk.grains()
    np.testing.assert_allclose(grains.hazard, expected, rtol=1e-4)
    factor = 1.12 * np.sqrt(np.pi * np.array([0.05, risk.diameter[1]])) / 80.0
    np.testing.assert_allclose(grains.intensity, factor * stress, rtol=1e-5)
    row = risk.row()
    for number, phase in enumerate(("alpha", "beta")):
        probability = 1.0 - np.exp(-expected[number])
        assert row[f"crack_probability_{phase}"] == pytest.approx(probability, rel=1e-4)
        assert row[f"cracked_grains_{phase}"] == pytest.approx(probability, rel=1e-4)
        assert row[f"stress_intensity_ratio_{phase}"] == pytest.approx(factor[number] * stress, rel=1e-5)
    local = risk.cell_intensity()
    np.testing.assert_allclose(local, factor[model.domain.cell_grain[: len(local)]] * stress, rtol=1e-5)


@pytest.mark.parallel
def test_the_maps_show_what_the_table_says(comm: MPI.Intracomm) -> None:
    model = column(comm, [brittle(host("alpha", youngs_modulus=YOUNG)), host("beta")], seam=3.0)
    lifted(model, NewtonSolver(model, TIGHT), 0.01)
    row, section = CrackRisk(model).row(), FieldWriter(model, Path()).section()
    assert (section is None) == (comm.rank > 0)
    if section is None:
        return
    judged = section["grain"] == 0
    for name, number in (
        ("crack_probability", "crack_probability"),
        ("stress_intensity", "stress_intensity_ratio"),
    ):
        values = section[name]  # type: ignore[literal-required]
        np.testing.assert_allclose(values[judged], row[f"{number}_alpha"], rtol=1e-5)
        assert np.all(values[~judged] == 0.0)


@pytest.mark.parallel
def test_many_grains_of_one_phase(comm: MPI.Intracomm) -> None:
    material = brittle(host("alpha", youngs_modulus=YOUNG), strength=160.0)
    mesh = mesh_of(comm, *grid(6, 4, 6.0, 4.0))
    x = midpoints(mesh)[:, 0]
    loads = [Support("bottom", 1), Support("left", 0), Support("right", 0), Support("top", 1, "lift")]
    model = model_on(
        mesh,
        sides(6.0, 4.0),
        [material],
        loads,
        grain=((x > 1.0).astype(np.int32) + (x > 3.0)),
        phases=["alpha"] * 3,
        laws={"alpha|alpha": law(None, None, stiffness=1e9, contact_stiffness=1e9)},
    )
    lifted(model, NewtonSolver(model, TIGHT), 0.02)
    area = np.array([4.0, 8.0, 12.0])
    hazard = area * np.sqrt(4.0 * area / np.pi) / 3.0 * (stretched_stress(1.005) / 160.0) ** 6.0
    row = CrackRisk(model).row()
    # Any one of them, and the expected share of them.
    assert row["crack_probability_alpha"] == pytest.approx(1.0 - np.exp(-hazard.sum()), rel=1e-5)
    assert row["cracked_grains_alpha"] == pytest.approx(np.mean(1.0 - np.exp(-hazard)), rel=1e-5)


def test_hydrostatic_compression_cracks_nothing(comm: MPI.Intracomm) -> None:
    mesh = mesh_of(comm, *grid(4, 4, 4.0, 4.0))
    loads = [Prescribed(None, 0, lambda x: -0.01 * x[:2])]
    model = model_on(mesh, sides(4.0, 4.0), [brittle(host())], loads)
    solved_step(model, NewtonSolver(model, TIGHT), 1.0)
    risk = CrackRisk(model)
    assert set(risk.row().values()) == {0.0}
    assert np.all(risk.cell_intensity() == 0.0)


def bent(comm: MPI.Intracomm, count: int, modulus: float, curvature: float) -> ElectrodeModel:
    """A beam of 8 × 2 µm between prescribed faces of pure bending in plane strain."""
    mesh = mesh_of(comm, *grid(2 * count, count, 8.0, 2.0))

    def bending(x: np.ndarray) -> np.ndarray:
        along, up = x[0] - 4.0, x[1] - 1.0
        return np.array(
            [-curvature * along * up, curvature / 2.0 * (along**2 + POISSON / (1.0 - POISSON) * up**2)]
        )

    loads = [Prescribed(boundary, 0, bending) for boundary in ("left", "right", "top", "bottom")]
    material = brittle(host(youngs_modulus=YOUNG, poisson_ratio=POISSON), modulus, strength=0.01, volume=1.0)
    return model_on(mesh, sides(8.0, 2.0), [material], loads)


def test_pure_bending(comm: MPI.Intracomm) -> None:
    curvature, modulus = 1e-6, 5.0
    largest = YOUNG / (1.0 - POISSON**2) * curvature  # at the outer fibre, 1 µm from the middle
    depth = np.sqrt(4.0 * 16.0 / np.pi)
    # ∫ over the half in tension of (s y)^m.
    expected = 8.0 * depth * (largest / 0.01) ** modulus / (modulus + 1.0)
    errors, intensities = [], []
    counts = (4, 8, 16)
    for count in counts:
        model = bent(comm, count, modulus, curvature)
        settings = replace(TIGHT, force_tolerance=1e-11, displacement_tolerance=1e-12)
        solved_step(model, NewtonSolver(model, settings), 1.0)
        risk = CrackRisk(model)
        errors.append(abs(risk.grains().hazard[0] / expected - 1.0))
        intensities.append(risk.grains().intensity[0] / (1.12 * np.sqrt(np.pi * 0.05) * largest / 80.0))
    assert errors[-1] < 2e-3
    assert min(rates(errors, [1.0 / count for count in counts])) > 1.8
    # The outermost point of the quadrature lies a sixth of a cell inside: one minus h / 6 per half height.
    np.testing.assert_allclose(intensities, [1.0 - 2.0 / count / 6.0 for count in counts], rtol=1e-3)


@pytest.mark.parallel
def test_the_largest_risk_so_far_counts_and_a_rejected_step_leaves_no_trace(comm: MPI.Intracomm) -> None:
    materials = [brittle(host("alpha", youngs_modulus=YOUNG)), host("beta", youngs_modulus=YOUNG)]
    model = column(comm, materials, seam=2.0)
    solver, risk = NewtonSolver(model, TIGHT), CrackRisk(model)
    assert risk.phases == ("alpha",)
    rows = [risk.row()]
    for lift in (0.004, 0.01, -0.02, 0.008):
        lifted(model, solver, lift)
        rows.append(risk.row())
    numbers = np.array([list(row.values()) for row in rows])
    assert np.all(numbers[0] == 0.0) and np.all(np.diff(numbers[:3], axis=0) > 0.0)
    assert rows[2] == rows[3] == rows[4]
    before = model.state.snapshot()
    model.control("lift").value = 0.03
    model.prepare_step(1.0)
    assert solver.solve().converged
    assert risk.row()["stress_intensity_ratio_alpha"] > 2.0 * rows[4]["stress_intensity_ratio_alpha"]
    model.state.restore(before)
    assert risk.row() == rows[4]
    # Of a stretched grain without a way to crack nothing is kept.
    kept = model.state.largest_tension.x.array[
        np.asarray(model.state.largest_tension.function_space.dofmap.list)
    ]
    assert np.all(kept[model.domain.cell_grain == 1] == 0.0)


@pytest.mark.parallel
def test_a_lithiating_sphere(comm: MPI.Intracomm) -> None:
    """Steady influx leaves σr = A (R² - r²) ≥ σθ: the middle is pulled apart (known answer 3)."""
    radius, capacity, diffusivity, influx, volume = 5.0, 31.36, 0.24, 1.4519e-3, 4.2e-5
    slope = volume * YOUNG * influx / (15.0 * (1.0 - POISSON) * diffusivity * radius)  # A in MPa/µm²
    modulus, strength = 4.0, slope * radius**2
    material = brittle(
        host(
            youngs_modulus=YOUNG,
            poisson_ratio=POISSON,
            swelling=volume * capacity,
            capacity=capacity,
            diffusivity=diffusivity,
        ),
        modulus,
        strength,
        volume=radius**3,
    )
    # An octant is an eighth of the sphere; its diameter is that of the sphere of the octant's volume.
    expected = quad(lambda r: (1.0 - r**2) ** modulus * np.pi / 2.0 * r**2, 0.0, 1.0)[0]
    errors, counts = [], (4, 6, 8)
    for count in counts:
        mesh = mesh_of(comm, *octant(count, radius))
        supports = [Support("left", 0), Support("front", 1), Support("bottom", 2)]
        model = model_on(mesh, spherical(radius), [material], supports)
        solver = NewtonSolver(model, SolverSettings(force_tolerance=1e-10, lithium_tolerance=1e-12))
        model.control("influx").value = influx
        for _ in range(4):
            solved_step(model, solver, radius**2 / diffusivity)
        risk = CrackRisk(model)
        errors.append(risk.grains().hazard[0] / expected - 1.0)
        middle = 1.12 * np.sqrt(np.pi * 0.05) * strength / 80.0
        assert risk.grains().intensity[0] == pytest.approx(middle, rel=0.1)
        assert risk.diameter[0] == pytest.approx(radius, rel=0.04)
    assert abs(errors[-1]) < 0.12
    assert min(rates(np.abs(errors), [1.0 / count for count in counts])) > 1.3
    # Extrapolated from three meshes, f0 + a h² + b h⁴.
    powers = np.array([[1.0, count**-2.0, count**-4.0] for count in counts])
    assert float(np.linalg.solve(powers, errors)[0]) == pytest.approx(0.0, abs=0.02)
