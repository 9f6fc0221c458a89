"""The terminals of the cell: one scalar unknown beside the fields, under a given current or a given voltage.

The outer face of the electrolyte is an equipotential µ = λ. λ and the fields are solved together: Newton's system is
the tangent K of the fields, in which the rows of the face say dµ = dλ, bordered by one row for what the terminals are
told. Its update is y = y0 + α z with K y0 = R and K z = e, e being one at the face: two solves with one factorisation.
(With the border inside the matrix the factorisation takes as much longer as the second solve does, and the matrix,
whose rows contacts already widen from step to step, would have to be laid out anew; figures in docs/cell.md.)

What enters is counted where it arrives: S is the lithium that leaves the electrolyte through its interfaces in a step,
summed over the facets of the weak form, so that the hosts and the side products receive exactly what the terminals are
told. (Summed over the outer face it would be a small difference of large terms of the electrolyte's stiff balance, and
lose five digits.)

    current control   S = I A dt / F
    potential control λ/F + sign (V - U_c) + I r + η_c(I) = 0,   I = F S / (A dt)

with the voltage V between the terminals, I positive where it lithiates the working electrode, r the resistance between
the face and the counter electrode, U_c and η_c the counter electrode's potential and overpotential. In a half cell sign
is 1 and V the working electrode's potential against lithium; in a full cell it is -1 and V the cathode's minus that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import compat
from fem.constraints import owned_dofs
from fem.counter_electrode import Passed
from fem.errors import ParameterError
from fem.first_guess import shift_for
from fem.interfaces import transfer
from fem.loads import Load, TerminalCurrent
from fem.materials.base import Conductor
from fem.units import FARADAY

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

Array = npt.NDArray[np.float64]
# What the state remembers of the terminals (State.replicated), in this order.
_MEMORY = "terminal"
_CURRENT, _CHARGE, _BEGIN, _PEAK = range(4)
# Controls, which checkpoints save.
_HOLDS_VOLTAGE, _SET_CURRENT, _SET_VOLTAGE = "terminal_holds_voltage", "terminal_current", "terminal_voltage"
# Largest relative error of the current, and what is put down to rounding: so many units in the last place of the terms
# that add up to it.
CURRENT_TOLERANCE = 1.0e-11
_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)


class Terminal:
    """Holds current or voltage of a model with a :class:`fem.loads.TerminalCurrent`; all methods are collective.

    A new terminal carries no current.

    Args:
        model: The coupled model, with its state and measures.
        load: Where the current enters and what stands opposite.

    Attributes:
        area: Of the section in µm² (µm in 2D).
        entered: Lithium in fmol that entered in the step, as of the last residual.

    Raises:
        ParameterError: Something else than a solid electrolyte lies at the boundary.
    """

    def __init__(self, model: ElectrodeModel, load: TerminalCurrent):
        self._model, self.counter, self.influx = model, load.counter, model.control(load.name)
        self._resistance = 0.0 if load.separator_resistance is None else load.separator_resistance.value
        domain, state = model.domain, model.state
        _refuse_other_neighbours(model, load.boundary)
        self.dofs = owned_dofs(domain, state, state.space.sub(2), load.boundary)
        ds = model.measures.boundary(domain.boundary_tags[load.boundary])
        form = dfem.form(dfem.Constant(domain.mesh, 1.0) * ds)
        self.area = float(model.comm.allreduce(dfem.assemble_scalar(form)))
        conducting = np.isin(domain.cell_phase, [number - 1 for number, _ in model.phase_ids(Conductor)])
        self._electrolyte = np.unique(state.dofs.cell_chemical_potential[conducting]).astype(np.int32)
        #: Owned dofs of all balances of the electrolyte.
        self.balance = self._electrolyte[self._electrolyte < state.dofs.owned]
        self._leaving = compat.compile_form(transfer.leaving_conductors(model) * model.dS)
        state.replicated[_MEMORY] = np.zeros(4)
        self.entered = self._rounding = 0.0
        self.control_current(0.0)

    # ------------------------------------------------------------------ what is told

    def control_current(self, current_density: float) -> None:
        """From now on pass a current.

        Args:
            current_density: In A/m² of section, positive where it lithiates the working electrode.
        """
        controls = self._model.control
        controls(_HOLDS_VOLTAGE).value, controls(_SET_CURRENT).value = 0.0, current_density
        self.influx.value = current_density / FARADAY

    def control_potential(self, voltage: float) -> None:
        """From now on hold a voltage between the terminals, in V."""
        controls = self._model.control
        controls(_HOLDS_VOLTAGE).value, controls(_SET_VOLTAGE).value = 1.0, voltage

    @property
    def holds_voltage(self) -> bool:
        """Whether the voltage is held, and not the current."""
        return bool(self._model.control(_HOLDS_VOLTAGE).value)

    # ------------------------------------------------------------------ what is

    @property
    def current(self) -> float:
        """Current density in A/m² of section of the state now: that of the last step that was solved."""
        return float(self._memory[_CURRENT])

    @property
    def charge(self) -> float:
        """Charge passed so far in C/m² of section, positive where it lithiated the working electrode."""
        return float(self._memory[_CHARGE])

    @property
    def voltage(self) -> float:
        """Voltage between the terminals in V of the state now."""
        memory, sign = self._memory, self.counter.sign
        current = float(memory[_CURRENT])
        opposite, _ = self.counter.potential(self._passed(float(memory[_CHARGE])))
        drop, _ = self.counter.overpotential(current, self._model.temperature)
        return opposite - sign * (self.level() / FARADAY + current * self._resistance + drop)

    @property
    def working_potential(self) -> float:
        """Potential of the working electrode against lithium at the outer face of the electrolyte, in V."""
        return -self.level() / FARADAY

    def level(self) -> float:
        """Chemical potential λ of the face in pJ/fmol."""
        values = self._model.state.unknowns.x.array[self.dofs]
        return float(self._model.comm.allreduce(float(np.max(values, initial=-np.inf)), op=MPI.MAX))

    @property
    def _memory(self) -> Array:
        return self._model.state.replicated[_MEMORY]

    def _passed(self, charge: float) -> Passed:
        return Passed(charge, max(charge, float(self._memory[_PEAK])))

    # ------------------------------------------------------------------ for the solver

    def begin(self) -> None:
        """Make the face an equipotential before the first iteration, bit for bit, after a first guess of its level."""
        if self._model.kinetics is not None and not self.holds_voltage:
            self._shift(shift_for(self._leaving_after, self._told(), self._model.temperature))
        level = self.level()
        if self.holds_voltage and self._resistance == 0.0 and self.counter.holds_still:
            level = -FARADAY * float(self._model.control(_SET_VOLTAGE).value)
        unknowns = self._model.state.unknowns
        unknowns.x.array[self.dofs] = level
        unknowns.x.scatter_forward()

    def take_residual(self, values: Array) -> None:
        """Count what enters with the current unknowns, and strike out the face's rows of the residual.

        Args:
            values: Owned part of the residual, changed in place.
        """
        self.entered = self._count()
        values[self.dofs] = 0.0

    def note_rounding(self, row: Array, unknowns: Array) -> None:
        """Take note of how large the terms are that add up to what enters.

        Args:
            row: Derivative of what enters, owned part.
            unknowns: Owned part.
        """
        local = float(np.sum(np.abs(row * unknowns)))
        self._rounding = _ROUNDING * float(self._model.comm.allreduce(local, op=MPI.SUM))

    def balanced(self) -> bool:
        """Whether current or voltage is what it was told to be."""
        error, by_level, by_entered = self._error()
        allowed = abs(by_entered) * (CURRENT_TOLERANCE * abs(self.entered) + self._rounding)
        return bool(abs(error) <= allowed + abs(by_level) * _ROUNDING * abs(self.level()))

    def share(self, row_times_update: float, row_times_response: float) -> float:
        """Α of the bordered system: how much of the response z is added to the update y0 of the fields.

        Args:
            row_times_update: W · y0 with w the derivative of what enters.
            row_times_response: W · z.
        """
        error, by_level, by_entered = self._error()
        return (error - by_entered * row_times_update) / (by_level + by_entered * row_times_response)

    def solved(self) -> None:
        """Take the current of the solved step into the state."""
        memory, dt = self._memory, float(self._model.dt.value)
        current = self._current(self.entered)
        if not self.holds_voltage:
            current = float(self._model.control(_SET_CURRENT).value)
        memory[_CURRENT], memory[_CHARGE] = current, memory[_BEGIN] + current * dt
        self.influx.value = current / FARADAY

    def commit(self) -> None:
        """Make the charge of the step history."""
        memory = self._memory
        memory[_BEGIN] = memory[_CHARGE]
        memory[_PEAK] = max(memory[_PEAK], memory[_CHARGE])

    def jump(self, charge: float, peak: float) -> None:
        """Take over the charge that passed in cycles that were jumped over, and the growth of its peak, in C/m²."""
        memory = self._memory
        memory[_CHARGE] = memory[_BEGIN] = memory[_CHARGE] + charge
        memory[_PEAK] = max(memory[_PEAK] + max(peak, 0.0), memory[_CHARGE])

    def _count(self) -> float:
        """Lithium in fmol that leaves the electrolyte in the step with the current unknowns."""
        local = float(dfem.assemble_scalar(self._leaving))
        return float(self._model.comm.allreduce(local, op=MPI.SUM))

    def _shift(self, shift: float) -> None:
        self._model.state.unknowns.x.array[self._electrolyte] += shift

    def _leaving_after(self, shift: float) -> float:
        """What leaves the electrolyte if its potential is shifted; the unknowns stay as they are, bit for bit."""
        values = self._model.state.unknowns.x.array
        kept = values[self._electrolyte].copy()
        self._shift(shift)
        leaving = self._count()
        values[self._electrolyte] = kept
        return leaving

    def _told(self) -> float:
        """Lithium in fmol that is to enter in the step."""
        current = 0.0 if self.holds_voltage else float(self._model.control(_SET_CURRENT).value)
        return current * self.area * float(self._model.dt.value) / FARADAY

    def _current(self, entered: float) -> float:
        return entered * FARADAY / (self.area * float(self._model.dt.value))

    def _error(self) -> tuple[float, float, float]:
        """Error of what the terminals are told, and its derivatives with respect to λ and to S.

        In fmol under current control, in pJ/fmol under potential control.
        """
        if not self.holds_voltage:
            return self.entered - self._told(), 0.0, 1.0
        dt, counter = float(self._model.dt.value), self.counter
        current = self._current(self.entered)
        opposite, by_charge = counter.potential(self._passed(float(self._memory[_BEGIN]) + current * dt))
        drop, by_current = counter.overpotential(current, self._model.temperature)
        told = float(self._model.control(_SET_VOLTAGE).value)
        error = self.level() + FARADAY * (
            counter.sign * (told - opposite) + current * self._resistance + drop
        )
        slope = FARADAY * (self._resistance + by_current - counter.sign * by_charge * dt)
        return error, 1.0, slope * FARADAY / (self.area * dt)


def build_terminal(model: ElectrodeModel, loads: Sequence[Load]) -> Terminal | None:
    """The terminal of a model, or None where no load asks for one.

    Raises:
        ParameterError: More than one does.
    """
    found = [load for load in loads if isinstance(load, TerminalCurrent)]
    if len(found) > 1:
        raise ParameterError("loads", [load.boundary for load in found], "at most one TerminalCurrent")
    return Terminal(model, found[0]) if found else None


def _refuse_other_neighbours(model: ElectrodeModel, boundary: str) -> None:
    """Refuse a boundary at which something else than a conductor lies, or nothing.

    Raises:
        ParameterError: It is so; the same on every rank.
    """
    domain = model.domain
    mesh, facets = domain.mesh, domain.boundary_facets(boundary)
    mesh.topology.create_connectivity(domain.dimension - 1, domain.dimension)
    cells = mesh.topology.connectivity(domain.dimension - 1, domain.dimension)
    here = {int(domain.cell_phase[cells.links(facet)[0]]) for facet in facets}
    found = set().union(*model.comm.allgather(here))
    conducting = {number - 1 for number, _ in model.phase_ids(Conductor)}
    if not found or not found <= conducting:
        names = sorted(domain.phases[number] for number in found)
        raise ParameterError(
            "terminal.boundary", boundary, f"a face of solid electrolyte only, not of {names}"
        )
