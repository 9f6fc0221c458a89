"""Random numbers that scatter around a mean without going astray."""

from __future__ import annotations

import numpy as np

from .arrays import Floats


def normal_deviates(random: np.random.Generator, mean: float, spread: float, count: int) -> Floats:
    """Normal deviates cut off at two standard deviations (the excess is redrawn uniformly), shape (count,)."""
    deviate = random.standard_normal(count)
    outside = np.abs(deviate) > 2.0
    deviate[outside] = random.uniform(-2.0, 2.0, int(outside.sum()))
    return mean + spread * deviate
