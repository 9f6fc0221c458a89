"""From a segmented image to a mesh on disk: read, cut into grains, lay a lattice over it, fair, check, write."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from .arrays import Floats, Ints
from .bisection import refine
from .build import Mesh
from .composition import areal_capacity
from .discrete import SOLID_BOUNDARIES, boundaries_of, write_simplices
from .errors import GeometryError, ImportedMeshError, QualityError
from .files import MeshFiles, target_files, write_sidecar, written_aside
from .image_grains import ImageGrains, find_grains
from .image_reader import Image, read_image
from .image_recipe import ImageRecipe
from .labelled import mesh_labels, tidy_labels
from .lattice import CUBE_SIDE, Lattice, build_lattice
from .picture import draw_picture
from .quality import require_conforming, require_quality
from .sidecar import MEASURES, STRIPS, describe
from .solid_picture import draw_solid_picture
from .solid_pipeline import MARGIN, SolidMesh

#: Largest absolute miss of a phase's share of the image.
FRACTION_TOLERANCE = 0.01
#: Cells that fill a cube (square) of the lattice.
CELLS_OF_CUBE = {2: 4.0, 3: 12.0}


def generate_from_image(recipe: ImageRecipe, directory: str | os.PathLike[str], name: str) -> MeshFiles:
    """Make the mesh of an image.

    The same image and recipe give the same mesh.

    Args:
        recipe: what to make.
        directory: where to put ``NAME.msh``, ``NAME.json``, ``NAME.png``; made if absent.
        name: file name without suffix.

    Returns:
        The files, all three complete.

    Raises:
        ImportedMeshError: the image cannot be meshed as the recipe says; nothing is written.
    """
    files = target_files(directory, name)
    image = read_image(recipe)
    grains = find_grains(image, recipe)
    with written_aside(files) as aside:
        try:
            solid = _mesh(image, grains, recipe)
            mesh = write_simplices(
                solid.points, solid.cells, solid.labels + 1, solid.names(), str(aside.msh), name
            )
            require_conforming(mesh)
            require_quality(mesh)
        except (GeometryError, QualityError) as error:
            raise ImportedMeshError(
                f"{Path(recipe.image).name} gives no sound mesh: {error} (smaller mesh.resolution.element_size_um or "
                "larger mesh.grains.smallest_um may help)"
            ) from error
        table = _describe(mesh, name, image, grains, recipe)
        write_sidecar(table, aside.sidecar)
        draw = draw_picture if image.values.ndim == 2 else draw_solid_picture
        draw(mesh, table, aside.picture)
    return files


def _mesh(image: Image, grains: ImageGrains, recipe: ImageRecipe) -> SolidMesh:
    """Lattice, labels, fairing."""
    size, sizes = image.size, recipe.resolution
    box = [float(length) for length in size[:-1]]
    cubes = float(size.prod()) / (CUBE_SIDE[len(size)] * sizes.element_size_um) ** len(size)
    if CELLS_OF_CUBE[len(size)] * cubes > sizes.max_cells:
        raise ImportedMeshError(
            f"mesh.resolution.element_size_um = {sizes.element_size_um:g} would need about "
            f"{CELLS_OF_CUBE[len(size)] * cubes:.0f} cells, more than max_cells = {sizes.max_cells}"
        )
    strips = recipe.strips
    lattice = build_lattice(
        box, strips.foil_um, float(size[-1]), strips.electrolyte_um, sizes.element_size_um
    )
    lattice = _refined(lattice, image, grains, sizes.interface_element_size_um)
    if len(lattice.cells) > sizes.max_cells:
        raise ImportedMeshError(
            f"mesh.resolution.interface_element_size_um = {sizes.interface_element_size_um:g} gives "
            f"{len(lattice.cells)} cells, more than max_cells = {sizes.max_cells}"
        )
    count = len(grains.phases)
    labels = tidy_labels(lattice, _most_common(lattice, image, grains.labels), count)
    points, cells, labels = mesh_labels(lattice, labels, grains.sizes, grains.phases)
    return SolidMesh(points, cells, labels, grains.phases, grains.sizes)


def _refined(lattice: Lattice, image: Image, grains: ImageGrains, fine: float) -> Lattice:
    """Fine elements in and around silicon."""
    silicon = np.array([phase == "silicon" for phase in grains.phases])[grains.labels]
    if not silicon.any():
        return lattice
    away = distance_transform_edt(~silicon, sampling=image.voxel)
    middle = lattice.points[lattice.cells].mean(axis=1)
    near = (away[_voxels(middle, image)] < MARGIN * fine) & (lattice.slab == 1)
    d = image.values.ndim
    return refine(lattice, np.where(near, (CUBE_SIDE[d] * fine) ** d / CELLS_OF_CUBE[d], np.inf))


def _most_common(lattice: Lattice, image: Image, labels: Ints) -> Ints:
    """The grain that holds most of a cell's sample points: its middle and half-way from there to its corners."""
    corners = lattice.points[lattice.cells]
    middle = corners.mean(axis=1, keepdims=True)
    samples = np.concatenate([middle, 0.5 * (corners + middle)], axis=1)
    found = np.stack([labels[_voxels(samples[:, k], image)] for k in range(samples.shape[1])], axis=1)
    times = (found[:, :, None] == found[:, None, :]).sum(axis=2)
    # The first of the most common: where there is a tie the middle decides.
    return np.take_along_axis(found, times.argmax(axis=1)[:, None], axis=1)[:, 0]


def _voxels(points: Floats, image: Image) -> tuple[Ints, ...]:
    """Voxel of each point, those beyond the walls taken for the outermost."""
    place = np.floor(points / image.voxel).astype(np.int64)
    return tuple(np.clip(place, 0, np.array(image.values.shape) - 1).T)


def _describe(
    mesh: Mesh, name: str, image: Image, grains: ImageGrains, recipe: ImageRecipe
) -> dict[str, Any]:
    """The sidecar: what the mesh holds beside what the image holds.

    Raises:
        ImportedMeshError: a phase's share is off.
    """
    d = image.values.ndim
    table = describe(mesh, name, {side: SOLID_BOUNDARIES[side] for side in boundaries_of(d)})
    for grain in table["grains"]:
        if grain["phase"] not in STRIPS:
            grain[f"target_{MEASURES[d]}"] = float(grains.sizes[grain["tag"] - 1])
    realised = table["volume_fractions"]["realised"]
    for phase, share in grains.fractions.items():
        if abs(realised[phase] - share) > FRACTION_TOLERANCE:
            raise ImportedMeshError(
                f"the share of {phase} is {realised[phase]:.4f} in the mesh and {share:.4f} in the image: "
                f"{grains.given_away} pieces smaller than mesh.grains.smallest_um went to their neighbours; smaller "
                "elements keep more of them"
            )
    table["seed"] = None
    table["recipe"] = recipe.model_dump(mode="json", exclude_none=True)
    table["source"] = {
        "file": Path(recipe.image).name,
        "sha256": hashlib.sha256(Path(recipe.image).read_bytes()).hexdigest(),
        "voxels": list(image.values.shape),
        "voxel_um": image.voxel.tolist(),
        "small_pieces_given_away": grains.given_away,
    }
    table["volume_fractions"]["target"] = grains.fractions
    thickness = table["box_um"]["thickness"]
    for key, phases in (
        ("areal_capacity_mAh_cm2", ("graphite", "silicon")), ("lithium_capacity_mAh_cm2", ("lithium",)),
    ):  # fmt: skip
        table[key] = {
            kind: areal_capacity(recipe, {p: v * thickness for p, v in fractions.items()}, phases)
            for kind, fractions in (("target", grains.fractions), ("realised", realised))
        }
    return table
