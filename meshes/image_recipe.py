"""What a mesh from an image is made from: the [mesh] table of a case whose geometry is a segmented stack or section."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from .errors import RecipeError
from .recipe import Densities, NotNegative, Positive, Resolution, Strips, Table, sentence

Phase = Literal["graphite", "silicon", "lithium", "binder", "pore"]
Axis = Literal["x", "y", "z", "-x", "-y", "-z"]
#: What the axes of an array are taken for: slices from the foil upwards; rows of a picture run from the top down.
DEFAULT_AXES: dict[int, tuple[Axis, ...]] = {2: ("-y", "x"), 3: ("z", "y", "x")}
SUFFIXES = (".npy", ".tif", ".tiff", ".raw")


class RawLayout(Table):
    """Layout of a ``.raw`` file: numbers one after the other, the last axis running fastest."""

    shape: Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=2, max_length=3)]
    type: Literal["uint8", "uint16", "uint32", "int8", "int16", "int32"] = "uint8"
    byte_order: Literal["little", "big"] = "little"
    header_bytes: Annotated[int, Field(ge=0)] = 0


class Grains(Table):
    """How voxels of a phase become grains.

    A phase is cut into its connected pieces (over faces of voxels), or, if named in ``watershed``, at its necks: by
    the watershed of the distance to its boundary, from maxima that stand out by ``watershed_depth_um``. Pieces smaller
    than a ball (disc) of ``smallest_um`` across go to the neighbour they touch most; 1.5 element sizes if not given.
    """

    watershed: Annotated[tuple[Phase, ...], Field(strict=False)] = ()
    watershed_depth_um: Positive | None = None
    smallest_um: NotNegative | None = None


class ImageRecipe(Table):
    """The whole [mesh] table of a mesh from an image.

    Attributes:
        image: file of a segmented section (two axes) or stack (three): .npy, .tif, .tiff or .raw.
        voxel_size_um: size of a voxel, one number or one for each axis of the array.
        axes: what each axis of the array is: x along the foil, thickness y in a section, y (depth) and z (thickness) in
            a stack; with a minus where the array runs the other way.
        raw: layout of a .raw file.
        phases: phase of every value in the image.
    """

    image: str
    voxel_size_um: Positive | Annotated[list[Positive], Field(min_length=2, max_length=3)]
    axes: Annotated[list[Axis], Field(min_length=2, max_length=3)] | None = None
    raw: RawLayout | None = None
    phases: Annotated[dict[str, Phase], Field(min_length=1)]
    grains: Grains = Grains()
    densities: Densities = Densities()
    strips: Strips = Strips()
    resolution: Resolution = Resolution()

    @model_validator(mode="after")
    def _consistent(self) -> ImageRecipe:
        suffix = Path(self.image).suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"image = {self.image!r} must end in one of {', '.join(SUFFIXES)}")
        if (suffix == ".raw") != (self.raw is not None):
            raise ValueError("the table raw (shape, type) belongs to a .raw image, and to no other")
        for value in self.phases:
            if not value.lstrip("-").isdigit():
                raise ValueError(
                    f"phases: {value!r} is not a whole number, as values of a segmented image are"
                )
        if self.axes is not None:
            names = sorted(axis[-1] for axis in self.axes)
            if names not in (["x", "y"], ["x", "y", "z"]):
                raise ValueError(
                    f"axes = {list(self.axes)} must name x and y (section) or x, y and z (stack) once each"
                )
        return self

    @property
    def table(self) -> dict[int, str]:
        """Phase by value."""
        return {int(value): phase for value, phase in self.phases.items()}


def read_image_recipe(table: Mapping[str, Any], folder: Path, prefix: str = "mesh") -> ImageRecipe:
    """Check a [mesh] table of an image; the image's path becomes absolute.

    Args:
        table: the table as read from TOML.
        folder: what a relative path of the image is relative to.
        prefix: name of the table, put before the key in messages.

    Raises:
        RecipeError: on the first key that is unknown, missing, of the wrong kind or out of range.
    """
    try:
        recipe = ImageRecipe.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join([prefix, *(str(part) for part in first["loc"] if not _tells_kind(part))])
        raise RecipeError(key, sentence(first, ImageRecipe)) from None
    path = (folder / recipe.image).resolve()
    if not path.is_file():
        raise RecipeError(f"{prefix}.image", f"{recipe.image!r} is not allowed: there is no file {path}")
    return recipe.model_copy(update={"image": str(path)})


def _tells_kind(part: int | str) -> bool:
    """Whether a part of a location is pydantic's name of a choice between kinds, not a key."""
    return isinstance(part, str) and (
        part in ("float", "RawLayout") or part.startswith("constrained") or "[" in part
    )
