"""What is done to a domain at its boundary: supports, mirrors, pressure, lithium influx, prescribed values, sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fem.counter_electrode import CounterElectrode, LithiumMetal
from fem.errors import ParameterError
from fem.parameters import Parameter

Values = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Support:
    """Holds displacement components of a boundary at a value.

    Attributes:
        boundary: Name of the boundary, or None for every node.
        component: 0, 1 or 2.
        name: Name of the control that gives the value in µm (starts at zero).
    """

    boundary: str | None
    component: int
    name: str = "zero"


@dataclass(frozen=True)
class Mirror:
    """A flat boundary is a plane of symmetry: grains that come there from within meet it, without friction.

    What was meshed on it needs a :class:`Support` besides; see fem/interfaces/side_contact.py.

    Attributes:
        boundary: Name of the boundary.
        component: Coordinate that is constant on it: 0, 1 or 2.
    """

    boundary: str
    component: int


@dataclass(frozen=True)
class Pressure:
    """Dead pressure on a boundary; control ``name`` in MPa, positive when it pushes inwards."""

    boundary: str
    name: str = "pressure"


@dataclass(frozen=True)
class LithiumInflux:
    """Lithium entering through a boundary; control ``name`` in fmol/(µm² s)."""

    boundary: str
    name: str = "influx"


@dataclass(frozen=True)
class TerminalCurrent:
    """Connects a face of the electrolyte to a counter electrode; the model's ``terminal`` holds current or voltage.

    Attributes:
        boundary: Name of the boundary; only solid electrolyte may lie at it.
        counter: What stands opposite.
        separator_resistance: Of what lies between that face and the counter electrode, in Ω m²; None for nothing.
        name: Name of the control that shows the influx in fmol/(µm² s).
    """

    boundary: str
    counter: CounterElectrode = field(default_factory=LithiumMetal)
    separator_resistance: Parameter | None = None
    name: str = "influx"


@dataclass(frozen=True)
class Prescribed:
    """Prescribes a field on a boundary by values that may vary in space.

    Attributes:
        boundary: Name of the boundary, or None for every node.
        field: 0 displacement, 1 concentration, 2 chemical potential.
        values: Function of x, shape (3, points), that gives the values, shape (components, points) or (points,).
            It is evaluated anew at the beginning of each step.
    """

    boundary: str | None
    field: int
    values: Values


@dataclass(frozen=True)
class Source:
    """Volume source of momentum and lithium (used for manufactured solutions and test loads).

    Attributes:
        body_force: UFL vector in MPa/µm or None.
        lithium: UFL scalar in fmol/(µm³ s) or None.
        potential: UFL scalar added to the chemical potential in pJ/fmol or None.
    """

    body_force: Any = None
    lithium: Any = None
    potential: Any = None


Load = Support | Mirror | Pressure | LithiumInflux | TerminalCurrent | Prescribed | Source


def refuse_lithium(loads: Sequence[Load]) -> None:
    """Refuse loads on fields that a domain without a lithium balance does not have.

    Raises:
        ParameterError: There is such a load.
    """
    for load in loads:
        sources = (getattr(load, "lithium", None), getattr(load, "potential", None))
        prescribes = isinstance(load, Prescribed) and load.field > 0
        if (
            isinstance(load, LithiumInflux | TerminalCurrent)
            or prescribes
            or any(source is not None for source in sources)
        ):
            raise ParameterError(
                "loads", type(load).__name__, "without lithium where no material takes part in its balance"
            )
