"""What an adhesion test is made of, step by step: force, debonding, and where the work goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import balances, compat
from fem.contact_forces import ContactForces
from fem.energy import BulkEnergy, InterfaceEnergy, flow_power
from fem.external_work import Forces
from fem.facet_geometry import Array
from fem.model import ElectrodeModel
from fem.section import Section, cell_volumes

Row = dict[str, float]


class Ledger:
    """Force, debonding and energies of the step that has just converged; all methods are collective.

    Args:
        model: That is pulled apart.
        section: Where.
        grip: Owned dofs that are moved.
        speed: How fast, in µm/s.
    """

    def __init__(
        self, model: ElectrodeModel, section: Section, grip: npt.NDArray[np.int32], speed: float
    ) -> None:
        self._model, self._section, self._grip, self._speed = model, section, grip, speed
        volumes = cell_volumes(model)
        self._bulk, self._interface = BulkEnergy(model, volumes), InterfaceEnergy(model)
        self._plastic = PlasticByPhase(model, volumes) if model.flows else None
        self._contact = ContactForces(model)
        self._forces: tuple[Forces, Forces] = {}, {}
        self._residual = dfem.Function(model.state.space)
        self._energies: Row = {}
        self._pending: Row = {}
        self._last: Row = {}

    def start(self) -> Row:
        """Row before the first step."""
        phases = self._model.domain.phases
        self._model.prepare_step(float(self._model.dt.value))
        forces = self._contact.forces()
        self._forces = forces, forces
        totals = self._totals()
        self._stored, self._fracture = totals["stored"], totals["fracture"]
        self._last = {
            "way_um": 0.0,
            "force_N_m": self._force(),
            "debonded_share": totals["debonded"],
            **dict.fromkeys(("external_work_J_m2", "cohesive_J_m2", "viscous_J_m2"), 0.0),
            **dict.fromkeys(("friction_J_m2", "slowed_J_m2", "stored_J_m2", "chemical_J_m2"), 0.0),
            **{f"plastic_{phase}_J_m2": 0.0 for phase in phases},
        }
        return self._last

    def measure(self) -> bool:
        """Before commit; False where something is not finite."""
        dt, width = float(self._model.dt.value), self._section.width
        self._forces = self._forces[0], self._contact.forces()
        last, totals, force = self._last, self._totals(), self._force()
        way = self._speed * dt
        row = {
            "way_um": last["way_um"] + way,
            "force_N_m": force,
            "debonded_share": totals["debonded"],
            "external_work_J_m2": last["external_work_J_m2"]
            + 0.5 * (force + last["force_N_m"]) * way / width,
            "cohesive_J_m2": (totals["fracture"] - self._fracture) / width,
            "viscous_J_m2": last["viscous_J_m2"] + totals["viscous"] / width,
            "friction_J_m2": last["friction_J_m2"] + totals["friction"] / width,
            "slowed_J_m2": last["slowed_J_m2"] + totals["stabilisation"] / width,
            "stored_J_m2": (totals["stored"] - self._stored) / width,
            # What the work has gone into: less than zero where the lithium that moves between grains does some itself.
            "chemical_J_m2": last["chemical_J_m2"] - totals["chemical"] / width,
        }
        for phase in self._model.domain.phases:
            name = f"plastic_{phase}_J_m2"
            row[name] = last[name] + totals[f"plastic_{phase}"] / width
        self._pending = row
        return bool(np.all(np.isfinite(list(row.values()))))

    def accepted(self) -> Row:
        """The row of the step that was accepted."""
        self._last, self._forces = self._pending, (self._forces[1], self._forces[1])
        return self._last

    def _force(self) -> float:
        """Force of the grip in N/m (2D)."""
        model = self._model
        compat.assemble_vector(self._residual, model.residual_form)
        return float(model.comm.allreduce(float(np.sum(self._residual.x.array[self._grip])), op=MPI.SUM))

    def _totals(self) -> Row:
        model = self._model
        bulk, _ = self._bulk.evaluate()
        facets, state = self._interface.sums(), model.state
        change = state.unknowns.x.array - state.previous.x.array
        local = {
            "stored": bulk["bulk_energy"] + facets["interface_energy"],
            "chemical": bulk["chemical_work"],
            "fracture": facets["fracture_dissipation"],
            "viscous": facets["viscous_dissipation"],
            "friction": self._contact.work(*self._forces, change)["friction_work"],
            "stabilisation": facets["stabilisation_dissipation"],
            "debonded": float(np.sum(self._interface.debonded()[self._section.facets])) / self._section.area,
        }
        plastic = np.zeros(len(model.domain.phases)) if self._plastic is None else self._plastic.sums()
        local |= {f"plastic_{phase}": float(v) for phase, v in zip(model.domain.phases, plastic, strict=True)}
        values = np.array(list(local.values()))
        model.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
        return dict(zip(local, map(float, values), strict=True))


class PlasticByPhase:
    """Plastic work of the step in every phase."""

    def __init__(self, model: ElectrodeModel, volumes: Array) -> None:
        state = model.state
        then = balances.law(
            model.previous_fields, state.plastic_inverse, 0.0, model.coefficients, model.domain.dimension
        )
        power: Any = 0.5 * (flow_power(model.bulk, state.increment) + flow_power(then, 0.0)) * state.increment
        points = compat.interpolation_points(state.increment.function_space.element)
        self._expression = dfem.Expression(ufl.as_ufl(power), points, jit_options=compat.jit_options())
        self._mesh, self._volumes = model.domain.mesh, volumes
        self._phase = model.domain.cell_phase[: len(volumes)]
        self._count = len(model.domain.phases)

    def sums(self) -> Array:
        """This rank's, in pJ (per µm of depth in 2D), shape (phases,)."""
        cells = np.arange(len(self._volumes), dtype=np.int32)
        values = np.asarray(self._expression.eval(self._mesh, cells)).reshape(len(cells), -1)
        # The quadrature's weights are equal.
        weights = values.mean(axis=1) * self._volumes
        sums: Array = np.bincount(self._phase, weights=weights, minlength=self._count).astype(np.float64)
        return sums
