"""From a segmented image to grains: connected pieces or watersheds of each phase, small ones given away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.measure import label
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from .arrays import Bools, Floats, Ints
from .composition import ELECTRODE_PHASES
from .errors import ImportedMeshError
from .image_reader import Image
from .image_recipe import ImageRecipe

#: Depth by which a maximum of the distance must stand out, and size of the smallest grain, where the recipe is silent:
#: in voxels, and in element sizes.
DEFAULT_DEPTH, DEFAULT_SMALLEST = 2.0, 1.5


@dataclass(frozen=True)
class ImageGrains:
    """Grains of an image.

    Attributes:
        labels: grain of each voxel, from 0, phase by phase.
        phases: of each grain.
        sizes: area (um2) or volume (um3) of each grain.
        fractions: of each phase in the image as given, before small pieces were given away.
        given_away: number of small pieces.
    """

    labels: Ints
    phases: list[str]
    sizes: Floats
    fractions: dict[str, float]
    given_away: int


def find_grains(image: Image, recipe: ImageRecipe) -> ImageGrains:
    """Cut an image into grains.

    Raises:
        ImportedMeshError: if nothing is left.
    """
    table = recipe.table
    index = {value: ELECTRODE_PHASES.index(phase) for value, phase in table.items()}
    values, inverse = np.unique(image.values, return_inverse=True)
    phase = np.array([index[int(value)] for value in values])[inverse].reshape(image.values.shape)
    share = np.bincount(phase.ravel(), minlength=len(ELECTRODE_PHASES)) / phase.size
    fractions = {name: float(share[k]) for k, name in enumerate(ELECTRODE_PHASES)}

    labels = np.full(phase.shape, -1, dtype=np.int64)
    of_grain: list[int] = []
    for k, name in enumerate(ELECTRODE_PHASES):
        mask = phase == k
        if not mask.any():
            continue
        pieces = _watersheds(mask, image, recipe) if name in recipe.grains.watershed else _pieces(mask)
        labels[mask] = pieces[mask] - 1 + len(of_grain)
        of_grain += [k] * int(pieces.max())
    kinds = np.array(of_grain)
    labels, gone = _give_away(labels, kinds, _smallest(image, recipe))
    left, flat = np.unique(labels, return_inverse=True)
    if len(left) == 0:
        raise ImportedMeshError("the image has no grains")
    voxel = float(image.voxel.prod())
    return ImageGrains(
        flat.reshape(labels.shape).astype(np.int64), [ELECTRODE_PHASES[kinds[k]] for k in left],
        np.asarray(np.bincount(flat.ravel()) * voxel, dtype=np.float64), fractions, gone,
    )  # fmt: skip


def _pieces(mask: Bools) -> Ints:
    """Connected pieces over faces of voxels, from 1."""
    return np.asarray(label(mask, connectivity=1), dtype=np.int64)


def _watersheds(mask: Bools, image: Image, recipe: ImageRecipe) -> Ints:
    """Pieces cut at necks, from 1. The image counts as going on beyond its walls."""
    padded = np.pad(mask, 1, mode="edge")
    depth = recipe.grains.watershed_depth_um or DEFAULT_DEPTH * float(image.voxel.min())
    distance = distance_transform_edt(padded, sampling=image.voxel)
    distance = distance[tuple(slice(1, -1) for _ in mask.shape)]
    markers = label(h_maxima(distance, depth), connectivity=mask.ndim)
    pieces = np.asarray(watershed(-distance, markers, mask=mask), dtype=np.int64)
    # A piece without a maximum that stands out is a grain all the same.
    missed = _pieces(mask & (pieces == 0))
    pieces[missed > 0] = missed[missed > 0] + pieces.max()
    # A watershed may leave a grain in two pieces that touch over edges only.
    return np.asarray(label(pieces, connectivity=1), dtype=np.int64)


def _smallest(image: Image, recipe: ImageRecipe) -> float:
    """Number of voxels of the smallest grain."""
    diameter = recipe.grains.smallest_um
    if diameter is None:
        diameter = DEFAULT_SMALLEST * recipe.resolution.element_size_um
    d = image.values.ndim
    size = {2: math.pi / 4.0, 3: math.pi / 6.0}[d] * diameter**d
    return float(size / image.voxel.prod())


def _give_away(labels: Ints, kinds: Ints, smallest: float) -> tuple[Ints, int]:
    """Give small grains, smallest first, to the neighbour they touch most, one of their own phase by preference."""
    labels = labels.copy()
    counts = np.bincount(labels.ravel(), minlength=len(kinds))
    small = [int(k) for k in np.argsort(counts, kind="stable") if 0 < counts[k] < smallest]
    if not small:
        return labels, 0
    touching = _contacts(labels, len(kinds))
    owner = np.arange(len(kinds))
    gone = 0
    for k in small:
        if counts[k] >= smallest or not touching[k]:
            continue
        best = max(touching[k], key=lambda j: (kinds[j] == kinds[k], touching[k][j], -j))
        owner[owner == k] = best
        counts[best] += counts[k]
        counts[k] = 0
        for j, faces in touching.pop(k).items():
            touching[j].pop(k, None)
            if j != best:
                touching[best][j] = touching[best].get(j, 0) + faces
                touching[j][best] = touching[j].get(best, 0) + faces
        gone += 1
    return owner[labels], gone


def _contacts(labels: Ints, count: int) -> dict[int, dict[int, int]]:
    """Faces of voxels between each grain and each of its neighbours."""
    contacts: dict[int, dict[int, int]] = {k: {} for k in range(count)}
    for axis in range(labels.ndim):
        one = np.take(labels, range(labels.shape[axis] - 1), axis=axis).ravel()
        two = np.take(labels, range(1, labels.shape[axis]), axis=axis).ravel()
        apart = one != two
        pairs, times = np.unique(
            np.sort(np.column_stack([one[apart], two[apart]]), axis=1), axis=0, return_counts=True
        )
        for (a, b), faces in zip(pairs.tolist(), times.tolist(), strict=True):
            contacts[a][b] = contacts[a].get(b, 0) + faces
            contacts[b][a] = contacts[b].get(a, 0) + faces
    return contacts
