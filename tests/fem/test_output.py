"""Field files and section arrays: gaps as they are, on any number of ranks, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import meshio
import numpy as np
import numpy.typing as npt
import pytest
from mpi4py import MPI

from fem.errors import OutputError
from fem.model import ElectrodeModel
from fem.output import FieldWriter, SectionData
from fem.vtu import QUADRATIC_TRIANGLE, Grid, write_piece
from tests.fem.bodies import HEIGHT, SEAM, WIDTH, held, law, move, two_grains

GAP = 0.37


def opened(comm: MPI.Intracomm) -> ElectrodeModel:
    """Two grains pulled apart by :data:`GAP`, committed."""
    model = two_grains(comm, held(), law())
    move(model, 1, np.array([0.0, GAP]))
    model.prepare_step(1.0)
    model.commit()
    return model


def pieces(file: Path) -> list[meshio.Mesh]:
    """All pieces behind a .vtu or .pvtu file."""
    if file.suffix == ".vtu":
        return [meshio.read(file)]
    sources = [piece.attrib["Source"] for piece in ElementTree.parse(file).iter("Piece")]
    return [meshio.read(file.parent / source) for source in sources]


def areas(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Areas of triangles, shape (n, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


@pytest.mark.parallel
def test_field_files_show_the_gap(comm: MPI.Intracomm, folder: Path) -> None:
    model = opened(comm)
    writer = FieldWriter(model, folder / "fields")
    writer.write(0.0)
    writer.write(1.5)
    listed = [
        (float(frame.attrib["timestep"]), frame.attrib["file"])
        for frame in ElementTree.parse(folder / "fields" / "fields.pvd").iter("DataSet")
    ]
    assert [time for time, _ in listed] == [0.0, 1.5]
    found = pieces(folder / "fields" / listed[-1][1])
    assert len(found) == comm.size
    assert sum(len(mesh.cells[0].data) for mesh in found) == 48
    for mesh in found:
        assert mesh.cells[0].type == "triangle6"
        nodes, cells = mesh.points, mesh.cells[0].data
        ends, middles = nodes[cells[:, :3]], nodes[cells[:, 3:]]
        assert middles == pytest.approx(0.5 * (ends + np.roll(ends, -1, axis=1)))
        upper = (ends.mean(axis=1)[:, 1] > SEAM).astype(int)
        assert np.array_equal(mesh.cell_data["grain"][0], upper)
        # The phases are alpha and beta.
        assert np.array_equal(mesh.cell_data["phase"][0], upper)
        moved = mesh.point_data["displacement_um"][cells]
        assert moved[upper == 0] == pytest.approx(0.0)
        assert moved[upper == 1, :, 1] == pytest.approx(GAP, rel=1e-6)
        assert mesh.point_data["lithiation"] == pytest.approx(0.1, rel=1e-6)
        assert mesh.cell_data["max_principal_stress_MPa"][0] == pytest.approx(0.0, abs=1e-3)
        for risk in ("crack_probability", "stress_intensity_ratio"):
            assert np.all(mesh.cell_data[risk][0] == 0.0)  # neither phase is judged
        touching = np.any(np.sum(np.isclose(ends[:, :, 1], SEAM), axis=1, keepdims=True) == 2, axis=1)
        assert mesh.cell_data["debonded_share"][0] == pytest.approx(touching.astype(float), abs=1e-6)
    assert not [file for file in (folder / "fields").iterdir() if file.name.startswith(".")]


@pytest.mark.parallel
def test_the_section_is_deformed_and_in_one_order(comm: MPI.Intracomm) -> None:
    section = FieldWriter(opened(comm), Path()).section()
    assert (section is None) == (comm.rank > 0)
    if section is None:
        return
    assert section["corners"].shape == section["middles"].shape == (48, 3, 2)
    assert areas(section["corners"]).sum() == pytest.approx(WIDTH * HEIGHT)
    assert section["corners"][section["grain"] == 1][:, :, 1].min() == pytest.approx(SEAM + GAP)
    assert section["corners"][section["grain"] == 0][:, :, 1].max() == pytest.approx(SEAM)
    following = np.roll(section["corners"], -1, axis=1)
    assert section["middles"] == pytest.approx(0.5 * (section["corners"] + following))
    assert list(section["phases"][section["phase"]]) == ["beta" if g else "alpha" for g in section["grain"]]
    assert section["lithiation"] == pytest.approx(np.full(48, 0.1))
    lower, upper = section["facets"][:, 0], section["facets"][:, 1]
    assert upper - lower == pytest.approx(np.broadcast_to([0.0, GAP], (6, 2, 2)))
    assert section["debonded"] == pytest.approx(np.ones(6))
    assert list(section["kinds"][section["kind"]]) == ["alpha|beta"] * 6
    alone = FieldWriter(opened(MPI.COMM_SELF), Path()).section() if comm.size > 1 else section
    assert alone is not None
    for name in SectionData.__annotations__:
        if section[name].dtype.kind == "f":  # type: ignore[literal-required]
            assert section[name] == pytest.approx(alone[name], abs=1e-9)  # type: ignore[literal-required]
        else:
            assert np.array_equal(section[name], alone[name])  # type: ignore[literal-required]


@pytest.mark.parallel
def test_a_folder_that_cannot_be_made_is_named(comm: MPI.Intracomm, folder: Path) -> None:
    if comm.rank == 0:
        (folder / "file").write_text("in the way")
    comm.barrier()
    with pytest.raises(OutputError, match="file/fields cannot be made: "):
        FieldWriter(opened(comm), folder / "file" / "fields")


@pytest.mark.parallel
def test_a_frame_that_fails_leaves_the_earlier_ones_listed(comm: MPI.Intracomm, folder: Path) -> None:
    writer = FieldWriter(opened(comm), folder / "fields")
    writer.write(0.0)
    before = (folder / "fields" / "fields.pvd").read_bytes()
    blocked = "fields_00001.vtu" if comm.size == 1 else "fields_00001_0001.vtu"
    if comm.rank == 0:
        (folder / "fields" / blocked).mkdir()
    comm.barrier()
    with pytest.raises(OutputError, match=f"{blocked} cannot be written: "):
        writer.write(1.0)
    assert (folder / "fields" / "fields.pvd").read_bytes() == before
    if comm.rank == 0:
        (folder / "fields" / blocked).rmdir()
    comm.barrier()
    writer.write(1.0)
    assert (folder / "fields" / "fields.pvd").read_bytes() != before


def test_arrays_of_many_blocks_come_back(tmp_path: Path) -> None:
    count = 20_000
    nodes = np.random.default_rng(3).random((count, 6, 3))
    values = np.arange(count, dtype=np.int32)
    write_piece(
        tmp_path / "big.vtu", Grid(nodes, QUADRATIC_TRIANGLE, {"height": nodes[..., 1]}, {"number": values})
    )
    mesh = meshio.read(tmp_path / "big.vtu")
    assert np.array_equal(mesh.points, nodes.reshape(-1, 3))
    assert np.array_equal(mesh.point_data["height"], nodes[..., 1].ravel())
    assert np.array_equal(mesh.cell_data["number"][0], values)
