"""What bonds and contacts do within a step besides what shows at its ends: work that the steps do not resolve.

In equilibrium at both ends, all forces that act on the nodes balance there, and so does their work over the step by the
trapezoidal rule. What a bond or a contact really takes up is another thing where it lets go, closes or opens within
the step: its force then is not in proportion to the way. It is followed here along the straight way between the two
ends, by its own law and with the damage that grows on that way,

    unresolved = trapezoidal work - ∫ force · d(way),

in all bonds and contacts. Where a bond snaps or a contact is found anew this is energy that inertia or viscosity would
have taken; where a contact merely closes or opens it is an error of the rule, of either sign. Both come from the
forces alone, neither from an energy nor from the balance, and both fall with the step.

The force on two points that press against each other and have slid apart would do work when the contact turns, but for
a couple that the law leaves out: ``contact_turning`` is the energy that contacts get for nothing by that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import balances, compat, kinematics
from fem.facet_geometry import Array
from fem.interfaces import cohesive, contact
from fem.interfaces.history import History
from fem.model import ElectrodeModel

# The way is cut into so many parts at first, and twice as many until that changes the integrals by no more than this
# share of what all bonds and contacts do on the way, each taken positive.
_FIRST, _LAST, _TOLERANCE = 4, 128, 5.0e-4
# Part of the way over which the turning of a normal is measured.
_NEAR = 1.0e-3
# Opening in µm by which damage lags behind, if it does. And what keeps a division by a growth of zero finite.
_LAG, _NO_GROWTH = 1.0e-9, 1.0e-15


class UnresolvedWork:
    """Follows bonds and contacts of a model, with at least one interface in the whole mesh, on the way of a step.

    Args:
        model: The coupled model.
    """

    names = ("bond_excess", "contact_path", "contact_turning")

    def __init__(self, model: ElectrodeModel):
        mesh = model.domain.mesh
        self._comm, self._place = model.comm, dfem.Constant(mesh, 0.0)
        before, after = model.previous_fields.displacement, model.fields.displacement

        def on_the_way(place: Any) -> Any:
            return before + place * (after - before)

        def normal(place: Any) -> Any:
            return kinematics.rotated_normal(on_the_way(place), model.normal)

        here, direction, moved = on_the_way(self._place), normal(self._place), after - before
        opening, way = balances.interface_opening(here), balances.interface_opening(moved)
        history = _grown(model, self._place, here, direction)
        law = model.cohesive.contact
        pull = ufl.dot(cohesive.traction(model.stretch(here), direction, history, model.cohesive), way)
        push = ufl.dot(contact.contact_traction(opening, direction, law), way)
        turning = (normal(self._place + _NEAR) - normal(self._place - _NEAR)) / (2.0 * _NEAR)
        turned = -contact.contact_pressure(opening, direction, law) * ufl.dot(opening, turning)
        space = dfem.functionspace(mesh, ("DG", 0, (len(self.names) + 1,)))
        tests = ufl.TestFunction(space)
        form = ufl.dot(ufl.as_vector([pull, 0.0, 0.0, abs(pull)]), tests("+")) * model.dS
        form += ufl.dot(ufl.as_vector([0.0, push, turned, abs(push)]), tests("+")) * model.contact_dS
        if model.side_contact is not None:
            form += model.side_contact.work(here, tests[1] * moved)
        self._form = dfem.form(form, jit_options=compat.jit_options())

    def sums(self) -> dict[str, float]:
        """This rank's figures of the step that has just converged, in pJ (per µm of depth in 2D); collective.

        Returns:
            ``bond_excess``: trapezoidal work of the bonds less that on the way; ``contact_path``: work that contacts
            of paired facets and with sides take up on the way; ``contact_turning``.
        """
        powers = [self._powers(place) for place in _places(_FIRST)]
        straight, found, parts = 0.5 * (powers[0] + powers[-1]), _integral(powers), _FIRST
        while parts < _LAST:
            parts *= 2
            between = [self._powers(place) for place in _places(parts)[1::2]]
            powers = [powers[0], *(p for pair in zip(between, powers[1:], strict=True) for p in pair)]
            coarse, found = found, _integral(powers)
            values = np.concatenate([found - coarse, found])
            self._comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
            change, size = values[: len(self.names)], values[-1]
            if np.max(np.abs(change)) <= _TOLERANCE * size:
                break
        return dict(zip(self.names, (float(straight[0] - found[0]), *map(float, found[1:-1])), strict=True))

    def _powers(self, place: float) -> Array:
        """Work for a way as long as the step's at a place on it: of bonds and contacts, turning, and all positive."""
        self._place.value = place
        values: Array = dfem.assemble_vector(self._form).array.reshape(-1, len(self.names) + 1)
        return values.sum(axis=0)


def _places(parts: int) -> Array:
    """Ends of parts of the way, shorter at its beginning: a bond that snaps reaches its strength early on."""
    return np.square(np.linspace(0.0, 1.0, parts + 1), dtype=np.float64)


def _integral(powers: list[Array]) -> Array:
    values, lengths = np.array(powers), np.diff(_places(len(powers) - 1))
    return np.asarray(0.5 * lengths @ (values[1:] + values[:-1]), dtype=np.float64)


def _grown(model: ElectrodeModel, place: Any, here: Any, direction: Any) -> History:
    """History on the way: it grows from where the opening exceeds it, and to what it is at the end of the step."""
    parameters, history = model.cohesive, model.history_value
    ends = [
        (model.stretch(fields.displacement), kinematics.rotated_normal(fields.displacement, model.normal))
        for fields in (model.previous_fields, model.fields)
    ]
    grown = cohesive.grown_history(*ends[1], history, parameters, model.dt)

    def between(size: Any, before: Any, after: Any) -> Any:
        first, last = (size(opening, normal) for opening, normal in ends)
        reached = (size(model.stretch(here), direction) - before) / ufl.max_value(last - before, _NO_GROWTH)
        # Where damage lags behind the opening from the beginning it grows all the way.
        lags = ufl.gt(first, before + _LAG)
        part = ufl.conditional(lags, place, ufl.min_value(ufl.max_value(reached, 0.0), 1.0))
        return before + part * (after - before)

    def driving(opening: Any, normal: Any) -> Any:
        return cohesive.driving_opening(opening, normal, parameters)

    found = replace(grown, opening=between(driving, history.opening, grown.opening))
    if history.slip is None:
        return found
    return replace(found, slip=between(cohesive.slip_size, history.slip, grown.slip))
