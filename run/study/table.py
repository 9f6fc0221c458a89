"""The results of a study as one table, a row a point: CSV for everyone, Parquet for data frames."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from run import results
from run.study.places import PARQUET, TABLE, Places, Standing
from run.study.points import Point, Study
from run.study.quantities import numbers_of
from run.toml_text import dumps

#: Columns before the settings and the numbers.
LEADING = ("point", "state", "reason", "run")


@dataclass(frozen=True)
class Row:
    """One point.

    Attributes:
        point: Which.
        standing: How far it is.
        numbers: Of a finished point: every number of its summary and of its adhesion test, by dotted name.
    """

    point: Point
    standing: Standing
    numbers: Mapping[str, float]

    @property
    def finished(self) -> bool:
        """Whether it has numbers."""
        return self.standing.state == "finished"


def collect(study: Study, places: Places) -> list[Row]:
    """A row for every point, finished or not.

    Raises:
        ResultsError: A file of a finished point is missing or damaged.
    """
    rows = []
    for point in study.points:
        standing = places.standing(point)
        numbers: Mapping[str, float] = {}
        if standing.state == "finished":
            tested = places.adhesion(point) if study.file.adhesion is not None else None
            numbers = numbers_of(places.summary(point), tested)
        rows.append(Row(point, standing, numbers))
    return rows


def values(rows: Sequence[Row], quantity: str) -> npt.NDArray[np.float64]:
    """One quantity of every row, NaN where a point has none, shape (rows,)."""
    return np.array([row.numbers.get(quantity, np.nan) for row in rows], dtype=np.float64)


def write(study: Study, places: Places, rows: Sequence[Row]) -> list[Path]:
    """Write the table as CSV and, where pyarrow is installed, as Parquet.

    Returns:
        The files that were written.

    Raises:
        ResultsError: One cannot be written.
    """
    columns = _columns(study, places, rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for line in zip(*columns.values(), strict=True):
        writer.writerow("" if cell is None else cell for cell in line)
    results.write_text(places.root / TABLE, text.getvalue())
    written = [places.root / TABLE]
    if _write_parquet(study, places.root / PARQUET, columns):
        written.append(places.root / PARQUET)
    return written


def _columns(study: Study, places: Places, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Every column by its name; None where a point has no such value."""
    columns: dict[str, list[Any]] = {
        "point": [row.point.name for row in rows],
        "state": [row.standing.state for row in rows],
        "reason": [row.standing.reason for row in rows],
        "run": [str(places.run(row.point).relative_to(places.root)) for row in rows],
    }
    for key in study.keys:
        columns[key] = _settings([dict(row.point.settings)[key] for row in rows])
    names = dict.fromkeys(name for row in rows for name in row.numbers)
    for name in names:
        # A quantity that is varied as well (a summary repeats the drive) keeps both columns apart.
        column = name if name not in columns else f"summary.{name}"
        columns[column] = [row.numbers.get(name) for row in rows]
    return columns


def _settings(given: Sequence[Any]) -> list[Any]:
    """Settings as cells: numbers or texts, one kind a column."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        return list(given)
    return [
        value if isinstance(value, str) else dumps({"v": [value]}).strip().removeprefix("v = ")[1:-1]
        for value in given
    ]


def _write_parquet(study: Study, path: Path, columns: Mapping[str, Sequence[Any]]) -> bool:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        path.unlink(missing_ok=True)  # one of an earlier call would not be that of the CSV beside it
        return False
    arrays = {name: arrow.array(_one_kind(cells)) for name, cells in columns.items()}
    table = arrow.table(arrays).replace_schema_metadata({"study": study.source})
    with results.written_whole(path) as aside:
        parquet.write_table(table, aside)
    return True


def _one_kind(cells: Sequence[Any]) -> list[Any]:
    """Whole numbers among fractions as fractions: a column has one type."""
    if any(isinstance(cell, float) for cell in cells):
        return [None if cell is None else float(cell) for cell in cells]
    return list(cells)
