"""One point of a study: what it starts, and how it tells what became of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from mpi4py import MPI

from run import adhesion, folder
from run.case import load_case
from run.study import point
from run.study.places import Places, adhesion_folder
from run.study.points import load_study
from run.study.table import collect

Outcome = dict[str, object] | None


class CommandLine:
    """In place of the command line: takes note of what reaches it, and ends as it was told to."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.answers: list[tuple[int, str]] = []

    def main(self, arguments: list[str]) -> int:
        self.commands.append(arguments)
        code, said = self.answers.pop(0)
        if said:
            print(said, file=sys.stderr)
        return code


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    made = CommandLine()
    monkeypatch.setattr(point.cli, "main", made.main)
    return made


def carried_out(
    line: CommandLine, case: Path, answers: list[tuple[int, str]], *more: str
) -> tuple[int, Outcome]:
    line.answers = answers
    out, outcome = case.parent / "run", case.parent / "outcome.json"
    outcome.unlink(missing_ok=True)
    code = point.main([str(case), "--out", str(out), "--outcome", str(outcome), *more])
    return code, json.loads(outcome.read_text()) if outcome.is_file() else None


def test_a_fresh_point_is_run_and_a_begun_one_is_resumed(tiny: Path, line: CommandLine) -> None:
    out = tiny.parent / "run"
    done = {"exit_code": 0, "reason": "", "case_hash": load_case(tiny).content_hash}
    assert carried_out(line, tiny, [(0, "")], "--wall-time", "5 min") == (0, done)
    assert line.commands[-1] == ["run", str(tiny), "--out", str(out), "--quiet", "--wall-time", "5 min"]
    folder.begin(out, load_case(tiny), None)
    assert carried_out(line, tiny, [(0, "")]) == (0, done)
    assert line.commands[-1] == ["resume", str(out), "--quiet"]
    assert carried_out(line, tiny, [(0, "")], "--anew") == (0, done)
    assert line.commands[-1][0] == "run"
    # A folder whose case can no longer be read as the same one is begun anew.
    (out / "resolved.toml").write_text((out / "resolved.toml").read_text().replace("seed = 3", "seed = 4"))
    assert carried_out(line, tiny, [(0, "")]) == (0, done)
    assert line.commands[-1][0] == "run"


def test_how_it_ended_is_told(tiny: Path, line: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    # Nothing is left to do after a failure; there is after an interruption.
    code, outcome = carried_out(line, tiny, [(3, "noise\nswellbound: the run stopped: why")])
    assert code == 0
    assert outcome is not None
    assert (outcome["exit_code"], outcome["reason"]) == (3, "the run stopped: why")
    assert "the run stopped: why" in capsys.readouterr().err, "it is said as well"
    code, outcome = carried_out(line, tiny, [(1, "Traceback\nValueError: odd")])
    assert outcome is not None
    assert (code, outcome["reason"]) == (0, "ValueError: odd")
    assert carried_out(line, tiny, [(4, "swellbound: saved")]) == (4, None)
    code, outcome = carried_out(line, tiny, [(0, "a warning of a library")])
    assert outcome is not None
    assert (outcome["exit_code"], outcome["reason"]) == (0, "")


def test_a_folder_in_use_is_left_to_its_user(tiny: Path, line: CommandLine) -> None:
    out = tiny.parent / "run"
    with folder.held(out, MPI.COMM_SELF):
        assert carried_out(line, tiny, []) == (4, None)
    assert line.commands == []


def test_a_finished_run_is_pulled_apart_once(tiny: Path, line: CommandLine) -> None:
    place = adhesion_folder(tiny.parent / "run")
    words = ("--adhesion", "--at", "foil")
    code, outcome = carried_out(
        line, tiny, [(0, ""), (3, "swellbound: the test is not complete: far")], *words
    )
    assert line.commands[-1] == [
        "adhesion",
        str(tiny.parent / "run"),
        "--out",
        str(place),
        "--quiet",
        "--at",
        "foil",
    ]
    assert outcome is not None
    assert (code, outcome["exit_code"], outcome["reason"]) == (0, 0, "the test is not complete: far")
    place.mkdir(parents=True)
    (place / adhesion.TABLE).write_text('{"complete": true}')
    carried_out(line, tiny, [(0, "")], *words)
    assert line.commands[-1][0] == "run", "the test is there"
    # A run that did not come to its end is not pulled apart.
    (place / adhesion.TABLE).unlink()
    carried_out(line, tiny, [(3, "")], *words)
    assert line.commands[-1][0] == "run"


@pytest.mark.parametrize("complete", [True, False])
def test_only_a_complete_test_of_adhesion_counts(tiny: Path, complete: bool) -> None:
    path = tiny.parent / "study.toml"
    path.write_text(
        '[study]\nname = "try"\nkind = "seeds"\ncase = "tiny.toml"\nquantities = ["adhesion.strength_MPa"]\n'
        "[adhesion]\n[seeds]\nseeds = [1, 2]\n"
    )
    study, places = load_study(path), Places(tiny.parent / "out")
    first = study.points[0]
    files = {
        places.run(first) / "summary.json": {"exit_code": 0, "thickness_um": 9.0},
        places.run(first) / "status.json": {"state": "finished"},
        places.outcome(first): {"exit_code": 0, "reason": "far", "case_hash": first.case.content_hash},
        adhesion_folder(places.run(first)) / adhesion.TABLE: {"complete": complete, "strength_MPa": 5.0},
    }
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    row, other = collect(study, places)
    assert (row.finished, row.standing.reason, row.numbers["thickness_um"]) == (True, "far", 9.0)
    assert row.numbers.get("adhesion.strength_MPa") == (5.0 if complete else None)
    assert other.standing.state == "waiting"
