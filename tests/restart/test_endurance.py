"""Gate 16: memory does not grow with the steps of a run, and two runs may share a cold compile cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from run import results
from run.cli import main
from run.errors import EXIT_OK
from run.session import Session
from tests.run.conftest import SETTINGS
from tests.run.short_process import MEASURE, QUICK, case_file

ROOT = Path(__file__).resolve().parents[2]
STATM = Path("/proc/self/statm")
GROWTH = 1.02


def resident() -> int:
    """Resident memory of this process in pages."""
    return int(STATM.read_text().split()[1])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Resident memory after every accepted step."""
    if not STATM.is_file():
        pytest.skip("resident memory is read from Linux's /proc")
    found: list[int] = []
    accepted = Session._accepted

    def noted(self: Session, *given: object) -> None:
        accepted(self, *given)  # type: ignore[arg-type]
        found.append(resident())

    monkeypatch.setattr(Session, "_accepted", noted)
    return found


@pytest.mark.slow
def test_two_hundred_steps(tiny: Path, tmp_path: Path, seen: list[int]) -> None:
    sets = ["--set", "time.largest_step=50 s", "--set", "drive.until_mean_lithiation=0.35"]
    assert main(["run", str(tiny), "--out", str(tmp_path / "out"), *SETTINGS, *sets]) == EXIT_OK
    assert len(seen) > 220
    assert seen[220] < GROWTH * seen[20]


@pytest.mark.slow
def test_sixty_measurements(tmp_path: Path, seen: list[int]) -> None:
    cycle = ["lithiate at 1 C for 3 s", MEASURE, "delithiate at 1 C for 3 s", MEASURE]
    path = case_file(tmp_path, "measured", [["repeat 30 times", *cycle]], QUICK)
    assert main(["run", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == EXIT_OK
    assert seen[-1] < GROWTH * seen[len(seen) // 6]


@pytest.mark.slow
def test_two_runs_compile_into_one_cold_cache(tiny: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    folders = [tmp_path / name for name in ("one", "other")]
    command = [sys.executable, "-m", "run.cli", "run", str(tiny), *SETTINGS, "--out"]
    runs = [subprocess.Popen([*command, str(out)], cwd=ROOT, env=environment) for out in folders]
    assert [run.wait(1200) for run in runs] == [EXIT_OK, EXIT_OK]
    assert list((tmp_path / "cache" / "fenics").glob("libffcx_forms_*"))
    histories = [(out / results.HISTORY).read_bytes() for out in folders]
    assert histories[0] == histories[1]
