"""Energy of contact found by search: what is put in is stored, or rubbed away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mpi4py import MPI

from fem.model import ElectrodeModel
from fem.observables import Observer, Row
from fem.solver import NewtonSolver
from tests.observed import observed_step
from tests.readings import reaction
from tests.verification.test_surface_contact import (
    FRICTION,
    MODULUS,
    POISSON,
    SETTINGS,
    slider,
    two_bodies,
)


def history(
    model: ElectrodeModel, course: list[dict[str, float]], note: Callable[[int], None] | None = None
) -> list[Row]:
    """Rows of the start and of steps of 1 s, with the controls of each; ``note`` is called after every step."""
    solver, observer = NewtonSolver(model, SETTINGS), Observer(model)
    rows = [observer.start()]
    for step, controls in enumerate(course, start=1):
        for name, value in controls.items():
            model.control(name).value = value
        rows.append(observed_step(model, solver, observer, 1.0))
        if note is not None:
            note(step)
    return rows


@pytest.mark.parallel
def test_a_contact_stores_what_the_solids_do_not(comm: MPI.Intracomm) -> None:
    """Two flat blocks on a soft contact: 4 µm wide, a fifth of the way goes into it, and all of it comes back."""
    even, stiffness = np.linspace(0.0, 4.0, 9), 1.0e4
    model = two_bodies(comm, (even, even), (even, even), 1e9, 0.0, stiffness=stiffness)
    presses = (0.0, 0.005, 0.01, 0.02, 0.01)
    rows = history(model, [{"press": -press} for press in presses])
    confined = MODULUS * (1.0 - POISSON) / ((1.0 + POISSON) * (1.0 - 2.0 * POISSON))
    for press, row in zip(presses, rows[1:], strict=True):
        pressure = press / (8.0 / confined + 1.0 / stiffness)
        work = row["external_work_pJ_um"]
        assert work == pytest.approx(0.5 * 4.0 * pressure * press, rel=5e-3)
        assert row["stored_energy_pJ_um"] == pytest.approx(work, rel=5e-4)
        assert row["friction_dissipation_pJ_um"] == 0.0
    assert rows[-1]["penetration_max_um"] == pytest.approx(
        0.01 / (8.0 * stiffness / confined + 1.0), rel=5e-3
    )


@pytest.mark.parametrize("contact_stiffness", [1e6, 1e4])
def test_friction_takes_what_pulling_puts_in(contact_stiffness: float) -> None:
    """Before, while and after the facets hand over; in a soft contact a fifth of what is stored is stored in it."""
    model = slider(MPI.COMM_SELF, contact_stiffness=contact_stiffness)
    pulls = 0.025 * np.arange(1, 15)
    pressed = np.empty(len(pulls) + 2)

    def note(step: int) -> None:
        pressed[step] = -reaction(model, "top", 0, 1)

    rows = history(model, [{"press": -0.01}, *({"pull": pull} for pull in pulls)], note)[3:]
    searched = np.array([row["searched_contact_fraction"] for row in rows])
    assert searched[0] == 0.0 and np.all(searched[-8:] == 1.0)
    work, rubbed, stored = (
        np.diff([row[f"{name}_pJ_um"] for row in rows])
        for name in ("external_work", "friction_dissipation", "stored_energy")
    )
    np.testing.assert_allclose(rubbed + stored, work, atol=0.025 * work[0])
    assert np.sum(rubbed + stored) == pytest.approx(np.sum(work), rel=5e-3)
    # The pressure goes over with the contact, and with it the friction: that of the force at the end of the last step.
    np.testing.assert_allclose(rubbed, FRICTION * pressed[3:-1] * 0.025, rtol=0.03)
    assert np.sum(rubbed) > 10.0 * rows[0]["stored_energy_pJ_um"]
