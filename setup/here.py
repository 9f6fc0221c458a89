"""Route 1: the Python at hand has DOLFINx already (an active conda environment, a container, a cluster module)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.failure import SetupError
from setup.machine import Machine
from setup.packages import NEWEST_DOLFINX, OLDEST_DOLFINX, fingerprint
from setup.places import compiled_folder, environment_folder, log_file, remove_folder, write_stamp
from setup.route import Entry
from setup.variables import inside
from setup.venv import build_venv, verify, with_front

# Asks a Python what it has; the answer is the last line, because importing MPI may print.
PROBE = """
import json, sys
answer = {"python": sys.executable, "version": list(sys.version_info[:2]),
          "paths": [p for p in sys.path if p.rstrip("/").endswith(("site-packages", "dist-packages"))]}
try:
    import dolfinx
    answer["dolfinx"] = dolfinx.__version__
except Exception as error:
    answer["error"] = type(error).__name__
print("\\n" + json.dumps(answer))
"""
OLDEST_PYTHON = (3, 11)


class Here:
    """Uses an installed DOLFINx and adds what is missing beside it."""

    key = "here"
    name = "here"
    title = "the DOLFINx that is installed already"
    takes = "about a minute, less than 0.2 GB"

    def fingerprint(self) -> str:
        """The table of packages; another Python shows in `usable`."""
        return fingerprint()

    def refusal(self, machine: Machine) -> str | None:
        """Asks each Python at hand for DOLFINx."""
        reasons = []
        for python in candidates(machine):
            answer = probe(python)
            reason = shortcoming(python, answer) or _without_mpirun(machine, answer)
            if reason is None:
                return None
            reasons.append(reason)
        return reasons[0] if reasons else "there is no python3 on the path"

    def build(self, machine: Machine, lock: int) -> None:
        """Makes a virtual environment on top of the Python that has DOLFINx."""
        answers = [(python, probe(python)) for python in candidates(machine)]
        answer = next(answer for python, answer in answers if shortcoming(python, answer) is None)
        folder = environment_folder(self.name)
        remove_folder(folder)
        folder.mkdir(parents=True)
        base = str(answer["python"])
        variables = inside(self.name, mpi="")
        variables["PATH"] = with_front(machine.path, os.path.dirname(base))
        paths = tuple(str(path) for path in _list(answer["paths"]))
        venv = folder / "venv"
        build_venv(base, venv, log_file(self.name), lock, environment=variables, further_paths=paths)
        variables["PATH"] = with_front(variables["PATH"], str(venv / "bin"))
        found = verify((str(venv / "bin" / "python3"),), folder, log_file(self.name), lock, variables)
        write_stamp(folder, {**found, "fingerprint": self.fingerprint(), "base": base})

    def usable(self, stamp: Mapping[str, str]) -> bool:
        """Whether the Python underneath is still there and still first in line."""
        return os.path.exists(stamp.get("base", ""))

    def enter(self, stamp: Mapping[str, str], command: Sequence[str], folder: Path) -> Entry:
        """The virtual environment first on the path, then the Python underneath and its mpirun."""
        variables = inside(self.name, stamp["mpi"])
        venv = environment_folder(self.name) / "venv" / "bin"
        variables["PATH"] = with_front(variables["PATH"], str(venv), os.path.dirname(stamp["base"]))
        compiled_folder(self.name).mkdir(parents=True, exist_ok=True)
        return Entry(command, variables, folder)


def candidates(machine: Machine) -> list[str]:
    """Pythons to ask: the first on the path, then the system's, where Debian's packages are."""
    found = [machine.which("python3"), "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else None]
    return list(dict.fromkeys(python for python in found if python))


def probe(python: str) -> dict[str, object]:
    """Asks a Python for its version, its DOLFINx and its package folders; "error" is set where it has no DOLFINx."""
    try:
        done = subprocess.run(
            [python, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return {"error": "it does not start"}
    return answer if isinstance(answer, dict) else {"error": "it does not answer"}


def shortcoming(python: str, answer: Mapping[str, object]) -> str | None:
    """Why a Python does not do.

    Args:
        python: its path, for the sentence.
        answer: what `probe` returned.

    Returns:
        The reason, None where it does.
    """
    if "dolfinx" not in answer:
        return f"{python} has no DOLFINx"
    version = tuple(int(str(number)) for number in _list(answer["version"]))
    if version < OLDEST_PYTHON:
        return f"{python} has DOLFINx, but is Python {version[0]}.{version[1]} where 3.11 is needed"
    dolfinx = str(answer["dolfinx"])
    try:
        major, minor = (int(number) for number in dolfinx.split(".")[:2])
    except ValueError:
        return f"{python} has a DOLFINx that calls itself {dolfinx!r}"
    if not OLDEST_DOLFINX <= (major, minor) <= NEWEST_DOLFINX:
        return f"{python} has DOLFINx {dolfinx}, where 0.9 to 0.11 is needed"
    return None


def _without_mpirun(machine: Machine, answer: Mapping[str, object]) -> str | None:
    beside = os.path.join(os.path.dirname(str(answer["python"])), "mpirun")
    if machine.which("mpirun") or os.access(beside, os.X_OK):
        return None
    return f"{answer['python']} has DOLFINx, but there is no mpirun"


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise SetupError(f"{sys.executable} was told {value!r} where a list was asked for")
    return value
