"""Where Newton's method starts when the current changes: the electrolyte as a whole at the level that passes it.

Behind an exponential law the linearised answer to a new current is far off, and each iteration comes back by one unit
of its exponent. The drop inside the electrolyte and the change of the hosts in a step are small against the
overpotential, so that shifting all of the electrolyte by one number, found here, is a start from which a few iterations
do.
"""

from __future__ import annotations

from collections.abc import Callable

from fem.units import GAS_CONSTANT

# Mismatch, of the larger of both currents, up to which the last step is the better start; how well the shift is solved.
_WORTH_IT, _ENOUGH = 0.1, 1.0e-3
_WIDENINGS, _ITERATIONS = 40, 60


def shift_for(leaving: Callable[[float], float], told: float, temperature: float) -> float:
    """Shift of the electrolyte's potential in pJ/fmol at which it passes what it is told to; zero if it nearly does.

    Args:
        leaving: Lithium in fmol that leaves the electrolyte in the step, for a shift; rises with it.
        told: How much is to leave it.
        temperature: In K; sets the scale of the search.
    """
    now = leaving(0.0)
    error, scale = now - told, max(abs(told), abs(now))
    if abs(error) <= _WORTH_IT * scale:
        return 0.0
    enough = _ENOUGH * scale
    near, at_near = 0.0, error
    width = GAS_CONSTANT * temperature * (-1.0 if error > 0.0 else 1.0)
    for _ in range(_WIDENINGS):
        far, at_far = near + width, leaving(near + width) - told
        if at_far * error <= 0.0:
            break
        near, at_near, width = far, at_far, 2.0 * width
    else:
        return 0.0  # nothing passes more: Newton's method will say so
    last = 0
    for _ in range(_ITERATIONS):
        middle = (near * at_far - far * at_near) / (at_far - at_near)
        value = leaving(middle) - told
        if abs(value) <= enough:
            return middle
        # Illinois: the end that stays counts half.
        if value * at_far > 0.0:
            far, at_far, at_near = middle, value, at_near * (0.5 if last == 1 else 1.0)
            last = 1
        else:
            near, at_near, at_far = middle, value, at_far * (0.5 if last == -1 else 1.0)
            last = -1
    return 0.5 * (near + far)
