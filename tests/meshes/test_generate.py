"""The mesh contract: groups, sidecar, colours, fidelity, conformity, determinism, all or nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
import pytest

from meshes import GeometryError, MeshFiles, RecipeError, build, generate, pipeline, plan, read_recipe
from meshes.build import Mesh, gmsh_model, read_model


def read(path: Path) -> tuple[Mesh, dict[str, np.ndarray]]:
    """The mesh of a file, and the end points of the facets of each boundary group, shape (facets, 2, 2)."""
    with gmsh_model("reading"):
        gmsh.merge(str(path))
        mesh = read_model()
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        place = {int(tag): point for tag, point in zip(tags, coordinates.reshape(-1, 3), strict=True)}
        boundaries = {}
        for _, tag in gmsh.model.getPhysicalGroups(1):
            nodes = [
                gmsh.model.mesh.getElementsByType(1, entity)[1]
                for entity in gmsh.model.getEntitiesForPhysicalGroup(1, tag)
            ]
            ends = np.array([place[int(node)] for node in np.concatenate(nodes)])
            boundaries[gmsh.model.getPhysicalName(1, tag)] = ends.reshape(-1, 2, 3)[:, :, :2]
    return mesh, boundaries


@pytest.fixture(scope="module")
def mesh(small_mesh: MeshFiles) -> Mesh:
    return read(small_mesh.msh)[0]


def areas(mesh: Mesh) -> dict[int, float]:
    """Area by group, by the shoelace formula, independent of the package's own."""
    total: dict[int, float] = defaultdict(float)
    for cell, tag in zip(mesh.points[mesh.cells], mesh.cell_tags, strict=True):
        x, y = cell.T
        total[int(tag)] += 0.5 * abs(sum(x[k] * y[k - 2] - x[k - 2] * y[k] for k in range(3)))
    return total


def test_groups_are_those_of_the_sidecar(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    grains = small_sidecar["grains"]
    assert [grain["tag"] for grain in grains] == sorted(mesh.names)
    assert {grain["tag"]: grain["name"] for grain in grains} == mesh.names
    assert {"copper", "electrolyte"} < set(mesh.names.values())
    for grain in grains:
        assert grain["name"] in (grain["phase"], f"{grain['phase']}/{grain['tag']}")
    assert set(np.unique(mesh.cell_tags).tolist()) == set(mesh.names)
    assert small_sidecar["quality"]["cells"] == len(mesh.cells)
    assert small_sidecar["quality"]["nodes"] == len(mesh.points)
    assert small_sidecar["format"] == "swellbound-mesh/1" and small_sidecar["dimension"] == 2


def test_the_recipe_in_the_sidecar_makes_the_mesh_again(
    small_sidecar: dict[str, Any], table: dict[str, Any]
) -> None:
    assert read_recipe(small_sidecar["recipe"]) == read_recipe(table)
    assert small_sidecar["plan"]["counts"] == plan(read_recipe(table)).counts
    assert small_sidecar["attempts"][-1]["outcome"] == "accepted"


def test_every_body_is_one_grain(small_sidecar: dict[str, Any], table: dict[str, Any]) -> None:
    counted = Counter(grain["phase"] for grain in small_sidecar["grains"])
    assert counted == {**plan(read_recipe(table)).counts, "copper": 1, "electrolyte": 1}


def test_fractions_capacity_and_grain_areas(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    measured = areas(mesh)
    box = small_sidecar["box_um"]
    whole = box["width"] * box["thickness"]
    by_phase: dict[str, float] = defaultdict(float)
    for grain in small_sidecar["grains"]:
        assert measured[grain["tag"]] == pytest.approx(grain["area_um2"], rel=1e-9)
        by_phase[grain["phase"]] += measured[grain["tag"]]
        if "target_area_um2" in grain:
            assert grain["area_um2"] == pytest.approx(grain["target_area_um2"], rel=0.01)
    fractions = small_sidecar["volume_fractions"]
    for phase, target in fractions["target"].items():
        assert fractions["realised"][phase] == pytest.approx(by_phase[phase] / whole, abs=1e-9)
        assert fractions["realised"][phase] == pytest.approx(target, abs=0.01)
    capacity = small_sidecar["areal_capacity_mAh_cm2"]
    assert capacity["realised"] == pytest.approx(capacity["target"], rel=0.01)
    assert sum(by_phase.values()) == pytest.approx(box["width"] * (box["thickness"] + 5.0), rel=1e-9)


def test_quality_is_gated_and_reported(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    for name, values in (("gamma", mesh.gamma), ("sicn", mesh.sicn)):
        reported = small_sidecar["quality"][name]
        assert reported["min"] == pytest.approx(values.min(), rel=1e-6)
        assert reported["min"] >= 0.1
        assert sum(reported["histogram"]["counts"]) == len(mesh.cells)


def test_every_facet_has_two_owners_or_lies_on_the_outline(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    owners: dict[tuple[int, int], list[int]] = defaultdict(list)
    for cell, tag in zip(mesh.cells.tolist(), mesh.cell_tags.tolist(), strict=True):
        for k in range(3):
            owners[min(cell[k], cell[k - 1]), max(cell[k], cell[k - 1])].append(tag)
    assert {len(tags) for tags in owners.values()} == {1, 2}
    outline = 0.0
    between: dict[str, float] = defaultdict(float)
    for (a, b), tags in owners.items():
        length = float(np.linalg.norm(mesh.points[a] - mesh.points[b]))
        if len(tags) == 1:
            outline += length
        elif tags[0] != tags[1]:
            between["|".join(sorted(mesh.names[tag].split("/")[0] for tag in tags))] += length
    box = small_sidecar["box_um"]
    assert outline == pytest.approx(2.0 * (box["width"] + box["thickness"] + 5.0), rel=1e-9)
    assert small_sidecar["interfaces"] == pytest.approx(dict(between), rel=1e-9)


def test_grains_that_share_a_node_differ_in_colour(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    colour = {grain["tag"]: grain["colour"] for grain in small_sidecar["grains"]}
    at_node: dict[int, set[int]] = defaultdict(set)
    for cell, tag in zip(mesh.cells.tolist(), mesh.cell_tags.tolist(), strict=True):
        for node in cell:
            at_node[node].add(tag)
    for tags in at_node.values():
        assert len({colour[tag] for tag in tags}) == len(tags)
    assert set(colour.values()) == set(range(small_sidecar["colours"]))
    assert max(len(tags) for tags in at_node.values()) >= 3


def test_boundaries_are_whole_sides(small_mesh: MeshFiles, small_sidecar: dict[str, Any]) -> None:
    _, boundaries = read(small_mesh.msh)
    assert set(boundaries) == {"bottom", "top", "left", "right"} == set(small_sidecar["boundaries"])
    box = small_sidecar["box_um"]
    top, bottom, width = box["thickness"] + box["electrolyte"], -box["foil"], box["width"]
    for name, axis, place, length in (
        ("bottom", 1, bottom, width), ("top", 1, top, width), ("left", 0, 0.0, top - bottom),
        ("right", 0, width, top - bottom),
    ):  # fmt: skip
        ends = boundaries[name]
        assert ends[:, :, axis] == pytest.approx(place, abs=1e-9)
        assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum() == pytest.approx(length, rel=1e-9)


def test_strips_lie_below_and_above(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    height = {grain["phase"]: grain["centroid_um"][1] for grain in small_sidecar["grains"]}
    assert height["copper"] == pytest.approx(-1.0)
    assert height["electrolyte"] == pytest.approx(small_sidecar["box_um"]["thickness"] + 1.5)


def test_silicon_is_compact(mesh: Mesh, small_sidecar: dict[str, Any]) -> None:
    silicon = [grain for grain in small_sidecar["grains"] if grain["phase"] == "silicon"]
    for grain in silicon:
        corners = mesh.points[mesh.cells[mesh.cell_tags == grain["tag"]]].reshape(-1, 2)
        reach = 2.0 * np.linalg.norm(corners - grain["centroid_um"], axis=1).max()
        assert reach < 2.4 * np.sqrt(4.0 * grain["area_um2"] / np.pi)


PROGRAM = """
import json, sys
from meshes import generate, read_recipe
print(generate(read_recipe(json.loads(sys.argv[1])), sys.argv[2], "small").sidecar)
"""


def test_same_recipe_gives_the_same_files(
    small_mesh: MeshFiles, small_sidecar: dict[str, Any], table: dict[str, Any], tmp_path: Path
) -> None:
    # In a process of its own, with another hash seed, so that nothing depends on either.
    subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(table), str(tmp_path)],
        check=True, cwd=Path(__file__).parents[2], capture_output=True,
    )  # fmt: skip
    assert json.loads((tmp_path / "small.json").read_text())["content_hash"] == small_sidecar["content_hash"]
    digest = [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (small_mesh.msh, tmp_path / "small.msh")
    ]
    assert digest[0] == digest[1]


def test_another_seed_gives_another_mesh(
    small_sidecar: dict[str, Any], table: dict[str, Any], tmp_path: Path
) -> None:
    table["seed"] += 1
    other = json.loads(generate(read_recipe(table), tmp_path, "other").sidecar.read_text())
    assert other["content_hash"] != small_sidecar["content_hash"]


def test_element_size_does_not_change_the_geometry(table: dict[str, Any], tmp_path: Path) -> None:
    sidecars = []
    for size in (1.0, 0.5):
        table["resolution"]["element_size_um"] = size
        sidecars.append(json.loads(generate(read_recipe(table), tmp_path, "mesh").sidecar.read_text()))
    coarse, fine = sidecars
    assert fine["quality"]["cells"] > 2 * coarse["quality"]["cells"]
    for one, other in zip(coarse["grains"], fine["grains"], strict=True):
        assert one["name"] == other["name"]
        assert one["area_um2"] == pytest.approx(other["area_um2"], rel=1e-9)
        assert one["centroid_um"] == pytest.approx(other["centroid_um"], abs=1e-9)
    assert coarse["interfaces"] == pytest.approx(fine["interfaces"], rel=1e-9)


def test_silicon_within_flakes_touches_little_else(table: dict[str, Any], tmp_path: Path) -> None:
    table["silicon"] = {"place": "within"}
    sidecar = json.loads(generate(read_recipe(table), tmp_path, "within").sidecar.read_text())
    lengths = {pair: length for pair, length in sidecar["interfaces"].items() if "silicon" in pair.split("|")}
    assert lengths["graphite|silicon"] > 0.8 * sum(lengths.values())


@pytest.mark.parametrize("porosity", [0.0, 0.35])
def test_limits_of_porosity(table: dict[str, Any], tmp_path: Path, porosity: float) -> None:
    table["porosity"] = porosity
    sidecar = json.loads(generate(read_recipe(table), tmp_path, "limit").sidecar.read_text())
    assert sidecar["volume_fractions"]["realised"]["pore"] == pytest.approx(porosity, abs=0.01)


def test_a_retry_is_recorded(table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = pipeline.make_geometry

    def first_fails(recipe: Any, resolved: Any, sub_seed: int) -> Any:
        if sub_seed == 0:
            raise GeometryError("a reason")
        return genuine(recipe, resolved, sub_seed)

    monkeypatch.setattr(pipeline, "make_geometry", first_fails)
    sidecar = json.loads(generate(read_recipe(table), tmp_path, "second").sidecar.read_text())
    assert sidecar["attempts"] == [
        {"sub_seed": 0, "outcome": "a reason"},
        {"sub_seed": 1, "outcome": "accepted"},
    ]


def test_a_bad_mesh_is_refused_and_leaves_nothing(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {suffix: tmp_path / f"bad.{suffix}" for suffix in ("msh", "json", "png")}
    for path in old.values():
        path.write_text("as it was")
    genuine = build.read_model

    def flattened() -> Mesh:
        mesh = genuine()
        mesh.gamma[7] = 0.05
        return mesh

    monkeypatch.setattr(build, "read_model", flattened)
    with pytest.raises(
        RecipeError, match=r"^mesh\.seed: 5 gave no sound mesh in 4 attempts .*worst gamma is 0\.05 at"
    ):
        generate(read_recipe(table), tmp_path, "bad")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "bad.msh", "bad.png"]
    assert all(path.read_text() == "as it was" for path in old.values())


def test_the_limit_on_cells_holds_after_meshing_too(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshes.composition._estimate_cells", lambda *_: 1)
    table["resolution"]["max_cells"] = 100
    with pytest.raises(RecipeError, match=r"gives \d+ cells, more than max_cells = 100"):
        generate(read_recipe(table), tmp_path, "many")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b"])
def test_names_are_plain_file_names(table: dict[str, Any], tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match=r"^name: "):
        generate(read_recipe(table), tmp_path, name)


def test_somebody_elses_gmsh_session_survives(table: dict[str, Any], tmp_path: Path) -> None:
    gmsh.initialize([], readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.Algorithm", 5)
        gmsh.model.add("theirs")
        generate(read_recipe(table), tmp_path, "guest")
        assert gmsh.model.getCurrent() == "theirs"
        assert gmsh.option.getNumber("Mesh.Algorithm") == 5
    finally:
        gmsh.finalize()
