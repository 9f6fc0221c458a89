"""What a study comes to, by its kind: orders and limits, spreads, curves, rank correlations; as one JSON table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from run.study import table
from run.study.places import Places
from run.study.points import Study, settings_in_words
from run.study.richardson import Convergence, convergence
from run.study.spread import RankCorrelation, Spread, rank_correlation, spread
from run.study.table import Row
from run.study.tables import SeedsTable, checked
from run.study.values import axis

#: Levels that a mesh study needs to say anything.
_FEWEST = 3


@dataclass(frozen=True)
class Levels:
    """The levels of a mesh study that can be compared, the coarsest first.

    Attributes:
        sizes: Mean element sizes in µm, shape (levels,).
        rows: Of the levels.
        notes: What was left out, and why.
    """

    sizes: npt.NDArray[np.float64]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def analyse(study: Study, places: Places, rows: Sequence[Row]) -> dict[str, Any]:
    """What the finished points say, quantity by quantity.

    Returns:
        A table of JSON without a NaN in it.

    Raises:
        ResultsError: The sidecar of a mesh is missing.
    """
    kind, quantities = study.file.study.kind, study.file.study.quantities
    states: list[str] = [row.standing.state for row in rows]
    said: dict[str, Any] = {
        "study": study.file.study.name,
        "kind": kind,
        "description": study.file.study.description,
        "settings": list(study.given),
        "points": {state: states.count(state) for state in ("finished", "failed", "unfinished", "waiting")},
        "failed": [
            {"point": row.point.name, "settings": dict(row.point.settings), "reason": row.standing.reason}
            for row in rows
            if row.standing.state == "failed"
        ],
        "missing": missing(rows, quantities),
        "notes": [
            f"{row.point.name} ({settings_in_words(row.point)}): {row.standing.reason}"
            for row in rows
            if row.finished and row.standing.reason
        ],
    }
    if kind == "mesh_refinement":
        levels = levels_of(places, rows)
        said["notes"] += levels.notes
        said["element_sizes_um"] = levels.sizes.tolist()
        said["cells"] = [row.numbers["cells"] for row in levels.rows]
        found = {name: convergence_of(levels, name) for name in quantities}
        said["quantities"] = {
            name: {**asdict(one), "values": table.values(levels.rows, name).tolist()}
            for name, one in found.items()
            if one is not None
        }
    elif kind == "seeds":
        said["quantities"] = {
            name: [{**group, **asdict(sample)} for group, sample in spreads(study, rows, name)]
            for name in quantities
        }
    elif kind == "design":
        said["quantities"] = {
            name: {key: asdict(one) for key, one in correlations(study, rows, name).items()}
            for name in quantities
        }
    else:
        said["quantities"] = {name: _plain(table.values(rows, name)) for name in quantities}
        said["points_in_order"] = [dict(row.point.settings) for row in rows]
    return said


def missing(rows: Sequence[Row], quantities: Sequence[str]) -> list[str]:
    """Quantities that no finished point has, where there is one."""
    finished = [row for row in rows if row.finished]
    return [name for name in quantities if finished and not any(name in row.numbers for row in finished)]


def levels_of(places: Places, rows: Sequence[Row]) -> Levels:
    """The finished levels of a mesh study that show the same geometry as the finest of them."""
    finished = [row for row in rows if row.finished]
    sidecars = [places.sidecar(row.point) for row in finished]
    notes, kept, sizes = [], [], []
    for row, sidecar in zip(finished, sidecars, strict=True):
        if _geometry(sidecar) != _geometry(sidecars[-1]):
            # Where an attempt at meshing fails the next one draws other grains: a level of another geometry.
            notes.append(
                f"{settings_in_words(row.point)}: left out, its mesh shows other grains than the finest one"
            )
            continue
        kept.append(row)
        sizes.append(mean_size(sidecar))
    order = np.argsort(sizes)[::-1]
    return Levels(np.array(sizes)[order], tuple(kept[number] for number in order), tuple(notes))


def mean_size(sidecar: Mapping[str, Any]) -> float:
    """Edge in µm of the equilateral triangle (regular tetrahedron in 3D) with the mean area (volume) of the cells."""
    cells = sidecar["quality"]["cells"]
    if sidecar["dimension"] == 2:
        return math.sqrt(4.0 / math.sqrt(3.0) * sum(grain["area_um2"] for grain in sidecar["grains"]) / cells)
    volume = sum(grain["volume_um3"] for grain in sidecar["grains"])
    return float((6.0 * math.sqrt(2.0) * volume / cells) ** (1.0 / 3.0))


def convergence_of(levels: Levels, quantity: str) -> Convergence | None:
    """How a quantity converges; None with fewer than three levels that have it."""
    values = table.values(levels.rows, quantity)
    known = np.isfinite(values)
    if np.count_nonzero(known) < _FEWEST:
        return None
    return convergence(levels.sizes[known].tolist(), values[known].tolist())


def spreads(study: Study, rows: Sequence[Row], quantity: str) -> list[tuple[dict[str, Any], Spread]]:
    """Mean and spread over the seeds, for every width of a seed study; groups with fewer than two are left out."""
    confidence = checked(SeedsTable, study.file.own, "seeds").confidence
    found = []
    for group, members in groups(rows).items():
        values = [float(value) for value in table.values(members, quantity) if math.isfinite(value)]
        if len(values) >= 2:
            found.append((dict(group), spread(values, confidence)))
    return found


def groups(rows: Sequence[Row]) -> dict[tuple[tuple[str, Any], ...], list[Row]]:
    """Rows by all their settings but the last, in order: the seeds of each width."""
    found: dict[tuple[tuple[str, Any], ...], list[Row]] = {}
    for row in rows:
        found.setdefault(row.point.settings[:-1], []).append(row)
    return found


def correlations(study: Study, rows: Sequence[Row], quantity: str) -> dict[str, RankCorrelation]:
    """Rank correlation of a quantity with each factor that can be put in order."""
    values = table.values(rows, quantity)
    known = np.isfinite(values)
    found = {}
    for key in study.keys:
        numbers = axis([dict(row.point.settings)[key] for row in rows])
        if numbers is None:
            continue
        one = rank_correlation(numbers[0][known].tolist(), values[known].tolist())
        if one is not None:
            found[key] = one
    return found


def _geometry(sidecar: Mapping[str, Any]) -> object:
    """What is the same for the same grains: their names and areas to a millionth."""
    size = "area_um2" if sidecar["dimension"] == 2 else "volume_um3"
    return [(grain["name"], f"{grain[size]:.5g}") for grain in sidecar["grains"]]


def _plain(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]
