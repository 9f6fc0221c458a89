"""A sheet of lithium between electrode and electrolyte: one grain more, and the electrode's numbers as without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import meshes

RECIPE: dict[str, Any] = {
    "seed": 3,
    "width_um": 9.0,
    "thickness_um": 7.0,
    "porosity": 0.08,
    "composition": {"graphite_wt_percent": 90.0, "silicon_wt_percent": 10.0},
    "graphite": {"length_um": 6.0, "length_spread_um": 0.5},
    "silicon": {"diameter_um": 1.4},
    "pore": {"diameter_um": 1.8},
    "resolution": {"element_size_um": 1.8, "interface_element_size_um": 1.4},
}


def sidecar(folder: Path, **strips: float) -> dict[str, Any]:
    table = {**RECIPE, "strips": {"foil_um": 1.0, "electrolyte_um": 1.0, **strips}}
    files = meshes.generate(meshes.read_recipe(table), folder, "sheet")
    found: dict[str, Any] = json.loads(Path(files.msh).with_suffix(".json").read_text(encoding="utf-8"))
    return found


def test_sheet(tmp_path: Path) -> None:
    plain, sheet = sidecar(tmp_path / "plain"), sidecar(tmp_path / "sheet", lithium_sheet_um=2.5)
    assert "lithium_sheet" not in plain["box_um"] and "lithium_sheet_um" not in plain["recipe"]["strips"]
    assert sheet["box_um"]["lithium_sheet"] == pytest.approx(2.5, rel=1e-12)
    assert sheet["box_um"]["thickness"] == pytest.approx(7.0, rel=1e-12)
    assert sheet["volume_fractions"]["realised"] == pytest.approx(
        plain["volume_fractions"]["realised"], rel=1e-9
    )
    names = {grain["name"]: grain for grain in sheet["grains"]}
    assert len(names) == len(plain["grains"]) + 1
    assert names["lithium/sheet"]["area_um2"] == pytest.approx(9.0 * 2.5, rel=1e-12)
    assert names["lithium/sheet"]["centroid_um"] == pytest.approx([4.5, 8.25], rel=1e-9)
    assert names["electrolyte"]["centroid_um"] == pytest.approx([4.5, 10.0], rel=1e-9)
    assert sheet["interfaces"]["electrolyte|lithium"] == pytest.approx(9.0, rel=1e-12)
    assert not any(kind.startswith("electrolyte|") and "lithium" not in kind for kind in sheet["interfaces"])


def test_not_in_three_dimensions() -> None:
    table = {**RECIPE, "dimension": 3, "depth_um": 9.0, "strips": {"lithium_sheet_um": 2.0}}
    with pytest.raises(meshes.RecipeError, match="only sections"):
        meshes.read_recipe(table)
    with pytest.raises(meshes.RecipeError, match="greater than 0"):
        meshes.read_recipe({**RECIPE, "strips": {"lithium_sheet_um": 0.0}})
