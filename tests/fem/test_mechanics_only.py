"""A body without lithium has displacement as its only unknown, one without flow solves none: same answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from fem.domain import from_arrays
from fem.errors import ParameterError
from fem.loads import LithiumInflux, Load, Prescribed, Source, Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.observables import Observer, Row
from fem.output import FieldWriter
from fem.solver import NewtonSolver, SolverSettings
from tests.fem.bodies import HEIGHT, SEAM, WIDTH, held, law
from tests.observed import observed_step
from tests.small import TEMPERATURE, grid, host, mesh_of, midpoints, overstress, p, sides

NEVER = overstress(1.0e30, 0.0, 1.0, 1.0, 1.0)
"""A flow law that is never reached, so that only its machinery is there."""
OF_LITHIUM = ("lithiation", "lithium_book", "electrolyte_potential")
"""Columns that say something else where there is lithium."""
# Tangents of their own to the end: what is left then is rounding, not what a kept tangent leaves of a tolerance.
TIGHT = SolverSettings(force_tolerance=1.0e-11, displacement_tolerance=1.0e-11, kept_tangent=0.0)


def elastic(phase: str, youngs_modulus: float, poisson_ratio: float) -> Material:
    """A material that neither flows nor takes lithium."""
    return Material(phase, Elasticity(p(youngs_modulus), p(0.0), p(poisson_ratio)))


def body(
    comm: MPI.Intracomm, materials: Sequence[Material], loads: Sequence[Load], degree: int = 2
) -> ElectrodeModel:
    """Two grains of two phases, one above the other, that can come apart."""
    mesh = mesh_of(comm, *grid(6, 4, WIDTH, HEIGHT))
    x = midpoints(mesh)
    domain = from_arrays(
        mesh, (x[:, 1] > SEAM).astype(np.int32), [m.phase for m in materials], sides(WIDTH, HEIGHT)
    )
    return ElectrodeModel(
        domain,
        {m.phase: m for m in materials},
        {"alpha|beta": law(relaxation_time=0.1)},
        loads,
        TEMPERATURE,
        initial_lithiation={m.phase: 0.1 for m in materials},
        displacement_degree=degree,
    )


def pulled(
    model: ElectrodeModel,
    lifts: Sequence[float] = (2.0e-4, 4.0e-3, 1.5e-2),
    settings: SolverSettings = TIGHT,
) -> list[Row]:
    """Rows of steps that pull the grains apart, at a pressure on top."""
    solver, observer = NewtonSolver(model, settings), Observer(model)
    model.control("pressure").value = 0.7
    rows = []
    for lift in lifts:
        model.control("lift").value = lift
        rows.append(observed_step(model, solver, observer, 1.0))
    return rows


def assert_same(rows: list[Row], reference: list[Row], others: tuple[str, ...] = ()) -> None:
    """Every column but some others agrees to 1e-10 of its largest value in the run."""
    assert 0.2 < reference[-1]["damaged_fraction"] < 1.0
    for name in reference[0]:
        if name.startswith(others):
            continue
        scale = max(abs(row[name]) for row in reference)
        for row, expected in zip(rows, reference, strict=True):
            assert row[name] == pytest.approx(expected[name], abs=1e-10 * max(scale, 1e-3)), name


@pytest.mark.parallel
@pytest.mark.parametrize("degree", [1, 2])
def test_without_lithium_and_flow(comm: MPI.Intracomm, degree: int) -> None:
    plain = [elastic("alpha", 15e3, 0.3), elastic("beta", 60e3, 0.2)]
    model = body(comm, plain, held(), degree)
    assert not model.state.has_lithium and not model.flows
    full = body(comm, [replace(m, flow=NEVER, lithium=host().lithium) for m in plain], held(), degree)
    assert full.state.has_lithium and full.flows
    nodes = model.state.dofs.cell_displacement
    size = model.state.space.dofmap.index_map.size_global
    assert size < 0.85 * full.state.space.dofmap.index_map.size_global
    assert len(model.state.dofs.concentration) == len(model.storing_dofs) == 0
    columns = tuple(name for name in Observer(full).columns if any(part in name for part in OF_LITHIUM))
    assert_same(pulled(model), pulled(full), columns)
    np.testing.assert_allclose(
        model.state.unknowns.x.array[nodes],
        full.state.unknowns.x.array[full.state.dofs.cell_displacement],
        atol=1e-12,
    )


@pytest.mark.parallel
def test_hosts_without_flow(comm: MPI.Intracomm) -> None:
    plain = [host("alpha", swelling=0.3), host("beta", swelling=0.05)]
    rows = []
    for materials in (plain, [replace(m, flow=NEVER) for m in plain]):
        model = body(comm, materials, [*held(), LithiumInflux("top")])
        assert model.flows is (materials is not plain)
        model.control("influx").value = 0.05
        rows.append(pulled(model))
    assert rows[0][-1]["mean_lithiation"] > 0.1 and rows[0][-1]["chemical_work_pJ_um"] != 0.0
    assert_same(*rows)


@pytest.mark.parallel
def test_symmetric_factorisation(comm: MPI.Intracomm) -> None:
    plain = [elastic("alpha", 15e3, 0.3), elastic("beta", 60e3, 0.2)]
    rows = []
    for settings in (TIGHT, replace(TIGHT, symmetric=True)):
        model = body(comm, plain, held())
        rows.append(pulled(model, settings=settings))
    assert_same(*rows)


def test_files_and_rollback(comm: MPI.Intracomm, tmp_path: Path) -> None:
    model = body(comm, [elastic("alpha", 15e3, 0.3), elastic("beta", 60e3, 0.2)], held(), 1)
    before = model.state.snapshot()
    pulled(model, (4.0e-3,))
    writer = FieldWriter(model, tmp_path)
    writer.write(1.0)
    section = writer.section()
    assert section is not None
    gap = section["facets"][:, 1] - section["facets"][:, 0]
    assert 0.0 < gap[..., 1].max() < 4.0e-3 and not section["lithiation"].any()
    middles = 0.5 * (section["corners"] + np.roll(section["corners"], -1, axis=1))
    np.testing.assert_allclose(section["middles"], middles, atol=1e-13)
    model.state.restore(before)
    assert not model.state.unknowns.x.array.any() and model.mean_damage() == 0.0


@pytest.mark.parametrize(
    "load",
    [LithiumInflux("top"), Prescribed("top", 2, lambda x: x[0]), Source(lithium=1.0), Source(potential=1.0)],
)
def test_lithium_loads_are_refused(comm: MPI.Intracomm, load: Load) -> None:
    plain = [elastic("alpha", 15e3, 0.3), elastic("beta", 60e3, 0.2)]
    with pytest.raises(ParameterError, match="lithium"):
        body(comm, plain, [Support("bottom", 1), load])
