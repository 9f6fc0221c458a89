"""What depends on the temperature, brought to another one between two steps: nothing is compiled anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fem import kinetics
from fem.coefficients import row
from fem.errors import ParameterError
from fem.facet_parameters import CONDUCTANCE
from fem.interfaces import contact_fraction
from fem.materials.base import Conductor, Host, arrhenius
from fem.materials.flow import flow_table

if TYPE_CHECKING:
    from fem.model import ElectrodeModel


def apply(model: ElectrodeModel, temperature: float) -> None:
    """Set the temperature of a model.

    Flow rates, the closure of voids at lithium metal, and the diffusivities and conductivities with an activation
    energy follow it; so does all that reads the control ``temperature``. What flow and hardening have made of the
    materials stays. Elasticity, swelling and open-circuit voltages do not depend on it.

    Args:
        model: The coupled model, between two steps.
        temperature: In K.

    Raises:
        ParameterError: It is not positive.
    """
    if not 0.0 < temperature < math.inf:
        raise ParameterError("temperature", temperature, "above 0 K")
    model.temperature = temperature
    model.control("temperature").value = temperature
    if model.flow is not None:
        state = model.state
        phase = model.domain.cell_phase[state.point_cells]
        model.flow.table = flow_table(phase, model.materials, temperature)
    if model.kinetics is not None:
        _set_facets(model, kinetics.EXCHANGE, kinetics.exchange_currents(model.laws, temperature))
        _set_facets(model, CONDUCTANCE, kinetics.conductances(model.laws, temperature))
    if contact_fraction.CLOSURE in model.facet_constants.named:
        closures = contact_fraction.closures(model.interfaces.kinds, model.laws, model.materials, temperature)
        _set_facets(model, contact_fraction.CLOSURE, closures)
    _set_diffusivities(model, temperature)


def _set_facets(model: ElectrodeModel, name: str, per_kind: Sequence[float]) -> None:
    """Set a field on the facets anew, one value a kind of interface."""
    values = np.asarray(per_kind, dtype=np.float64)[model.interfaces.kind]
    model.facet_constants.set_values(model.facet_constants.named[name], values)


def _set_diffusivities(model: ElectrodeModel, temperature: float) -> None:
    """Diffusivities of the hosts and mobilities of the conductors at a temperature in K."""
    table = model.coefficients
    place = table.names.index("diffusivity")
    cells = table.function.function_space.dofmap.list[:, 0]
    values = table.function.x.array.reshape(-1, len(table.names))
    for index, material in enumerate(model.materials):
        lithium = material.lithium
        energy = None
        if isinstance(lithium, Host):
            energy = lithium.diffusion_energy
        elif isinstance(lithium, Conductor):
            energy = lithium.conduction_energy
        if energy is not None:
            own = cells[model.domain.cell_phase == index]
            values[own, place] = row(material, 0.0)[place] * arrhenius(energy, temperature)
