"""What comes out of every step: thickness and its parts, damage, lithium, energy (the columns of history.csv)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.boundary_means import BoundaryMeans
from fem.crack_risk import CrackRisk
from fem.energy import BulkEnergy, InterfaceEnergy
from fem.external_work import ExternalWork, Forces
from fem.facet_geometry import Array
from fem.gaps import Gaps
from fem.lithium_book import LithiumBook
from fem.materials.base import Reservoir
from fem.model import ElectrodeModel
from fem.thickness import Thickness, electrode_phases
from fem.units import CM2_PER_UM2, FARADAY, MAH_PER_PC

Row = dict[str, float]

COLUMNS: dict[str, str] = {
    "time_s": "s",
    "dt_s": "s",
    "newton_iterations": "1",
    "charge_mAh_cm2": "mAh/cm^2",
    "mean_lithiation": "1",
    "lithium_metal_left": "1",
    "thickness_um": "um",
    "thickening_percent": "%",
    "thickening_solids_um": "um",
    "thickening_interface_void_um": "um",
    "thickening_pores_um": "um",
    "thickening_lithium_removed_um": "um",
    "void_check_um": "um",
    "top_displacement_um": "um",
    "debonded_fraction": "1",
    "damaged_fraction": "1",
    "penetration_max_um": "um",
    "penetration_mean_um": "um",
    "sliding_max_um": "um",
    "searched_contact_fraction": "1",
    "viscous_dissipation_pJ_um": "pJ/um",
    "plastic_dissipation_pJ_um": "pJ/um",
    "fracture_dissipation_pJ_um": "pJ/um",
    "friction_dissipation_pJ_um": "pJ/um",
    "stabilisation_dissipation_pJ_um": "pJ/um",
    "external_work_pJ_um": "pJ/um",
    "chemical_work_pJ_um": "pJ/um",
    "stored_energy_pJ_um": "pJ/um",
    "energy_balance_error": "1",
    "lithium_book_error": "1",
    "det_F_min": "1",
    "lithiation_min": "1",
    "lithiation_max": "1",
    "electrolyte_potential_V": "V",
}
"""Unit of every column that each run has, in order; :attr:`Observer.columns` adds those per phase and per kind."""

_PER_KIND = ("debonded_fraction", "damaged_fraction")

_RATES = (
    "viscous_dissipation",
    "plastic_dissipation",
    "friction_dissipation",
    "stabilisation_dissipation",
    "external_work",
    "chemical_work",
)


@dataclass(frozen=True)
class _Totals:
    """What accumulates over the steps, at the end of step number ``step``."""

    step: int
    lithium: float
    charge: float = 0.0
    book_error: float = 0.0
    absolute_work: float = 0.0
    energies: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_RATES, 0.0))
    forces: Forces = field(default_factory=dict)


class Observer:
    """Measures a run, step by step.

    All methods are collective, and all ranks get the same row.

    Args:
        model: The coupled model, in the state the run starts from.
        current_boundary: Boundary through which the current passes.
        influx_control: Name of the control with the influx through it in fmol/(µm² s).

    Attributes:
        columns: Unit of every column of this model's rows, in order.

    Raises:
        MeshError: The mesh lacks a boundary that is needed.
    """

    def __init__(self, model: ElectrodeModel, current_boundary: str = "top", influx_control: str = "influx"):
        self._model, self._influx = model, model.control(influx_control)
        self._thickness, self._gaps, self._book = Thickness(model), Gaps(model), LithiumBook(model)
        self._bulk = BulkEnergy(model, self._book.volumes)
        self._interface = InterfaceEnergy(model) if model.interfaces.kinds else None
        self._external = ExternalWork(model)
        self._risk = CrackRisk(model)
        self._top = BoundaryMeans(model, current_boundary)
        self._breakable = [law.strength is not None for law in model.laws]
        kinds = zip(model.interfaces.kinds, model.laws, strict=True)
        self._losing_contact = [kind for kind, law in kinds if law.loses_contact]
        self._contact: dfem.Form | None = None
        if model.history_value.contact is not None:
            self._contact = model.facet_constants.projection(model.history_value.contact)
        self._electrode = electrode_phases(model.domain.phases)
        metal = {m.phase for _, m in model.phase_ids(Reservoir)}
        pores = {m.phase for m in model.materials if not m.solid}
        self._parts = {
            "solids": [p for p in self._electrode if p not in metal | pores],
            "pores": [p for p in self._electrode if p in pores],
            "lithium_removed": [p for p in self._electrode if p in metal],
        }
        self.columns = self._columns()
        self._fixed = self._reduced({**self._book.capacities(), **self._areas(), **self._top.area()}, MPI.SUM)
        sums = self._sums()
        self._stored_at_start = sums["bulk_energy"] + sums["interface_energy"]
        self._metal_at_start = sum(sums[f"lithium_{name}"] for name in self._book.metal)
        forces = self._external.forces()
        if model.state.steps == 0:
            # The body starts unloaded and free of stress, whatever the controls already say.
            forces = {name: np.zeros_like(value) for name, value in forces.items()}
        self._totals = _Totals(model.state.steps, self._lithium(sums), forces=forces)
        self._pending: _Totals | None = None

    def start(self) -> Row:
        """Row of the initial state."""
        self._settle()
        return self._row(self._sums(), self._totals, self._model.state.time, 0.0)

    def measure(self) -> Row:
        """Row of the step that has just converged, before ``model.commit()``.

        Measuring a step that is then rejected leaves no trace: what accumulates is taken over once the model's step
        counter shows that the step was accepted.
        """
        self._settle()
        state, begin = self._model.state, self._totals
        dt, influx = float(self._model.dt.value), float(self._influx.value)
        change = state.unknowns.x.array - state.previous.x.array
        forces = self._external.forces()
        sums = self._sums(self._external.work(begin.forces, forces, change))
        lithium, entered = self._lithium(sums), dt * influx * self._fixed["top_area"]
        error = abs(lithium - begin.lithium - entered) / max(lithium, 1e-300)
        self._pending = _Totals(
            step=state.steps + 1,
            lithium=lithium,
            charge=begin.charge + dt * influx * FARADAY,
            book_error=max(begin.book_error, error if self._book.hosts or self._book.metal else 0.0),
            absolute_work=begin.absolute_work + abs(sums["external_work"]) + abs(sums["chemical_work"]),
            energies={name: begin.energies[name] + sums[name] for name in _RATES},
            forces=forces,
        )
        return self._row(sums, self._pending, state.time + dt, dt)

    def memory(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What later rows depend on besides the model's state: numbers, and arrays like the unknowns'."""
        self._settle()
        totals = {name: value for name, value in vars(self._totals).items() if name != "forces"}
        pressures, nodal = self._external.memory(self._totals.forces)
        at_start = {"stored": self._stored_at_start, "metal": self._metal_at_start}
        return {"totals": totals, "pressures": pressures, "at_start": at_start}, nodal

    def recall(self, numbers: Mapping[str, Any], nodal: Mapping[str, Array]) -> None:
        """Go on as the observer would have whose ``memory`` this is."""
        forces = self._external.recalled(numbers["pressures"], nodal)
        self._totals, self._pending = _Totals(**numbers["totals"], forces=forces), None
        self._stored_at_start = numbers["at_start"]["stored"]
        self._metal_at_start = numbers["at_start"]["metal"]

    def _settle(self) -> None:
        """Take over the totals of the last measured step if it was accepted."""
        if self._pending is not None and self._pending.step == self._model.state.steps:
            self._totals = self._pending
        self._pending = None

    # ------------------------------------------------------------------ the row

    def _row(self, sums: dict[str, float], totals: _Totals, time: float, dt: float) -> Row:
        width, initial = self._thickness.width, self._thickness.initial
        thickness = self._thickness.thickness(sums)
        parts = {
            name: sum(sums[f"volume_change_{phase}"] for phase in phases) / width
            for name, phases in self._parts.items()
        }
        void = thickness - initial - sum(parts.values())
        stored = sums["bulk_energy"] + sums["interface_energy"]
        energies, fracture = totals.energies, sums["fracture_dissipation"]
        gained = energies["external_work"] + energies["chemical_work"]
        spent = fracture + sum(energies[name] for name in _RATES if name.endswith("dissipation"))
        imbalance = abs(gained - spent - (stored - self._stored_at_start))
        extremes = self._reduced(self._minima(), MPI.MIN)
        row: Row = {
            "time_s": time,
            "dt_s": dt,
            "newton_iterations": 0.0,
            "charge_mAh_cm2": totals.charge * MAH_PER_PC / CM2_PER_UM2,
            "mean_lithiation": self._mean_lithiation(sums, self._book.hosts),
            **{f"mean_lithiation_{name}": self._mean_lithiation(sums, (name,)) for name in self._book.hosts},
            "lithium_metal_left": self._metal_left(sums),
            **{
                f"contact_fraction_{kind}": _ratio(sums[f"contact_{kind}"], self._fixed[f"area_{kind}"])
                for kind in self._losing_contact
            },
            "thickness_um": thickness,
            "thickening_percent": 100.0 * (thickness / initial - 1.0),
            "thickening_solids_um": parts["solids"],
            "thickening_interface_void_um": void,
            "thickening_pores_um": parts["pores"],
            "thickening_lithium_removed_um": parts["lithium_removed"],
            "void_check_um": void - sums["void"] / width,
            "top_displacement_um": sums["top_displacement"] / self._fixed["top_area"],
            **self._shares(sums, "debonded"),
            **self._risk.row(),
            **self._shares(sums, "damaged"),
            "penetration_max_um": abs(extremes["penetration"]),
            "penetration_mean_um": _ratio(sums["penetration"], sums["contact_area"]),
            "sliding_max_um": abs(extremes["sliding"]),
            "searched_contact_fraction": _ratio(sums["searched_contact"], sums["contact_area"]),
            "viscous_dissipation_pJ_um": energies["viscous_dissipation"],
            "plastic_dissipation_pJ_um": energies["plastic_dissipation"],
            "fracture_dissipation_pJ_um": fracture,
            "friction_dissipation_pJ_um": energies["friction_dissipation"],
            "stabilisation_dissipation_pJ_um": energies["stabilisation_dissipation"],
            "external_work_pJ_um": energies["external_work"],
            "chemical_work_pJ_um": energies["chemical_work"],
            "stored_energy_pJ_um": stored,
            "energy_balance_error": _ratio(imbalance, totals.absolute_work),
            "lithium_book_error": totals.book_error,
            "det_F_min": extremes["det_F"],
            "lithiation_min": _found(extremes["lithiation_min"]),
            "lithiation_max": _found(-extremes["lithiation_max"]),
            "electrolyte_potential_V": -sums["top_potential"] / self._fixed["top_area"] / FARADAY,
        }
        return row

    def _columns(self) -> dict[str, str]:
        columns = {}
        for name, unit in COLUMNS.items():
            columns[name] = unit
            if name == "mean_lithiation":
                columns.update({f"{name}_{phase}": unit for phase in self._book.hosts})
            elif name == "lithium_metal_left":
                columns.update({f"contact_fraction_{kind}": "1" for kind in self._losing_contact})
            elif name in _PER_KIND:
                columns.update({f"{name}_{kind}": unit for kind in self._breakable_kinds()})
            if name == "debonded_fraction":
                columns.update(dict.fromkeys(self._risk.columns, "1"))
        return columns

    def _breakable_kinds(self) -> list[str]:
        kinds = zip(self._model.interfaces.kinds, self._breakable, strict=True)
        return [kind for kind, breakable in kinds if breakable]

    def _mean_lithiation(self, sums: dict[str, float], phases: tuple[str, ...]) -> float:
        held = sum(sums[f"lithium_{name}"] for name in phases)
        return _ratio(held, sum(self._fixed[f"capacity_{name}"] for name in phases))

    def _metal_left(self, sums: dict[str, float]) -> float:
        return _ratio(sum(sums[f"lithium_{name}"] for name in self._book.metal), self._metal_at_start)

    def _shares(self, sums: dict[str, float], name: str) -> dict[str, float]:
        """Debonded or damaged share of the area of all breakable interfaces and of each kind."""
        kinds = self._breakable_kinds()
        part, area = (
            {kind: values[f"{what}_{kind}"] for kind in kinds}
            for what, values in ((name, sums), ("area", self._fixed))
        )
        row = {f"{name}_fraction": _ratio(sum(part.values()), sum(area.values()))}
        return row | {f"{name}_fraction_{kind}": _ratio(part[kind], area[kind]) for kind in kinds}

    def _lithium(self, sums: dict[str, float]) -> float:
        return sum(sums[f"lithium_{name}"] for name in (*self._book.hosts, *self._book.metal))

    # ------------------------------------------------------------------ evaluation

    def _sums(self, external_work: float = 0.0) -> dict[str, float]:
        """Everything that is a sum over cells or facets, over all ranks."""
        unknowns = self._model.state.unknowns.x.array
        bulk, self._smallest_determinant = self._bulk.evaluate()
        local = {
            "external_work": external_work,
            **bulk,
            **self._thickness.sums(unknowns),
            **self._book.sums(unknowns),
            **self._top.sums(unknowns),
            **self._gaps.sums(unknowns),
        }
        if self._interface is None:
            local |= dict.fromkeys(InterfaceEnergy.names, 0.0)
        else:
            local |= self._interface.sums()
            local |= self._per_kind("damaged", self._interface.damage())
            local |= self._per_kind("debonded", self._interface.debonded())
        if self._contact is not None:
            local |= self._per_kind("contact", self._model.facet_constants.integrals(self._contact))
        return self._reduced(local, MPI.SUM)

    def _minima(self) -> dict[str, float]:
        unknowns = self._model.state.unknowns.x.array
        maxima = {name: -value for name, value in self._gaps.maxima(unknowns).items()}
        return {"det_F": self._smallest_determinant, **self._book.minima(unknowns), **maxima}

    def _areas(self) -> dict[str, float]:
        return self._per_kind("area", self._gaps.area)

    def _per_kind(self, name: str, values: npt.NDArray[np.float64]) -> dict[str, float]:
        interfaces = self._model.interfaces
        per_kind = np.bincount(interfaces.kind, weights=values, minlength=len(interfaces.kinds))
        return {f"{name}_{kind}": float(per_kind[number]) for number, kind in enumerate(interfaces.kinds)}

    def _reduced(self, local: dict[str, float], operation: MPI.Op) -> dict[str, float]:
        values = np.array(list(local.values()), dtype=np.float64)
        self._model.comm.Allreduce(MPI.IN_PLACE, values, op=operation)
        return dict(zip(local, map(float, values), strict=True))


def _ratio(part: float, whole: float) -> float:
    """Share of a whole, or zero where there is nothing to compare with."""
    return part / whole + 0.0 if whole > 0.0 else 0.0  # a sum of zeros may be -0.0


def _found(extreme: float) -> float:
    """An extreme, or zero where there is nothing it could be the extreme of; NaN stays NaN."""
    return 0.0 if math.isinf(extreme) else extreme
