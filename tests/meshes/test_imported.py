"""Meshes made elsewhere: our own file read back, a foreign one with a table, and everything that can be amiss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest

from meshes import ImportedMeshError, MeshFiles, QualityError, import_mesh

PHASES = "tag,phase\n1,copper\n2,graphite\n3,silicon\n4,electrolyte\n"


def foreign(
    path: Path, tags: np.ndarray | None = None, name: str = "medit:ref", stretch: float = 1.0
) -> Path:
    """A grid of 6 x 8 squares cut into triangles: foil, graphite with two silicon squares in it, electrolyte."""
    columns, levels = 6, 8
    points = np.array(
        [[x, y * stretch, 0.0] for y in range(levels + 1) for x in range(columns + 1)], dtype=float
    )
    cells, kinds = [], []
    for y in range(levels):
        for x in range(columns):
            a = y * (columns + 1) + x
            b, c, d = a + 1, a + columns + 2, a + columns + 1
            cells += [[a, b, c], [a, d, c]]  # the second one clockwise: imports put that right
            kind = 1 if y < 2 else 4 if y > 6 else 3 if (x, y) in ((1, 4), (4, 4)) else 2
            kinds += [kind, kind]
    values = np.array(kinds) if tags is None else tags
    meshio.Mesh(points, [("triangle", np.array(cells))], cell_data={name: [values]}).write(path)
    return path


def table_file(folder: Path, text: str = PHASES) -> Path:
    path = folder / "phases.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_mesh_comes_back_unchanged(
    small_mesh: MeshFiles, small_sidecar: dict[str, Any], tmp_path: Path
) -> None:
    files = import_mesh(small_mesh.msh, tmp_path, "again")
    again = json.loads(files.sidecar.read_text())
    for old, new in zip(small_sidecar["grains"], again["grains"], strict=True):
        assert (old["tag"], old["name"], old["phase"]) == (new["tag"], new["name"], new["phase"])
        assert old["area_um2"] == pytest.approx(new["area_um2"], rel=1e-12)
    assert again["interfaces"] == pytest.approx(small_sidecar["interfaces"], rel=1e-12)
    assert again["quality"]["cells"] == small_sidecar["quality"]["cells"]
    assert again["box_um"] == pytest.approx(small_sidecar["box_um"], rel=1e-9)
    assert again["seed"] is None and again["source"] == "small.msh"
    # What was imported can be imported again, to the same content.
    twice = json.loads(import_mesh(files.msh, tmp_path, "twice").sidecar.read_text())
    assert twice["interfaces"] == pytest.approx(again["interfaces"], rel=1e-12)
    assert files.picture.stat().st_size > 10_000


@pytest.mark.parametrize("suffix", ["mesh", "vtu", "xdmf"])
def test_connected_pieces_of_a_phase_become_grains(tmp_path: Path, suffix: str) -> None:
    source = foreign(tmp_path / f"foreign.{suffix}", name="medit:ref" if suffix == "mesh" else "material")
    sidecar = json.loads(import_mesh(source, tmp_path, "grid", table_file(tmp_path)).sidecar.read_text())
    assert [grain["name"] for grain in sidecar["grains"]] == [
        "graphite/1", "silicon/2", "silicon/3", "copper", "electrolyte",
    ]  # fmt: skip
    assert [grain["area_um2"] for grain in sidecar["grains"]] == pytest.approx([28.0, 1.0, 1.0, 12.0, 6.0])
    assert sidecar["box_um"] == pytest.approx(
        {"width": 6.0, "thickness": 5.0, "foil": 2.0, "electrolyte": 1.0}
    )
    assert sidecar["interfaces"]["graphite|silicon"] == pytest.approx(8.0)
    assert sidecar["volume_fractions"]["realised"]["silicon"] == pytest.approx(2.0 / 30.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tag;phase\n1;copper\n", "the first line must be 'tag,phase'"),
        ("tag,phase\none,copper\n", "line 2: 'one', 'copper' is not a whole number"),
        ("tag,phase\n1,cuprum\n", "line 2: '1', 'cuprum' is not a whole number and one of graphite"),
        ("tag,phase\n1,copper\n1,pore\n", "line 3: tag 1 is given twice"),
        ("tag,phase\n1,copper\n2,graphite\n4,electrolyte\n", "no phase for tag 3"),
        ("tag,phase\n1,pore\n2,graphite\n3,silicon\n4,electrolyte\n", "one group or connected piece copper"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, says: str) -> None:
    source = foreign(tmp_path / "foreign.mesh")
    with pytest.raises(ImportedMeshError, match=says):
        import_mesh(source, tmp_path, "bad", table_file(tmp_path, text))
    assert not list(tmp_path.glob("bad.*"))


def test_bad_sources(tmp_path: Path) -> None:
    phases = table_file(tmp_path)
    with pytest.raises(ImportedMeshError, match="is not a file"):
        import_mesh(tmp_path / "absent.msh", tmp_path, "bad")
    with pytest.raises(ImportedMeshError, match="cannot be read"):
        import_mesh(foreign(tmp_path / "a.mesh"), tmp_path, "bad", tmp_path / "absent.csv")
    with pytest.raises(ImportedMeshError, match="needs a table"):
        import_mesh(tmp_path / "a.mesh", tmp_path, "bad")
    with pytest.raises(ImportedMeshError, match=r"has no cell data height \(it has medit:ref\)"):
        import_mesh(tmp_path / "a.mesh", tmp_path, "bad", phases, cell_data="height")
    (tmp_path / "noise.vtu").write_text("no mesh at all")
    with pytest.raises(ImportedMeshError, match="meshio cannot read noise"):
        import_mesh(tmp_path / "noise.vtu", tmp_path, "bad", phases)
    (tmp_path / "noise.msh").write_text("no mesh at all")
    with pytest.raises(ImportedMeshError, match=r"noise\.msh"):
        import_mesh(tmp_path / "noise.msh", tmp_path, "bad")


def test_flat_elements_are_refused(tmp_path: Path) -> None:
    source = foreign(tmp_path / "flat.mesh", stretch=0.05)
    with pytest.raises(QualityError, match=r"worst gamma is 0\.0"):
        import_mesh(source, tmp_path, "flat", table_file(tmp_path))


def test_a_gap_between_grains_is_refused(tmp_path: Path) -> None:
    source = foreign(tmp_path / "a.vtu", name="material")
    mesh = meshio.read(source)
    cells = mesh.cells[0].data.copy()
    cells[60] = [len(mesh.points), *cells[60][1:]]  # one triangle gets a node of its own
    points = np.vstack([mesh.points, mesh.points[mesh.cells[0].data[60][0]]])
    meshio.Mesh(points, [("triangle", cells)], cell_data=mesh.cell_data).write(source)
    with pytest.raises(ImportedMeshError, match="do not share nodes"):
        import_mesh(source, tmp_path, "gap", table_file(tmp_path))
