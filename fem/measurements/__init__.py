"""Measurements on a state, one a file; each leaves the model bit for bit as it was, and gives numbers with units."""

from __future__ import annotations

from collections.abc import Callable

from fem.measurements import front, lithium, phases, porosity, steady_flux, uniformity
from fem.model import ElectrodeModel

#: Measurements that need nothing but the model, by name. A GITT pulse (gitt.py) wants a pulse as well.
MEASUREMENTS: dict[str, Callable[[ElectrodeModel], dict[str, float]]] = {
    "porosity": porosity.measure,
    "phases": phases.measure,
    "uniformity": uniformity.measure,
    "diffusion": steady_flux.measure,
    "lithium": lithium.measure,
    "front": front.measure,
}
