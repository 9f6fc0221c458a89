"""Debonding under numerical inertia does not depend on the step: two elastic blocks are pulled apart through a Stepper.

The interface softens along a straight line, so that the opening at a given displacement has a closed form: with the
slope s = σ/(δf - δ0) of softening and the stiffness k of what pulls, δ = (k w - s δf) / (k - s).
"""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.energy import InterfaceEnergy
from fem.solver import NewtonSolver
from fem.stepping import Stepper, StepSettings
from tests.separation import NORMAL, SETTINGS, WIDTH, Puller, pair
from tests.small import law

STRENGTH, ENERGY, STIFFNESS = 20.0, 0.31, 2.0e5
ONSET, FINAL = STRENGTH / STIFFNESS, 2.0 * ENERGY / STRENGTH
SLOPE = STRENGTH / (FINAL - ONSET)
INTERFACE = law(STRENGTH, ENERGY, stiffness=STIFFNESS, contact_stiffness=STIFFNESS, relaxation_time=0.0)
#: Twice as stiff as the interface softens: with no inertia each step has one solution as well.
YOUNG = 2.0 * 2.0 * SLOPE


def opened(steps: int, holding: float, relaxation: float = 0.0) -> tuple[float, float]:
    """Opening (µm) where half of the energy is due, in so many steps, and the one by the closed form."""
    model = pair(MPI.COMM_SELF, INTERFACE, youngs_modulus=YOUNG, relaxation_ratio=relaxation)
    puller = Puller(model)
    pull = 0.1 * ONSET
    # What pulls: both blocks and the intact interface in series, without what the interface gives.
    stiffness = 1.0 / (pull / puller.to(pull)[0] - 1.0 / STIFFNESS)
    puller.reset()
    aim = 0.5 * FINAL
    way = aim + SLOPE * (FINAL - aim) / stiffness
    rest = StepSettings(
        first=1.0, largest=1.0, growth=1.0, resting_stabilisation=0.0, holding_stabilisation=holding
    )
    stepper = Stepper(model, NewtonSolver(model, SETTINGS), rest)
    for step in range(1, steps + 1):
        for control, value in zip(("across", "up"), way * step / steps * NORMAL, strict=True):
            model.control(control).value = value
        stepper.advance(1.0)
    model.prepare_step(1.0)
    fracture = InterfaceEnergy(model).sums()["fracture_dissipation"] / WIDTH
    # The energy spent grows in proportion to the largest opening.
    return ONSET + fracture / (0.5 * STRENGTH * FINAL) * (FINAL - ONSET), aim


def test_the_opening_is_that_of_the_closed_form_and_converges() -> None:
    errors = []
    for steps in (5, 10, 20, 40):
        opening, aim = opened(steps, 2000.0)
        errors.append(abs(opening / aim - 1.0))
    assert errors[1] < 0.03 and errors[2] < 0.004
    assert np.log2(errors[0] / errors[2]) / 2.0 > 1.5


@pytest.mark.parametrize(("holding", "error"), [(0.0, 3e-3), (200.0, 3e-3), (20000.0, 0.06)])
def test_it_hardly_depends_on_the_inertia(holding: float, error: float) -> None:
    opening, aim = opened(40, holding)
    assert opening == pytest.approx(aim, rel=error)


def test_damage_that_lags_two_steps_behind_is_far_off() -> None:
    """What inertia has taken the place of: at 40 steps it is as wrong as inertia is at five."""
    lagging, aim = opened(40, 0.0, relaxation=2.0)
    inert, _ = opened(40, 2000.0)
    assert abs(lagging / aim - 1.0) > 5.0 * abs(inert / aim - 1.0)
