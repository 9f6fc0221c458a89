"""Everything a run must remember to go on as if it had never been interrupted, in one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fem.checkpoint import Checkpoint, StateKeeper
from fem.observables import Observer, Row
from fem.output import FieldWriter
from fem.stepping import Stepper
from run.build import CountingSolver
from run.course import Course

_HISTORY = "history"


@dataclass
class Record:
    """What has happened so far.

    Attributes:
        rows: Rows of history.csv.
        accepted: Accepted steps.
        useful: Newton iterations of the accepted attempts.
        frame: Number of the next frame of field files.
        seconds: Wall time of earlier sessions of the run.
    """

    rows: list[Row] = field(default_factory=list)
    accepted: int = 0
    useful: int = 0
    frame: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Parts:
    """The parts of a run that remember something besides the model's state."""

    keeper: StateKeeper
    stepper: Stepper
    solver: CountingSolver
    observer: Observer
    course: Course
    writer: FieldWriter


def capture(parts: Parts, record: Record, identity: dict[str, str]) -> Checkpoint | None:
    """The run as it is after an accepted step; collective.

    Returns:
        The checkpoint on rank 0, None elsewhere.
    """
    stepper, rates = parts.stepper.memory()
    observer, forces = parts.observer.memory()
    made = parts.keeper.capture({**rates, **forces})
    if made is None:
        return None
    columns = _columns(record.rows)
    counted = {name: value for name, value in vars(record).items() if name != "rows"}
    made.tables[_HISTORY] = np.array([[row[name] for name in columns] for row in record.rows])
    more = {
        "stepper": stepper,
        "observer": observer,
        "drive": parts.course.memory(),
        "solver": parts.solver.memory(),
        "frames": parts.writer.frames,
        "record": counted,
        "columns": columns,
    }
    return Checkpoint(made.identity | identity, made.numbers | more, made.tables)


def recall(parts: Parts, checkpoint: Checkpoint | None) -> Record:
    """Bring all parts to a checkpoint; collective.

    Args:
        parts: Of a run that has been built anew and has not stepped.
        checkpoint: On rank 0.

    Returns:
        The record of the run so far.

    Raises:
        CheckpointError: It does not fit the model.
    """
    nodal = parts.keeper.restore(checkpoint)
    comm = parts.stepper.model.comm
    numbers, table = comm.bcast(
        None if checkpoint is None else (checkpoint.numbers, checkpoint.tables[_HISTORY])
    )
    parts.stepper.recall(numbers["stepper"], nodal)
    parts.observer.recall(numbers["observer"], nodal)
    parts.course.recall(numbers["drive"])
    parts.solver.recall(numbers["solver"])
    parts.writer.go_on([(time, name) for time, name in numbers["frames"]])
    kinds = {"int": int, "float": float}
    types = [(name, kinds[kind]) for name, kind in numbers["columns"].items()]
    rows = [{name: kind(v) for (name, kind), v in zip(types, row, strict=True)} for row in table.tolist()]
    return Record(rows=rows, **numbers["record"])


def _columns(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Type of every column: a number that is whole must not come back as a fraction."""
    return {name: "int" if isinstance(value, int) else "float" for name, value in rows[-1].items()}
