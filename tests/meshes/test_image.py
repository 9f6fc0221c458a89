"""Meshes from images: bodies of known size in a stack and a section, grains, files, and all that can be amiss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tifffile import imwrite

from meshes import ImportedMeshError, RecipeError, generate_from_image, read_image_recipe
from meshes.image_grains import find_grains
from meshes.image_reader import Image, read_image

#: Two balls of silicon, 3 um across, in a block of graphite of 8 x 7 x 6 um (width, depth, thickness).
VOXEL = 0.25
BALLS = ((2.25, 3.5, 3.0), (5.75, 3.5, 3.0))
RADIUS = 1.5


def stack() -> np.ndarray:
    """Slices from the foil upwards, depth, width: 1 graphite, 2 silicon."""
    z, y, x = (VOXEL * (np.indices((24, 28, 32))[k] + 0.5) for k in range(3))
    values = np.ones(x.shape, dtype=np.uint8)
    for ball in BALLS:
        values[(x - ball[0]) ** 2 + (y - ball[1]) ** 2 + (z - ball[2]) ** 2 < RADIUS**2] = 2
    return values


TABLE: dict[str, Any] = {
    "image": "stack.npy",
    "voxel_size_um": VOXEL,
    "phases": {"1": "graphite", "2": "silicon"},
    "strips": {"foil_um": 1.5, "electrolyte_um": 1.5},
    "resolution": {"element_size_um": 1.0, "interface_element_size_um": 0.7},
}


def made(folder: Path, values: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    """The sidecar of the mesh of an image."""
    np.save(folder / "stack.npy", stack() if values is None else values)
    recipe = read_image_recipe(TABLE | changes, folder)
    return json.loads(generate_from_image(recipe, folder, "mesh").sidecar.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("balls"))


def test_two_balls_in_a_block(balls: dict[str, Any]) -> None:
    silicon = [grain for grain in balls["grains"] if grain["phase"] == "silicon"]
    assert len(silicon) == 2 and len(balls["grains"]) == 5
    for grain, centre in zip(sorted(silicon, key=lambda g: g["centroid_um"][0]), BALLS, strict=True):
        # Voxels of a quarter micrometre show the ball to 2 %; the mesh keeps what they show.
        assert grain["volume_um3"] == pytest.approx(4.0 / 3.0 * np.pi * RADIUS**3, rel=0.03)
        assert grain["volume_um3"] == pytest.approx(grain["target_volume_um3"], rel=1e-6)
        assert grain["centroid_um"] == pytest.approx(centre, abs=0.18)
    # Smooth, not stepped: the boundary of voxels is half as large again as the ball's.
    assert balls["interfaces"]["graphite|silicon"] == pytest.approx(8.0 * np.pi * RADIUS**2, rel=0.06)
    assert balls["box_um"] == pytest.approx(
        {"width": 8.0, "depth": 7.0, "thickness": 6.0, "foil": 1.5, "electrolyte": 1.5}
    )
    assert balls["quality"]["gamma"]["min"] >= 0.1 and balls["quality"]["sicn"]["min"] >= 0.1
    assert balls["source"]["small_pieces_given_away"] == 0
    hosts = 6.0e-4 * (
        balls["volume_fractions"]["realised"]["silicon"] * 2.33 * 3579.0
        + balls["volume_fractions"]["realised"]["graphite"] * 2.26 * 372.0
    )
    assert balls["areal_capacity_mAh_cm2"]["realised"] == pytest.approx(hosts, rel=1e-9)


def test_the_same_image_gives_the_same_mesh(balls: dict[str, Any], tmp_path: Path) -> None:
    assert made(tmp_path)["content_hash"] == balls["content_hash"]


def test_a_section_is_meshed_by_triangles(tmp_path: Path) -> None:
    rows = np.full((28, 40), 1, dtype=np.uint16)
    rows[4:12, 6:14] = 2  # rows from the top down: high up, on the left
    rows[18:24, 28:36] = 0
    phases = {"0": "pore", "1": "graphite", "2": "silicon"}
    sizes = {"element_size_um": 0.6, "interface_element_size_um": 0.4}
    sidecar = made(tmp_path, rows, phases=phases, resolution=sizes)
    assert sidecar["dimension"] == 2 and set(sidecar["boundaries"]) == {"bottom", "top", "left", "right"}
    found = {grain["phase"]: grain for grain in sidecar["grains"]}
    assert found["silicon"]["area_um2"] == pytest.approx(4.0, rel=1e-6)
    assert found["silicon"]["centroid_um"] == pytest.approx([2.5, 5.0], abs=0.1)
    # Six cells across: the lattice shows where it is to a quarter of an element.
    assert found["pore"]["centroid_um"] == pytest.approx([8.0, 1.75], abs=0.15)
    assert sidecar["quality"]["gamma"]["min"] >= 0.1
    assert sidecar["interfaces"]["copper|graphite"] == pytest.approx(10.0, rel=1e-9)


def test_axes_are_turned_as_named(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "stack.npy", values)
    table = TABLE | {"phases": {str(k): "pore" for k in range(24)}, "voxel_size_um": [1.0, 2.0, 3.0]}
    for axes, expected in (
        (None, values.transpose(2, 1, 0)),
        (["x", "y", "z"], values),
        (["-z", "x", "-y"], values[::-1, :, ::-1].transpose(1, 2, 0)),
    ):
        image = read_image(read_image_recipe(table | ({} if axes is None else {"axes": axes}), tmp_path))
        assert (image.values == expected).all()
    assert image.voxel.tolist() == [2.0, 3.0, 1.0]


def test_tiff_and_raw_hold_the_same_as_npy(tmp_path: Path) -> None:
    values = stack()
    imwrite(tmp_path / "stack.tif", values, compression="zlib")
    (tmp_path / "stack.raw").write_bytes(b"header.." + values.astype(">u2").tobytes())
    raw = {"shape": list(values.shape), "type": "uint16", "byte_order": "big", "header_bytes": 8}
    for changes in ({"image": "stack.tif"}, {"image": "stack.raw", "raw": raw}):
        image = read_image(read_image_recipe(TABLE | changes, tmp_path))
        assert (image.values == values.transpose(2, 1, 0)).all()


def dumbbell() -> Image:
    """Two balls of graphite that overlap in a neck, in a pore; a speck of silicon."""
    x, y, z = (np.indices((30, 16, 16))[k] + 0.5 for k in range(3))
    values = np.zeros(x.shape, dtype=np.int64)
    for centre in (9.0, 21.0):
        values[(x - centre) ** 2 + (y - 8.0) ** 2 + (z - 8.0) ** 2 < 6.6**2] = 1
    values[0, 0, :2] = 2
    return Image(values, np.full(3, 0.5))


def recipe_for(folder: Path, **grains: Any) -> Any:
    (folder / "stack.npy").write_bytes(b"")
    phases = {"0": "pore", "1": "graphite", "2": "silicon"}
    return read_image_recipe(TABLE | {"phases": phases, "grains": grains}, folder)


def test_grains_are_pieces_or_watersheds(tmp_path: Path) -> None:
    image = dumbbell()
    whole = find_grains(image, recipe_for(tmp_path, smallest_um=0.0))
    assert sorted(whole.phases) == ["graphite", "pore", "silicon"]
    cut = find_grains(image, recipe_for(tmp_path, smallest_um=0.0, watershed=["graphite"]))
    assert sorted(cut.phases) == ["graphite", "graphite", "pore", "silicon"]
    halves = [size for size, phase in zip(cut.sizes, cut.phases, strict=True) if phase == "graphite"]
    assert halves[0] == pytest.approx(halves[1], rel=0.02)
    assert sum(halves) == pytest.approx((image.values == 1).sum() * 0.125)
    deep = find_grains(image, recipe_for(tmp_path, watershed=["graphite"], watershed_depth_um=3.0))
    assert deep.phases.count("graphite") == 1


def test_specks_go_to_their_neighbour(tmp_path: Path) -> None:
    image = dumbbell()
    grains = find_grains(image, recipe_for(tmp_path))
    assert grains.given_away == 1 and "silicon" not in grains.phases
    assert grains.fractions["silicon"] == pytest.approx(2.0 / image.values.size)
    assert grains.sizes.sum() == pytest.approx(image.size.prod())
    assert grains.labels[0, 0, 0] == grains.labels[0, 1, 0]


def test_what_is_lost_with_small_pieces_is_bounded(tmp_path: Path) -> None:
    values = np.ones((24, 24, 24), dtype=np.uint8)
    values[1::3, 1::3, 1::3] = 2  # one voxel in 27: lost all together, and more than a hundredth
    with pytest.raises(
        ImportedMeshError, match=r"the share of graphite is .* in the mesh and .* in the image"
    ):
        made(tmp_path, values)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stack.npy"]


TABLES = [
    ({"image": "none.npy"}, "mesh.image", "there is no file"),
    ({"image": "stack.jpg"}, "mesh", "must end in one of .npy, .tif, .tiff, .raw"),
    ({"raw": {"shape": [2, 2]}}, "mesh", "belongs to a .raw image"),
    ({"voxel_size_um": 0.0}, "mesh.voxel_size_um", "greater than 0"),
    ({"voxel_size": 0.1}, "mesh.voxel_size", "did you mean voxel_size_um?"),
    ({"axes": ["x", "x"]}, "mesh", "once each"),
    ({"axes": ["x", "up"]}, "mesh.axes.1", "'x', 'y', 'z'"),
    ({"phases": {"a": "pore"}}, "mesh", "'a' is not a whole number"),
    ({"phases": {"1": "steel"}}, "mesh.phases.1", "'graphite', 'silicon'"),
    ({"grains": {"watershed": ["copper"]}}, "mesh.grains.watershed.0", "'graphite', 'silicon'"),
    ({"seed": 1}, "mesh.seed", "unknown key"),
]


@pytest.mark.parametrize(("change", "key", "says"), TABLES, ids=lambda value: str(value)[:40])
def test_mistakes_in_the_table(tmp_path: Path, change: dict[str, Any], key: str, says: str) -> None:
    np.save(tmp_path / "stack.npy", stack())
    with pytest.raises(RecipeError) as refusal:
        read_image_recipe(TABLE | change, tmp_path)
    assert refusal.value.key == key
    assert says in refusal.value.message and "\n" not in str(refusal.value)


FILES = [
    (np.ones((4, 4), dtype=np.complex64), {}, "complex"),
    (np.full((4, 4), 0.5), {}, "holds whole numbers"),
    (np.ones(8, dtype=np.uint8), {}, "has 1 axes"),
    (np.ones((4, 1), dtype=np.uint8), {}, "at least 2 voxels"),
    (np.full((4, 4), 7), {}, "holds the value 7, and mesh.phases has no phase for it"),
    (np.ones((4, 4), dtype=np.uint8), {"axes": ["z", "y", "x"]}, "2 axes and mesh.axes names 3"),
    (np.ones((4, 4), dtype=np.uint8), {"voxel_size_um": [1.0, 1.0, 1.0]}, "voxel_size_um has 3 numbers"),
]


@pytest.mark.parametrize(("values", "change", "says"), FILES, ids=lambda value: str(value)[:30])
def test_mistakes_in_the_file(tmp_path: Path, values: np.ndarray, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ImportedMeshError, match=says):
        made(tmp_path, values, **change)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "stack.npy").write_bytes(b"no array")
    (tmp_path / "stack.tif").write_bytes(b"no picture")
    (tmp_path / "stack.raw").write_bytes(b"123")
    raw = {"shape": [2, 2]}
    for changes, says in (
        ({}, "cannot be read"), ({"image": "stack.tif"}, "cannot be read"),
        ({"image": "stack.raw", "raw": raw}, r"holds 3 bytes after its header; .* needs 4"),
    ):  # fmt: skip
        with pytest.raises(ImportedMeshError, match=says):
            read_image(read_image_recipe(TABLE | changes, tmp_path))


def test_too_many_cells_are_refused_before_meshing(tmp_path: Path) -> None:
    with pytest.raises(ImportedMeshError, match=r"element_size_um = 0\.05 would need about \d+ cells"):
        made(tmp_path, resolution={"element_size_um": 0.05})
