"""How a step begins: what pressure, temperature, current and voltage are led to, and how long it takes at most."""

from __future__ import annotations

from collections.abc import Callable

from fem.model import ElectrodeModel
from run.process.controls import Controls
from run.process.ends import ForTime
from run.process.landing import time_reason
from run.process.lines import CURRENT, PRESSURE, TEMPERATURE, VOLTAGE
from run.process.steps import Heat, Hold, Measure, Pass, Press, Rest, Single, lithiates
from run.quantities import Current

#: Current goes over to its new value in this time in s, or in this share of the step where that is shorter.
RAMP, RAMP_SHARE = 10.0, 0.01
#: A held voltage is led to its value by at most so many V/s.
FASTEST_VOLTAGE = 1.0e-2
#: A ramp of pressure or temperature takes so many time steps at least, and begins with this share of it.
RAMP_STEPS, FIRST_SHARE = 8, 0.02
#: Longest duration of a current in times of what the capacity takes at that current, and of a hold in s.
LONGEST_CURRENT, LONGEST_HOLD = 3.0, 48.0 * 3600.0

Density = Callable[[Current], float]


def enter(
    step: Single, model: ElectrodeModel, controls: Controls, density: Density, full_cell: bool, first: float
) -> float:
    """Lead the controls to where a step wants them.

    Args:
        step: That begins now.
        model: The coupled model.
        controls: Its controls.
        density: Gives a current as A/m².
        full_cell: Whether the electrode is the negative one of a full cell.
        first: First time step in s of other steps.

    Returns:
        The first time step of this one in s.
    """
    temperature = getattr(step, "temperature", None)
    if temperature is not None:
        controls.lead(TEMPERATURE, temperature, 0.0)
    if isinstance(step, Pass):
        sign = 1.0 if lithiates(step.verb, full_cell) else -1.0
        times = [end.seconds for end in step.ends if isinstance(end, ForTime)]
        ramp = min([RAMP, *(RAMP_SHARE * seconds for seconds in times)])
        _lead_current(model, controls, sign * density(step.current), ramp)
    elif isinstance(step, Hold):
        jump = abs(controls.value(VOLTAGE) - step.voltage)
        controls.lead(VOLTAGE, step.voltage, max(RAMP, jump / FASTEST_VOLTAGE))
    elif isinstance(step, Press | Rest | Heat):
        _lead_current(model, controls, 0.0, 0.0)
    if isinstance(step, Press):
        controls.lead(PRESSURE, step.target, step.duration)
        first = min(first, FIRST_SHARE * step.duration)
    elif isinstance(step, Heat):
        controls.lead(TEMPERATURE, step.target, step.duration)
        if step.duration == 0.0:
            model.set_temperature(step.target)
    return first


def _lead_current(model: ElectrodeModel, controls: Controls, density: float, ramp: float) -> None:
    """Lead the current to a density in A/m² in so many s, from zero where it flows the other way now.

    A dry electrode has none.
    """
    if model.terminal is None:
        return
    present = model.terminal.current
    begin = present if present * density > 0.0 else 0.0
    controls.lead(CURRENT, density, 0.0 if present == density else ramp, begin)


def nominal_time(step: Single, capacity: float, density: Density) -> float:
    """How long a step takes if nothing cuts it short, in s.

    Args:
        step: The step.
        capacity: Of the hosts in C/m².
        density: Gives a current as A/m².
    """
    if isinstance(step, Press | Rest | Heat):
        return step.duration
    if isinstance(step, Measure):
        return 0.0
    times = [end.seconds for end in step.ends if isinstance(end, ForTime)]
    if isinstance(step, Hold):
        return min([LONGEST_HOLD, *times])
    return min([capacity / density(step.current), *times])


def times(step: Single, nominal: float) -> list[tuple[float, str]]:
    """Times in s after which a step ends, each with what is said then; the last resort is its longest duration.

    The time of a hold counts from where its voltage is reached.
    """
    if isinstance(step, Measure):
        return [(0.0, "measured")]
    if isinstance(step, Press | Rest | Heat):
        return [
            (step.duration, time_reason(ForTime(step.duration)) if step.duration > 0.0 else "done at once")
        ]
    given = [(end.seconds, time_reason(end)) for end in step.ends if isinstance(end, ForTime)]
    if given:
        return given
    longest = nominal * LONGEST_CURRENT if isinstance(step, Pass) else LONGEST_HOLD
    return [(longest, f"the longest duration of such a step, {longest / 3600.0:.4g} h, has passed")]


def largest_time_step(step: Single) -> float:
    """Largest time step in s that a step allows of its own."""
    if isinstance(step, Press | Heat) and step.duration > 0.0:
        return step.duration / RAMP_STEPS
    return float("inf")
