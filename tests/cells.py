"""Small cells for tests of the terminals: one or two hosts side by side under a strip of electrolyte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from fem import domain
from fem.counter_electrode import CounterElectrode, LithiumMetal
from fem.interfaces.law import InterfaceLaw
from fem.loads import Load, Support, TerminalCurrent
from fem.materials.base import Conductor, Elasticity, Material
from fem.model import ElectrodeModel
from fem.parameters import Parameter
from fem.solver import NewtonSolver, Outcome, SolverSettings
from tests.small import TEMPERATURE, Array, grid, host, law, mesh_of, midpoints, p, sides

WIDTH, HEIGHT, STRIP = 4.0, 3.0, 1.0
# Tolerances of the mechanics do not matter in cells that neither swell nor move.
TIGHT = SolverSettings(lithium_tolerance=1e-12, potential_tolerance=1e-8)
CONDUCTIVITY = 0.8
HOST = host("alpha", capacity=31.36, diffusivity=0.24)
OTHER = host("beta", capacity=80.0, diffusivity=0.05)


def electrolyte(conductivity: float = CONDUCTIVITY) -> Material:
    """A strip of solid electrolyte."""
    return Material("electrolyte", Elasticity(p(22e3), p(0.0), p(0.37)), lithium=Conductor(p(conductivity)))


def whole(**others: Any) -> InterfaceLaw:
    """An interface that never breaks."""
    return law(None, None, stiffness=2e5, **others)


def cell(
    comm: MPI.Intracomm,
    hosts: Sequence[Material] = (HOST,),
    laws: Mapping[str, InterfaceLaw] | None = None,
    *,
    counter: CounterElectrode | None = None,
    separator_resistance: float | None = None,
    start: float | Mapping[str, float] = 0.3,
    columns: int = 4,
    strip: Material | None = None,
    cut: str | None = None,
    loads: Sequence[Load] = (),
    temperature: float = TEMPERATURE,
) -> ElectrodeModel:
    """One host, or two side by side, ``HEIGHT`` high, under ``STRIP`` of electrolyte with terminals."""
    rows = 4
    points, cells = grid(columns, rows, WIDTH, HEIGHT + STRIP)
    middle = points[cells].mean(axis=1)
    owner = {
        None: None,
        "seam on the face": (middle[:, 1] > HEIGHT) + 2 * (middle[:, 0] > WIDTH / 2),
        "cell by cell": np.random.default_rng(3).integers(0, 1000, len(cells)),
    }[cut]
    mesh = mesh_of(comm, points, cells, owner)
    here = midpoints(mesh)
    right = (here[:, 0] > WIDTH / 2) & (len(hosts) > 1)
    grain = np.where(here[:, 1] > HEIGHT, len(hosts), right.astype(int)).astype(np.int32)
    above = electrolyte() if strip is None else strip
    materials = {material.phase: material for material in (*hosts, above)}
    resistance = None if separator_resistance is None else p(separator_resistance)
    given = laws or {f"{one.phase}|electrolyte": whole(exchange_resistance=30.0) for one in hosts}
    if len(hosts) > 1:
        given = {"|".join(one.phase for one in hosts): whole(), **given}
    return ElectrodeModel(
        domain.from_arrays(
            mesh, grain, [*(one.phase for one in hosts), "electrolyte"], sides(WIDTH, HEIGHT + STRIP)
        ),
        materials,
        given,
        [
            Support("bottom", 1),
            Support("left", 0),
            Support("right", 0),
            TerminalCurrent("top", LithiumMetal() if counter is None else counter, resistance),
            *loads,
        ],
        temperature,
        initial_lithiation=start if isinstance(start, Mapping) else {one.phase: start for one in hosts},
    )


def step(model: ElectrodeModel, solver: NewtonSolver, dt: float) -> Outcome:
    """Take one step that must converge."""
    model.prepare_step(dt)
    outcome = solver.solve()
    if not outcome.converged:
        raise AssertionError(f"step of {dt} s at t = {model.state.time} s: {outcome}")
    model.commit()
    return outcome


def given(value: float) -> Parameter:
    """A parameter of a test."""
    return p(value)


def face_values(model: ElectrodeModel) -> Array:
    """µ at the outer face of the electrolyte on this rank."""
    terminal = model.terminal
    if terminal is None:
        raise AssertionError("the model has no terminals")
    return model.state.unknowns.x.array[terminal.dofs]
