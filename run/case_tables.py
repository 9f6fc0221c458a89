"""The tables of a case file and what each key may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from fem.parameters import Mark
from fem.solver import SolverSettings
from fem.stepping import StepSettings
from run import units
from run.process.cycling import CyclingTable
from run.process.tables import CellTable, ProcessTable
from run.quantities import Current, CurrentDensity, Duration, Fraction, Quantity


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class TakenTable(_Table):
    """A number of [drive] or of the text of a step that came from a parameter file."""

    value: str
    source: str
    mark: Mark


class CaseTable(_Table):
    """[case]: what it is called, and the file some of its values come from (run/parameter_file.py).

    ``origins`` stands in resolved cases: which values those are; and ``taken``: more about those that have no table of
    their own. ``parameters`` does not: they hold the values.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    description: str = ""
    parameters: str | None = None
    origins: dict[str, str] | None = None
    taken: dict[str, TakenTable] | None = None


class MeshFileTable(_Table):
    """[mesh] for a mesh made elsewhere: the file, and a table from cell tag to phase where its groups are not ours."""

    file: str
    table: str | None = None
    cell_data: str | None = None


class DriveTable(_Table):
    """[drive]: what is done to the electrode; what comes first of a mean lithiation, a duration, a voltage ends it."""

    temperature: Annotated[float, Quantity(units.TEMPERATURE, 233.15, 450.0)] = 333.15
    stack_pressure: Annotated[float, Quantity(units.PRESSURE, 0.0, 1000.0, True)] = 1.0
    current: CurrentDensity = Current(0.1, units.C_RATE)
    until_mean_lithiation: Fraction | None = None
    duration: Duration | None = None
    start_voltage: Annotated[float, Quantity(units.VOLTAGE, 0.0, 3.0)] = 1.2
    until_voltage: Annotated[float, Quantity(units.VOLTAGE, -100.0, 3.0, True)] = 0.0

    @model_validator(mode="after")
    def _falling(self) -> DriveTable:
        if not self.until_voltage < self.start_voltage:
            raise PydanticCustomError(
                "clause",
                "until_voltage = {low} V must lie below start_voltage = {high} V: the voltage falls in a drive",
                {"low": self.until_voltage, "high": self.start_voltage},
            )
        return self

    @property
    def end_lithiation(self) -> float | None:
        """Mean lithiation of the hosts at which the drive ends; None where only the duration ends it."""
        if self.until_mean_lithiation is None and self.duration is None:
            return 0.9
        return self.until_mean_lithiation


class TimeTable(_Table):
    """[time]: the step controller (fem.stepping.StepSettings)."""

    first_step: Duration = StepSettings.first
    smallest_step: Duration = StepSettings.smallest
    largest_step: Duration = StepSettings.largest
    lithiation_change: Annotated[float, Quantity(units.NUMBER, 0.0, 1.0)] = StepSettings.lithiation_change
    damage_change: Annotated[float, Quantity(units.NUMBER, 0.0, 1.0)] = StepSettings.damage_change
    target_iterations: Annotated[int, Field(ge=1, le=100)] = StepSettings.target_iterations
    growth: Annotated[float, Quantity(units.NUMBER, 1.0, 10.0)] = StepSettings.growth
    stabilisation: Annotated[float, Quantity(units.STIFFNESS, 0.0, 1.0e6)] = StepSettings.stabilisation
    release: Annotated[float, Quantity(units.NUMBER, 0.0, 0.99, True)] = StepSettings.release
    resting_stabilisation: Annotated[float, Quantity(units.STIFFNESS, 0.0, 1.0e6, True)] = (
        StepSettings.resting_stabilisation
    )
    holding_stabilisation: Annotated[float, Quantity(units.STIFFNESS, 0.0, 1.0e6, True)] = (
        StepSettings.holding_stabilisation
    )
    resisted_share: Annotated[float, Quantity(units.NUMBER, 0.0, 10.0)] = StepSettings.resisted_share
    resolved: Duration = StepSettings.resolved
    cut: Annotated[float, Quantity(units.NUMBER, 0.0, 0.95)] = StepSettings.cut

    @model_validator(mode="after")
    def _ordered(self) -> TimeTable:
        if not self.smallest_step <= self.first_step <= self.largest_step:
            raise PydanticCustomError(
                "clause",
                "first_step = {first} s must lie between smallest_step = {low} s and largest_step = {high} s",
                {"first": self.first_step, "low": self.smallest_step, "high": self.largest_step},
            )
        return self


class SolverTable(_Table):
    """[solver]: Newton's method (fem.solver.SolverSettings).

    ``damage_relaxation`` is the model's: damage follows the opening over that many steps, besides the interfaces' own
    relaxation time.
    """

    force_tolerance: Annotated[float, Quantity(units.LINE_FORCE, 0.0, 1.0)] = SolverSettings.force_tolerance
    lithium_tolerance: Annotated[float, Quantity(units.NUMBER, 0.0, 1e-3)] = SolverSettings.lithium_tolerance
    lithium_aim: Annotated[float, Quantity(units.NUMBER, 0.0, 1e-3)] = SolverSettings.lithium_aim
    potential_tolerance: Annotated[float, Quantity(units.MOLAR_ENERGY, 0.0, 1.0)] = (
        SolverSettings.potential_tolerance
    )
    displacement_tolerance: Annotated[float, Quantity(units.LENGTH, 0.0, 0.1)] = (
        SolverSettings.displacement_tolerance
    )
    maximum_iterations: Annotated[int, Field(ge=1, le=200)] = SolverSettings.maximum_iterations
    patience: Annotated[int, Field(ge=2, le=100)] = SolverSettings.patience
    first_update: Annotated[float, Quantity(units.LENGTH, 0.0, 100.0)] = SolverSettings.first_update
    largest_update: Annotated[float, Quantity(units.LENGTH, 0.0, 100.0)] = SolverSettings.largest_update
    largest_strain: Annotated[float, Quantity(units.NUMBER, 0.0, 10.0)] = SolverSettings.largest_strain
    damage_relaxation: Annotated[float, Quantity(units.NUMBER, 0.0, 100.0, True)] = 0.0
    kept_tangent: Annotated[float, Quantity(units.NUMBER, 0.0, 0.5, True)] = 0.1
    line_search: Annotated[str, Field(pattern="^(basic|bt|l2|cp)$")] = SolverSettings.line_search
    linear: Literal["direct", "iterative", "auto"] = "auto"
    linear_tolerance: Annotated[float, Quantity(units.NUMBER, 0.0, 0.01)] = SolverSettings.linear_tolerance
    linear_iterations: Annotated[int, Field(ge=1, le=10_000)] = SolverSettings.linear_iterations


class OutputTable(_Table):
    """[output]: what is written besides history, summary and status; ``checkpoint_every`` is wall time.

    Fields are written at ``frames`` even shares of the way and wherever one of the other schedules says so
    (run/snapshots.py). Ends of steps are those that are not repeated.
    """

    fields: bool = True
    frames: Annotated[int, Field(ge=0, le=10_000)] = 20
    every_steps: Annotated[int, Field(ge=1)] | None = None
    at_times: list[Duration] = []
    at_lithiations: list[Fraction] = []
    at_step_ends: bool = True
    every_cycles: Annotated[int, Field(ge=1)] | None = None
    at_cycle_ends: list[Annotated[int, Field(ge=1)]] = []
    pictures: bool = True
    checkpoint_every: Duration = 600.0


class CaseFile(_Table):
    """The whole file; [mesh], [materials] and [interfaces] are checked by those they belong to.

    A case has either [drive], one constant current, or [process], a list of steps, with [cell].
    """

    case: CaseTable
    mesh: dict[str, Any]
    materials: dict[str, Any] = {}
    interfaces: dict[str, Any] = {}
    drive: DriveTable = DriveTable()
    process: ProcessTable | None = None
    cell: CellTable = CellTable()
    cycling: CyclingTable | None = None
    time: TimeTable = TimeTable()
    solver: SolverTable = SolverTable()
    output: OutputTable = OutputTable()
