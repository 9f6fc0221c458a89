"""Gate 9: runs that are killed at any moment and resumed end as if nothing had happened, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fem import checkpoint_file
from run import restart, results
from run.errors import EXIT_OK
from run.launch import on_ranks
from tests.run.conftest import TINY

ROOT = Path(__file__).resolve().parents[2]
# A checkpoint after nearly every step, so that many kills fall into a write.
SETTINGS = [
    word
    for setting in (
        "drive.until_mean_lithiation=0.03",
        "output.checkpoint_every=10 ms",
        "output.pictures=false",
        "output.frames=3",
    )
    for word in ("--set", setting)
]
#: A factorisation of the whole matrix on every rank: MUMPS on several ranks adds in an order of its own each time.
SAME_EVERY_TIME = (
    "-swellbound_0_pc_type redundant -swellbound_0_redundant_pc_type lu "
    "-swellbound_0_redundant_pc_factor_mat_solver_type mumps"
)


@dataclass(frozen=True)
class Case:
    """A case file, how many ranks run it, and the folder of its undisturbed run."""

    file: Path
    ranks: int
    undisturbed: Path

    def command(self, out: Path, *prefix: str) -> list[str]:
        """The command that starts or resumes the run in a folder."""
        given = (
            ["resume", str(out), "--quiet"]
            if (out / results.RUN).is_file()
            else ["run", str(self.file), "--out", str(out), "--quiet", *SETTINGS]
        )
        program = [sys.executable, "-m", *(prefix or ("run.cli",)), *given]
        return program if self.ranks == 1 else ["mpirun", "-n", str(self.ranks), *program]

    def start(self, out: Path, *prefix: str) -> subprocess.Popen[bytes]:
        """Start or resume the run in a folder."""
        return subprocess.Popen(
            self.command(out, *prefix), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def undisturbed(folder: Path, ranks: int) -> Case:
    file = folder / "tiny.toml"
    file.write_text(TINY, encoding="utf-8")
    case = Case(file, ranks, folder / "undisturbed")
    assert case.start(case.undisturbed).wait(300) == EXIT_OK
    return case


def ended(case: Case, out: Path) -> bool:
    status = out / results.STATUS
    return status.is_file() and json.loads(status.read_text())["state"] == "finished"


def assert_undisturbed(case: Case, out: Path) -> None:
    """History, frames and the last state are those of the undisturbed run, byte for byte."""
    for name in (results.HISTORY, f"{results.FIELDS}/fields.pvd", results.SECTIONS):
        if not name.endswith("npz"):
            assert (out / name).read_bytes() == (case.undisturbed / name).read_bytes(), name
    last, expected = (
        checkpoint_file.from_bytes(restart.listed(folder / results.STATE)[0].read_bytes())
        for folder in (out, case.undisturbed)
    )
    assert last.tables.keys() == expected.tables.keys()
    for name, table in expected.tables.items():
        assert np.array_equal(last.tables[name], table), name
    for key in ("time", "steps", "controls", "stepper", "observer", "drive", "frames"):
        assert last.numbers[key] == expected.numbers[key], key
    frames = sorted(path.name for path in (case.undisturbed / results.FIELDS).glob("*.vtu"))
    for name in frames:
        there = (out / results.FIELDS / name).read_bytes()
        assert there == (case.undisturbed / results.FIELDS / name).read_bytes(), name
    told, before = (json.loads((f / results.SUMMARY).read_text()) for f in (out, case.undisturbed))
    for key in ("thickness_um", "newton_iterations", "steps_accepted", "steps_rejected", "exit_code"):
        assert told[key] == before[key], key


def kill_at_random(case: Case, out: Path, generator: np.random.Generator) -> bool:
    """Start or resume, and kill one process of the run at a random moment; False where it ended before that."""
    began = (out / results.STATUS).stat().st_mtime_ns if (out / results.STATUS).is_file() else 0
    process = case.start(out)
    deadline = time.monotonic() + 120.0
    while process.poll() is None and time.monotonic() < deadline:
        status = out / results.STATUS
        if status.is_file() and status.stat().st_mtime_ns > began and b'"running"' in status.read_bytes():
            break
        time.sleep(0.01)
    time.sleep(generator.uniform(0.0, 0.8))
    if process.poll() is not None:
        return False
    victims = [process.pid] if case.ranks == 1 else ranks_of(process.pid)
    os.kill(victims[generator.integers(len(victims))], signal.SIGKILL)
    process.wait(60)
    return True


def ranks_of(launcher: int) -> list[int]:
    """Processes of the ranks that a launcher has started."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    found = [int(pid) for pid in children]
    return [pid for pid in found if b"run.cli" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def prepared(case: Case, out: Path) -> Path:
    """A folder whose run will start with the partition of the undisturbed run (partitioners do not repeat theirs)."""
    shutil.copytree(case.undisturbed, out)
    for checkpoint in restart.listed(out / results.STATE):
        checkpoint.unlink()
    (out / results.STATUS).write_text('{"state": "starting"}')
    return out


def kill_often(case: Case, folder: Path, kills: int, seed: int) -> None:
    generator, done, number = np.random.default_rng(seed), 0, 0
    while done < kills:
        out = prepared(case, folder / f"killed-{number}")
        number += 1
        while not ended(case, out):
            if done < kills:
                done += kill_at_random(case, out, generator)
            else:
                assert case.start(out).wait(300) == EXIT_OK
        assert_undisturbed(case, out)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The tiny case on one rank, run without a disturbance."""
    return undisturbed(tmp_path_factory.mktemp("alone"), 1)


def test_killed_at_a_few_random_moments(alone: Case, tmp_path: Path) -> None:
    kill_often(alone, tmp_path, 2, seed=11)


def test_killed_inside_a_checkpoint_write(alone: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number, place in enumerate(("half", "before", "after")):
        process = alone.start(out, "tests.restart.suicide", place, "3")
        assert process.wait(120) == -signal.SIGKILL
        sound = restart.find(out / results.STATE, {})
        assert sound.checkpoint is not None and not sound.refused, (
            "what was not moved into place does not count"
        )
        aside = list((out / results.STATE).glob(".checkpoint-*"))
        assert len(aside) == (place != "after"), "this is where it was killed"
        assert number == 0 or sound.checkpoint.numbers["steps"] > 3
    assert alone.start(out).wait(120) == EXIT_OK
    assert_undisturbed(alone, out)
    assert not list(out.glob("**/.checkpoint-*"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_many_random_moments(alone: Case, tmp_path: Path, seed: int) -> None:
    kill_often(alone, tmp_path, 12, seed)


@pytest.mark.slow
def test_one_of_two_ranks_killed_at_random_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_ranks(2, "run.cli", ["--version"], capture=True).returncode == 0
    monkeypatch.setenv("PETSC_OPTIONS", SAME_EVERY_TIME)
    case = undisturbed(tmp_path, 2)
    kill_often(case, tmp_path, 6, seed=3)
