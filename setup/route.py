"""What every route to an environment offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from setup.machine import Machine


@dataclass(frozen=True)
class Entry:
    """A command ready to be started inside an environment."""

    command: Sequence[str]
    variables: Mapping[str, str]
    folder: Path


class Route(Protocol):
    """One way to an environment with DOLFINx.

    Attributes:
        key: short name, as in SWELLBOUND_ROUTE.
        name: name of the environment it makes, one folder each.
        title: what it is, for the user.
        takes: how long building takes and how much room it needs, for the user.
    """

    key: str
    name: str
    title: str
    takes: str

    def fingerprint(self) -> str:
        """Identifies what the environment is built from: another one means building anew."""

    def refusal(self, machine: Machine) -> str | None:
        """Why the route is not open on this machine; None where it is. Changes nothing."""

    def build(self, machine: Machine, lock: int) -> None:
        """Builds the environment, checks it and stamps it; clears what an interrupted attempt left."""

    def usable(self, stamp: Mapping[str, str]) -> bool:
        """Whether a stamped environment can still be entered."""

    def enter(self, stamp: Mapping[str, str], command: Sequence[str], folder: Path) -> Entry:
        """Prepares a command to run inside the environment, in a folder of the machine."""
