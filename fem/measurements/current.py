"""What measurements pass through an electrode and read off it, with terminals or without."""

from __future__ import annotations

from fem.boundary_means import BoundaryMeans
from fem.measurements.integrals import summed
from fem.model import ElectrodeModel
from fem.units import FARADAY


def pass_current(model: ElectrodeModel, current: float) -> None:
    """From now on pass a current in A/m² of section, positive where it lithiates."""
    if model.terminal is not None:
        model.terminal.control_current(current)
    else:
        model.control("influx").value = current / FARADAY


def working_potential(model: ElectrodeModel) -> float:
    """Potential -µ/F of the electrode against lithium at the outer face ``top`` in V; collective."""
    if model.terminal is not None:
        return float(model.terminal.working_potential)
    means = BoundaryMeans(model, "top")
    totals = summed(model, {**means.area(), **means.sums(model.state.unknowns.x.array)})
    return -totals["top_potential"] / totals["top_area"] / FARADAY


def cell_voltage(model: ElectrodeModel) -> float:
    """Voltage in V that ends a current: between the terminals, or against lithium where there are none; collective."""
    return working_potential(model) if model.terminal is None else float(model.terminal.voltage)
