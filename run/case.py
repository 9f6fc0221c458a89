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
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

import meshes
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import Material
from fem.solver import SolverSettings
from fem.stepping import StepSettings
from run import units
from run.errors import InputError
from run.overrides import laws_with, materials_with, unknown_key
from run.toml_text import apply_setting
from run.units import Kind


@dataclass(frozen=True)
class Quantity:
    """Annotation of a key whose value carries a unit and lies between two internal values.

    Attributes:
        kind: Kind of quantity.
        lowest: Lower end.
        highest: Upper end, allowed itself.
        inclusive: Whether the lower end is allowed itself.
    """

    kind: Kind
    lowest: float
    highest: float
    inclusive: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Read, check, and write back with the internal unit."""
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.written, when_used="json"),
        )

    def read(self, value: object) -> float:
        """The internal value.

        Raises:
            ValueError: The text says what is allowed.
        """
        number = units.parse(value, self.kind)[0]
        if not (self.lowest <= number if self.inclusive else self.lowest < number) or number > self.highest:
            first = "at least" if self.inclusive else "above"
            unit = "" if self.kind is units.NUMBER else f" {self.kind.internal}"
            raise ValueError(f"{first} {self.lowest:g}{unit} and at most {self.highest:g}{unit}")
        return number

    def written(self, number: float | None) -> float | str | None:
        """The value as it would stand in a case file."""
        return number if number is None or self.kind is units.NUMBER else units.shown(number, self.kind)


@dataclass(frozen=True)
class Current:
    """A current density, or a rate of charge that becomes one once the capacity is known.

    Attributes:
        value: Number in A/m^2 or in C.
        kind: ``units.CURRENT_DENSITY`` or ``units.C_RATE``.
    """

    value: float
    kind: Kind

    def density(self, capacity_mAh_cm2: float | None) -> float:
        """The current density in A/m^2.

        Args:
            capacity_mAh_cm2: Theoretical areal capacity of the hosts, None if unknown.

        Raises:
            InputError: A rate without a capacity.
        """
        if self.kind is units.CURRENT_DENSITY:
            return self.value
        if capacity_mAh_cm2 is None:
            raise InputError(
                "drive.current",
                f'= "{self.value:g} C" is not allowed with this mesh: its sidecar states no areal capacity, so give a '
                'current density, for example "3.09 A/m^2"',
            )
        return self.value * capacity_mAh_cm2 * 10.0  # mAh/cm2 is 10 Ah/m2


def _read_current(value: object) -> Current:
    if isinstance(value, Current):
        return value
    number, kind = units.parse(value, units.C_RATE, units.CURRENT_DENSITY)
    if number <= 0.0:
        raise ValueError("above zero: this version lithiates and does not yet delithiate")
    return Current(number, kind)


_Current = Annotated[
    Current,
    BeforeValidator(_read_current),
    PlainSerializer(lambda current: units.shown(current.value, current.kind), when_used="json"),
]
_Fraction = Annotated[float, Quantity(units.NUMBER, 0.0, 0.999)]
_Time = Annotated[float, Quantity(units.TIME, 0.0, 3.2e7)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class CaseTable(_Table):
    """[case]: what it is called."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    description: str = ""


class MeshFileTable(_Table):
    """[mesh] for a mesh made elsewhere: the file, and a table from cell tag to phase where its groups are not ours."""

    file: str
    table: str | None = None
    cell_data: str | None = None


class DriveTable(_Table):
    """[drive]: what is done to the electrode; of a mean lithiation and a duration, what comes first ends it."""

    temperature: Annotated[float, Quantity(units.TEMPERATURE, 233.15, 450.0)] = 333.15
    stack_pressure: Annotated[float, Quantity(units.PRESSURE, 0.0, 1000.0, True)] = 1.0
    current: _Current = Current(0.1, units.C_RATE)
    until_mean_lithiation: _Fraction | None = None
    duration: _Time | None = None
    start_voltage: Annotated[float, Quantity(units.VOLTAGE, 0.0, 3.0)] = 1.2

    @property
    def end_lithiation(self) -> float | None:
        """Mean lithiation of the hosts at which the drive ends; None where only the duration ends it."""
        if self.until_mean_lithiation is None and self.duration is None:
            return 0.9
        return self.until_mean_lithiation


class TimeTable(_Table):
    """[time]: the step controller (fem.stepping.StepSettings)."""

    first_step: _Time = StepSettings.first
    smallest_step: _Time = StepSettings.smallest
    largest_step: _Time = StepSettings.largest
    lithiation_change: Annotated[float, Quantity(units.NUMBER, 0.0, 1.0)] = StepSettings.lithiation_change
    damage_change: Annotated[float, Quantity(units.NUMBER, 0.0, 1.0)] = StepSettings.damage_change
    target_iterations: Annotated[int, Field(ge=1, le=100)] = StepSettings.target_iterations
    growth: Annotated[float, Quantity(units.NUMBER, 1.0, 10.0)] = StepSettings.growth
    stabilisation: Annotated[float, Quantity(units.STIFFNESS, 0.0, 1.0e6)] = StepSettings.stabilisation
    release: Annotated[float, Quantity(units.NUMBER, 0.0, 0.99, True)] = StepSettings.release
    resting_stabilisation: Annotated[float, Quantity(units.STIFFNESS, 0.0, 1.0e6, True)] = (
        StepSettings.resting_stabilisation
    )
    cut: Annotated[float, Quantity(units.NUMBER, 0.0, 0.95)] = StepSettings.cut

    @model_validator(mode="after")
    def _ordered(self) -> TimeTable:
        if not self.smallest_step <= self.first_step <= self.largest_step:
            raise PydanticCustomError(
                "clause",
                "first_step = {first} s must lie between smallest_step = {low} s and largest_step = {high} s",
                {"first": self.first_step, "low": self.smallest_step, "high": self.largest_step},
            )
        return self


class SolverTable(_Table):
    """[solver]: Newton's method (fem.solver.SolverSettings).

    ``damage_relaxation`` is the model's: damage follows the opening over that many steps, besides the interfaces' own
    relaxation time.
    """

    force_tolerance: Annotated[float, Quantity(units.LINE_FORCE, 0.0, 1.0)] = SolverSettings.force_tolerance
    lithium_tolerance: Annotated[float, Quantity(units.NUMBER, 0.0, 1e-3)] = SolverSettings.lithium_tolerance
    potential_tolerance: Annotated[float, Quantity(units.MOLAR_ENERGY, 0.0, 1.0)] = (
        SolverSettings.potential_tolerance
    )
    displacement_tolerance: Annotated[float, Quantity(units.LENGTH, 0.0, 0.1)] = (
        SolverSettings.displacement_tolerance
    )
    maximum_iterations: Annotated[int, Field(ge=1, le=200)] = SolverSettings.maximum_iterations
    largest_update: Annotated[float, Quantity(units.LENGTH, 0.0, 100.0)] = SolverSettings.largest_update
    damage_relaxation: Annotated[float, Quantity(units.NUMBER, 0.0, 100.0, True)] = 2.0
    line_search: Annotated[str, Field(pattern="^(basic|bt|l2|cp)$")] = SolverSettings.line_search


class OutputTable(_Table):
    """[output]: what is written besides history, summary and status."""

    fields: bool = True
    frames: Annotated[int, Field(ge=1, le=10_000)] = 20
    pictures: bool = True


class CaseFile(_Table):
    """The whole file; [mesh], [materials] and [interfaces] are checked by those they belong to."""

    case: CaseTable
    mesh: dict[str, Any]
    materials: dict[str, Any] = {}
    interfaces: dict[str, Any] = {}
    drive: DriveTable = DriveTable()
    time: TimeTable = TimeTable()
    solver: SolverTable = SolverTable()
    output: OutputTable = OutputTable()


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
        source: Text of the case file as it was read.
        settings: The ``--set`` that were applied.
        path: Where the case file was.
    """

    file: CaseFile
    recipe: meshes.Recipe | None
    mesh_file: MeshFileTable | None
    plan: meshes.Plan | None
    materials: dict[str, Material]
    laws: dict[str, InterfaceLaw]
    source: str
    settings: tuple[str, ...]
    path: Path

    @property
    def name(self) -> str:
        """The case's name."""
        return self.file.case.name

    def resolved(self) -> dict[str, Any]:
        """The case with every default written out; reading it again gives the same case."""
        table = self.file.model_dump(mode="json")
        mesh: meshes.Recipe | MeshFileTable | None = self.recipe or self.mesh_file
        table["mesh"] = mesh.model_dump(mode="json") if mesh is not None else {}
        table["drive"]["until_mean_lithiation"] = self.file.drive.end_lithiation
        return table

    @property
    def content_hash(self) -> str:
        """Hash of the resolved case without its name and description."""
        table = {key: value for key, value in self.resolved().items() if key != "case"}
        text = json.dumps(table, sort_keys=True, allow_nan=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def load_case(path: Path, settings: Sequence[str] = ()) -> Case:
    """Read and check a case file.

    Args:
        path: The TOML file.
        settings: ``table.key=value`` of the command line, applied in order.

    Raises:
        InputError: The first mistake found.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "CASE", f"= {str(path)!r} does not exist: give the path of a case file{_shipped()}"
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
    return check_case(table, source, tuple(settings), path)


def check_case(table: Mapping[str, Any], source: str, settings: tuple[str, ...], path: Path) -> Case:
    """Check a table that has the layout of a case file; see ``load_case``."""
    try:
        file = CaseFile.model_validate(dict(table))
    except ValidationError as error:
        raise _input_error(error, table) from None
    materials = materials_with(file.materials)
    laws = laws_with(file.interfaces)
    recipe, plan, mesh_file = None, None, None
    if "file" in file.mesh:
        mesh_file = _mesh_file(file.mesh, path)
        if mesh_file.table is not None and file.drive.current.kind is units.C_RATE:
            file.drive.current.density(None)
    else:
        try:
            recipe = meshes.read_recipe(file.mesh)
            plan = meshes.plan(recipe)
        except meshes.RecipeError as error:
            raise _recipe_error(error, table) from None
    return Case(file, recipe, mesh_file, plan, materials, laws, source, settings, path)


def _mesh_file(table: Mapping[str, Any], path: Path) -> MeshFileTable:
    try:
        given = MeshFileTable.model_validate(dict(table))
    except ValidationError as error:
        raise _input_error(error, {"mesh": table}, MeshFileTable, ("mesh",)) from None
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


_NEEDED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}


def _input_error(
    error: ValidationError,
    table: Mapping[str, Any],
    model: type[BaseModel] = CaseFile,
    prefix: tuple[str, ...] = (),
) -> InputError:
    """The first error of a validation as one sentence."""
    first = error.errors(include_url=False)[0]
    location = [part for part in first["loc"] if isinstance(part, str)]
    key, value = ".".join([*prefix, *location]), first.get("input")
    if first["type"] == "extra_forbidden":
        return unknown_key(key, location[-1], value, _fields_at(model, location[:-1]))
    if first["type"] == "missing":
        what = "table" if len(location) == 1 and not prefix else "key"
        return InputError(key, f"is missing: add this {what} to the case file, it has no default")
    text = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "clause":
        return InputError(key, f"is not allowed: {text}")
    if first["type"] == "string_pattern_mismatch":
        text = _PATTERNS.get(key, text)
    elif first["type"] in _NEEDED:
        text = _NEEDED[first["type"]]
    elif first["type"] != "value_error":
        text = text.removeprefix("Input should be ")
    return InputError(key, f"= {_short(value)} is not allowed: it must be {text}")


_PATTERNS = {
    "case.name": "made of letters, digits, _, - and . only",
    "solver.line_search": "one of basic, bt, l2, cp",
}


def _fields_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    for part in location:
        inner = model.model_fields[part].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def _recipe_error(error: meshes.RecipeError, table: Mapping[str, Any]) -> InputError:
    """The mesh package's sentence, with the value in front where it does not name it."""
    value: Any = table
    for part in error.key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    message = error.message
    if message.startswith("this key is missing"):
        return InputError(error.key, "is missing: add this key to the case file, it has no default")
    if value is None or isinstance(value, Mapping):
        return InputError(error.key, f"is not allowed: {message}")
    if message.startswith("unknown key; "):
        return InputError(
            error.key, f"= {_short(value)} is not known: {message.removeprefix('unknown key; ')}"
        )
    for shown in (repr(value), f"{value:g}" if isinstance(value, int | float) else repr(value)):
        if message.startswith(f"{shown} "):
            return InputError(error.key, f"= {value!r} {message.removeprefix(f'{shown} ')}")
    return InputError(error.key, f"= {value!r} is not allowed: {message}")


def _short(value: object) -> str:
    text = "{…}" if isinstance(value, Mapping) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _shipped() -> str:
    folder = Path(__file__).parent / "cases"
    names = sorted(file.name for file in folder.glob("*.toml"))
    return f" (shipped in {folder}: {', '.join(names)})"
