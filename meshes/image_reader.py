"""Reads a segmented section or stack and turns it so that its axes are x, (y,) thickness, all ascending."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints
from .errors import ImportedMeshError
from .image_recipe import DEFAULT_AXES, ImageRecipe


@dataclass(frozen=True)
class Image:
    """A segmented image.

    Attributes:
        values: what each voxel holds; axes x, thickness in a section; x, y, thickness in a stack.
        voxel: size of a voxel along these axes, um.
    """

    values: Ints
    voxel: Floats

    @property
    def size(self) -> Floats:
        """Extent along each axis, um."""
        return np.asarray(np.array(self.values.shape) * self.voxel)


def read_image(recipe: ImageRecipe) -> Image:
    """Read the image of a recipe.

    Raises:
        ImportedMeshError: the file cannot be read, or is not what the recipe says.
    """
    path = Path(recipe.image)
    values = _load(path, recipe)
    if values.ndim not in (2, 3):
        raise ImportedMeshError(f"{path.name} has {values.ndim} axes; a section has 2 and a stack has 3")
    if not np.issubdtype(values.dtype, np.integer):
        real = np.issubdtype(values.dtype, np.floating)
        if not (values.dtype == np.bool_ or (real and (values == np.round(values)).all())):
            raise ImportedMeshError(
                f"{path.name} holds {values.dtype}; a segmented image holds whole numbers"
            )
        values = values.astype(np.int64)
    if min(values.shape) < 2:
        raise ImportedMeshError(
            f"{path.name} has the shape {values.shape}; at least 2 voxels are needed each way"
        )
    axes = recipe.axes or DEFAULT_AXES[values.ndim]
    if len(axes) != values.ndim:
        raise ImportedMeshError(f"{path.name} has {values.ndim} axes and mesh.axes names {len(axes)}")
    given = recipe.voxel_size_um
    voxel = [given] * values.ndim if isinstance(given, float) else list(given)
    if len(voxel) != values.ndim:
        raise ImportedMeshError(
            f"{path.name} has {values.ndim} axes and mesh.voxel_size_um has {len(voxel)} numbers"
        )
    for k, axis in enumerate(axes):
        if axis.startswith("-"):
            values = np.flip(values, axis=k)
    order = np.argsort([axis[-1] for axis in axes])
    values = np.ascontiguousarray(values.transpose(order), dtype=np.int64)
    unknown = sorted(set(np.unique(values).tolist()) - set(recipe.table))
    if unknown:
        raise ImportedMeshError(
            f"{path.name} holds the value {unknown[0]}, and mesh.phases has no phase for it"
        )
    return Image(values, np.array(voxel)[order])


def _load(path: Path, recipe: ImageRecipe) -> NDArray[Any]:
    """The array as it is in the file."""
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if recipe.raw is not None:
            kind = np.dtype(recipe.raw.type).newbyteorder(recipe.raw.byte_order)
            data = path.read_bytes()[recipe.raw.header_bytes :]
            wanted = int(np.prod(recipe.raw.shape)) * kind.itemsize
            if len(data) != wanted:
                raise ImportedMeshError(
                    f"{path.name} holds {len(data)} bytes after its header; mesh.raw.shape = {recipe.raw.shape} of "
                    f"{recipe.raw.type} needs {wanted}"
                )
            return np.frombuffer(data, dtype=kind).reshape(recipe.raw.shape)
        from tifffile import imread

        return np.asarray(imread(path)).squeeze()
    except ImportedMeshError:
        raise
    except Exception as error:  # tifffile raises exceptions of its own, NumPy several kinds
        raise ImportedMeshError(f"{path.name} cannot be read: {error}") from error
