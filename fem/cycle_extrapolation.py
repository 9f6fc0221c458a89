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
pressures, contact partners, stabilisation) stays as it is. What a cycle puts right by itself goes on with the smaller
one of the last slopes, largest openings with the last one and no faster: the cycle after a jump opens interfaces
further where that was too little, and cannot take back what was too much.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import compat
from fem.cycle_correction import CycleCorrection
from fem.cycle_fields import TIRED, TIRED_BEFORE, CycleFields, Turn
from fem.cycle_rules import Rule
from fem.model import ElectrodeModel
from fem.slopes import between, cautious, of_tensors, progress
from fem.symmetric_tensors import exponential

__all__ = ["CycleExtrapolation", "Turn"]

Array = npt.NDArray[np.float64]

#: Share of the distance to a bound that an open interval leaves.
_LEFT = 0.25
_HALVINGS = 6
_WIDE = 1.0e30


class CycleExtrapolation:
    """Extrapolates the state of a model; methods are collective.

    Args:
        model: The coupled model.

    Attributes:
        correction: Of a jump, once the cycle after it is known.

    Raises:
        SwellboundError: Its state has a field that no rule is known for.
    """

    def __init__(self, model: ElectrodeModel):
        self._model = model
        self._fields = CycleFields(model)
        self.correction = CycleCorrection(model, self._fields)
        space = model.state.increment.function_space
        self._determinant = dfem.Function(space)
        self._deformation = dfem.Expression(
            ufl.det(model.bulk.deformation),
            compat.interpolation_points(space.element),
            jit_options=compat.jit_options(),
        )

    def jump(self, old: Turn, new: Turn, count: int, far: Turn | None = None) -> None:
        """Extrapolate the model's state, which is that at the end of ``new``, over ``count`` cycles.

        Args:
            old: A cycle computed before ``new``.
            new: The last cycle. Its end may have been corrected (fem/cycle_correction.py): the state is brought there
                on the way, but what only grows falls no lower than it is.
            count: How many cycles are left out; none only corrects.
            far: A later cycle, computed after a jump that was taken back, whose slope still holds.
        """
        model, state, fields = self._model, self._model.state, self._fields
        apart, grown = new.number - old.number, None
        ahead = 0 if far is None else far.number - new.number
        if TIRED in fields.rules:
            grown = fields.functions[TIRED].x.array - fields.functions[TIRED_BEFORE].x.array
        for name, rule in fields.rules.items():
            function, later = fields.functions[name], None if fields.settles(name) else far
            now, slope, before = self._line(name, old, new)
            if later is not None:
                found = fields.raw(name, later.end) - fields.raw(name, later.begin)
            if fields.on_facets(name):
                bounds = (0.0, 1.0) if rule.share else (-_WIDE, _WIDE)
                fields.facets.extrapolate(
                    function,
                    (now, slope, before, None if later is None else found),
                    (apart, count, ahead),
                    bounds,
                    function.x.array.copy() if rule.grows else None,
                    cautious=rule.settles,
                )
                continue
            if rule.tensor:
                added = of_tensors(progress, slope, before, apart, count)
                if later is not None:
                    added = of_tensors(between, slope, found, ahead, count)
                function.x.array[:] = exponential(now + added).ravel()
                continue
            added = (
                progress(slope, before, apart, count)
                if later is None
                else between(slope, found, ahead, count)
            )
            function.x.array[:] = _bounded(now + added, function.x.array, rule)
        if grown is not None:
            fields.functions[TIRED_BEFORE].x.array[:] = fields.functions[TIRED].x.array - grown
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
        model = self._model
        begin, slope, before = self._line("unknowns", old, new)
        values = begin + progress(cautious(slope, before), before, new.number - old.number, count)
        storing = model.storing_dofs
        room = model.capacity_of_node[storing] - begin[storing]
        bounds = _LEFT * begin[storing], begin[storing] + (1.0 - _LEFT) * room
        values[storing] = np.clip(values[storing], *bounds)
        held, last, first = (self._fields.lithium(array) for array in (begin, slope, before))
        one = np.array(first)
        added = progress(cautious(np.array(last), one), one, new.number - old.number, count)
        return self._fields.shifted(values, held + float(added), bounds)

    def _line(self, name: str, old: Turn, new: Turn) -> tuple[Array, Array, Array]:
        """A field at the end of the last cycle, its slope, and the slope before that."""
        then, before, begin, now = (
            self._fields.raw(name, snapshot) for snapshot in (old.begin, old.end, new.begin, new.end)
        )
        return now, now - begin, before - then

    def changes(self, old: Turn, new: Turn) -> dict[str, float]:
        """Change of the slope from cycle to cycle over the scale of the field, of each field that is judged."""
        found, apart = {}, new.number - old.number
        for name in self._fields.judged():
            now, slope, before = self._line(name, old, new)
            found[name] = self._fields.mean(name, (slope - before) / apart) / self._fields.scale(name, now)
        return found


def _bounded(values: Array, lowest: Array, rule: Rule) -> Array:
    if rule.grows:
        values = np.maximum(values, lowest)
    if rule.share:
        values = np.clip(values, 0.0, 1.0)
    if rule.positive:
        values = np.maximum(values, _LEFT * lowest)
    return values
