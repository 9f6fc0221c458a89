"""From weights to volumes: volume fractions, thickness, areal capacity and particle counts of a recipe.

In two dimensions an area fraction of the section stands for the volume fraction, and a particle's section is
drawn at its full diameter (no stereology: a random section would show smaller ones as well).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import solids
from .errors import RecipeError
from .recipe import Recipe, SiliconShape, SmallShape

if TYPE_CHECKING:
    from .image_recipe import ImageRecipe

#: Specific capacities in mAh/g (parameters.md, D, R).
CAPACITY_MAH_G = {"graphite": 372.0, "silicon": 3579.0, "lithium": 3861.0}
#: Phases that fill the electrode, in the order grains are numbered.
ELECTRODE_PHASES = ("graphite", "silicon", "lithium", "binder", "pore")
#: Largest share of the electrode that bodies between flakes may fill: beyond it flakes no longer touch
#: each other and the packing is not the dense one this package makes.
LARGEST_SMALL_FRACTION = 0.45


@dataclass(frozen=True)
class Plan:
    """What a recipe amounts to, known before anything is packed.

    Attributes:
        thickness_um: electrode thickness, strips not counted.
        active_loading_mg_cm2: graphite and silicon.
        solid_um: solid thickness of each phase (volume per area), um.
        fractions: volume fraction of every electrode phase, adding up to one.
        areal_capacity_mAh_cm2: theoretical capacity of graphite and silicon.
        lithium_capacity_mAh_cm2: capacity of the lithium powder.
        mean_area_um2: mean section area of one body of each phase present; None in three dimensions.
        counts: number of bodies of each phase present.
        estimated_cells: triangles or tetrahedra to expect, good to about 30 %.
        mean_volume_um3: mean volume of one body of each phase present; None in two dimensions.
    """

    thickness_um: float
    active_loading_mg_cm2: float
    solid_um: dict[str, float]
    fractions: dict[str, float]
    areal_capacity_mAh_cm2: float
    lithium_capacity_mAh_cm2: float
    mean_area_um2: dict[str, float] | None
    counts: dict[str, int]
    estimated_cells: int
    mean_volume_um3: dict[str, float] | None = None


def stadium_area(length_um: float, aspect: float) -> float:
    """Area (um2) of a stadium (rectangle with round ends) of given length and length over thickness."""
    thickness = length_um / aspect
    return length_um * thickness - (1.0 - math.pi / 4.0) * thickness**2


def solid_per_active(recipe: Recipe) -> dict[str, float]:
    """Solid thickness of each phase in um per mg/cm2 of active material (1 mg/cm2 at 1 g/cm3 is 10 um)."""
    weights = recipe.composition
    active = weights.graphite_wt_percent + weights.silicon_wt_percent
    density = recipe.densities
    return {
        "graphite": 10.0 * weights.graphite_wt_percent / active / density.graphite_g_cm3,
        "silicon": 10.0 * weights.silicon_wt_percent / active / density.silicon_g_cm3,
        "lithium": 10.0 * weights.lithium_wt_percent_of_active / 100.0 / density.lithium_g_cm3,
        "binder": 10.0 * weights.binder_wt_percent / active / density.binder_g_cm3,
    }


def areal_capacity(
    recipe: Recipe | ImageRecipe, solid_um: dict[str, float], phases: tuple[str, ...]
) -> float:
    """Capacity in mAh/cm2 of the named phases from their solid thickness in um."""
    density = {
        "graphite": recipe.densities.graphite_g_cm3,
        "silicon": recipe.densities.silicon_g_cm3,
        "lithium": recipe.densities.lithium_g_cm3,
    }
    return sum(1e-4 * solid_um[p] * density[p] * CAPACITY_MAH_G[p] for p in phases)


def plan(recipe: Recipe, prefix: str = "mesh") -> Plan:
    """Work out a recipe and refuse it if it cannot be made.

    Args:
        recipe: the recipe.
        prefix: name of the table, put before the key in messages.

    Returns:
        Fractions, thickness, capacity, counts, expected size of the mesh.

    Raises:
        RecipeError: particles larger than the box, pores that cannot be packed, too many cells.
    """
    per_active = solid_per_active(recipe)
    total = sum(per_active.values())
    if recipe.active_loading_mg_cm2 is not None:
        loading = recipe.active_loading_mg_cm2
        thickness = loading * total / (1.0 - recipe.porosity)
    else:
        thickness = float(recipe.thickness_um or 0.0)
        loading = thickness * (1.0 - recipe.porosity) / total
    solid = {phase: loading * value for phase, value in per_active.items()}
    fractions = {phase: value / thickness for phase, value in solid.items()}
    fractions["pore"] = recipe.porosity
    fractions = {phase: fractions[phase] for phase in ELECTRODE_PHASES}

    _check_sizes(recipe, thickness, fractions, prefix)
    _check_silicon_place(recipe, prefix)
    _check_small_share(recipe, fractions, prefix)
    solid_bodies = recipe.dimension == 3
    mean = solids.mean_volumes(recipe, compact_shapes(recipe)) if solid_bodies else mean_areas(recipe)
    box = recipe.width_um * thickness * (float(recipe.depth_um or 0.0) if solid_bodies else 1.0)
    counts: dict[str, int] = {}
    for phase in ELECTRODE_PHASES:
        if fractions[phase] <= 0.0:
            continue
        exact = fractions[phase] * box / mean[phase]
        if exact < 0.6:
            raise RecipeError(
                f"{prefix}.width_um",
                f"{recipe.width_um:g} is too narrow to hold one {phase} particle of the stated size: "
                f"at least {recipe.width_um * 0.6 / exact:.3g} is needed",
            )
        counts[phase] = max(1, round(exact))
    if solid_bodies:
        solids.check_resolved(recipe, compact_shapes(recipe), fractions, prefix)
        cells = solids.estimate_tetrahedra(recipe, thickness, mean, counts)
    else:
        cells = _estimate_cells(recipe, thickness, mean, counts)
    if cells > recipe.resolution.max_cells:
        raise RecipeError(
            f"{prefix}.resolution.element_size_um",
            f"{recipe.resolution.element_size_um:g} (with {recipe.resolution.interface_element_size_um:g} at "
            f"interfaces) would need about {cells} cells, more than max_cells = {recipe.resolution.max_cells}",
        )
    return Plan(
        thickness_um=thickness,
        active_loading_mg_cm2=loading,
        solid_um=solid,
        fractions=fractions,
        areal_capacity_mAh_cm2=areal_capacity(recipe, solid, ("graphite", "silicon")),
        lithium_capacity_mAh_cm2=areal_capacity(recipe, solid, ("lithium",)),
        mean_area_um2=None if solid_bodies else {phase: mean[phase] for phase in counts},
        counts=counts,
        estimated_cells=cells,
        mean_volume_um3={phase: mean[phase] for phase in counts} if solid_bodies else None,
    )


def compact_shapes(recipe: Recipe) -> dict[str, SiliconShape | SmallShape]:
    """Shapes of the phases whose bodies are as wide as long."""
    return {
        "silicon": recipe.silicon,
        "lithium": recipe.lithium,
        "binder": recipe.binder,
        "pore": recipe.pore,
    }


def mean_areas(recipe: Recipe) -> dict[str, float]:
    """Mean section area (um2) of one body of each phase, spreads included to second order."""
    length, aspect = recipe.graphite.length_um, recipe.graphite.aspect
    spread = (
        1.0 + (recipe.graphite.length_spread_um / length) ** 2 + (recipe.graphite.aspect_spread / aspect) ** 2
    )
    areas = {"graphite": stadium_area(length, aspect) * spread}
    shapes = compact_shapes(recipe)
    for phase, shape in shapes.items():
        areas[phase] = math.pi / 4.0 * (shape.diameter_um**2 + shape.diameter_spread_um**2)
    return areas


def _check_sizes(recipe: Recipe, thickness: float, fractions: dict[str, float], prefix: str) -> None:
    """Refuse particles that do not fit into the box, with room for two beside each other."""
    for name, extent in (("wide", recipe.width_um), ("deep", recipe.depth_um)):
        if fractions["graphite"] > 0.0 and extent is not None and recipe.graphite.length_um > extent:
            key = {"wide": "width_um", "deep": "depth_um"}[name]
            raise RecipeError(
                f"{prefix}.graphite.length_um",
                f"{recipe.graphite.length_um:g} is longer than the box is {name} ({key} = {extent:g})",
            )
    flake_thickness = recipe.graphite.length_um / recipe.graphite.aspect
    if fractions["graphite"] > 0.0 and flake_thickness > thickness / 2.0:
        raise RecipeError(
            f"{prefix}.graphite.aspect",
            f"{recipe.graphite.aspect:g} makes flakes {flake_thickness:.3g} um thick, more than half the electrode "
            f"({thickness:.3g} um)",
        )
    shapes = compact_shapes(recipe)
    for phase, shape in shapes.items():
        largest = min(recipe.width_um, recipe.depth_um or recipe.width_um, thickness) / 2.0
        if fractions[phase] > 0.0 and shape.diameter_um > largest:
            raise RecipeError(
                f"{prefix}.{phase}.diameter_um",
                f"{shape.diameter_um:g} is too large for the box of {_box_text(recipe, thickness)} um: "
                f"at most half its smaller side, {largest:.3g}",
            )
        if fractions[phase] > 0.0 and shape.diameter_spread_um > 0.4 * shape.diameter_um:
            raise RecipeError(
                f"{prefix}.{phase}.diameter_spread_um",
                f"{shape.diameter_spread_um:g} is more than 0.4 of the diameter ({shape.diameter_um:g})",
            )
    if recipe.graphite.length_spread_um > 0.4 * recipe.graphite.length_um:
        raise RecipeError(
            f"{prefix}.graphite.length_spread_um",
            f"{recipe.graphite.length_spread_um:g} is more than 0.4 of the length ({recipe.graphite.length_um:g})",
        )
    if recipe.graphite.aspect_spread > 0.4 * recipe.graphite.aspect:
        raise RecipeError(
            f"{prefix}.graphite.aspect_spread",
            f"{recipe.graphite.aspect_spread:g} is more than 0.4 of the aspect ({recipe.graphite.aspect:g})",
        )


def _box_text(recipe: Recipe, thickness: float) -> str:
    """Sizes of the box in words."""
    depth = f" x {recipe.depth_um:g}" if recipe.depth_um is not None else ""
    return f"{recipe.width_um:g}{depth} x {thickness:.3g}"


def _check_small_share(recipe: Recipe, fractions: dict[str, float], prefix: str) -> None:
    """Refuse more between the flakes than lets these touch; the key named is that of the largest share."""
    keys = {
        "pore": ("porosity", recipe.porosity),
        "binder": ("composition.binder_wt_percent", recipe.composition.binder_wt_percent),
    }
    if recipe.silicon.place == "boundaries":
        keys["silicon"] = ("composition.silicon_wt_percent", recipe.composition.silicon_wt_percent)
    small = sum(fractions[phase] for phase in keys)
    if small <= LARGEST_SMALL_FRACTION:
        return
    key, value = keys[max(keys, key=lambda phase: fractions[phase])]
    shares = " + ".join(f"{100.0 * fractions[phase]:.1f} % {phase}" for phase in keys)
    raise RecipeError(
        f"{prefix}.{key}",
        f"{value:g} cannot be packed: {shares} would fill {100.0 * small:.1f} % of the electrode between the flakes, "
        f"and at most {100.0 * LARGEST_SMALL_FRACTION:g} % leaves the flakes in touch",
    )


def _check_silicon_place(recipe: Recipe, prefix: str) -> None:
    """Refuse silicon within flakes that are absent or too thin to hold it."""
    if recipe.silicon.place != "within" or recipe.composition.silicon_wt_percent == 0.0:
        return
    if recipe.composition.graphite_wt_percent == 0.0:
        raise RecipeError(
            f"{prefix}.silicon.place", "'within' needs graphite flakes, and there is no graphite"
        )
    thickness = recipe.graphite.length_um / recipe.graphite.aspect
    if recipe.silicon.diameter_um > 0.6 * thickness:
        raise RecipeError(
            f"{prefix}.silicon.diameter_um",
            f"{recipe.silicon.diameter_um:g} is too large to sit within flakes {thickness:.3g} um thick: "
            f'at most {0.6 * thickness:.3g}, or place = "boundaries"',
        )


def _estimate_cells(
    recipe: Recipe, thickness: float, mean_area: dict[str, float], counts: dict[str, int]
) -> int:
    """Triangles to expect: bulk at the bulk size, silicon and a margin around it at the interface size.

    Gmsh makes about a third more triangles than equilateral ones would fill the area with, and every small body
    brings some ten of its own because its outline has six edges or more (both counted on the shipped cases).
    """
    size, fine = recipe.resolution.element_size_um, recipe.resolution.interface_element_size_um
    box = recipe.width_um * thickness
    strips = recipe.width_um * (recipe.strips.foil_um + recipe.strips.electrolyte_um)
    near = 0.0
    if "silicon" in counts:
        diameter = math.sqrt(4.0 * mean_area["silicon"] / math.pi)
        near = min(box, counts["silicon"] * math.pi / 4.0 * (diameter + 2.0 * size) ** 2)
    triangle = math.sqrt(3.0) / 4.0
    filling = near / (triangle * fine**2) + (box - near + strips / 3.0) / (triangle * size**2)
    return round(1.35 * filling + 10 * sum(counts.get(phase, 0) for phase in ("silicon", "binder", "pore")))
