"""Contact of grains with the sides of a domain: beyond a side lies the mirror image of what is within it.

Supports hold only the grains that were meshed on a side. Any other that comes there meets its own image, which comes
as far from beyond: a contact between the two, overlapping by twice what the grain reaches over the plane, pushes it
back with the pressure of that overlap per undeformed facet length (area in 3D), and half of its energy belongs to the
domain. The image slides along with the grain, so nothing rubs. Fillings of pores may cross: they stand for
nothing, and what they are tied to is held. All interface facets of all solid grains are watched, so that nothing has to
be found or remembered: in 2D at their ends and midpoints, or a tip would reach over unfelt (beyond the Gauss points of
facets of 1.4 µm, by 0.05 µm and more), in 3D at the quadrature points of the interfaces.
A corner counts for all facets that end there: it is somewhat stiffer than a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.errors import MeshError
from fem.facet_geometry import Array, boundary_cells, facet_side
from fem.interfaces.law import contact_stiffening
from fem.interfaces.pressure_law import PressureLaw
from fem.loads import Mirror

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

# Quadrature of the pressure over a facet: in 2D Simpson's rule, which is exact for a quadratic displacement.
_RULES: dict[int, dict[str, Any]] = {2: {"quadrature_rule": "GLL", "quadrature_degree": 3}, 3: {}}
# Share of the domain's extent by which the nodes of a side may miss its plane.
_FLAT = 1.0e-9


@dataclass(frozen=True)
class Plane:
    """A side as a plane of symmetry.

    Attributes:
        boundary: Name of the side.
        axis: Coordinate that is constant on it.
        outward: +1 where the domain lies below it along that axis, else -1.
        place: The coordinate in µm.
    """

    boundary: str
    axis: int
    outward: float
    place: float


class SideContact:
    """Contact of the solid grains of a model with its planes of symmetry.

    Args:
        model: The coupled model, whose interfaces, laws and state exist.
        mirrors: Its sides.

    Raises:
        MeshError: A side is missing, not flat, or not at the end of the domain.
    """

    def __init__(self, model: ElectrodeModel, mirrors: Sequence[Mirror]):
        domain, mesh = model.domain, model.domain.mesh
        self._dS, self._grain = (
            model.dS(metadata=model.dS.metadata() | _RULES[domain.dimension]),
            domain.cell_grain,
        )
        self.planes = tuple(_plane(model, mirror) for mirror in mirrors)
        space = dfem.functionspace(mesh, ("DG", 0, (len(self.planes),)))
        self._stiffness, self._dofs = dfem.Function(space, name="side_contact"), space.dofmap.list[:, 0]
        self._stiffening = dfem.Function(dfem.functionspace(mesh, ("DG", 0)), name="side_stiffening")
        law = _contact_law(model)
        self._values()[self._dofs] = law.stiffness[domain.cell_phase, None]
        self._stiffening.x.array[:] = law.stiffening[domain.cell_phase]
        self._places = dfem.Constant(mesh, np.array([plane.place for plane in self.planes]))
        self._coordinate = ufl.SpatialCoordinate(mesh)("+")
        quadruples = model.interfaces.quadruples
        self._cells = quadruples[:, 0], quadruples[:, 2]
        self._sides = [facet_side(model, quadruples[:, side], quadruples[:, side + 1]) for side in (0, 2)]

    def work(self, displacement: Any, test: Any) -> Any:
        """Virtual work of the pressures on both sides of every interface (UFL form)."""
        terms = sum(
            self._law(sign, number).pressure(2.0 * self._reach(displacement(sign), number))
            * plane.outward
            * test(sign)[plane.axis]
            for sign in ("+", "-")
            for number, plane in enumerate(self.planes)
        )
        return terms * self._dS

    def energy(self, displacement: Any, test: Any) -> Any:
        """Energy that the contacts store, in pJ (per µm of depth in 2D).

        Args:
            displacement: In µm (UFL).
            test: Scalar test function of the cells: what each grain's contacts store goes to its own cells.
        """
        terms = sum(
            0.5 * self._law(sign, number).energy(2.0 * self._reach(displacement(sign), number)) * test(sign)
            for sign in ("+", "-")
            for number in range(len(self.planes))
        )
        return terms * self._dS

    def penetration(self, unknowns: Array) -> float:
        """Largest overlap of a grain with its mirror image in µm, twice its reach over a plane, on this rank."""
        largest = 0.0
        for side, cells in zip(self._sides, self._cells, strict=True):
            positions = side.reference + side.displacement(unknowns)
            watched = self._values()[self._dofs[cells]] > 0.0
            for number, plane in enumerate(self.planes):
                reach = plane.outward * (positions[watched[:, number]][..., plane.axis] - plane.place)
                largest = max(largest, 2.0 * float(np.max(reach, initial=0.0)))
        return largest

    def release(self, boundary: str, grains: npt.NDArray[np.bool_]) -> None:
        """Let grains pass a side from now on.

        Args:
            boundary: Its name; nothing happens where it is no plane of symmetry.
            grains: Which of them, shape (grains,).
        """
        for number, plane in enumerate(self.planes):
            if plane.boundary == boundary:
                self._values()[self._dofs[grains[self._grain]], number] = 0.0

    def _law(self, sign: str, number: int) -> PressureLaw:
        """Pressure of the cells on one side of an interface against their images beyond a plane."""
        return PressureLaw(self._stiffness(sign)[number], self._stiffening(sign))

    def _values(self) -> Array:
        """Stiffness in MPa/µm of every local cell, by its dof, against every plane, shape (cells, planes), writable."""
        values: Array = self._stiffness.x.array.reshape(-1, len(self.planes))
        return values

    def _reach(self, displacement: Any, number: int) -> Any:
        """How far a point reaches over a plane in µm, zero on this side of it (UFL)."""
        axis = self.planes[number].axis
        beyond = self._coordinate[axis] + displacement[axis] - self._places[number]
        return ufl.max_value(self.planes[number].outward * beyond, 0.0)


def side_contact(model: ElectrodeModel) -> SideContact | None:
    """Contact with all sides that the loads of a model declare planes of symmetry; None without any, or interfaces."""
    mirrors = [load for load in model.loads if isinstance(load, Mirror)]
    return SideContact(model, mirrors) if mirrors and model.interfaces.kinds else None


def _plane(model: ElectrodeModel, mirror: Mirror) -> Plane:
    """The plane of a side; collective."""
    axis, comm = mirror.component, model.comm
    side = facet_side(model, *boundary_cells(model.domain, mirror.boundary))
    here, everywhere = side.reference[..., axis], model.domain.mesh.geometry.x[:, axis]
    low, high, start, end = (
        comm.allreduce(float(pick(places, initial=initial)), op=operation)
        for places in (here, everywhere)
        for pick, initial, operation in ((np.min, np.inf, MPI.MIN), (np.max, -np.inf, MPI.MAX))
    )
    near = _FLAT * (end - start)
    if not high - low <= near:
        raise MeshError(f"boundary {mirror.boundary!r} is not a plane across {'xyz'[axis]}: it cannot mirror")
    if not (end - high <= near or low - start <= near):
        raise MeshError(f"boundary {mirror.boundary!r} is not at the end of the mesh along {'xyz'[axis]}")
    return Plane(mirror.boundary, axis, 1.0 if end - high <= near else -1.0, high)


def _contact_law(model: ElectrodeModel) -> PressureLaw:
    """Stiffest contact of each phase with any other, of stiffness zero for fillings; arrays of shape (phases,)."""
    phases = model.domain.phases
    values = np.zeros((len(phases), 2))
    for kind, law in zip(model.interfaces.kinds, model.laws, strict=True):
        for phase in kind.split("|"):
            number = phases.index(phase)
            if model.materials[number].solid:
                own = law.contact_stiffness.value, contact_stiffening(law)
                values[number] = np.maximum(values[number], own)
    return PressureLaw(*values.T)
