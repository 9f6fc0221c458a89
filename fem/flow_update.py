"""Flow of a step at the quadrature points: solved anew for every iterate, made history when the step is accepted."""

from __future__ import annotations

from mpi4py import MPI

from fem import compat, kinematics
from fem.domain import Domain
from fem.errors import StepFailed
from fem.forms import FlowExpressions
from fem.materials.flow import FlowTable, hardened_drag, solve_increment
from fem.state import NO_FLOW_MODULUS, State


class FlowUpdate:
    """Solves and accepts the flow increment of a model in which something flows.

    Args:
        domain: The mesh.
        state: Its fields are read and written.
        table: Flow parameters at the quadrature points.
        expressions: Trial stress and updated Cp⁻¹.

    Attributes:
        table: Another one holds from the next step on.
    """

    def __init__(self, domain: Domain, state: State, table: FlowTable, expressions: FlowExpressions):
        self._comm, self._size = domain.mesh.comm, kinematics.symmetric_size(domain.dimension)
        self._state, self._expressions = state, expressions
        self.table = table
        state.drag.x.array[:] = table.initial_drag

    def solve(self, dt: float) -> bool:
        """Solve the increment for the current unknowns; False where it failed on any rank."""
        state = self._state
        compat.interpolate_expression(state.trial, self._expressions.trial)
        trial = state.trial.x.array.reshape(-1, 2)
        failed = False
        try:
            increment, modulus = solve_increment(
                self.table,
                trial[:, 0],
                trial[:, 1],
                state.accumulated.x.array,
                state.drag.x.array,
                dt,
            )
            state.increment.x.array[:] = increment
            state.flow_modulus.x.array[:] = modulus
        except StepFailed:
            failed = True
        return not self._comm.allreduce(failed, op=MPI.LOR)

    def commit(self, dt: float) -> None:
        """Make the increment history: Cp⁻¹, accumulated strain and resistance at the end of the step."""
        state = self._state
        compat.interpolate_expression(state.next_plastic_inverse, self._expressions.plastic)
        flowed = state.increment.x.array > 0.0
        plastic = state.plastic_inverse.x.array.reshape(-1, self._size)
        plastic[flowed] = state.next_plastic_inverse.x.array.reshape(-1, self._size)[flowed]
        state.accumulated.x.array[:] += state.increment.x.array
        state.drag.x.array[:] = hardened_drag(self.table, state.drag.x.array, state.increment.x.array, dt)
        state.increment.x.array[:] = 0.0
        state.flow_modulus.x.array[:] = NO_FLOW_MODULUS
