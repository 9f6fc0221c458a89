"""Gate 14: a disk that fills up or becomes read-only costs one sentence, and no checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fem import checkpoint_file
from run import restart, results
from run.cli import main
from run.errors import EXIT_FAILURE, EXIT_OK
from run.session import Session
from tests.restart import disks
from tests.run.conftest import SETTINGS


@pytest.fixture(params=disks.kinds())
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[disks.Disk]:
    """A disk that can be filled, and made read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    with disks.disk(request.param, place) as made:
        yield made


def test_a_disk_that_fills_up_on_the_way_keeps_the_last_checkpoint(
    disk: disks.Disk, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = disk.path / "out"
    accepted = Session._accepted

    def spoiled(self: Session, *given: Any) -> None:
        accepted(self, *given)
        if self.record.accepted == 3:
            self._save()
            disk.fill()

    monkeypatch.setattr(Session, "_accepted", spoiled)
    arguments = [*SETTINGS, "--set", "output.checkpoint_every=1 ms"]
    assert main(["run", str(tiny), "--out", str(out), *arguments]) == EXIT_FAILURE
    said = capsys.readouterr().err.strip()
    assert "cannot be written: the disk is full" in said and "\n" not in said
    newest = restart.listed(out / results.STATE)[0]
    assert newest.name == "checkpoint-00000003.h5"
    assert checkpoint_file.from_bytes(newest.read_bytes()).numbers["steps"] == 3
    assert not [path for path in out.rglob(".*") if path.is_file()], "nothing half written is left"

    monkeypatch.undo()
    disk.free()
    assert main(["resume", str(out), "--quiet"]) == EXIT_OK
    rows = results.read_history(out / results.HISTORY)[1]
    assert len(rows) == len({row["time_s"] for row in rows}) > 5


def test_a_folder_that_became_read_only_is_refused_in_a_sentence(
    disk: disks.Disk, left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(left, disk.path / "out"))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    disk.lock()
    assert main(["resume", str(out)]) == EXIT_FAILURE
    said = capsys.readouterr().err.strip()
    assert "cannot be written: Read-only file system" in said and "\n" not in said
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    disk.free()
    assert main(["resume", str(out), "--quiet"]) == EXIT_OK
