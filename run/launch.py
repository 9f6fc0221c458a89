"""Starts a program of ours on several MPI ranks from a process that is none of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from run.errors import InputError

#: What an MPI process finds in its environment about itself: not for the ranks that are started from it.
_OWN = ("PMIX_", "PMI_", "OMPI_COMM_", "OMPI_UNIVERSE", "PRTE_LAUNCHED", "PRTE_JOB")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def command_on_ranks(ranks: int, module: str, arguments: Sequence[str]) -> list[str]:
    """The command ``python3 -m module arguments`` on some ranks; one is started without mpirun.

    Raises:
        InputError: There is no mpirun.
    """
    command = [sys.executable, "-m", module, *arguments]
    if ranks == 1:
        return command
    launcher = shutil.which("mpirun") or shutil.which("mpiexec")
    if launcher is None:
        raise InputError(
            "mpirun", f"is not on the path: {ranks} ranks need it; start this inside `make shell`"
        )
    return [launcher, "-n", str(ranks), *command]


def environment_for_ranks() -> dict[str, str]:
    """Variables for a program that starts ranks: this process's without what says that it is a rank itself."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_OWN)}
    environment.setdefault("OMP_NUM_THREADS", "1")
    return environment


def on_ranks(
    ranks: int, module: str, arguments: Sequence[str], capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run ``python3 -m module arguments`` on some ranks and wait for its end.

    Args:
        ranks: How many; one is started without mpirun.
        module: A module of ours.
        arguments: For it.
        capture: Whether its output is kept instead of shown.

    Raises:
        InputError: There is no mpirun.
    """
    return subprocess.run(
        command_on_ranks(ranks, module, arguments),
        env=environment_for_ranks(),
        check=False,
        text=True,
        capture_output=capture,
        stdin=subprocess.DEVNULL,
    )
