"""The site of a grain of lithium metal: what volume it takes, and how much of it still carries load, by its content.

Lithium leaves vacancies. With x the share of the metal that is left, the site shrinks with its content as long as there
is plenty, r = x, but never below a least volume v: from there on lithium leaves holes behind inside the site,

    r(x) = x above v + w,   v below v - w,   v + (x - v + w)² / 4w between,   w = v/5,

and only the share φ = x / r of the site is metal. Like an open foam it carries s = φ² of the dense metal's load at the
same strain (Gibson and Ashby 1997, 10.1017/CBO9781139878326: E ~ φ²; the same power is taken for the resistance to
flow), so that one free energy r s ψ serves, and flow is that of dense metal under the load its walls carry. Left
out: that holes close again under pressure by more than elastic strain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

# Half-width of the transition, as a share of the least volume.
_TRANSITION = 0.2


@dataclass(frozen=True)
class Site:
    """UFL values at a content x; derivatives are by x.

    Attributes:
        volume: R, of the volume of the full site.
        volume_rate: dr/dx.
        filled: φ, the share of the site that is metal.
        carrying: s = φ².
        carrying_rate: ds/dx.
    """

    volume: Any
    volume_rate: Any
    filled: Any
    carrying: Any
    carrying_rate: Any


def site(content: Any, least_volume: Any) -> Site:
    """The site of a grain of metal.

    Args:
        content: X, the share of its lithium that is left.
        least_volume: V, positive.
    """
    width = _TRANSITION * least_volume
    above = ufl.max_value(content - least_volume + width, 0.0)
    within = ufl.min_value(above, 2.0 * width)
    volume = least_volume + within**2 / (4.0 * width) + (above - within)
    rate = within / (2.0 * width)
    filled = content / volume
    return Site(volume, rate, filled, filled**2, 2.0 * filled * (volume - content * rate) / volume**2)
