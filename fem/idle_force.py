"""What a section carries by numbers alone: stiffness left to broken bonds, ties of fillings, numerical inertia.

A body that has come apart is held by these still, with some tenths of a kPa at an opening of a tenth of a micrometre.
What the grip of an adhesion test feels beyond them are bonds and contacts.
"""

from __future__ import annotations

import numpy as np
import ufl
from mpi4py import MPI

from fem import balances, kinematics
from fem.interfaces import cohesive, contact
from fem.model import ElectrodeModel
from fem.section import Section


class IdleForce:
    """Measures that force at the end of the step that has just converged, before ``model.commit()``.

    Args:
        model: The coupled model.
        section: The section.
    """

    def __init__(self, model: ElectrodeModel, section: Section):
        self._model, cells = model, model.interfaces.quadruples[:, [0, 2]]
        below = section.below[model.domain.cell_grain[cells]]
        # The '-' side of an interface pulls at its '+' side: up where that is the lower one.
        self._upwards = below[:, 0].astype(float) - below[:, 1].astype(float)
        solid = np.array([material.solid for material in model.materials], dtype=bool)
        loose = ~solid[model.domain.cell_phase[cells]].all(axis=1)
        space, parameters = model.facet_constants, model.cohesive
        tied = space.value(space.constant("tied_filling", loose.astype(float)))
        opening = balances.interface_opening(model.fields.displacement)
        stretch = model.stretch(model.fields.displacement)
        normal = kinematics.rotated_normal(model.fields.displacement, model.normal)
        ties = cohesive.traction(stretch, normal, model.history_value, parameters)
        pressed = contact.contact_traction(opening, normal, parameters.contact)
        broken = cohesive.residual_traction(stretch, normal, parameters)
        expected = balances.interface_opening(balances.split(model.state.expected).displacement)
        inertia = space.value(model.state.stabilisation) * (opening - expected)
        upwards = ufl.as_vector([0.0] * (model.domain.dimension - 1) + [1.0])
        self._forms = (
            space.projection(ufl.dot(tied * ties + (1.0 - tied) * broken + inertia, upwards)),
            space.projection(ufl.dot(tied * pressed, upwards), model.contact_dS),
        )

    def measure(self) -> float:
        """Force with which all that holds the upper body down, in N/m (MPa·µm² in 3D); collective."""
        model = self._model
        here = sum(float(self._upwards @ model.facet_constants.integrals(form)) for form in self._forms)
        return float(model.comm.allreduce(here, op=MPI.SUM))
