"""What a session needs of what it runs: one constant current ([drive]) or a list of steps ([process])."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fem.observables import Row
from fem.stepping import StepReport
from run.process.plan import Planned


@dataclass
class News:
    """What has happened since it was last asked.

    Attributes:
        sentences: To be said.
        steps: How many of the last accepted steps no longer count: the state is back where it was before them.
        useful: Newton iterations of the accepted attempts of those.
    """

    sentences: list[str] = field(default_factory=list)
    steps: int = 0
    useful: int = 0


class Course(Protocol):
    """Leads a run to its end; all methods are collective.

    Attributes:
        columns: Unit of every column that it adds to history.csv, in order.
    """

    columns: dict[str, str]

    def remaining(self, next_dt: float) -> float | None:
        """Longest next step in s, or None at the end.

        Args:
            next_dt: What the step controller would like to take.

        Raises:
            Interrupted: The run has to leave within a measurement.
        """

    def advance(self, limit: float) -> StepReport:
        """Take one time step of at most ``limit`` seconds.

        Raises:
            RunStopped: Steps of the smallest size fail.
        """

    def step_accepted(self, row: Row, iterations: int) -> None:
        """Take note of an accepted step.

        Args:
            row: Its row of history.csv; the course adds its own columns.
            iterations: Newton iterations it took, rejected attempts included.
        """

    def start(self, row: Row) -> None:
        """Add the course's own columns to the row of the initial state."""

    def take_closed(self) -> list[Planned]:
        """Steps of a process that have ended since this was last asked."""

    def news(self) -> News:
        """What has happened since this was last asked."""

    def ending(self) -> str:
        """Why it is at its end, once it is."""

    def fraction(self) -> float:
        """How much is done, 0 to 1."""

    def memory(self) -> dict[str, Any]:
        """What its way depends on besides the model's state, as JSON can hold it."""

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the course would have whose ``memory`` this is."""

    def headline(self) -> str:
        """What is done, in a few words."""

    def described(self) -> dict[str, Any]:
        """What summary.json says about it besides what every run has."""

    def notes(self) -> tuple[str, ...]:
        """What is simplified, in sentences."""
