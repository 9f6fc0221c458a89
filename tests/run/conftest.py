"""What the tests of the run package share: a tiny case that meshes in a second and takes few steps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mpi4py import MPI

CASES = Path(__file__).resolve().parents[2] / "run" / "cases"

TINY = """
[case]
name = "tiny"

[mesh]
seed = 3
width_um = 9.0
thickness_um = 7.0
porosity = 0.08

[mesh.composition]
graphite_wt_percent = 90.0
silicon_wt_percent = 10.0

[mesh.graphite]
length_um = 6.0
length_spread_um = 0.5

[mesh.silicon]
diameter_um = 1.4

[mesh.pore]
diameter_um = 1.8

[mesh.strips]
foil_um = 1.0
electrolyte_um = 1.0

[mesh.resolution]
element_size_um = 1.8
interface_element_size_um = 1.4

[drive]
until_mean_lithiation = 0.0145

[output]
frames = 2
"""


# What a run of the tiny case leaves out where only its end counts.
SETTINGS = ["--set", "output.fields=false", "--set", "output.pictures=false", "--quiet"]


def with_tiny(folder: Path, comm: MPI.Intracomm) -> Path:
    """A folder that all ranks share, with the tiny case written to it; collective."""
    if comm.rank == 0:
        (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    comm.Barrier()
    return folder


def leave_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Have a run ask for a checkpoint two steps before it is interrupted."""
    from run.interruption import Interruption

    def decide(self: Interruption, every: float, last: float) -> tuple[str | None, bool]:
        return ("the test says so" if self._steps >= steps else None), self._steps == steps - 2

    monkeypatch.setattr(Interruption, "decide", decide)


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that left after a few steps; not to be changed."""
    from run.cli import main
    from run.errors import EXIT_RESUME

    folder = tmp_path_factory.mktemp("left")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_after(monkeypatch, 4)
        arguments = ["run", str(folder / "tiny.toml"), "--out", str(folder / "out"), *SETTINGS]
        assert main(arguments) == EXIT_RESUME
    return folder / "out"


@pytest.fixture
def interrupted(left: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(left, tmp_path / "out"))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The tiny case as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def nothing_is_meshed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that comes as far as meshing."""
    monkeypatch.setattr("meshes.generate", _refuse)


@pytest.fixture
def nothing_is_run(nothing_is_meshed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that comes as far as meshing, or as the runs of a study or calibration."""
    monkeypatch.setattr("run.study.runner.Runner.run", _refuse)


def _refuse(*given: object, **named: object) -> None:
    pytest.fail("something was done before the input was found wrong")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the short process, done in one go; not to be changed."""
    from run.cli import main
    from run.errors import EXIT_OK
    from tests.run.short_process import FIRST, MEASURE, QUICK, SECOND, case_file

    folder = tmp_path_factory.mktemp("whole")
    more = QUICK.replace("pictures = false\n", "")
    path = case_file(folder, "whole", [*FIRST, *SECOND[:2], MEASURE, SECOND[2]], more)
    assert main(["run", str(path), "--out", str(folder / "out"), "--quiet"]) == EXIT_OK
    return folder / "out"


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of its first steps alone; not to be changed."""
    from run.cli import main
    from run.errors import EXIT_OK
    from tests.run.short_process import FIRST, case_file

    folder = tmp_path_factory.mktemp("begun")
    path = case_file(folder, "one", FIRST)
    assert main(["run", str(path), "--out", str(folder / "out"), "--quiet"]) == EXIT_OK
    return folder / "out"
