"""Where a run starts: lithiation of every phase, fields in equilibrium, and how much each node can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fem.domain import Domain
from fem.errors import ParameterError
from fem.materials.base import Conductor, Host, Material, Reservoir
from fem.materials.open_circuit import lithiation_at
from fem.state import State
from fem.units import FARADAY


@dataclass(frozen=True)
class NodeTable:
    """What the concentration dofs can hold.

    Attributes:
        capacity: c_max at every concentration dof in fmol/µm³ (1 where nothing is stored), shape (all local dofs,).
        storing: Concentration dofs of phases that store lithium, sorted.
    """

    capacity: npt.NDArray[np.float64]
    storing: npt.NDArray[np.int32]


def start_lithiation(
    materials: Sequence[Material], voltage: float, given: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """Lithiation at the start of each phase, shape (phases,).

    Args:
        materials: Material of each phase.
        voltage: Voltage against lithium with which hosts are in equilibrium, in V.
        given: Lithiation of phases that start elsewhere.

    Raises:
        ParameterError: A host does not reach the voltage.
    """
    return np.array([_start_of(material, voltage, given) for material in materials], dtype=np.float64)


def _start_of(material: Material, voltage: float, given: Mapping[str, float]) -> float:
    if isinstance(material.lithium, Reservoir):
        return given.get(material.phase, 1.0)
    if not isinstance(material.lithium, Host):
        return 0.0
    if material.phase in given:
        return given[material.phase]
    try:
        return lithiation_at(material.lithium.curve, voltage)
    except ValueError as error:
        raise ParameterError("start_voltage", voltage, f"reached by {material.phase}: {error}") from error


def set_initial_fields(
    domain: Domain, materials: Sequence[Material], start: npt.NDArray[np.float64], state: State
) -> None:
    """Concentration and chemical potential of the unstressed body, conductors in equilibrium with the lowest host."""
    concentration = start * np.array([_scale(m) for m in materials])
    potential = np.array(
        [
            float(-m.lithium.curve.voltage(x, exp=np.exp, tanh=np.tanh))
            if isinstance(m.lithium, Host)
            else 0.0
            for m, x in zip(materials, start, strict=True)
        ]
    )
    conductor = potential.min() if potential.min() < 0.0 else 0.0
    for index, material in enumerate(materials):
        if isinstance(material.lithium, Conductor):
            potential[index] = conductor
    phase = domain.cell_phase
    array = state.unknowns.x.array
    array[state.dofs.cell_concentration] = concentration[phase][:, None]
    array[state.dofs.cell_chemical_potential] = FARADAY * potential[phase][:, None]
    state.unknowns.x.scatter_forward()
    state.previous.x.array[:] = array


def tabulate_nodes(domain: Domain, materials: Sequence[Material], state: State) -> NodeTable:
    """Capacity of every concentration dof, and which dofs store lithium."""
    dofs = state.dofs.cell_concentration
    scale = np.array([_scale(m) for m in materials])
    stores = np.array([isinstance(m.lithium, Host | Reservoir) for m in materials])
    phase = domain.cell_phase
    capacity = np.ones(len(state.unknowns.x.array))
    capacity[dofs] = scale[phase][:, None]
    return NodeTable(capacity, np.unique(dofs[stores[phase]]).astype(np.int32))


def _scale(material: Material) -> float:
    if isinstance(material.lithium, Host):
        return material.lithium.maximum_concentration.value
    return material.lithium.concentration.value if isinstance(material.lithium, Reservoir) else 1.0
