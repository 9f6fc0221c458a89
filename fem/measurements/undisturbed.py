"""A side calculation that leaves no trace: whatever happens to a model inside, every bit is back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fem.model import ElectrodeModel


@contextmanager
def undisturbed(model: ElectrodeModel) -> Iterator[None]:
    """Bring state, history, controls, constraints, temperature and step of a model back when the block ends.

    Parameters of materials and interfaces are not watched: who changes those takes a model of his own.
    """
    snapshot = model.state.snapshot()
    controls = {name: float(constant.value) for name, constant in model.controls.items()}
    constraints, ratio = list(model.constraints), model.relaxation_ratio
    temperature, dt = model.temperature, float(model.dt.value)
    try:
        yield
    finally:
        model.state.restore(snapshot)
        for name, constant in model.controls.items():
            constant.value = controls.get(name, 0.0)
        model.constraints, model.relaxation_ratio = constraints, ratio
        model.dt.value = dt
        if model.temperature != temperature:
            model.set_temperature(temperature)
