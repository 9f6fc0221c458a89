"""The bodies to be packed: every flake, agglomerate, binder grain and pore with its own exact area."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .composition import ELECTRODE_PHASES, Plan, compact_shapes, stadium_area
from .deviates import normal_deviates
from .recipe import Recipe


@dataclass(frozen=True)
class Body:
    """One particle.

    Attributes:
        phase: its phase name.
        area: target area, um2.
        length: longest extent, um.
        aspect: length over thickness (1 for compact bodies).
        angle: of its long axis against the foil, radians.
    """

    phase: str
    area: float
    length: float
    aspect: float
    angle: float

    @property
    def thickness(self) -> float:
        """Shortest extent, um."""
        return self.length / self.aspect


def draw_bodies(recipe: Recipe, plan: Plan, random: np.random.Generator) -> list[Body]:
    """Draw sizes, then scale each phase so that its areas add up to the recipe exactly.

    Args:
        recipe: shapes.
        plan: counts and fractions.
        random: source of all randomness.

    Returns:
        Bodies in the order of ``ELECTRODE_PHASES``.
    """
    box = recipe.width_um * plan.thickness_um
    shapes = compact_shapes(recipe)
    bodies: list[Body] = []
    for phase in ELECTRODE_PHASES:
        count = plan.counts.get(phase, 0)
        if count == 0:
            continue
        if phase == "graphite":
            flake = recipe.graphite
            length = normal_deviates(random, flake.length_um, flake.length_spread_um, count)
            aspect = np.maximum(1.0, normal_deviates(random, flake.aspect, flake.aspect_spread, count))
            angle = np.deg2rad(normal_deviates(random, 0.0, flake.orientation_spread_deg, count))
        else:
            length = normal_deviates(
                random, shapes[phase].diameter_um, shapes[phase].diameter_spread_um, count
            )
            aspect = np.ones(count)
            angle = np.zeros(count)
        area = np.array([stadium_area(lo, a) for lo, a in zip(length, aspect, strict=True)])
        scale = plan.fractions[phase] * box / area.sum()
        for a, lo, asp, ang in zip(area * scale, length * math.sqrt(scale), aspect, angle, strict=True):
            bodies.append(Body(phase, float(a), float(lo), float(asp), float(ang)))
    return bodies
