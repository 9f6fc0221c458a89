"""A Python environment on top of an installed Python, for the few packages that one lacks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from setup.packages import read_packages
from setup.process import run_logged


def pip_requirements() -> list[str]:
    """Everything that pip may install; what is there already in the right range, pip leaves alone."""
    return [package.pip for package in read_packages() if package.pip]


def build_venv(
    python: str,
    folder: Path,
    log: Path,
    lock: int,
    *,
    environment: Mapping[str, str],
    prefix: tuple[str, ...] = (),
    further_paths: tuple[str, ...] = (),
) -> None:
    """Makes the environment and installs what is missing, with the machine's own pip configuration.

    Args:
        python: the Python that has DOLFINx.
        folder: where the environment goes, as that Python sees it.
        log: log file.
        lock: descriptor of the set-up's lock.
        environment: variables for pip.
        prefix: what to start these programs with (entering a private root).
        further_paths: package folders to be seen as well: needed where `python` is in a virtual environment itself,
            whose packages a second one does not see.

    Raises:
        SetupError: a step failed.
    """
    run_logged(
        [*prefix, python, "-m", "venv", "--system-site-packages", "--without-pip", str(folder)],
        log,
        "making a Python environment",
        lock=lock,
        environment=environment,
    )
    inner = folder / "bin" / "python3"
    if further_paths:
        (packages,) = folder.glob("lib/python3*/site-packages")
        (packages / "swellbound-base.pth").write_text("\n".join(further_paths) + "\n", encoding="utf-8")
    run_logged(
        [
            *prefix,
            str(inner),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            *pip_requirements(),
        ],
        log,
        "installing what is missing with pip",
        lock=lock,
        environment=environment,
    )


def verify(
    command: tuple[str, ...], folder: Path, log: Path, lock: int, environment: Mapping[str, str]
) -> dict[str, str]:
    """Lets a finished environment prove itself (verify.py).

    Args:
        command: starts its Python.
        folder: where it may leave its answer.
        log: log file.
        lock: descriptor of the set-up's lock.
        environment: variables inside it.

    Returns:
        The versions that it found, by "dolfinx" and "mpi".

    Raises:
        SetupError: something needed does not work.
    """
    answer = folder / "versions.json"
    run_logged(
        [*command, "-m", "setup.verify", str(answer)],
        log,
        "checking the environment",
        lock=lock,
        environment=environment,
    )
    versions = json.loads(answer.read_text(encoding="utf-8"))
    return {key: str(versions[key]) for key in ("dolfinx", "mpi")}


def with_front(path: str, *folders: str) -> str:
    """PATH with folders put in front."""
    return os.pathsep.join([*folders, path])
