"""``swellbound mesh`` for blocks and images: one sentence and exit code 2 for what is amiss, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from run.cli import main
from tests.run.conftest import CASES

IMAGE = """
[case]
name = "section"

[mesh]
image = "section.npy"
voxel_size_um = 0.5

[mesh.phases]
0 = "pore"
1 = "graphite"

[mesh.resolution]
element_size_um = 0.8
"""


@pytest.fixture
def section(tmp_path: Path) -> Path:
    """The case of a section with a pore in graphite."""
    rows = np.ones((12, 16), dtype=np.uint8)
    rows[3:9, 5:11] = 0
    np.save(tmp_path / "section.npy", rows)
    case = tmp_path / "section.toml"
    case.write_text(IMAGE, encoding="utf-8")
    return case


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that must end with exit code 2 says."""
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert text.startswith("swellbound: ") and text.count("\n") == 1
    return text


def test_a_section_image_is_meshed(section: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["mesh", str(section), "--out", str(out)]) == 0
    assert "triangles" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["section.json", "section.msh", "section.png"]
    sidecar = json.loads((out / "section.json").read_text(encoding="utf-8"))
    assert sidecar["volume_fractions"]["realised"]["pore"] == pytest.approx(36.0 / 192.0, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["mesh.image=other.npy"], "mesh.image"),
        (["mesh.phases={0 = 'pore'}"], "holds the value 1, and mesh.phases has no phase for it"),
        (["mesh.voxel_size=1.0"], "did you mean voxel_size_um?"),
        (["mesh.resolution.element_size_um=6.0"], "went to their neighbours; smaller elements keep more"),
    ],
)
def test_mistakes_in_an_image(
    section: Path, tmp_path: Path, settings: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    sets = [part for setting in settings for part in ("--set", setting)]
    assert says in complaint(["mesh", str(section), "--out", str(out), *sets], capsys)
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("mesh.depth_um=-1.0", "mesh.depth_um"),
        ("mesh.dimension=2", "depth_um = 10 needs dimension = 3"),
        ("mesh.depth_um=5.0", "longer than the box is deep"),
        ("mesh.silicon.diameter_um=1.0", "too coarse for silicon 1 um across"),
        ("mesh.resolution.max_cells=1000", "more than max_cells = 1000"),
    ],
)
def test_mistakes_in_a_block(
    setting: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    case = str(CASES / "demo_solid.toml")
    assert says in complaint(["mesh", case, "--out", str(out), "--set", setting], capsys)
    assert not out.exists()
