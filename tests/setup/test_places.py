"""The lock, the stamp, and removing without ever reaching through a mount."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from setup import places
from setup.failure import SetupError
from setup.packages import REPOSITORY
from setup.places import home_folder, lock, mounts_below, read_stamp, remove_folder, write_stamp

HOLD = """
import pathlib, subprocess, sys, time
from setup.places import lock
with lock(pathlib.Path(sys.argv[1])) as held:
    {work}
    print("held", flush=True)
    time.sleep(60)
"""


def start(work: str, path: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(work=work), str(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def is_free(path: Path) -> bool:
    """Whether another process could take the lock at this moment."""
    code = "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True).returncode == 0


def test_a_second_set_up_waits_for_the_first_and_says_so(tmp_path):
    path = tmp_path / "lock"
    first = start("pass", path)
    begin = time.monotonic()
    second = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(work="pass"), str(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "another set-up is at work" in second.stderr.readline()
        assert second.poll() is None
        first.kill()
        assert second.stdout.readline() == "held\n"
        assert time.monotonic() - begin < 30.0
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


def test_a_killed_set_up_leaves_no_lock_behind(tmp_path):
    path = tmp_path / "lock"
    process = start("pass", path)
    assert not is_free(path)
    process.kill()
    process.communicate()
    assert is_free(path)


def test_what_outlives_a_killed_set_up_keeps_the_lock(tmp_path):
    """Two programs never write into one environment, whoever was killed."""
    path = tmp_path / "lock"
    work = "child = subprocess.Popen(['sleep', '60'], pass_fds=(held,)); print(child.pid, flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(work=work), str(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    orphan = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    assert not is_free(path)
    os.kill(orphan, signal.SIGKILL)
    deadline = time.monotonic() + 10.0
    while not is_free(path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_free(path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    blocking = tmp_path / "file"
    blocking.write_text("", encoding="utf-8")
    with (
        pytest.raises(SetupError, match=r"cannot be written .*; set SWELLBOUND_HOME"),
        lock(blocking / "home" / "lock"),
    ):
        pass


def test_a_stamp_is_read_back_and_a_torn_one_counts_as_none(tmp_path):
    assert read_stamp(tmp_path) == {}
    write_stamp(tmp_path, {"fingerprint": "f"})
    assert read_stamp(tmp_path) == {"fingerprint": "f"}
    assert [path.name for path in tmp_path.iterdir()] == ["stamp.json"]
    for torn in ('{"fingerprint"', "", "[1]"):
        (tmp_path / "stamp.json").write_text(torn, encoding="utf-8")
        assert read_stamp(tmp_path) == {}


def test_where_things_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("SWELLBOUND_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert home_folder() == Path("/home/someone/.cache/swellbound")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert home_folder() == Path("/caches/swellbound")
    monkeypatch.setenv("SWELLBOUND_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    monkeypatch.setenv("SWELLBOUND_HOME", "relative/folder")
    with pytest.raises(SetupError, match="must be an absolute path"):
        home_folder()


def test_mounts_inside_a_folder_are_seen():
    table = (
        "36 35 98:0 / / rw - ext4 /dev/a rw\n"
        "37 36 0:5 / /roots/a/proc rw - proc proc rw\n"
        "38 36 0:5 / /roots/a\\040b/proc rw - proc proc rw\n"
        "39 36 0:6 / /roots/ab rw - tmpfs tmpfs rw\n"
    )
    assert mounts_below(Path("/roots/a"), table) == ["/roots/a/proc"]
    assert mounts_below(Path("/roots/a b"), table) == ["/roots/a b/proc"]
    assert mounts_below(Path("/roots/b"), table) == []


def test_a_folder_with_a_mount_inside_is_not_removed(tmp_path, monkeypatch):
    folder = tmp_path / "root"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "precious").write_text("x", encoding="utf-8")
    monkeypatch.setattr(places, "mounts_below", lambda folder: [f"{folder}/home"])
    with pytest.raises(SetupError, match=r"is not removed because .*/home is mounted inside it"):
        remove_folder(folder)
    assert (folder / "home" / "precious").exists()


def test_removing_stops_at_links_and_does_not_mind_what_is_absent(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x", encoding="utf-8")
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    remove_folder(folder)
    remove_folder(folder)
    assert not folder.exists()
    assert (outside / "precious").exists()
