"""How a facet leaves the one opposite it: the share of its contact that stays paired, and when it has let go."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Opening of a facet, as part of its length (in 3D of its side), at which its paired contact begins to fade and at which
# it is gone.
FADE_BEGINS, FADE_ENDS = 0.05, 0.2
# A facet that still holds by more than a tenth keeps its partner; at a hundredth it has let go of it.
_BROKEN_BEGINS, _BROKEN_ENDS = 0.9, 0.99


def released_share(damage: Array) -> Array:
    """How far facets have let go of their partner: 0 while they hold by more than a tenth, 1 when broken.

    Args:
        damage: Mean damage of the facets, shape (facets,).
    """
    share: npt.NDArray[np.float64] = np.clip(
        (damage - _BROKEN_BEGINS) / (_BROKEN_ENDS - _BROKEN_BEGINS), 0.0, 1.0
    )
    return share


def paired_share(opening: Array, size: Array, released: Array) -> Array:
    """Share of a facet's contact that stays with the facet opposite: 1 opposite it, 0 once it has moved on.

    Args:
        opening: Mean distance of points that were opposite each other in µm, shape (facets,).
        size: Undeformed length of the facets (side of the triangles in 3D) in µm, shape (facets,).
        released: From :func:`released_share`, shape (facets,).
    """
    moved = np.clip((opening / size - FADE_BEGINS) / (FADE_ENDS - FADE_BEGINS), 0.0, 1.0)
    share: npt.NDArray[np.float64] = 1.0 - moved**2 * (3.0 - 2.0 * moved) * released
    return share
