"""Effective diffusion coefficient and tortuosity of the electrode by a steady flux through its deformed section.

At the lithiation each point has now, a small change of the chemical potential drives Div (M C⁻¹ Grad ψ) = 0 in the
hosts, with M and the interfaces' conductances θ g / R_s of the model itself. ψ is one on the hosts' faces to the
electrolyte (or the boundary ``top``) and zero on those to the foil (or ``bottom``); everything that is no host and no
lithium metal lets nothing through. Lithium metal counts as an ideal conductor of its own grain: it is not in the way.

With the flux J per width at ψ = 1, thickness L and the hosts' storage X = ∫ dc/dµ dV per width,

    D_eff = J L² / X,        tortuosity = (1/V) ∫ M dV · L / J,

so that D_eff is the diffusion coefficient of a homogeneous slab of the same thickness with the same flux and storage,
and the tortuosity is one where everything lies parallel to the flux: D_eff = ε D / τ for one host of volume share ε.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import basix
import basix.ufl
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from dolfinx.la import InsertMode

from fem import balances, compat, factorisation
from fem.errors import MeshError
from fem.facet_geometry import boundary_cells
from fem.materials.base import Host, Reservoir
from fem.measurements.integrals import shape, summed
from fem.model import ElectrodeModel
from fem.spaces import broken_space
from fem.thickness import FOIL, SEPARATOR
from fem.units import FARADAY

# Keeps grains that nothing conducts to from making the problem singular: this share of the mean mobility over L².
_LOOSE = 1.0e-13
# Mobility of lithium metal relative to the largest one of the hosts.
_IDEAL = 1.0e3


@dataclass(frozen=True)
class _Face:
    """Where ψ is given: owned dofs, sorted."""

    dofs: npt.NDArray[np.int32]
    value: float


def measure(model: ElectrodeModel) -> dict[str, float]:
    """Steady flux through the electrode in its present state; collective, and reads only.

    Returns:
        ``effective_diffusivity_um2_s`` and the same ``_cm2_s``; ``tortuosity``; ``interface_share``: of the resistance,
        at interfaces; ``flux_per_potential_fmol2_pJ_um2_s``; ``thickness_um``; and with ideal interfaces
        ``tortuosity_of_grains`` (infinite conductance wherever lithium passes at all).

    Raises:
        MeshError: No host touches the foil, or none the electrolyte.
        RunStopped: The linear problem cannot be solved.
    """
    now, problem = shape(model), _Problem(model)
    contact, whole = problem.solve(problem.conductance), problem.integrals()
    ideal = problem.solve(1.0e6 * problem.largest_mobility() / now.thickness * problem.passes)
    flux = contact.flux / now.width
    storage, mobility = whole["storage"] / now.width, whole["mobility"] / now.volume
    diffusivity = flux * now.thickness**2 / storage
    return {
        "effective_diffusivity_um2_s": diffusivity,
        "effective_diffusivity_cm2_s": diffusivity * 1.0e-8,
        "tortuosity": mobility / (flux * now.thickness),
        "tortuosity_of_grains": mobility / (ideal.flux / now.width * now.thickness),
        "interface_share": contact.at_interfaces / contact.flux,
        "flux_per_potential_fmol2_pJ_um2_s": flux,
        "thickness_um": now.thickness,
    }


@dataclass(frozen=True)
class _Solution:
    """What flows at ψ = 1 (per depth in 2D), and what of ψ · flux is dissipated at interfaces."""

    flux: float
    at_interfaces: float


class _Problem:
    """The linear problem on the broken P1 space of the model's mesh."""

    def __init__(self, model: ElectrodeModel):
        self._model, domain = model, model.domain
        element = basix.ufl.element("Lagrange", domain.mesh.basix_cell(), 1)
        self.space = broken_space(domain.mesh, domain.cell_colour, domain.colours, element)
        self._owned = self.space.dofmap.index_map.size_local
        hosts = [m.phase for m in model.materials if isinstance(m.lithium, Host)]
        self._faces = (self._face(SEPARATOR, "top", 1.0, hosts), self._face(FOIL, "bottom", 0.0, hosts))
        self._value = dfem.Constant(domain.mesh, 1.0)
        test, trial = ufl.TestFunction(self.space), ufl.TrialFunction(self.space)
        self._psi = dfem.Function(self.space)
        constants = model.facet_constants
        self._conductance = constants.function("steady_conductance")
        k = constants.value(self._conductance)
        self._between = k * (test("-") - test("+")) * (trial("-") - trial("+")) * model.dS
        self._bulk, self._storage, self._mobility = self._cells(test, trial)
        self._form = compat.compile_form(self._bulk + self._between)
        jump = self._psi("-") - self._psi("+")
        self._lost = dfem.form(k * jump**2 * model.dS, jit_options=compat.jit_options())
        passing = model.conductance * model.exchange_share
        self.conductance = _means(model, passing)
        self.passes = (self.conductance > 0.0).astype(np.float64)

    def integrals(self) -> dict[str, float]:
        """∫ dc/dµ dV and ∫ M dV over the hosts, summed over the ranks."""
        forms = {"storage": self._storage, "mobility": self._mobility}
        return summed(
            self._model,
            {name: float(dfem.assemble_scalar(compat.compile_form(form))) for name, form in forms.items()},
        )

    def largest_mobility(self) -> float:
        """A mobility no host exceeds, in fmol²/(pJ µm s)."""
        return max(_largest(m.lithium) for m in self._model.materials if isinstance(m.lithium, Host))

    def solve(self, conductance: npt.NDArray[np.float64]) -> _Solution:
        """Solve with one conductance per owned interface facet in fmol²/(pJ µm² s), shape (facets,)."""
        model = self._model
        model.facet_constants.set_values(self._conductance, conductance)
        matrix = compat.create_matrix(self._form)
        compat.assemble_matrix(matrix, self._form)
        whole = matrix.copy()
        solution, right = matrix.createVecs()
        fixed = np.concatenate([face.dofs for face in self._faces]).astype(np.int32)
        for face in self._faces:
            solution.array[face.dofs] = face.value
        matrix.zeroRowsColumnsLocal(fixed, diag=1.0, x=solution, b=right)
        factorisation.solve(matrix, right, solution)
        flow = whole.createVecLeft()
        whole.mult(solution, flow)
        self._psi.x.array[: self._owned] = solution.array_r
        self._psi.x.scatter_forward()
        totals = summed(
            model,
            {
                "flux": float(np.sum(flow.array_r[self._faces[0].dofs])),
                "lost": float(dfem.assemble_scalar(self._lost)),
            },
        )
        for item in (matrix, whole, solution, right, flow):
            item.destroy()
        return _Solution(totals["flux"], totals["lost"])

    def _cells(self, test: Any, trial: Any) -> tuple[Any, Any, Any]:
        """Forms of the cells: transport, storage ∫ dc/dµ, and ∫ M."""
        model, dimension = self._model, self._model.domain.dimension
        coefficients, measures = model.coefficients, model.measures
        F = ufl.Identity(dimension) + ufl.grad(model.fields.displacement)
        metric = ufl.inv(F.T * F)
        gradients = ufl.inner(metric * ufl.grad(trial), ufl.grad(test))
        height = model.domain.box["thickness"]
        largest = self.largest_mobility()
        transport: Any = 0
        storage: Any = 0
        mobilities: Any = 0
        for index, material in enumerate(model.materials, start=1):
            dx = measures.bulk(index)
            if isinstance(material.lithium, Host):
                x = ufl.variable(balances.lithiation(model.fields.concentration, coefficients))
                slope = abs(ufl.diff(material.lithium.curve.voltage(x), x))
                bounded = ufl.max_value(slope, coefficients["smallest_slope"])
                response = coefficients["maximum_concentration"] / (FARADAY * bounded)
                mobility = coefficients["diffusivity"] * response
                storage += response * dx
                mobilities += mobility * dx
            elif isinstance(material.lithium, Reservoir):
                mobility = self._value * _IDEAL * largest
            else:
                mobility = self._value * _LOOSE * largest
            transport += (
                mobility * gradients + self._value * _LOOSE * largest / height**2 * test * trial
            ) * dx
        return transport, storage, mobilities

    def _face(self, strip: str, boundary: str, value: float, hosts: list[str]) -> _Face:
        """Owned dofs of hosts at a strip, or at an outer boundary where there is no such strip."""
        model, domain = self._model, self._model.domain
        names = np.array(domain.phases)[domain.cell_phase]
        if strip in domain.phases:
            rows = model.interfaces.quadruples
            pairs = names[rows[:, [0, 2]]]
            chosen = [
                rows[(pairs[:, 1 - side] == strip) & np.isin(pairs[:, side], hosts)][
                    :, [2 * side, 2 * side + 1]
                ]
                for side in (0, 1)
            ]
            found = np.concatenate(chosen)
            cells, local = found[:, 0], found[:, 1]
        else:
            cells, local = boundary_cells(domain, boundary)
            kept = np.isin(names[cells], hosts)
            cells, local = cells[kept], local[kept]
        corners = _corners_of_facets(domain.dimension)[local]
        dofs = np.unique(np.take_along_axis(self.space.dofmap.list[cells], corners, axis=1))
        # A facet is listed by one rank, its dofs may be another's.
        marks = dfem.Function(self.space)
        marks.x.array[dofs] = 1.0
        marks.x.scatter_reverse(InsertMode.add)
        owned = np.flatnonzero(marks.x.array[: self._owned] > 0.5).astype(np.int32)
        if summed(model, {"count": float(len(owned))})["count"] == 0.0:
            raise MeshError(
                f"no host touches {strip if strip in domain.phases else boundary}: nothing can flow"
            )
        return _Face(owned, value)


def _corners_of_facets(dimension: int) -> npt.NDArray[np.int32]:
    """Local corners of every facet of a triangle or tetrahedron, shape (facets, corners)."""
    kind = basix.CellType.triangle if dimension == 2 else basix.CellType.tetrahedron
    return np.array(basix.topology(kind)[dimension - 1], dtype=np.int32)


def _means(model: ElectrodeModel, value: Any) -> npt.NDArray[np.float64]:
    """Mean of a UFL value over every owned interface facet, shape (facets,)."""
    space = model.facet_constants
    one = space.integrals(space.projection(dfem.Constant(model.domain.mesh, 1.0)))
    return space.integrals(space.projection(value)) / one


def _largest(host: Any) -> float:
    """Largest mobility of a host in fmol²/(pJ µm s)."""
    return float(
        host.diffusivity.value * host.maximum_concentration.value / (FARADAY * host.smallest_slope.value)
    )
