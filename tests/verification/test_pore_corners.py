"""Two grains that part beside a pore: its filling, whose corner touches both, must not hold them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem.gaps import Gaps
from fem.interfaces.library import shipped_laws
from fem.loads import Support
from fem.materials.library import GRAPHITE, PORE
from fem.model import ElectrodeModel
from fem.observables import Observer
from fem.pore_corners import at_grain_boundaries
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import reaction, set_displacement
from tests.small import Array, grid, law, mesh_of, midpoints, model_on, p, sides, solved_step

WIDTH, HEIGHT, FLOOR = 4.0, 3.0, 2.0
STRENGTH, ENERGY = 20.0, 0.31
SETTINGS = SolverSettings(force_tolerance=1e-8, displacement_tolerance=1e-6)


def two_grains_below_a_pore(seam: Callable[[Array], Array], corner_stiffness: float | None) -> ElectrodeModel:
    """Grains left and right of x = 2 below a filling, held on the left and pulled on the right."""
    points, cells = grid(8, 6, WIDTH, HEIGHT)
    mesh = mesh_of(MPI.COMM_WORLD, points, cells, seam(points[cells].mean(axis=1)))
    x, y = midpoints(mesh)[:, 0], midpoints(mesh)[:, 1]
    grain = np.where(y > FLOOR, 2, np.where(x < WIDTH / 2, 0, 1)).astype(np.int32)
    solid = replace(GRAPHITE, lithium=None, swelling=None, flow=None)
    tie = shipped_laws()["graphite|pore"]
    return model_on(
        mesh,
        sides(WIDTH, HEIGHT),
        [solid, PORE],
        [Support("bottom", 1), Support("left", 0), Support("right", 0, "pull")],
        grain=grain,
        phases=["graphite", "graphite", "pore"],
        laws={
            "graphite|graphite": law(STRENGTH, ENERGY),
            "graphite|pore": replace(
                tie, corner_stiffness=None if corner_stiffness is None else p(corner_stiffness)
            ),
        },
    )


@pytest.mark.parametrize("known", [True, False], ids=["law of the pair", "no law of the pair"])
def test_what_faces_a_pore_looks_out_for_the_grain_across(known: bool) -> None:
    """A filling of 0.4 µm between two grains: both sides watch, as both do where two grains have parted.

    They are to press and rub as grains do, not as a grain does on the filling.
    """
    tie = replace(shipped_laws()["graphite|pore"], contact_stiffness=p(2.0e4), friction=p(0.1))
    laws = {"graphite|pore": tie}
    if known:
        laws["graphite|graphite"] = law(STRENGTH, ENERGY, contact_stiffness=4.0e5, friction=0.3)
    mesh = mesh_of(MPI.COMM_SELF, *grid(6, 10, 3.0, 4.0))
    y = midpoints(mesh)[:, 1]
    solid = replace(GRAPHITE, lithium=None, swelling=None, flow=None)
    model = model_on(
        mesh,
        sides(3.0, 4.0),
        [solid, PORE],
        [Support("bottom", 1), Support("left", 0), Support("right", 0), Support("top", 1, "press")],
        grain=np.where(y > 2.0, 2, np.where(y > 1.6, 1, 0)).astype(np.int32),
        phases=["graphite", "pore", "graphite"],
        laws=laws,
    )
    model.prepare_step(1.0)
    contact = model.surface_contact
    assert contact is not None and contact.pairs is not None
    assert set(contact.surfaces.grain[contact.pairs.facet]) == {0, 2}
    assert set(contact.pairs.slot) == {0}
    np.testing.assert_allclose(contact.pairs.gap, 0.4)
    # Each counts half, and both together the whole of the 3 µm.
    assert np.sum(contact.pairs.weight) == pytest.approx(3.0)
    np.testing.assert_array_equal(contact.pairs.law.stiffness, 4.0e5 if known else 2.0e4)
    # Friction goes by the pressure at the end of the last step.
    contact.commit(np.zeros(len(model.interfaces.facets)))
    model.state.replicated["contact_pressure"][:] = 10.0
    contact.begin_step()
    np.testing.assert_allclose(contact.pairs.friction, 3.0 if known else 1.0)


def force_after_parting(model: ElectrodeModel) -> float:
    """Force in MPa·µm when the grains are 0.2 µm, six times the opening at which nothing holds, apart."""
    solver = NewtonSolver(model, SETTINGS)
    for pull in np.linspace(0.02, 0.2, 10):
        model.control("pull").value = pull
        solved_step(model, solver, 1.0)
    # At rest: numerical inertia and the relaxation of damage have nothing left to resist.
    for _ in range(3):
        solved_step(model, solver, 1e3)
    return reaction(model, "right", 0, 0)


SEAMS = {
    "between the grains": lambda middle: (middle[:, 0] > WIDTH / 2).astype(np.int32),
    "between grains and pore": lambda middle: (middle[:, 1] > FLOOR).astype(np.int32),
    "across all": lambda middle: (np.arange(len(middle)) % 3).astype(np.int32),
}


@pytest.mark.parallel(partition="seam")
@pytest.mark.parametrize("seam", SEAMS.values(), ids=SEAMS.keys())
def test_corner_does_not_hold(seam: Callable[[Array], Array]) -> None:
    model = two_grains_below_a_pore(seam, 0.1)
    peak = STRENGTH * FLOOR
    assert abs(force_after_parting(model)) < 1e-3 * peak


def test_tied_corner_would_hold() -> None:
    """What the soft corner is there for: the same tie all along carries more than the bond ever did."""
    assert force_after_parting(two_grains_below_a_pore(SEAMS["across all"], None)) > STRENGTH * FLOOR


@pytest.mark.parallel(partition="seam")
@pytest.mark.parametrize("seam", SEAMS.values(), ids=SEAMS.keys())
def test_two_facets_meet_the_boundary(seam: Callable[[Array], Array]) -> None:
    model = two_grains_below_a_pore(seam, 0.1)
    interfaces, comm = model.interfaces, model.comm
    corners = at_grain_boundaries(model.domain, interfaces, model.state.dofs, {1})
    ties = interfaces.kind == interfaces.kinds.index("graphite|pore")
    assert comm.allreduce(int(np.sum(corners & ties)), op=MPI.SUM) == 2
    assert comm.allreduce(int(np.sum(ties)), op=MPI.SUM) == 8


@pytest.mark.parallel(partition="seam")
@pytest.mark.parametrize("seam", SEAMS.values(), ids=SEAMS.keys())
def test_what_opens_at_a_filling_is_pore_and_no_void(seam: Callable[[Array], Array]) -> None:
    model = two_grains_below_a_pore(seam, 0.1)
    observer, gaps, unknowns = Observer(model), Gaps(model), model.state.unknowns.x.array

    def found(name: str) -> float:
        return float(model.comm.allreduce(gaps.sums(unknowns)[name], op=MPI.SUM))

    set_displacement(model, lambda x: np.array([0.0 * x[0], 0.1 + 0.0 * x[0]]), 2)
    assert found("void") == pytest.approx(0.1 * WIDTH)
    assert found("void_at_pores") == pytest.approx(0.1 * WIDTH)
    row = observer.measure()
    assert row["thickening_pores_um"] == pytest.approx(0.1)
    assert row["thickening_interface_void_um"] == pytest.approx(0.0, abs=1e-12)
    assert row["void_check_um"] == pytest.approx(0.0, abs=1e-12)
    set_displacement(model, lambda x: np.array([0.05 + 0.0 * x[0], 0.0 * x[0]]), 1)
    assert found("void") == pytest.approx(0.1 * WIDTH + 0.05 * FLOOR)
    assert found("void_at_pores") == pytest.approx(0.1 * WIDTH)
