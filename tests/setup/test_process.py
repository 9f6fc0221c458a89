"""Programs that build an environment: their output, their failures, their end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from setup.failure import SetupError
from setup.packages import REPOSITORY
from setup.places import lock
from setup.process import run_logged


def run_script(tmp_path, script, **options):
    with lock(tmp_path / "lock") as held:
        run_logged(["sh", "-c", script], tmp_path / "logs" / "a.log", "trying", lock=held, **options)


def test_output_goes_to_the_log_and_the_user_hears_that_it_goes_on(tmp_path, capfd):
    run_script(tmp_path, "echo much output; sleep 0.5", every_seconds=0.1)
    assert "much output" in (tmp_path / "logs" / "a.log").read_text(encoding="utf-8")
    told = capfd.readouterr()
    assert told.out == ""
    assert "swellbound set-up: trying, 0 s" in told.err
    assert "much output" not in told.err


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo first; echo 'E: Unable to locate package x.'; echo 'last'; exit 100",
            r"\(E: Unable to locate package x;",
        ),
        ("echo first; echo last; exit 1", r"\(last; everything it said is in .*a\.log\)"),
        ("exit 1", r"\(it said nothing;"),
    ],
)
def test_a_failure_names_the_line_that_says_why(tmp_path, script, reason):
    with pytest.raises(SetupError, match=f"trying failed {reason}"):
        run_script(tmp_path, script)


def test_an_earlier_attempt_in_the_log_is_not_blamed(tmp_path):
    with pytest.raises(SetupError):
        run_script(tmp_path, "echo E: old; exit 1")
    with pytest.raises(SetupError, match=r"\(new;"):
        run_script(tmp_path, "echo new; exit 1")


def test_a_missing_program_is_one_sentence(tmp_path):
    with (
        lock(tmp_path / "lock") as held,
        pytest.raises(SetupError, match="no-such-program cannot be started"),
    ):
        run_logged(["no-such-program"], tmp_path / "a.log", "trying", lock=held)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_killing_the_set_up_ends_what_it_started(tmp_path):
    code = """
import pathlib, sys
from setup.places import lock
from setup.process import run_logged
folder = pathlib.Path(sys.argv[1])
with lock(folder / "lock") as held:
    run_logged(["sh", "-c", f"echo $$ > {folder}/pid.part; mv {folder}/pid.part {folder}/pid; exec sleep 60"],
               folder / "a.log", "sleeping", lock=held)
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY)
    deadline = time.monotonic() + 20.0
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int((tmp_path / "pid").read_text(encoding="utf-8"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_environment_of_a_program_is_what_was_given(tmp_path):
    run_script(tmp_path, "echo $MARK", environment={"MARK": "seen", "PATH": os.environ["PATH"]})
    assert "seen" in (tmp_path / "logs" / "a.log").read_text(encoding="utf-8")
