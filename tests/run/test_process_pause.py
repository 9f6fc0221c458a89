"""A run that has to leave within a measurement does so at once, and measures anew when it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from run import results
from run.cli import main
from run.errors import EXIT_OK, EXIT_RESUME
from run.interruption import Interruption
from tests.run.short_process import assert_same_state, case_file, summary_of

PRESS = "press to 5 MPa at 60 degC in 2 s"
QUICKLY = "gitt at 1 C for 2 s then rest for 2 s"
LEFT = "during a measurement, which is to be begun anew"


def leave_in_a_measurement(monkeypatch: pytest.MonkeyPatch, after: int) -> list[int]:
    """Have a signal arrive once a measurement has asked so often; what the list holds is how often it has."""
    asked = [0]

    def decide(self: Interruption, every: float, last: float) -> tuple[str | None, bool]:
        # Only a measurement asks without a checkpoint in mind.
        asked[0] += every == float("inf")
        return ("the test says so" if asked[0] >= after else None), False

    monkeypatch.setattr(Interruption, "decide", decide)
    return asked


@pytest.mark.parametrize("what", ["thickness unloaded", "adhesion at foil", QUICKLY])
def test_a_measurement_that_is_left_is_begun_anew(what: str, tmp_path: Path) -> None:
    path = case_file(tmp_path, "measured", [PRESS, "rest for 2 s", f"measure {what}", "rest for 2 s"])
    straight, left = tmp_path / "straight", tmp_path / "left"
    assert main(["run", str(path), "--out", str(straight), "--quiet"]) == EXIT_OK
    with pytest.MonkeyPatch.context() as monkeypatch:
        asked = leave_in_a_measurement(monkeypatch, 3)
        assert main(["run", str(path), "--out", str(left), "--quiet"]) == EXIT_RESUME
        assert asked == [3]
    assert summary_of(left)["end_reason"] == f"the test says so {LEFT}"
    assert summary_of(left)["steps"][:2] == summary_of(straight)["steps"][:2]
    assert main(["resume", str(left), "--quiet"]) == EXIT_OK
    measured, again = (summary_of(out)["steps"][2]["result"] for out in (straight, left))
    assert measured == again and measured["complete"]
    assert results.read_history(left / results.HISTORY)[1][-1]["time_s"] == pytest.approx(6.0, rel=1e-12)
    assert_same_state(straight, left)
