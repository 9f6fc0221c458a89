"""Where an electrode is pulled apart: the grains below and above a section, and the interfaces between them.

A section is a set of grains, those below it. It follows the interfaces between them and all others, so that it is a
whole surface through the electrode whatever the grains look like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from mpi4py import MPI
from ufl.algorithms import extract_coefficients

from fem import compat
from fem.domain import lowest_point
from fem.errors import MeshError
from fem.facet_geometry import Array
from fem.model import ElectrodeModel
from fem.thickness import FOIL, SEPARATOR

#: Everywhere but in the section interfaces hold this many times more opening: more than any test opens them.
_HELD = 1.0e4
#: Stiffness in MPa/µm that is left to the ties of fillings: enough for them to follow, a thousandth of what counts.
_LOOSE = 0.1


@dataclass(frozen=True)
class Section:
    """A surface through the electrode, along interfaces.

    Attributes:
        name: What it is called.
        below: Which grains lie below, shape (grains,).
        facets: Which of this rank's owned interface facets belong to it and can break, shape (facets,).
        area: Undeformed area of those facets on all ranks (length in 2D) in µm².
        width: Area of the upper face (its width in 2D) in µm²: what work and force are related to.
    """

    name: str
    below: npt.NDArray[np.bool_]
    facets: npt.NDArray[np.bool_]
    area: float
    width: float


def section_at_foil(model: ElectrodeModel) -> Section:
    """The section between the foil and everything else."""
    below = np.array([grain.phase == FOIL for grain in model.domain.grains])
    return section_above(model, "foil", below)


def section_at_depth(model: ElectrodeModel, depth: float) -> Section:
    """The section between the grains whose centres lie above a height and all others; collective.

    Args:
        model: The coupled model.
        depth: Distance of that height from the upper face of the undeformed electrode in µm.

    Raises:
        MeshError: No interface that can break lies there.
    """
    domain = model.domain
    box, last = domain.box, domain.dimension - 1
    height = lowest_point(domain) + box["foil"] + box["thickness"] - depth
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    cells = np.arange(owned, dtype=np.int32)
    middle = dmesh.compute_midpoints(domain.mesh, domain.dimension, cells)[:, last]
    volume = cell_volumes(model)
    grain, count = domain.cell_grain[:owned], len(domain.grains)
    sums = np.stack(
        [
            np.bincount(grain, weights=volume, minlength=count),
            np.bincount(grain, weights=volume * middle, minlength=count),
        ]
    )
    domain.mesh.comm.Allreduce(MPI.IN_PLACE, sums, op=MPI.SUM)
    centre = sums[1] / sums[0]
    phase = np.array([grain.phase for grain in domain.grains])
    below = np.where(phase == FOIL, True, np.where(phase == SEPARATOR, False, centre < height))
    return section_above(model, f"{depth:g} um", below)


def section_above(model: ElectrodeModel, name: str, below: npt.NDArray[np.bool_]) -> Section:
    """The section above some grains; collective.

    Raises:
        MeshError: There is no interface between them and the others that can break.
    """
    domain, interfaces = model.domain, model.interfaces
    grain = domain.cell_grain[interfaces.quadruples[:, [0, 2]]]
    breaks = np.array([law.breaks for law in model.laws], dtype=bool)
    facets = (below[grain[:, 0]] != below[grain[:, 1]]) & breaks[interfaces.kind]
    area = float(model.comm.allreduce(float(np.sum(facet_areas(model)[facets])), op=MPI.SUM))
    if area <= 0.0:
        raise MeshError(f"there is no section at {name}: no interface that can break lies there")
    top = model.measures.boundary(domain.boundary_tags["top"])
    one = dfem.form(dfem.Constant(domain.mesh, 1.0) * top, jit_options=compat.jit_options())
    width = float(model.comm.allreduce(dfem.assemble_scalar(one), op=MPI.SUM))
    return Section(name, below, facets, area, width)


def facet_areas(model: ElectrodeModel) -> Array:
    """Undeformed area of every owned interface facet in µm² (length in 2D), shape (facets,)."""
    normal = model.normal("+")
    return model.facet_constants.integrals(model.facet_constants.projection(ufl.dot(normal, normal)))


def cell_volumes(model: ElectrodeModel) -> Array:
    """Undeformed volume of every owned cell in µm³ (area in 2D), shape (owned cells,)."""
    domain = model.domain
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    nodes = compat.geometry_dofs(domain.mesh)[:owned]
    points = domain.mesh.geometry.x[:, : domain.dimension][nodes]
    edges = points[:, 1:] - points[:, :1]
    volumes: Array = np.abs(np.linalg.det(edges)) / factorial(domain.dimension)
    return volumes


def loosening_of_fillings(model: ElectrodeModel) -> Callable[[float], None]:
    """What lets go of the filling of pores by a share of the way: it stands for nothing and must not hold grains.

    Its ties do not break. Where two grains part beside a pore they share a corner of the filling, and its ties to both
    would carry as much as a bond.
    """
    solid = np.array([material.solid for material in model.materials], dtype=bool)
    phase = model.domain.cell_phase[model.interfaces.quadruples[:, [0, 2]]]
    tied = ~solid[phase].all(axis=1)
    (field,) = extract_coefficients(model.facet_parameters.cohesive.stiffness)
    start = model.facet_constants.values(field).copy()

    def loosen(share: float) -> None:
        values = start.copy()
        values[tied] = start[tied] ** (1.0 - share) * np.minimum(start[tied], _LOOSE) ** share
        model.facet_constants.set_values(field, values)

    return loosen


def hold_elsewhere(model: ElectrodeModel, section: Section) -> None:
    """Keep all interfaces outside a section as they are: they carry on, unload and touch, but damage no further.

    The openings of their laws and the largest opening they remember are stretched alike. Damage, a function of the
    ratio of the two, stays; what it would take to increase it is out of reach.
    """
    space, held = model.facet_constants, ~section.facets
    parameters = model.cohesive
    stretched = [law.onset for law in parameters.secants.values() if hasattr(law, "onset")]
    stretched += [law.final for law in parameters.secants.values() if hasattr(law, "final")]
    stretched += [law.peak for law in parameters.secants.values() if hasattr(law, "peak")]
    powers = [(value, 1) for value in stretched]
    if parameters.potential is not None:
        for branch in (parameters.potential.opening, parameters.potential.shear):
            powers += [(branch.final, 1), (branch.energy, 2)]
    for value, power in powers:
        (field,) = extract_coefficients(value)
        values = space.values(field)
        values[held] *= _HELD**power
        space.set_values(field, values)
    remembered = [model.state.largest_opening]
    remembered += [field for name, field in model.state.memory.items() if name == "slip"]
    for field in remembered:
        field.x.array[model.facet_history.facet_dofs[held]] *= _HELD
        field.x.scatter_forward()
