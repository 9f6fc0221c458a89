"""Exceptions of the mesh package: each says in one sentence what is wrong and where."""

from __future__ import annotations


class MeshError(Exception):
    """Base of everything this package raises on purpose."""


class RecipeError(MeshError):
    """A recipe that cannot be made, or is misspelt.

    Attributes:
        key: dotted name of the offending key, as written in the case file (``mesh.porosity``).
        message: what is wrong with its value and what is allowed.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message


class GeometryError(MeshError):
    """A tessellation that could not be cleaned up into a sound geometry (another sub-seed may succeed)."""


class QualityError(MeshError):
    """A mesh that misses a gate of quality or fidelity (another sub-seed may succeed)."""


class ImportedMeshError(MeshError):
    """A mesh file made elsewhere that does not say what is needed."""
