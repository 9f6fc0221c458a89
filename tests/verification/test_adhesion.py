"""Adhesion tests against closed forms: pull-off of a block, cantilever beam, peel of a flexible arm, in any section.

A beam of height h on a rigid, clamped base, its end pulled away: with G = 6 (F a)² / (E' h³) = Gc and
δ = 4 F a³ / (E' h³) the crack length drops out, also its correction for the rotation at the crack's tip:

    F² δ = 4 (Gc / 6)^(3/2) √(E' h³).

An arm that is flexible and does not stretch, pulled at a right angle, takes F = Gc per width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.adhesion import PULL, STEADY, Curve, Pull, elastic_loss, pull, steady_energy
from fem.interfaces.law import InterfaceLaw
from fem.loads import Support
from fem.materials.base import Material
from fem.model import ElectrodeModel
from fem.section import Section, hold_elsewhere, section_above
from fem.solver import SolverSettings
from run.adhesion import findings
from tests.readings import set_displacement
from tests.small import grid, host, law, mesh_of, midpoints, model_on, overstress, sides

PLANE_STRAIN = 1.0 - 0.3**2
LAYERS = ("alpha", "beta", "alpha")


def layered(
    columns: int,
    heights: Sequence[tuple[float, int]],
    length: float,
    materials: Sequence[Material],
    laws: dict[str, InterfaceLaw],
    phases: Sequence[str] = LAYERS,
    start: Mapping[str, float] | float = 0.1,
) -> ElectrodeModel:
    """Layers of given heights and rows of cells on a clamped base, sides on rollers."""
    levels = [0.0]
    for height, rows in heights:
        levels += list(levels[-1] + height * np.arange(1, rows + 1) / rows)
    points, cells = grid(columns, len(levels) - 1, length, float(len(levels) - 1))
    points[:, 1] = np.interp(points[:, 1], np.arange(len(levels)), levels)
    mesh = mesh_of(MPI.COMM_WORLD, points, cells)
    tops = np.cumsum([height for height, _ in heights])
    grain = np.searchsorted(tops, midpoints(mesh)[:, 1]).astype(np.int32)
    loads = [Support("bottom", 0), Support("bottom", 1), Support("left", 0), Support("right", 0)]
    return model_on(
        mesh,
        sides(length, levels[-1]),
        materials,
        loads,
        grain=grain,
        phases=list(phases[: len(heights)]),
        laws=laws,
        start=start,
    )


def beam(
    columns: int, rows: int, length: float, height: float, young: float, bond: InterfaceLaw
) -> ElectrodeModel:
    """A beam on a base that is a hundred times stiffer."""
    materials = [host("alpha", youngs_modulus=100.0 * young), host("beta", youngs_modulus=young)]
    return layered(columns, [(0.5, 1), (height, rows)], length, materials, {"alpha|beta": bond})


def lowest(model: ElectrodeModel) -> Section:
    """The section above the lowest layer."""
    return section_above(model, "base", np.arange(len(model.domain.grains)) < 1)


def parts(row: dict[str, float]) -> float:
    """All that the work went into."""
    return sum(
        value for name, value in row.items() if name.endswith("_J_m2") and name != "external_work_J_m2"
    )


def column(curve: Curve, name: str) -> np.ndarray:
    return np.array([row[name] for row in curve.rows])


@pytest.mark.parallel
def test_pulled_off_a_block_takes_its_fracture_energy_and_strength() -> None:
    model = beam(8, 2, 8.0, 2.0, 15e3, law(20.0, 0.31))
    section = lowest(model)
    assert (section.area, section.width) == (pytest.approx(8.0), pytest.approx(8.0))
    curve = pull(model, section, Pull(farthest=0.2, largest=1e-3, damage_change=0.01), SolverSettings())
    assert curve.complete and "the force has gone" in curve.reason
    end = curve.rows[-1]
    assert column(curve, "force_N_m").max() / section.width == pytest.approx(20.0, rel=0.015)
    assert end["external_work_J_m2"] == pytest.approx(0.31, rel=5e-3)
    assert end["cohesive_J_m2"] == pytest.approx(0.31, rel=5e-3)
    assert end["debonded_share"] == pytest.approx(1.0, abs=5e-3)
    assert parts(end) == pytest.approx(end["external_work_J_m2"], rel=5e-3)


def test_a_body_that_pushes_on_the_grip_at_first_is_pulled_off_all_the_same() -> None:
    """Gripped while it is pressed: a force below zero does not mean that the force has gone."""
    model = beam(8, 2, 8.0, 2.0, 15e3, law(20.0, 0.31))
    set_displacement(model, lambda x: np.stack([0.0 * x[0], -5e-4 * (x[1] - 0.5)]), 1)
    model.state.previous.x.array[:] = model.state.unknowns.x.array
    curve = pull(model, lowest(model), Pull(farthest=0.2, largest=1e-3, damage_change=0.01), SolverSettings())
    force = column(curve, "force_N_m") / 8.0
    assert force[1] < -1.0
    assert curve.complete and "the force has gone" in curve.reason
    assert force.max() == pytest.approx(20.0, rel=0.015)
    assert curve.rows[-1]["cohesive_J_m2"] == pytest.approx(0.31, rel=5e-3)


def test_what_broken_bonds_carry_by_numbers_does_not_keep_a_test_going() -> None:
    """Springs that are left, 2 % of the strength at the end: counted in the force, but not in what holds."""
    stiffness = 10.0
    model = beam(8, 2, 8.0, 2.0, 15e3, law(20.0, 0.31, residual_stiffness=stiffness))
    curve = pull(model, lowest(model), Pull(farthest=0.2, largest=1e-3, damage_change=0.01), SolverSettings())
    end = curve.rows[-1]
    assert curve.complete and not curve.apart and "the force has gone" in curve.reason
    assert end["cohesive_J_m2"] == pytest.approx(0.31, rel=5e-3)
    # The block is next to rigid against them: they are stretched by the way of the grip.
    assert end["idle_force_N_m"] / 8.0 == pytest.approx(stiffness * end["way_um"], rel=0.01)
    assert end["idle_force_N_m"] > 0.005 * column(curve, "force_N_m").max()
    assert end["force_N_m"] == pytest.approx(end["idle_force_N_m"], abs=0.005 * 20.0 * 8.0)


def test_of_a_body_that_is_apart_it_is_said_that_nothing_holds() -> None:
    """A bond of half a kPa that is gone at once: the test ends long before its way does, with bounds."""
    weak = law(5.0e-4, 1.0e-8, stiffness=1.0e3, residual_stiffness=1.0e-3)
    model = beam(8, 2, 8.0, 2.0, 15e3, weak)
    how = Pull(farthest=1.0, largest=5e-3, damage_change=1.0)
    section = lowest(model)
    curve = pull(model, section, how, SolverSettings())
    end = curve.rows[-1]
    assert curve.complete and curve.apart
    assert "no bond of the section is left" in curve.reason and "pushes" not in curve.reason
    assert 0.05 < end["way_um"] < 0.06
    # The forces of the grip are as exact as the solver is told to be.
    assert end["idle_force_N_m"] == pytest.approx(1.0e-3 * end["way_um"] * 8.0, rel=1e-6)
    found = findings(model, section, curve, how)
    assert found["nothing_holds"] and found["strength_MPa"] == PULL
    assert found["work_J_m2"] < found["work_of_separation_J_m2"] == pytest.approx(PULL * end["way_um"])


def test_a_body_that_is_apart_elsewhere_does_not_load_its_section() -> None:
    """The bond above the section is gone and drags by some kPa: the test says so after a tenth of a micrometre."""
    materials = [host(name, youngs_modulus=15e3) for name in ("alpha", "beta", "gamma")]
    gone = law(5.0e-4, 1.0e-8, stiffness=1.0e3, residual_stiffness=0.1)
    laws = {"alpha|beta": law(20.0, 0.31), "beta|gamma": gone}
    names = ("alpha", "beta", "gamma")
    model = layered(4, [(0.5, 1), (1.0, 1), (1.0, 1)], 4.0, materials, laws, names)
    how = Pull(farthest=1.0, largest=5e-3, damage_change=1.0)
    section = lowest(model)
    curve = pull(model, section, how, SolverSettings())
    end = curve.rows[-1]
    assert curve.complete and not curve.apart and "the body is apart elsewhere" in curve.reason
    assert 0.1 < end["way_um"] < 0.11
    assert findings(model, section, curve, how)["strength_MPa"] == pytest.approx(
        0.1 * end["way_um"], rel=0.05
    )
    # Bonds of the section that let go under next to nothing do not keep the test going for long.
    laws["alpha|beta"] = law(3.0e-3, 1.5e-3, stiffness=1.0)
    model = layered(4, [(0.5, 1), (1.0, 1), (1.0, 1)], 4.0, materials, laws, names)
    section = lowest(model)
    curve = pull(model, section, how, SolverSettings())
    assert curve.rows[-1]["debonded_share"] > 0.01 and not curve.complete
    assert 0.3 < curve.rows[-1]["way_um"] < 0.31 and "flows or drags" in curve.reason
    held = column(curve, "force_N_m") - column(curve, "idle_force_N_m")
    assert held.max() / section.width == pytest.approx(3.0e-3, rel=0.05)
    # Where it drags by more than such a test can be weak, it goes on.
    laws["alpha|beta"] = law(20.0, 0.31)
    laws["beta|gamma"] = law(5.0e-4, 1.0e-8, stiffness=1.0e3, residual_stiffness=1.0)
    model = layered(4, [(0.5, 1), (1.0, 1), (1.0, 1)], 4.0, materials, laws, names)
    curve = pull(model, lowest(model), replace(how, farthest=0.4), SolverSettings())
    assert "the grip has moved 0.4 um" in curve.reason and not curve.complete


def test_a_layer_that_flows_adds_its_plastic_work() -> None:
    """The bond holds 20 MPa, the layer beside it flows at 12 MPa: what it takes is found in that phase alone."""
    soft = host("beta", youngs_modulus=8e3, poisson_ratio=0.38, flow=overstress(0.0, 0.0, 12.0, 0.05, 6.0))
    materials = [host("alpha", youngs_modulus=50e3), soft]
    model = layered(4, [(0.5, 1), (0.5, 1)], 2.0, materials, {"alpha|beta": law(20.0, 0.31)})
    # Free sides, so that the layer can flow at all.
    model.constraints = model.constraints[:2]
    curve = pull(model, lowest(model), Pull(speed=0.1, farthest=0.5, largest=2e-3), SolverSettings())
    end = curve.rows[-1]
    assert curve.complete, curve.reason
    assert end["plastic_beta_J_m2"] > 0.05 * end["cohesive_J_m2"]
    assert end["plastic_alpha_J_m2"] == 0.0
    assert end["cohesive_J_m2"] == pytest.approx(0.31, rel=0.015)
    assert parts(end) == pytest.approx(end["external_work_J_m2"], rel=1e-2)


@pytest.mark.parametrize("fineness", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_cantilever_beam(fineness: int) -> None:
    energy, young, height = 0.3, 1e4, 1.0
    model = beam(24 * fineness, 2 * fineness, 12.0, height, young, law(30.0, energy))
    section = lowest(model)
    curve = pull(model, section, Pull("peel", farthest=2.0, largest=0.01), SolverSettings())
    assert curve.complete, curve.reason
    share = column(curve, "debonded_share")
    invariant = column(curve, "force_N_m") ** 2 * column(curve, "way_um")
    exact = 4.0 * (energy / 6.0) ** 1.5 * (young / PLANE_STRAIN * height**3) ** 0.5
    # From where the beam is long against its height to where its far end is felt.
    long = (share > 0.4) & (share < 0.72)
    assert np.mean(invariant[long]) / exact == pytest.approx(1.0, abs={1: 0.035, 2: 0.025}[fineness])
    assert np.std(invariant[long]) / exact < {1: 0.03, 2: 0.015}[fineness]
    assert steady_energy(curve, section) == pytest.approx(energy, rel=5e-3)
    assert parts(curve.rows[-1]) == pytest.approx(curve.rows[-1]["external_work_J_m2"], rel=5e-3)


def test_peel_of_a_flexible_arm() -> None:
    energy = 0.3
    # A bond soft enough that its cohesive zone spans several cells; the arm bends within 0.8 um.
    model = beam(32, 1, 8.0, 0.1, 2e3, law(3.0, energy))
    section = lowest(model)
    how = Pull("peel", farthest=9.0, largest=0.05, damage_change=0.05)
    curve = pull(model, section, how, SolverSettings())
    assert curve.complete, curve.reason
    share, force = column(curve, "debonded_share"), column(curve, "force_N_m")
    steady = (share > STEADY[0]) & (share < STEADY[1])
    assert np.mean(force[steady]) == pytest.approx(energy, rel=0.04)
    assert steady_energy(curve, section) == pytest.approx(energy, rel=0.03)
    assert abs(elastic_loss(curve.rows[-1])) < 0.02 * energy


def test_the_section_decides_where_it_comes_apart() -> None:
    """The upper bond is weaker, but only that of the section may break; without holding it, it is the one that does."""
    materials = [host("alpha", youngs_modulus=15e3), host("beta", youngs_modulus=15e3)]
    laws = {"alpha|beta": law(20.0, 0.31), "beta|gamma": law(10.0, 0.1)}
    works = []
    for hold in (True, False):
        model = layered(
            4,
            [(0.5, 1), (1.0, 1), (1.0, 1)],
            4.0,
            [*materials, host("gamma", youngs_modulus=15e3)],
            laws,
            ("alpha", "beta", "gamma"),
        )
        section = lowest(model)
        if hold:
            hold_elsewhere(model, section)
        curve = pull(model, section, Pull(farthest=0.2, largest=2e-3), SolverSettings())
        assert curve.complete, curve.reason
        works.append((curve.rows[-1]["cohesive_J_m2"], curve.rows[-1]["debonded_share"]))
    assert works[0] == (pytest.approx(0.31, rel=6e-3), pytest.approx(1.0, abs=6e-3))
    assert works[1] == (pytest.approx(0.1, rel=6e-3), pytest.approx(0.0, abs=1e-9))


def test_an_interface_that_is_held_keeps_the_damage_it_has() -> None:
    model = beam(4, 1, 4.0, 1.0, 15e3, law(20.0, 0.31))
    section = lowest(model)
    begun = pull(model, section, Pull(farthest=0.02, largest=2e-3), SolverSettings())
    share = begun.rows[-1]["debonded_share"]
    assert 0.3 < share < 0.9
    before = model.mean_damage()
    nothing = Section("nowhere", section.below, np.zeros_like(section.facets), section.area, section.width)
    hold_elsewhere(model, nothing)
    assert model.mean_damage() == pytest.approx(before, rel=1e-12)
    model.constraints.pop()
    further = pull(model, section, Pull(farthest=0.03, largest=2e-3), SolverSettings())
    # With the stiffness that is left the force goes on in proportion to the way.
    force, way = column(further, "force_N_m"), column(further, "way_um")
    slope = np.diff(force)[1:] / np.diff(way)[1:]
    assert slope.min() > 0.0 and slope.max() / slope.min() < 1.02
    assert model.mean_damage() == pytest.approx(before, rel=1e-12)


def test_lithium_that_moves_during_the_test_does_work() -> None:
    """The upper layer swells by what comes from the lower one: it pushes on the grip, and the book still closes."""
    materials = [host("alpha", swelling=0.02), host("beta", swelling=0.2)]
    bond = law(20.0, 0.31, exchange_resistance=2.0)
    full = {"alpha": 0.4, "beta": 0.1}
    model = layered(4, [(1.0, 2), (1.0, 2)], 4.0, materials, {"alpha|beta": bond}, start=full)
    curve = pull(model, lowest(model), Pull(farthest=0.4, largest=1e-3, damage_change=0.01), SolverSettings())
    end = curve.rows[-1]
    assert curve.complete, curve.reason
    assert abs(end["chemical_J_m2"]) > 0.1 * end["cohesive_J_m2"]
    assert end["cohesive_J_m2"] == pytest.approx(0.31, rel=5e-3)
    assert parts(end) == pytest.approx(end["external_work_J_m2"], abs=5e-3 * end["cohesive_J_m2"])
    assert abs(elastic_loss(end)) < 5e-3 * end["cohesive_J_m2"]
