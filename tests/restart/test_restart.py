"""The rotating pair of checkpoints: what is unsound is refused in one sentence and the one before it used."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fem import checkpoint_file
from fem.checkpoint import Checkpoint
from run import restart, results
from run.cli import main
from run.errors import EXIT_BAD_INPUT, EXIT_OK, ResultsError

IDENTITY = {"case": "sha256:c", "mesh": "sha256:m"}


def checkpoint(steps: int, **identity: str) -> Checkpoint:
    table: Any = np.full((50, 4), float(steps))
    return Checkpoint(IDENTITY | identity, {"steps": steps, "time": 2.0 * steps}, {"cells/unknowns": table})


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with the checkpoints of steps 10 and 20."""
    for steps in (10, 20):
        restart.write(tmp_path, checkpoint(steps))
    return tmp_path


def test_two_are_kept(pair: Path) -> None:
    for steps in (30, 40):
        restart.write(pair, checkpoint(steps))
    assert [path.name for path in restart.listed(pair)] == [
        "checkpoint-00000040.h5",
        "checkpoint-00000030.h5",
    ]
    found = restart.find(pair, IDENTITY)
    assert found.checkpoint is not None and found.checkpoint.numbers["steps"] == 40
    assert found.refused == ()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda b: b[: len(b) - 7], "it is truncated"),
        (lambda b: b"", "it is no checkpoint of ours"),
        (lambda b: b[:3000] + bytes([b[3000] ^ 4]) + b[3001:], "it is damaged: its checksum is wrong"),
        (lambda b: b.replace(b"checkpoint/1", b"checkpoint/0", 1), "it has format swellbound-checkpoint/0"),
        (lambda b: checkpoint_file.to_bytes(checkpoint(20, mesh="other")), "it belongs to another mesh"),
        (lambda b: checkpoint_file.to_bytes(checkpoint(20, case="other")), "it belongs to another case"),
    ],
    ids=["truncated", "empty", "bit flipped", "older format", "other mesh", "other case"],
)
def test_an_unsound_one_is_refused_and_the_one_before_used(pair: Path, damage: Any, said: str) -> None:
    newest = restart.listed(pair)[0]
    newest.write_bytes(damage(newest.read_bytes()))
    found = restart.find(pair, IDENTITY)
    assert found.checkpoint is not None and found.checkpoint.numbers["steps"] == 10
    [(path, sentence)] = found.refused
    assert path == newest
    assert sentence.startswith(f"{newest} is refused: {said}") and sentence.endswith(".")
    assert "\n" not in sentence
    # It must not push the sound one out of the pair.
    restart.set_aside(found)
    restart.write(pair, checkpoint(30))
    assert [path.name for path in restart.listed(pair)] == [
        "checkpoint-00000030.h5",
        "checkpoint-00000010.h5",
    ]


def test_with_both_unsound_there_is_none(pair: Path) -> None:
    for path in restart.listed(pair):
        path.write_bytes(b"x")
    found = restart.find(pair, IDENTITY)
    assert found.checkpoint is None and len(found.refused) == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_write_that_fails_leaves_the_pair_as_it_was(
    pair: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    before = {path.name: path.read_bytes() for path in restart.listed(pair)}

    def fail(path: Path, content: bytes) -> int:
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError(code, "no")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ResultsError, match=r"checkpoint-00000030.h5 cannot be written: .*") as error:
        restart.write(pair, checkpoint(30))
    assert "\n" not in str(error.value)
    assert {path.name: path.read_bytes() for path in pair.iterdir()} == before


# ---------------------------------------------------------------------- through the command line


def history(out: Path) -> list[dict[str, float]]:
    return results.read_history(out / results.HISTORY)[1]


def test_a_damaged_checkpoint_costs_two_steps_and_a_sentence(
    interrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, older = restart.listed(interrupted / results.STATE)
    assert (newest.name, older.name) == ("checkpoint-00000004.h5", "checkpoint-00000002.h5")
    newest.write_bytes(newest.read_bytes()[:-1])
    expected = history(interrupted)
    assert main(["resume", str(interrupted)]) == EXIT_OK
    said = capsys.readouterr().err
    assert f"{newest} is refused: it is truncated" in said
    assert "goes on after step 2" in said
    found = history(interrupted)
    assert found[:5] == expected, "the steps that were lost are the same when they are done again"
    assert json.loads((interrupted / results.STATUS).read_text())["state"] == "finished"


def test_a_run_that_has_ended_is_left_alone(interrupted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", str(interrupted), "--quiet"]) == EXIT_OK
    before = {path: path.stat().st_mtime_ns for path in interrupted.rglob("*")}
    assert main(["resume", str(interrupted)]) == EXIT_OK
    assert "has come to its end already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in interrupted.rglob("*")} == before


def test_without_a_checkpoint_a_run_starts_again(
    interrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(interrupted / results.STATE)
    expected = history(interrupted)
    assert main(["resume", str(interrupted)]) == EXIT_OK
    assert "starts from its beginning" in capsys.readouterr().err
    assert history(interrupted)[: len(expected)] == expected


def test_a_mesh_that_was_changed_is_refused(interrupted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mesh = interrupted / "mesh" / "tiny.msh"
    text = mesh.read_bytes()
    # The first node's coordinate, moved by a thousandth of a nanometre, wherever it is written.
    changed = _moved_node(mesh, text)
    mesh.write_bytes(changed)
    assert main(["resume", str(interrupted)]) == EXIT_OK
    said = capsys.readouterr().err
    assert said.count("is refused: it belongs to another mesh") == 2
    assert "starts from its beginning" in said


def _moved_node(mesh: Path, text: bytes) -> bytes:
    import meshio

    point = next(p for p in meshio.read(mesh).points if 1.0 < p[0] < 8.0 and 2.0 < p[1] < 6.0)
    old = np.float64(point[0]).tobytes()
    new = np.float64(point[0] + 1e-6).tobytes()
    if old not in text:
        old, new = repr(float(point[0])).encode(), repr(float(point[0]) + 1e-6).encode()
    nodes = text.index(b"$Nodes")
    assert old in text[nodes:]
    return text[:nodes] + text[nodes:].replace(old, new, 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda out: shutil.rmtree(out), "holds no run.json"),
        (lambda out: (out / results.RUN).unlink(), "holds no run.json"),
        (lambda out: (out / results.RUN).write_text("{"), "cannot be read"),
        (
            lambda out: (out / results.RESOLVED).write_text(
                (out / results.RESOLVED).read_text().replace("0.0145", "0.0146")
            ),
            "not the case that was run",
        ),
    ],
    ids=["no folder", "no run", "damaged", "other case"],
)
def test_what_is_no_run_is_refused(
    interrupted: Path, capsys: pytest.CaptureFixture[str], spoil: Any, said: str
) -> None:
    spoil(interrupted)
    assert main(["resume", str(interrupted)]) == EXIT_BAD_INPUT
    text = capsys.readouterr().err
    assert said in text and text.count("\n") == 1


def test_two_runs_cannot_share_a_folder(interrupted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mpi4py import MPI

    from run.folder import held

    with held(interrupted, MPI.COMM_SELF):
        assert main(["resume", str(interrupted)]) == EXIT_BAD_INPUT
    assert "is in use by another run" in capsys.readouterr().err


def test_bad_wall_times_are_named(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for value, said in (("12", "unit is missing"), ("12 hh", "12 hh"), ("-1 h", "above 0 s")):
        assert main(["run", str(tiny), f"--wall-time={value}"]) == EXIT_BAD_INPUT
        text = capsys.readouterr().err
        assert said in text and "--wall-time" in text
