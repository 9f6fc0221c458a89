"""Processes that cannot be read or make no sense: exit code 2, one sentence with number, text and remedy, unmeshed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from run.cli import main
from run.toml_text import dumps
from tests.run.conftest import CASES

pytestmark = pytest.mark.usefixtures("nothing_is_meshed")

HEAD = (CASES / "demo_bare.toml").read_text(encoding="utf-8").split("[drive]")[0]
LITHIATE, CHARGE = "lithiate at 0.1 C until 5 mV", "charge at 0.1 C until 1.5 V"
JUMPING = ["repeat 9 times, jumping", LITHIATE, CHARGE]
FULL = '[cell]\ncounter = "lithium-cobalt-oxide"\n'

# The list of steps, what the sentence must contain, and what else stands in the file.
MISTAKES: list[tuple[Any, tuple[str, ...], str]] = [
    # words
    (["dischrage at 0.1 C until 5 mV"], ("step 1:", "dischrage", "did you mean discharge?"), ""),
    (["rest for 1 h", "discharge at 0.1 C untill 5 mV"], ("step 2:", "untill", "did you mean until?"), ""),
    (["discharge 0.1 C until 5 mV"], ("'0.1 C' is not expected",), ""),
    (["rest"], ("how long is missing", "rest for 10 h"), ""),
    (["rest for 10 h until 5 mV"], ("'until' does not belong to rest", "'for'"), ""),
    (["press at 550 MPa"], ("the pressure is missing", "press to 550 MPa"), ""),
    (["charge"], ("the current is missing",), ""),
    (["discharge at 0.1 C"], ("what ends it is missing", "until 5 mV"), ""),
    (["discharge at 0.1 C until"], ("nothing stands behind 'until'",), ""),
    (["discharge at 0.1 C until 5 mV until 7 mV"], ("two ends of one kind",), ""),
    (["rest for 1 h for 2 h"], ("'for' is given twice",), ""),
    (["hold until 0.01 C"], ("the voltage is missing", "hold at 5 mV"), ""),
    (["set presure to 5 MPa"], ("only the temperature can be set",), ""),
    (["measure"], ("what to measure is missing",), ""),
    ([""], ("is no step",), ""),
    ([5], ("5 is not allowed", "must be text"), ""),
    ([], ("process.steps", "one at least"), ""),
    ("rest for 1 h", ("process.steps", "must be a list"), ""),
    # units
    (["discharge at 0.1 A until 5 mV"], ("0.1 A", "A/m^2"), ""),
    (["press to 550 MPaa"], ("550 MPaa", "did you mean MPa?"), ""),
    (["press to 550"], ("the unit is missing",), ""),
    (["rest for 10 C"], ("10 C", "s, min, h, d"), ""),
    (["set temperature to 60 C"], ("60 C", "60 degC"), ""),
    (["discharge at 0.1 C until 5 mAh"], ("5 mAh", "mAh/cm^2"), ""),
    # ranges
    (["rest for 0 s"], ("above 0 s",), ""),
    (["press to 5 MPa in 0 s"], ("above 0 s",), ""),
    (["discharge at 0 C until 5 mV"], ("the current '0 C' must be above zero",), ""),
    (["discharge at -0.1 C until 5 mV"], ("must be above zero", "direction"), ""),
    (["press to -5 MPa"], ("at least 0 MPa",), ""),
    (["press to 5 GPa"], ("at most 2000 MPa",), ""),
    (["rest for 1 h at 900 degC"], ("between 233.15 K and 450 K",), ""),
    (["discharge at 0.1 C until 99 V"], ("99 V", "5.5 V"), ""),
    (["discharge at 0.1 C until lithiation 1.2"], ("between 0 and 1",), ""),
    (["discharge at 0.1 C until 0 mV"], ("half cell must be above 0 V",), ""),
    ([LITHIATE, "charge at 0.1 C until 4.2 V"], ("step 2:", "half cell", "at most 3 V"), ""),
    # repetitions and pulses
    (["repeat 0 times: rest for 1 h"], ("'0' times", "whole number"), ""),
    (["repeat 3 times"], ("nothing is repeated",), ""),
    ([["repeat 3 times"]], ("one at least",), ""),
    ([["rest for 1 h", "rest for 1 h"]], ("must begin with how often",), ""),
    ([{"repat": 3, "steps": ["rest for 1 h"]}], ("repat", "did you mean repeat?"), ""),
    ([["repeat 2 times", "rest for 1 h", "rets for 1 h"]], ("step 1.2:", "rets", "did you mean rest?"), ""),
    ([["repeat 9999 times", ["repeat 9999 times", "rest for 1 h"]]], ("written out", "at most 100000"), ""),
    (["pulse at 0.1 C for 10 min"], ("the rest between the pulses is missing",), ""),
    (["pulse at 0.1 C then rest for 1 h, 5 times"], ("the length of the pulse is missing",), ""),
    (["repeat 9 times, jumpin: rest for 1 h"], ("'jumpin' is not expected", "did you mean jumping?"), ""),
    ([["repeat 9 times,", LITHIATE, CHARGE]], ("write 'repeat 9 times, jumping'",), ""),
    ([{"repeat": 9, "jumping": "yes", "steps": [LITHIATE, CHARGE]}], ("'yes' must be true or false",), ""),
    ([{"repeat": 9, "jumpin": True, "steps": [LITHIATE]}], ("jumpin", "did you mean jumping?"), ""),
    (
        [["repeat 5 times, jumping", LITHIATE, CHARGE]],
        ("step 1:", "nothing to jump over in 5 times", "at least 6"),
        "",
    ),
    ([["repeat 9 times, jumping", "rest for 1 h"]], ("must lithiate and delithiate",), ""),
    (
        [["repeat 3 times", ["repeat 9 times, jumping", LITHIATE, CHARGE]]],
        ("step 1.1:", "cannot stand inside another repetition"),
        "",
    ),
    (
        [["repeat 9 times, jumping", LITHIATE, CHARGE, ["repeat 9 times, jumping", LITHIATE, CHARGE]]],
        ("step 1:", "cannot stand inside another repetition"),
        "",
    ),
    (
        [["repeat 9 times", LITHIATE, CHARGE]],
        ("cycling", "no repetition", "jumping"),
        "[cycling]\ntolerance = 0.01\n",
    ),
    ([JUMPING], ("cycling.tolerance", "0.5"), "[cycling]\ntolerance = 0.7\n"),
    ([JUMPING], ("cycling.tolerance",), "[cycling]\ntolerance = 0\n"),
    ([JUMPING], ("cycling.resolved_first", "3"), "[cycling]\nresolved_first = 1\n"),
    ([JUMPING], ("cycling.longest_jump",), "[cycling]\nlongest_jump = 1.5\n"),
    ([JUMPING], ("cycling.longest_jmp", "did you mean longest_jump?"), "[cycling]\nlongest_jmp = 9\n"),
    ([JUMPING], ("step 1:", "nothing to jump over in 9 times"), "[cycling]\nresolved_first = 8\n"),
    # what makes no sense where it stands
    ([CHARGE], ("step 1:", "nothing has been stored yet", "lithiate first"), ""),
    (["discharge at 0.1 C until 3 V"], ("nothing has been stored yet",), FULL),
    (["discharge at 0.1 C until 1.5 V"], ("wrong side", "at most 1.2 V"), ""),
    ([LITHIATE, "charge at 0.1 C until 3 mV"], ("step 2:", "wrong side", "at least 0.005 V"), ""),
    ([LITHIATE, CHARGE, "rest for 1 h", "discharge at 0.1 C until 1.6 V"], ("step 4:", "wrong side"), ""),
    ([LITHIATE, "lithiate at 0.05 C until 5 mV"], ("step 2:", "wrong side"), ""),
    ([["repeat 2 times", LITHIATE]], ("step 1.1 (time 2 of 2):", "wrong side"), ""),
    (
        ["lithiate at 0.1 C until lithiation 0.5", "charge at 0.1 C until lithiation 0.6"],
        ("step 2:", "at most 0.5 before it"),
        "",
    ),
    (
        ["lithiate at 0.1 C until lithiation 0.5", "lithiate at 0.1 C until lithiation 0.4"],
        ("step 2:", "at least 0.5 before it"),
        "",
    ),
    ([LITHIATE, "hold at 5 mV until 0.1 C"], ("step 2:", "the current is 0.1 C when it begins"), ""),
    (["hold at 5 mV until 5 mV"], ("not by a voltage",), ""),
    (["discharge at 0.1 C until 0.01 C"], ("ends a hold",), ""),
    (["discharge at 1 C for 10 h"], ("10 times the capacity", "add 'until'"), ""),
    (["discharge at 0.1 C until 20 mAh/cm^2"], ("20 mAh/cm^2", "2 times what the hosts can hold"), ""),
    (["release to 0.1 MPa"], ("nothing has been pressed",), ""),
    (["press to 5 MPa", "press to 1 MPa"], ("step 2:", "release to 1 MPa"), ""),
    (["press to 5 MPa", "release to 9 MPa"], ("step 2:", "press to 9 MPa"), ""),
    (["press to 5 MPa", "press to 5 MPa"], ("step 2:", "5 MPa already"), ""),
    (["hold at 5 mV for 1 h"], ("the case has no terminal",), "[cell]\nterminal = false\n"),
    ([LITHIATE], ("the case has no terminal",), "[cell]\nterminal = false\n"),
    (["measure thicknes"], ("thicknes", "did you mean thickness?"), ""),
    (["measure thickness unlaoded"], ("unlaoded", "did you mean unloaded?"), ""),
    (["measure adhesion"], ("where is missing", "at foil"), ""),
    (["measure adhesion at 80 um"], ("80 um", "between 0 and the thickness"), ""),
    (["measure adhesion at foil by pell"], ("pell", "did you mean peel?"), ""),
    (["measure rates"], ("write 'rates of discharge at 0.1 C, 0.2 C, 0.5 C, 1 C until 5 mV'",), ""),
    (["measure rates of discharge at 0.1 C for 1 h"], ("write 'rates of discharge",), ""),
    (["measure rates of discharge at 0.1 C, 7 V until 5 mV"], ("7 V",), ""),
    (["measure rates of discharge at 0.1 C until 5 mV or for 1 h"], ("with one cut-off",), ""),
    (["measure rates of discharge at 0.1 C until 1 mAh/cm^2"], ("must be a voltage",), ""),
    (["measure gitt"], ("the current is missing",), ""),
    (["measure gitt at 0.1 C for 10 min"], ("write 'gitt at 0.1 C for 10 min then rest for 1 h'",), ""),
    (["measure gitt at 1 C for 1 min then rest for 1 h, 5 times"], ("one pulse and one rest",), ""),
    (["measure porosity unloaded"], ("'unloaded' is not expected",), ""),
    # the tables around them
    (["rest for 1 h"], ("process.temperatur", "did you mean temperature?"), "TEMPERATUR"),
    (["rest for 1 h"], ("drive", "beside [process]"), "[drive]\n"),
    (["rest for 1 h"], ("cell.counter", "'lithium'"), '[cell]\ncounter = "lithum"\n'),
    (["rest for 1 h"], ("cathode_ratio belongs to a full cell",), "[cell]\ncathode_ratio = 1.2\n"),
    (["rest for 1 h"], ("cell.separator_resistance", "ohm cm^2"), '[cell]\nseparator_resistance = "5 ohm"\n'),
]


@pytest.mark.parametrize(
    ("steps", "said", "more"), MISTAKES, ids=[f"{number} {row[0]}" for number, row in enumerate(MISTAKES)]
)
def test_a_mistake_is_answered_in_one_sentence(
    steps: Any, said: tuple[str, ...], more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "case.toml", tmp_path / "out"
    process = dumps({"process": {"steps": steps}})
    if more == "TEMPERATUR":
        process, more = process + 'temperatur = "60 degC"\n', ""
    path.write_text(HEAD + process + more, encoding="utf-8")
    assert main(["run", str(path), "--out", str(out)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("swellbound: ") and output.err.count("\n") == 1, output.err
    for part in said:
        assert part in output.err
    if "step " in said[0]:
        assert "is not allowed: " in output.err
    assert not out.exists()


def test_the_table_is_long_enough() -> None:
    assert len(MISTAKES) >= 40


SOUND = [
    [LITHIATE, CHARGE],
    [
        "press to 550 MPa",
        "release to 0.1 MPa",
        "rest for 10 h",
        LITHIATE,
        "hold at 5 mV until 0.01 C",
        CHARGE,
    ],
    [LITHIATE, "rest for 1 h", "lithiate at 0.05 C until 5 mV"],
    [["repeat 3 times", LITHIATE, CHARGE]],
    [JUMPING],
    [f"repeat 9 times, jumping: {LITHIATE}; {CHARGE}"],
    [{"repeat": 9, "jumping": True, "steps": [LITHIATE, CHARGE]}],
]


@pytest.mark.parametrize("steps", SOUND, ids=str)
def test_what_makes_sense_is_let_through(
    steps: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "case.toml"
    path.write_text(HEAD + dumps({"process": {"steps": steps}}), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    assert "is sound" in capsys.readouterr().out


def test_metal_may_be_taken_out_after_a_rest(tmp_path: Path) -> None:
    head = HEAD.replace("lithium_wt_percent_of_active = 0.0", "lithium_wt_percent_of_active = 3.0")
    path = tmp_path / "case.toml"
    path.write_text(head + dumps({"process": {"steps": ["rest for 10 h", CHARGE]}}), encoding="utf-8")
    assert main(["check", str(path)]) == 0


def test_a_cell_without_a_process_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "case.toml"
    path.write_text(HEAD + '[cell]\ncounter = "lithium"\n', encoding="utf-8")
    assert main(["check", str(path)]) == 2
    assert "cell is not allowed without [process]" in capsys.readouterr().err


def test_cycling_without_a_process_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "case.toml"
    path.write_text(HEAD + "[cycling]\ntolerance = 0.01\n", encoding="utf-8")
    assert main(["check", str(path)]) == 2
    assert "cycling is not allowed without [process]" in capsys.readouterr().err
