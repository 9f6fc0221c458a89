"""Parameter files: what a case takes from one, what it keeps of its own, and where each value says it comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fem.interfaces.library import shipped_laws
from run.case import check_case, load_case
from run.case_tables import DriveTable
from run.cli import main
from run.errors import InputError
from run.folder import write_parameters
from run.parameter_file import read_parameters
from run.toml_text import dumps
from tests.run.conftest import CASES

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
PROCESS_STEPS = ["press to 50 MPa in 10 s", "release  to 1.5e0 MPa  in 10 s", "rest for 1 h"]
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
    replaced = "3 MPa (calibrated, standard uncertainty 1 MPa) in place of the case's 1.5e0 MPa"
    assert origins["process.steps.2"] == replaced


def test_a_resolved_case_stands_on_its_own_and_knows_the_origins(case: Path) -> None:
    found = load_case(case)
    text = dumps(found.resolved())
    assert "values.toml" not in text
    again = check_case(tomllib.loads(text), text, (), Path("elsewhere") / "case.toml")
    assert again.content_hash == found.content_hash
    assert again.laws == found.laws and again.materials == found.materials
    assert again.laws["graphite|silicon"].exchange_resistance.mark == "calibrated"
    assert again.file.case == found.file.case and found.file.case.taken
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


CONDITION = """
[conditions.stack_pressure]
value = "3 MPa"
source = "a fit"
mark = "calibrated"
uncertainty = "1 MPa"
steps = {2 = "release to {} in 10 s"}
"""
NOTED = {"value": "3 MPa", "source": "a fit; standard uncertainty 1 MPa", "mark": "calibrated"}


def test_one_file_serves_a_process_and_a_drive(case: Path) -> None:
    (case.parent / "values.toml").write_text(CONDITION, "utf-8")
    process = load_case(case)
    assert process.process is not None and process.process.given[1].text() == "release to 3 MPa in 10 s"
    assert process.file.drive == DriveTable(), "a process has no drive"
    drive = load_case(_driven(case))
    assert drive.file.drive.stack_pressure == 3.0 != DriveTable().stack_pressure
    for found, key in ((process, "process.steps.2"), (drive, "drive.stack_pressure")):
        assert found.file.case.taken is not None and found.file.case.origins is not None
        assert {name: taken.model_dump() for name, taken in found.file.case.taken.items()} == {key: NOTED}
        assert list(found.file.case.origins) == [key]
    assert (drive.file.case.origins or {})["drive.stack_pressure"] == (
        "3 MPa (calibrated, standard uncertainty 1 MPa)"
    )


def _driven(case: Path) -> Path:
    """The case with its own [drive] in place of the process."""
    case.write_text(
        case.read_text("utf-8").replace(PROCESS, "[drive]\nuntil_mean_lithiation = 0.0145\n"), "utf-8"
    )
    return case


def test_a_drive_that_has_its_own_pressure_keeps_it_and_says_so(
    case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case.parent / "values.toml").write_text(FILE[: FILE.index("[steps.2]")] + CONDITION, "utf-8")
    path = _driven(case)
    found = load_case(path, ["drive.stack_pressure=2 MPa"])
    assert found.file.drive.stack_pressure == 2.0 and found.file.case.taken == {}
    assert (found.file.case.origins or {})["drive.stack_pressure"].startswith("the case's own value")
    assert main(["check", str(path), "--set", "drive.stack_pressure=2 MPa"]) == 0
    shown = capsys.readouterr().out
    assert "3 values from the parameter file; the case's own go before for drive.stack_pressure\n" in shown
    assert main(["check", str(path)]) == 0
    assert "taken:    4 values from the parameter file\n" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["process", "drive"])
def test_what_was_taken_stands_in_the_run_folder(kind: str, case: Path) -> None:
    (case.parent / "values.toml").write_text(CONDITION, "utf-8")
    found = load_case(case if kind == "process" else _driven(case))
    nothing = SimpleNamespace(
        materials=(),
        laws=(),
        laws_by_search={"silicon|silicon": shipped_laws()["silicon|silicon"]},
        interfaces=SimpleNamespace(kinds=()),
    )
    write_parameters(case.parent, cast(Any, nothing), found)
    key = "process.steps.2" if kind == "process" else "drive.stack_pressure"
    rows = (case.parent / "parameters.csv").read_text("utf-8").splitlines()
    assert rows[4:] == [f'{key},3.0,MPa,calibrated,"a fit; standard uncertainty 1 MPa"']
    # Silicon that has no silicon beside it may come to meet some.
    met = [row.split(",")[:3] for row in rows[1:4]]
    assert met == [
        ["interfaces.silicon|silicon.contact_stiffness", "300000.0", "MPa/um"],
        ["interfaces.silicon|silicon.contact_stiffening_depth", "0.004", "um"],
        ["interfaces.silicon|silicon.friction", "0.2", "1"],
    ]


def test_the_shipped_set_fits_the_shipped_cases_of_both_kinds() -> None:
    shipped = CASES.parent / "calibrated" / "bare.toml"
    value = read_parameters(shipped, "bare").conditions.stack_pressure
    assert value is not None
    for name in ("bare", "pl1", "pl3", "pl5", "bare_first_cycle", "pl1_first_cycle", "pl3_first_cycle"):
        found = load_case(CASES / f"{name}.toml", [f"case.parameters={shipped}"])
        (key,) = found.file.case.taken or {}
        assert key == ("drive.stack_pressure" if found.process is None else "process.steps.2")
        assert not [words for words in (found.file.case.origins or {}).values() if "own value" in words]
        assert found.laws["graphite|graphite"].exchange_resistance.mark == "calibrated"


NO_STEPS = '[conditions.stack_pressure]\nvalue = "3 MPa"\n'
MISTAKEN_CONDITIONS = {
    "twice": ("process", CONDITION + '[steps.2]\ntext = "release to {} in 10 s"\nvalue = "4 MPa"\n',
              ("steps.2", "already")),
    "unit": ("drive", NO_STEPS.replace("MPa", "V"), ("drive.stack_pressure", "3 V", "MPa")),
    "outside": ("drive", NO_STEPS.replace("3", "-3"), ("drive.stack_pressure", "-3 MPa", "at least 0 MPa")),
    "mark": ("drive", f'{NO_STEPS}mark = "measured"', ("conditions.stack_pressure.mark", "measured", "calibrated")),
    "name": ("drive", NO_STEPS.replace("stack", "stak"), ("stak_pressure", "did you mean stack_pressure?")),
    "no value": ("drive", "[conditions.stack_pressure]\n", ("stack_pressure.value", "is missing", "parameter file")),
    "a bare number": ("drive", "[conditions]\nstack_pressure = 3", ("stack_pressure", "3", "a table")),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKEN_CONDITIONS)
def test_conditions_that_cannot_be_are_refused(
    name: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, text, words = MISTAKEN_CONDITIONS[name]
    (case.parent / "values.toml").write_text(text, "utf-8")
    path = case if kind == "process" else _driven(case)
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("swellbound: ") and said.count("\n") == 1
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (NO_STEPS, "it names no step of a process"),
        (CONDITION.replace("2 =", "3 ="), "the process has no step 3 that reads 'release to {} in 10 s'"),
        (CONDITION.replace("2 =", "7 ="), "the process has no step 7 that reads 'release to {} in 10 s'"),
    ],
    ids=["of no step", "another step", "no such step"],
)
def test_a_condition_that_no_step_is_for_is_left_out_and_that_is_said(
    text: str, why: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case.parent / "values.toml").write_text(text, "utf-8")
    found = load_case(case)
    assert found.file.process is not None and found.file.process.steps == PROCESS_STEPS
    assert not found.file.case.taken
    assert main(["check", str(case)]) == 0
    assert (
        f"0 values from the parameter file; conditions.stack_pressure (left out: {why})"
        in capsys.readouterr().out
    )


def test_what_the_case_says_of_all_interfaces_goes_before(case: Path) -> None:
    plain = load_case(case).laws
    settings = ["interfaces.all.strength=17 MPa", 'interfaces."graphite|silicon".friction=0.3']
    laws = load_case(case, settings).laws
    kind = "graphite|silicon"
    assert plain[kind].strength is not None and plain[kind].strength.value == 31.0
    assert {law.strength.value for law in laws.values() if law.strength is not None} == {17.0}
    assert laws[kind].friction.value == 0.3
    assert laws[kind].exchange_resistance.value == plain[kind].exchange_resistance.value == 500.0
    origins = load_case(case, settings).file.case.origins or {}
    assert origins[f"interfaces.{kind}.strength"].startswith("the case's own value")
    assert origins[f"interfaces.{kind}.exchange_resistance"].startswith("500 ")


def test_sets_that_ship_go_by_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = tmp_path / "copied.toml"
    copied.write_text((CASES / "demo_bare.toml").read_text("utf-8"), "utf-8")
    by_name, without = load_case(copied), load_case(copied, ["case.parameters=none"])
    given = load_case(copied, [f"case.parameters={CASES.parent / 'calibrated' / 'bare.toml'}"])
    kind = "graphite|graphite"
    assert by_name.laws[kind] == given.laws[kind] and by_name.content_hash == given.content_hash
    assert by_name.laws[kind].exchange_resistance.mark == "calibrated"
    assert without.laws[kind].exchange_resistance.mark == "assumed" and without.file.case.origins is None
    assert main(["check", str(copied), "--parameters", "none"]) == 0
    assert "from the parameter file" not in capsys.readouterr().out
    assert main(["check", str(copied), "--parameters", "bear"]) == 2
    said = capsys.readouterr().err
    for part in ("case.parameters", "'bear'", "none", "bare", ".toml"):
        assert part in said


def test_a_case_with_a_drive_has_no_steps(tiny: Path) -> None:
    (tiny.parent / "values.toml").write_text('[steps.1]\ntext = "rest for {}"\nvalue = "1 h"', "utf-8")
    with pytest.raises(InputError, match=r"has a .drive., and no steps.*under .conditions."):
        load_case(tiny, ["case.parameters=values.toml"])
