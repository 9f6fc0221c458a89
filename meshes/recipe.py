"""What a mesh is made from: the recipe as written in a case file's [mesh] table, checked key by key.

Every key carries its unit. Nothing here computes; see ``composition`` for what follows from a recipe.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from .errors import RecipeError

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Composition(Table):
    """Weights. The first three are shares of the electrode without lithium and add up to 100."""

    graphite_wt_percent: Percent
    silicon_wt_percent: Percent
    binder_wt_percent: Percent = 0.0
    lithium_wt_percent_of_active: Percent = 0.0

    @model_validator(mode="after")
    def _adds_up(self) -> Composition:
        total = self.graphite_wt_percent + self.silicon_wt_percent + self.binder_wt_percent
        if abs(total - 100.0) > 0.01:
            raise ValueError(
                f"graphite, silicon and binder add up to {total:.6g} wt% of the electrode; they must add up to 100"
            )
        if self.graphite_wt_percent + self.silicon_wt_percent <= 0.0:
            raise ValueError("there is no active material: graphite or silicon must be above 0 wt%")
        return self


class Densities(Table):
    """Densities in g/cm3 (parameters.md: graphite, silicon D; lithium R; binder, PVDF assumed, L)."""

    graphite_g_cm3: Positive = 2.26
    silicon_g_cm3: Positive = 2.33
    lithium_g_cm3: Positive = 0.534
    binder_g_cm3: Positive = 1.78


class GraphiteShape(Table):
    """Flakes: a stadium of given length and aspect (length over thickness), lying in the plane of the foil."""

    length_um: Positive = 8.0
    length_spread_um: NotNegative = 1.0
    aspect: Annotated[float, Field(ge=1.0, le=10.0)] = 3.0
    aspect_spread: NotNegative = 0.4
    orientation_spread_deg: Annotated[float, Field(ge=0.0, le=90.0)] = 12.0


class SiliconShape(Table):
    """Agglomerates of nano-silicon, each one compact body, at flake boundaries or within flakes."""

    diameter_um: Positive = 1.0
    diameter_spread_um: NotNegative = 0.2
    place: Literal["boundaries", "within"] = "boundaries"


class SmallShape(Table):
    """A body as wide as long; the diameter is that of the disc of the same area."""

    diameter_um: Positive
    diameter_spread_um: NotNegative = 0.0


class Strips(Table):
    """Thickness of the copper strip below and of the electrolyte strip above the electrode.

    Between electrode and electrolyte there may lie a sheet of lithium, one grain ``lithium/sheet`` (sections only).
    """

    foil_um: Positive = 3.0
    electrolyte_um: Positive = 3.0
    lithium_sheet_um: Positive | None = None

    @model_serializer(mode="wrap")
    def _without_a_sheet_that_is_not_there(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        table: dict[str, Any] = handler(self)
        if self.lithium_sheet_um is None:
            table.pop("lithium_sheet_um", None)
        return table


class Resolution(Table):
    """Sizes of elements. The geometry depends on none of them.

    ``interface_element_size_um`` holds at the boundaries of silicon; two thirds of ``element_size_um`` if not given.
    """

    element_size_um: Positive = 0.65
    interface_element_size_um: Positive = 0.65 * 2.0 / 3.0
    max_cells: Annotated[int, Field(gt=0)] = 200_000

    @model_validator(mode="before")
    @classmethod
    def _finer_at_interfaces(cls, table: object) -> object:
        if isinstance(table, dict) and "interface_element_size_um" not in table:
            size = table.get("element_size_um")
            if isinstance(size, (int, float)) and not isinstance(size, bool):
                return {**table, "interface_element_size_um": size * 2.0 / 3.0}
        return table

    @model_validator(mode="after")
    def _ordered(self) -> Resolution:
        if self.interface_element_size_um > self.element_size_um:
            raise ValueError(
                f"interface_element_size_um is {self.interface_element_size_um:g}, which is more than "
                f"element_size_um ({self.element_size_um:g}); it must not be"
            )
        return self


class Recipe(Table):
    """The whole [mesh] table.

    Exactly one of ``thickness_um`` (of the electrode, strips not counted) and ``active_loading_mg_cm2``
    (graphite and silicon) is given; the other follows. ``porosity`` is the pore share of the electrode's
    volume; it stays as stated when lithium is added, so the electrode gets thicker. ``depth_um`` belongs to
    ``dimension = 3``.
    """

    dimension: Literal[2, 3] = 2
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    width_um: Positive
    depth_um: Positive | None = None
    thickness_um: Positive | None = None
    active_loading_mg_cm2: Positive | None = None
    porosity: Annotated[float, Field(ge=0.0, lt=1.0)]
    composition: Composition
    densities: Densities = Densities()
    graphite: GraphiteShape = GraphiteShape()
    silicon: SiliconShape = SiliconShape()
    lithium: SmallShape = SmallShape(diameter_um=4.5, diameter_spread_um=0.6)
    binder: SmallShape = SmallShape(diameter_um=1.0, diameter_spread_um=0.1)
    pore: SmallShape = SmallShape(diameter_um=1.6, diameter_spread_um=0.3)
    strips: Strips = Strips()
    resolution: Resolution = Resolution()

    @model_validator(mode="after")
    def _one_amount(self) -> Recipe:
        if (self.thickness_um is None) == (self.active_loading_mg_cm2 is None):
            given = "neither is" if self.thickness_um is None else "both are"
            raise ValueError(f"give exactly one of thickness_um and active_loading_mg_cm2; {given} given")
        return self

    @model_validator(mode="after")
    def _deep_in_three_dimensions(self) -> Recipe:
        if self.dimension == 3 and self.depth_um is None:
            raise ValueError("depth_um is missing: dimension = 3 needs width_um and depth_um")
        if self.dimension == 2 and self.depth_um is not None:
            raise ValueError(f"depth_um = {self.depth_um:g} needs dimension = 3; a section has no depth")
        return self

    @model_validator(mode="after")
    def _sheet_in_sections_only(self) -> Recipe:
        if self.dimension == 3 and self.strips.lithium_sheet_um is not None:
            raise ValueError(
                "strips.lithium_sheet_um needs dimension = 2: only sections can have a sheet of lithium"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_depth_of_a_section(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        table: dict[str, Any] = handler(self)
        if self.dimension == 2:
            table.pop("depth_um", None)
        return table


def read_recipe(table: Mapping[str, Any], prefix: str = "mesh") -> Recipe:
    """Check a [mesh] table.

    Args:
        table: the table as read from TOML.
        prefix: name of the table, put before the key in messages.

    Returns:
        The recipe.

    Raises:
        RecipeError: on the first key that is unknown, missing, of the wrong kind or out of range.
    """
    try:
        return Recipe.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join([prefix, *(str(part) for part in first["loc"])])
        raise RecipeError(key, sentence(first, Recipe)) from None


#: What a value of the wrong kind should have been.
KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}


def _known_keys(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Names allowed in the table that holds the key at ``location``."""
    for part in location[:-1]:
        inner = model.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def sentence(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One sentence for one pydantic error of a model: the value found and what is allowed."""
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"], model)
        close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else "known here: " + ", ".join(known)
        return f"unknown key; {hint}"
    if error["type"] == "missing":
        return "this key is missing and has no default"
    if error["type"] in KINDS:
        return f"{value!r} is not allowed: {KINDS[error['type']]} is needed"
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        return text
    return f"{value!r} is not allowed: {text[0].lower()}{text[1:]}"
