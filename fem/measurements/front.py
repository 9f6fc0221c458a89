"""How far lithium from a sheet on one face has come: the front in the profile of lithiation across the electrode.

The profile is that of one host, the one with most of the capacity. Layers of an electrode hold its hosts in different
shares, and hosts fill at different rates: in the mean of all, a layer rich in the slower one passes for the front.
"""

from __future__ import annotations

import numpy as np

from fem.lithium_book import LithiumBook
from fem.measurements import uniformity
from fem.measurements.integrals import summed
from fem.model import ElectrodeModel

#: Lithiation, as a share of the way from the lowest to the highest layer, at which the front is read.
LEVEL = 0.5


def measure(model: ElectrodeModel, layers: int = 20) -> dict[str, float]:
    """Where the lithiation of a host passes half-way between its lowest and its highest layer; collective.

    Args:
        model: The coupled model.
        layers: How many layers of depth are compared.

    Returns:
        ``front_depth_um`` below the electrolyte in the undeformed electrode; ``lithiation_near`` and
        ``lithiation_far`` of the layers nearest to and farthest from the electrolyte; ``contrast``, the difference of
        the extremes; all of the host with most of the capacity. Without contrast there is no front, and its depth is
        that of the middle. Layers without that host are left out.
    """
    book = LithiumBook(model)
    capacity = summed(model, book.capacities())
    main = max(book.hosts, key=lambda name: capacity[f"capacity_{name}"])
    found = uniformity.measure(model, layers, main)
    numbers = [n for n in range(1, layers + 1) if f"mean_lithiation_layer_{n}" in found]
    depth = np.array([found[f"depth_layer_{n}_um"] for n in numbers])
    profile = np.array([found[f"mean_lithiation_layer_{n}"] for n in numbers])
    low, high = float(profile.min()), float(profile.max())
    level = low + LEVEL * (high - low)
    position = float(depth.mean())
    # From the side that is filled, whichever it is, to the first layer below the level.
    order = np.argsort(depth) if profile[0] >= profile[-1] else np.argsort(-depth)
    depth_in, profile_in = depth[order], profile[order]
    below = np.flatnonzero(profile_in < level)
    if high > low and len(below) and below[0] > 0:
        n = int(below[0])
        share = (profile_in[n - 1] - level) / (profile_in[n - 1] - profile_in[n])
        position = float(depth_in[n - 1] + share * (depth_in[n] - depth_in[n - 1]))
    return {
        "front_depth_um": position,
        "lithiation_near": float(profile[np.argmin(depth)]),
        "lithiation_far": float(profile[np.argmax(depth)]),
        "contrast": high - low,
    }
