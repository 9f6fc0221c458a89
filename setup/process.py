"""Starts the programs that build an environment: output to a log, no orphans left at work."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from setup.failure import SetupError
from setup.packages import REPOSITORY

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def say(text: str) -> None:
    """One line to the user, on standard error so that it never mixes with results."""
    print(f"swellbound set-up: {text}", file=sys.stderr, flush=True)


def _die_with_parent() -> None:
    """In the child: asks the kernel to kill it when the set-up is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def succeeds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Whether a short command exists and exits with zero; its output is dropped."""
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def run_logged(
    command: Sequence[str],
    log: Path,
    purpose: str,
    *,
    lock: int,
    environment: Mapping[str, str] | None = None,
    dies_with_setup: bool = True,
    every_seconds: float = 30.0,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Runs one step of building an environment, in the repository's folder.

    Args:
        command: program and arguments.
        log: file that its output is appended to.
        purpose: what it does, for the user ("installing Debian packages").
        lock: descriptor of the set-up's lock, which the program inherits.
        environment: its variables; this process's if None.
        dies_with_setup: whether it is killed when the set-up is; not for the machine's own package manager, which is
            better left to finish.
        every_seconds: how often the user is told that it is still at work.
        clock: seconds that only grow.

    Raises:
        SetupError: the program is missing or exits with other than zero; the text names the last line of its output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start = clock()
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(command)}\n".encode())
        output.flush()
        begin = output.tell()
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=REPOSITORY,
                pass_fds=(lock,),
                preexec_fn=_die_with_parent if dies_with_setup and sys.platform == "linux" else None,
            )
        except OSError as error:
            raise SetupError(
                f"{purpose} failed: {command[0]} cannot be started ({error.strerror})"
            ) from error
        try:
            while True:
                try:
                    status = child.wait(timeout=every_seconds)
                    break
                except subprocess.TimeoutExpired:
                    say(f"{purpose}, {clock() - start:.0f} s")
        except BaseException:
            child.kill()
            child.wait()
            raise
    if status != 0:
        raise SetupError(f"{purpose} failed ({last_line(log, begin)}; everything it said is in {log})")


def last_line(log: Path, begin: int) -> str:
    """The line of a log that says best why a program failed.

    Args:
        log: the log.
        begin: where the program's output starts, bytes.

    Returns:
        Its first line starting with an error mark (`E:` of apt, `ERROR` of pip), else its last one.
    """
    with log.open("rb") as stream:
        stream.seek(begin, os.SEEK_SET)
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return "it said nothing"
    errors = [line for line in lines if line.lower().startswith(("e:", "error"))]
    return (errors or lines[-1:])[0].rstrip(".")
