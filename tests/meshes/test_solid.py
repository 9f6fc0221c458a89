"""Meshes of recipes in three dimensions: groups, volumes, quality, conformity, colours, sides, determinism."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
import pytest

from meshes import MeshFiles, generate, plan, read_recipe
from meshes.build import Mesh, gmsh_model, read_model

BLOCK: dict[str, Any] = {
    "dimension": 3,
    "seed": 2,
    "width_um": 9.0,
    "depth_um": 8.0,
    "thickness_um": 8.0,
    "porosity": 0.12,
    "composition": {
        "graphite_wt_percent": 87.628,
        "silicon_wt_percent": 7.372,
        "binder_wt_percent": 5.0,
        "lithium_wt_percent_of_active": 3.0,
    },
    "graphite": {"length_um": 7.0, "aspect": 2.0},
    "silicon": {"diameter_um": 3.0},
    "lithium": {"diameter_um": 3.6},
    "binder": {"diameter_um": 3.2},
    "pore": {"diameter_um": 3.2},
    "strips": {"foil_um": 1.5, "electrolyte_um": 2.0},
    "resolution": {"element_size_um": 1.8, "interface_element_size_um": 1.4},
}
SIZE = (9.0, 8.0, 8.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> MeshFiles:
    return generate(read_recipe(BLOCK), tmp_path_factory.mktemp("block"), "block")


@pytest.fixture(scope="module")
def sidecar(files: MeshFiles) -> dict[str, Any]:
    return json.loads(files.sidecar.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def read(files: MeshFiles) -> tuple[Mesh, dict[str, np.ndarray]]:
    """The mesh, and the corners of the facets of each boundary group, shape (facets, 3, 3)."""
    with gmsh_model("reading"):
        gmsh.merge(str(files.msh))
        mesh = read_model(3)
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        place = np.zeros((int(tags.max()) + 1, 3))
        place[tags.astype(int)] = coordinates.reshape(-1, 3)
        sides = {}
        for _, tag in gmsh.model.getPhysicalGroups(2):
            nodes = [
                gmsh.model.mesh.getElementsByType(2, entity)[1]
                for entity in gmsh.model.getEntitiesForPhysicalGroup(2, tag)
            ]
            sides[gmsh.model.getPhysicalName(2, tag)] = place[np.concatenate(nodes).astype(int)].reshape(
                -1, 3, 3
            )
    return mesh, sides


def volumes(mesh: Mesh) -> dict[int, float]:
    """Signed volume by group, by determinants, independent of the package's own."""
    total: dict[int, float] = defaultdict(float)
    corners = mesh.points[mesh.cells]
    each = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    assert (each > 0.0).all()
    for tag, volume in zip(mesh.cell_tags, each, strict=True):
        total[int(tag)] += float(volume)
    return total


def owners(mesh: Mesh) -> dict[tuple[int, ...], list[int]]:
    """Groups of the cells at each facet."""
    found: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for cell, tag in zip(mesh.cells.tolist(), mesh.cell_tags.tolist(), strict=True):
        for facet in combinations(sorted(cell), 3):
            found[facet].append(tag)
    return found


def test_every_body_has_its_volume(read: Any, sidecar: dict[str, Any]) -> None:
    mesh, _ = read
    found = volumes(mesh)
    assert {g["tag"]: g["name"] for g in sidecar["grains"]} == mesh.names
    for grain in sidecar["grains"]:
        assert found[grain["tag"]] == pytest.approx(grain["volume_um3"], rel=1e-9)
        if grain["phase"] not in ("copper", "electrolyte"):
            assert grain["name"] == f"{grain['phase']}/{grain['tag']}"
            assert found[grain["tag"]] == pytest.approx(grain["target_volume_um3"], rel=1e-6)
    assert sum(found.values()) == pytest.approx(9.0 * 8.0 * 11.5, rel=1e-9)


def test_phases_and_capacity_are_those_of_the_recipe(sidecar: dict[str, Any]) -> None:
    expected = plan(read_recipe(BLOCK))
    present = {grain["phase"] for grain in sidecar["grains"]}
    assert present == {"graphite", "silicon", "lithium", "binder", "pore", "copper", "electrolyte"}
    by_phase: dict[str, float] = defaultdict(float)
    for grain in sidecar["grains"]:
        by_phase[grain["phase"]] += grain["volume_um3"] / np.prod(SIZE)
    for phase, share in expected.fractions.items():
        assert by_phase[phase] == pytest.approx(share, abs=1e-6)
        assert sidecar["volume_fractions"]["realised"][phase] == pytest.approx(share, abs=1e-6)
    # Graphite and silicon from their volumes by hand: g/cm3 x mAh/g x 1e-4 cm.
    hosts = (by_phase["graphite"] * 2.26 * 372.0 + by_phase["silicon"] * 2.33 * 3579.0) * 8.0 * 1e-4
    assert sidecar["areal_capacity_mAh_cm2"]["realised"] == pytest.approx(hosts, rel=1e-6)
    assert sidecar["areal_capacity_mAh_cm2"]["target"] == pytest.approx(hosts, rel=1e-6)


def test_quality_gates(read: Any, sidecar: dict[str, Any]) -> None:
    mesh, _ = read
    assert mesh.gamma.min() >= 0.1 and mesh.sicn.min() >= 0.1
    assert sidecar["quality"]["gamma"]["min"] == pytest.approx(mesh.gamma.min())
    assert (
        sum(sidecar["quality"]["sicn"]["histogram"]["counts"])
        == sidecar["quality"]["cells"]
        == len(mesh.cells)
    )


def test_every_facet_lies_between_two_cells_or_on_a_side(read: Any, sidecar: dict[str, Any]) -> None:
    mesh, _ = read
    area: dict[str, float] = defaultdict(float)
    outer = 0.0
    phase = {grain["tag"]: grain["phase"] for grain in sidecar["grains"]}
    for facet, tags in owners(mesh).items():
        a, b, c = mesh.points[list(facet)]
        size = 0.5 * float(np.linalg.norm(np.cross(b - a, c - a)))
        assert len(tags) in (1, 2)
        if len(tags) == 1:
            outer += size
        elif tags[0] != tags[1]:
            area["|".join(sorted((phase[tags[0]], phase[tags[1]])))] += size
    # All of the box's surface and nothing else is owned once: there is no slit inside.
    assert outer == pytest.approx(2.0 * (9.0 * 8.0 + (9.0 + 8.0) * 11.5), rel=1e-9)
    assert sidecar["interfaces"] == pytest.approx(dict(area), rel=1e-9)
    assert sum(size for pair, size in area.items() if "copper" in pair) == pytest.approx(72.0, rel=1e-9)


def test_every_grain_is_one_piece_and_does_not_touch_itself(read: Any) -> None:
    mesh, _ = read
    stars: dict[tuple[int, int], list[set[int]]] = defaultdict(list)
    for cell, tag in zip(mesh.cells.tolist(), mesh.cell_tags.tolist(), strict=True):
        for node in cell:
            # Cells of a grain around a node hang together if the edges opposite do.
            rest = set(cell) - {node}
            joined = [part for part in stars[node, tag] if len(part & rest) >= 2]
            apart = [part for part in stars[node, tag] if len(part & rest) < 2]
            stars[node, tag] = [*apart, rest.union(*joined)]
    for parts in stars.values():
        # Parts may have met later than they were begun.
        merged = True
        while merged and len(parts) > 1:
            merged = False
            for one, two in combinations(range(len(parts)), 2):
                if len(parts[one] & parts[two]) >= 2:
                    parts[one] |= parts.pop(two)
                    merged = True
                    break
        assert len(parts) == 1
    neighbours: dict[int, set[int]] = defaultdict(set)
    number: dict[tuple[int, ...], int] = {}
    for index, cell in enumerate(mesh.cells.tolist()):
        for facet in combinations(sorted(cell), 3):
            if facet in number and mesh.cell_tags[number[facet]] == mesh.cell_tags[index]:
                neighbours[index].add(number[facet])
                neighbours[number[facet]].add(index)
            number[facet] = index
    seen: set[int] = set()
    begun: list[int] = []
    for start in range(len(mesh.cells)):
        if start in seen:
            continue
        begun.append(int(mesh.cell_tags[start]))
        queue = [start]
        while queue:
            cell = queue.pop()
            if cell not in seen:
                seen.add(cell)
                queue += neighbours[cell] - seen
    assert sorted(begun) == sorted(mesh.names)


def test_grains_that_share_a_node_differ_in_colour(read: Any, sidecar: dict[str, Any]) -> None:
    mesh, _ = read
    colour = {grain["tag"]: grain["colour"] for grain in sidecar["grains"]}
    at_node: dict[int, set[int]] = defaultdict(set)
    for cell, tag in zip(mesh.cells.tolist(), mesh.cell_tags.tolist(), strict=True):
        for node in cell:
            at_node[node].add(tag)
    assert max(map(len, at_node.values())) >= 4
    assert all(len({colour[tag] for tag in tags}) == len(tags) for tags in at_node.values())
    assert set(colour.values()) == set(range(sidecar["colours"]))


def test_sides_are_flat_and_whole(read: Any, sidecar: dict[str, Any]) -> None:
    _, sides = read
    assert set(sides) == set(sidecar["boundaries"]) == {"bottom", "top", "left", "right", "front", "back"}
    assert sidecar["box_um"] == pytest.approx(
        {"width": 9.0, "depth": 8.0, "thickness": 8.0, "foil": 1.5, "electrolyte": 2.0}
    )
    for name, axis, place, area in (
        ("bottom", 2, -1.5, 72.0), ("top", 2, 10.0, 72.0), ("left", 0, 0.0, 92.0), ("right", 0, 9.0, 92.0),
        ("front", 1, 0.0, 103.5), ("back", 1, 8.0, 103.5),
    ):  # fmt: skip
        corners = sides[name]
        assert np.abs(corners[:, :, axis] - place).max() < 1e-9
        spans = corners[:, 1:] - corners[:, :1]
        assert 0.5 * np.linalg.norm(np.cross(spans[:, 0], spans[:, 1]), axis=1).sum() == pytest.approx(area)


def test_strips_are_slabs(read: Any) -> None:
    mesh, _ = read
    heights = {
        name: mesh.points[mesh.cells[mesh.cell_tags == tag]][:, :, 2].reshape(-1)
        for tag, name in mesh.names.items()
        if "/" not in name
    }
    assert (heights["copper"].min(), heights["copper"].max()) == pytest.approx((-1.5, 0.0), abs=1e-12)
    assert (heights["electrolyte"].min(), heights["electrolyte"].max()) == pytest.approx(
        (8.0, 10.0), abs=1e-12
    )


def test_small_bodies_are_compact_and_flakes_flat(read: Any, sidecar: dict[str, Any]) -> None:
    mesh, _ = read
    for grain in sidecar["grains"]:
        corners = mesh.points[np.unique(mesh.cells[mesh.cell_tags == grain["tag"]])]
        extent = np.ptp(corners, axis=0)
        ball = (6.0 * grain["volume_um3"] / np.pi) ** (1.0 / 3.0)
        if grain["phase"] in ("silicon", "binder", "pore"):
            assert extent.max() < 1.7 * ball
    flakes = [g["tag"] for g in sidecar["grains"] if g["phase"] == "graphite"]
    extents = np.array(
        [np.ptp(mesh.points[np.unique(mesh.cells[mesh.cell_tags == tag])], axis=0) for tag in flakes]
    )
    assert extents[:, :2].mean() > 1.25 * extents[:, 2].mean()


PROGRAM = """
import json, sys
from meshes import generate, read_recipe
generate(read_recipe(json.loads(sys.argv[1])), sys.argv[2], "block")
"""


def test_same_recipe_gives_the_same_files(files: MeshFiles, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(BLOCK), str(tmp_path)],
        check=True, cwd=Path(__file__).parents[2], capture_output=True,
    )  # fmt: skip
    for mine, other in ((files.msh, "block.msh"), (files.sidecar, "block.json")):
        assert (
            hashlib.sha256(mine.read_bytes()).digest()
            == hashlib.sha256((tmp_path / other).read_bytes()).digest()
        )


def test_an_earlier_error_of_gmsh_leaves_no_trace(files: MeshFiles, tmp_path: Path) -> None:
    (tmp_path / "noise.msh").write_text("no mesh at all")
    with pytest.raises(Exception, match="noise"), gmsh_model("noise"):
        gmsh.merge(str(tmp_path / "noise.msh"))
    again = generate(read_recipe(BLOCK), tmp_path, "block")
    assert again.msh.read_bytes() == files.msh.read_bytes()


def test_another_seed_gives_another_mesh(sidecar: dict[str, Any], tmp_path: Path) -> None:
    other = generate(read_recipe(BLOCK | {"seed": 3}), tmp_path, "other")
    assert json.loads(other.sidecar.read_text())["content_hash"] != sidecar["content_hash"]


def test_the_picture_shows_the_phases(files: MeshFiles) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.image import imread

    from meshes.picture import COLOURS

    picture = imread(files.picture)[:, :, :3]
    section = picture[:, int(0.45 * picture.shape[1]) : int(0.75 * picture.shape[1])]
    for phase in ("graphite", "copper", "electrolyte"):
        assert (np.abs(section - np.array(to_rgb(COLOURS[phase]))) < 0.03).all(axis=2).sum() > 3000, phase
