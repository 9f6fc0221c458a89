"""Seeded input mistakes: each ends with exit code 2 and one sentence that names key, value and remedy, unmeshed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from run.cli import main
from tests.run.conftest import CASES

pytestmark = pytest.mark.usefixtures("nothing_is_meshed")

BARE = str(CASES / "bare.toml")

# What is set, and what the sentence must contain: the key, the value as it was given, the remedy.
MISTAKES = [
    ("drive.curent=0.2 C", ("drive.curent", "0.2 C", "did you mean current?")),
    ("drive.current=5", ("drive.current", "5", "0.1 C", "no unit")),
    ("drive.current=-1 C", ("drive.current", "-1 C", "above zero")),
    ("drive.current=1 A", ("drive.current", "1 A", "A/m^2")),
    ("drive.temperature=60 C", ("drive.temperature", "60 C", "60 degC")),
    ("drive.temperature=900 degC", ("drive.temperature", "900 degC", "at most 450 K")),
    ("drive.stack_pressure=-1 MPa", ("drive.stack_pressure", "-1 MPa", "at least 0 MPa")),
    ("drive.stack_pressure=1 MPaa", ("drive.stack_pressure", "1 MPaa", "did you mean MPa?")),
    ("drive.until_mean_lithiation=1.2", ("drive.until_mean_lithiation", "1.2", "at most 0.999")),
    ("drive.until_voltage=1.5 V", ("drive", "until_voltage = 1.5 V", "below start_voltage = 1.2 V")),
    ("drive.until_mean_lithiation=full", ("drive.until_mean_lithiation", "full", "plain number")),
    ("drive.duration=0 h", ("drive.duration", "0 h", "above 0 s")),
    ("drive.start_voltage=12 V", ("drive.start_voltage", "12 V", "at most 3 V")),
    ("drive=5", ("drive", "5", "table")),
    ("drvie.current=0.1 C", ("drvie", "did you mean drive?")),
    ("mesh.width_um=wide", ("mesh.width_um", "wide", "number")),
    ("mesh.width_um=-3.0", ("mesh.width_um", "-3.0", "greater than 0")),
    ("mesh.widht_um=3.0", ("mesh.widht_um", "3.0", "did you mean width_um?")),
    ("mesh.porosity=0.9", ("mesh.porosity", "0.9", "at most 45 %")),
    ("mesh.porosity=1.5", ("mesh.porosity", "1.5", "less than 1")),
    ("mesh.seed=-1", ("mesh.seed", "-1", "greater than or equal to 0")),
    ("mesh.thickness_um=26.0", ("mesh", "exactly one of thickness_um")),
    ("mesh.composition.silicon_wt_percent=50.0", ("mesh.composition", "add up to 142", "100")),
    ("mesh.composition.silicon_wt_percent=700.0", ("silicon_wt_percent", "700.0", "100")),
    ("mesh.silicon.diameter_um=40.0", ("mesh.silicon.diameter_um", "40.0", "at most half")),
    ("mesh.silicon.place=nowhere", ("mesh.silicon.place", "nowhere", "boundaries")),
    ("mesh.graphite.length_um=80.0", ("mesh.graphite.length_um", "80.0", "width_um")),
    ("mesh.resolution.interface_element_size_um=0.01", ("element_size_um", "max_cells")),
    ("mesh.strips.foil_um=0.0", ("mesh.strips.foil_um", "0.0", "greater than 0")),
    ("materials.silcon.poisson_ratio=0.3", ("materials.silcon", "did you mean silicon?")),
    ("materials.silicon.poisson_ratio=0.6", ("materials.silicon.poisson_ratio", "0.6", "below 0.5")),
    ("materials.silicon.youngs_modulus=-5 GPa", ("materials.silicon.youngs_modulus", "-5 GPa", "above zero")),
    ("materials.silicon.youngs_modulus=55", ("materials.silicon.youngs_modulus", "55", "no unit")),
    ("materials.silicon.young_modulus=5 GPa", ("young_modulus", "5 GPa", "did you mean youngs_modulus?")),
    ("materials.silicon.youngs_modulus_slope=-60 GPa", ("youngs_modulus_slope", "-60000 MPa", "positive")),
    ("materials.lithium.floor=2", ("materials.lithium.floor", "2", "below 1")),
    ("materials.graphite=3", ("materials.graphite", "3", "table")),
    ("interfaces.graphite|silcon.strength=3 MPa", ("graphite|silcon", "did you mean graphite|silicon?")),
    ("interfaces.silicon|graphite.strength=3 J/m^2", ("silicon|graphite.strength", "3 J/m^2", "MPa")),
    ("interfaces.all.strength=500 MPa", ("interfaces.all", "500 MPa", "above 6.25 J/m^2")),
    ("interfaces.graphite|silicon.relaxation_time=3 s", ("relaxation_time", "3 s", "interfaces.all")),
    (
        "interfaces.graphite|silicon.law=exponental",
        ("graphite|silicon.law", "exponental", "did you mean exponential?"),
    ),
    ("interfaces.graphite|pore.law=ppr", ("graphite|pore.law", "ppr", "never breaks")),
    ("interfaces.graphite|silicon.mode_mix=bk", ("mode_mix", "bk", "benzeggagh-kenane, power")),
    ("interfaces.graphite|silicon.mode_mix=power", ("mode_mix", "power", "needs shear_fracture_energy")),
    (
        "interfaces.graphite|silicon.opening_shape_exponent=3",
        ("opening_shape_exponent", "3", "law = 'bilinear'", "belongs to ppr"),
    ),
    (
        'interfaces.all={law="ppr",opening_slope_indicator=0.8}',
        ("interfaces.all.opening_slope_indicator", "0.8", "below 1/sqrt(opening_shape_exponent) = 0.707"),
    ),
    (
        'interfaces.all={law="exponential",stiffness="1e5 MPa/um"}',
        ("interfaces.all.stiffness", "1e5 MPa/um", "law = 'exponential'", "belongs to bilinear"),
    ),
    (
        "interfaces.all.shear_fracture_energy=0.5 mJ/m^2",
        ("shear_fracture_energy", "0.0005 J/m^2", "above 0.01 "),
    ),
    ("interfaces.all.shear_fracture_energi=1 J/m^2", ("did you mean shear_fracture_energy?",)),
    (
        'interfaces.all={shear_fracture_energy="2 J/m^2",mode_mix_exponent=0.5}',
        ("mode_mix_exponent", "0.5", "1 or more"),
    ),
    (
        "interfaces.all.fatigue_endurance_ratio=0.3",
        ("fatigue_endurance_ratio", "0.3", "fatigue_accumulation_length"),
    ),
    (
        'interfaces.all={fatigue_accumulation_length="30 nm",fatigue_endurance_ratio=1.5}',
        ("fatigue_endurance_ratio", "1.5", "below 1"),
    ),
    ("time.first_step=1 d", ("first_step", "86400", "largest_step")),
    ("time.growth=0.5", ("time.growth", "0.5", "above 1")),
    ("solver.linear=itertive", ("solver.linear", "itertive", "iterative")),
    ("solver.linear=5", ("solver.linear", "5", "auto")),
    ("solver.linear_tolerance=0.5", ("solver.linear_tolerance", "0.5", "at most 0.01")),
    ("solver.linear_tolerance=tight", ("solver.linear_tolerance", "tight", "plain number")),
    ("solver.linear_iterations=0", ("solver.linear_iterations", "0", "greater than or equal to 1")),
    ("solver.linar=direct", ("solver.linar", "direct", "did you mean linear?")),
    ("solver.line_search=foo", ("solver.line_search", "foo", "basic")),
    ("solver.maximum_iterations=2.5", ("solver.maximum_iterations", "2.5", "whole number")),
    ("output.frames=-1", ("output.frames", "-1", "greater than or equal to 0")),
    ("output.every_steps=0", ("output.every_steps", "0", "greater than or equal to 1")),
    ('output.at_times=["1 V"]', ("output.at_times", "1 V", "10 h")),
    ("output.at_lithiations=[1.5]", ("output.at_lithiations", "1.5", "at most 0.999")),
    ("output.every_cycle=5", ("output.every_cycle", "5", "did you mean every_cycles?")),
    ("output.pictures=maybe", ("output.pictures", "maybe", "true or false")),
    ("case.name=a b", ("case.name", "a b", "letters")),
    ("nonsense", ("--set", "nonsense", "table.key=value")),
    ("case.name.first=x", ("--set", "case.name", "not a table")),
]


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """What a command with bad input says."""
    began = time.monotonic()
    assert main(arguments) == 2
    assert time.monotonic() - began < 5.0
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("swellbound: ")
    assert output.err.count("\n") == 1, "one sentence, no traceback"
    return output.err


@pytest.mark.parametrize(("setting", "said"), MISTAKES, ids=[setting for setting, _ in MISTAKES])
def test_a_mistake_is_answered_in_one_sentence(
    setting: str, said: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = complaint(capsys, ["run", BARE, "--out", str(tmp_path / "out"), "--set", setting])
    for part in said:
        assert part in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[case\nname = 1", ("not valid TOML", "correct that line")),
        (b"\xff\xfe", ("cannot be read", "UTF-8")),
        (b"", ("case", "is missing", "add this table")),
        (b'[case]\nname = "x"\n[mesh]\n', ("mesh.width_um", "is missing", "add this key")),
        (b'[case]\nname = "x"\n[mesh]\nfile = "none.msh"\n', ("mesh.file", "none.msh", "there is no file")),
    ],
    ids=["syntax", "encoding", "empty", "no recipe", "no mesh file"],
)
def test_a_file_that_is_no_case(
    content: bytes, said: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    text = complaint(capsys, ["check", str(path)])
    for part in said:
        assert part in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "missing.toml"], ("missing.toml", "does not exist", "demo_bare.toml")),
        (["run"], ("the command line", "CASE.toml", "--help")),
        (["rnu", BARE], ("the command line", "rnu")),
        (["run", BARE, "--mesh", "missing.msh"], ("--mesh", "missing.msh", "swellbound mesh")),
        (["report", "missing"], ("DIR", "missing", "run folder")),
        (["materials", "silcon"], ("NAME", "silcon", "did you mean silicon?")),
        (["benchmark", "newton", "missing"], ("DIR", "missing", "run folder")),
        (["benchmark", "newton", "--refine", "100"], ("--refine", "100", "between")),
        (["benchmark", "polycrystal", "--out", "table.txt"], ("--out", "table.txt", ".json")),
        (["benchmark", "solvers", "--unknowns", "100"], ("--unknowns", "100", "between 2e4 and 1e7")),
        (["benchmark", "solvers", "--unknowns", "nan"], ("--unknowns", "nan", "between 2e4 and 1e7")),
        (["benchmark", "solvers", "--direct-up-to", "-1"], ("--direct-up-to", "-1", "0 or more")),
        (["benchmark", "solvers", "--out", "table.txt"], ("--out", "table.txt", ".json")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_line_that_cannot_be_followed(
    arguments: list[str], said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = complaint(capsys, arguments)
    for part in said:
        assert part in text


def test_a_folder_with_something_else_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    text = complaint(capsys, ["run", BARE, "--out", str(tmp_path)])
    assert "--out" in text
    assert "choose another folder" in text
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
