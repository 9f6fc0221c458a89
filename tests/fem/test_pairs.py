"""Interface facets: found once, ordered by grain, independent of the partition; history on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.interfaces.facet_fields import HISTORY_DEGREE, FacetSpace, interface_measure
from fem.interfaces.law import kind_name
from fem.interfaces.pairs import find_interfaces
from tests.fem.test_spaces import CUTS, PHASES, parted

# Unit edges between the grains of test_spaces.grain_of, drawn on paper: pair of grains -> length.
LENGTHS = {(0, 1): 2, (0, 3): 1, (1, 3): 3, (2, 3): 3, (0, 4): 1, (1, 4): 1, (3, 4): 1, (2, 4): 1}


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", CUTS)
def test_every_interface_facet_once(comm: MPI.Intracomm, cut: str) -> None:
    where = parted(comm, 2, cut)
    interfaces = find_interfaces(where)
    pairs = where.cell_grain[interfaces.quadruples[:, [0, 2]]]
    counted: dict[tuple[int, int], int] = {}
    for pair in comm.allgather([tuple(sorted(pair)) for pair in pairs.tolist()]):
        for key in pair:
            counted[key] = counted.get(key, 0) + 1
    assert counted == LENGTHS
    assert interfaces.kinds == ("alpha|alpha", "alpha|beta", "beta|beta")
    for (plus, minus), kind in zip(pairs, interfaces.kind, strict=True):
        assert interfaces.kinds[kind] == kind_name(PHASES[plus], PHASES[minus])
        # '+' is the phase that comes first in the alphabet, and among equals the lower colour.
        assert (PHASES[plus], plus) < (PHASES[minus], minus)
    # Both cells really have the facet at the place that is said.
    cell_facets = where.mesh.topology.connectivity(2, 1).array.reshape(-1, 3)
    for column in (0, 2):
        cells, local = interfaces.quadruples[:, column], interfaces.quadruples[:, column + 1]
        assert np.array_equal(cell_facets[cells, local], interfaces.facets)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", CUTS)
def test_sides_do_not_depend_on_the_partition(comm: MPI.Intracomm, cut: str) -> None:
    where = parted(comm, 2, cut)
    dS = interface_measure(where, find_interfaces(where))
    space = dfem.functionspace(where.mesh, ("DG", 0))
    beta = dfem.Function(space)
    beta.x.array[space.dofmap.list[:, 0]] = where.cell_phase
    normal = ufl.FacetNormal(where.mesh)

    def total(expression: Any) -> float:
        return float(comm.allreduce(dfem.assemble_scalar(dfem.form(expression * dS)), op=MPI.SUM))

    one = ufl.dot(normal("+"), normal("+"))
    assert total(one) == pytest.approx(13.0, rel=1e-13)
    # beta is '+' only where it meets beta.
    assert total(beta("+") * one) == pytest.approx(1.0, rel=1e-13)
    assert total(beta("-") * one) == pytest.approx(9.0, rel=1e-13)
    # The normal of '+' points out of it: up into grain 4, by four unit edges.
    x = ufl.SpatialCoordinate(where.mesh)
    on_top = ufl.conditional(ufl.gt(x[1]("+"), 2.999), 1.0, 0.0)
    assert total(on_top * normal("+")[1]) == pytest.approx(4.0, rel=1e-13)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("cut", CUTS)
def test_fields_on_facets(comm: MPI.Intracomm, cut: str, dimension: int) -> None:
    where = parted(comm, dimension, cut)
    interfaces = find_interfaces(where)
    dS = interface_measure(where, interfaces)
    constants, history = (
        FacetSpace(where, interfaces, dS, degree) for degree in (1, HISTORY_DEGREE[dimension])
    )

    def total(expression: Any) -> float:
        return float(comm.allreduce(dfem.assemble_scalar(dfem.form(expression * dS)), op=MPI.SUM))

    number = constants.constant("number", 1.0 + interfaces.kind)
    value = constants.value(number)
    assert abs(total((value - 1.0) * (value - 2.0) * (value - 3.0))) < 1e-12
    count = comm.allreduce(len(interfaces.facets))
    weight = 1.0 if dimension == 2 else 0.5
    assert total(value) == pytest.approx(
        weight * (count + comm.allreduce(int(interfaces.kind.sum()))), rel=1e-12
    )
    np.testing.assert_allclose(constants.values(number), 1.0 + interfaces.kind, rtol=1e-13)
    # The history takes any linear function on a facet exactly.
    x = ufl.SpatialCoordinate(where.mesh)
    linear = 2.0 + 0.3 * x[0]("+") - 0.7 * x[dimension - 1]("+")
    field = history.function("field")
    history.update(field, history.projection(linear))
    assert total((history.value(field) - linear) ** 2) < 1e-24
    # At the quadrature points anything is exact: a kink inside a facet survives the projection.
    kink = ufl.max_value(x[0]("+") - 1.3, 0.0) * x[dimension - 1]("+")
    history.update(field, history.projection(kink))
    assert total((history.value(field) - kink) ** 2) < 1e-24
    # Integrals facet by facet add up.
    sum_of_all = comm.allreduce(float(np.sum(constants.integrals(constants.projection(linear)))))
    assert sum_of_all == pytest.approx(total(linear), rel=1e-12)
