"""What one rank finds, for tests that compare several ranks with it: worked out once in a call of `make test`.

setup/check.py names a folder, new with every call. What the first of its stages that needs an answer finds is kept
there, and the stages on other numbers of ranks read it. Without such a folder the first rank works it out for all.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpi4py import MPI

from setup.check import ALONE


def alone(comm: MPI.Intracomm, name: str, compute: Callable[[MPI.Intracomm], Any]) -> Any:
    """What a function finds on one rank; collective, the same on every rank.

    Args:
        comm: The ranks that compare themselves with it.
        name: Of what is found, made of letters and digits; no other in the same file has it.
        compute: Gets the communicator of one rank; gives something that can be pickled.

    Raises:
        AssertionError: It failed on the first rank.
    """
    found, error = None, ""
    if comm.rank == 0:
        try:
            found = _kept(f"{compute.__module__}.{name}", compute)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
            if comm.size == 1:
                raise
    found, error = comm.bcast((found, error))
    if error:
        raise AssertionError(f"on one rank: {error}")
    return found


def _kept(name: str, compute: Callable[[MPI.Intracomm], Any]) -> Any:
    folder = os.environ.get(ALONE)
    if not folder:
        return compute(MPI.COMM_SELF)
    path = Path(folder) / f"{name}.pickle"
    if path.is_file():
        return pickle.loads(path.read_bytes())
    found = compute(MPI.COMM_SELF)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as aside:
        pickle.dump(found, aside)
    os.replace(aside.name, path)
    return found
