"""How evenly the hosts are lithiated: mean and spread of each, and the mean by depth below the electrolyte."""

from __future__ import annotations

import numpy as np

from fem import compat
from fem.domain import lowest_point
from fem.materials.base import Host
from fem.measurements.integrals import corner_lithiation, summed
from fem.model import ElectrodeModel

#: Layers of equal thickness of the undeformed electrode, counted from the electrolyte.
LAYERS = 10


def measure(model: ElectrodeModel, layers: int = LAYERS, only: str | None = None) -> dict[str, float]:
    """Lithiation of the hosts, weighted by capacity; collective, reads only.

    Args:
        model: The coupled model.
        layers: How many layers of depth.
        only: The one host that counts; None for all of them.

    Returns:
        ``mean_lithiation`` and ``standard_deviation`` of all hosts, the same per phase, and for every layer n from the
        top ``mean_lithiation_layer_n`` of all hosts and ``depth_layer_n_um``, the depth of its middle in the
        undeformed electrode; a layer without hosts is left out.
    """
    domain = model.domain
    x, share, cells = corner_lithiation(model)
    last = domain.dimension - 1
    nodes = compat.geometry_dofs(domain.mesh)[cells]
    upper = lowest_point(domain) + domain.box["foil"] + domain.box["thickness"]
    depth = upper - domain.mesh.geometry.x[nodes][:, :, last]
    phase = domain.cell_phase[cells]
    capacity = np.array(
        [
            m.lithium.maximum_concentration.value
            if isinstance(m.lithium, Host) and only in (None, m.phase)
            else 0.0
            for m in model.materials
        ]
    )
    weight = np.broadcast_to((share * capacity[phase])[:, None], x.shape)
    layer = np.clip((depth / domain.box["thickness"] * layers).astype(int), 0, layers - 1)
    groups = {"": np.ones_like(x, dtype=bool)}
    hosts = [m.phase for m in model.materials if isinstance(m.lithium, Host)]
    for name in hosts:
        groups[f"_{name}"] = np.broadcast_to((phase == domain.phases.index(name))[:, None], x.shape)
    groups |= {f"_layer_{n + 1}": layer == n for n in range(layers)}
    local: dict[str, float] = {}
    for name, inside in groups.items():
        for power in range(3):
            local[f"{power}{name}"] = float(np.sum((weight * x**power)[inside]))
    totals = summed(model, local)
    found: dict[str, float] = {}
    for name in groups:
        whole = totals[f"0{name}"]
        if whole <= 0.0:
            continue
        mean = totals[f"1{name}"] / whole
        found[f"mean_lithiation{name}"] = mean
        if "layer" in name:
            number = int(name.rpartition("_")[2])
            found[f"depth{name}_um"] = (number - 0.5) * domain.box["thickness"] / layers
        else:
            found[f"standard_deviation{name}"] = float(
                np.sqrt(max(totals[f"2{name}"] / whole - mean**2, 0.0))
            )
    return found
