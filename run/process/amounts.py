"""Lithium and charge per area of electrode, as a cell tester shows them: the lithium book in mAh/cm²."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from fem.connectivity import Connectivity
from fem.lithium_book import LithiumBook
from fem.model import ElectrodeModel
from fem.units import FARADAY

#: C/m² (pC/µm²) in one mAh/cm².
C_M2 = 3.6e4


class Amounts:
    """Counts what an electrode holds; methods are collective.

    Args:
        model: The coupled model, in the state the book starts from.
        area: Of the electrode in µm² (µm in 2D).
        connected_share: Share of an interface that must hold for a grain to count as connected through it.
        active_mg_cm2: Active material per area, or None where it is not known.
    """

    def __init__(
        self, model: ElectrodeModel, area: float, connected_share: float, active_mg_cm2: float | None
    ) -> None:
        self._model, self._book, self._area = model, LithiumBook(model), area
        self._connectivity = Connectivity(model)
        self._share, self.active_mg_cm2 = connected_share, active_mg_cm2
        self.hosts, self.metal = self._book.hosts, self._book.metal

    def held(self) -> dict[str, float]:
        """Lithium in every phase that stores some, and in what has taken some for good, in mAh/cm²."""
        sums = self._book.sums(self._model.state.unknowns.x.array)
        names = (*self.hosts, *self.metal, *self._book.products)
        values = np.array([sums[f"lithium_{name}"] for name in names])
        self._model.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
        return dict(zip(names, (self.areal(value) for value in values), strict=True))

    def capacity(self) -> float:
        """What the hosts can hold in mAh/cm²."""
        sums = self._book.capacities()
        local = sum(sums[f"capacity_{name}"] for name in self.hosts)
        return self.areal(float(self._model.comm.allreduce(local)))

    def areal(self, fmol: float) -> float:
        """An amount of lithium in fmol (per µm of depth in 2D) as mAh/cm²."""
        return float(fmol) * FARADAY / self._area / C_M2

    def specific(self, mAh_cm2: float) -> float | None:
        """A charge per area as mAh per gram of active material."""
        return None if self.active_mg_cm2 is None else 1.0e3 * mAh_cm2 / self.active_mg_cm2

    def trapped(self) -> dict[str, Any]:
        """Lithium in grains that are cut off, in mAh/cm², and how many grains that are."""
        found = self._connectivity.find(self._share)
        names = np.array([grain.phase for grain in self._model.domain.grains])
        by_phase = {
            phase: self.areal(float(np.sum(found.lithium[found.cut_off & (names == phase)])))
            for phase in (*self.hosts, *self.metal)
        }
        return {
            "total": self.areal(found.trapped),
            **by_phase,
            "grains_cut_off": int(np.sum(found.cut_off)),
            "grains_without_ions": int(np.sum(found.storing & ~found.ionic)),
            "grains_without_electrons": int(np.sum(found.storing & ~found.electronic)),
            "grains": int(np.sum(found.storing)),
            "connected_share": self._share,
        }
