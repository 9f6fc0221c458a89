"""Cycles of a process that are jumped over: rows, book, taking back bit for bit, resuming, any number of ranks."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fem.cell import Terminal
from fem.errors import RunStopped
from fem.events import Watch
from run import results
from run.cli import main
from run.errors import EXIT_OK, EXIT_RESUME
from run.process import control
from run.process.jumping import Jumper
from run.toml_text import dumps
from tests.run.conftest import TINY, leave_after
from tests.run.short_process import assert_same_state, last_state

HEAD = TINY.split("[drive]")[0]
REACTING = {
    "all": {"fatigue_accumulation_length": "5 um", "fatigue_endurance_ratio": 0.1},
    "electrolyte|graphite": {
        "decomposition_charge": "0.2 mAh/cm^2",
        "decomposition_onset": "1.1 V",
        "decomposition_current": "0.05 A/m^2",
    },
}
#: Each leaves 0.0002 mAh/cm² more in the electrode.
CYCLE = ["lithiate at 1 C until 0.003 mAh/cm^2", "delithiate at 1 C until 0.0028 mAh/cm^2"]
LEFT = 0.0002
PRESS = "press to 5 MPa in 2 s"
QUICK = '[output]\nfields = false\npictures = false\n[time]\nfirst_step = "4 s"\n'


def case_file(folder: Path, name: str, head: str, cycling: dict[str, Any]) -> Path:
    """The tiny case with cycles; ``head`` says how often."""
    path = folder / f"{name}.toml"
    tables = {"interfaces": REACTING, "process": {"steps": [PRESS, [head, *CYCLE]]}}
    text = HEAD + dumps(tables | ({"cycling": cycling} if cycling else {})) + QUICK
    path.write_text(text, encoding="utf-8")
    return path


def run(path: Path, out: Path) -> dict[str, Any]:
    assert main(["run", str(path), "--out", str(out), "--quiet"]) == EXIT_OK
    return results.read_json(out / results.SUMMARY)


def of(count: int) -> Any:
    """A control function that always allows so many cycles."""
    return lambda change, allowed: (count, "the test")


#: What the terminals were told at each jump: charge and growth of its peak, in C/m².
HEARD = "heard.json"
JUMPING, LOOSE = "repeat 9 times, jumping", {"tolerance": 0.3, "field_tolerance": 100.0}


@pytest.fixture(scope="module")
def jumped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of nine cycles: 1 to 3, 4 and 5 jumped over, 6, 7 and 8 jumped over, 9."""
    folder = tmp_path_factory.mktemp("jumped")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(control, "allowed_length", of(2))
        # Interfaces begin to break in these cycles; how relative errors of next to nothing are judged is not the point.
        monkeypatch.setattr(control, "LEAST_DAMAGE", 1.0)
        with pytest.MonkeyPatch.context() as patch:
            heard: list[tuple[float, float]] = []
            jump = Terminal.jump
            patch.setattr(Terminal, "jump", lambda *given: (heard.append(given[1:]), jump(*given)))
            run(case_file(folder, "jumped", JUMPING, LOOSE), folder / "out")
        results.write_json(folder / HEARD, {"jumps": heard})
        yield folder / "out"


def test_rows_are_of_computed_cycles_only(jumped: Path) -> None:
    told = results.read_json(jumped / results.SUMMARY)
    assert [row["cycle"] for row in told["cycles"]] == [1, 2, 3, 6, 9]
    assert [row["jumped_before"] for row in told["cycles"]] == [0, 0, 0, 2, 2]
    with open(jumped / results.CYCLE_TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["jumped_before [1]"] for row in rows] == ["0", "0", "0", "2", "2"]
    assert all(float(row["state_end.side_products_mAh_cm2 [mAh/cm^2]"]) > 0.0 for row in rows)
    with open(jumped / results.JUMP_TABLE, encoding="utf-8", newline="") as file:
        jumps = list(csv.DictReader(file))
    assert [(row["first_cycle [1]"], row["last_cycle [1]"], row["outcome"]) for row in jumps] == [
        ("4", "5", "kept"),
        ("7", "8", "kept"),
    ]
    history = results.read_history(jumped / results.HISTORY)[1]
    assert sorted({int(row["cycle"]) for row in history}) == [0, 1, 2, 3, 6, 9]
    assert [block["cycle"] for block in told["steps"]] == [0, 1, 1, 2, 2, 3, 3, 6, 6, 9, 9]
    assert told["cycling"]["cycles_jumped_over"] == 4 and told["cycling"]["cycles_computed"] == 5
    said = "4 cycles were not computed but jumped over"
    assert any(said in note for note in told["notes"])
    assert "jump over cycles 4 to 5 kept, estimated error" in (jumped / results.LOG).read_text()


def test_the_book_stays_closed(jumped: Path) -> None:
    told = results.read_json(jumped / results.SUMMARY)
    assert told["lithium_book_error"] < 1e-12
    for block in told["steps"]:
        assert block["lithium_book_mAh_cm2"]["error"] < 1e-12
    for jump in told["cycling"]["jumps"]:
        assert jump["charge_mAh_cm2"] == pytest.approx(jump["cycles"] * LEFT, rel=0.02)
    # Charge and peak of a cycle go up by what it leaves: a cathode that lost something fills up from its peak.
    for charge, peak in results.read_json(jumped.parent / HEARD)["jumps"]:
        assert charge == pytest.approx(3.6e4 * 2 * LEFT, rel=0.02)
        assert peak == pytest.approx(3.6e4 * 2 * LEFT, rel=0.02)
    # The terminals have counted the same charge, in C/m².
    counted = last_state(jumped)["replicated/terminal"][1]
    charge = results.read_history(jumped / results.HISTORY)[1][-1]["charge_mAh_cm2"]
    assert counted == pytest.approx(3.6e4 * charge, rel=1e-9)


def test_rows_go_on_where_a_jump_ends(jumped: Path) -> None:
    """Time by the duration of the last cycle, charge by what the electrode holds more, work as in the last cycle."""
    told = results.read_json(jumped / results.SUMMARY)
    rows = results.read_history(jumped / results.HISTORY)[1]
    of_cycle = {number: [row for row in rows if row["cycle"] == number] for number in (2, 3, 6, 9)}
    blocks = {n: [block for block in told["steps"] if block["cycle"] == n] for n in of_cycle}
    charges = [jump["charge_mAh_cm2"] for jump in told["cycling"]["jumps"]]
    for last, after, charge in ((3, 6, charges[0]), (6, 9, charges[1])):
        end, begin, closing = of_cycle[last][-1], of_cycle[after][0], of_cycle[after][-1]
        lasted = blocks[last][-1]["end_time_s"] - blocks[last][0]["start_time_s"]
        started = blocks[after][0]["start_time_s"]
        assert started == pytest.approx(end["time_s"] + 2.0 * lasted, rel=1e-12)
        assert begin["time_s"] - begin["dt_s"] == pytest.approx(started, rel=1e-12)
        passed = sum(block["charge_mAh_cm2"] for block in blocks[after])
        assert closing["charge_mAh_cm2"] == pytest.approx(end["charge_mAh_cm2"] + charge + passed, rel=1e-12)
        assert 0.5 * LEFT < charge < 4.0 * LEFT
    # Two cycles are left out, each with the chemical work of the last one; the next one adds some of its own.
    work = {n: of_cycle[n][-1]["chemical_work_pJ_um"] for n in of_cycle}
    last_one = work[3] - work[2]
    assert 2.0 * last_one < work[6] - work[3] < 3.0 * last_one


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the same nine cycles, all of them computed."""
    folder = tmp_path_factory.mktemp("resolved")
    run(case_file(folder, "resolved", "repeat 9 times", {}), folder / "out")
    return folder / "out"


def test_the_end_is_that_of_computing_all(jumped: Path, resolved: Path) -> None:
    one, all_of_them = (results.read_json(out / results.SUMMARY) for out in (jumped, resolved))
    last, expected = one["cycles"][-1], all_of_them["cycles"][-1]
    assert one["thickness_um"] == pytest.approx(all_of_them["thickness_um"], rel=1e-4)
    for name in ("lithiation_mAh_cm2", "delithiation_mAh_cm2"):
        assert last[name] == pytest.approx(expected[name], rel=1e-5)
    products = "side_products_mAh_cm2"
    assert last["state_end"][products] == pytest.approx(expected["state_end"][products], rel=0.01)
    assert last["state_end"]["damaged_fraction"] == pytest.approx(
        expected["state_end"]["damaged_fraction"], abs=2e-3
    )
    grown = (
        expected["state_end"]["side_products_mAh_cm2"]
        / all_of_them["cycles"][2]["state_end"]["side_products_mAh_cm2"]
    )
    assert grown > 2.0
    assert last["end_time_s"] == pytest.approx(expected["end_time_s"], rel=0.01)


@pytest.mark.parametrize("why", ["its slopes are off", "its steps fail"])
def test_a_jump_is_taken_back_bit_for_bit(
    why: str, resolved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tolerance that nothing meets, or steps that fail after a jump, all is as if it had never been tried."""
    monkeypatch.setattr(control, "allowed_length", of(2))
    tight: dict[str, Any] = {"tolerance": 1e-12}
    if why == "its steps fail":
        advance, tight = Watch.advance, LOOSE

        def fail(self: Watch, limit: float) -> Any:
            runner = running[0]
            if runner._jumper.provisional and runner._chronicle.mark["time_steps"] >= 2:
                raise RunStopped("the test says so")
            return advance(self, limit)

        from run.process.runner import ProcessRunner

        running: list[Any] = []
        make = ProcessRunner.__init__

        def made(self: ProcessRunner, *given: Any) -> None:
            running.append(self)
            make(self, *given)

        monkeypatch.setattr(ProcessRunner, "__init__", made)
        monkeypatch.setattr(Watch, "advance", fail)
    told = run(case_file(tmp_path, "back", JUMPING, tight), tmp_path / "out")
    jumps = told["cycling"]["jumps"]
    assert jumps and {jump["outcome"] for jump in jumps} == {"taken back"}
    assert told["cycling"]["cycles_jumped_over"] == 0
    assert all(jump["newton_iterations_of_check"] > 0 for jump in jumps)
    wanted = results.read_json(resolved / results.SUMMARY)
    assert (tmp_path / "out" / results.HISTORY).read_bytes() == (resolved / results.HISTORY).read_bytes()
    assert json.dumps(told["steps"]) == json.dumps(wanted["steps"])
    assert_same_state(tmp_path / "out", resolved)
    wasted = told["newton_iterations"] - wanted["newton_iterations"]
    assert wasted == sum(jump["newton_iterations_of_check"] for jump in jumps) > 0
    assert told["steps_accepted"] == wanted["steps_accepted"]


def short_ones_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jumps go as far as they can, and are found to be off by twice what is allowed where that is five cycles."""
    judge = Jumper._judged

    def judged(self: Jumper, *given: Any) -> str:
        reason, jump = judge(self, *given), self._own["jump"]
        if jump["count"] < 5:
            return reason
        jump["ratio"] = 2.0
        return "the test says so"

    monkeypatch.setattr(Jumper, "_judged", judged)
    monkeypatch.setattr(control, "allowed_length", of(20))
    monkeypatch.setattr(control, "LEAST_DAMAGE", 1.0)


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of nine cycles: 1 to 3, a jump to 9 that is taken back, one to 6, and with what 9 has taught one to 9."""
    folder = tmp_path_factory.mktemp("shortened")
    with pytest.MonkeyPatch.context() as monkeypatch:
        short_ones_only(monkeypatch)
        run(case_file(folder, "shortened", JUMPING, LOOSE), folder / "out")
    return folder / "out"


def test_a_jump_taken_back_is_followed_by_a_shorter_one_at_once(shortened: Path, resolved: Path) -> None:
    told = results.read_json(shortened / results.SUMMARY)
    jumps = told["cycling"]["jumps"]
    assert [(jump["first_cycle"], jump["last_cycle"], jump["outcome"]) for jump in jumps] == [
        (4, 8, "taken back"),
        (4, 5, "kept"),
        (7, 8, "kept"),
    ]
    assert [jump["decided_by"] for jump in jumps] == ["the end", "one taken back", "a slope known ahead"]
    assert told["cycling"]["cycles_computed"] == 6
    assert [row["cycle"] for row in told["cycles"]] == [1, 2, 3, 6, 9]
    rows, wanted = (
        (out / results.HISTORY).read_text(encoding="utf-8").splitlines() for out in (shortened, resolved)
    )
    before = [number for number, row in enumerate(results.read_history(shortened / results.HISTORY)[1])
              if row["cycle"] <= 3][-1]  # fmt: skip
    assert before > 10 and rows[: before + 2] == wanted[: before + 2]
    assert told["lithium_book_error"] < 1e-12
    all_of_them = results.read_json(resolved / results.SUMMARY)
    products = [one["cycles"][-1]["state_end"]["side_products_mAh_cm2"] for one in (told, all_of_them)]
    assert products[0] == pytest.approx(products[1], rel=0.01)


def goes_on_like(undisturbed: Path, path: Path, out: Path, steps: int) -> None:
    """A run that is interrupted after so many steps and resumed ends like one that was not, byte for byte."""
    with pytest.MonkeyPatch.context() as patch:
        leave_after(patch, steps)
        assert main(["run", str(path), "--out", str(out), "--quiet"]) == EXIT_RESUME
    assert main(["resume", str(out), "--quiet"]) == EXIT_OK
    assert (out / results.HISTORY).read_bytes() == (undisturbed / results.HISTORY).read_bytes()
    one, other = (results.read_json(folder / results.SUMMARY) for folder in (out, undisturbed))
    for table in ("steps", "cycles", "cycling"):
        assert json.dumps(one[table]) == json.dumps(other[table])
    assert_same_state(out, undisturbed)


@pytest.mark.parametrize("cycle", [6, 9])
def test_a_shorter_jump_goes_on_as_if_nothing_had_happened(
    cycle: int, shortened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted where the slope of a cycle that was taken back is still to be used, and where it has been."""
    rows = results.read_history(shortened / results.HISTORY)[1]
    steps = [number for number, row in enumerate(rows) if row["cycle"] == cycle][1]
    wasted = sum(1 for row in rows if row["cycle"] == 9)
    short_ones_only(monkeypatch)
    path, out = case_file(tmp_path, "shortened", JUMPING, LOOSE), tmp_path / "out"
    goes_on_like(shortened, path, out, steps + wasted)


@pytest.mark.parametrize("cycle", [2, 6, 9])
def test_a_jumped_sequence_goes_on_as_if_nothing_had_happened(
    cycle: int, jumped: Path, tmp_path: Path
) -> None:
    """Interrupted before any jump, in the cycle that checks the first one, and in the last cycle."""
    rows = results.read_history(jumped / results.HISTORY)[1]
    steps = [number for number, row in enumerate(rows) if row["cycle"] == cycle][1]
    path, out = case_file(tmp_path, "jumped", JUMPING, LOOSE), tmp_path / "out"
    goes_on_like(jumped, path, out, steps)
