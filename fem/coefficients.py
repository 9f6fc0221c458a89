"""Cell-wise parameters of the material and the cell's midpoint, one vector per cell: one form serves every material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh

from fem.domain import Domain
from fem.materials.base import Conductor, Host, Material, Reservoir
from fem.units import FARADAY

_NAMES = (
    "youngs_modulus",
    "youngs_modulus_slope",
    "poisson_ratio",
    "swelling_linear",
    "swelling_quadratic",
    "swelling_cubic",
    "initial_lithiation",
    "maximum_concentration",
    "diffusivity",
    "smallest_slope",
    "conducts",
    "stores_metal",
    "metal_floor",
    "least_volume",
    "hessian_stiffness",
    "filling",
    "closing_modulus",
    "holding_modulus",
)
# Behind the parameters of the material: where the cell is, in µm.
_MIDPOINT = ("midpoint_x", "midpoint_y", "midpoint_z")


@dataclass(frozen=True)
class Coefficients:
    """Cell-wise parameters.

    Attributes:
        function: DG0 vector field.
        names: Name of each component.
        has_metal: Whether any phase is lithium metal.
    """

    function: dfem.Function
    names: tuple[str, ...]
    has_metal: bool

    def __getitem__(self, name: str) -> Any:
        """UFL value of a parameter."""
        return self.function[self.names.index(name)]


def conductor_mobility(conductor: Conductor) -> float:
    """Mobility κ/F² in fmol²/(pJ µm s): 1 S/m = 1e6 pA/(V µm)."""
    return conductor.conductivity.value * 1.0e6 / FARADAY**2


def row(material: Material, initial_lithiation: float) -> list[float]:
    """Parameter vector of a phase, in the order of the names."""
    elastic, swelling, lithium = material.elasticity, material.swelling, material.lithium
    linear = quadratic = cubic = 0.0
    if swelling is not None:
        linear, quadratic, cubic = swelling.linear.value, swelling.quadratic.value, swelling.cubic.value
    scale, diffusivity, slope, floor, least_volume = 1.0, 0.0, 1.0, 0.0, 1.0
    if isinstance(lithium, Host):
        scale, diffusivity = lithium.maximum_concentration.value, lithium.diffusivity.value
        slope = lithium.smallest_slope.value
    elif isinstance(lithium, Reservoir):
        # J_c = x: the volume of a grain of metal is what is left of it (but see fem/materials/vacancies.py).
        scale, diffusivity, linear = lithium.concentration.value, lithium.levelling_diffusivity.value, 1.0
        floor, least_volume = lithium.floor.value, lithium.least_volume.value
    elif isinstance(lithium, Conductor):
        diffusivity = conductor_mobility(lithium)
    hessian = 0.0
    if material.hessian_length is not None:
        hessian = elastic.youngs_modulus.value * material.hessian_length.value**2
    return [
        elastic.youngs_modulus.value,
        elastic.youngs_modulus_slope.value,
        elastic.poisson_ratio.value,
        linear,
        quadratic,
        cubic,
        initial_lithiation,
        scale,
        diffusivity,
        slope,
        float(isinstance(lithium, Conductor)),
        float(isinstance(lithium, Reservoir)),
        floor,
        least_volume,
        hessian,
        float(not material.solid),
        0.0 if material.closing_modulus is None else material.closing_modulus.value,
        0.0 if material.holding_modulus is None else material.holding_modulus.value,
    ]


def tabulate(
    domain: Domain, materials: list[Material], initial_lithiation: npt.NDArray[np.float64]
) -> Coefficients:
    """Tabulate the parameters of all cells.

    Args:
        domain: The mesh.
        materials: Material of each phase, in the order of ``domain.phases``.
        initial_lithiation: x0 of each phase, shape (phases,).
    """
    names = (*_NAMES, *_MIDPOINT[: domain.dimension])
    space = dfem.functionspace(domain.mesh, ("DG", 0, (len(names),)))
    function = dfem.Function(space, name="cell_parameters")
    table = np.array([row(m, float(x)) for m, x in zip(materials, initial_lithiation, strict=True)])
    cells = np.arange(len(domain.cell_phase), dtype=np.int32)
    middle = dmesh.compute_midpoints(domain.mesh, domain.dimension, cells)[:, : domain.dimension]
    values = np.hstack([table[domain.cell_phase], middle])
    function.x.array.reshape(-1, len(names))[space.dofmap.list[:, 0]] = values
    return Coefficients(function, names, any(isinstance(m.lithium, Reservoir) for m in materials))
