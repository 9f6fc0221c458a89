"""The mesh of a case in a folder: made by its recipe or from its image, taken in from elsewhere, or found there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

import meshes
from fem import domain as domains
from fem.domain import Domain
from fem.partition import KeptPartition
from run import about, results
from run.case import Case
from run.errors import InputError
from run.ranks import on_first_rank


def mesh_case(case: Case, folder: Path) -> tuple[Path, bool]:
    """Make the mesh of a case, unless the folder holds the very same one already.

    Args:
        case: The checked case.
        folder: Where the mesh, its sidecar and its picture go.

    Returns:
        The mesh file, and whether it was already there.

    Raises:
        InputError: The recipe or the file leads to no sound mesh.
    """
    file = folder / f"{case.name}.msh"
    if case.mesh_file is not None:
        return _import(case, folder), False
    if case.image is not None:
        return _from_image(case.image, folder, case.name), False
    recipe = case.recipe
    if recipe is None:
        raise InputError("mesh", "is missing: give a recipe or the file of a mesh")
    if file.is_file() and _made_from(file, recipe):
        return file, True
    try:
        return Path(meshes.generate(recipe, folder, case.name).msh), False
    except meshes.RecipeError as error:
        raise InputError(error.key, f"is not allowed: {error.message}") from error


def silence_reader() -> None:
    """Keep Gmsh from talking while DOLFINx reads a mesh through it; DOLFINx itself leaves it at its default."""
    import gmsh

    if not gmsh.isInitialized():
        gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Verbosity", 1.0)


def read_domain(mesh_file: Path, state: Path, comm: MPI.Intracomm) -> Domain:
    """Read a mesh and deal it out to the ranks as in an earlier session of the run on as many; collective.

    Args:
        mesh_file: The mesh.
        state: Folder in which the run keeps how it was dealt out.
        comm: Ranks.

    Raises:
        ResultsError: The partition cannot be kept; the same on every rank.
    """
    file = state / f"partition-{comm.size}.npz"
    known = results.read_arrays(file) if comm.rank == 0 and file.is_file() else None
    partition = KeptPartition(comm, known)
    on_first_rank(comm, silence_reader)
    domain = domains.read(mesh_file, comm, partition)

    def keep() -> None:
        if partition.lists is not None and partition.lists is not known:
            with results.written_whole(file) as aside:
                np.savez(aside, allow_pickle=False, **partition.lists)

    on_first_rank(comm, keep)
    return domain


def read_sidecar(mesh_file: Path) -> dict[str, Any]:
    """The sidecar of a mesh.

    Raises:
        InputError: It is missing or damaged.
    """
    path = mesh_file.with_suffix(".json")
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "mesh", f"= {str(mesh_file)!r} is not allowed: its sidecar cannot be read ({error})"
        ) from error
    return table


def host_capacity(sidecar: dict[str, Any]) -> float | None:
    """Theoretical areal capacity of the hosts as meshed in mAh/cm2, None where the sidecar states none."""
    stated = sidecar.get("areal_capacity_mAh_cm2", {}).get("realised")
    return None if stated is None else float(stated)


def _made_from(file: Path, recipe: meshes.Recipe) -> bool:
    """Whether a mesh is that of a recipe, made by this product and by this version of Gmsh."""
    import gmsh

    try:
        table = read_sidecar(file)
        same = meshes.read_recipe(table["recipe"]) == recipe
    except (InputError, KeyError, TypeError, meshes.RecipeError):
        return False
    made = table["generator"]
    return same and made["gmsh"] == gmsh.__version__ and made["swellbound"] in (about.version(), "checkout")


def _from_image(image: meshes.ImageRecipe, folder: Path, name: str) -> Path:
    try:
        return Path(meshes.generate_from_image(image, folder, name).msh)
    except meshes.MeshError as error:
        raise InputError("mesh.image", f"= {image.image!r} is not allowed: {error}") from error


def _import(case: Case, folder: Path) -> Path:
    given = case.mesh_file
    if given is None:
        raise InputError("mesh.file", "is missing: give the path of a mesh")
    try:
        files = meshes.import_mesh(given.file, folder, case.name, given.table, given.cell_data)
    except meshes.MeshError as error:
        raise InputError("mesh.file", f"= {given.file!r} is not allowed: {error}") from error
    return Path(files.msh)
