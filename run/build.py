"""From a checked case to the model and the solver of its run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from fem.domain import Domain
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, Outcome, SolverSettings
from fem.stepping import StepSettings
from run import drive
from run.case import Case


def build_model(case: Case, domain: Domain, temperature: float | None = None) -> ElectrodeModel:
    """The model of a case on its mesh, at the case's temperature unless another one is given in K."""
    table = case.file
    return ElectrodeModel(
        domain,
        case.materials,
        case.laws,
        drive.loads(domain.dimension),
        table.drive.temperature if temperature is None else temperature,
        table.drive.start_voltage,
        relaxation_ratio=table.solver.damage_relaxation,
    )


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
