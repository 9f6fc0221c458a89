"""Bonds that form under contact pressure: the bonded share of an interface, which strength and toughness go by.

Real contact area after Bowden and Tabor (1939, 10.1098/rspa.1939.0005) is p / H of the apparent one, H the hardness of
the softer side; where asperities that already touch take their part of each further increment, dA = (1 - A) dp / H and

    A(p) = 1 - exp(-p / H).

Held under the contact pressure p the bonded share b that still holds grows towards it, and never falls by itself,

    db/dt = ⟨A(p) - b⟩ / τ(T),        τ = τ_ref exp(Q/R (1/T - 1/T_ref)).

Stiffness, strength and fracture energy are b times those of the law: the law is that of a bond over the whole area.
Two fields keep it. q is the share that was ever bonded, κ the largest opening, so that b = q (1 - d(κ)) with d the
share of the fracture energy that is spent (fem/interfaces/debonding.py). Growth first takes back d, then adds to q.

New bonds form free of stress where the two sides are now. What a bond is stretched by is therefore the opening less a
rest slip s = F̄ R, which moves with the material (R lies in the undeformed facet, F̄ is the mean deformation of both
sides); growth shifts s so that the traction stays as it is, and the elastic energy that the bond loses counts as
dissipated. What surfaces gain by bonding, at most Gc, is not in the energy balance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import ufl
from dolfinx import fem as dfem

from fem import balances, kinematics
from fem.interfaces import contact
from fem.interfaces.bonding_options import BONDING_OPTIONS, grows
from fem.interfaces.opening import split_opening
from fem.materials.base import REFERENCE_TEMPERATURE
from fem.units import GAS_CONSTANT

if TYPE_CHECKING:
    from fem.interfaces.law import InterfaceLaw
    from fem.model import ElectrodeModel

BOND, REST = "bond", "rest_slip"
# Stiffness in MPa/µm that stands for none.
_NONE = 1.0e-30


def memory(laws: Sequence[InterfaceLaw], dimension: int) -> tuple[str, ...]:
    """Names of the fields that keep bonds; none where no bond grows."""
    return (BOND, *(f"{REST}_{axis}" for axis in "xyz"[:dimension])) if any(map(grows, laws)) else ()


class Bonds:
    """Bonded share and rest slip of a model whose bonds grow, and how they grow.

    Args:
        model: The coupled model, with its state, laws and fields.

    Attributes:
        share: UFL value of q on a facet.
        rest: UFL vector R in µm on a facet.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, space = model, model.facet_history
        self._fields = model.state.bonding
        starts = [law.number("initial_bond") if grows(law) else 1.0 for law in model.laws]
        space.set_values(self._fields[BOND], np.array(starts)[model.interfaces.kind])
        self.share = space.value(self._fields[BOND])
        names = memory(model.laws, model.domain.dimension)[1:]
        self.rest = ufl.as_vector([space.value(self._fields[name]) for name in names])
        self._rest_names = names
        self._forms: dict[str, dfem.Form] | None = None

    def opening(self, displacement: Any) -> Any:
        """What bonds are stretched by: the opening less the rest slip, in µm."""
        return balances.interface_opening(displacement) - _mean_deformation(displacement) * self.rest

    def commit(self) -> None:
        """Let bonds grow by the step that has been accepted, after all else that interfaces remember."""
        if self._forms is None:
            self._forms = self._growth()
        space = self._model.facet_history
        targets = {
            "opening": self._model.state.largest_opening,
            "dissipated": self._model.state.memory["dissipated"],
            **self._fields,
        }
        scratch = {name: space.function(name) for name in targets}
        # Each depends on the others as they are: all are evaluated before any is set.
        for name, form in self._forms.items():
            space.update(scratch[name], form)
        for name, target in targets.items():
            target.x.array[:] = scratch[name].x.array

    def _growth(self) -> dict[str, dfem.Form]:
        model, parameters, history = self._model, self._model.cohesive, self._model.history_value
        field = {
            name: self._per_kind(name) for name in ("bonding_hardness", "bonding_time", "bonding_energy")
        }
        displacement = model.fields.displacement
        opening = self.opening(displacement)
        normal = kinematics.rotated_normal(displacement, model.normal)
        pressure = ufl.max_value(contact.contact_pressure(opening, normal, parameters.contact), 0.0)
        temperature = model.control("temperature")
        slowness = ufl.exp(
            field["bonding_energy"] / GAS_CONSTANT * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE)
        )
        law, kappa, share = parameters.bilinear, history.opening, self.share
        width = law.final - law.onset
        spent = ufl.min_value(ufl.max_value((kappa - law.onset) / width, 0.0), 1.0)
        held = share * (1.0 - spent)
        target = 1.0 - ufl.exp(-pressure / field["bonding_hardness"])
        grown = bonded(held, target, model.dt / (field["bonding_time"] * slowness))
        new_share = ufl.max_value(share, grown)
        new_kappa = ufl.min_value(kappa, law.onset + (1.0 - grown / new_share) * width)
        # K is that of the whole area: `parameters.stiffness` already has the share as a factor.
        before = (1.0 - law.damage(kappa)) * share
        after = (1.0 - law.damage(new_kappa)) * new_share
        growing = ufl.gt(grown, held)
        kept = ufl.conditional(growing, ufl.min_value(before / ufl.max_value(after, _NONE), 1.0), 1.0)
        _, stretch = split_opening(opening, normal)
        shift = (1.0 - kept) * (ufl.inv(_mean_deformation(displacement)) * stretch)
        stiffness = (1.0 - law.damage(kappa)) * parameters.stiffness * parameters.shear_ratio**2
        lost = 0.5 * (1.0 - kept) * stiffness * ufl.dot(stretch, stretch)
        values = {
            "opening": ufl.conditional(growing, new_kappa, kappa),
            "dissipated": history.dissipated + lost,
            BOND: new_share,
            **{name: self.rest[axis] + shift[axis] for axis, name in enumerate(self._rest_names)},
        }
        return {name: model.facet_history.projection(value) for name, value in values.items()}

    def _per_kind(self, name: str) -> Any:
        model = self._model
        numbers = [law.number(name) if grows(law) else BONDING_OPTIONS[name].value for law in model.laws]
        # Infinite hardness cannot be tabulated (a projection multiplies it by zero somewhere).
        finite = np.minimum(np.array(numbers), 1.0e30)[model.interfaces.kind]
        return model.facet_constants.value(model.facet_constants.constant(name, finite))


def bonded(held: Any, target: Any, time: Any) -> Any:
    """Bonded share that holds after a time, in units of τ, under a constant pressure."""
    return held + (1.0 - ufl.exp(-time)) * ufl.max_value(target - held, 0.0)


def _mean_deformation(displacement: Any) -> Any:
    gradient = ufl.avg(ufl.grad(displacement))
    return ufl.Identity(gradient.ufl_shape[0]) + gradient
