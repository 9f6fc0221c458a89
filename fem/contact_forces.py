"""Nodal forces of contact and of its friction, remembered from the end of one step for the work over the next.

Between two steps the law of contact changes: facets hand over to contact by search, which looks for partners anew, and
friction goes by other pressures. What was in equilibrium at the end of a step are the forces by the law of that step,
so that these are what the trapezoidal rule needs at its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import ufl
from dolfinx import fem as dfem

from fem import balances, compat, kinematics
from fem.external_work import Forces
from fem.facet_geometry import Array
from fem.interfaces import contact
from fem.model import ElectrodeModel

CONTACT, FRICTION = "contact_force", "friction_force"


class ContactForces:
    """Measures the nodal forces of contact, paired and found by search, and their work over a step.

    Args:
        model: The coupled model.
    """

    def __init__(self, model: ElectrodeModel):
        self._model, self._forms = model, {CONTACT: None, FRICTION: None} | _forms(model)

    def forces(self) -> Forces:
        """Forces on the dofs in MPa·µm (per µm of depth in 2D), arrays like the unknowns'; collective."""
        model, owned = self._model, self._model.state.dofs.owned
        found: Forces = {}
        for name, form in self._forms.items():
            field = dfem.Function(model.state.space)
            if form is not None:
                compat.assemble_vector(field, form)
            if model.surface_contact is not None:
                searched = np.zeros(owned)
                model.surface_contact.add_forces(searched, rubbing=False)
                if name == FRICTION:
                    pressing, searched = searched, np.zeros(owned)
                    model.surface_contact.add_forces(searched)
                    searched -= pressing
                field.x.array[:owned] += searched
                field.x.scatter_forward()
            found[name] = field.x.array
        return found

    def memory(self, forces: Mapping[str, Array]) -> dict[str, Array]:
        """Those of some forces that are measured here: arrays like the unknowns', which any partition can take."""
        return {name: forces[name] for name in self._forms}

    def work(self, start: Forces, end: Forces, change: Array) -> dict[str, float]:
        """This rank's work by the trapezoidal rule in pJ (per µm of depth in 2D) while the unknowns change.

        Returns:
            ``contact_work`` and ``friction_work``: what contact takes up, and what friction does.
        """
        owned = self._model.state.dofs.owned
        return {
            name.replace("force", "work"): float(0.5 * (start[name] + end[name])[:owned] @ change[:owned])
            for name in self._forms
        }


def _forms(model: ElectrodeModel) -> dict[str, dfem.Form | None]:
    if not model.interfaces.kinds:
        return {}
    fields, test = model.fields, balances.split(ufl.TestFunction(model.state.space))
    opening, virtual = (balances.interface_opening(field.displacement) for field in (fields, test))
    normal = kinematics.rotated_normal(fields.displacement, model.normal)
    push = contact.contact_traction(opening, normal, model.cohesive.contact)
    pressing = ufl.inner(push, virtual) * model.contact_dS
    if model.side_contact is not None:
        pressing += model.side_contact.work(fields.displacement, test.displacement)
    if model.friction is None:
        return {CONTACT: compat.compile_form(pressing)}
    slip = opening - balances.interface_opening(model.previous_fields.displacement)
    pressure = model.facet_history.value(model.state.contact_pressure)
    drag = contact.friction_traction(slip, normal, pressure, model.friction, model.dt)
    return {
        CONTACT: compat.compile_form(pressing),
        FRICTION: compat.compile_form(ufl.inner(drag, virtual) * model.dS),
    }
