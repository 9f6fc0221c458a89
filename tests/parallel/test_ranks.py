"""Known answer 16 and gate 2: an electrode of five grains gives the same answer on any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem import domain
from fem.interfaces.law import shipped_laws
from fem.loads import LithiumInflux, Pressure, Support
from fem.materials.library import MATERIALS
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from tests.small import Array, grid, integral, mesh_of, midpoints, sides

PHASES = ["graphite", "silicon", "silicon", "graphite", "electrolyte"]
SIZE, STEPS = 4.0, 8
TIGHT = SolverSettings(force_tolerance=1e-8, lithium_tolerance=1e-11, potential_tolerance=1e-9)


def electrode(comm: MPI.Intracomm, cut: str) -> ElectrodeModel:
    """Four quarters of silicon and graphite under an electrolyte strip."""
    points, cells = grid(4, 8, SIZE, SIZE)
    middle = points[cells].mean(axis=1)
    owner = {
        "default": None,
        "seams on the interfaces": (middle[:, 0] > 2.0) + 2 * (middle[:, 1] > 1.5) + (middle[:, 1] > 3.0),
        "cell by cell": np.random.default_rng(3).integers(0, 1000, len(cells)),
    }[cut]
    mesh = mesh_of(comm, points, cells, owner)
    middle = midpoints(mesh)
    grain = (middle[:, 0] > 2.0) + 2 * (middle[:, 1] > 1.5)
    grain = np.where(middle[:, 1] > 3.0, 4, grain).astype(np.int32)
    loads = [
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Pressure("top"),
        LithiumInflux("top"),
    ]
    where = domain.from_arrays(mesh, grain, PHASES, sides(SIZE, SIZE))
    model = ElectrodeModel(where, MATERIALS, shipped_laws(), loads, 333.15)
    model.control("pressure").value, model.control("influx").value = 0.5, 2 * 3.09 / 96.485
    return model


def answer(model: ElectrodeModel) -> Array:
    """Thickness, damage, mean lithiation of both hosts, flow strain, elastic energy after some steps."""
    stepper = Stepper(
        model, NewtonSolver(model, TIGHT), StepSettings(first=10.0, largest=20.0, damage_change=1.0)
    )
    for _ in range(STEPS):
        report = stepper.advance(20.0)
        assert report.rejected == 0, report
    top = model.measures.boundary(model.domain.boundary_tags["top"])
    displacement, concentration = model.fields.displacement, model.fields.concentration
    hosts = [integral(model, concentration * model.measures.nodal(number)) for number in (2, 3)]
    return np.array(
        [
            SIZE + integral(model, displacement[1] * top) / SIZE,
            model.mean_damage(),
            *hosts,
            integral(model, model.state.accumulated),
            integral(model, model.bulk.elastic_energy),
            integral(model, ufl.dot(displacement, displacement)),
        ]
    )


@pytest.mark.parallel(min_ranks=2)
@pytest.mark.parametrize("cut", ["default", "seams on the interfaces", "cell by cell"])
def test_same_answer_as_on_one_rank(comm: MPI.Intracomm, cut: str) -> None:
    together = answer(electrode(comm, cut))
    alone = answer(electrode(MPI.COMM_SELF, "default"))
    assert together[0] > SIZE + 1e-3 and together[1] > 0.01 and together[4] > 0.0
    np.testing.assert_allclose(together, alone, rtol=1e-10)


@pytest.mark.parallel
def test_total_dofs(comm: MPI.Intracomm) -> None:
    together, alone = electrode(comm, "cell by cell"), electrode(MPI.COMM_SELF, "default")
    assert together.state.space.dofmap.index_map.size_global == alone.state.space.dofmap.index_map.size_global
    assert comm.allreduce(len(together.interfaces.facets)) == len(alone.interfaces.facets)
