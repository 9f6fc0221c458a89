"""Meshes of particle electrodes: from a recipe to a Gmsh file, a sidecar that explains it, and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .composition import Plan, plan
from .errors import GeometryError, ImportedMeshError, MeshError, QualityError, RecipeError
from .files import MeshFiles
from .image_recipe import ImageRecipe, read_image_recipe
from .recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from .image_pipeline import generate_from_image
    from .imported import import_mesh
    from .pipeline import generate

__all__ = [
    "GeometryError",
    "ImageRecipe",
    "ImportedMeshError",
    "MeshError",
    "MeshFiles",
    "Plan",
    "QualityError",
    "Recipe",
    "RecipeError",
    "generate",
    "generate_from_image",
    "import_mesh",
    "plan",
    "read_image_recipe",
    "read_recipe",
]


def __getattr__(name: str) -> Any:
    """Load what needs Gmsh, meshio and Matplotlib only when it is asked for, so that recipes are checked at once."""
    if name == "generate":
        from .pipeline import generate

        return generate
    if name == "import_mesh":
        from .imported import import_mesh

        return import_mesh
    if name == "generate_from_image":
        from .image_pipeline import generate_from_image

        return generate_from_image
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
