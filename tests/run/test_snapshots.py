"""When fields are written, what they take, and that the list of frames holds through a resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from run import results
from run.case import load_case
from run.case_tables import OutputTable
from run.cli import main
from run.memory import Record
from run.process.grammar import read_steps
from run.process.plan import make_plan
from run.snapshots import Snapshots, in_words
from tests.run.conftest import TINY


def frames(table: OutputTable, steps: int, lithiation: float = 0.01) -> list[int]:
    """Steps that leave a frame, where each takes 10 s and brings the same lithiation."""
    record, found = Record(), []
    chooser = Snapshots(table, None)
    for step in range(steps + 1):
        record.rows.append({"time_s": 10.0 * step, "mean_lithiation": lithiation * step})
        record.accepted = step
        if chooser.after_step(record, step / steps):
            found.append(step)
    return found


def given(**keys: object) -> OutputTable:
    return OutputTable.model_validate(keys)


def test_frames_are_shared_out_evenly_and_include_both_ends() -> None:
    assert frames(given(frames=4), 20) == [0, 5, 10, 15, 20]
    assert frames(given(frames=4), 3) == [0, 1, 2, 3]
    assert frames(given(frames=0), 20) == [0]
    assert frames(given(frames=4, fields=False), 20) == []


def test_a_frame_every_few_steps() -> None:
    assert frames(given(frames=0, every_steps=6), 20) == [0, 6, 12, 18]


def test_marks_are_met_by_the_first_step_at_or_past_them() -> None:
    # A step that lands on its mark to rounding is at it; the next one is not past it once more.
    assert frames(given(frames=0, at_times=["50 s", "51 s", "123 s"]), 20) == [0, 5, 6, 13]
    assert frames(given(frames=0, at_lithiations=[0.05, 0.125]), 20) == [0, 5, 13]
    assert frames(given(frames=0, at_times=["1 h"]), 20) == [0]


def test_marks_count_on_the_way_back_too() -> None:
    record, chooser = Record(), Snapshots(given(frames=0, at_lithiations=[0.5]), None)
    record.frame = 1
    found = []
    for step, lithiation in enumerate([0.3, 0.45, 0.55, 0.7, 0.5 - 1e-13, 0.4, 0.5]):
        record.rows.append({"time_s": float(step), "mean_lithiation": lithiation})
        record.accepted = step
        found += [step] if chooser.after_step(record, 0.1) else []
    assert found == [2, 4, 6]


PROCESS = [
    "rest for 1 h",
    "repeat 4 times: discharge at 0.5 C until 5 mV; charge at 0.5 C until 1 V",
    "rest for 1 h",
]


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ({}, [1, 10]),
        ({"at_step_ends": False}, []),
        # The rest at the end belongs to the last cycle.
        ({"at_step_ends": False, "at_cycle_ends": [1, 3]}, [3, 7]),
        ({"at_step_ends": False, "every_cycles": 2}, [5, 10]),
    ],
)
def test_ends_of_steps_and_cycles(keys: dict[str, object], numbers: list[int]) -> None:
    plan = make_plan(read_steps(PROCESS), full_cell=False)
    chooser = Snapshots(given(**keys), plan)
    assert [planned.number for planned in plan.steps if chooser.after_closing(planned)] == numbers
    silent = Snapshots(given(fields=False, **keys), plan)
    assert not any(silent.after_closing(planned) for planned in plan.steps)


def test_the_size_is_estimated_before_and_measured_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "tiny.toml", tmp_path / "out"
    path.write_text(
        TINY.replace("frames = 2", "frames = 0\nevery_steps = 3\nat_lithiations = [0.0143]"), "utf-8"
    )
    assert main(["check", str(path)]) == 0
    assert "one every 3 steps besides" in capsys.readouterr().out
    stop = ["--set", "output.pictures=false"]
    assert main(["run", str(path), "--out", str(out), "--quiet", *stop]) == 0
    summary = results.read_json(out / results.SUMMARY)
    fields = out / results.FIELDS
    assert summary["fields_mib"] == sum(file.stat().st_size for file in fields.iterdir()) / 2**20
    _, rows = results.read_history(out / results.HISTORY)
    listed = (fields / "fields.pvd").read_text()
    expected = {0, len(rows) - 1, *range(3, len(rows), 3)}
    expected.add(next(n for n, row in enumerate(rows) if row["mean_lithiation"] >= 0.0143))
    times = [f'timestep="{rows[step]["time_s"]!r}"' for step in sorted(expected)]
    assert listed.count("<DataSet") == summary["frames"] == len(times)
    assert all(time in listed for time in times), listed
    # The estimate is rough, but not by more than a factor of two (few steps: the state hardly moves).
    case = load_case(path)
    each = in_words(case.file.output, None, summary["cells"], 2).split(" of ")[1].split(" MiB")[0]
    measured = summary["fields_mib"] / summary["frames"]
    assert 0.5 < measured / float(each) < 2.0


def test_frames_that_a_killed_session_left_over_are_removed(tmp_path: Path) -> None:
    from mpi4py import MPI

    from run.driver import RunOptions, resume_case, run_case

    path, out = tmp_path / "tiny.toml", tmp_path / "out"
    path.write_text(TINY, "utf-8")
    case = load_case(path, ["output.pictures=false", "output.every_steps=1"])
    limited = RunOptions(out, quiet=True, wall_time=0.5)
    assert run_case(case, limited, MPI.COMM_WORLD).exit_code == 4
    fields = out / results.FIELDS
    before = (fields / "fields.pvd").read_text().count("<DataSet")
    # As a session on two ranks would have left them that came further before it was killed.
    for name in ("fields_00007.pvtu", "fields_00007_0000.vtu", "fields_00007_0001.vtu"):
        (fields / name).write_text("left over")
    (fields / "notes.txt").write_text("mine")
    result = resume_case(RunOptions(out, quiet=True), MPI.COMM_WORLD)
    assert result is not None
    names = sorted(file.name for file in fields.iterdir())
    number = result.summary["frames"]
    assert number > before >= 1
    assert names == ["fields.pvd", *(f"fields_{n:05d}.vtu" for n in range(number)), "notes.txt"]
    listed = (fields / "fields.pvd").read_text()
    assert all(listed.count(f'file="fields_{n:05d}.vtu"') == 1 for n in range(number))
