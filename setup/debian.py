"""Route 3: Debian 13 with its own packages; and what it shares with the private root, apt on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.machine import DEFAULT_SUITE, Machine
from setup.packages import debian_packages, fingerprint
from setup.places import compiled_folder, environment_folder, log_file, remove_folder, write_stamp
from setup.process import run_logged
from setup.route import Entry
from setup.variables import inside, on_one_machine
from setup.venv import build_venv, verify, with_front

PYTHON = "/usr/bin/python3"  # Debian's own: another one first on the path does not see Debian's packages


class Debian:
    """Installs Debian 13 packages on this machine and adds what Debian lacks beside them."""

    key = "apt"
    name = "apt"
    title = "Debian 13 packages, installed on this machine with apt"
    takes = "2 to 5 minutes, about 2.5 GB"

    def fingerprint(self) -> str:
        """The table of packages."""
        return fingerprint()

    def refusal(self, machine: Machine) -> str | None:
        """Needs Debian 13, and root to install."""
        if machine.debian_release != DEFAULT_SUITE:
            return f"this is {machine.called}, not Debian 13"
        if machine.which("apt-get") is None:
            return "there is no apt-get"
        if machine.user != 0:
            return "installing Debian packages needs root"
        return None

    def build(self, machine: Machine, lock: int) -> None:
        """Installs, then makes a virtual environment on top."""
        folder = environment_folder(self.name)
        remove_folder(folder)
        folder.mkdir(parents=True)
        log = log_file(self.name)
        install(debian_packages(), log, lock, "installing Debian packages")
        variables = on_one_machine(inside(self.name, mpi=""))
        variables["PATH"] = with_front(machine.path, "/usr/bin")
        venv = folder / "venv"
        build_venv(PYTHON, venv, log, lock, environment=variables)
        variables["PATH"] = with_front(variables["PATH"], str(venv / "bin"))
        found = verify((str(venv / "bin" / "python3"),), folder, log, lock, variables)
        write_stamp(folder, {**found, "fingerprint": self.fingerprint()})

    def usable(self, stamp: Mapping[str, str]) -> bool:
        """Whether its Python still starts where it did."""
        return (environment_folder(self.name) / "venv" / "bin" / "python3").exists()

    def enter(self, stamp: Mapping[str, str], command: Sequence[str], folder: Path) -> Entry:
        """The virtual environment first on the path, then Debian's own programs."""
        variables = on_one_machine(inside(self.name, stamp["mpi"]))
        venv = environment_folder(self.name) / "venv" / "bin"
        variables["PATH"] = with_front(variables["PATH"], str(venv), "/usr/bin")
        compiled_folder(self.name).mkdir(parents=True, exist_ok=True)
        return Entry(command, variables, folder)


def install(packages: Sequence[str], log: Path, lock: int, purpose: str) -> None:
    """Installs packages on this machine with apt, after finishing what an interrupted dpkg may have left.

    Args:
        packages: their names.
        log: log file.
        lock: descriptor of the set-up's lock.
        purpose: what for, for the user.

    Raises:
        SetupError: apt failed.
    """
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    steps = (
        ("finishing interrupted installations", ["dpkg", "--configure", "-a"]),
        ("reading the package lists", ["apt-get", "update", "-q"]),
        (purpose, ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]),
    )
    for what, command in steps:
        run_logged(command, log, what, lock=lock, environment=quiet, dies_with_setup=False)
