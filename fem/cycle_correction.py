"""A jump corrected by the cycle that follows it, and how large the correction is: the error of the jump as it was.

Before the cycle the slopes over the jump were extrapolated, after it they are known at both ends, and what was added
is replaced by what is added between known slopes (fem/slopes.py): a predictor and a corrector, one order better. The
difference is the error of the prediction. It is sharp as long as slopes go smoothly, and larger than what remains.

That holds of what cycles add to. What a cycle puts right by itself (lithium, flow to and fro, largest openings) is
right at its end, and its own slope says how far it was off at its beginning.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fem.cycle_fields import TIRED, CycleFields, Turn
from fem.model import ElectrodeModel
from fem.slopes import (
    along,
    believed,
    between,
    cautious,
    later_slope,
    mean_slope,
    progress,
    scaled,
    steepness,
)
from fem.symmetric_tensors import exponential

Array = npt.NDArray[np.float64]

#: How much of a correction is left as an error. Where the slope is a parabola in time, n cycles are jumped over and
#: the slopes before were p cycles apart, the trapezoidal rule leaves n / (3 (n + p)) of the difference to a line.
LEFT = 1.0 / 3.0


class CycleCorrection:
    """Corrects a jump; methods are collective.

    Args:
        model: The coupled model.
        fields: Its fields.
    """

    def __init__(self, model: ElectrodeModel, fields: CycleFields):
        self._model, self._fields = model, fields

    def corrected(self, old: Turn, new: Turn, later: Turn, far: Turn | None = None) -> Turn:
        """The cycle after a jump with the end it would have had after a better jump, and slopes that are believed.

        Args:
            old: A cycle computed before ``new``.
            new: The last cycle before the jump.
            later: The first one after it.
            far: A later cycle with whose slope the jump was made, where there was one.
        """
        fields, ends, begins = self._fields, dict(later.end.arrays), dict(later.begin.arrays)
        for name in (*fields.rules, "unknowns"):
            slope = self._slope(name, old, new, later)
            end = fields.raw(name, later.end)
            if not fields.settles(name):
                end = end + self._correction(name, slope, old, new, later, far)
            ends[name], begins[name] = end, end - slope
            if fields.tensor(name):
                ends[name], begins[name] = exponential(end).ravel(), exponential(end - slope).ravel()
        return Turn(later.number, replace(later.begin, arrays=begins), replace(later.end, arrays=ends))

    def smoothed(self, new: Turn, later: Turn) -> Turn:
        """A cycle that follows another one, with a slope of the lithium that is the mean of its own and of that one's.

        From cycle to cycle lithium scatters, and what is scatter is not to be multiplied by the length of a jump.
        """
        before, found = self._slopes("unknowns", new, later)
        begin = later.end.arrays["unknowns"] - 0.5 * (before + found)
        return replace(later, begin=replace(later.begin, arrays=later.begin.arrays | {"unknowns": begin}))

    def errors(self, old: Turn, new: Turn, later: Turn, far: Turn | None = None) -> dict[str, float]:
        """How far a jump was off over the scale of the field, of each field that is judged; as of ``corrected``.

        Fatigue counts in full: damage after the jump is written down before the correction.
        """
        found = {}
        for name in self._fields.judged():
            end = self._fields.raw(name, later.end)
            if self._fields.settles(name):
                error = end - self._fields.raw(name, later.begin) - self._expected(name, old, new, later)
            else:
                slope = self._slope(name, old, new, later)
                error = self._correction(name, slope, old, new, later, far)
                if name != TIRED:
                    error = error * LEFT
            found[name] = self._fields.mean(name, error) / self._fields.scale(name, end)
        return found

    def _slopes(self, name: str, *turns: Turn) -> list[Array]:
        return [self._fields.raw(name, turn.end) - self._fields.raw(name, turn.begin) for turn in turns]

    def _expected(self, name: str, old: Turn, new: Turn, later: Turn) -> Array:
        """The slope that was expected of the cycle after a jump, of what it puts right by itself."""
        before, slope = self._slopes(name, old, new)
        apart, ahead = new.number - old.number, later.number - new.number
        if name != "unknowns" and self._fields.on_facets(name):
            return self._fields.facets.expected(slope, before, apart, ahead)
        return later_slope(cautious(slope, before), before, apart, ahead)

    def _slope(self, name: str, old: Turn, new: Turn, later: Turn) -> Array:
        """The slope that is believed of the cycle after the jump."""
        fields, facets = self._fields, self._fields.facets
        before, slope, found = self._slopes(name, old, new, later)
        apart, ahead = new.number - old.number, later.number - new.number
        on_facets = name != "unknowns" and fields.on_facets(name)
        if fields.settles(name):
            gained = fields.raw(name, later.end) - fields.raw(name, new.end)
            if name == "unknowns":
                return self._of_unknowns(later, found, gained / ahead)
            return facets.mean_slope(gained, slope, ahead) if on_facets else mean_slope(gained, slope, ahead)
        if on_facets:
            return facets.believed(found, slope, before, apart, ahead)
        if not fields.tensor(name):
            return believed(found, steepness(slope, before, apart, ahead), ahead)
        size, last = along(found, slope)
        expected = steepness(last, along(found, before)[1], apart, ahead)
        return scaled(found, size, believed(size, expected, ahead))

    def _of_unknowns(self, later: Turn, found: Array, mean: Array) -> Array:
        """What of the slope found and of the mean one since the last cycle goes on.

        Lithium that was put in the wrong place finds back within a cycle where it is quick and within many where it is
        slow: the first makes the slope that is found wrong, the second the mean one.
        """
        end, fields = later.end.arrays["unknowns"], self._fields
        slope = cautious(found, mean)
        total = float(cautious(np.array(fields.lithium(found)), np.array(fields.lithium(mean))))
        full = self._model.capacity_of_node[self._model.storing_dofs]
        return end - fields.shifted(end - slope, fields.lithium(end) - total, (0.0 * full, full))

    def _correction(
        self, name: str, slope: Array, old: Turn, new: Turn, later: Turn, far: Turn | None
    ) -> Array:
        """What a jump should have added more, now that the slope after it is known."""
        before, last = self._slopes(name, old, new)
        apart, gap, facets = new.number - old.number, later.number - new.number, self._fields.facets
        known, ahead = (None, 0) if far is None else (self._slopes(name, far)[0], far.number - new.number)
        if name != "unknowns" and self._fields.on_facets(name):
            should = facets.between(last, slope, gap, gap - 1)
            if known is None:
                return should - facets.progress(last, before, apart, gap - 1)
            return should - facets.between(last, known, ahead, gap - 1)
        direction, size = last, last
        tensor = self._fields.tensor(name)
        if tensor:
            size, before = along(direction, before)
            slope = along(direction, slope)[1]
            known = None if known is None else along(direction, known)[1]
        added = (
            progress(size, before, apart, gap - 1) if known is None else between(size, known, ahead, gap - 1)
        )
        more = between(size, slope, gap, gap - 1) - added
        return scaled(direction, size, more) if tensor else more
