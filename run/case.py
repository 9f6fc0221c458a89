"""The case file: what a user writes, checked key by key before anything is meshed.

Values carry their unit as text ("60 degC") or in the key (``width_um``). Every error is one sentence that names the
key, its value and what is allowed.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import meshes
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import Material
from run import units
from run.case_mistakes import input_error, recipe_error, shipped_cases
from run.case_tables import CaseFile, MeshFileTable
from run.errors import InputError
from run.overrides import laws_with, materials_with
from run.parameter_file import with_parameters
from run.process.cycling import CyclingTable
from run.process.known import StartState
from run.process.plan import Plan as ProcessPlan
from run.process.reading import read_process
from run.process.steps import written
from run.toml_text import apply_setting


@dataclass(frozen=True)
class Case:
    """A checked case.

    Attributes:
        file: The tables.
        recipe: Of the mesh, or None for a mesh made elsewhere.
        mesh_file: The mesh made elsewhere, or None.
        plan: What the recipe amounts to, or None.
        materials: By phase, with the file's values.
        laws: By kind of interface, with the file's values.
        process: The steps of [process] written out and checked, or None for a [drive].
        source: Text of the case file as it was read.
        settings: The ``--set`` that were applied.
        path: Where the case file was.
        image: What a mesh from an image is made from, or None.
    """

    file: CaseFile
    recipe: meshes.Recipe | None
    mesh_file: MeshFileTable | None
    plan: meshes.Plan | None
    materials: dict[str, Material]
    laws: dict[str, InterfaceLaw]
    process: ProcessPlan | None
    source: str
    settings: tuple[str, ...]
    path: Path
    image: meshes.ImageRecipe | None = None

    @property
    def name(self) -> str:
        """The case's name."""
        return self.file.case.name

    def resolved(self) -> dict[str, Any]:
        """The case with every default written out; reading it again gives the same case."""
        table = self.file.model_dump(mode="json")
        mesh: meshes.Recipe | MeshFileTable | meshes.ImageRecipe | None
        mesh = self.recipe or self.mesh_file or self.image
        table["mesh"] = mesh.model_dump(mode="json") if mesh is not None else {}
        if self.process is None:
            table["drive"]["until_mean_lithiation"] = self.file.drive.end_lithiation
            del table["process"], table["cell"]
        else:
            table["process"]["steps"] = [written(step) for step in self.process.given]
            del table["drive"]
        # Without jumps the table would say nothing, and runs from before there was one can go on.
        del table["cycling"]
        if self.process is not None and self.process.jumps:
            table["cycling"] = (self.file.cycling or CyclingTable()).model_dump(mode="json")
        return table

    @property
    def temperature(self) -> float:
        """Temperature at the start in K."""
        return self.file.drive.temperature if self.file.process is None else self.file.process.temperature

    @property
    def start_voltage(self) -> float:
        """Voltage against lithium in V with which the hosts are in equilibrium at the start."""
        return self.file.drive.start_voltage if self.file.process is None else self.file.process.start_voltage

    @property
    def content_hash(self) -> str:
        """Hash of the resolved case without its name and description."""
        table = {key: value for key, value in self.resolved().items() if key != "case"}
        text = json.dumps(table, sort_keys=True, allow_nan=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def load_case(path: Path, settings: Sequence[str] = (), start: StartState | None = None) -> Case:
    """Read and check a case file.

    Args:
        path: The TOML file.
        settings: ``table.key=value`` of the command line, applied in order.
        start: What the steps of a process start from where that is another run's end.

    Raises:
        InputError: The first mistake found.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "CASE", f"= {str(path)!r} does not exist: give the path of a case file{shipped_cases()}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "CASE", f"= {str(path)!r} cannot be read: {error}; it must be a text file in UTF-8"
        ) from None
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise InputError("CASE", f"= {str(path)!r} is not valid TOML: {error}; correct that line") from None
    for setting in settings:
        apply_setting(table, setting)
    return check_case(table, source, tuple(settings), path, start)


def check_case(
    table: Mapping[str, Any],
    source: str,
    settings: tuple[str, ...],
    path: Path,
    start: StartState | None = None,
) -> Case:
    """Check a table that has the layout of a case file; see ``load_case``."""
    _refuse_two_ways(table)
    table = with_parameters(table, path)
    try:
        file = CaseFile.model_validate(dict(table))
    except ValidationError as error:
        raise input_error(error, table, CaseFile) from None
    materials = materials_with(file.materials)
    laws = laws_with(file.interfaces)
    recipe, plan, mesh_file, image = None, None, None, None
    if "file" in file.mesh:
        mesh_file = _mesh_file(file.mesh, path)
        if file.process is None and mesh_file.table is not None and file.drive.current.kind is units.C_RATE:
            file.drive.current.density(None)
    else:
        try:
            if "image" in file.mesh:
                image = meshes.read_image_recipe(file.mesh, path.parent)
            else:
                recipe = meshes.read_recipe(file.mesh)
                plan = meshes.plan(recipe)
        except meshes.RecipeError as error:
            raise recipe_error(error, table) from None
    process = (
        None if file.process is None else read_process(file.process, file.cell, plan, start, file.cycling)
    )
    return Case(file, recipe, mesh_file, plan, materials, laws, process, source, settings, path, image)


def _refuse_two_ways(table: Mapping[str, Any]) -> None:
    if "process" in table and "drive" in table:
        raise InputError(
            "drive",
            "is not allowed beside [process]: a case has either one; temperature, start_voltage, current and ends of "
            "a process stand in [process] and its steps",
        )
    if "cell" in table and "process" not in table:
        raise InputError("cell", "is not allowed without [process]: a [drive] has no counter electrode")
    if "cycling" in table and "process" not in table:
        raise InputError("cycling", "is not allowed without [process]: a [drive] has no cycles")


def _mesh_file(table: Mapping[str, Any], path: Path) -> MeshFileTable:
    try:
        given = MeshFileTable.model_validate(dict(table))
    except ValidationError as error:
        raise input_error(error, {"mesh": table}, MeshFileTable, ("mesh",)) from None
    resolved = {}
    for key in ("file", "table"):
        value = getattr(given, key)
        if value is None:
            continue
        found = (path.parent / value).resolve()
        if not found.is_file():
            raise InputError(
                f"mesh.{key}", f"= {value!r} is not allowed: there is no file {found}; correct the path"
            )
        resolved[key] = str(found)
    return given.model_copy(update=resolved)
