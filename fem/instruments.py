"""Everything that measures a model, and its readings over all ranks: sums over cells and facets, and extremes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.boundary_means import BoundaryMeans
from fem.crack_risk import CrackRisk
from fem.energy import BulkEnergy, InterfaceEnergy, searched_contact
from fem.gaps import Gaps
from fem.lithium_book import LithiumBook
from fem.materials.base import Reservoir
from fem.model import ElectrodeModel
from fem.thickness import Thickness, electrode_phases

#: Works over a step by the trapezoidal rule: of what acts from outside, and what contact and friction take up.
WORKS = ("external_work", "contact_work", "friction_work")


class Instruments:
    """Measures a model; all methods are collective, and all ranks get the same readings.

    Args:
        model: The coupled model.
        current_boundary: Boundary through which the current passes.

    Attributes:
        thickness: Of the electrode.
        book: The lithium book.
        risk: Of cracks in the grains.
        parts: Phases whose volume counts for each part of the thickening, by the part's name.
        breakable_kinds: Kinds of interfaces that can break.
        kinds_losing_contact: Kinds of interfaces that have a contact fraction.
        fixed: What never changes: ``capacity_PHASE`` in fmol, ``area_KIND`` and ``top_area`` in µm² (µm in 2D).

    Raises:
        MeshError: The mesh lacks a boundary that is needed.
    """

    def __init__(self, model: ElectrodeModel, current_boundary: str):
        self._model = model
        self.thickness, self._gaps, self.book = Thickness(model), Gaps(model), LithiumBook(model)
        self._bulk = BulkEnergy(model, self.book.volumes)
        self._interface = InterfaceEnergy(model) if model.interfaces.kinds else None
        self.risk = CrackRisk(model)
        self._top = BoundaryMeans(model, current_boundary)
        laws = dict(zip(model.interfaces.kinds, model.laws, strict=True))
        self.breakable_kinds = [kind for kind, law in laws.items() if law.strength is not None]
        self.kinds_losing_contact = [kind for kind, law in laws.items() if law.loses_contact]
        self._contact: dfem.Form | None = None
        if model.history_value.contact is not None:
            self._contact = model.facet_constants.projection(model.history_value.contact)
        electrode = electrode_phases(model.domain.phases)
        metal = {m.phase for _, m in model.phase_ids(Reservoir)}
        pores = {m.phase for m in model.materials if not m.solid}
        self.parts = {
            "solids": [p for p in electrode if p not in metal | pores],
            "pores": [p for p in electrode if p in pores],
            "lithium_removed": [p for p in electrode if p in metal],
        }
        areas = self._per_kind("area", self._gaps.area)
        self.fixed = self._reduced({**self.book.capacities(), **areas, **self._top.area()}, MPI.SUM)

    def sums(self, works: Mapping[str, float] | None = None) -> dict[str, float]:
        """Everything that is a sum over cells or facets.

        Args:
            works: This rank's share of the step's works in pJ, see :data:`WORKS`; zero where not given.
        """
        unknowns = self._model.state.unknowns.x.array
        bulk, self._smallest_determinant = self._bulk.evaluate()
        local = {
            **(works or dict.fromkeys(WORKS, 0.0)),
            **bulk,
            **self.thickness.sums(unknowns),
            **self.book.sums(unknowns),
            **self._top.sums(unknowns),
            **self._gaps.sums(unknowns),
        }
        if self._interface is None:
            local |= dict.fromkeys(InterfaceEnergy.names, 0.0) | searched_contact(self._model)
        else:
            local |= self._interface.sums()
            local |= self._per_kind("damaged", self._interface.damage())
            local |= self._per_kind("debonded", self._interface.debonded())
        if self._contact is not None:
            local |= self._per_kind("contact", self._model.facet_constants.integrals(self._contact))
        return self._reduced(local, MPI.SUM)

    def extremes(self) -> dict[str, float]:
        """Smallest det F and lithiation, and minus what is largest; of the state that ``sums`` was last taken of."""
        unknowns = self._model.state.unknowns.x.array
        maxima = {name: -value for name, value in self._gaps.maxima(unknowns).items()}
        local = {"det_F": self._smallest_determinant, **self.book.minima(unknowns), **maxima}
        return self._reduced(local, MPI.MIN)

    def _per_kind(self, name: str, values: npt.NDArray[np.float64]) -> dict[str, float]:
        interfaces = self._model.interfaces
        per_kind = np.bincount(interfaces.kind, weights=values, minlength=len(interfaces.kinds))
        return {f"{name}_{kind}": float(per_kind[number]) for number, kind in enumerate(interfaces.kinds)}

    def _reduced(self, local: dict[str, float], operation: MPI.Op) -> dict[str, float]:
        values = np.array(list(local.values()), dtype=np.float64)
        self._model.comm.Allreduce(MPI.IN_PLACE, values, op=operation)
        return dict(zip(local, map(float, values), strict=True))
