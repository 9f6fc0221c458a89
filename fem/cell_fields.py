"""Stress, flow and debonding cell by cell, and the nodes of every cell in ParaView's order, for files and pictures."""

from __future__ import annotations

import basix
import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem import compat, kinematics
from fem.interfaces import debonding
from fem.materials.base import Host, Reservoir
from fem.model import ElectrodeModel
from fem.tension import cauchy_stress, largest_principal

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

# Corners, then the midpoints of these edges: VTK's quadratic triangle and quadratic tetrahedron.
_EDGES = {2: ((0, 1), (1, 2), (2, 0)), 3: ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))}


class CellFields:
    """Reads a model's current state into arrays over the owned cells.

    The dofs are read cell by cell, so that every cell has nodes of its own and gaps between grains stay open.

    Args:
        model: The coupled model.

    Attributes:
        edges: Corners at the ends of each midpoint, in the order of the nodes.
        phase: Index into the domain's phases, shape (cells,).
        grain: Index into the domain's grains, shape (cells,).
        reference: Undeformed nodes in µm, shape (cells, nodes, dimension).
    """

    def __init__(self, model: ElectrodeModel):
        self._model, domain = model, model.domain
        mesh, dimension = domain.mesh, domain.dimension
        self.edges, owned = _EDGES[dimension], mesh.topology.index_map(dimension).size_local
        self._cells = np.arange(owned, dtype=np.int32)
        self.phase, self.grain = domain.cell_phase[:owned], domain.cell_grain[:owned]
        corners = mesh.geometry.x[:, :dimension][compat.geometry_dofs(mesh)[:owned]]
        self.reference = self.with_midpoints(corners)
        table = basix.topology(getattr(basix.CellType, mesh.basix_cell().name))[1]
        number = {frozenset(edge): position for position, edge in enumerate(table)}
        order = [*range(dimension + 1), *(dimension + 1 + number[frozenset(edge)] for edge in self.edges)]
        dofs = model.state.dofs
        self._displacement: Integers = dofs.cell_displacement[:owned]
        if self._displacement.shape[1] > dimension + 1:
            self._displacement = self._displacement[:, order]
        self._concentration = dofs.cell_concentration[:owned]
        self._potential = dofs.cell_chemical_potential[:owned]
        stores = np.array([isinstance(m.lithium, Host | Reservoir) for m in model.materials])
        self._stores = stores[self.phase]
        self._points = compat.interpolation_points(model.state.increment.function_space.element)
        self._stress = dfem.Expression(
            kinematics.vector_from_symmetric(cauchy_stress(model), dimension),
            self._points,
            jit_options=compat.jit_options(),
        )
        self._prepare_debonding()

    def with_midpoints(self, corners: Array) -> Array:
        """Add the means of the edges' ends to values at the corners, shape (cells, corners, ...)."""
        return np.concatenate(
            [corners, *(0.5 * (corners[:, [a]] + corners[:, [b]]) for a, b in self.edges)], axis=1
        )

    def displacement(self) -> Array:
        """Displacement of the nodes in µm, shape (cells, nodes, dimension)."""
        values = self._unknowns[self._displacement]
        linear = values.shape[1] == self._model.domain.dimension + 1
        return self.with_midpoints(values) if linear else values

    def lithiation(self) -> Array:
        """Lithiation at the corners (what is left, in metal; zero where nothing is stored), shape (cells, corners)."""
        if not self._model.state.has_lithium:
            return self._nothing()
        x = self._unknowns[self._concentration] / self._model.capacity_of_node[self._concentration]
        return np.where(self._stores[:, None], x, 0.0)

    def chemical_potential(self) -> Array:
        """µ at the corners in kJ/mol (zero without a lithium balance), shape (cells, corners)."""
        return self._unknowns[self._potential] if self._model.state.has_lithium else self._nothing()

    def stress(self) -> tuple[Array, Array]:
        """Largest principal and hydrostatic Cauchy stress in MPa of the cells' mean stress, each of shape (cells,)."""
        values = np.asarray(self._stress.eval(self._model.domain.mesh, self._cells))
        parts = values.reshape(len(self._cells), len(self._points), -1).mean(axis=1)
        return largest_principal(parts), parts[:, :3].mean(axis=1)

    def flow_strain(self) -> Array:
        """Accumulated equivalent flow strain, mean of each cell, shape (cells,)."""
        state = self._model.state
        strain = state.accumulated.x.array + state.increment.x.array
        return np.asarray(strain[np.asarray(state.accumulated.function_space.dofmap.list)].mean(axis=1))[
            : len(self._cells)
        ]

    def facet_debonded(self) -> Array:
        """Mean debonded share of every owned interface facet, as of the last commit, shape (facets,)."""
        if self._debonded is None:
            return np.empty(0)
        facets = self._model.facet_constants
        return facets.integrals(self._debonded) / facets.integrals(self._area)

    def debonded(self) -> Array:
        """Largest debonded share among a cell's facets (zero away from interfaces), shape (cells,); collective."""
        if self._debonded is None:
            return np.zeros(len(self._cells))
        facets = self._model.facet_constants
        facets.update(self._field, self._debonded)
        dofs = np.asarray(facets.space.dofmap.list)[: len(self._cells)]
        unit = self._unit.x.array[dofs]
        values = np.divide(self._field.x.array[dofs], unit, out=np.zeros(unit.shape), where=unit != 0.0)
        return np.asarray(values.max(axis=1))

    def _nothing(self) -> Array:
        return np.zeros((len(self._cells), self._model.domain.dimension + 1))

    @property
    def _unknowns(self) -> Array:
        values: Array = self._model.state.unknowns.x.array
        return values

    def _prepare_debonding(self) -> None:
        model = self._model
        self._debonded: dfem.Form | None = None
        if not model.interfaces.kinds:
            return
        facets = model.facet_constants
        self._debonded = facets.projection(debonding.debonded_share(model.history_value, model.cohesive))
        self._area = facets.projection(dfem.Constant(model.domain.mesh, 1.0))
        self._field = facets.function("debonded_share")
        # Dofs of the field that is one on every interface facet: they turn dofs into values whatever their orientation.
        self._unit = facets.constant("one", np.ones(len(model.interfaces.facets)))
