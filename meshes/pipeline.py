"""From a recipe to a mesh on disk: pack, relax, mesh, check, describe, write."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .arrays import Floats
from .bodies import Body, draw_bodies
from .build import BOUNDARIES, Mesh, mesh_geometry
from .composition import Plan, plan
from .discrete import SOLID_BOUNDARIES, write_simplices
from .errors import GeometryError, QualityError, RecipeError
from .files import MeshFiles, target_files, write_sidecar, written_aside
from .geometry import Geometry, finish
from .network import extract_network
from .packing import pack
from .picture import draw_picture
from .quality import require_conforming, require_quality
from .recipe import Recipe
from .relaxation import Scales, relax
from .sidecar import MEASURES, compare, describe
from .solid_picture import draw_solid_picture
from .solid_pipeline import make_solid

#: Attempts, each with its own sub-seed, before a recipe is refused.
ATTEMPTS = 4
#: Largest absolute miss of a volume fraction, relative miss of the areal capacity and of a grain's area.
FRACTION_TOLERANCE = 0.01
CAPACITY_TOLERANCE = 0.01
GRAIN_TOLERANCE = 0.01


def generate(recipe: Recipe, directory: str | os.PathLike[str], name: str) -> MeshFiles:
    """Make the mesh of a recipe.

    The same recipe gives the same mesh. Where an attempt fails its checks, the next sub-seed is tried; the sidecar
    lists every attempt.

    Args:
        recipe: what to make.
        directory: where to put ``NAME.msh``, ``NAME.json``, ``NAME.png``; made if absent.
        name: file name without suffix: letters, digits, ``-``, ``_`` and ``.``.

    Returns:
        The files, all three complete.

    Raises:
        RecipeError: the recipe cannot be made; nothing is written.
    """
    resolved = plan(recipe)
    files = target_files(directory, name)
    attempts: list[dict[str, Any]] = []
    with written_aside(files) as aside:
        for sub_seed in range(ATTEMPTS):
            try:
                mesh, targets = make_mesh(recipe, resolved, sub_seed, str(aside.msh), name)
                require_conforming(mesh)
                require_quality(mesh)
                table = describe(mesh, name, BOUNDARIES if recipe.dimension == 2 else SOLID_BOUNDARIES)
                compare(table, recipe, resolved, targets)
                require_fidelity(table)
            except (GeometryError, QualityError) as error:
                attempts.append({"sub_seed": sub_seed, "outcome": str(error)})
                continue
            _require_cells(mesh, recipe)
            attempts.append({"sub_seed": sub_seed, "outcome": "accepted"})
            table["attempts"] = attempts
            write_sidecar(table, aside.sidecar)
            (draw_picture if recipe.dimension == 2 else draw_solid_picture)(mesh, table, aside.picture)
            break
        else:
            raise _refusal(recipe, attempts)
    return files


def _refusal(recipe: Recipe, attempts: list[dict[str, Any]]) -> RecipeError:
    """The error after the last attempt, with the reason of each."""
    reasons = "; ".join(f"{k + 1}. {attempt['outcome']}" for k, attempt in enumerate(attempts))
    return RecipeError(
        "mesh.seed",
        f"{recipe.seed} gave no sound mesh in {len(attempts)} attempts ({reasons}); try another seed",
    )


def make_mesh(recipe: Recipe, resolved: Plan, sub_seed: int, path: str, name: str) -> tuple[Mesh, Floats]:
    """The mesh of a recipe, written to ``path``, and the target size of each grain.

    Raises:
        GeometryError, QualityError: if this sub-seed leads to none.
    """
    if recipe.dimension == 3:
        solid = make_solid(recipe, resolved, sub_seed)
        mesh = write_simplices(solid.points, solid.cells, solid.labels + 1, solid.names(), path, name)
        return mesh, solid.targets
    geometry = make_geometry(recipe, resolved, sub_seed)
    return mesh_geometry(geometry, recipe.strips, recipe.resolution, path, name), geometry.targets


def make_geometry(recipe: Recipe, resolved: Plan, sub_seed: int = 0) -> Geometry:
    """The geometry of a section; it does not depend on the element sizes.

    Raises:
        GeometryError: if this sub-seed leads to none.
    """
    random = np.random.default_rng([recipe.seed, sub_seed])
    bodies: list[Body] = draw_bodies(recipe, resolved, random)
    width, height = recipe.width_um, resolved.thickness_um
    packing = pack(bodies, width, height, random, recipe.silicon.place == "within")
    network = extract_network(packing.diagram, packing.owner, len(bodies), width, height)
    scales = Scales(
        width=np.array([body.thickness for body in bodies]),
        large=np.array([body.phase == "graphite" for body in bodies]),
        targets=np.array([body.area for body in bodies]),
    )
    relax(network, scales)
    return finish(network, bodies)


def require_fidelity(table: dict[str, Any]) -> None:
    """Compare what came out with what was asked for.

    Raises:
        QualityError: a volume fraction, the areal capacity or a grain's area is off.
    """
    measure = MEASURES[table["dimension"]]
    for grain in table["grains"]:
        missed = abs(grain[measure] / grain.get(f"target_{measure}", grain[measure]) - 1.0)
        if missed > GRAIN_TOLERANCE:
            word = measure.split("_")[0]
            raise QualityError(f"the {word} of {grain['name']} misses its body's by {100.0 * missed:.2g} %")
    for phase, target in table["volume_fractions"]["target"].items():
        realised = table["volume_fractions"]["realised"][phase]
        if abs(realised - target) > FRACTION_TOLERANCE:
            raise QualityError(f"the volume fraction of {phase} is {realised:.4f} instead of {target:.4f}")
    capacity = table["areal_capacity_mAh_cm2"]
    if abs(capacity["realised"] / capacity["target"] - 1.0) > CAPACITY_TOLERANCE:
        raise QualityError(
            f"the areal capacity is {capacity['realised']:.4g} instead of {capacity['target']:.4g} mAh/cm2"
        )


def _require_cells(mesh: Mesh, recipe: Recipe) -> None:
    """The estimate before meshing is rough; the limit is not."""
    if len(mesh.cells) > recipe.resolution.max_cells:
        raise RecipeError(
            "mesh.resolution.element_size_um",
            f"{recipe.resolution.element_size_um:g} gives {len(mesh.cells)} cells, "
            f"more than max_cells = {recipe.resolution.max_cells}",
        )
