"""The fields of a model's state as cycle jumps see them: raw values, what is judged of them, their means and scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem

from fem import balances, compat, kinematics
from fem.cycle_rules import LEFT_ALONE, RULES, Rule
from fem.errors import SwellboundError
from fem.facet_slopes import FacetSlopes
from fem.model import ElectrodeModel
from fem.state import Snapshot
from fem.symmetric_tensors import logarithm

Array = npt.NDArray[np.float64]

_UNKNOWNS = {"unknowns", "previous", "expected"}
TIRED, TIRED_BEFORE = "interface_fatigue", "interface_fatigue_before"


@dataclass(frozen=True)
class Turn:
    """A cycle that was computed.

    Attributes:
        number: Which one, from 1.
        begin: State at its beginning.
        end: State at its end.
    """

    number: int
    begin: Snapshot
    end: Snapshot


class CycleFields:
    """The fields of a model that change from cycle to cycle; methods that sum are collective.

    Args:
        model: The coupled model.

    Attributes:
        rules: Of every slow field, by name.
        functions: All fields of the state, by name.
        facets: Does on facets what fem/slopes.py does on arrays.

    Raises:
        SwellboundError: Its state has a field that no rule is known for.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, state = model, model.state
        functions = state.functions()
        unknown = sorted(set(functions) - set(RULES) - LEFT_ALONE - _UNKNOWNS - {TIRED_BEFORE})
        if unknown:
            raise SwellboundError(f"cycles cannot be jumped over: no rule says how to extrapolate {unknown}.")
        self.rules = {name: RULES[name] for name in functions if name in RULES}
        if state.bonding:
            # Where bonds grow, κ falls with them (fem/interfaces/bonding.py).
            self.rules["largest_opening"] = Rule(judged=False, settles=True)
        self.functions = functions
        self.facets = FacetSlopes(model)
        self.size = kinematics.symmetric_size(model.domain.dimension)
        self._volumes = dfem.Function(state.space)
        if state.has_lithium:
            test = balances.split(ufl.TestFunction(state.space))
            form = compat.compile_form(test.concentration * model.measures.nodal)
            compat.assemble_vector(self._volumes, form)

    def judged(self) -> list[str]:
        """Names of the fields that the length of a jump depends on."""
        names = [name for name, rule in self.rules.items() if rule.judged]
        return [*names, "unknowns"] if self._model.state.has_lithium else names

    def settles(self, name: str) -> bool:
        """Whether a cycle leaves the field where it belongs wherever it began."""
        return name == "unknowns" or self.rules[name].settles

    def tensor(self, name: str) -> bool:
        """Whether the field is a symmetric tensor of determinant one."""
        return name in self.rules and self.rules[name].tensor

    def on_facets(self, name: str) -> bool:
        """Whether the field lives on interfaces."""
        return bool(self.functions[name].function_space == self._model.facet_history.space)

    def raw(self, name: str, snapshot: Snapshot) -> Array:
        """The values of a field, of tensors the logarithms, shape (points, components)."""
        array = snapshot.arrays[name]
        return logarithm(array.reshape(-1, self.size)) if self.tensor(name) else array

    def mean(self, name: str, values: Array) -> float:
        """Root mean square over all ranks of raw values of a field; of the unknowns that of the lithiation."""
        if name != "unknowns" and self.on_facets(name):
            return self.facets.mean(values)
        owned, comm = self._owned(name, values), self._model.comm
        total, count = comm.allreduce(float(np.sum(owned**2))), comm.allreduce(owned.size)
        return float(np.sqrt(total / count)) if count else 0.0

    def scale(self, name: str, values: Array) -> float:
        """One for shares and lithiation, else the root mean square of the field."""
        if name == "unknowns" or self.rules[name].share:
            return 1.0
        return max(self.mean(name, values), self.rules[name].least)

    def lithium(self, values: Array) -> float:
        """Lithium in fmol (per µm of depth in 2D) that an array like the unknowns' holds on all ranks."""
        model = self._model
        owned = model.storing_dofs[model.storing_dofs < model.state.dofs.owned]
        return float(model.comm.allreduce(float(self._volumes.x.array[owned] @ values[owned])))

    def shifted(self, values: Array, lithium: float, bounds: tuple[Array, Array]) -> Array:
        """Values with concentrations shifted so that they hold that much, as far as that is inside their bounds."""
        storing, room = self._model.storing_dofs, np.zeros_like(values)
        room[storing] = np.minimum(values[storing] - bounds[0], bounds[1] - values[storing])
        reach = self.lithium(room)
        if reach <= 0.0:
            return values
        share = (lithium - self.lithium(values)) / reach
        return np.asarray(values + float(np.clip(share, -1.0, 1.0)) * room)

    def _owned(self, name: str, values: Array) -> Array:
        """What of raw values is judged: lithiation for the unknowns, owned points only."""
        model = self._model
        if name == "unknowns":
            owned = model.storing_dofs[model.storing_dofs < model.state.dofs.owned]
            return np.asarray(values[owned] / model.capacity_of_node[owned])
        dofmap = self.functions[name].function_space.dofmap
        owned_size = dofmap.index_map.size_local * dofmap.index_map_bs
        return np.asarray(values[: owned_size // self.size] if values.ndim > 1 else values[:owned_size])
