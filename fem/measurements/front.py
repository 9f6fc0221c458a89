"""How far lithium from a sheet on one face has come: to what depth a host is filled to a quarter, a half and so on.

The profile is that of one host, the one with most of the capacity. Layers of an electrode hold its hosts in different
shares, and hosts fill at different rates: in the mean of all, a layer rich in the slower one passes for the front. A
front of graphite is none of half the way between its ends either, because it fills in stages: each level has its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fem.lithium_book import LithiumBook
from fem.measurements import uniformity
from fem.measurements.integrals import summed
from fem.model import ElectrodeModel

#: Lithiations whose fronts are followed; graphite counts as LiC18 from the second and as LiC6 from the last one on.
LEVELS = (0.1, 0.25, 0.5, 0.75)


def measure(model: ElectrodeModel, layers: int = 20) -> dict[str, float]:
    """To what depth a host is lithiated to each of :data:`LEVELS`, from the face that has more; collective.

    Args:
        model: The coupled model.
        layers: How many layers of depth are compared.

    Returns:
        ``front_depth_um`` by level in per cent, as in ``front_depth_25_um``, in the undeformed electrode: 0 where the
        first layer has not got there, the thickness where all have; ``lithiation_near`` and ``lithiation_far`` of the
        layers nearest to and farthest from the electrolyte; ``contrast``, the difference of the extremes. All of the
        host with most of the capacity; layers without it are left out.
    """
    book = LithiumBook(model)
    capacity = summed(model, book.capacities())
    main = max(book.hosts, key=lambda name: capacity[f"capacity_{name}"])
    found = uniformity.measure(model, layers, main)
    numbers = [n for n in range(1, layers + 1) if f"mean_lithiation_layer_{n}" in found]
    depth = np.array([found[f"depth_layer_{n}_um"] for n in numbers])
    profile = np.array([found[f"mean_lithiation_layer_{n}"] for n in numbers])
    thickness = float(model.domain.box["thickness"])
    from_top = bool(profile[0] >= profile[-1])
    way = depth if from_top else (thickness - depth)[::-1]
    along = profile if from_top else profile[::-1]
    return {
        **{column(at): _reached(way, along, at, thickness) for at in LEVELS},
        "lithiation_near": float(profile[0]),
        "lithiation_far": float(profile[-1]),
        "contrast": float(profile.max() - profile.min()),
    }


def column(level: float) -> str:
    """Name of a level's depth in what :func:`measure` returns."""
    return f"front_depth_{100.0 * level:.0f}_um"


def _reached(
    way: npt.NDArray[np.float64], profile: npt.NDArray[np.float64], level: float, thickness: float
) -> float:
    """Way from the filled face to where a profile first falls below a level."""
    below = np.flatnonzero(profile < level)
    if len(below) == 0:
        return thickness
    n = int(below[0])
    if n == 0:
        return 0.0
    share = (profile[n - 1] - level) / (profile[n - 1] - profile[n])
    return float(way[n - 1] + share * (way[n] - way[n - 1]))
