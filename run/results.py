"""The files of a run folder: each written whole or not at all, and none with a NaN in it."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from run.errors import InputError, ResultsError
from run.process.columns import CYCLE_COLUMNS, JUMP_COLUMNS, STEP_COLUMNS

HISTORY, SUMMARY, STATUS, LOG = "history.csv", "summary.json", "status.json", "run.log"
CASE, RESOLVED, PARAMETERS, SECTIONS = "case.toml", "resolved.toml", "parameters.csv", "section.npz"
RUN = "run.json"
STEP_TABLE, CYCLE_TABLE, JUMP_TABLE = "steps.csv", "cycles.csv", "jumps.csv"
MESH, FIELDS, PICTURES, STATE, ADHESION, STEPS = "mesh", "fields", "pictures", "state", "adhesion", "steps"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; move it to ``path`` when the block ends without an exception.

    Raises:
        ResultsError: The file cannot be written; what was at ``path`` before is untouched.
    """
    aside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays at the end: NumPy and Matplotlib go by it.
        handle, aside = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        yield Path(aside)
        with open(aside, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
        aside = None
        _flush_folder(path.parent)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise ResultsError(
            f"{path} cannot be written: {reason}; free or choose another place with --out."
        ) from error
    finally:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """See to it that a renamed file is found under its new name even after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with written_whole(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, table: Mapping[str, Any]) -> None:
    """Write a table as JSON.

    Raises:
        ResultsError: A number in it is not finite, or the file cannot be written.
    """
    try:
        text = json.dumps(table, indent=2, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise ResultsError(
            f"{path} was not written: a number in it is not finite ({_not_finite(table)})."
        ) from error
    write_text(path, text + "\n")


def write_history(path: Path, columns: Mapping[str, str], rows: Sequence[Mapping[str, float]]) -> None:
    """Write the table of accepted steps as CSV.

    Args:
        path: The file.
        columns: Unit of each column ("1" for a plain number); the header reads ``name [unit]``.
        rows: One a step, each with every column.

    Raises:
        ResultsError: A number is not finite, a column is missing, or the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(f"{name} [{unit}]" for name, unit in columns.items())
    for number, row in enumerate(rows):
        for name in columns:
            if name not in row or not math.isfinite(row[name]):
                raise ResultsError(f"{path} was not written: {name} of row {number} is {row.get(name)}.")
        writer.writerow(_number(row[name]) for name in columns)
    write_text(path, text.getvalue())


def write_table(path: Path, columns: Mapping[str, str], blocks: Sequence[Mapping[str, Any]]) -> None:
    """Write blocks as CSV, one a line; a value a block lacks stays empty.

    Args:
        path: The file.
        columns: Unit of each column ("" for text); a dotted name leads into inner tables.
        blocks: The values.

    Raises:
        ResultsError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(f"{name} [{unit}]" if unit else name for name, unit in columns.items())
    for block in blocks:
        writer.writerow(_cell(_inner(block, name)) for name in columns)
    write_text(path, text.getvalue())


def write_steps(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write steps.csv, cycles.csv and, where cycles may be jumped over, jumps.csv from a summary that has steps."""
    if "steps" in summary:
        write_table(folder / STEP_TABLE, STEP_COLUMNS, summary["steps"])
        write_table(folder / CYCLE_TABLE, CYCLE_COLUMNS, summary["cycles"])
    if "cycling" in summary:
        write_table(folder / JUMP_TABLE, JUMP_COLUMNS, summary["cycling"]["jumps"])


def write_arrays(path: Path, arrays: Mapping[str, Any] | None) -> None:
    """Write arrays as a compressed ``.npz`` file; nothing where there are none.

    Raises:
        ResultsError: The file cannot be written.
    """
    if arrays is None:
        return
    with written_whole(path) as aside:
        named: dict[str, Any] = dict(arrays)
        np.savez_compressed(aside, allow_pickle=False, **named)


def read_history(path: Path) -> tuple[dict[str, str], list[dict[str, float]]]:
    """Read what ``write_history`` wrote: units and rows by the names of the columns.

    Raises:
        ResultsError: The file is missing or damaged.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
        header = [cell.removesuffix("]").split(" [") for cell in lines[0]]
        columns = {name: unit for name, unit in header}
        rows = [dict(zip(columns, map(float, line), strict=True)) for line in lines[1:]]
    except (OSError, ValueError, IndexError) as error:
        raise ResultsError(f"{path} cannot be read: {error}.") from error
    return columns, rows


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON table of a run folder.

    Raises:
        ResultsError: The file is missing or damaged.
    """
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read: {error}.") from error
    return table


def read_arrays(path: Path) -> dict[str, Any] | None:
    """Arrays by name of an ``.npz`` file; None where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def size_mib(folder: Path) -> float:
    """What the files of a folder take in MiB; zero where there is none."""
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20 if folder.is_dir() else 0.0


def prepare_folder(folder: Path) -> None:
    """Make a run folder, or clear an earlier run's files out of it (its meshes stay).

    Raises:
        InputError: The folder holds something that is no run, or cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / STATUS).is_file():
        raise InputError(
            "--out",
            f"= {str(folder)!r} is not allowed: it holds files that are no run of ours; choose another folder",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # status.json goes last: a folder without it would not be recognised as ours.
        for name in (
            SUMMARY,
            HISTORY,
            LOG,
            RUN,
            CASE,
            RESOLVED,
            PARAMETERS,
            SECTIONS,
            STEP_TABLE,
            CYCLE_TABLE,
            JUMP_TABLE,
        ):
            (folder / name).unlink(missing_ok=True)
        for inner in (PICTURES, STATE, FIELDS, ADHESION, STEPS):
            _clear(folder / inner)
        write_json(folder / STATUS, {"state": "starting"})
    except (OSError, ResultsError) as error:
        raise InputError(
            "--out", f"= {str(folder)!r} is not allowed: {error}; choose another folder"
        ) from error


def _clear(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            _clear(path)
            path.rmdir()
        else:
            path.unlink()


def _inner(block: Mapping[str, Any], name: str) -> Any:
    value: Any = block
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


def _not_finite(table: Mapping[str, Any], prefix: str = "") -> str:
    """Dotted name of the first number that is not finite."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = _not_finite(value, f"{prefix}{key}.")
            if inner:
                return inner
        elif isinstance(value, float) and not math.isfinite(value):
            return f"{prefix}{key} = {value}"
    return ""
