"""The .json file beside a mesh: what the grains are, what was asked for and what came out.

Keys: ``format``, ``dimension``, ``name``, ``generator``, ``seed``, ``recipe`` (as validated, defaults filled in),
``plan`` (thickness, fractions, counts that follow from it), ``grains`` (every cell group in tag order; ``area_um2``, in
three dimensions ``volume_um3``), ``colours``, ``boundaries`` (tags), ``box_um``, ``volume_fractions``,
``areal_capacity_mAh_cm2`` (graphite and silicon), ``lithium_capacity_mAh_cm2``, ``interfaces`` (by phase pair, length
in um or area in um2), ``quality``, ``attempts`` (the sub-seeds tried and why each but the last failed),
``content_hash``. An imported mesh has no targets, its ``seed`` and ``recipe`` are null, and ``source`` names its file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import asdict
from importlib import metadata
from math import prod
from typing import Any

import gmsh
import numpy as np

from .arrays import Floats
from .build import SHEET, Mesh
from .colouring import colour_groups
from .composition import ELECTRODE_PHASES, Plan, areal_capacity
from .quality import cell_sizes, quality_table, sorted_facets
from .recipe import Recipe
from .simplices import facet_measures

FORMAT = "swellbound-mesh/1"
STRIPS = ("copper", "electrolyte")
#: Key of a grain's size by dimension.
MEASURES = {2: "area_um2", 3: "volume_um3"}


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
        A table ready for JSON; lengths um, areas um2, volumes um3.
    """
    dimension = mesh.points.shape[1]
    measure = MEASURES[dimension]
    colours = colour_groups(mesh.cells, mesh.cell_tags)
    sizes = cell_sizes(mesh)
    middle = mesh.points[mesh.cells].mean(axis=1)
    grains = []
    for tag in sorted(mesh.names):
        chosen = mesh.cell_tags == tag
        size = float(sizes[chosen].sum())
        centroid = (sizes[chosen, None] * middle[chosen]).sum(axis=0) / size
        grains.append(
            {
                "tag": tag,
                "name": mesh.names[tag],
                "phase": phase_of(mesh.names[tag]),
                "colour": colours[tag],
                measure: size,
                "centroid_um": centroid.tolist(),
            }
        )
    low, high = mesh.points[np.unique(mesh.cells)].min(axis=0), mesh.points[np.unique(mesh.cells)].max(axis=0)
    span = [float(length) for length in high - low]
    face = prod(span[:-1])
    extent = {strip: sum(g[measure] for g in grains if g["phase"] == strip) / face for strip in STRIPS}
    sheet = sum(g[measure] for g in grains if g["name"] == SHEET) / face
    thickness = span[-1] - sum(extent.values()) - sheet
    realised = {
        phase: sum(g[measure] for g in grains if g["phase"] == phase and g["name"] != SHEET)
        / (face * thickness)
        for phase in ELECTRODE_PHASES
    }
    box = {"width": span[0]} | ({"depth": span[1]} if dimension == 3 else {})
    return {
        "format": FORMAT,
        "dimension": dimension,
        "name": name,
        "generator": {"swellbound": _version(), "gmsh": gmsh.__version__},
        "grains": grains,
        "colours": 1 + max(colours.values()),
        "boundaries": boundaries,
        "box_um": {
            **box, "thickness": thickness, "foil": extent["copper"], "electrolyte": extent["electrolyte"],
            **({"lithium_sheet": sheet} if sheet else {}),
        },
        "volume_fractions": {"realised": realised},
        "interfaces": interface_sizes(mesh),
        "quality": quality_table(mesh),
        "content_hash": content_hash(mesh),
    }  # fmt: skip


def compare(table: dict[str, Any], recipe: Recipe, plan: Plan, targets: Floats) -> None:
    """Add to a description what the recipe asked for, and the realised areal capacity beside it.

    Args:
        table: the description, changed in place.
        recipe: the recipe.
        plan: what follows from it.
        targets: area (um2) or volume (um3) of the body of each grain; grains are tagged from 1 in this order.
    """
    for grain in table["grains"]:
        if grain["phase"] not in STRIPS and grain["name"] != SHEET:
            grain[f"target_{MEASURES[table['dimension']]}"] = float(targets[grain["tag"] - 1])
    table["seed"] = recipe.seed
    table["recipe"] = recipe.model_dump(mode="json", exclude_none=True)
    table["plan"] = {key: value for key, value in asdict(plan).items() if value is not None}
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


def interface_sizes(mesh: Mesh) -> dict[str, float]:
    """Length (um) or area (um2) of interfaces between different grains by phase pair, alphabetically."""
    facets, tags = sorted_facets(mesh)
    shared = np.flatnonzero((facets[1:] == facets[:-1]).all(axis=1))
    apart = shared[tags[shared] != tags[shared + 1]]
    size, _ = facet_measures(mesh.points[facets[apart]])
    total: dict[str, float] = defaultdict(float)
    for k, each in zip(apart, size, strict=True):
        pair = sorted((phase_of(mesh.names[int(tags[k])]), phase_of(mesh.names[int(tags[k + 1])])))
        total["|".join(pair)] += float(each)
    return dict(sorted(total.items()))


def _version() -> str:
    """Version of this product, or a plain word where it is run from a checkout."""
    try:
        return metadata.version("swellbound")
    except metadata.PackageNotFoundError:
        return "checkout"
