"""Extrapolation over cycles of what interfaces remember: point by point on the facets, by compiled projections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem

from fem.slopes import (
    ufl_believed,
    ufl_between,
    ufl_cautious,
    ufl_later_slope,
    ufl_mean_slope,
    ufl_progress,
    ufl_steepness,
)

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
_ARRAYS = ("now", "slope", "before", "found", "floor")
_NUMBERS = ("apart", "count", "gap", "lower", "upper", "known", "cautious")


class FacetSlopes:
    """Extrapolates fields of a model's facet history; each form is compiled when first used, methods are collective.

    All arrays are like those of the fields; ``slope`` is that of the last cycle, ``before`` the one before it,
    ``apart`` how many cycles lie between the two.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, self._space = model, model.facet_history
        self._fields = {name: self._space.function(name) for name in _ARRAYS}
        self._numbers = {name: dfem.Constant(model.domain.mesh, 0.0) for name in _NUMBERS}
        self._forms: dict[str, dfem.Form] = {}
        self._area: float | None = None

    def extrapolate(
        self,
        target: dfem.Function,
        line: tuple[Array, Array, Array, Array | None],
        cycles: tuple[int, int, int],
        bounds: tuple[float, float],
        floor: Array | None,
        cautious: bool = False,
    ) -> None:
        """Set a field to what it comes to.

        Args:
            target: The field.
            line: Its value now, its slope, the slope before that, and that of a later cycle where it is known.
            cycles: ``apart``, how many cycles are left out, and how far ahead that later cycle is.
            bounds: Of the field.
            floor: What it does not fall below, None where it may fall.
            cautious: Whether the smaller one of the slopes goes on (fem/slopes.py); of what only grows the last one,
                and no faster.
        """
        now, slope, before, far = line
        self._fill(now=now, slope=slope, before=before, found=slope if far is None else far)
        self._fields["floor"].x.array[:] = 0.0 if floor is None else floor
        lower, upper = bounds
        self._set(apart=cycles[0], count=cycles[1], gap=max(cycles[2], 1), lower=lower, upper=upper)
        self._set(known=float(far is not None), cautious=float(cautious))
        self._space.update(target, self._form("falls" if floor is None else "grows"))

    def mean(self, value: Array) -> float:
        """Root mean square of a field over all interfaces."""
        self._fill(now=value)
        local = float(np.sum(self._space.integrals(self._form("square"))))
        total, area = float(self._model.comm.allreduce(local)), self._whole()
        return float(np.sqrt(total / area)) if area > 0.0 else 0.0

    def expected(self, slope: Array, before: Array, apart: int, ahead: int) -> Array:
        """The slope that is expected some cycles ahead of what a cycle puts right by itself."""
        self._fill(slope=slope, before=before)
        self._set(apart=apart, count=ahead)
        return self._made("expected")

    def believed(self, found: Array, slope: Array, before: Array, apart: int, ahead: int) -> Array:
        """What is believed of the slope found that many cycles ahead (fem/slopes.py)."""
        self._fill(found=found, slope=slope, before=before)
        self._set(apart=apart, count=ahead)
        return self._made("believed")

    def mean_slope(self, gained: Array, slope: Array, gap: int) -> Array:
        """The slope where ``gained`` was gained over ``gap`` cycles (fem/slopes.py)."""
        self._fill(found=gained, slope=slope)
        self._set(gap=gap)
        return self._made("mean_slope")

    def progress(self, slope: Array, before: Array, apart: int, count: int) -> Array:
        """What is added over ``count`` cycles by the slopes of two cycles (fem/slopes.py)."""
        self._fill(slope=slope, before=before)
        self._set(apart=apart, count=count, gap=1, known=0.0, cautious=0.0)
        return self._made("progress")

    def between(self, slope: Array, far: Array, gap: int, count: int) -> Array:
        """What is added over ``count`` cycles before one whose slope is known (fem/slopes.py)."""
        self._fill(slope=slope, found=far)
        self._set(gap=gap, count=count, known=1.0, cautious=0.0)
        return self._made("progress")

    def _fill(self, **arrays: Array) -> None:
        for name, values in arrays.items():
            self._fields[name].x.array[:] = values

    def _set(self, **numbers: float) -> None:
        for name, number in numbers.items():
            self._numbers[name].value = float(number)

    def _made(self, name: str) -> Array:
        target = self._space.function("made")
        self._space.update(target, self._form(name))
        return np.asarray(target.x.array.copy())

    def _whole(self) -> float:
        """Area of all interfaces."""
        if self._area is None:
            self._space.set_values(self._fields["now"], np.ones(len(self._model.interfaces.facets)))
            local = float(np.sum(self._space.integrals(self._form("square"))))
            self._area = float(self._model.comm.allreduce(local))
        return self._area

    def _form(self, name: str) -> dfem.Form:
        if name not in self._forms:
            self._forms[name] = self._space.projection(self._expression(name))
        return self._forms[name]

    def _expression(self, name: str) -> Any:
        now, slope, before, found, floor = (self._space.value(self._fields[key]) for key in _ARRAYS)
        apart, count, gap, lower, upper, known, cautious = (self._numbers[key] for key in _NUMBERS)
        if name == "square":
            return now**2
        if name == "mean_slope":
            return ufl_mean_slope(found, slope, gap)
        if name in ("expected", "believed"):
            if name == "expected":
                return ufl_later_slope(ufl_cautious(slope, before), before, apart, count)
            return ufl_believed(found, ufl_steepness(slope, before, apart, count), count)
        steady = ufl.gt(cautious, 0.5)
        if name == "grows":
            before = ufl.conditional(ufl.And(steady, ufl.lt(abs(before), abs(slope))), slope, before)
        else:
            slope = ufl.conditional(steady, ufl_cautious(slope, before), slope)
        added = ufl.conditional(
            ufl.gt(known, 0.5),
            ufl_between(slope, found, gap, count),
            ufl_progress(slope, before, apart, count),
        )
        if name == "progress":
            return added
        lowest = ufl.max_value(lower, floor) if name == "grows" else lower
        return ufl.min_value(ufl.max_value(now + added, lowest), upper)
