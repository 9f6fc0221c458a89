"""Work that pressure and moving supports do on the electrode in a step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from dolfinx import fem as dfem

from fem import compat
from fem.facet_geometry import Array, FacetSide, boundary_cells, facet_side, quadrature_shapes
from fem.loads import Prescribed, Pressure, Support
from fem.model import ElectrodeModel

Forces = dict[str, Array]


class ExternalWork:
    """Work of dead pressure and of moving supports; body forces (``Source``) are not counted.

    Both follow the trapezoidal rule in the force, which is exact for dead pressure and consistent with equilibrium at
    both ends of a step.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, shapes = model, quadrature_shapes(model.domain.dimension)
        self._pressures: list[tuple[str, FacetSide, Array]] = []
        for load in model.loads:
            if not isinstance(load, Pressure):
                continue
            side = facet_side(model, *boundary_cells(model.domain, load.boundary))
            normal = shapes.area_normal(side.reference) * side.outward[:, None, None]
            nodal = np.einsum("p,pn,fpd->fnd", shapes.weights, shapes.values, normal)
            self._pressures.append((load.name, side, nodal))
        held = [load for load in model.loads if isinstance(load, Support | Prescribed)]
        moving = [
            constraint.dofs
            for load, constraint in zip(held, model.constraints, strict=True)
            if (load.name != "zero" if isinstance(load, Support) else load.field == 0)
        ]
        self._moving = np.unique(np.concatenate([np.empty(0, dtype=np.int32), *moving]))
        self._residual = dfem.Function(model.state.space) if moving else None

    def forces(self) -> Forces:
        """Pressures in MPa by control, and this rank's reactions in MPa·µm at the dofs that move; collective."""
        forces = {name: np.array(float(self._model.control(name).value)) for name, _, _ in self._pressures}
        if self._residual is not None:
            compat.assemble_vector(self._residual, self._model.residual_form)
            if self._model.surface_contact is not None:
                self._model.surface_contact.add_forces(self._residual.x.array)
            forces["reactions"] = self._residual.x.array[self._moving].copy()
        return forces

    def memory(self, forces: Forces) -> tuple[dict[str, float], dict[str, Array]]:
        """Forces in a form that any partition can take: numbers by control, and arrays like the unknowns'."""
        pressures = {name: float(forces[name]) for name, _, _ in self._pressures}
        if self._residual is None:
            return pressures, {}
        spread = np.zeros(len(self._residual.x.array))
        spread[self._moving] = forces["reactions"]
        return pressures, {"reactions": spread}

    def recalled(self, pressures: Mapping[str, float], nodal: Mapping[str, Array]) -> Forces:
        """The forces whose ``memory`` this is."""
        forces = {name: np.array(value) for name, value in pressures.items()}
        if self._residual is not None:
            forces["reactions"] = nodal["reactions"][self._moving]
        return forces

    def work(self, start: Forces, end: Forces, change: Array) -> float:
        """This rank's work in pJ (per µm of depth in 2D) while the unknowns change by ``change``."""
        total = 0.0
        for name, side, nodal in self._pressures:
            total -= float(0.5 * (start[name] + end[name]) * np.sum(nodal * side.displacement(change)))
        if self._residual is not None:
            total += float(np.sum(0.5 * (start["reactions"] + end["reactions"]) * change[self._moving]))
        return total
