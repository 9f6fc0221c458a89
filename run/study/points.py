"""The points of a study: for each a complete case, checked before anything is run, known by the hash of the case."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from run.case import Case, check_case, load_case
from run.errors import InputError
from run.overrides import unknown_key
from run.study.quantities import check_names
from run.study.sampling import Factor, factors, sample
from run.study.tables import (
    DesignTable,
    MeshRefinementTable,
    SeedsTable,
    StudyFile,
    checked,
    read_study,
)
from run.toml_text import apply_setting, dumps, flattened, setting_text

#: Fewest levels of a mesh study, and smallest ratio of two neighbouring element sizes.
FEWEST_LEVELS, SMALLEST_RATIO = 4, 1.1
#: Letters of the hash that name a point.
_LETTERS = 12
Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Point:
    """One run of a study.

    Attributes:
        name: The first letters of the hash of its case: the same case has the same name in every study.
        settings: What it differs in from the case of the study, key and value.
        case: Its checked case.
    """

    name: str
    settings: Settings
    case: Case

    @property
    def text(self) -> str:
        """Its case file: complete, with every default written out."""
        words = "".join(f"# {setting_text(key, value)}\n" for key, value in self.settings)
        return f"# {self.case.file.case.description}\n{words}{dumps(self.case.resolved())}"


@dataclass(frozen=True)
class Study:
    """A checked study.

    Attributes:
        file: The tables.
        points: In the order they are run.
        source: Text of the study file.
        path: Where it was.
        given: The ``--set`` of the command line.
    """

    file: StudyFile
    points: tuple[Point, ...]
    source: str
    path: Path
    given: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        """What differs from point to point, in the order of the file."""
        return [key for key, _ in self.points[0].settings]


def load_study(path: Path, given: Sequence[str] = ()) -> Study:
    """Read a study file and check every one of its points.

    Args:
        path: The study file.
        given: ``table.key=value`` of the command line, for all points, after those of [set].

    Raises:
        InputError: The first mistake, in the study file or in a case that it leads to.
    """
    file, source = read_study(path)
    check_names(file.study.quantities, file.adhesion is not None)
    base = (path.parent / file.study.case).resolve()
    if not base.is_file():
        raise InputError(
            "study.case", f"= {file.study.case!r} is not allowed: there is no file {base}; correct the path"
        )
    common = [setting_text(key, value) for key, value in flattened(file.set).items()]
    case = load_case(base, [*common, *given])
    points: dict[str, Point] = {}
    for settings in _settings(file, case):
        point = made_point(file.study.name, case, settings)
        if point.name in points:
            words = ", ".join(setting_text(key, value) for key, value in settings)
            raise InputError(file.study.kind, f"gives the same case twice ({words}): leave one out")
        points[point.name] = point
    return Study(file, tuple(points.values()), source, path, tuple(given))


def _settings(file: StudyFile, case: Case) -> list[Settings]:
    """What each point differs in."""
    kind = file.study.kind
    if kind == "mesh_refinement":
        return _levels(checked(MeshRefinementTable, file.own, kind), case)
    if kind == "seeds":
        return _seeds(checked(SeedsTable, file.own, kind), case)
    if kind == "sweep":
        return _grid(file.own, case)
    design = checked(DesignTable, file.own, kind)
    varied = factors(design.bounds)
    _check_keys([factor.key for factor in varied], case, "design.bounds")
    return _design(design, varied)


def _levels(table: MeshRefinementTable, case: Case) -> list[Settings]:
    """The same recipe with ever smaller elements, the coarsest first."""
    where = "mesh_refinement.element_sizes_um"
    if case.recipe is None:
        raise InputError(
            "study.case", f"= {str(case.path)!r} is not allowed: [mesh] holds no recipe to refine"
        )
    sizes = sorted(table.element_sizes_um, reverse=True)
    if len(sizes) < FEWEST_LEVELS:
        raise InputError(
            where, f"= {table.element_sizes_um} is not allowed: an order needs {FEWEST_LEVELS} sizes at least"
        )
    for coarse, fine in itertools.pairwise(sizes):
        if coarse / fine < SMALLEST_RATIO:
            raise InputError(
                where,
                f"= {table.element_sizes_um} is not allowed: {coarse:g} and {fine:g} are too close, neighbours must "
                f"differ by a factor of {SMALLEST_RATIO:g} at least",
            )
    resolution = case.recipe.resolution
    ratio = resolution.interface_element_size_um / resolution.element_size_um
    return [
        (
            ("mesh.resolution.element_size_um", size),
            ("mesh.resolution.interface_element_size_um", float(f"{ratio * size:.6g}")),
        )
        for size in sizes
    ]


def _seeds(table: SeedsTable, case: Case) -> list[Settings]:
    if case.recipe is None:
        raise InputError(
            "study.case", f"= {str(case.path)!r} is not allowed: [mesh] holds no recipe with a seed"
        )
    if len(table.seeds) < 2:
        raise InputError("seeds.seeds", f"= {table.seeds} is not allowed: a spread needs two seeds at least")
    if table.widths_um is None:
        return [(("mesh.seed", seed),) for seed in table.seeds]
    if not table.widths_um:
        raise InputError(
            "seeds.widths_um", "= [] is not allowed: name one width at least, or leave the key out"
        )
    return [
        (("mesh.width_um", width), ("mesh.seed", seed)) for width in table.widths_um for seed in table.seeds
    ]


def _grid(table: Mapping[str, Any], case: Case) -> list[Settings]:
    """Every combination of the values; the last key runs fastest."""
    axes = flattened(table)
    if not axes:
        raise InputError(
            "sweep", 'is empty: add KEY = [VALUE, …], for example drive.stack_pressure = ["1 MPa"]'
        )
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            raise InputError(
                f"sweep.{key}", f"= {values!r} is not allowed: it must be a list of one value at least"
            )
    _check_keys(list(axes), case, "sweep")
    return [tuple(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _design(table: DesignTable, varied: Sequence[Factor]) -> list[Settings]:
    shares = sample(table, len(varied))
    return [
        tuple((factor.key, factor.value(float(share))) for factor, share in zip(varied, row, strict=True))
        for row in shares
    ]


def _check_keys(keys: Sequence[str], case: Case, where: str) -> None:
    """What is varied begins with a table of the case file; the rest the check of each case finds."""
    tables = [name for name in type(case.file).model_fields if name != "case"]
    for key in keys:
        if key.split(".")[0] not in tables:
            raise unknown_key(f"{where}.{key}", key.split(".")[0], {}, tables)


def made_point(study: str, case: Case, settings: Settings, shown: Settings | None = None) -> Point:
    """The case of one point, read from the very text that will be its case file.

    Args:
        study: Name of what it belongs to.
        case: What it starts from.
        settings: Keys of the case file it differs in.
        shown: What is told of that, where it is not the settings themselves.

    Raises:
        InputError: The case is not allowed with these settings.
    """
    table: dict[str, Any] = tomllib.loads(case.source)
    for text in (*case.settings, *(setting_text(key, value) for key, value in settings)):
        apply_setting(table, text)
    resolved = check_case(table, case.source, (), case.path).resolved()
    made = check_case(resolved, "", (), case.path)
    name = made.content_hash.removeprefix("sha256:")[:_LETTERS]
    told = settings if shown is None else shown
    words = ", ".join(f"{key} = {value}" for key, value in told)
    named = {"name": f"{study}-{name}", "description": f"{study}: {words}"}
    resolved["case"] = {**resolved["case"], **named}
    return Point(name, told, check_case(resolved, dumps(resolved), (), case.path))


def settings_in_words(point: Point) -> str:
    """What a point differs in, short."""
    return ", ".join(f"{key.split('.')[-1]} {value}" for key, value in point.settings)
