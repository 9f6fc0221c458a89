"""A short process on the tiny electrode: what its steps report, and that it can be interrupted anywhere."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from run import results
from run.cli import main
from run.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_RESUME
from run.key_states import key_states
from tests.run.conftest import leave_after
from tests.run.short_process import FIRST, MEASURE, QUICK, SECOND, assert_same_state, case_file, summary_of


@pytest.fixture(scope="module")
def blocks(whole: Path) -> list[dict[str, Any]]:
    return list(summary_of(whole)["steps"])


def test_every_step_says_why_it_ended(blocks: list[dict[str, Any]]) -> None:
    assert [block["end_reason"] for block in blocks] == [
        "2 s have passed",
        "the mean lithiation has reached 0.02",
        "10 s have passed",
        "the current has fallen to 0.5 C",
        "the cut-off of 0.75 V was reached",
        "measured",
        "10 s have passed",
    ]
    for before, after in pairwise(blocks):
        assert before["end_time_s"] == after["start_time_s"]
        assert before["voltage_end_V"] == after["voltage_start_V"]


def test_steps_land_on_what_ends_them(blocks: list[dict[str, Any]], whole: Path) -> None:
    pressed, lithiated, _, held, charged, _, cooled = blocks
    assert pressed["pressure_end_MPa"] == 5.0 and pressed["end_time_s"] == pytest.approx(2.0, rel=1e-12)
    assert lithiated["mean_lithiation_end"] == pytest.approx(0.02, abs=1.01e-6)
    assert held["voltage_end_V"] == pytest.approx(0.45, abs=1e-12)
    assert 0.0 <= charged["voltage_end_V"] - 0.75 <= 1.0e-3
    assert (cooled["temperature_start_K"], cooled["temperature_end_K"]) == (333.15, 313.15)
    rows = results.read_history(whole / results.HISTORY)[1]
    last = [row for row in rows if row["process_step"] == 4][-1]
    full = summary_of(whole)["process"]["c_rate_capacity_mAh_cm2"]
    assert last["current_A_m2"] == pytest.approx(0.5 * full * 10.0, rel=1.0e-2)


def test_charge_is_counted_where_it_passes(blocks: list[dict[str, Any]], whole: Path) -> None:
    told = summary_of(whole)
    capacity, active = told["process"]["host_capacity_mAh_cm2"], told["process"]["active_mg_cm2"]
    for block in blocks:
        change = block["mean_lithiation_end"] - block["mean_lithiation_start"]
        assert block["charge_mAh_cm2"] == pytest.approx(change * capacity, abs=1e-13)
        assert block["capacity_mAh_g"] == pytest.approx(1e3 * block["capacity_mAh_cm2"] / active, rel=1e-12)
        if block["kind"] in ("rest", "pressure"):
            assert block["charge_mAh_cm2"] == 0.0
        if block["kind"] != "measure":
            book = block["lithium_book_mAh_cm2"]
            assert book["error"] < 1e-12
            held = sum(book["held"].values()) - sum(book["held_at_start"].values())
            assert held == pytest.approx(book["charge_passed"], abs=1e-14)
            assert book["trapped"]["grains_cut_off"] == 0
    (cycle,) = told["cycles"]
    into, out = blocks[1]["charge_mAh_cm2"] + blocks[3]["charge_mAh_cm2"], -blocks[4]["charge_mAh_cm2"]
    assert cycle["lithiation_mAh_cm2"] == pytest.approx(into, rel=1e-12)
    assert cycle["delithiation_mAh_cm2"] == pytest.approx(out, rel=1e-12)
    assert cycle["coulombic_efficiency"] == pytest.approx(out / into, rel=1e-12)


def test_iterations_and_steps_add_up(blocks: list[dict[str, Any]], whole: Path) -> None:
    told = summary_of(whole)
    assert sum(block["newton_iterations"] for block in blocks) == told["newton_iterations"]
    assert sum(block["time_steps"] for block in blocks) == told["steps_accepted"]


def test_the_convention_is_said(whole: Path) -> None:
    said = "half cell against lithium: discharge lithiates the electrode, charge delithiates it"
    told = summary_of(whole)
    assert told["process"]["convention"] == said and said in told["notes"]
    assert said in (whole / results.LOG).read_text()


def test_the_tables_hold_what_the_summary_holds(blocks: list[dict[str, Any]], whole: Path) -> None:
    with open(whole / results.STEP_TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [block["text"] for block in blocks]
    assert [float(row["charge_mAh_cm2 [mAh/cm^2]"]) for row in rows] == [b["charge_mAh_cm2"] for b in blocks]
    with open(whole / results.CYCLE_TABLE, encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 1


def test_unloading_is_a_side_calculation(blocks: list[dict[str, Any]]) -> None:
    block = blocks[5]
    found = block["result"]
    assert found["complete"] and found["pressure_MPa"] == 0.0 and found["loaded"]["pressure_MPa"] == 5.0
    assert found["loaded"]["thickness_um"] == block["thickness_end_um"] == block["thickness_start_um"]
    # Without 5 MPa on it the electrode is thicker, by some of 5 MPa over 15 GPa at least.
    assert found["thickness_um"] - found["loaded"]["thickness_um"] > 7.0 * 5.0 / 60.0e3
    parts = found["thickening_parts_um"]
    assert sum(parts.values()) == pytest.approx(found["thickness_um"] - 7.0, abs=1e-6)


@pytest.mark.parametrize("where", ["in the press", "in the hold", "between two tries to land"])
def test_it_goes_on_in_the_middle_as_if_nothing_had_happened(
    whole: Path, tmp_path: Path, where: str, blocks: list[dict[str, Any]]
) -> None:
    rows = results.read_history(whole / results.HISTORY)[1]
    place = {"in the press": (1, 4), "in the hold": (4, 2), "between two tries to land": (5, -2)}[where]
    steps = [number for number, row in enumerate(rows) if row["process_step"] == place[0]][place[1]]
    path = case_file(tmp_path, "whole", [*FIRST, *SECOND[:2], MEASURE, SECOND[2]])
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_after(monkeypatch, steps)
        assert main(["run", str(path), "--out", str(out), "--quiet"]) == EXIT_RESUME
    left = summary_of(out)
    assert left["steps"][-1]["end_reason"] == "not at its end"
    assert main(["resume", str(out), "--quiet"]) == EXIT_OK
    assert (out / results.HISTORY).read_bytes() == (whole / results.HISTORY).read_bytes()
    assert json.dumps(summary_of(out)["steps"]) == json.dumps(blocks)
    assert_same_state(out, whole)


def test_a_full_cell_charges_to_lithiate(tmp_path: Path) -> None:
    """And charges end steps; a current density is what it says."""
    steps = [
        "charge at 10 A/m^2 until 0.009 mAh/cm^2",
        "rest for 5 s",
        "discharge at 10 A/m^2 until 1 mAh/g",
        "pulse charge at 1 C until 3 V or for 20 s then rest for 2 s, 3 times",
    ]
    cell = '[cell]\ncounter = "lithium-cobalt-oxide"\nseparator_resistance = "5 ohm cm^2"\n'
    path, out = case_file(tmp_path, "full", steps, QUICK + cell), tmp_path / "out"
    assert main(["run", str(path), "--out", str(out), "--quiet"]) == EXIT_OK
    told = summary_of(out)
    assert told["process"]["convention"].startswith("full cell: charge lithiates")
    charged, rested, discharged, *pulses = told["steps"]
    assert charged["lithiates"] and charged["charge_mAh_cm2"] == pytest.approx(0.009, rel=1.01e-6)
    # 9e-3 mAh/cm2 are 324 C/m2; the current is led to 10 A/m2 in the first 10 s, in steps whose end counts.
    assert 324.0 / 10.0 < charged["end_time_s"] < 324.0 / 10.0 + 5.0
    assert charged["voltage_end_V"] > rested["voltage_end_V"]
    assert discharged["lithiates"] is False
    assert discharged["capacity_mAh_g"] == pytest.approx(1.0, rel=1.01e-3)
    assert discharged["charge_mAh_cm2"] < 0.0
    # 3 V is met in the first pulse: its rest follows, the others are left out.
    assert [block["kind"] for block in pulses] == ["current", "rest"]
    assert pulses[0]["end_reason"] == "the cut-off of 3 V was reached"
    assert pulses[0]["voltage_start_V"] < 3.0 <= pulses[0]["voltage_end_V"] <= 3.001
    assert (told["process"]["steps_planned"], told["process"]["steps_ended"]) == (9, 5)


def test_runs_are_reported_side_by_side(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in (results.SUMMARY, results.HISTORY):
        (other / name).write_bytes((whole / name).read_bytes())
    assert main(["report", str(whole), str(other), "--out", str(tmp_path / "report")]) == EXIT_OK
    said = capsys.readouterr().out
    for name in ("voltage", "thickness", "thickness_states", "lithium_book", "sections"):
        picture = tmp_path / "report" / f"{name}.png"
        assert str(picture) in said and picture.read_bytes().startswith(b"\x89PNG")


def test_the_states_worth_comparing(whole: Path, blocks: list[dict[str, Any]]) -> None:
    start, pressed, lithiated, delithiated = key_states(summary_of(whole))
    assert [state.label for state in (start, pressed, lithiated, delithiated)] == [
        "start", "pressed", "lithiated", "delithiated",
    ]  # fmt: skip
    assert (start.step, pressed.step, lithiated.step, delithiated.step) == (0, 1, 4, 5)
    # Measured unloaded right after the charge, and only there.
    assert [state.unloaded for state in (pressed, lithiated, delithiated)] == [False, False, True]
    assert delithiated.thickness == blocks[5]["result"]["thickness_um"]
    assert lithiated.thickness == blocks[3]["thickness_end_um"]
    assert sum(lithiated.held.values()) > sum(delithiated.held.values()) > sum(start.held.values())


def test_a_drive_cannot_be_put_beside_a_process(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results.write_json(tmp_path / results.SUMMARY, {"case": "a drive"})
    assert main(["report", str(whole), str(tmp_path)]) == EXIT_BAD_INPUT
    assert "no run of a [process]" in capsys.readouterr().err
