"""Metal that is drawn out must not fold: what the Hessian regularisation of a solid phase adds, and how much ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import compat
from fem.materials.base import Elasticity, Material, Reservoir
from fem.materials.library import LITHIUM, PORE
from tests.readings import set_displacement
from tests.small import grid, mesh_of, model_on, overstress, p, sides

BEND, LENGTH = 0.01, 0.3
METAL = Material(
    "lithium",
    Elasticity(p(7810.0), p(0.0), p(0.38)),
    overstress(0.0, 0.0, 50.0, 1e-3, 3.0),
    lithium=Reservoir(p(76.9), p(0.02), p(10.0), p(0.15)),
)


def bent(comm: MPI.Intracomm, metal: Material, content: float) -> float:
    """Virtual work of the forces in a square of metal with u_y = a x² on that displacement in pJ/µm."""
    model = model_on(mesh_of(comm, *grid(2, 2, 1.0, 1.0)), sides(1.0, 1.0), [metal], start=content)
    set_displacement(model, lambda x: np.stack([np.zeros_like(x[0]), BEND * x[0] ** 2]))
    assert model.update_flow()
    force = dfem.Function(model.state.space)
    compat.assemble_vector(force, model.residual_form)
    dofs = model.state.dofs.displacement
    mine = dofs[dofs < model.state.dofs.owned]
    return float(comm.allreduce(force.x.array[mine] @ model.state.unknowns.x.array[mine]))


@pytest.mark.parallel
@pytest.mark.parametrize("content", [1.0, 0.25])
def test_bending_of_metal_is_resisted_by_what_has_gone(comm: MPI.Intracomm, content: float) -> None:
    """Dense metal is what its own law says."""
    folding = 7810.0 * LENGTH**2 * (2.0 * BEND) ** 2
    held = bent(comm, replace(METAL, hessian_length=p(LENGTH)), content) - bent(comm, METAL, content)
    assert held == pytest.approx((1.0 - content) * folding, rel=1e-9, abs=1e-12 * folding)


def test_emptied_metal_that_ships_resists_as_a_filling_does() -> None:
    def stiffness(material: Material) -> float:
        assert material.hessian_length is not None
        return float(material.elasticity.youngs_modulus.value * material.hessian_length.value**2)

    assert stiffness(LITHIUM) == pytest.approx(stiffness(PORE), rel=0.02)
