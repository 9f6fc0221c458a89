"""Contact of facets that are still opposite each other acts at their ends: nothing sinks in beyond a last point."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.energy import InterfaceEnergy
from fem.gaps import Gaps
from fem.loads import Support
from fem.model import ElectrodeModel
from fem.unresolved_work import UnresolvedWork
from tests.readings import residual, set_displacement
from tests.small import Array, grid, host, law, mesh_of, midpoints, model_on, sides

# The upper of two grains opens like a hinge: by SLOPE µm per µm, and its right end is DEPTH too low. The end of the
# edge alone is in contact: the last point of Gauss, 0.11 µm away from it, is not.
SLOPE, DEPTH = 1.0e-3, 5.0e-5
WIDTH, FLOOR = 2.0, 1.0
#: Weight of the end of an edge of 1 µm among five points of Gauss and Lobatto.
SHARE = 1.0 / 20.0


def hinge(stiffness: float, swapped: bool, stiffening_depth: float) -> ElectrodeModel:
    mesh = mesh_of(MPI.COMM_SELF, *grid(2, 2, WIDTH, 2.0 * FLOOR))
    contact = {"contact_stiffness": stiffness, "contact_stiffening_depth": stiffening_depth}
    upper = midpoints(mesh)[:, 1] > FLOOR
    model = model_on(
        mesh,
        sides(WIDTH, 2.0 * FLOOR),
        [host("alpha")],
        [Support("bottom", 0), Support("bottom", 1)],
        grain=(upper != swapped).astype(np.int32),
        phases=["alpha", "alpha"],
        laws={"alpha|alpha": law(20.0, 0.31, **contact)},
    )

    def opened(x: Array) -> Array:
        return np.stack([np.zeros_like(x[0]), SLOPE * (WIDTH - x[0]) - DEPTH])

    set_displacement(model, opened, grain=0 if swapped else 1)
    return model


@pytest.mark.parametrize("stiffening_depth", [np.inf, 0.4 * DEPTH])
@pytest.mark.parametrize("swapped", [False, True], ids=["upper grain last", "upper grain first"])
def test_the_end_of_an_edge_is_held(swapped: bool, stiffening_depth: float) -> None:
    """Force and energy by what a ten times stiffer contact adds to all else."""
    soft, stiff = (hinge(stiffness, swapped, stiffening_depth) for stiffness in (1.0e5, 1.0e6))
    added = residual(stiff) - residual(soft)
    vertical = stiff.state.dofs.cell_displacement.reshape(len(stiff.domain.cell_grain), -1, 2)[..., 1]
    ratio = DEPTH / stiffening_depth
    expected = 0.9e6 * DEPTH * (1.0 + ratio) * SHARE
    energy = 0.9e6 * DEPTH**2 * (1.0 / 2.0 + ratio / 3.0) * SHARE
    for grain, sign in ((0, 1.0), (1, -1.0)):
        dofs = np.unique(vertical[stiff.domain.cell_grain == grain])
        force = sign * (-1.0 if swapped else 1.0) * float(np.sum(added[dofs]))
        assert force == pytest.approx(expected, rel=1e-3)
    energies = [InterfaceEnergy(model).sums()["contact_energy"] for model in (soft, stiff)]
    assert energies[1] - energies[0] == pytest.approx(energy, rel=1e-3)
    # From rest on: all of it is taken up on the way, but for what the turning of the normal makes of it.
    taken = [UnresolvedWork(model).sums()["contact_path"] for model in (soft, stiff)]
    assert taken[1] - taken[0] == pytest.approx(energy, rel=2e-3)
    depth = Gaps(stiff).maxima(stiff.state.unknowns.x.array)["penetration"]
    assert depth == pytest.approx(DEPTH, rel=1e-5)
