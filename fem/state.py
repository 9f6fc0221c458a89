"""The fields and the history of a run: trial, commit, rollback bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem import kinematics
from fem.domain import Domain
from fem.errors import MeshError
from fem.interfaces.facet_fields import FacetSpace
from fem.spaces import broken_space, subspace_dofs

BULK_QUADRATURE_DEGREE = 2


@dataclass(frozen=True)
class FieldDofs:
    """Local dofs (owned and ghost) of each field of the mixed space, and how many are owned in all."""

    displacement: npt.NDArray[np.int32]
    concentration: npt.NDArray[np.int32]
    chemical_potential: npt.NDArray[np.int32]
    owned: int


class State:
    """Unknowns and history.

    Attributes:
        unknowns: Displacement (P2 unless said otherwise), concentration and chemical potential (P1) on the broken
            mixed space.
        previous: The same at the beginning of the step.
        plastic_inverse: Cp⁻¹ at quadrature points, independent components.
        increment: Flow increment Δε of the step at quadrature points.
        flow_modulus: dσ_flow/dΔε at quadrature points.
        accumulated: Accumulated flow strain.
        drag: Flow resistance in MPa.
        largest_tension: Largest principal Cauchy stress so far in MPa, zero in phases whose cracking is not judged.
        largest_opening: κ of the interfaces at the beginning of the step.
        contact_pressure: Contact pressure of the interfaces at the beginning of the step.
        stabilisation: Stiffness in MPa/µm against motion in a step, zero but where a grain snaps.
        exchange_share: g of the interfaces at the beginning of the step.
        time: In s.
    """

    def __init__(
        self,
        domain: Domain,
        history_space: FacetSpace,
        constant_space: FacetSpace,
        displacement_degree: int = 2,
    ):
        mesh, dimension = domain.mesh, domain.dimension
        cell = mesh.basix_cell()
        self.element = basix.ufl.mixed_element(
            [
                basix.ufl.element("Lagrange", cell, displacement_degree, shape=(dimension,)),
                basix.ufl.element("Lagrange", cell, 1),
                basix.ufl.element("Lagrange", cell, 1),
            ]
        )
        self.space = broken_space(mesh, domain.cell_colour, domain.colours, self.element)
        self.dofs = FieldDofs(
            subspace_dofs(self.space, 0),
            subspace_dofs(self.space, 1),
            subspace_dofs(self.space, 2),
            self.space.dofmap.index_map.size_local,
        )
        self.unknowns = dfem.Function(self.space, name="unknowns")
        self.previous = dfem.Function(self.space, name="previous")
        scalar = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, degree=BULK_QUADRATURE_DEGREE)
        )
        size = kinematics.symmetric_size(dimension)
        tensor = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, value_shape=(size,), degree=BULK_QUADRATURE_DEGREE)
        )
        pair = dfem.functionspace(
            mesh, basix.ufl.quadrature_element(cell.name, value_shape=(2,), degree=BULK_QUADRATURE_DEGREE)
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
        self.flow_modulus.x.array[:] = 1.0e30
        self.accumulated = dfem.Function(scalar, name="accumulated_flow_strain")
        self.drag = dfem.Function(scalar, name="flow_resistance")
        self.largest_tension = dfem.Function(scalar, name="largest_tension")
        self.largest_opening = history_space.function("largest_opening")
        self.contact_pressure = history_space.function("contact_pressure")
        self.stabilisation = constant_space.function("stabilisation")
        self.exchange_share = history_space.function("exchange_share")
        self.time = 0.0
        self.steps = 0

    def functions(self) -> dict[str, dfem.Function]:
        """Everything that defines the state at a point in time, by name."""
        return {
            function.name: function
            for function in (
                self.unknowns,
                self.previous,
                self.plastic_inverse,
                self.increment,
                self.flow_modulus,
                self.accumulated,
                self.drag,
                self.largest_tension,
                self.largest_opening,
                self.exchange_share,
                self.contact_pressure,
                self.stabilisation,
            )
        }

    def snapshot(self) -> Snapshot:
        """Copy of everything, local to this rank."""
        return Snapshot(
            {name: f.x.array.copy() for name, f in self.functions().items()}, self.time, self.steps
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Bring everything back to a snapshot, bit for bit."""
        for name, function in self.functions().items():
            function.x.array[:] = snapshot.arrays[name]
        self.time, self.steps = snapshot.time, snapshot.steps


@dataclass(frozen=True)
class Snapshot:
    """A copy of a state."""

    arrays: dict[str, npt.NDArray[np.float64]]
    time: float
    steps: int
