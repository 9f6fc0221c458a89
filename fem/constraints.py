"""Prescribed dofs: which they are and where their values come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem.domain import Domain
from fem.loads import Load, Prescribed, Support
from fem.state import State


@dataclass(frozen=True)
class Constraint:
    """Prescribed dofs.

    Attributes:
        dofs: Owned local indices, shape (n,).
        values: A DOLFINx Constant, or an array of shape (n,) that :attr:`refresh` fills anew.
        refresh: Called at the beginning of each step where values vary in space, else None.
    """

    dofs: npt.NDArray[np.int32]
    values: Any
    refresh: Callable[[], None] | None = None


def build_constraints(
    domain: Domain, state: State, loads: Sequence[Load], control: Callable[[str], dfem.Constant]
) -> list[Constraint]:
    """Constraints of all supports and prescribed fields, in the order of the loads.

    Args:
        domain: Gives the boundaries.
        state: Gives the space.
        loads: Those without prescribed dofs are passed over.
        control: The constant behind a control by name.
    """
    constraints = []
    for load in loads:
        if isinstance(load, Support):
            sub = state.space.sub(0).sub(load.component)
            constraints.append(Constraint(owned_dofs(domain, state, sub, load.boundary), control(load.name)))
        elif isinstance(load, Prescribed):
            constraints.append(_prescribed(domain, state, load))
    return constraints


def owned_dofs(
    domain: Domain, state: State, space: dfem.FunctionSpace, boundary: str | None
) -> npt.NDArray[np.int32]:
    """Owned dofs of a scalar subspace on a boundary, or everywhere if ``boundary`` is None."""
    if boundary is None:
        dofs = np.unique(np.asarray(space.dofmap.list)).astype(np.int32)
    else:
        facets = domain.boundary_facets(boundary)
        dofs = dfem.locate_dofs_topological(space, domain.dimension - 1, facets)
    return dofs[dofs < state.dofs.owned]


def _prescribed(domain: Domain, state: State, load: Prescribed) -> Constraint:
    dofs = owned_dofs(domain, state, state.space.sub(load.field), load.boundary)
    values = np.zeros(len(dofs))
    scratch = dfem.Function(state.space)

    def refresh() -> None:
        scratch.sub(load.field).interpolate(load.values)
        values[:] = scratch.x.array[dofs]

    refresh()
    return Constraint(dofs, values, refresh)
