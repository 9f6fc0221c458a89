"""The tables of a study file and what each key may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from run import units
from run.case_mistakes import input_error
from run.errors import InputError
from run.study.quantities import DEFAULT
from run.toml_file import read_toml
from run.units import UnitError

Kind = Literal["mesh_refinement", "seeds", "sweep", "design"]
KINDS: tuple[Kind, ...] = ("mesh_refinement", "seeds", "sweep", "design")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudyTable(_Table):
    """[study]: what is studied; ``case`` is a path from the study file on, ``ranks`` those of each point."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    description: str = ""
    kind: Kind
    case: str
    ranks: Annotated[int, Field(ge=1, le=100_000)] = 1
    quantities: list[str] = list(DEFAULT)


class AdhesionTable(_Table):
    """[adhesion]: the test each finished point is put to; the words of ``swellbound adhesion``."""

    at: str = "foil"
    test: Literal["pull-off", "peel"] = "pull-off"
    rate: str = "1 nm/s"
    temperature: str | None = None

    def check(self) -> None:
        """Check what carries a unit.

        Raises:
            InputError: The first mistake.
        """
        given = [("rate", self.rate, units.SPEED), ("temperature", self.temperature, units.TEMPERATURE)]
        given += [] if self.at == "foil" else [("at", self.at, units.LENGTH)]
        for key, text, kind in given:
            try:
                number = 1.0 if text is None else units.parse(text, kind)[0]
            except UnitError as error:
                other = "foil, or " if key == "at" else ""
                raise InputError(
                    f"adhesion.{key}", f"= {text!r} is not allowed: it must be {other}{error}"
                ) from None
            if number <= 0.0:
                raise InputError(f"adhesion.{key}", f"= {text!r} is not allowed: it must be above zero")

    def options(self) -> list[str]:
        """As options of the command line."""
        words = ["--at", self.at, "--test", self.test, "--rate", self.rate]
        return words if self.temperature is None else [*words, "--temperature", self.temperature]


class MeshRefinementTable(_Table):
    """[mesh_refinement]: target element sizes; those at the boundaries of silicon keep the case's ratio to them."""

    element_sizes_um: list[Annotated[float, Field(gt=0.0, allow_inf_nan=False)]]


class SeedsTable(_Table):
    """[seeds]: seeds of the mesh, for each of some widths where they are given; ``confidence`` of the interval."""

    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]]
    widths_um: list[Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] | None = None
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95


class DesignTable(_Table):
    """[design]: how the space between the bounds is filled; the bounds stand in [design.bounds]."""

    method: Literal["latin_hypercube", "sobol"] = "latin_hypercube"
    points: Annotated[int, Field(ge=2, le=100_000)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    bounds: dict[str, Any]


class BoundTable(_Table):
    """One entry of [design.bounds]: numbers, or texts with one unit; whole numbers stay whole."""

    low: int | float | str
    high: int | float | str
    scale: Literal["linear", "log"] = "linear"


class StudyFile(_Table):
    """The whole file; of the last four tables there is the one that ``study.kind`` names."""

    study: StudyTable
    set: dict[str, Any] = {}
    adhesion: AdhesionTable | None = None
    mesh_refinement: dict[str, Any] | None = None
    seeds: dict[str, Any] | None = None
    sweep: dict[str, Any] | None = None
    design: dict[str, Any] | None = None

    @property
    def own(self) -> dict[str, Any]:
        """The table of the kind of study."""
        table: dict[str, Any] = getattr(self, self.study.kind)
        return table


M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], table: Mapping[str, Any], *prefix: str) -> M:
    """A table checked against a model.

    Raises:
        InputError: The first mistake, with the key from the beginning of the file on.
    """
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        found = input_error(error, table, model, prefix)
        raise InputError(found.key, found.problem.replace("the case file", "the study file")) from None


def read_study(path: Path) -> tuple[StudyFile, str]:
    """Read and check the tables of a study file; the case and the points are not looked at yet.

    Returns:
        The tables, and the text of the file.

    Raises:
        InputError: The first mistake.
    """
    text, table = read_toml(path, "STUDY", "study file", _shipped())
    if isinstance(table.get("adhesion"), Mapping):
        checked(AdhesionTable, table["adhesion"], "adhesion").check()
    file = checked(StudyFile, table)
    given = [kind for kind in KINDS if getattr(file, kind) is not None]
    if file.study.kind not in given:
        raise InputError(
            file.study.kind, f'is missing: study.kind = "{file.study.kind}" needs a table [{file.study.kind}]'
        )
    for kind in given:
        if kind != file.study.kind:
            raise InputError(
                kind, f'is not allowed: study.kind = "{file.study.kind}", so leave this table out'
            )
    return file, text


def _shipped() -> str:
    folder = Path(__file__).parents[1] / "studies"
    return f" (shipped in {folder}: {', '.join(sorted(file.name for file in folder.glob('*.toml')))})"
