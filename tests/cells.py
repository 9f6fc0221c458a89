"""Small cells for tests of the terminals: two hosts side by side under a strip of electrolyte.

All but sizes and numbers is the same in all of them (two linear voltage curves, charge transfer, side reactions that
may never set in), so that few forms are compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mpi4py import MPI

from fem import domain
from fem.cell import Terminal
from fem.counter_electrode import CounterElectrode, LithiumMetal
from fem.interfaces.law import InterfaceLaw
from fem.lithium_book import LithiumBook
from fem.loads import Support, TerminalCurrent
from fem.materials.base import Conductor, Elasticity, Material
from fem.materials.library import MATERIALS
from fem.model import ElectrodeModel
from fem.parameters import Parameter
from fem.solver import NewtonSolver, Outcome, SolverSettings
from fem.stepping import Stepper
from fem.units import FARADAY
from tests.small import TEMPERATURE, Array, grid, host, law, mesh_of, midpoints, p, sides

WIDTH, HEIGHT, STRIP = 4.0, 3.0, 1.0
# The residual of the electrolyte grows with the step, and its rounding with it.
TIGHT = SolverSettings(lithium_tolerance=1e-12, potential_tolerance=1e-7)
#: Potential in V that is never reached: a side reaction with this onset does not run.
NEVER = -5.0
ALPHA = host("alpha", capacity=31.36, diffusivity=0.24)
SILICON = host("silicon", capacity=80.0, diffusivity=0.05)


def rigid(phase: str) -> Material:
    """A host that ships, without swelling and flow."""
    return replace(MATERIALS[phase], flow=None, swelling=None, fracture=None)


def electrolyte(conductivity: float = 0.8) -> Material:
    """A strip of solid electrolyte; conductivity in S/m."""
    return Material("electrolyte", Elasticity(p(22e3), p(0.0), p(0.37)), lithium=Conductor(p(conductivity)))


PERFECT = electrolyte(1e3)


def whole(**others: Any) -> InterfaceLaw:
    """An interface that never breaks."""
    return law(None, None, stiffness=2e5, **others)


def face(exchange_current_density: float, **others: float) -> InterfaceLaw:
    """A face of the electrolyte with charge transfer; nothing decomposes unless an onset is given."""
    given = {"decomposition_charge": 0.01, "decomposition_onset": NEVER} | others
    return whole(exchange_current_density=exchange_current_density, **given)


def faces(alpha: float = 5.0, silicon: float = 0.3, **others: float) -> dict[str, InterfaceLaw]:
    """Laws of the two hosts :data:`ALPHA` and :data:`SILICON`, that pass nothing to each other."""
    return {
        "alpha|electrolyte": face(alpha, **others),
        "electrolyte|silicon": face(silicon, **others),
        "alpha|silicon": whole(),
    }


def cell(
    comm: MPI.Intracomm,
    laws: Mapping[str, InterfaceLaw],
    hosts: Sequence[Material] = (ALPHA, SILICON),
    *,
    counter: CounterElectrode | None = None,
    separator_resistance: float | None = None,
    start: float | Mapping[str, float] = 0.3,
    strip: Material | None = None,
    cut: str | None = None,
    temperature: float = TEMPERATURE,
    count: int = 4,
) -> ElectrodeModel:
    """Two hosts side by side, ``HEIGHT`` high, under ``STRIP`` of electrolyte with terminals.

    ``count`` is the number of squares along either side, a multiple of four.
    """
    points, cells = grid(count, count, WIDTH, HEIGHT + STRIP)
    middle = points[cells].mean(axis=1)
    owner = {
        None: None,
        "seam on the face": (middle[:, 1] > HEIGHT) + 2 * (middle[:, 0] > WIDTH / 2),
        "cell by cell": np.random.default_rng(3).integers(0, 1000, len(cells)),
    }[cut]
    mesh = mesh_of(comm, points, cells, owner)
    here = midpoints(mesh)
    grain = np.where(here[:, 1] > HEIGHT, 2, (here[:, 0] > WIDTH / 2).astype(int)).astype(np.int32)
    phases = [*(one.phase for one in hosts), "electrolyte"]
    where = domain.from_arrays(mesh, grain, phases, sides(WIDTH, HEIGHT + STRIP))
    return model_with_terminal(
        where,
        [*hosts, electrolyte() if strip is None else strip],
        laws,
        TerminalCurrent(
            "top",
            LithiumMetal() if counter is None else counter,
            None if separator_resistance is None else p(separator_resistance),
        ),
        start,
        temperature,
    )


def model_with_terminal(
    where: domain.Domain,
    materials: Sequence[Material],
    laws: Mapping[str, InterfaceLaw],
    load: TerminalCurrent,
    start: float | Mapping[str, float],
    temperature: float = TEMPERATURE,
) -> ElectrodeModel:
    """A model whose only loads are rollers and terminals."""
    names = [m.phase for m in materials]
    return ElectrodeModel(
        where,
        {m.phase: m for m in materials},
        laws,
        [Support("bottom", 1), Support("left", 0), load],
        temperature,
        initial_lithiation=start if isinstance(start, Mapping) else dict.fromkeys(names, start),
    )


def terminal_of(model: ElectrodeModel) -> Terminal:
    """The terminals of a model that has them."""
    if model.terminal is None:
        raise AssertionError("the model has no terminals")
    return model.terminal


def step(model: ElectrodeModel, solver: NewtonSolver, dt: float) -> Outcome:
    """Take one step that must converge."""
    model.prepare_step(dt)
    outcome = solver.solve()
    if not outcome.converged:
        raise AssertionError(f"step of {dt} s at t = {model.state.time} s: {outcome}")
    model.commit()
    return outcome


def advance(model: ElectrodeModel, stepper: Stepper, duration: float) -> None:
    """Go on for so many seconds, in steps that are cut where they fail."""
    end = model.state.time + duration
    while (left := end - model.state.time) > 1e-12 * end:
        stepper.advance(left)


class Books:
    """Lithium of a model over all ranks, as charge in C per m² of section."""

    def __init__(self, model: ElectrodeModel):
        self._model, self._book = model, LithiumBook(model)
        self.begin = self.now()

    def now(self) -> dict[str, float]:
        """Charge of each phase and product."""
        sums = self._book.sums(self._model.state.unknowns.x.array)
        scale = FARADAY / terminal_of(self._model).area
        return {
            name.removeprefix("lithium_"): scale * float(self._model.comm.allreduce(value))
            for name, value in sums.items()
        }

    def gained(self) -> dict[str, float]:
        """What each has gained since the beginning."""
        return {name: value - self.begin[name] for name, value in self.now().items()}


def face_values(model: ElectrodeModel) -> Array:
    """µ at the outer face of the electrolyte, of all ranks."""
    own = model.state.unknowns.x.array[terminal_of(model).dofs]
    return np.concatenate(model.comm.allgather(own))


def parameter(value: float) -> Parameter:
    """A parameter of a test."""
    return p(value)
