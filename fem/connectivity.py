"""Which grains are cut off from the network of contacts, and how much lithium they hold.

Grains are the nodes of a graph; two that touch are joined where at least a stated share of their common interface
still holds: the mean, over the interface, of what debonding has left of the exchange or contact pressure has restored,
without what passes outside the section (``open_exchange``). A grain is connected if a path of hosts and metal leads
ions from the electrolyte to it, and another, also through the foil, electrons.

The exchange law lets a share of the lithium through open gaps (contacts outside a 2D section), so what is counted as
trapped here is slowed in the model, not stopped, unless ``open_exchange`` is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fem.domain import cell_volumes
from fem.facet_geometry import Array
from fem.gaps import Gaps
from fem.materials.base import Conductor, Host, Reservoir
from fem.model import ElectrodeModel
from fem.thickness import FOIL

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Connection:
    """How the grains are connected; the same on every rank.

    Attributes:
        ionic: Which grains ions reach, shape (grains,); every storing grain where there is no electrolyte.
        electronic: Which grains electrons reach, shape (grains,); every storing grain where there is no foil.
        storing: Which grains store lithium, shape (grains,).
        lithium: What each holds in fmol (per µm of depth in 2D), shape (grains,).
    """

    ionic: Mask
    electronic: Mask
    storing: Mask
    lithium: Array

    @property
    def cut_off(self) -> Mask:
        """Storing grains that ions or electrons do not reach, shape (grains,)."""
        return self.storing & ~(self.ionic & self.electronic)

    @property
    def trapped(self) -> float:
        """Lithium in grains that are cut off, in fmol (per µm of depth in 2D)."""
        return float(np.sum(self.lithium[self.cut_off]))


class Connectivity:
    """Finds out which grains are connected; methods are collective.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model = model
        domain = model.domain
        part = {material.phase: material.lithium for material in model.materials}
        phases = [grain.phase for grain in domain.grains]
        self._storing = np.array([isinstance(part[phase], Host | Reservoir) for phase in phases])
        self._conductors = np.array([isinstance(part[phase], Conductor) for phase in phases])
        self._foil = np.array([phase == FOIL for phase in phases])
        self._pairs = domain.cell_grain[model.interfaces.quadruples[:, [0, 2]]]
        self._areas = Gaps(model).area
        self._open = model.facet_constants.values(model.facet_constants.named["open_exchange"])
        passes = np.array([np.isfinite(law.exchange_resistance.value) for law in model.laws], dtype=bool)
        self._passes_lithium = passes[model.interfaces.kind]
        self._form = model.facet_constants.projection(model.exchange_share)
        self._volumes = cell_volumes(domain)

    def find(self, least_share: float) -> Connection:
        """The network as it is at the end of the last accepted step.

        Args:
            least_share: Share of an interface that must hold for it to connect, between 0 and 1.
        """
        held = self._held()
        ions = self._storing | self._conductors
        electrons = self._storing | self._foil
        return Connection(
            ionic=self._reached(held, self._passes_lithium, ions, self._conductors, least_share),
            electronic=self._reached(
                held, np.ones(len(held), dtype=bool), electrons, self._foil, least_share
            ),
            storing=self._storing,
            lithium=self._lithium(),
        )

    def _held(self) -> Array:
        """What holds of each owned interface facet in µm (µm² in 3D), without what passes outside the section."""
        passing = self._model.facet_constants.integrals(self._form)
        held = (passing - self._open * self._areas) / np.maximum(1.0 - self._open, 1e-12)
        return np.clip(held, 0.0, self._areas)

    def _reached(
        self, held: Array, usable: Mask, members: Mask, sources: Mask, least_share: float
    ) -> npt.NDArray[np.bool_]:
        """Members that are connected to a source through interfaces that hold, shape (grains,)."""
        if not sources.any():
            return self._storing.copy()
        chosen = usable & members[self._pairs].all(axis=1)
        count = len(members)
        keys = self._pairs[chosen].min(axis=1).astype(np.int64) * count + self._pairs[chosen].max(axis=1)
        local = (keys, held[chosen], self._areas[chosen])
        gathered = self._model.comm.allgather(local)
        keys, holding, areas = (np.concatenate(part) for part in zip(*gathered, strict=True))
        pairs, place = np.unique(keys, return_inverse=True)
        share = np.bincount(place, weights=holding) / np.bincount(place, weights=areas)
        joined = pairs[share >= least_share]
        one, other = joined // count, joined % count
        # All sources are one node more, so that two strips of electrolyte count as one.
        own = np.flatnonzero(sources)
        rows, columns = np.concatenate([one, own]), np.concatenate([other, np.full(len(own), count)])
        graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1))
        _, label = connected_components(graph, directed=False)
        reached: Mask = label[:count] == label[count]
        return reached

    def _lithium(self) -> Array:
        model = self._model
        domain, count = model.domain, len(self._storing)
        owned = len(self._volumes)
        grain, dofs = domain.cell_grain[:owned], model.state.dofs.cell_concentration[:owned]
        held: Array = np.zeros(count)
        if dofs.shape[1]:
            cells = self._volumes * model.state.unknowns.x.array[dofs].mean(axis=1)
            held[:] = np.bincount(grain, weights=cells, minlength=count)
        model.comm.Allreduce(MPI.IN_PLACE, held, op=MPI.SUM)
        held[~self._storing] = 0.0
        return held
