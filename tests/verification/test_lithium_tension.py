"""Known answer 9 through the model: a cube of lithium pulled at a constant true strain rate, Anand's form, 298 K."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mpi4py import MPI

from fem.loads import Support
from fem.materials.base import AnandFlow
from fem.materials.library import LITHIUM
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import reaction
from tests.small import Array, box, faces, mesh_of, model_on, p

RATE, STRAINS = 3.0e-4, np.array([0.005, 0.02, 0.1, 0.2, 0.5])
LISTED = np.array([0.5393, 0.5536, 0.6150, 0.6682, 0.7561])
SETTINGS = SolverSettings(
    force_tolerance=1e-9, displacement_tolerance=1e-8, first_update=1.0, largest_update=1.0
)


def cube() -> ElectrodeModel:
    """Bulk lithium (no size effect) that takes part in no balance, free to contract sideways."""
    flow = LITHIUM.flow
    assert isinstance(flow, AnandFlow)
    bulk = replace(LITHIUM, flow=replace(flow, size_factor=p(1.0)), lithium=None)
    held = [Support("bottom", 2), Support("left", 0), Support("front", 1), Support("top", 2, "way")]
    model = model_on(mesh_of(MPI.COMM_WORLD, *box(1, 1.0)), faces(1.0), [bulk], held)
    model.set_temperature(298.0)
    return model


def pulled(divisions: int) -> Array:
    """True stress in MPa at the listed strains, each interval divided into equal steps of true strain."""
    model = cube()
    solver = NewtonSolver(model, SETTINGS)
    found, strain = [], 0.0
    for aim in STRAINS:
        for step in np.linspace(strain, aim, divisions + 1)[1:]:
            model.control("way").value = np.expm1(step)
            model.prepare_step((step - strain) / RATE)
            outcome = solver.solve()
            assert outcome.converged, outcome
            force = reaction(model, "top", 0, 2)
            model.commit()
            strain = float(step)
        # What little elastic change of volume there is (1e-5) is left out of the area.
        found.append(force * np.exp(aim))
    return np.array(found)


def test_lithium_in_tension_through_the_model() -> None:
    runs = [pulled(count) for count in (6, 12)]
    np.testing.assert_allclose(2.0 * runs[1] - runs[0], LISTED, rtol=1.5e-3)
    np.testing.assert_allclose(runs[1], LISTED, rtol=2e-2)
