"""What the tests of the run package share: a tiny case that meshes in a second and takes few steps."""

from __future__ import annotations

from pathlib import Path

import pytest

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


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The tiny case as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path
