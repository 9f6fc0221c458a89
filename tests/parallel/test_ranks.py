"""Known answer 16 and gate 2: an electrode of five grains gives the same answer on any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from tests.alone import alone
from tests.quarters import SIZE, cells, grain_of, quarters
from tests.readings import integral
from tests.small import Array

STEPS = 8
TIGHT = SolverSettings(force_tolerance=1e-8, lithium_tolerance=1e-11, potential_tolerance=1e-9)


def electrode(comm: MPI.Intracomm, cut: str) -> ElectrodeModel:
    """Four quarters of silicon and graphite under an electrolyte strip."""
    points, triangles = cells()
    grain = grain_of(points[triangles].mean(axis=1))
    owner = {
        "default": None,
        "seams on the interfaces": grain,
        "cell by cell": np.random.default_rng(3).integers(0, 1000, len(triangles)),
    }[cut]
    model = quarters(comm, owner=owner)
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


@pytest.fixture(scope="module")
def one_rank() -> Array:
    found: Array = alone(MPI.COMM_WORLD, "answer", lambda self: answer(electrode(self, "default")))
    return found


@pytest.mark.parallel(min_ranks=2)
@pytest.mark.parametrize("cut", ["default", "seams on the interfaces", "cell by cell"])
def test_same_answer_as_on_one_rank(comm: MPI.Intracomm, one_rank: Array, cut: str) -> None:
    together = answer(electrode(comm, cut))
    assert together[0] > SIZE + 1e-3 and together[1] > 0.01 and together[4] > 0.0
    np.testing.assert_allclose(together, one_rank, rtol=1e-10)


@pytest.mark.parallel
def test_total_dofs(comm: MPI.Intracomm) -> None:
    together, single = electrode(comm, "cell by cell"), electrode(MPI.COMM_SELF, "default")
    assert (
        together.state.space.dofmap.index_map.size_global == single.state.space.dofmap.index_map.size_global
    )
    assert comm.allreduce(len(together.interfaces.facets)) == len(single.interfaces.facets)
