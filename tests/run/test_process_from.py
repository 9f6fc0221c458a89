"""Runs of a process that go on from another's end (``run --from``), and what is measured without leaving a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from run.cli import main
from run.errors import EXIT_BAD_INPUT, EXIT_OK
from run.process import registry
from run.process.registry import Measurement, no_words
from tests.run.short_process import HEAD, QUICK, SECOND, assert_same_state, case_file, summary_of


def run_from(origin: Path, folder: Path, steps: list[Any]) -> Path:
    path = case_file(folder, "other", steps)
    given = ["run", str(path), "--from", str(origin), "--out", str(folder / "other"), "--quiet"]
    assert main(given) == EXIT_OK
    return folder / "other"


def test_any_step_can_be_the_first_of_the_next_run(whole: Path, begun: Path, tmp_path: Path) -> None:
    """Split, and without the measurement, which must therefore leave no trace."""
    other = run_from(begun, tmp_path, SECOND)
    assert_same_state(other, whole)
    told = summary_of(other)
    assert [block["text"] for block in told["steps"]] == [*SECOND[:2], "rest at 40 degC for 10 s"]
    assert told["steps"][0]["pressure_start_MPa"] == 5.0


MEASUREMENTS = {
    "measure thickness": "thickness_um",
    "measure adhesion at foil": "work_of_separation_J_m2",
    "measure gitt at 0.1 C for 30 s then rest for 1 min": "effective_diffusivity_cm2_s",
    "measure porosity": "porosity",
    "measure phases": "graphite_share_LiC6",
    "measure uniformity": "standard_deviation",
    "measure diffusion": "tortuosity",
    "measure lithium": "lithium_left",
    "measure front": "front_depth_25_um",
}


def test_what_is_measured_stays_as_it_was(begun: Path, tmp_path: Path) -> None:
    other = run_from(begun, tmp_path, list(MEASUREMENTS))
    assert_same_state(other, begun)
    blocks = summary_of(other)["steps"]
    assert [block["text"] for block in blocks] == list(MEASUREMENTS)
    for block, number in zip(blocks, MEASUREMENTS.values(), strict=True):
        assert block["kind"] == "measure" and block["result"]["complete"], block
        assert np.isfinite(block["result"][number])
        assert block["start_time_s"] == block["end_time_s"]


def test_rates_are_measured_from_the_same_state(begun: Path, tmp_path: Path) -> None:
    step = "measure rates of lithiate at 1 C, 4 C until 0.3 V"
    other = run_from(begun, tmp_path, [step])
    assert_same_state(other, begun)
    block = summary_of(other)["steps"][0]
    slow, fast = block["result"]["rates"]
    assert block["text"] == step and block["result"]["complete"] and slow["reached"] and fast["reached"]
    assert slow["rate_C"] == pytest.approx(1.0, rel=0.02) and fast["rate_C"] == pytest.approx(
        4.0 * slow["rate_C"]
    )
    assert 0.0 < fast["charge_mAh_cm2"] < slow["charge_mAh_cm2"] and slow["share_of_first"] == 1.0


def test_what_is_measured_as_no_number_is_no_result(
    begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, and neither a checkpoint nor the summary holds it."""
    found = {"thickness_um": 7.0, "parts": {"gaps": [0.0, float("nan")]}}
    measurement = Measurement("nonsense", lambda subject, words: found, no_words)
    monkeypatch.setitem(registry._KNOWN, "nonsense", measurement)
    other = run_from(begun, tmp_path, ["measure nonsense", "measure thickness"])
    nonsense, thickness = (block["result"] for block in summary_of(other)["steps"])
    assert not nonsense["complete"] and nonsense["reason"] == "gaps 2 came out as no finite number"
    assert "thickness_um" not in nonsense and thickness["complete"]


FROM_MISTAKES = [
    (["charge at 1 C until 0.1 V"], QUICK, ("wrong side", "step 1:")),
    (["release to 9 MPa"], QUICK, ("the pressure is 5 MPa before it",)),
    (["rest for 1 h"], QUICK + '[materials.silicon]\nyoungs_modulus = "50 GPa"\n', ("--from", "[materials]")),
    (["rest for 1 h"], QUICK + '[cell]\nseparator_resistance = "5 ohm cm^2"\n', ("--from", "[cell]")),
    (None, "[drive]\n" + QUICK, ("--from", "[drive]")),
]


@pytest.mark.parametrize(
    ("steps", "more", "said"), FROM_MISTAKES, ids=[" ".join(row[2]) for row in FROM_MISTAKES]
)
def test_what_cannot_go_on_from_there_is_refused(
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    steps: Any,
    more: str,
    said: tuple[str, ...],
) -> None:
    path = case_file(tmp_path, "next", steps or [], more)
    if steps is None:
        path.write_text(HEAD + more, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(path), "--from", str(whole), "--out", str(out)]) == EXIT_BAD_INPUT
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    for part in said:
        assert part in text
    assert not out.exists()


def test_from_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = case_file(tmp_path, "next", ["rest for 1 h"])
    assert main(["run", str(path), "--from", str(tmp_path / "none")]) == EXIT_BAD_INPUT
    assert "--from" in capsys.readouterr().err
