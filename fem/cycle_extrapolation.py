"""The state of an electrode extrapolated over cycles that are not computed.

After Cojocaru and Karlsson (2006, 10.1016/j.ijfatigue.2006.02.051): a cycle that was computed gives every slow
variable a slope per cycle, two of them how the slope changes, and so what it comes to some cycles later. Their line
with a changing slope is taken where the slope grows, a geometric series where it falls (fem/slopes.py): what is slow in
an electrode mostly settles.

Fields on cells and facets are extrapolated at their own quadrature points. Cp⁻¹ is extrapolated in its logarithm, whose
trace stays zero, so that det Fp stays one. What only grows (damage, κ, dissipation, spent side reactions) never falls,
and what is a share stays in [0, 1]. Displacement, concentration and potential go along the same way, so that the first
step after a jump begins near equilibrium; a concentration comes no nearer to empty or full than a quarter of its
distance, and the displacement goes only so far that no cell turns inside out. What is no slow variable (contact
pressures, contact partners, stabilisation) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import balances, compat, kinematics
from fem.cycle_rules import LEFT_ALONE, RULES, Rule
from fem.errors import SwellboundError
from fem.facet_slopes import FacetSlopes
from fem.model import ElectrodeModel
from fem.slopes import along, believed, later_slope, of_tensors, progress
from fem.state import Snapshot
from fem.symmetric_tensors import exponential, logarithm

Array = npt.NDArray[np.float64]

#: Share of the distance to a bound that an open interval leaves.
_LEFT = 0.25
_HALVINGS = 6
_WIDE = 1.0e30


_UNKNOWNS = {"unknowns", "previous", "expected"}
_TIRED, _TIRED_BEFORE = "interface_fatigue", "interface_fatigue_before"


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


class CycleExtrapolation:
    """Extrapolates the state of a model; methods are collective.

    Args:
        model: The coupled model.

    Raises:
        SwellboundError: Its state has a field that no rule is known for.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, state = model, model.state
        functions = state.functions()
        unknown = sorted(set(functions) - set(RULES) - LEFT_ALONE - _UNKNOWNS - {_TIRED_BEFORE})
        if unknown:
            raise SwellboundError(f"cycles cannot be jumped over: no rule says how to extrapolate {unknown}.")
        self._rules = {name: RULES[name] for name in functions if name in RULES}
        if state.bonding:
            # Where bonds grow, κ falls with them (fem/interfaces/bonding.py).
            self._rules["largest_opening"] = Rule(judged=False)
        self._functions = functions
        self._size = kinematics.symmetric_size(model.domain.dimension)
        self._facets = FacetSlopes(model)
        space = state.increment.function_space
        self._determinant = dfem.Function(space)
        self._deformation = dfem.Expression(
            ufl.det(model.bulk.deformation),
            compat.interpolation_points(space.element),
            jit_options=compat.jit_options(),
        )
        self._volumes = dfem.Function(state.space)
        if state.has_lithium:
            test = balances.split(ufl.TestFunction(state.space))
            form = compat.compile_form(test.concentration * model.measures.nodal)
            compat.assemble_vector(self._volumes, form)

    # ------------------------------------------------------------------ the jump

    def jump(self, old: Turn, new: Turn, count: int) -> None:
        """Extrapolate the model's state, which is that at the end of ``new``, over ``count`` cycles.

        Args:
            old: A cycle computed before ``new``.
            new: The last cycle.
            count: How many cycles are left out.
        """
        model, state = self._model, self._model.state
        apart, ended = new.number - old.number, new.end.arrays
        for name, rule in self._rules.items():
            function = self._functions[name]
            line = [self._raw(name, snapshot) for snapshot in (old.begin, old.end, new.begin, new.end)]
            now, slope, before = line[3], line[3] - line[2], line[1] - line[0]
            if self._on_facets(name):
                bounds = (0.0, 1.0) if rule.share else (-_WIDE, _WIDE)
                self._facets.extrapolate(function, (now, slope, before), (apart, count), bounds, rule.grows)
                continue
            if rule.tensor:
                values = now + of_tensors(progress, slope, before, apart, count)
                function.x.array[:] = exponential(values).ravel()
            else:
                values = now + progress(slope, before, apart, count)
                function.x.array[:] = _bounded(values, now, rule)
        if _TIRED in self._rules:
            grown = ended[_TIRED] - ended[_TIRED_BEFORE]
            self._functions[_TIRED_BEFORE].x.array[:] = self._functions[_TIRED].x.array - grown
        self._move(self._unknowns(old, new, count))
        state.previous.x.array[:] = state.expected.x.array[:] = state.unknowns.x.array
        state.time += count * (new.end.time - new.begin.time)
        model.elapsed.value = 0.0

    def _move(self, target: Array) -> None:
        """Bring the unknowns to a target, the displacement only so far that no cell comes near to turning inside out.

        Grains that drift apart would drag the fillings of pores with them; the equilibrium is found by the next step.
        """
        state = self._model.state
        begin, moving = state.unknowns.x.array.copy(), state.dofs.displacement
        least = _LEFT * min(1.0, self._smallest_determinant())
        state.unknowns.x.array[:] = target
        for share in (1.0, *(0.5**k for k in range(1, _HALVINGS)), 0.0):
            state.unknowns.x.array[moving] = begin[moving] + share * (target[moving] - begin[moving])
            if self._smallest_determinant() >= least:
                return

    def _smallest_determinant(self) -> float:
        """Smallest det F at a quadrature point of any rank."""
        self._determinant.interpolate(self._deformation)
        local = float(np.min(self._determinant.x.array, initial=np.inf))
        return float(self._model.comm.allreduce(local, op=MPI.MIN))

    def _unknowns(self, old: Turn, new: Turn, count: int) -> Array:
        model, begin = self._model, new.end.arrays["unknowns"]
        slope = begin - new.begin.arrays["unknowns"]
        before = old.end.arrays["unknowns"] - old.begin.arrays["unknowns"]
        values = begin + progress(slope, before, new.number - old.number, count)
        storing = model.storing_dofs
        room = model.capacity_of_node[storing] - begin[storing]
        bounds = _LEFT * begin[storing], begin[storing] + (1.0 - _LEFT) * room
        values[storing] = np.clip(values[storing], *bounds)
        held = [self._lithium(s.arrays["unknowns"]) for s in (old.begin, old.end, new.begin, new.end)]
        total, last, first = np.array([held[3]]), held[3] - held[2], held[1] - held[0]
        total += progress(np.array([last]), np.array([first]), new.number - old.number, count)
        return self._shifted(values, float(total[0]), bounds)

    def _lithium(self, values: Array) -> float:
        """Lithium in fmol (per µm of depth in 2D) that an array like the unknowns' holds on all ranks."""
        model = self._model
        owned = model.storing_dofs[model.storing_dofs < model.state.dofs.owned]
        return float(model.comm.allreduce(float(self._volumes.x.array[owned] @ values[owned])))

    def _shifted(self, values: Array, lithium: float, bounds: tuple[Array, Array]) -> Array:
        """Values with concentrations shifted so that they hold that much, as far as that is inside their bounds."""
        storing, room = self._model.storing_dofs, np.zeros_like(values)
        room[storing] = np.minimum(values[storing] - bounds[0], bounds[1] - values[storing])
        reach = self._lithium(room)
        if reach <= 0.0:
            return values
        share = (lithium - self._lithium(values)) / reach
        return np.asarray(values + float(np.clip(share, -1.0, 1.0)) * room)

    def settled(self, old: Turn, new: Turn, later: Turn) -> Turn:
        """A cycle after a jump with a beginning from which its slopes are those that are believed.

        The first cycle after a jump is also where what was extrapolated comes into balance: largest openings and
        contacts jump to where they belong. That is no slope (fem/slopes.py).

        Args:
            old: A cycle computed before ``new``.
            new: The last cycle before the jump.
            later: The first one after it.
        """
        apart, span, arrays = new.number - old.number, later.number - new.number, dict(later.begin.arrays)
        for name in (*self._rules, "unknowns"):
            then, before, begin, end = (self._raw(name, s) for s in (old.begin, old.end, new.begin, new.end))
            first, last = (self._raw(name, snapshot) for snapshot in (later.begin, later.end))
            slope, earlier, found = end - begin, before - then, last - first
            if self._on_facets(name):
                arrays[name] = self._facets.begin(last, found, (slope, earlier), (apart, span))
            elif name in self._rules and self._rules[name].tensor:
                expected, _ = along(of_tensors(later_slope, slope, earlier, apart, span), found)
                size, _ = along(found, found)
                share = np.divide(
                    believed(size, expected, span), size, out=np.ones_like(size), where=size > 0.0
                )
                arrays[name] = exponential(last - share * found).ravel()
            else:
                arrays[name] = last - believed(found, later_slope(slope, earlier, apart, span), span)
                if name == "unknowns":
                    # What the electrode has taken up in the cycle is known, wherever it went.
                    full = self._model.capacity_of_node[self._model.storing_dofs]
                    arrays[name] = self._shifted(arrays[name], self._lithium(first), (0.0 * full, full))
        begin_snapshot = replace(later.begin, arrays=arrays)
        return Turn(later.number, begin_snapshot, later.end)

    # ------------------------------------------------------------------ how far, and how well

    def changes(self, old: Turn, new: Turn) -> dict[str, float]:
        """Change of the slope from cycle to cycle over the scale of the field, of each field that is judged."""
        found, apart = {}, new.number - old.number
        for name in self._judged():
            then, before, begin, now = (
                self._values(name, s) for s in (old.begin, old.end, new.begin, new.end)
            )
            change = ((now - begin) - (before - then)) / apart
            found[name] = self._mean(name, change) / self._scale(name, now)
        return found

    def slope_errors(self, old: Turn, new: Turn, later: Turn) -> dict[str, float]:
        """How much the slope of a cycle differs from the one the cycles before a jump led to expect, likewise."""
        found, apart = {}, new.number - old.number
        for name in self._judged():
            then, before, begin, now = (
                self._values(name, s) for s in (old.begin, old.end, new.begin, new.end)
            )
            first, last = (self._values(name, snapshot) for snapshot in (later.begin, later.end))
            ahead = later.number - new.number
            error = self._mean(name, last - first, now - begin, before - then, apart, ahead)
            found[name] = error / self._scale(name, last)
        return found

    def _judged(self) -> list[str]:
        names = [name for name, rule in self._rules.items() if rule.judged]
        return [*names, "unknowns"] if self._model.state.has_lithium else names

    def _values(self, name: str, snapshot: Snapshot) -> Array:
        """What of a field is judged: logarithms of tensors, lithiation for the unknowns, owned points only."""
        model = self._model
        if name == "unknowns":
            owned = model.storing_dofs[model.storing_dofs < model.state.dofs.owned]
            return np.asarray(snapshot.arrays[name][owned] / model.capacity_of_node[owned])
        values = self._raw(name, snapshot)
        if self._on_facets(name):
            return values
        dofmap = self._functions[name].function_space.dofmap
        owned_size = dofmap.index_map.size_local * dofmap.index_map_bs
        if values.ndim > 1:
            return np.asarray(values[: owned_size // self._size])
        return np.asarray(values[:owned_size])

    def _raw(self, name: str, snapshot: Snapshot) -> Array:
        """The values of a field, of tensors the logarithms, shape (points, components)."""
        array = snapshot.arrays[name]
        tensor = name in self._rules and self._rules[name].tensor
        return logarithm(array.reshape(-1, self._size)) if tensor else array

    def _mean(
        self,
        name: str,
        value: Array,
        slope: Array | None = None,
        before: Array | None = None,
        apart: int = 1,
        ahead: int = 0,
    ) -> float:
        """Root mean square over all ranks of a value less the slope that is expected some cycles ahead."""
        comm = self._model.comm
        nothing = np.zeros_like(value)
        slope, before = nothing if slope is None else slope, nothing if before is None else before
        if self._on_facets(name):
            return self._facets.mean(value, (slope, before), (apart, ahead))
        if value.ndim > 1:
            difference = value - of_tensors(later_slope, slope, before, apart, ahead)
        else:
            difference = value - later_slope(slope, before, apart, ahead)
        total, count = comm.allreduce(float(np.sum(difference**2))), comm.allreduce(difference.size)
        return float(np.sqrt(total / count)) if count else 0.0

    def _scale(self, name: str, values: Array) -> float:
        """One for shares and lithiation, else the root mean square of the field."""
        if name == "unknowns" or self._rules[name].share:
            return 1.0
        return max(self._mean(name, values), self._rules[name].least)

    def _on_facets(self, name: str) -> bool:
        return bool(self._functions[name].function_space == self._model.facet_history.space)


def _bounded(values: Array, now: Array, rule: Rule) -> Array:
    if rule.grows:
        values = np.maximum(values, now)
    if rule.share:
        values = np.clip(values, 0.0, 1.0)
    if rule.positive:
        values = np.maximum(values, _LEFT * now)
    return values
