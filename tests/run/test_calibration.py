"""A calibration from its file to its tables, on runs that follow formulas: answers, files, resuming, failures."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from docs import make_calibration, make_validation
from run.calibration.calibrate import CalibrationOptions, run_calibration
from run.case import load_case
from run.errors import EXIT_OK, EXIT_RESUME, EXIT_STOPPED, InputError, ResultsError
from run.study.runner import Runner
from tests.run import fake_run

PROCESS = '[process]\nsteps = ["press to 1 MPa in 10 s", "discharge at 0.1 C until 0.1 V"]\n'
FILE = """
[calibration]
name = "try"
case = "tiny.toml"
evaluations = {evaluations}
{more}
[parameters.face]
keys = ["interfaces.electrolyte|graphite.exchange_resistance"]
factor = true
low = 0.2
high = 12.0
start = {start}
scale = "log"
why = "a test"

[parameters.pressure]
steps = {{1 = "press to {{}} in 10 s"}}
{condition}
low = "1 MPa"
high = "40 MPa"
start = "{pressure}"
width = "40 MPa"
why = "a test"

[targets.lithiation]
quantity = "cycles.1.lithiation_mAh_cm2"
value = "{lithiation} mAh/cm^2"
tolerance = "0.01 Ah/m^2"
source = "a test"

[targets.thickness]
quantity = "thickness_um"
value = "{thickness} um"
tolerance = "10 nm"
source = "a test"

[targets.voltage]
quantity = "steps.2.voltage_end_V"
value = "{voltage} V"
tolerance = "1 mV"
source = "a test"
"""
#: The shipped resistance between graphite and electrolyte, and the strength between graphite and silicon.
FACE, STRENGTH = fake_run.FACE, 20.0


def file(**given: Any) -> str:
    """A calibration whose answer is 2.4 times the resistance and 12 MPa, with the case's seed 3."""
    known = fake_run.numbers(2.4 * FACE, STRENGTH, 12.0, 3)
    usual = {
        "evaluations": 30, "more": "", "condition": "", "start": 1.0, "pressure": "30 MPa",
        "lithiation": known["charge"], "thickness": known["thickness"], "voltage": known["voltage"],
    }  # fmt: skip
    return FILE.format(**{**usual, **given})


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run.study.runner.LOOK_S", 0.02)


@pytest.fixture
def folder(tiny: Path) -> Path:
    """The tiny case with a process, and room for a calibration."""
    text = tiny.read_text("utf-8").replace("[drive]\nuntil_mean_lithiation = 0.0145\n", PROCESS)
    tiny.write_text(text, "utf-8")
    return tiny.parent


def calibrate(folder: Path, text: str, **given: Any) -> tuple[int, dict[str, Any]]:
    (folder / "fit.toml").write_text(text, "utf-8")
    options = CalibrationOptions(folder / "out", jobs=3, quiet=True, **given)
    code = run_calibration(folder / "fit.toml", options, fake_run.command)
    said = folder / "out" / "calibration.json"
    return code, json.loads(said.read_text("utf-8")) if said.is_file() else {}


def begun(folder: Path) -> dict[str, int]:
    """How often each run was begun."""
    return {path.parent.name: path.stat().st_size for path in (folder / "out" / "runs").glob("*/begun.txt")}


@pytest.mark.parametrize(
    ("start", "pressure", "condition"),
    [(0.25, "2 MPa", ""), (4.5, "39 MPa", 'condition = "stack_pressure"')],
)
def test_the_answer_is_found_and_written(start: float, pressure: str, condition: str, folder: Path) -> None:
    code, said = calibrate(folder, file(start=start, pressure=pressure, condition=condition))
    assert code == EXIT_OK and said["converged"]
    face, press = said["parameters"]
    assert face["fitted"] == pytest.approx(2.4, rel=0.02)
    assert press["fitted"] == pytest.approx(12.0, abs=0.4)
    assert face["case_values"] == {
        "interfaces.electrolyte|graphite.exchange_resistance": f"{FACE * face['fitted']:.8g} pJ um^2 s/fmol^2"
    }
    for one in said["targets"]:
        assert abs(one["residual"]) < 3.0, one
    # d ln(charge)/d ln(resistance) of the formula, measured with the difference of a tenth of the way.
    r = FACE * face["fitted"]
    slope = -0.6 * r / (FACE + 0.6 * r)
    assert said["sensitivities"]["lithiation"]["face"] == pytest.approx(slope, rel=0.25)
    assert said["sensitivities"]["lithiation"]["pressure"] == pytest.approx(0.0, abs=1e-6)
    assert 1.0 < face["uncertainty_factor"] < 1.01
    cost = said["cost"]
    assert cost["runs"] == len(begun(folder)) == cost["newton_iterations"] / 7 == cost["wall_time_s"] / 2.0
    assert set(begun(folder).values()) == {1}, "a run was begun twice"
    rows = (folder / "out" / "evaluations.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + cost["evaluations"] and rows[0].startswith("evaluation,face [1],pressure [MPa]")
    for name in ("targets", "sensitivities"):
        assert (folder / "out" / "pictures" / f"{name}.png").stat().st_size > 10_000

    table = tomllib.loads((folder / "out" / "calibrated.toml").read_text("utf-8"))
    value = table["interfaces"]["electrolyte|graphite"]["exchange_resistance"]
    assert value["mark"] == "calibrated" and "converged" in value["source"]
    taken = load_case(folder / "tiny.toml", ["case.parameters=out/calibrated.toml"])
    law = taken.laws["electrolyte|graphite"].exchange_resistance
    assert (law.value, law.mark) == (float(f"{r:.8g}"), "calibrated")
    assert "standard uncertainty times or divided by 1.0" in law.source
    assert taken.process is not None
    assert taken.process.given[0].text() == f"press to {press['fitted']:.15g} MPa in 10 s"
    assert set(table) == {"about", "interfaces", "conditions" if condition else "steps"}
    noted = taken.file.case.taken
    assert noted is not None and noted["process.steps.1"].mark == "calibrated"
    if condition:
        # The same file serves a case with a [drive].
        drive = (folder / "tiny.toml").read_text("utf-8").replace(PROCESS, "")
        (folder / "drive.toml").write_text(drive, "utf-8")
        taken = load_case(folder / "drive.toml", ["case.parameters=out/calibrated.toml"])
        assert taken.process is None and taken.file.drive.stack_pressure == press["fitted"]


def test_the_page_of_the_calibration_holds_what_was_found(folder: Path) -> None:
    said = calibrate(folder, file())[1]
    text = make_calibration.page(said, Path(make_calibration.TEMPLATE).read_text("utf-8"))
    assert not re.search("@[A-Z]+@", text), "a mark was left in the page"
    assert r"`interfaces.electrolyte\|graphite.exchange_resistance` = " in text
    assert f"**{said['parameters'][0]['fitted']:.4g}**" in text


def test_the_page_of_validation_holds_what_was_found() -> None:
    held = {"held": {"graphite": 1.5, "lithium": 0.25}}
    steps = [
        {"number": 1, "kind": "pressure", "lithiates": None, "cycle": 0, "lithium_book_mAh_cm2": held},
        _measured(2, 0, "adhesion at foil", parts_J_m2={"cohesive": 0.31}, work_of_separation_J_m2=0.52),
        {"number": 3, "kind": "current", "lithiates": True, "cycle": 1},
        _measured(4, 1, "thickness unloaded", thickness_um=48.05),
        _measured(5, 1, "diffusion", effective_diffusivity_um2_s=0.143),
        {"number": 6, "kind": "current", "lithiates": False, "cycle": 1, "lithium_book_mAh_cm2": held},
        _measured(7, 1, "thickness unloaded", complete=False, reason="no equilibrium"),
    ]
    cycle = {"lithiation_mAh_cm2": 3.504, "delithiation_mAh_cm2": 2.788, "coulombic_efficiency": 0.7957}
    run = {
        "steps": steps,
        "cycles": [cycle],
        "thickness_start_um": 26.06,
        "end_reason": "the end was reached",
        "commit": "0123456789abcdef",
        "ranks": 2,
        "wall_time_s": 1000.0,
        "cells": 1739,
        "dofs": 12198,
        "newton_iterations": 7189,
        "solver": {"tangents": 5561},
        "steps_accepted": 812,
        "steps_rejected": 3,
        "energy_balance_error": 1.2e-5,
        "lithium_book_error": 8e-14,
        "penetration_max_um": 0.1834,
    }
    template = Path(make_validation.TEMPLATE).read_text("utf-8")
    before = _measured(1, 0, "adhesion at foil", parts_J_m2={"cohesive": 0.215}, work_of_separation_J_m2=0.34)
    pulled = {"unpressed": {"bare": {"steps": [before]}, "3 wt%": {"steps": [before]}}}
    pulled["pressed"] = {"bare": {"steps": [before]}}
    text = make_validation.page({"3 wt%": run}, pulled, template)
    assert not re.search("@[A-Z]+@", text), "a mark was left in the page"
    for line in (
        "| first lithiation, mAh/cm² | – | – | 3.50 | – |",
        "| efficiency, % | – | – | 79.6 | – |",
        "| lithiated, unloaded, µm | – | – | 48.0 | – |",
        "| delithiated, unloaded, µm | – | – | – | – |",
        "| adhesion before pressing, J/m² | 0.21 (0.34) | – | 0.21 (0.34) | – |\n"
        "| adhesion pressed, before the 10 h, J/m² | 0.21 (0.34) | – | – | – |\n"
        "| adhesion after 10 h at 60 °C, J/m² | – | – | 0.31 (0.52) | – |",
        "| effective diffusion coefficient, 1e-9 cm²/s | – | – | 1.43 at x = 0.90 | – |",
        "| lithium metal after 10 h; at the end, mAh/cm² | – | – | 0.250; 0.250 | – |",
        "| wall time, min | – | – | 16.7 | – |",
        "| Newton iterations (with a tangent of their own) | – | – | 7189 (5561) | – |",
        "| energy balance, of the work | – | – | 1e-05 | – |",
    ):
        assert line in text, line


def _measured(number: int, cycle: int, name: str, complete: bool = True, **result: Any) -> dict[str, Any]:
    found = {"measurement": name, "complete": complete, **result}
    block = {"number": number, "kind": "measure", "lithiates": None, "cycle": cycle, "result": found}
    return {**block, "mean_lithiation_end": 0.9}


def test_a_second_call_repeats_nothing_and_says_the_same(folder: Path) -> None:
    first = calibrate(folder, file())
    runs = begun(folder)
    second = calibrate(folder, file())
    assert begun(folder) == runs
    for said in (first[1], second[1]):
        reused = {one.pop("reused") for one in said["evaluations"]}
        assert reused == {said is second[1]}
    assert first == second


def test_an_interrupted_fit_goes_on_the_same_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = calibrate(folder, file())[1]
    (folder / "out").rename(folder / "straight")
    calls, run = [0], Runner.run

    def interrupted(self: Runner, points: Any, anew: Any, watch: Any) -> bool:
        calls[0] += 1
        return run(self, points[:1] if calls[0] == 2 else points, anew, watch) and calls[0] != 2

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "run", interrupted)
        assert calibrate(folder, file()) == (EXIT_RESUME, {})
    assert len(begun(folder)) == 2, "the start, and one of the slopes"
    assert (folder / "out" / "evaluations.csv").read_text("utf-8").count("\n") == 2
    code, resumed = calibrate(folder, file())
    assert code == EXIT_OK and set(begun(folder).values()) == {1}
    assert resumed["parameters"] == straight["parameters"] and resumed["targets"] == straight["targets"]


def test_failures_are_told_and_gone_round(folder: Path) -> None:
    # At five times the resistance a run lacks a number, at 8.3 times it fails; the answer is 4.5 times it.
    known = fake_run.numbers(4.5 * FACE, STRENGTH, 12.0, 3)
    code, said = calibrate(
        folder,
        file(start=4.0, lithiation=known["charge"], thickness=known["thickness"], voltage=known["voltage"],
             more="difference = 0.3"),
    )  # fmt: skip
    assert code == EXIT_OK
    assert said["parameters"][0]["fitted"] == pytest.approx(4.5, rel=0.03)

    code, said = calibrate(folder, file(start=0.4, more="trust = 1.0\nleast_move = 0.01", lithiation=0.5))
    failed = [one for one in said["evaluations"] if one["reached"] is None]
    assert failed and said["cost"]["failed"] == len(failed)
    reasons = " ".join(one["reason"] for one in failed)
    assert "steps of 1e-05 s still fail" in reasons or "no number for target voltage" in reasons
    assert any("failed" in sentence for sentence in said["sentences"])
    text = (folder / "out" / "evaluations.csv").read_text("utf-8")
    assert failed[0]["reason"] in text


def test_a_start_that_fails_ends_it_with_a_sentence_and_again_tries_anew(folder: Path) -> None:
    with pytest.raises(ResultsError, match=r"the start gives no result.*steps of 1e-05 s still fail"):
        calibrate(folder, file(start=9.0))
    with pytest.raises(ResultsError, match="no number for target voltage"):
        calibrate(folder, file(start=9.0), again=True)
    assert set(begun(folder).values()) == {2}


def test_what_cannot_be_reached_is_said(folder: Path) -> None:
    code, said = calibrate(folder, file(lithiation=4.0, evaluations=40))
    assert code == EXIT_OK
    missed = [
        sentence for sentence in said["sentences"] if sentence.startswith("target lithiation is not met")
    ]
    assert len(missed) == 1 and "instead of 4 mAh/cm^2" in missed[0] and "too little" in missed[0]
    best = max(one["reached"][0] for one in said["evaluations"] if one["reached"] is not None)
    assert f"came to {best:.4g}" in missed[0]


def test_too_few_evaluations_are_no_convergence(folder: Path) -> None:
    code, said = calibrate(folder, file(evaluations=4))
    assert code == EXIT_STOPPED and not said["converged"]
    assert "4 evaluations" in said["reason"]
    text = (folder / "out" / "calibrated.toml").read_text("utf-8")
    assert "NOT converged" in text


def test_seeds_count_with_their_mean(folder: Path) -> None:
    code, said = calibrate(folder, file(more="seeds = [3, 4, 8]"))
    assert code == EXIT_OK
    assert said["cost"]["runs"] == 3 * said["cost"]["evaluations"]
    assert said["targets"][0]["scatter_between_seeds"] == pytest.approx(0.01 * 7.0**0.5)
    reached = said["targets"][0]["reached"]
    r, press = FACE * said["parameters"][0]["fitted"], said["parameters"][1]["fitted"]
    assert reached == pytest.approx(fake_run.numbers(r, STRENGTH, press, 5)["charge"], rel=1e-6)


def test_a_parameter_nobody_can_tell_is_not_called_calibrated(folder: Path) -> None:
    text = file() + (
        '[parameters.dead]\nkeys = ["interfaces.silicon|silicon.strength"]\nlow = "5 MPa"\nhigh = "50 MPa"\n'
        'start = "20 MPa"\nwhy = "a test"\n'
    )
    code, said = calibrate(folder, text)
    assert code == EXIT_OK
    assert said["parameters"][2]["fitted"] == pytest.approx(20.0)
    assert any("dead is not told" in sentence for sentence in said["sentences"])
    table = tomllib.loads((folder / "out" / "calibrated.toml").read_text("utf-8"))
    assert table["interfaces"]["silicon|silicon"]["strength"]["mark"] == "assumed"


def test_the_folder_of_something_else_is_left_alone(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no calibration"):
        calibrate(folder, file())
