"""Weights, volumes, capacity: the numbers of the reference electrode; and every mistake named."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from meshes import RecipeError, plan, read_recipe

CASES = Path(__file__).parents[2] / "run" / "cases"
# parameters.md, the reference electrode: lithium solid thickness (um), share of the solids, capacity (mAh/cm2).
LITHIUM = {
    "bare": (0.0, 0.0, 0.0),
    "pl1": (0.93, 0.038, 0.192),
    "pl3": (2.80, 0.107, 0.577),
    "pl5": (4.67, 0.166, 0.962),
}


def shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))["mesh"]


@pytest.mark.parametrize("name", LITHIUM)
def test_reference_numbers(name: str) -> None:
    resolved = plan(read_recipe(shipped(name)))
    lithium, share, capacity = LITHIUM[name]
    assert resolved.areal_capacity_mAh_cm2 == pytest.approx(3.09, abs=0.005)
    assert resolved.active_loading_mg_cm2 == pytest.approx(4.98)
    assert resolved.solid_um["graphite"] + resolved.solid_um["silicon"] == pytest.approx(22.0, abs=0.05)
    assert resolved.solid_um["lithium"] == pytest.approx(lithium, abs=0.01)
    assert resolved.lithium_capacity_mAh_cm2 == pytest.approx(capacity, abs=0.001)
    solids = sum(resolved.solid_um.values())
    assert solids - resolved.solid_um["lithium"] == pytest.approx(23.5, abs=0.06)
    assert resolved.solid_um["lithium"] / solids == pytest.approx(share, abs=0.001)
    assert sum(resolved.fractions.values()) == pytest.approx(1.0, abs=1e-12)
    # Porosity stays, so lithium makes the electrode thicker.
    assert resolved.fractions["pore"] == 0.10
    assert resolved.thickness_um == pytest.approx((23.45 + lithium) / 0.9, abs=0.02)
    assert 55 <= resolved.counts["graphite"] <= 65
    assert resolved.counts["silicon"] >= 100


@pytest.mark.parametrize("name", ["demo_bare", "demo_pl3"])
def test_demonstration_is_large_enough(name: str) -> None:
    recipe = read_recipe(shipped(name))
    resolved = plan(recipe)
    assert recipe.width_um >= 30.0
    assert resolved.counts["graphite"] >= 20
    assert resolved.counts["silicon"] >= 40


def test_silicon_share_gives_621_mah_per_gram() -> None:
    resolved = plan(read_recipe(shipped("bare")))
    assert 1e3 * resolved.areal_capacity_mAh_cm2 / resolved.active_loading_mg_cm2 == pytest.approx(
        621.0, abs=0.5
    )


def test_thickness_and_loading_are_two_ways_to_say_the_same(table: dict[str, Any]) -> None:
    by_loading = plan(read_recipe(table))
    table["thickness_um"] = by_loading.thickness_um
    del table["active_loading_mg_cm2"]
    by_thickness = plan(read_recipe(table))
    assert by_thickness.active_loading_mg_cm2 == pytest.approx(2.6, rel=1e-12)
    assert by_thickness.fractions == pytest.approx(by_loading.fractions, rel=1e-12)


def test_interface_size_follows_element_size(table: dict[str, Any]) -> None:
    table["resolution"] = {"element_size_um": 0.3}
    assert read_recipe(table).resolution.interface_element_size_um == pytest.approx(0.2)


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"widht_um": 3.0}, "mesh.widht_um", "did you mean width_um"),
    ({"composition.silicn_wt_percent": 5.0}, "mesh.composition.silicn_wt_percent", "did you mean silicon_wt_percent"),
    ({"colour": "red"}, "mesh.colour", "unknown key; known here: dimension, seed, width_um"),
    ({"width_um": "60"}, "mesh.width_um", "'60' is not allowed: a number is needed"),
    ({"width_um": True}, "mesh.width_um", "True is not allowed: a number is needed"),
    ({"width_um": -1.0}, "mesh.width_um", "-1.0 is not allowed: input should be greater than 0"),
    ({"width_um": float("inf")}, "mesh.width_um", "a finite number is needed"),
    ({"width_um": None}, "mesh.width_um", "a number is needed"),
    ({"seed": 1.5}, "mesh.seed", "a whole number is needed"),
    ({"seed": -1}, "mesh.seed", "greater than or equal to 0"),
    ({"dimension": 4}, "mesh.dimension", "input should be 2 or 3"),
    ({"dimension": 3}, "mesh", "depth_um is missing: dimension = 3 needs width_um and depth_um"),
    ({"depth_um": 9.0}, "mesh", "depth_um = 9 needs dimension = 3"),
    ({"dimension": 3, "depth_um": 7.0}, "mesh.graphite.length_um", "longer than the box is deep (depth_um = 7)"),
    ({"dimension": 3, "depth_um": 16.0}, "mesh.resolution.interface_element_size_um", "too coarse for silicon 1 um"),
    ({"porosity": 1.0}, "mesh.porosity", "less than 1"),
    ({"porosity": 0.42}, "mesh.porosity", "cannot be packed"),
    ({"composition.silicon_wt_percent": 60.0, "composition.graphite_wt_percent": 35.0},
     "mesh.composition.silicon_wt_percent", "cannot be packed"),
    ({"composition.binder_wt_percent": 45.0, "composition.graphite_wt_percent": 47.628},
     "mesh.composition.binder_wt_percent", "cannot be packed"),
    ({"composition.silicon_wt_percent": 20.0}, "mesh.composition", "add up to 112.628 wt%"),
    ({"composition.silicon_wt_percent": 120.0}, "mesh.composition.silicon_wt_percent", "less than or equal to 100"),
    ({"composition": 5}, "mesh.composition", "a table is needed"),
    ({"composition.graphite_wt_percent": 0.0, "composition.silicon_wt_percent": 0.0,
      "composition.binder_wt_percent": 100.0}, "mesh.composition", "no active material"),
    ({"thickness_um": 20.0}, "mesh", "both are given"),
    ({"graphite.length_um": 17.0}, "mesh.graphite.length_um", "longer than the box is wide"),
    ({"graphite.length_um": 12.0, "graphite.aspect": 1.0}, "mesh.graphite.aspect", "more than half the electrode"),
    ({"graphite.length_spread_um": 4.0}, "mesh.graphite.length_spread_um", "more than 0.4 of the length"),
    ({"graphite.aspect_spread": 2.0}, "mesh.graphite.aspect_spread", "more than 0.4 of the aspect"),
    ({"silicon.diameter_um": 9.0}, "mesh.silicon.diameter_um", "too large for the box"),
    ({"silicon.diameter_spread_um": 0.9}, "mesh.silicon.diameter_spread_um", "more than 0.4 of the diameter"),
    ({"silicon.place": "inside"}, "mesh.silicon.place", "'boundaries' or 'within'"),
    ({"silicon.place": "within", "silicon.diameter_um": 2.0}, "mesh.silicon.diameter_um", "too large to sit within"),
    ({"lithium.diameter_um": 30.0}, "mesh.lithium.diameter_um", "too large for the box"),
    ({"composition.lithium_wt_percent_of_active": 0.05}, "mesh.width_um", "too narrow to hold one lithium particle"),
    ({"strips.foil_um": 0.0}, "mesh.strips.foil_um", "greater than 0"),
    ({"resolution.interface_element_size_um": 2.0}, "mesh.resolution", "it must not be"),
    ({"resolution.element_size_um": 0.01}, "mesh.resolution.element_size_um", "more than max_cells = 200000"),
    ({"resolution.max_cells": 50}, "mesh.resolution.element_size_um", "more than max_cells = 50"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "key", "says"), MISTAKES, ids=lambda value: str(value)[:50])
def test_mistakes_are_refused_by_name(
    table: dict[str, Any], change: dict[str, Any], key: str, says: str
) -> None:
    for path, value in change.items():
        *parents, last = path.split(".")
        place = table
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    with pytest.raises(RecipeError) as refusal:
        plan(read_recipe(table))
    assert refusal.value.key == key
    assert says in refusal.value.message
    assert str(refusal.value) == f"{key}: {refusal.value.message}"
    assert "\n" not in str(refusal.value)


def test_missing_keys_are_named(table: dict[str, Any]) -> None:
    del table["porosity"]
    with pytest.raises(RecipeError, match=r"^case\.mesh\.porosity: this key is missing"):
        read_recipe(table, "case.mesh")


def test_neither_thickness_nor_loading(table: dict[str, Any]) -> None:
    del table["active_loading_mg_cm2"]
    with pytest.raises(RecipeError, match="neither is given"):
        read_recipe(table)


def test_silicon_within_needs_flakes(table: dict[str, Any]) -> None:
    table["composition"] = {"graphite_wt_percent": 0.0, "silicon_wt_percent": 95.0, "binder_wt_percent": 5.0}
    table["silicon"] = {"place": "within"}
    with pytest.raises(RecipeError, match=r"^mesh\.silicon\.place: .*no graphite"):
        plan(read_recipe(table))


def test_checking_a_recipe_does_not_load_the_mesher() -> None:
    heavy = {"gmsh", "meshio", "matplotlib", "mpi4py", "dolfinx"}
    program = f"import sys, meshes; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CASES.parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
