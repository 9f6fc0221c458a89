"""The .json file beside a mesh: what the grains are, what was asked for and what came out.

Keys: ``format``, ``dimension``, ``name``, ``generator``, ``seed``, ``recipe`` (as validated, defaults filled in),
``plan`` (thickness, fractions, counts that follow from it), ``grains`` (every cell group in tag order), ``colours``,
``boundaries`` (tags), ``box_um``, ``volume_fractions``, ``areal_capacity_mAh_cm2`` (graphite and silicon),
``lithium_capacity_mAh_cm2``, ``interfaces`` (length in um by phase pair), ``quality``, ``attempts`` (the sub-seeds
tried and why each but the last failed), ``content_hash``. An imported mesh has no targets, its ``seed`` and ``recipe``
are null, and ``source`` names its file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import asdict
from importlib import metadata
from typing import Any

import gmsh
import numpy as np

from .arrays import Floats, norms
from .build import Mesh
from .colouring import colour_groups
from .composition import ELECTRODE_PHASES, Plan, areal_capacity
from .quality import cell_areas, quality_table, sorted_facets
from .recipe import Recipe

FORMAT = "swellbound-mesh/1"
STRIPS = ("copper", "electrolyte")


def phase_of(name: str) -> str:
    """Phase of a cell group: ``graphite`` for ``graphite/17``."""
    return name.split("/")[0]


def content_hash(mesh: Mesh) -> str:
    """Hash over coordinates, connectivity and tags, the same on every machine of any byte order."""
    digest = hashlib.sha256()
    digest.update(mesh.points.astype("<f8").tobytes())
    digest.update(mesh.cells.astype("<i8").tobytes())
    digest.update(mesh.cell_tags.astype("<i8").tobytes())
    digest.update("\n".join(f"{tag} {name}" for tag, name in sorted(mesh.names.items())).encode())
    return f"sha256:{digest.hexdigest()}"


def describe(mesh: Mesh, name: str, boundaries: dict[str, int]) -> dict[str, Any]:
    """The part of the sidecar that follows from the mesh alone.

    Args:
        mesh: the mesh.
        name: its name.
        boundaries: tag of each boundary group.

    Returns:
        A table ready for JSON; lengths um, areas um2.
    """
    colours = colour_groups(mesh.cells, mesh.cell_tags)
    areas = cell_areas(mesh)
    middle = mesh.points[mesh.cells].mean(axis=1)
    grains = []
    for tag in sorted(mesh.names):
        chosen = mesh.cell_tags == tag
        area = float(areas[chosen].sum())
        centroid = (areas[chosen, None] * middle[chosen]).sum(axis=0) / area
        grains.append(
            {
                "tag": tag,
                "name": mesh.names[tag],
                "phase": phase_of(mesh.names[tag]),
                "colour": colours[tag],
                "area_um2": area,
                "centroid_um": centroid.tolist(),
            }
        )
    low, high = mesh.points[np.unique(mesh.cells)].min(axis=0), mesh.points[np.unique(mesh.cells)].max(axis=0)
    width = float(high[0] - low[0])
    extent = {strip: sum(g["area_um2"] for g in grains if g["phase"] == strip) / width for strip in STRIPS}
    thickness = float(high[1] - low[1]) - sum(extent.values())
    realised = {
        phase: sum(g["area_um2"] for g in grains if g["phase"] == phase) / (width * thickness)
        for phase in ELECTRODE_PHASES
    }
    return {
        "format": FORMAT,
        "dimension": 2,
        "name": name,
        "generator": {"swellbound": _version(), "gmsh": gmsh.__version__},
        "grains": grains,
        "colours": 1 + max(colours.values()),
        "boundaries": boundaries,
        "box_um": {
            "width": width, "thickness": thickness, "foil": extent["copper"], "electrolyte": extent["electrolyte"],
        },
        "volume_fractions": {"realised": realised},
        "interfaces": interface_lengths(mesh),
        "quality": quality_table(mesh),
        "content_hash": content_hash(mesh),
    }  # fmt: skip


def compare(table: dict[str, Any], recipe: Recipe, plan: Plan, targets: Floats) -> None:
    """Add to a description what the recipe asked for, and the realised areal capacity beside it.

    Args:
        table: the description, changed in place.
        recipe: the recipe.
        plan: what follows from it.
        targets: area of the body of each grain, um2; grains are tagged from 1 in this order.
    """
    for grain in table["grains"]:
        if grain["phase"] not in STRIPS:
            grain["target_area_um2"] = float(targets[grain["tag"] - 1])
    table["seed"] = recipe.seed
    table["recipe"] = recipe.model_dump(mode="json", exclude_none=True)
    table["plan"] = asdict(plan)
    table["volume_fractions"]["target"] = dict(plan.fractions)
    thickness = table["box_um"]["thickness"]
    solid = {phase: value * thickness for phase, value in table["volume_fractions"]["realised"].items()}
    table["areal_capacity_mAh_cm2"] = {
        "target": plan.areal_capacity_mAh_cm2,
        "realised": areal_capacity(recipe, solid, ("graphite", "silicon")),
    }
    table["lithium_capacity_mAh_cm2"] = {
        "target": plan.lithium_capacity_mAh_cm2,
        "realised": areal_capacity(recipe, solid, ("lithium",)),
    }


def interface_lengths(mesh: Mesh) -> dict[str, float]:
    """Length (um) of the interfaces between different grains by phase pair, names in alphabetical order."""
    facets, tags = sorted_facets(mesh)
    shared = np.flatnonzero((facets[1:] == facets[:-1]).all(axis=1))
    apart = shared[tags[shared] != tags[shared + 1]]
    length = norms(mesh.points[facets[apart, 0]] - mesh.points[facets[apart, 1]])
    total: dict[str, float] = defaultdict(float)
    for k, size in zip(apart, length, strict=True):
        pair = sorted((phase_of(mesh.names[int(tags[k])]), phase_of(mesh.names[int(tags[k + 1])])))
        total["|".join(pair)] += float(size)
    return dict(sorted(total.items()))


def _version() -> str:
    """Version of this product, or a plain word where it is run from a checkout."""
    try:
        return metadata.version("swellbound")
    except metadata.PackageNotFoundError:
        return "checkout"
