"""`make test` itself: every check runs, a hanging one is ended, the last line tells."""

import os
import sys
import time

from setup import check
from setup.check import Step, main, run, steps, summary


def test_all_checks_run_whatever_failed_before_and_the_last_line_says_so(capsys):
    seen = []

    def runner(step):
        seen.append(step.name)
        return step.name != "mypy", 2.0

    assert main([], runner) == 1
    assert seen == ["ruff", "ruff format", "mypy", "pytest", "pytest on 2 ranks", "pytest on 3 ranks"]
    assert capsys.readouterr().out.splitlines()[-1].startswith("FAIL (mypy) in 12 s: ruff 2 s, ")


def test_the_checks_share_a_folder_for_what_one_rank_finds_and_leave_no_trace(monkeypatch):
    seen, flags = set(), set()

    def runner(step):
        folder = os.environ[check.ALONE]
        assert os.path.isdir(folder)
        flags.add(os.environ["SWELLBOUND_FORM_FLAGS"])
        seen.add(folder)
        return True, 1.0

    monkeypatch.delenv(check.ALONE, raising=False)
    monkeypatch.delenv("SWELLBOUND_FORM_FLAGS", raising=False)
    before = dict(os.environ)
    assert main([], runner) == 0
    assert dict(os.environ) == before and flags == {"-O1"}
    monkeypatch.setenv(check.ALONE, "outer")
    monkeypatch.setenv("SWELLBOUND_FORM_FLAGS", "-O3")
    assert main([], runner) == 0
    assert os.environ[check.ALONE] == "outer", "a call inside another one, as here"
    assert flags == {"-O1", "-O3"}, "what the user says goes before"
    assert len(seen) == 2 and "outer" not in seen and not any(os.path.exists(folder) for folder in seen)


def test_pass_is_said_only_if_all_passed(capsys):
    assert main([], lambda step: (True, 1.0)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("PASS in 6 s: ")
    step = Step("only", ("true",), 1.0)
    assert summary([(step, False, 0.0)]).startswith("FAIL (only)")


def test_the_ranks_are_started_by_mpirun_and_counted():
    by_name = {step.name: step.command for step in steps(slow=False)}
    for ranks in ("2", "3"):
        command = by_name[f"pytest on {ranks} ranks"]
        assert command[:3] == ("mpirun", "-n", ranks)
        assert command[-2:] == ("--ranks", ranks)


def test_the_slow_tests_are_asked_for_by_name():
    assert not any("--slow" in step.command for step in steps(slow=False))
    assert sum("--slow" in step.command for step in steps(slow=True)) == 3


def test_the_tests_in_serial_share_all_cores_file_by_file(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    command = next(step.command for step in steps(slow=False) if step.name == "pytest")
    assert command[-4:] == ("-n", "3", "--dist", "loadfile")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert check.workers() == check.MOST_WORKERS


def test_the_exit_status_decides():
    assert run(Step("good", (sys.executable, "-c", ""), 30.0))[0]
    assert not run(Step("bad", (sys.executable, "-c", "raise SystemExit(5)"), 30.0))[0]


def test_a_hanging_check_is_ended_with_all_it_started(tmp_path, capfd, monkeypatch):
    alive = tmp_path / "alive"
    script = f"(while :; do date > {alive}; sleep 0.1; done) & trap '' TERM; wait; sleep 60"
    begin = time.monotonic()
    step = Step("hang", ("sh", "-c", script), 1.0)
    monkeypatch.setattr(check, "PATIENCE_S", 1.0)
    passed, _ = run(step)
    assert not passed
    assert time.monotonic() - begin < 20.0
    assert "hang did not end within 1 s" in capfd.readouterr().out
    alive.unlink()
    time.sleep(0.5)
    assert not alive.exists()
