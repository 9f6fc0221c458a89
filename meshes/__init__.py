"""Meshes of particle electrodes: from a recipe to a Gmsh file, a sidecar that explains it, and a picture."""

from __future__ import annotations

from .composition import Plan, plan
from .errors import GeometryError, ImportedMeshError, MeshError, QualityError, RecipeError
from .files import MeshFiles
from .imported import import_mesh
from .pipeline import generate
from .recipe import Recipe, read_recipe

__all__ = [
    "GeometryError",
    "ImportedMeshError",
    "MeshError",
    "MeshFiles",
    "Plan",
    "QualityError",
    "Recipe",
    "RecipeError",
    "generate",
    "import_mesh",
    "plan",
    "read_recipe",
]
