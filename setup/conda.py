"""Route 2: an environment of conda-forge packages, by mamba, micromamba or conda."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.failure import SetupError
from setup.machine import Machine
from setup.packages import REPOSITORY, fingerprint
from setup.places import compiled_folder, environment_folder, log_file, remove_folder, write_stamp
from setup.process import run_logged
from setup.route import Entry
from setup.variables import inside
from setup.venv import verify, with_front

SPECIFICATION = REPOSITORY / "environment.yml"
PROGRAMS = ("mamba", "micromamba", "conda")  # the quicker solvers first

# What `activate` does that matters here, the same for all three programs: the compilers announce themselves by scripts.
ACTIVATE = 'for s in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do [ -e "$s" ] && . "$s"; done; exec "$@"'


class Conda:
    """Makes an environment of its own from environment.yml and leaves the user's environments alone."""

    key = "conda"
    name = "conda"
    title = "conda-forge packages (environment.yml)"
    takes = "5 to 15 minutes, about 4 GB"

    def fingerprint(self) -> str:
        """The table of packages and environment.yml."""
        return fingerprint(SPECIFICATION.read_text(encoding="utf-8"))

    def refusal(self, machine: Machine) -> str | None:
        """Looks for one of the programs."""
        if program(machine) is None:
            return "there is no conda, mamba or micromamba"
        return None

    def build(self, machine: Machine, lock: int) -> None:
        """Makes the environment in place: conda writes its path into many files, so it cannot be moved."""
        tool = program(machine)
        if tool is None:
            raise SetupError("conda has gone")
        folder = environment_folder(self.name)
        remove_folder(folder)
        folder.mkdir(parents=True)
        variables = dict(os.environ, CONDA_ALWAYS_YES="true", MAMBA_ALWAYS_YES="true")
        run_logged(
            create_command(tool, folder / "prefix"),
            log_file(self.name),
            f"installing conda-forge packages with {os.path.basename(tool)}",
            lock=lock,
            environment=variables,
        )
        entry = self.enter({"mpi": ""}, ["python3"], REPOSITORY)
        found = verify(tuple(entry.command), folder, log_file(self.name), lock, entry.variables)
        write_stamp(folder, {**found, "fingerprint": self.fingerprint(), "tool": tool})

    def usable(self, stamp: Mapping[str, str]) -> bool:
        """Whether its Python is still there; the program that made it is no longer needed."""
        return (environment_folder(self.name) / "prefix" / "bin" / "python3").exists()

    def enter(self, stamp: Mapping[str, str], command: Sequence[str], folder: Path) -> Entry:
        """The environment first on the path, its activation scripts read."""
        prefix = environment_folder(self.name) / "prefix"
        variables = inside(self.name, stamp["mpi"])
        variables["CONDA_PREFIX"] = str(prefix)
        variables["PATH"] = with_front(variables["PATH"], str(prefix / "bin"))
        # Packages that the user installed for another Python of the same version stay out.
        variables["PYTHONNOUSERSITE"] = "1"
        compiled_folder(self.name).mkdir(parents=True, exist_ok=True)
        return Entry(["bash", "-c", ACTIVATE, "bash", *command], variables, folder)


def program(machine: Machine) -> str | None:
    """The first of the programs on the path; conda may also announce itself by CONDA_EXE only."""
    for name in PROGRAMS:
        found = machine.which(name)
        if found:
            return found
    announced = os.environ.get("CONDA_EXE") or os.environ.get("MAMBA_EXE")
    return announced if announced and os.access(announced, os.X_OK) else None


def create_command(tool: str, prefix: Path) -> list[str]:
    """The command that makes an environment from environment.yml.

    Args:
        tool: path of conda, mamba or micromamba.
        prefix: folder of the new environment.
    """
    verb = ["create"] if os.path.basename(tool) == "micromamba" else ["env", "create"]
    return [tool, *verb, "-p", str(prefix), "-f", str(SPECIFICATION)]
