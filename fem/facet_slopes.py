"""Extrapolation over cycles of what interfaces remember: point by point on the facets, by compiled projections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem

from fem.slopes import ufl_believed, ufl_later_slope, ufl_progress

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
_WIDE = 1.0e30
_NUMBERS = ("apart", "count", "lower", "upper", "grows")


class FacetSlopes:
    """Extrapolates fields of a model's facet history; compiled when first used, methods are collective.

    All arrays are like those of the fields. Of pairs of numbers the first says how many cycles lie between the two
    slopes, the second how far ahead is looked.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, self._space = model, model.facet_history
        self._fields = tuple(self._space.function(name) for name in ("now", "slope", "before", "found"))
        self._numbers = {name: dfem.Constant(model.domain.mesh, 0.0) for name in _NUMBERS}
        self._forms: tuple[dfem.Form, dfem.Form, dfem.Form] | None = None
        self._area = 0.0

    def extrapolate(
        self,
        target: dfem.Function,
        line: tuple[Array, Array, Array],
        cycles: tuple[int, int],
        bounds: tuple[float, float],
        grows: bool,
    ) -> None:
        """Set a field to what it comes to.

        Args:
            target: The field.
            line: Its value now, its slope and the slope before that.
            cycles: How many lie between the slopes, and how many are left out.
            bounds: Of the field.
            grows: Whether it never falls.
        """
        self._fill(line, cycles)
        numbers = self._numbers
        numbers["lower"].value, numbers["upper"].value = bounds
        numbers["grows"].value = float(grows)
        self._space.update(target, self._compiled()[0])

    def mean(self, value: Array, slopes: tuple[Array, Array], cycles: tuple[int, int]) -> float:
        """Root mean square over all interfaces of a value less the slope that is expected."""
        forms = self._compiled()
        self._fill((value, *slopes), cycles)
        local = float(np.sum(self._space.integrals(forms[1])))
        total = float(self._model.comm.allreduce(local))
        return float(np.sqrt(total / self._area)) if self._area > 0.0 else 0.0

    def begin(self, last: Array, found: Array, slopes: tuple[Array, Array], cycles: tuple[int, int]) -> Array:
        """The value at the end of a cycle less the slope that is believed of it."""
        self._fill((last, *slopes, found), cycles)
        target = self._space.function("begin")
        self._space.update(target, self._compiled()[2])
        return np.asarray(target.x.array.copy())

    def _fill(self, arrays: tuple[Array, ...], cycles: tuple[int, int]) -> None:
        for function, values in zip(self._fields, arrays, strict=False):
            function.x.array[:] = values
        self._numbers["apart"].value, self._numbers["count"].value = map(float, cycles)

    def _compiled(self) -> tuple[dfem.Form, dfem.Form, dfem.Form]:
        if self._forms is not None:
            return self._forms
        space, numbers = self._space, self._numbers
        now, slope, before, found = (space.value(function) for function in self._fields)
        count, apart = numbers["count"], numbers["apart"]
        floor = ufl.max_value(numbers["lower"], ufl.conditional(ufl.gt(numbers["grows"], 0.5), now, -_WIDE))
        ahead = ufl.max_value(now + ufl_progress(slope, before, apart, count), floor)
        expected = ufl_later_slope(slope, before, apart, count)
        self._forms = (
            space.projection(ufl.min_value(ahead, numbers["upper"])),
            space.projection((now - expected) ** 2),
            space.projection(now - ufl_believed(found, expected, count)),
        )
        # The value of a constant is a view of it.
        kept = [function.x.array.copy() for function in self._fields], int(apart.value), int(count.value)
        nothing = np.zeros_like(kept[0][0])
        space.set_values(self._fields[0], np.ones(len(self._model.interfaces.facets)))
        self._fill((self._fields[0].x.array.copy(), nothing, nothing), (1, 1))
        self._area = float(self._model.comm.allreduce(float(np.sum(space.integrals(self._forms[1])))))
        self._fill(tuple(kept[0]), kept[1:])
        return self._forms
