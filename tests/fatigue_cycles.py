"""Interfaces under cycles of opening or of traction: what tests/verification/test_fatigue.py and the docs count."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from fem.interfaces.law import InterfaceLaw
from fem.loads import Pressure, Support
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.separation import RIGID, Puller, elastic
from tests.separation_laws import OPENING, RATIO, STIFFNESS, STRENGTH
from tests.small import Array, grid, law, mesh_of, midpoints, model_on, sides

SETTINGS = SolverSettings(force_tolerance=2e-6, displacement_tolerance=1e-9)


def tiring(length: float, endurance: float, **keys: Any) -> InterfaceLaw:
    """A law that tires."""
    return law(
        STRENGTH,
        OPENING,
        shear_ratio=RATIO,
        stiffness=STIFFNESS,
        fatigue_accumulation_length=length,
        fatigue_endurance_ratio=endurance,
        **keys,
    )


def cycle(steps: int) -> Array:
    """Shares of the amplitude from above zero to one and back, in steps of a half cycle."""
    return np.concatenate([np.arange(1, steps + 1), np.arange(steps - 1, -1, -1)]) / steps


def cycles_to_failure(puller: Puller, path: Array) -> float:
    """Cycles along a path until the interface is broken, counted in parts of the last."""
    damage = [0.0]
    while damage[-1] < 1.0 - 1e-9:
        puller.along(path)
        damage.append(puller.damage)
        assert len(damage) < 200 and damage[-1] > damage[-2]
    return float(len(damage) - 2 + (1.0 - damage[-2]) / (damage[-2] - damage[-3]))


def fatigue_of(model: ElectrodeModel) -> Array:
    """Damage by cycles on every facet."""
    space = model.facet_constants
    value = model.history_value.fatigue
    field = space.function("fatigue")
    space.update(field, space.projection(value))
    return space.values(field)


def loaded(length: float, endurance: float) -> ElectrodeModel:
    """Two blocks that are pulled apart by a given force."""
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 2, 1.0, 1.0))
    loads = [Support("bottom", 0), Support("bottom", 1), Support("top", 0), Pressure("top")]
    return model_on(
        mesh,
        sides(1.0, 1.0),
        [elastic("alpha", RIGID), elastic("beta", RIGID)],
        loads,
        grain=(midpoints(mesh)[:, 1] > 0.5).astype(np.int32),
        phases=["alpha", "beta"],
        laws={"alpha|beta": tiring(length, endurance)},
    )


def sum_of_rates(share: float, endurance: float, left: float) -> float:
    """∫ q² / (s - C_f q)² dq from ``left`` to one, in closed form."""

    def primitive(q: float) -> float:
        v = share - endurance * q
        return (share**2 / v + 2.0 * share * np.log(v) - v) / endurance**3

    return float(primitive(1.0) - primitive(left))


def cycles_of_traction(share: float, endurance: float, length: float, target: float, steps: int) -> float:
    """Cycles of a traction from zero to a share of the strength until damage reaches a target.

    Args:
        share: Amplitude over strength.
        endurance: C_f.
        length: δ_Σ in µm.
        target: Damage to be reached.
        steps: Steps of a half cycle.
    """
    model = loaded(length, endurance)
    solver = NewtonSolver(model, SETTINGS)
    damage = [0.0]
    while damage[-1] < target:
        for part in cycle(steps):
            model.control("pressure").value = -part * share * STRENGTH
            model.prepare_step(1.0)
            outcome = solver.solve()
            assert outcome.converged, outcome
            model.commit()
        damage.append(model.mean_damage())
    return float(len(damage) - 2 + (target - damage[-2]) / (damage[-1] - damage[-2]))
