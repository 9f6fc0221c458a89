"""Files appear whole or not at all, and never with a NaN."""

from __future__ import annotations

import errno
import math
from pathlib import Path

import pytest
from mpi4py import MPI

from run import results
from run.errors import InputError, ResultsError
from run.summary import simplifications
from tests.small import box, faces, grid, host, mesh_of, model_on, sides

COLUMNS = {"time_s": "s", "damaged_fraction_graphite|silicon": "1"}
ROWS = [
    {"time_s": 0.0, "damaged_fraction_graphite|silicon": 0.0},
    {"time_s": 0.1 + 0.2, "damaged_fraction_graphite|silicon": 1.0 / 3.0},
]


def test_a_history_comes_back_bit_for_bit_with_units_in_its_header(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.csv"
    results.write_history(path, COLUMNS, ROWS)
    assert path.read_text().splitlines()[0] == "time_s [s],damaged_fraction_graphite|silicon [1]"
    assert results.read_history(path) == (COLUMNS, ROWS)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_reaches_a_file(bad: float, tmp_path: Path) -> None:
    history, summary = tmp_path / "history.csv", tmp_path / "summary.json"
    results.write_history(history, COLUMNS, ROWS)
    before = history.read_bytes()
    with pytest.raises(ResultsError, match="time_s of row 2"):
        results.write_history(history, COLUMNS, [*ROWS, {**ROWS[0], "time_s": bad}])
    with pytest.raises(ResultsError, match=r"parts\.pores"):
        results.write_json(summary, {"fine": 1.0, "parts": {"pores": bad}})
    assert history.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_a_missing_column_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="time_s of row 0 is None"):
        results.write_history(tmp_path / "history.csv", COLUMNS, [{}])


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    results.write_text(path, "old")

    def interrupted() -> None:
        with results.written_whole(path) as aside:
            aside.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    results.write_text(path, "old")

    def full() -> None:
        with results.written_whole(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ResultsError, match="cannot be written: the disk is full"):
        full()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


def test_a_run_folder_is_cleared_of_the_run_before_but_keeps_its_mesh(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    results.prepare_folder(folder)
    for name in (results.SUMMARY, "mesh/a.msh", "fields/old.vtu", "pictures/old.png", "state/old.npz"):
        results.write_text(folder / name, "old")
    results.prepare_folder(folder)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["mesh/a.msh", "status.json"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="--out"):
        results.prepare_folder(tmp_path / "run")


@pytest.mark.parametrize("text", ["", "time_s\n1\n", "time_s [s]\nx\n", "time_s [s]\n1,2\n"])
def test_a_damaged_history_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(ResultsError, match="cannot be read"):
        results.read_history(path)


@pytest.mark.parametrize(("dimension", "said"), [(2, "plane strain"), (3, "three dimensions")])
def test_what_is_simplified_goes_by_the_model(
    dimension: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, cells = grid(2, 2, 1.0, 1.0) if dimension == 2 else box(1, 1.0)
    mesh = mesh_of(MPI.COMM_SELF, points, cells)
    model = model_on(mesh, sides(1.0, 1.0) if dimension == 2 else faces(1.0), [host()])
    notes = simplifications(model)
    assert sum("plane strain" in note or "three dimensions" in note for note in notes) == 1
    assert any(said in note for note in notes)
    assert not any("Butler" in note or "side reactions" in note for note in notes)
    for part in ("kinetics", "reactions"):  # only whether there is any matters
        monkeypatch.setattr(model, part, object())
    assert len(simplifications(model)) == len(notes) + 2
    model.relaxation_ratio = 2.0
    assert any("over 2 time steps" in note for note in simplifications(model))
