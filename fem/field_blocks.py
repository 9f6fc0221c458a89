"""The coupled tangent cut into displacement and lithium: which unknowns are whose, and the blocks between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from petsc4py import PETSc

from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]


class FieldBlocks:
    """Index sets of both fields, the nodes behind them, and the blocks of a matrix; all methods are collective.

    Args:
        model: The coupled model.

    Attributes:
        displacement: Global displacement dofs owned, all components of a node together.
        lithium: Global dofs owned of concentration and chemical potential; None without a lithium balance.
        lithium_dofs: The same as local indices, shape (n,).
        node_dofs: Local dofs of every owned displacement node, sorted, shape (nodes, dimension).
        node_grain: Grain of every owned displacement node, shape (nodes,).
        node_position: Where it lies in the undeformed mesh in µm, shape (nodes, dimension).
    """

    def __init__(self, model: ElectrodeModel):
        dofs, domain = model.state.dofs, model.domain
        self.node_dofs, self.node_grain, self.node_position = _nodes(model)
        map_ = model.state.space.dofmap.index_map
        first = int(map_.local_range[0])
        # PETSc 3.22 refills a block in parallel with wrong values unless its index sets are sorted on every rank.
        self.displacement = _index_set(model, self.node_dofs.ravel() + first)
        self.displacement.setBlockSize(domain.dimension)
        both = np.union1d(dofs.concentration, dofs.chemical_potential)
        self.lithium_dofs = both[both < dofs.owned].astype(np.int32)
        self.lithium: PETSc.IS | None = None
        if model.state.has_lithium:
            self.lithium = _index_set(model, self.lithium_dofs + first)
        self._blocks: dict[str, PETSc.Mat] = {}

    def cut(self, matrix: PETSc.Mat) -> dict[str, PETSc.Mat]:
        """Blocks of a matrix by name: ``uu``, and with lithium ``ll``, ``ul``, ``lu`` (row field, column field).

        They are made once and refilled by later calls, as long as the pattern of the matrix stays the same.
        """
        sets = {"u": self.displacement}
        if self.lithium is not None:
            sets["l"] = self.lithium
        for row, rows in sets.items():
            for column, columns in sets.items():
                name = row + column
                known = self._blocks.get(name)
                self._blocks[name] = matrix.createSubMatrix(rows, columns, known)
        return self._blocks

    def forget(self) -> None:
        """Drop the blocks."""
        for block in self._blocks.values():
            block.destroy()
        self._blocks = {}


def _index_set(model: ElectrodeModel, indices: npt.NDArray[np.integer]) -> PETSc.IS:
    return PETSc.IS().createGeneral(np.asarray(indices, dtype=PETSc.IntType), comm=model.comm)


def _nodes(model: ElectrodeModel) -> tuple[Integers, Integers, Array]:
    """Dofs, grain and position of every owned displacement node, in the order of its dofs."""
    domain, dofs = model.domain, model.state.dofs
    per_cell = dofs.cell_displacement
    degree = 1 if per_cell.shape[1] == domain.dimension + 1 else 2
    # The ordinary space has the nodes of a cell in the same order, and knows where they are.
    plain = dfem.functionspace(domain.mesh, ("Lagrange", degree))
    where = plain.tabulate_dof_coordinates()[np.asarray(plain.dofmap.list), : domain.dimension]
    flat = per_cell.reshape(-1, domain.dimension)
    _, first = np.unique(flat[:, 0], return_index=True)
    first = first[flat[first, 0] < dofs.owned]
    grain = np.repeat(domain.cell_grain, per_cell.shape[1])[first]
    return (
        np.ascontiguousarray(flat[first], dtype=np.int32),
        grain.astype(np.int32),
        np.ascontiguousarray(where.reshape(-1, domain.dimension)[first]),
    )
