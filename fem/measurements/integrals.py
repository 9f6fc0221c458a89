"""Integrals over the grains of a deformed electrode that several measurements share; plain NumPy, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import balances, compat, swelling
from fem.domain import cell_volumes
from fem.gaps import Gaps
from fem.materials.base import Host
from fem.model import ElectrodeModel
from fem.thickness import Thickness

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """Size of the electrode between its planes on foil and electrolyte, in the present state.

    Attributes:
        thickness: In µm.
        width: Area of its plane on the electrolyte in µm² (µm in 2D).
        volume: Thickness times width in µm³ (µm² in 2D).
        void: Opened at interfaces, in the same unit; gaps that overlap count negative.
        of_phase: Deformed volume of every phase of the model, in the same unit.
        vacancies: Of that of the metal, holes that lithium has left in its sites.
    """

    thickness: float
    width: float
    volume: float
    void: float
    of_phase: dict[str, float]
    vacancies: float


def shape(model: ElectrodeModel) -> Shape:
    """Measure the electrode; collective."""
    domain = model.domain
    unknowns = model.state.unknowns.x.array
    thickness = Thickness(model)
    local = thickness.sums(unknowns)
    local["void"] = Gaps(model).sums(unknowns)["void"]
    volumes = cell_volumes(domain)
    phase = domain.cell_phase[: len(volumes)]
    deformed = volumes * mean_determinant(model)
    for number, name in enumerate(domain.phases):
        local[f"volume_{name}"] = float(np.sum(deformed[phase == number]))
    local["vacancies"] = vacancies(model)
    totals = summed(model, local)
    height, width = Thickness.thickness(totals), abs(totals["top_width"])
    of_phase = {name: totals[f"volume_{name}"] for name in domain.phases}
    return Shape(height, width, height * width, totals["void"], of_phase, totals["vacancies"])


def vacancies(model: ElectrodeModel) -> float:
    """This rank's holes in sites of metal (fem/materials/vacancies.py) in µm³ (µm² in 2D)."""
    if not model.coefficients.has_metal:
        return 0.0
    dx = ufl.dx(domain=model.domain.mesh, metadata={"quadrature_degree": 4})
    x = balances.lithiation(model.fields.concentration, model.coefficients)
    holes = swelling.vacancies(x, model.bulk.deformation, model.coefficients)
    return float(dfem.assemble_scalar(compat.compile_form(holes * dx)))


def mean_determinant(model: ElectrodeModel) -> Array:
    """Mean det F of every owned cell, shape (owned cells,)."""
    domain = model.domain
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    space = dfem.functionspace(domain.mesh, ("DG", 0))
    dx = ufl.dx(domain=domain.mesh, metadata={"quadrature_degree": 4})
    form = compat.compile_form(ufl.det(model.bulk.deformation) * ufl.TestFunction(space) * dx)
    moments = dfem.assemble_vector(form).array
    cells: Array = moments[space.dofmap.list[:owned, 0]] / cell_volumes(domain)
    return cells


def corner_lithiation(model: ElectrodeModel) -> tuple[Array, Array, npt.NDArray[np.int32]]:
    """Lithiation at the corners of every owned cell of a host, with what lumping gives each corner.

    Returns:
        Lithiation, shape (cells, corners); undeformed volume that belongs to each corner of the cell in µm³ (µm² in
        2D), shape (cells,); local number of those cells.
    """
    domain = model.domain
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    hosts = np.array([isinstance(material.lithium, Host) for material in model.materials], dtype=bool)
    cells = np.flatnonzero(hosts[domain.cell_phase[:owned]]).astype(np.int32)
    dofs = model.state.dofs.cell_concentration[cells]
    x: Array = model.state.unknowns.x.array[dofs] / model.capacity_of_node[dofs]
    share: Array = cell_volumes(domain)[cells] / (domain.dimension + 1)
    return x, share, cells


def summed(model: ElectrodeModel, local: dict[str, float]) -> dict[str, float]:
    """Sums over the ranks of this rank's numbers; all ranks give the same names."""
    values = np.array(list(local.values()), dtype=np.float64)
    total = np.empty_like(values)
    model.comm.Allreduce(values, total, op=MPI.SUM)
    return dict(zip(local, map(float, total), strict=True))
