"""The lithium book: how much lithium each phase holds, with the storage measure of the balance itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem.domain import cell_volumes
from fem.facet_geometry import Array
from fem.interfaces import transfer
from fem.materials.base import Host, Reservoir
from fem.model import ElectrodeModel

#: What has taken lithium for good.
SIDE_PRODUCTS, OXIDE = "side_products", "oxide"


class LithiumBook:
    """Counts lithium.

    Storage in the balance is lumped to the vertices of every cell (:class:`fem.balances.Measures`), so the same sum,
    volume / (dimension + 1) · Σ c over a cell's vertices, closes to the solver's tolerance.

    Args:
        model: The coupled model.

    Attributes:
        hosts: Names of the phases that store lithium.
        metal: Names of the phases that are lithium metal.
        products: Names of what has taken lithium for good; empty where nothing reacts.
        volumes: Undeformed volume of every owned cell, µm² in 2D, shape (owned cells,).
    """

    def __init__(self, model: ElectrodeModel):
        domain, mesh = model.domain, model.domain.mesh
        owned = mesh.topology.index_map(domain.dimension).size_local
        self.volumes: Array = cell_volumes(domain)
        self._phase: npt.NDArray[np.int32] = domain.cell_phase[:owned]
        self._dofs: npt.NDArray[np.int32] = model.state.dofs.cell_concentration[:owned]
        self._names = domain.phases
        self.hosts = tuple(m.phase for _, m in model.phase_ids(Host))
        self.metal = tuple(m.phase for _, m in model.phase_ids(Reservoir))
        self._facets = model.facet_constants
        self._product_forms = _product_forms(model)
        self.products = tuple(self._product_forms)
        in_host = np.isin(np.array(domain.phases)[self._phase], self.hosts)
        self._host_dofs = np.unique(self._dofs[in_host])
        self._scale = model.capacity_of_node

    def sums(self, unknowns: Array) -> dict[str, float]:
        """This rank's lithium in fmol (per µm of depth in 2D): ``lithium_PHASE`` and ``lithium_PRODUCT``.

        While a step is being solved, with what its side reactions take.
        """
        held = self._per_phase(unknowns)
        taken = {
            f"lithium_{name}": float(np.sum(self._facets.integrals(form)))
            for name, form in self._product_forms.items()
        }
        return taken | {
            f"lithium_{name}": float(held[self._names.index(name)]) for name in (*self.hosts, *self.metal)
        }

    def capacities(self) -> dict[str, float]:
        """This rank's capacity in fmol of every phase that holds lithium, ``capacity_PHASE``."""
        held = self._per_phase(self._scale)
        return {
            f"capacity_{name}": float(held[self._names.index(name)]) for name in (*self.hosts, *self.metal)
        }

    def minima(self, unknowns: Array) -> dict[str, float]:
        """Smallest lithiation at a node of a host on this rank, and minus the largest one."""
        x = unknowns[self._host_dofs] / self._scale[self._host_dofs]
        return {
            "lithiation_min": float(np.min(x, initial=np.inf)),
            "lithiation_max": float(np.min(-x, initial=np.inf)),
        }

    def _per_phase(self, nodal: Array) -> Array:
        if not self._dofs.shape[1]:
            return np.zeros(len(self._names))
        cells = self.volumes * nodal[self._dofs].mean(axis=1)
        held: Array = np.bincount(self._phase, weights=cells, minlength=len(self._names)).astype(np.float64)
        return held


def _product_forms(model: ElectrodeModel) -> dict[str, dfem.Form]:
    """Projections of the lithium in fmol/µm² that decomposition and oxide hold, where there are side reactions."""
    if model.reactions is None:
        return {}
    conducts = model.coefficients["conducts"]
    held = {
        sign: model.reactions.sides[sign].amount * after for sign, (_, after) in transfer.spent(model).items()
    }
    values = {
        SIDE_PRODUCTS: sum(conducts(sign) * lithium for sign, lithium in held.items()),
        OXIDE: sum((1.0 - conducts(sign)) * lithium for sign, lithium in held.items()),
    }
    return {name: model.facet_constants.projection(value) for name, value in values.items()}
