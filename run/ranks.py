"""What one rank does for all: its result, or its error, becomes that of every rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from mpi4py import MPI

T = TypeVar("T")


def on_first_rank(comm: MPI.Intracomm, action: Callable[[], T]) -> T:
    """Run ``action`` on rank 0 and give its result to all ranks; an exception there is raised on all."""
    result: T | None = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            result = action()
        except Exception as raised:  # it is raised again below, on every rank
            error = raised
    result, problem = comm.bcast(
        (result, None if error is None else (type(error), error.args, error.__dict__))
    )
    if error is not None:
        raise error
    if problem is not None:
        raise _rebuilt(*problem)
    return cast(T, result)


def _rebuilt(
    kind: type[Exception], arguments: tuple[object, ...], attributes: dict[str, object]
) -> Exception:
    """The exception of rank 0, whatever its constructor asks for."""
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(attributes)
    return error
