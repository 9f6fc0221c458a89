"""A run folder from its first file on: what was asked for, with what, and the log."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi4py import MPI

from fem.materials.base import parameters_of
from fem.model import ElectrodeModel
from run import about, results
from run.case import Case, load_case
from run.errors import InputError, ResultsError
from run.process.known import StartState
from run.ranks import on_first_rank
from run.toml_text import dumps
from run.units import split_number

if TYPE_CHECKING:
    from run.origin import Origin

LOG = logging.getLogger("swellbound")
# What counts of a law between phases that meet by sliding.
_PRESSED = ("contact_stiffness", "contact_stiffening_depth", "friction")


@contextmanager
def held(folder: Path, comm: MPI.Intracomm) -> Iterator[None]:
    """Keep a run folder to this run while the block lasts; a process that is killed lets go of it.

    Raises:
        InputError: Another run holds it; the same on every rank.
    """
    handle: int | None = None

    def take() -> None:
        nonlocal handle
        if not folder.is_dir():
            folder.mkdir(parents=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Some network file systems know no locks: nothing can be told there.
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise InputError(
                    "DIR", f"= {str(folder)!r} is in use by another run: wait for it, or end it first"
                ) from error

    def try_to_take() -> None:
        try:
            take()
        except OSError as error:
            raise InputError(
                "--out", f"= {str(folder)!r} is not allowed: {error.strerror}; choose another folder"
            ) from error

    try:
        on_first_rank(comm, try_to_take)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def begin(folder: Path, case: Case, mesh: Path | None, origin: Origin | None = None) -> None:
    """Clear a folder for a run and say in it what the run is.

    Args:
        folder: The run folder.
        case: The checked case.
        mesh: A mesh given by the user instead of the case's own, or None.
        origin: The run it goes on from, or None.

    Raises:
        InputError: The folder cannot be used.
        ResultsError: A file cannot be written.
    """
    results.prepare_folder(folder)
    results.write_text(folder / results.CASE, case.source)
    settings = "".join(f"# --set {setting}\n" for setting in case.settings)
    results.write_text(folder / results.RESOLVED, settings + dumps(case.resolved()))
    results.write_json(
        folder / results.RUN,
        {
            "case_hash": case.content_hash,
            "settings": list(case.settings),
            "mesh": None if mesh is None else str(mesh.resolve()),
            "from": None if origin is None else str(origin.run.resolve()),
            "start": None if origin is None else asdict(origin.start),
            "version": about.version(),
            "commit": about.commit(),
            "versions": about.versions(),
        },
    )


def open_again(folder: Path, option: str = "DIR") -> tuple[Case, Path | None, dict[str, Any]]:
    """The case of a run folder, the mesh its user gave, and its status. Nothing is changed.

    Raises:
        InputError: The folder holds no run that can go on.
    """
    for name in (results.RUN, results.RESOLVED, results.CASE, results.STATUS):
        if not (folder / name).is_file():
            raise InputError(
                option, f"= {str(folder)!r} is not allowed: it holds no {name}; give the folder of a run"
            )
    try:
        table = results.read_json(folder / results.RUN)
        status = results.read_json(folder / results.STATUS)
        start = table.get("start")
        case = load_case(folder / results.RESOLVED, start=None if start is None else StartState(**start))
        source = (folder / results.CASE).read_text(encoding="utf-8")
    except (ResultsError, OSError) as error:
        raise InputError(option, f"= {str(folder)!r} is not allowed: {error}") from error
    if case.content_hash != table["case_hash"]:
        raise InputError(
            option,
            f"= {str(folder)!r} is not allowed: its {results.RESOLVED} is not the case that was run, or not to this "
            "version; start it anew by swellbound run",
        )
    mesh = None if table["mesh"] is None else Path(table["mesh"])
    return replace(case, source=source, settings=tuple(table["settings"])), mesh, status


def write_parameters(folder: Path, model: ElectrodeModel, case: Case) -> None:
    """Every parameter of the phases and interfaces that occur, with unit, source and mark.

    Of pairs of phases that share no interface, what counts when they meet by sliding.

    Below them the numbers of [drive] and of process steps that came from a parameter file, in the unit they have there.
    """
    items: list[tuple[str, Any]] = [(f"materials.{m.phase}", m) for m in model.materials]
    items += [
        (f"interfaces.{kind}", law) for kind, law in zip(model.interfaces.kinds, model.laws, strict=True)
    ]
    listed = [(f"{owner}.{name}", p) for owner, item in items for name, p in parameters_of(item)]
    for kind, law in model.laws_by_search.items():
        pressed = {name: getattr(law, name) for name in _PRESSED}
        listed += [(f"interfaces.{kind}.{name}", p) for name, p in pressed.items() if p is not None]
    lines = ["parameter,value,unit,mark,source"]
    for name, p in listed:
        source = p.source.replace('"', "'")
        lines.append(f'{name},{p.value!r},{p.unit},{p.mark},"{source}"')
    for key, taken in (case.file.case.taken or {}).items():
        number, unit = split_number(taken.value) or (taken.value, "")
        source = taken.source.replace('"', "'")
        lines.append(f'{key},{number},{unit},{taken.mark},"{source}"')
    results.write_text(folder / results.PARAMETERS, "\n".join(lines) + "\n")


class _LogFile(logging.FileHandler):
    """A log that says nothing when the disk is full: the files that matter say it, once."""

    def handleError(self, record: logging.LogRecord) -> None:
        return


@contextmanager
def logged(path: Path, comm: MPI.Intracomm) -> Iterator[None]:
    """Write what rank 0 logs to a file, after what is there already.

    Raises:
        ResultsError: It cannot be written; the same on every rank.
    """
    handler: logging.Handler | None = None

    def open_file() -> None:
        nonlocal handler
        try:
            handler = _LogFile(path, encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"{path} cannot be written: {error.strerror or error}.") from error
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)
        LOG.propagate = False

    on_first_rank(comm, open_file)
    try:
        yield
    finally:
        if handler is not None:
            LOG.removeHandler(handler)
            handler.close()
