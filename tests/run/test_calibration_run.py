"""A calibration of real runs: a resistance is found again from the voltage of a run that was made with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from run.cli import main
from tests.run.conftest import SETTINGS

FILE = """
[calibration]
name = "again"
case = "tiny.toml"
evaluations = 8
difference = 0.2
sharpen = false
[set]
output.fields = false
output.pictures = false
[parameters.face]
keys = ["interfaces.electrolyte|graphite.exchange_resistance", "interfaces.electrolyte|silicon.exchange_resistance"]
factor = true
low = 0.5
high = 20.0
start = 1.0
why = "the answer is 9"
[targets.voltage]
quantity = "steps.1.voltage_end_V"
value = "{voltage!r} V"
tolerance = "0.2 mV"
source = "a run"
[targets.charge]
quantity = "cycles.1.lithiation_mAh_cm2"
value = "{charge!r} mAh/cm^2"
tolerance = "0.001 mAh/cm^2"
source = "a run"
"""


@pytest.mark.slow
def test_a_resistance_is_found_again(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = '[process]\nsteps = ["discharge at 1 C for 10 s"]\n'
    text = tiny.read_text("utf-8").replace("[drive]\nuntil_mean_lithiation = 0.0145\n", process)
    tiny.write_text(text, "utf-8")
    out = tiny.parent / "out"
    known = [
        "--set", "interfaces.electrolyte|graphite.exchange_resistance=39.6 pJ um^2 s/fmol^2",
        "--set", "interfaces.electrolyte|silicon.exchange_resistance=9000 pJ um^2 s/fmol^2",
    ]  # fmt: skip
    assert main(["run", str(tiny), "--out", str(tiny.parent / "known"), *known, *SETTINGS]) == 0
    summary = json.loads((tiny.parent / "known" / "summary.json").read_text("utf-8"))
    block = summary["steps"][0]
    path = tiny.parent / "again.toml"
    path.write_text(
        FILE.format(voltage=block["voltage_end_V"], charge=summary["cycles"][0]["lithiation_mAh_cm2"]),
        "utf-8",
    )
    assert main(["calibrate", str(path), "--out", str(out), "--jobs", "2"]) == 0, capsys.readouterr().err
    said = json.loads((out / "calibration.json").read_text("utf-8"))
    assert said["parameters"][0]["fitted"] == pytest.approx(9.0, rel=0.01)
    assert said["sentences"] == []
    best = said["evaluations"][said["best_evaluation"] - 1]
    run = json.loads((out / "runs" / best["points"][0] / "summary.json").read_text("utf-8"))
    assert said["targets"][0]["reached"] == run["steps"][0]["voltage_end_V"]
    assert best["wall_time_s"] == run["wall_time_s"] > 0.0
    assert best["newton_iterations"] == run["newton_iterations"]
    told = capsys.readouterr().out
    assert "face" in told and "converged" in told and str(out / "calibrated.toml") in told

    # What was fitted is taken by a run, whose table of parameters says where it comes from.
    taken = tiny.parent / "taken"
    words = ["--parameters", str(out / "calibrated.toml"), "--out", str(taken)]
    assert main(["run", str(tiny), *words, *SETTINGS]) == 0
    rows = (taken / "parameters.csv").read_text("utf-8").splitlines()
    row = next(row for row in rows if row.startswith("interfaces.electrolyte|graphite.exchange_resistance,"))
    assert ",calibrated," in row and "standard uncertainty" in row
    table = json.loads((taken / "summary.json").read_text("utf-8"))
    assert table["steps"][0]["voltage_end_V"] == pytest.approx(block["voltage_end_V"], abs=2e-4)
    assert any("electrolyte|graphite" in key for key in table["parameters_from_file"])
