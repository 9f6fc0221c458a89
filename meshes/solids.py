"""Bodies in three dimensions: oblate flakes and balls, their volumes and how fine a mesh must be to show them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Floats
from .deviates import normal_deviates
from .errors import RecipeError
from .recipe import Recipe, SiliconShape, SmallShape

if TYPE_CHECKING:
    from .composition import Plan

#: Elements that the thinnest extent of a body must measure at least.
ELEMENTS_ACROSS = 1.6
#: Tetrahedra of size one in a unit of volume (twelve in a cube of 1.1), and how many more grading brings about;
#: counted on meshes of 20 to 300 grains.
CELLS_PER_VOLUME = 9.0
GRADING_FACTOR = 1.25
#: Phases whose bodies sit between (or within) the flakes and get the finer elements.
SMALL_PHASES = ("silicon", "binder", "pore")


@dataclass(frozen=True)
class SolidBody:
    """One particle.

    Attributes:
        phase: its phase name.
        volume: target volume, um3.
        diameter: longest extent, um.
        aspect: diameter over thickness (1 for balls).
        normal: unit vector across the flake, shape (3,).
    """

    phase: str
    volume: float
    diameter: float
    aspect: float
    normal: Floats

    @property
    def radius(self) -> float:
        """Of the ball of the same volume, um."""
        return float((0.75 * self.volume / math.pi) ** (1.0 / 3.0))


def ball_volume(diameter: float) -> float:
    """Volume of a ball, um3."""
    return math.pi / 6.0 * diameter**3


def mean_volumes(recipe: Recipe, shapes: dict[str, SiliconShape | SmallShape]) -> dict[str, float]:
    """Mean volume (um3) of one body of each phase, spreads included to second order.

    Args:
        recipe: shapes of flakes.
        shapes: those of the compact phases.
    """
    flake = recipe.graphite
    length, aspect = flake.length_spread_um / flake.length_um, flake.aspect_spread / flake.aspect
    volumes = {
        "graphite": ball_volume(flake.length_um) / flake.aspect * (1.0 + 3.0 * length**2) * (1.0 + aspect**2)
    }
    for phase, shape in shapes.items():
        spread = shape.diameter_spread_um / shape.diameter_um
        volumes[phase] = ball_volume(shape.diameter_um) * (1.0 + 3.0 * spread**2)
    return volumes


def check_resolved(
    recipe: Recipe, shapes: dict[str, SiliconShape | SmallShape], fractions: dict[str, float], prefix: str
) -> None:
    """Refuse elements too coarse to show a body.

    Raises:
        RecipeError: naming the body and what is needed.
    """
    sizes = recipe.resolution
    extents = {"graphite": recipe.graphite.length_um / recipe.graphite.aspect}
    extents |= {phase: shape.diameter_um for phase, shape in shapes.items()}
    for phase, extent in extents.items():
        small = phase in SMALL_PHASES
        key = "interface_element_size_um" if small else "element_size_um"
        size = sizes.interface_element_size_um if small else sizes.element_size_um
        if fractions[phase] > 0.0 and extent < ELEMENTS_ACROSS * size:
            raise RecipeError(
                f"{prefix}.resolution.{key}",
                f"{size:g} is too coarse for {phase} {extent:.3g} um across: at most {extent / ELEMENTS_ACROSS:.3g} "
                "shows it in three dimensions",
            )


def estimate_tetrahedra(
    recipe: Recipe, thickness: float, mean: dict[str, float], counts: dict[str, int]
) -> int:
    """Tetrahedra to expect, good to about 30 %: bulk at the bulk size, small bodies and a margin at the finer one."""
    size, fine = recipe.resolution.element_size_um, recipe.resolution.interface_element_size_um
    face = recipe.width_um * float(recipe.depth_um or 0.0)
    box = face * thickness
    near = 0.0
    for phase in SMALL_PHASES:
        if phase in counts:
            diameter = (6.0 * mean[phase] / math.pi) ** (1.0 / 3.0)
            near += counts[phase] * ball_volume(diameter + 2.0 * fine)
    near = min(box, near)
    strips = face * (recipe.strips.foil_um + recipe.strips.electrolyte_um) / 2.0
    grading = GRADING_FACTOR if near > 0.0 else 1.0
    return round(CELLS_PER_VOLUME * (grading * near / fine**3 + (box - near + strips) / size**3))


def draw_solids(recipe: Recipe, plan: Plan, random: np.random.Generator) -> list[SolidBody]:
    """Draw sizes, then scale each phase so that its volumes add up to the recipe exactly.

    Args:
        recipe: shapes.
        plan: counts and fractions.
        random: source of all randomness.

    Returns:
        Bodies, phase by phase in the plan's order.
    """
    box = recipe.width_um * float(recipe.depth_um or 0.0) * plan.thickness_um
    shapes: dict[str, SiliconShape | SmallShape] = {
        "silicon": recipe.silicon, "lithium": recipe.lithium, "binder": recipe.binder, "pore": recipe.pore,
    }  # fmt: skip
    bodies: list[SolidBody] = []
    for phase, count in plan.counts.items():
        normals = np.tile([0.0, 0.0, 1.0], (count, 1))
        aspect: Floats = np.ones(count)
        if phase == "graphite":
            flake = recipe.graphite
            diameter = normal_deviates(random, flake.length_um, flake.length_spread_um, count)
            aspect = np.maximum(1.0, normal_deviates(random, flake.aspect, flake.aspect_spread, count))
            tilt = np.deg2rad(normal_deviates(random, 0.0, flake.orientation_spread_deg, count))
            turn = random.uniform(0.0, math.pi, count)
            normals = np.column_stack(
                [np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)]
            )
        else:
            diameter = normal_deviates(
                random, shapes[phase].diameter_um, shapes[phase].diameter_spread_um, count
            )
        volume = math.pi / 6.0 * diameter**3 / aspect
        scale = plan.fractions[phase] * box / volume.sum()
        for k in range(count):
            bodies.append(
                SolidBody(
                    phase,
                    float(volume[k] * scale),
                    float(diameter[k] * scale ** (1.0 / 3.0)),
                    float(aspect[k]),
                    normals[k],
                )
            )
    return bodies
