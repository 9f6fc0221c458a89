"""The fields and the history of a run: trial, commit, rollback bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem import kinematics
from fem.domain import Domain
from fem.errors import MeshError
from fem.interfaces.facet_fields import FacetSpace
from fem.spaces import broken_space, subspace_dofs

Integers = npt.NDArray[np.int32]
NO_FLOW_MODULUS = 1.0e30
"""dσ_flow/dΔε in MPa where nothing flows."""


@dataclass(frozen=True)
class FieldDofs:
    """Where each field is in the array of the unknowns.

    Without a lithium balance the dofs of concentration and chemical potential are empty.

    Attributes:
        displacement: Local dofs (owned and ghost), sorted.
        concentration: The same of the concentration.
        chemical_potential: The same of the chemical potential.
        owned: How many dofs of all fields are owned.
        cell_displacement: Local dofs of every local cell, shape (cells, nodes, dimension).
        cell_concentration: The same of the concentration, shape (cells, corners), or (cells, 0).
        cell_chemical_potential: The same of the chemical potential.
    """

    displacement: Integers
    concentration: Integers
    chemical_potential: Integers
    owned: int
    cell_displacement: Integers
    cell_concentration: Integers
    cell_chemical_potential: Integers


def _field_dofs(space: dfem.FunctionSpace, dimension: int, has_lithium: bool) -> FieldDofs:
    displacement = space.sub(0)
    per_component = [np.asarray(displacement.sub(axis).dofmap.list) for axis in range(dimension)]
    none: Integers = np.empty((len(per_component[0]), 0), dtype=np.int32)
    concentration, potential = none, none
    if has_lithium:
        concentration, potential = (np.asarray(space.sub(field).dofmap.list) for field in (1, 2))
    return FieldDofs(
        displacement=subspace_dofs(space, 0),
        concentration=np.unique(concentration).astype(np.int32),
        chemical_potential=np.unique(potential).astype(np.int32),
        owned=space.dofmap.index_map.size_local,
        cell_displacement=np.stack(per_component, axis=-1).astype(np.int32),
        cell_concentration=concentration,
        cell_chemical_potential=potential,
    )


class State:
    """Unknowns and history.

    Args:
        domain: The mesh.
        history_space: Of the interfaces' history.
        constant_space: Facet-wise constants.
        displacement_degree: Polynomial degree of the displacement.
        has_lithium: Whether concentration and chemical potential are unknowns.
        memory: What the interfaces remember besides κ: names of attributes of ``History``.
        bonding: What bonds that grow under pressure remember besides (fem/interfaces/bonding.py).

    Attributes:
        unknowns: Displacement (P2 unless said otherwise) and, with a lithium balance, concentration and chemical
            potential (P1) on the broken mixed space.
        has_lithium: Whether concentration and chemical potential are unknowns.
        quadrature_degree: Of the cells, where the history of the bulk lives.
        previous: The same at the beginning of the step.
        expected: The same at the end of the step, extrapolated from the last step.
        plastic_inverse: Cp⁻¹ at quadrature points, independent components.
        increment: Flow increment Δε of the step at quadrature points.
        flow_modulus: dσ_flow/dΔε at quadrature points.
        accumulated: Accumulated flow strain.
        drag: Flow resistance in MPa.
        largest_tension: Largest principal Cauchy stress so far in MPa, zero in phases whose cracking is not judged.
        largest_opening: κ of the interfaces at the beginning of the step.
        memory: What else the laws of the interfaces remember (see fem/interfaces/history.py), by name.
        bonding: Bonded share and rest slip where bonds grow (see fem/interfaces/bonding.py), by name.
        contact_pressure: Contact pressure of the interfaces at the beginning of the step.
        stabilisation: Stiffness in MPa/µm against departures from the expected motion, large where a grain snaps.
        stabilisation_force: Nodal forces in MPa·µm of the stabilisation at the beginning of the step.
        exchange_share: g of the interfaces at the beginning of the step.
        paired: Share of each facet's contact that stays with the facet opposite (interfaces/hand_over.py).
        released: How far each facet has let go of its partner, 0 to 1 (interfaces/hand_over.py).
        replicated: History that every rank holds in full, in an order that does not depend on the partition.
        kept: Earlier states that a run may compare with or go back to, by name; checkpoints hold them as well.
        time: In s.
    """

    def __init__(
        self,
        domain: Domain,
        history_space: FacetSpace,
        constant_space: FacetSpace,
        displacement_degree: int = 2,
        has_lithium: bool = True,
        memory: Collection[str] = (),
        bonding: Collection[str] = (),
    ):
        mesh, dimension = domain.mesh, domain.dimension
        cell = mesh.basix_cell()
        self.has_lithium = has_lithium
        displacement = basix.ufl.element("Lagrange", cell, displacement_degree, shape=(dimension,))
        scalars = [basix.ufl.element("Lagrange", cell, 1)] * (2 if has_lithium else 0)
        self.element = basix.ufl.mixed_element([displacement, *scalars])
        # One point a cell integrates constant strain exactly as long as nothing else varies inside the cell.
        self.quadrature_degree = 1 if displacement_degree == 1 and not has_lithium else 2
        self.space = broken_space(mesh, domain.cell_colour, domain.colours, self.element)
        self.dofs = _field_dofs(self.space, dimension, has_lithium)
        self.unknowns = dfem.Function(self.space, name="unknowns")
        self.previous = dfem.Function(self.space, name="previous")
        self.expected = dfem.Function(self.space, name="expected")
        scalar = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, degree=self.quadrature_degree)
        )
        size = kinematics.symmetric_size(dimension)
        tensor = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, value_shape=(size,), degree=self.quadrature_degree)
        )
        pair = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, value_shape=(2,), degree=self.quadrature_degree)
        )
        for space in (tensor, pair):
            if not np.array_equal(scalar.dofmap.list, space.dofmap.list):
                raise MeshError("quadrature points of scalars and tensors are numbered differently")
        self.point_cells: npt.NDArray[np.int32] = np.empty(scalar.dofmap.list.size, dtype=np.int32)
        self.point_cells[scalar.dofmap.list] = np.arange(len(scalar.dofmap.list), dtype=np.int32)[:, None]
        self.plastic_inverse = dfem.Function(tensor, name="plastic_inverse")
        self.plastic_inverse.x.array.reshape(-1, size)[:, :3] = 1.0
        self.next_plastic_inverse = dfem.Function(tensor, name="next_plastic_inverse")
        self.trial = dfem.Function(pair, name="trial_stress_and_triple_shear")
        self.increment = dfem.Function(scalar, name="flow_increment")
        self.flow_modulus = dfem.Function(scalar, name="flow_modulus")
        self.flow_modulus.x.array[:] = NO_FLOW_MODULUS
        self.accumulated = dfem.Function(scalar, name="accumulated_flow_strain")
        self.drag = dfem.Function(scalar, name="flow_resistance")
        self.largest_tension = dfem.Function(scalar, name="largest_tension")
        self.largest_opening = history_space.function("largest_opening")
        self.memory = {name: history_space.function(f"interface_{name}") for name in memory}
        self.bonding = {name: history_space.function(name) for name in bonding}
        self.contact_pressure = history_space.function("contact_pressure")
        self.stabilisation = constant_space.function("stabilisation")
        self.stabilisation_force = dfem.Function(self.space, name="stabilisation_force")
        self.exchange_share = history_space.function("exchange_share")
        self.paired = constant_space.function("paired_contact")
        self.released = constant_space.function("released")
        self.replicated: dict[str, npt.NDArray[np.float64]] = {}
        self.kept: dict[str, Kept] = {}
        self.time = 0.0
        self.steps = 0

    def functions(self) -> dict[str, dfem.Function]:
        """Everything that defines the state at a point in time, by name."""
        return {
            function.name: function
            for function in (
                self.unknowns,
                self.previous,
                self.expected,
                self.plastic_inverse,
                self.increment,
                self.flow_modulus,
                self.accumulated,
                self.drag,
                self.largest_tension,
                self.largest_opening,
                *self.memory.values(),
                *self.bonding.values(),
                self.exchange_share,
                self.contact_pressure,
                self.stabilisation,
                self.stabilisation_force,
                self.paired,
                self.released,
            )
        }

    def snapshot(self) -> Snapshot:
        """Copy of everything, local to this rank."""
        return Snapshot(
            {name: f.x.array.copy() for name, f in self.functions().items()},
            {name: values.copy() for name, values in self.replicated.items()},
            self.time,
            self.steps,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Bring everything back to a snapshot, bit for bit."""
        for name, function in self.functions().items():
            function.x.array[:] = snapshot.arrays[name]
        for name, values in self.replicated.items():
            values[:] = snapshot.replicated[name]
        self.time, self.steps = snapshot.time, snapshot.steps


@dataclass(frozen=True)
class Snapshot:
    """A copy of a state."""

    arrays: dict[str, npt.NDArray[np.float64]]
    replicated: dict[str, npt.NDArray[np.float64]]
    time: float
    steps: int


@dataclass(frozen=True)
class Kept:
    """A state that is kept.

    Attributes:
        snapshot: The state.
        nodal: Further arrays like the unknowns', by name.
    """

    snapshot: Snapshot
    nodal: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
