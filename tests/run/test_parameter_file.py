"""Parameter files: what a case takes from one, what it keeps of its own, and where each value says it comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from run.case import check_case, load_case
from run.cli import main
from run.errors import InputError
from run.toml_text import dumps

FILE = """
about = "by hand"
[materials.silicon]
"elasticity.youngs_modulus" = "44 GPa"
[interfaces."silicon|graphite"]
exchange_resistance = {value = "500 pJ um^2 s/fmol^2", source = "a fit", mark = "calibrated", uncertainty = "20 %"}
strength = {value = "31 MPa", source = "a fit", mark = "calibrated"}
[steps.2]
text = "release to {} in 10 s"
value = "3 MPa"
mark = "calibrated"
uncertainty = "1 MPa"
"""
PROCESS = '[process]\nsteps = ["press to 50 MPa in 10 s", "release  to 1.5e0 MPa  in 10 s", "rest for 1 h"]\n'


@pytest.fixture
def case(tiny: Path) -> Path:
    """The tiny case with a process, that takes its values from a file beside it."""
    text = tiny.read_text("utf-8").replace("[drive]\nuntil_mean_lithiation = 0.0145\n", PROCESS)
    tiny.write_text(text.replace('name = "tiny"', 'name = "tiny"\nparameters = "values.toml"'), "utf-8")
    (tiny.parent / "values.toml").write_text(FILE, "utf-8")
    return tiny


def test_values_of_the_file_go_below_those_of_the_case(case: Path) -> None:
    found = load_case(case, ["interfaces.graphite|silicon.strength=25 MPa"])
    law = found.laws["graphite|silicon"]
    assert law.exchange_resistance.value == 500.0
    assert law.exchange_resistance.mark == "calibrated"
    assert law.exchange_resistance.source == "a fit; standard uncertainty 20 %"
    assert law.exchange_resistance.unit == "pJ um^2 s/fmol^2"
    assert law.strength is not None and (law.strength.value, law.strength.mark) == (25.0, "user")
    assert found.materials["silicon"].elasticity.youngs_modulus.value == 44.0e3
    assert found.process is not None
    assert found.process.given[1].text() == "release to 3 MPa in 10 s"
    origins = found.file.case.origins
    assert origins is not None
    assert origins["interfaces.graphite|silicon.exchange_resistance"].endswith(
        "(calibrated, standard uncertainty 20 %)"
    )
    assert origins["interfaces.graphite|silicon.strength"].startswith("the case's own value")
    assert origins["process.steps.2"] == "3 MPa (calibrated, standard uncertainty 1 MPa)"


def test_a_resolved_case_stands_on_its_own_and_knows_the_origins(case: Path) -> None:
    found = load_case(case)
    text = dumps(found.resolved())
    assert "values.toml" not in text
    again = check_case(tomllib.loads(text), text, (), Path("elsewhere") / "case.toml")
    assert again.content_hash == found.content_hash
    assert again.laws == found.laws and again.materials == found.materials
    assert again.laws["graphite|silicon"].exchange_resistance.mark == "calibrated"
    assert again.file.case.origins == found.file.case.origins
    plain = load_case(case, ['interfaces."graphite|silicon".strength=31 MPa'])
    assert plain.content_hash != found.content_hash, "the same number of another origin is another case"


def test_the_option_takes_a_file_from_the_present_folder(
    case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = case.read_text("utf-8").replace('parameters = "values.toml"\n', "")
    case.write_text(text, "utf-8")
    monkeypatch.chdir(case.parent)
    arguments = ["materials", "graphite|silicon", "--case", str(case)]
    assert main(arguments) == 0
    assert "500" not in capsys.readouterr().out
    assert main([*arguments, "--parameters", "values.toml"]) == 0
    shown = capsys.readouterr().out
    assert "calibrated" in shown and "500" in shown


MISTAKES = {
    "no such file": ("", ("case.parameters", "none.toml", "correct the path")),
    "not TOML": ("about", ("case.parameters", "cannot be read")),
    "unknown table": ('[interface."a|b"]\nx = 1', ("interface", "did you mean interfaces?")),
    "unknown kind": ('[interfaces."a|b"]\nstrength = "1 MPa"', ("interfaces.a|b", "known here")),
    "unknown parameter": ('[interfaces."graphite|silicon"]\nstrenght = "1 MPa"', ("did you mean strength?",)),
    "unit": ('[interfaces."graphite|silicon"]\nstrength = {value = "1 V"}', ("1 V", "MPa")),
    "inner key": (
        '[interfaces."graphite|silicon"]\nstrength = {value = "1 MPa", form = "x"}',
        ("strength.form", "'x'", "known here: value"),
    ),
    "mark": (
        '[interfaces."graphite|silicon"]\nstrength = {value = "1 MPa", mark = "measured"}',
        ("strength.mark", "measured", "calibrated"),
    ),
    "source": (
        '[interfaces."graphite|silicon"]\nstrength = {value = "1 MPa", source = 3}',
        ("strength.source", "3", "text in quotes"),
    ),
    "value outside": ('[interfaces."graphite|silicon"]\nstrength = {value = "-1 MPa"}', ("-1 MPa", "above")),
    "no such step": ('[steps.9]\ntext = "rest for {}"\nvalue = "1 h"', ("steps.9", "no step 9")),
    "another step": (
        '[steps.3]\ntext = "release to {} in 10 s"\nvalue = "1 MPa"',
        ("steps.3", "release to {} in 10 s", "rest for 1 h", "must be the same"),
    ),
    "value of a step": ('[steps.3]\ntext = "rest for {}"\nvalue = "1 V"', ("process.steps, step 3", "1 V")),
    "step without a value": ('[steps.3]\ntext = "rest for {}"\n', ("steps.3.value", "is missing")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_end_with_one_sentence(name: str, case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, words = MISTAKES[name]
    (case.parent / "values.toml").write_text(text, "utf-8")
    if name == "no such file":
        case.write_text(case.read_text("utf-8").replace("values.toml", "none.toml"), "utf-8")
    assert main(["check", str(case)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("swellbound: ") and said.count("\n") == 1
    for word in words:
        assert word in said, said


def test_a_case_with_a_drive_has_no_steps(tiny: Path) -> None:
    (tiny.parent / "values.toml").write_text('[steps.1]\ntext = "rest for {}"\nvalue = "1 h"', "utf-8")
    with pytest.raises(InputError, match="the case has no step 1"):
        load_case(tiny, ["case.parameters=values.toml"])
