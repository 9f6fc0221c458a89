"""The whole state of a model as tables keyed by the mesh file's own numbering, and back, on any number of ranks.

A table of cells has one row a cell of the file, in the file's order, with the values at its nodes or quadrature
points; a table of facets one row an interface facet; what every rank holds in full is saved as it is. On the
partition that wrote them the values come back bit for bit; on another one all but the moments on facets of tetrahedra
do, and these to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dolfinx import fem as dfem

from fem.errors import CheckpointError
from fem.mesh_order import Array, CellOrder, FacetOrder, Integers
from fem.model import ElectrodeModel
from fem.rows import gather_rows, scatter_rows
from fem.state import Kept, Snapshot

_FACETS, _FRAMES, _KEPT = "facet_numbers", "facet_frames", "kept"


@dataclass(frozen=True)
class Checkpoint:
    """What is saved of a run; rank 0 holds it.

    Attributes:
        identity: What it belongs to (``mesh``: fingerprint of the mesh); more can be added, all of it text.
        numbers: Everything small: time, steps, controls, and what the caller adds; as JSON can hold it.
        tables: Arrays by name: ``cells/NAME``, ``facets/NAME``, and what the caller adds.
    """

    identity: dict[str, str]
    numbers: dict[str, Any]
    tables: dict[str, Any] = field(default_factory=dict)


class StateKeeper:
    """Takes checkpoints of a model and brings it back to them; all methods are collective.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model = model
        self._cells = CellOrder(model.domain)
        self._facets = FacetOrder(model.domain, model.interfaces, self._cells)
        self._dofs: dict[int, Integers] = {}
        self.mesh = self._cells.fingerprint()
        comm, owned = model.comm, self._cells.owned
        keys = gather_rows(comm, self._cells.cells[:owned, None])
        self._cell_rows = None if keys is None else np.argsort(keys[:, 0])
        keys = gather_rows(comm, self._facets.keys[:, None])
        self._facet_rows = None if keys is None else np.argsort(keys[:, 0])

    def capture(self, nodal: Mapping[str, Array] | None = None) -> Checkpoint | None:
        """The current state.

        Args:
            nodal: Further arrays like the unknowns', by name; their ghost entries need not be up to date.

        Returns:
            The checkpoint on rank 0, None elsewhere.
        """
        model, state = self._model, self._model.state
        tables: dict[str, Any] = {}
        for name, function in state.functions().items():
            place, table = self._table(function, function.x.array)
            tables[f"{place}/{name}"] = table
        for key, kept in state.kept.items():
            for name, function in state.functions().items():
                place, table = self._table(function, kept.snapshot.arrays[name])
                tables[f"{_KEPT}/{key}/{place}/{name}"] = table
            for name, array in kept.nodal.items():
                tables[f"{_KEPT}/{key}/nodal/{name}"] = self._cell_table(state.unknowns, array)
            replicated = kept.snapshot.replicated
            tables |= {f"{_KEPT}/{key}/replicated/{name}": values for name, values in replicated.items()}
        scratch = dfem.Function(state.space)
        for name, array in (nodal or {}).items():
            scratch.x.array[:] = array
            scratch.x.scatter_forward()
            tables[f"cells/{name}"] = self._cell_table(scratch, scratch.x.array)
        for name, column in ((_FACETS, self._facets.keys), (_FRAMES, self._facets.frames)):
            tables[name] = _sorted(gather_rows(model.comm, column[:, None]), self._facet_rows)
        if model.comm.rank > 0:
            return None
        tables |= {f"replicated/{name}": values.copy() for name, values in state.replicated.items()}
        controls = {name: float(constant.value) for name, constant in model.controls.items()}
        times = {key: [kept.snapshot.time, kept.snapshot.steps] for key, kept in state.kept.items()}
        numbers = {"time": state.time, "steps": state.steps, "controls": controls, _KEPT: times}
        return Checkpoint({"mesh": self.mesh}, numbers, tables)

    def restore(self, checkpoint: Checkpoint | None) -> dict[str, Array]:
        """Bring the model to a checkpoint.

        Args:
            checkpoint: On rank 0.

        Returns:
            The further nodal arrays, by name, with their ghost entries.

        Raises:
            CheckpointError: It belongs to another mesh or lacks a field of this model; the same on every rank, and
                the model is untouched.
        """
        model, state = self._model, self._model.state
        problem = "" if checkpoint is None else self._problem(checkpoint)
        problem = model.comm.bcast(problem)
        if problem:
            raise CheckpointError(problem)
        known = None if checkpoint is None else (checkpoint.numbers, sorted(checkpoint.tables))
        numbers, names = model.comm.bcast(known)
        tables: Mapping[str, Any] = {} if checkpoint is None else checkpoint.tables
        functions = state.functions()
        rows = self._facet_places(tables)
        frames: Integers = scatter_rows(model.comm, tables.get(_FRAMES), rows, np.int64)[:, 0]
        for name, function in functions.items():
            place = "facets" if self._on_facets(function) else "cells"
            self._set(function, tables.get(f"{place}/{name}"), rows, frames)
        state.kept = {
            key: self._kept(key, time, steps, names, tables, rows, frames)
            for key, (time, steps) in numbers.get(_KEPT, {}).items()
        }
        scratch, nodal = dfem.Function(state.space), {}
        for name in (n.removeprefix("cells/") for n in names if n.startswith("cells/")):
            if name not in functions:
                self._set_cells(scratch, tables.get(f"cells/{name}"))
                nodal[name] = scratch.x.array.copy()
        for name, values in state.replicated.items():
            values[:] = model.comm.bcast(tables.get(f"replicated/{name}"))
        for name, value in numbers["controls"].items():
            model.control(name).value = value
        model.set_temperature(float(model.control("temperature").value))
        state.time, state.steps = numbers["time"], numbers["steps"]
        return nodal

    def _on_facets(self, function: dfem.Function) -> bool:
        model = self._model
        return function.function_space in (model.facet_history.space, model.facet_constants.space)

    def _cell_dofs(self, function: dfem.Function) -> Integers:
        space = function.function_space
        if id(space) not in self._dofs:
            self._dofs[id(space)] = self._cells.dofs(space)
        return self._dofs[id(space)]

    def _table(self, function: dfem.Function, array: Array) -> tuple[str, Array | None]:
        """Whether an array like a field's belongs to cells or to facets, and its table."""
        if not self._on_facets(function):
            return "cells", self._cell_table(function, array)
        rows = gather_rows(self._model.comm, array[model_dofs(self._model, function)])
        return "facets", _sorted(rows, self._facet_rows)

    def _cell_table(self, function: dfem.Function, array: Array) -> Array | None:
        dofs = self._cell_dofs(function)[: self._cells.owned]
        return _sorted(gather_rows(self._model.comm, array[dofs]), self._cell_rows)

    def _set(self, function: dfem.Function, table: Array | None, rows: Integers, frames: Integers) -> None:
        """Set a field from its table."""
        if not self._on_facets(function):
            self._set_cells(function, table)
            return
        values = scatter_rows(self._model.comm, table, rows, np.float64)
        function.x.array[:] = 0.0
        function.x.array[model_dofs(self._model, function)] = self._facets.moved(values, frames)
        function.x.scatter_forward()

    def _kept(
        self,
        key: str,
        time: float,
        steps: int,
        names: list[str],
        tables: Mapping[str, Any],
        rows: Integers,
        frames: Integers,
    ) -> Kept:
        """A state that was kept, from its tables."""
        model, state, where = self._model, self._model.state, f"{_KEPT}/{key}"
        arrays: dict[str, Array] = {}
        for name, function in state.functions().items():
            place = "facets" if self._on_facets(function) else "cells"
            scratch = dfem.Function(function.function_space)
            self._set(scratch, tables.get(f"{where}/{place}/{name}"), rows, frames)
            arrays[name] = scratch.x.array.copy()
        replicated = {
            name: model.comm.bcast(tables.get(f"{where}/replicated/{name}")) for name in state.replicated
        }
        nodal = {}
        for name in (n for n in names if n.startswith(f"{where}/nodal/")):
            scratch = dfem.Function(state.space)
            self._set_cells(scratch, tables.get(name))
            nodal[name.removeprefix(f"{where}/nodal/")] = scratch.x.array.copy()
        return Kept(Snapshot(arrays, replicated, time, steps), nodal)

    def _set_cells(self, function: dfem.Function, table: Array | None) -> None:
        # Ghost cells as well: every local dof belongs to a local cell, but not every one to an owned cell.
        values = scatter_rows(self._model.comm, table, self._cells.cells, np.float64)
        function.x.array[self._cell_dofs(function)] = values

    def _facet_places(self, tables: Mapping[str, Any]) -> Integers:
        """Rows of this rank's facets in the tables."""
        comm = self._model.comm
        asked = comm.gather(self._facets.keys)
        found = None
        if asked is not None:
            listed = tables[_FACETS][:, 0]
            found = [np.searchsorted(listed, keys) for keys in asked]
        places: Integers = comm.scatter(found)
        return places

    def _problem(self, checkpoint: Checkpoint) -> str:
        """Why a checkpoint does not fit, or nothing."""
        if checkpoint.identity.get("mesh") != self.mesh:
            return "it belongs to another mesh"
        state, tables = self._model.state, checkpoint.tables
        for name, function in state.functions().items():
            where = "facets" if self._on_facets(function) else "cells"
            if f"{where}/{name}" not in tables:
                return f"it has no field {name!r}"
        for name, values in state.replicated.items():
            table = tables.get(f"replicated/{name}")
            if table is None or table.shape != values.shape:
                return f"it has no table {name!r} of this model's size"
        return ""


def model_dofs(model: ElectrodeModel, function: dfem.Function) -> Any:
    """Dofs of a field on the owned interface facets, shape (facets, dofs a facet)."""
    for space in (model.facet_history, model.facet_constants):
        if function.function_space is space.space:
            return space.facet_dofs
    raise CheckpointError(f"the field {function.name!r} is not on the interfaces of the model.")


def _sorted(rows: Any, order: Integers | None) -> Any:
    return None if rows is None or order is None else rows[order]
