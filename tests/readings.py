"""What tests read from a small model and set in it: integrals, values at points, forces, positions, observed orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dolfinx import fem as dfem
from mpi4py import MPI
from scipy.sparse import csr_matrix

from fem import compat
from fem.model import ElectrodeModel
from fem.units import FARADAY
from tests.small import CURVE, Array


def integral(model: ElectrodeModel, expression: Any) -> float:
    """Integral of a UFL form or of an expression over all cells, summed over the ranks."""
    form = expression if hasattr(expression, "integrals") else expression * model.measures.bulk
    return float(model.comm.allreduce(dfem.assemble_scalar(dfem.form(form)), op=MPI.SUM))


def at_points(model: ElectrodeModel, expression: Any) -> Array:
    """Values of a UFL tensor, vector or scalar at the quadrature points, shape (cells, points, *shape)."""
    mesh = model.domain.mesh
    points = compat.interpolation_points(model.state.increment.function_space.element)
    cells = mesh.topology.index_map(mesh.topology.dim)
    values = dfem.Expression(expression, points).eval(
        mesh, np.arange(cells.size_local + cells.num_ghosts, dtype=np.int32)
    )
    return np.asarray(values).reshape(-1, len(points), *expression.ufl_shape)


def residual(model: ElectrodeModel) -> Array:
    """Residual at the current unknowns, before constraints; owned and ghost entries."""
    if not model.update_flow():
        raise AssertionError("the flow increment could not be solved")
    target = dfem.Function(model.state.space)
    compat.assemble_vector(target, model.residual_form)
    return target.x.array.copy()


def tangent_along(model: ElectrodeModel, direction: Array) -> Array:
    """The assembled Jacobian at the current unknowns, all of it finite, times a direction; on one rank."""
    residual(model)
    matrix = compat.create_matrix(model.jacobian_form)
    compat.assemble_matrix(matrix, model.jacobian_form)
    indptr, indices, data = matrix.getValuesCSR()
    if not np.all(np.isfinite(data)):
        raise AssertionError("the Jacobian is not finite")
    return np.asarray(csr_matrix((data, indices, indptr)) @ direction)


def searched_forces_along(model: ElectrodeModel, direction: Array, step: float) -> Array:
    """Derivative of the forces of contact found by search along a direction, by a central difference."""
    contact, unknowns = model.surface_contact, model.state.unknowns.x.array
    if contact is None:
        raise AssertionError("the model has no contact by search")
    kept, forces = unknowns.copy(), []
    for sign in (1.0, -1.0):
        unknowns[:] = kept + sign * step * direction
        forces.append(np.zeros(len(unknowns)))
        contact.add_forces(forces[-1])
    unknowns[:] = kept
    return np.asarray((forces[0] - forces[1]) / (2.0 * step))


def reaction(model: ElectrodeModel, boundary: str, field: int, component: int | None = None) -> float:
    """Sum of the residual over the dofs of a boundary: force in MPa·µm, or lithium in fmol."""
    space = model.state.space.sub(field)
    if component is not None:
        space = space.sub(component)
    facets = model.domain.boundary_facets(boundary)
    dofs = dfem.locate_dofs_topological(space, model.domain.dimension - 1, facets)
    owned = dofs[dofs < model.state.dofs.owned]
    return float(model.comm.allreduce(float(np.sum(residual(model)[owned])), op=MPI.SUM))


def set_displacement(model: ElectrodeModel, values: Any, grain: int | None = None) -> None:
    """Set the displacement of all nodes of a grain (of all grains) from a function (3, n) → (dimension, n)."""
    cells = np.arange(len(model.domain.cell_grain), dtype=np.int32)
    if grain is not None:
        cells = cells[model.domain.cell_grain == grain]
    model.state.unknowns.sub(0).interpolate(values, cells)
    model.state.unknowns.x.scatter_forward()


def positions(model: ElectrodeModel, field: int) -> Array:
    """Coordinates of the nodes of a field in an array like the unknowns'.

    A displacement dof holds the coordinate of its own component; for a scalar field shape (3, dofs) is returned, one
    row a coordinate. (``collapse`` would not do: it makes a continuous space of a broken one.)
    """
    scratch = dfem.Function(model.state.space)
    if field == 0:
        scratch.sub(0).interpolate(lambda x: x[: model.domain.dimension])
        return scratch.x.array.copy()
    rows = []
    for axis in range(3):
        scratch.sub(field).interpolate(lambda x, axis=axis: x[axis])
        rows.append(scratch.x.array.copy())
    return np.array(rows)


def chemical_slope(capacity: float) -> float:
    """dµ/dc of :data:`CURVE` in pJ µm³/fmol²."""
    return FARADAY * CURVE.slope / capacity


def rates(errors: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Observed orders of convergence between successive sizes."""
    e, h = np.log(np.asarray(errors)), np.log(np.asarray(sizes))
    return list(np.diff(e) / np.diff(h))
