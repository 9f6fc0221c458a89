"""What comes out of every step: thickness and its parts, damage, lithium, energy (the columns of history.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fem.contact_forces import ContactForces
from fem.errors import CheckpointError
from fem.external_work import ExternalWork, Forces
from fem.facet_geometry import Array
from fem.instruments import Instruments
from fem.model import ElectrodeModel
from fem.result_row import COLUMNS, Row, RowBuilder
from fem.run_totals import RATES, Beginning, Totals, step_energies
from fem.units import FARADAY

__all__ = ["COLUMNS", "Observer", "Row"]


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
        self._instruments, self._external = Instruments(model, current_boundary), ExternalWork(model)
        self._contact = ContactForces(model)
        self._rows = RowBuilder(self._instruments)
        self.columns = self._rows.columns
        book = self._instruments.book
        self._storing = (*book.hosts, *book.metal, *book.products)
        sums = self._instruments.sums()
        self._beginning = Beginning(
            stored=sums["bulk_energy"] + sums["interface_energy"],
            metal=sum(sums[f"lithium_{name}"] for name in book.metal),
        )
        forces = self._forces()
        if model.state.steps == 0:
            # The body starts unloaded and free of stress, whatever the controls already say.
            forces = {name: np.zeros_like(value) for name, value in forces.items()}
        self._totals = Totals(
            model.state.steps, self._lithium(sums), contact_energy=sums["contact_energy"], forces=forces
        )
        self._pending: Totals | None = None

    def start(self) -> Row:
        """Row of the initial state."""
        self._settle()
        return self._row(self._instruments.sums(), self._totals, self._model.state.time, 0.0)

    def measure(self) -> Row:
        """Row of the step that has just converged, before ``model.commit()``.

        Measuring a step that is then rejected leaves no trace: what accumulates is taken over once the model's step
        counter shows that the step was accepted.
        """
        self._settle()
        state, begin = self._model.state, self._totals
        dt, influx = float(self._model.dt.value), float(self._influx.value)
        change = state.unknowns.x.array - state.previous.x.array
        forces = self._forces()
        works = {
            "external_work": self._external.work(begin.forces, forces, change),
            **self._contact.work(begin.forces, forces, change),
        }
        sums = self._instruments.sums(works)
        energies = step_energies(sums, begin.contact_energy)
        lithium, entered = self._lithium(sums), dt * influx * self._instruments.fixed["top_area"]
        error = abs(lithium - begin.lithium - entered) / max(lithium, 1e-300)
        self._pending = Totals(
            step=state.steps + 1,
            lithium=lithium,
            charge=begin.charge + dt * influx * FARADAY,
            book_error=max(begin.book_error, error if self._storing else 0.0),
            absolute_work=begin.absolute_work + abs(sums["external_work"]) + abs(sums["chemical_work"]),
            energies={name: begin.energies[name] + energies[name] for name in RATES},
            contact_energy=sums["contact_energy"],
            forces=forces,
        )
        return self._row(sums, self._pending, state.time + dt, dt)

    def jump(self, cycles: int, since: Mapping[str, Any]) -> float:
        """Go on in a state that was extrapolated over cycles (fem/cycle_extrapolation.py).

        What hosts, metal and side products hold more in it is what has passed: the book stays closed. Work and
        dissipation grow as in the last cycle.

        Args:
            cycles: How many were left out.
            since: Numbers of the ``memory`` at the beginning of the last cycle.

        Returns:
            The charge that passed in them in C/m².
        """
        self._settle()
        totals, earlier = self._totals, since["totals"]["energies"]
        lithium = self._lithium(self._instruments.sums())
        charge = (lithium - totals.lithium) * FARADAY / self._instruments.fixed["top_area"]
        energies = {name: value + cycles * (value - earlier[name]) for name, value in totals.energies.items()}
        work = totals.absolute_work + cycles * (totals.absolute_work - since["totals"]["absolute_work"])
        self._totals = replace(
            totals, lithium=lithium, charge=totals.charge + charge, absolute_work=work, energies=energies
        )
        return charge

    def resisted_share(self) -> float:
        """Share of the work of the step measured last that numerical inertia has taken, or given by dragging grains on.

        In a step without work of its own, such as one of a rest, it is measured against a thousandth of all so far.
        """
        if self._pending is None:
            return 0.0
        before, after = self._totals, self._pending
        taken = after.energies["stabilisation_dissipation"] - before.energies["stabilisation_dissipation"]
        work = max(after.absolute_work - before.absolute_work, 1e-3 * after.absolute_work)
        return abs(taken) / work if work > 0.0 else 0.0

    def memory(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What later rows depend on besides the model's state: numbers, and arrays like the unknowns'."""
        self._settle()
        totals = {name: value for name, value in vars(self._totals).items() if name != "forces"}
        pressures, nodal = self._external.memory(self._totals.forces)
        nodal |= self._contact.memory(self._totals.forces)
        return {"totals": totals, "pressures": pressures, "at_start": vars(self._beginning)}, nodal

    def recall(self, numbers: Mapping[str, Any], nodal: Mapping[str, Array]) -> None:
        """Go on as the observer would have whose ``memory`` this is.

        Raises:
            CheckpointError: An earlier version wrote it, which remembered less.
        """
        if set(RATES) - set(numbers["totals"]["energies"]):
            raise CheckpointError("an earlier version wrote it: it lacks the forces of contact")
        forces = self._external.recalled(numbers["pressures"], nodal) | self._contact.memory(nodal)
        self._totals, self._pending = Totals(**numbers["totals"], forces=forces), None
        self._beginning = Beginning(**numbers["at_start"])

    def _forces(self) -> Forces:
        """What works over a step by the trapezoidal rule, as it is now; collective."""
        return self._external.forces() | self._contact.forces()

    def _settle(self) -> None:
        """Take over the totals of the last measured step if it was accepted."""
        if self._pending is not None and self._pending.step == self._model.state.steps:
            self._totals = self._pending
        self._pending = None

    def _row(self, sums: Mapping[str, float], totals: Totals, time: float, dt: float) -> Row:
        return self._rows.row(sums, self._instruments.extremes(), totals, self._beginning, time, dt)

    def _lithium(self, sums: Mapping[str, float]) -> float:
        return sum(sums[f"lithium_{name}"] for name in self._storing)
