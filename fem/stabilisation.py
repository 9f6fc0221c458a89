"""Numerical inertia: resistance of interfaces and fillings to departures from the motion that is expected of a step.

What it is for and when it acts is decided in fem/stepping.py; its traction is part of fem/balances.interface_work.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import ufl
from dolfinx import fem as dfem

from fem import balances, compat

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

# Mean damage of a facet from which it counts as broken.
_BROKEN = 0.999


class Stabilisation:
    """Sets how much departures are resisted, and measures the work of it.

    Args:
        model: The coupled model, with its state and interfaces.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, state = model, model.state
        self._force: dfem.Form | None = None
        fields = [
            balances.split(function)
            for function in (state.unknowns, state.expected, ufl.TestFunction(state.space))
        ]
        terms = []
        if model.interfaces.kinds:
            now, expected, test = (balances.interface_opening(field.displacement) for field in fields)
            stiffness = model.facet_constants.value(state.stabilisation)
            terms.append(stiffness * ufl.inner(now - expected, test) * model.dS)
        if any(material.holding_modulus is not None for material in model.materials):
            terms.append(
                balances.filling_inertia(
                    fields[0], fields[1], fields[2], model.coefficients, model.measures.bulk
                )
            )
        if terms:
            self._force = compat.compile_form(sum(terms[1:], terms[0]))

    def resist(self, grains: Collection[int], stiffness: float) -> None:
        """Resist departures at every interface of some grains.

        Args:
            grains: Indices into ``domain.grains``; the same on every rank.
            stiffness: At least this much in MPa/µm.
        """
        model = self._model
        chosen = np.isin(model.domain.cell_grain, list(grains))
        pairs = model.interfaces.quadruples
        touched = chosen[pairs[:, 0]] | chosen[pairs[:, 2]]
        values = model.facet_constants.values(model.state.stabilisation)
        values[touched] = np.maximum(values[touched], stiffness)
        model.facet_constants.set_values(model.state.stabilisation, values)

    def release(self, factor: float, least: float, holding: float = 0.0) -> None:
        """Lower all stiffnesses by a factor, to no less than a stiffness at rest; collective.

        Args:
            factor: On all stiffnesses.
            least: Stiffness at rest in MPa/µm.
            holding: The same where an interface that can break still holds: of the order of the slope at which it
                softens, σ_max² / (2 Gc), so that damage within a step is no instability.
        """
        model = self._model
        constants, field = model.facet_constants, model.state.stabilisation
        rest = np.full(len(constants.values(field)), least)
        if holding > least:
            rest[model.facet_damage() < _BROKEN * model.breakable_areas] = holding
        constants.set_values(field, np.maximum(factor * constants.values(field), rest))

    def work(self) -> float:
        """Work over the step in pJ (per µm of depth in 2D), of the dofs this rank owns; collective.

        By the trapezoidal rule in the nodal forces, as all work in equilibrium: what has been held back in one step
        and is set free in the next counts as well.
        """
        if self._force is None:
            return 0.0
        state, owned = self._model.state, self._model.state.dofs.owned
        force = dfem.Function(state.space)
        compat.assemble_vector(force, self._force)
        change = state.unknowns.x.array[:owned] - state.previous.x.array[:owned]
        mean = 0.5 * (state.stabilisation_force.x.array[:owned] + force.x.array[:owned])
        return float(mean @ change)

    def commit(self) -> None:
        """Remember the forces at the end of the step that has been accepted; collective."""
        if self._force is not None:
            compat.assemble_vector(self._model.state.stabilisation_force, self._force)
