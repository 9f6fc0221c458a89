"""What the set-up needs to know about the machine it runs on."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup.failure import SetupError

SUITES = ("trixie", "sid")  # Debian releases with DOLFINx 0.9 and 0.11
DEFAULT_SUITE = "trixie"
ROUTES = ("here", "conda", "apt", "root")


@dataclass(frozen=True)
class Machine:
    """A machine and the user's wishes.

    Attributes:
        path: where programs are looked for, as in PATH.
        user: numeric user id, 0 for root.
        platform: as sys.platform.
        distribution: keys and values of /etc/os-release; empty where there is none.
        suite: Debian release asked for by SUITE, None for whatever works.
        route: the only route allowed, asked for by SWELLBOUND_ROUTE, None for the first that works.
    """

    path: str
    user: int
    platform: str
    distribution: Mapping[str, str]
    suite: str | None
    route: str | None

    def which(self, program: str) -> str | None:
        """Full path of a program, None where it is not on the path."""
        return shutil.which(program, path=self.path)

    @property
    def debian_family(self) -> bool:
        """Debian, or a distribution made from it, with apt."""
        names = [self.distribution.get("ID", ""), *self.distribution.get("ID_LIKE", "").split()]
        return "debian" in names and self.which("apt-get") is not None

    @property
    def debian_release(self) -> str | None:
        """Code name of the Debian release, None on anything else, its derivatives included."""
        if self.distribution.get("ID") != "debian":
            return None
        return self.distribution.get("VERSION_CODENAME")

    @property
    def called(self) -> str:
        """What the machine's system calls itself."""
        return self.distribution.get("PRETTY_NAME", self.platform)


def look_around(
    environ: Mapping[str, str] | None = None, os_release: Path = Path("/etc/os-release")
) -> Machine:
    """Gathers the facts.

    Args:
        environ: environment variables; this process's if None.
        os_release: the file by which Linux distributions name themselves.

    Returns:
        The machine.

    Raises:
        SetupError: SUITE or SWELLBOUND_ROUTE holds something else than it may.
    """
    variables = os.environ if environ is None else environ
    return Machine(
        path=variables.get("PATH", os.defpath),
        user=os.getuid(),
        platform=sys.platform,
        distribution=read_os_release(os_release),
        suite=_one_of(variables, "SUITE", SUITES),
        route=_one_of(variables, "SWELLBOUND_ROUTE", ROUTES),
    )


def read_os_release(path: Path) -> dict[str, str]:
    """Reads KEY=value lines, quotes removed; empty where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def _one_of(variables: Mapping[str, str], key: str, allowed: tuple[str, ...]) -> str | None:
    value = variables.get(key, "")
    if value and value not in allowed:
        raise SetupError(f"{key} is {value!r}, but must be one of {', '.join(allowed)} or unset")
    return value or None
