"""Effective diffusion coefficient by a simulated galvanostatic intermittent titration (GITT) pulse.

A pulse of constant current of τ seconds, then rest. After Weppner and Huggins (1977, 10.1149/1.2133112), for a pulse
short against L²/D,

    D = (4 / π) (L ΔE_s / (τ dE/d√t))²,

with L the thickness of the electrode (all lithium enters through one face), ΔE_s the change of the resting voltage
from before the pulse to the end of the rest, and dE/d√t the slope during the pulse, fitted over its later part. A
constant ohmic or exchange drop does not enter. Voltages are those at the electrolyte's outer face, -µ/F.

An experiment that takes the radius of a particle, or the thickness measured elsewhere, for L gets another D from the
same curve: D goes by L².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fem.errors import RunStopped
from fem.measurements.current import pass_current, working_potential
from fem.measurements.integrals import shape
from fem.measurements.undisturbed import undisturbed
from fem.model import ElectrodeModel
from fem.side_solver import side_solver
from fem.solver_settings import SolverSettings
from fem.stepping import Stepper, StepSettings

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """How the pulse is made.

    Attributes:
        current: In A/m² of section, positive where it lithiates.
        duration: τ in s.
        rest: In s, after the pulse.
        steps: Time steps of the pulse.
        rest_steps: Time steps of the rest; they grow as the rest goes on.
        fitted: Share of √τ from which the slope is fitted.
    """

    current: float
    duration: float
    rest: float
    steps: int = 24
    rest_steps: int = 16
    fitted: float = 0.4


def measure(
    model: ElectrodeModel,
    pulse: Pulse,
    settings: SolverSettings | None = None,
    pause: Callable[[], None] | None = None,
) -> dict[str, float]:
    """Pulse and rest, in a side calculation that leaves the model as it was; collective.

    The electrode must have rested: ΔE_s takes the voltage before the pulse as one of rest.

    Args:
        model: The coupled model.
        pulse: How.
        settings: Of the solver.
        pause: Called before every time step; may raise :class:`fem.errors.Interrupted`.

    Returns:
        ``effective_diffusivity_um2_s``, the same ``_cm2_s``; ``steady_change_V``, ``slope_V_per_root_s``;
        ``pulse_over_diffusion_time``: τ D / L², which must be small for the formula to hold; ``drift_V``: how much
        the voltage still changed in the last tenth of the rest; ``thickness_um``.

    Raises:
        RunStopped: A step of the pulse has no solution.
    """
    thickness = shape(model).thickness
    with undisturbed(model):
        pass_current(model, 0.0)
        begin = working_potential(model)
        pass_current(model, pulse.current)
        # Even steps in √t: the early part, which the first large steps of an even division would spoil, is resolved.
        times = pulse.duration * (np.arange(1, pulse.steps + 1) / pulse.steps) ** 2
        curve = _follow(model, times, settings, pause)
        pass_current(model, 0.0)
        rest = pulse.rest * (np.arange(1, pulse.rest_steps + 1) / pulse.rest_steps) ** 2
        relaxed = _follow(model, rest, settings, pause)
    roots = np.sqrt(times)
    late = roots >= pulse.fitted * roots[-1]
    slope = float(np.polyfit(roots[late], curve[late], 1)[0])
    steady = float(relaxed[-1] - begin)
    diffusivity = 4.0 / np.pi * (thickness * steady / (pulse.duration * slope)) ** 2
    before = float(np.interp(0.9 * pulse.rest, rest, relaxed))
    return {
        "effective_diffusivity_um2_s": diffusivity,
        "effective_diffusivity_cm2_s": diffusivity * 1.0e-8,
        "steady_change_V": steady,
        "slope_V_per_root_s": slope,
        "pulse_over_diffusion_time": pulse.duration * diffusivity / thickness**2,
        "drift_V": float(relaxed[-1]) - before,
        "thickness_um": thickness,
    }


def _follow(
    model: ElectrodeModel, times: Array, settings: SolverSettings | None, pause: Callable[[], None] | None
) -> Array:
    """Voltage at given times from now, in s; collective."""
    began = model.state.time
    first, found = float(times[0]), []
    limits = StepSettings(first=first, smallest=1e-5 * first, growth=3.0, largest=np.inf)
    with side_solver(model, settings or SolverSettings()) as solver:
        stepper = Stepper(model, solver, limits)
        for time in times:
            while (left := began + float(time) - model.state.time) > 1e-9 * float(time):
                if pause is not None:
                    pause()
                stepper.advance(left)
            found.append(working_potential(model))
    if not np.all(np.isfinite(found)):
        raise RunStopped("the voltage during the pulse is not finite")
    return np.array(found)
