"""Where a run starts that goes on from another one: that run's last sound checkpoint, on its mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI

from fem.checkpoint import Checkpoint, StateKeeper
from fem.errors import CheckpointError
from fem.model import ElectrodeModel
from run import folder, restart, results
from run.case import Case
from run.errors import InputError
from run.process.known import StartState
from run.ranks import on_first_rank

_OPTION = "--from"


@dataclass(frozen=True)
class Origin:
    """The end of another run.

    Attributes:
        run: Its folder.
        case: What was run.
        mesh: Its mesh.
        checkpoint: Name of the checkpoint.
        start: What the steps of a process start from.
    """

    run: Path
    case: Case
    mesh: Path
    checkpoint: str
    start: StartState


def read(run: Path) -> Origin:
    """The end of a run; on one rank. Nothing is changed.

    Raises:
        InputError: The folder holds no run of a process, or no sound checkpoint.
    """
    case, given, _ = folder.open_again(run, _OPTION)
    if case.process is None:
        raise _refused(run, "it is the run of a [drive]; only a run of a [process] can be gone on from")
    found = restart.find(run / results.STATE, {"case": case.content_hash})
    if found.checkpoint is None or found.path is None:
        why = found.refused[0][1] if found.refused else "it holds no checkpoint; run it first"
        raise _refused(run, why.rstrip("."))
    numbers = found.checkpoint.numbers
    row = dict(zip(numbers["columns"], found.checkpoint.tables["history"][-1].tolist(), strict=True))
    start = StartState(row["pressure_MPa"], row["mean_lithiation"], row["terminal_voltage_V"])
    mesh = given or run / results.MESH / f"{case.name}.msh"
    if not mesh.is_file():
        raise _refused(run, f"its mesh {mesh} is not there any more")
    return Origin(run, case, mesh, found.path.name, start)


def check(origin: Origin, case: Case) -> None:
    """Whether a case can go on from there.

    Raises:
        InputError: It is no process, or its materials, interfaces or cell are others.
    """
    if case.process is None:
        raise InputError(
            _OPTION, "is not allowed: the case has a [drive]; only a [process] can go on from a run"
        )
    same = {
        "materials": case.materials == origin.case.materials,
        "interfaces": case.laws == origin.case.laws,
        "cell": case.file.cell == origin.case.file.cell,
    }
    for name, equal in same.items():
        if not equal:
            raise _refused(origin.run, f"its [{name}] differ from those of this case; they must be the same")


def load(origin: Origin, model: ElectrodeModel, comm: MPI.Intracomm) -> None:
    """Bring a model to that end; collective.

    Raises:
        InputError: The checkpoint is not sound any more, or belongs to another mesh.
    """
    keeper = StateKeeper(model)
    checkpoint: Checkpoint | None = None

    def look() -> None:
        nonlocal checkpoint
        identity = {"case": origin.case.content_hash, "mesh": keeper.mesh}
        found = restart.find(origin.run / results.STATE, identity)
        if found.checkpoint is None:
            raise _refused(origin.run, "its last checkpoint is not sound, or belongs to another mesh")
        checkpoint = found.checkpoint

    on_first_rank(comm, look)
    try:
        keeper.restore(checkpoint)
    except CheckpointError as error:
        raise _refused(origin.run, str(error).rstrip(".")) from error


def _refused(run: Path, why: str) -> InputError:
    return InputError(_OPTION, f"= {str(run)!r} is not allowed: {why}")
