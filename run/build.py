"""From a checked case to the model and the solver of its run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from fem.domain import Domain, cell_volumes
from fem.loads import LithiumInflux, Load
from fem.materials.base import Host
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, Outcome, SolverSettings
from fem.stepping import StepSettings
from fem.units import FARADAY
from run import drive
from run.case import Case

#: C/m² (pC/um²) in one mAh/cm².
MAH_CM2 = 3.6e4


def build_model(case: Case, domain: Domain, temperature: float | None = None) -> ElectrodeModel:
    """The model of a case on its mesh, at the case's temperature unless another one is given in K."""
    table = case.file
    top: Load = LithiumInflux("top")
    if table.process is not None:
        top = table.cell.load(host_capacity(case, domain))
    return ElectrodeModel(
        domain,
        case.materials,
        case.laws,
        drive.loads(domain.dimension, top),
        case.temperature if temperature is None else temperature,
        case.start_voltage,
        relaxation_ratio=table.solver.damage_relaxation,
    )


def host_capacity(case: Case, domain: Domain) -> float:
    """Areal capacity of the hosts of a mesh in mAh/cm2; collective."""
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    volumes = np.bincount(
        domain.cell_phase[:owned], weights=cell_volumes(domain), minlength=len(domain.phases)
    )
    held = 0.0
    for phase, volume in zip(domain.phases, volumes, strict=True):
        lithium = case.materials[phase].lithium if phase in case.materials else None
        if isinstance(lithium, Host):
            held += float(volume) * lithium.maximum_concentration.value
    held = float(domain.mesh.comm.allreduce(held))
    area = domain.box["width"] * (domain.box.get("depth", 1.0) if domain.dimension == 3 else 1.0)
    return held * FARADAY / area / MAH_CM2


def solver_settings(case: Case) -> SolverSettings:
    """The solver's settings of a case."""
    return SolverSettings(**case.file.solver.model_dump(exclude={"damage_relaxation"}))


def step_settings(case: Case) -> StepSettings:
    """The step controller's settings of a case: the keys are those of StepSettings, ``_step`` left out."""
    table = case.file.time.model_dump()
    return StepSettings(**{key.removesuffix("_step"): value for key, value in table.items()})


class CountingSolver(NewtonSolver):
    """Newton solver of a run that can be resumed.

    It counts its solves (those of a step that fails for good are in no report of a step), and starts each of them
    afresh, so that a resumed run goes on bit for bit. The analysis this repeats takes 5 % of the time of a step.
    """

    solves = 0

    def solve(self) -> Outcome:
        """Solve the current step, starting from the model's unknowns."""
        self.solves += 1
        self.forget()
        return super().solve()

    def memory(self) -> dict[str, float]:
        """The work so far."""
        return {**dataclasses.asdict(self.timing), "solves": self.solves}

    def recall(self, numbers: Mapping[str, float]) -> None:
        """Go on counting from an earlier session's work."""
        for name in dataclasses.asdict(self.timing):
            setattr(self.timing, name, numbers[name])
        self.solves = int(numbers["solves"])
