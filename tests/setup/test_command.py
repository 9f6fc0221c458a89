"""The command line of the set-up, started as `make` and `./swellbound` start it."""

import os
import subprocess
import sys

import pytest

from setup.packages import REPOSITORY


def call(*arguments, folder=REPOSITORY, **variables):
    kept = {key: value for key, value in os.environ.items() if key not in ("SUITE", "SWELLBOUND_ROUTE")}
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "setup"), *arguments],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def bare(tmp_path, **variables):
    """Variables of a machine with nothing on its path."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    return {
        "PATH": str(tmp_path / "bin"),
        "SWELLBOUND_HOME": str(tmp_path / "home"),
        "SWELLBOUND_INSIDE": "",
        **variables,
    }


@pytest.mark.parametrize("route", ["conda", "root"])
def test_where_nothing_works_there_is_one_sentence_and_a_failing_exit(tmp_path, route):
    done = call("prepare", **bare(tmp_path, SWELLBOUND_ROUTE=route))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("swellbound set-up: no way to DOLFINx 0.9 to 0.11 works here (")
    assert line.endswith("; install conda, or run it as root on a Debian-family machine.")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"SUITE": "buster"}, "SUITE is 'buster', but must be one of trixie, sid or unset."),
        ({"SUITE": "sid", "SWELLBOUND_ROUTE": "apt"}, "SUITE=sid is always a private root"),
        ({"SWELLBOUND_HOME": "here"}, "SWELLBOUND_HOME is 'here', but must be an absolute path."),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_sentence(tmp_path, variables, reason):
    done = call("prepare", **bare(tmp_path, **variables))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert reason in done.stderr


@pytest.mark.parametrize("ranks", ["0", "-1", "two", "1.5"])
def test_a_number_of_ranks_that_is_none_is_refused(ranks):
    done = call("enter", f"--ranks={ranks}", "--", "true")
    assert done.returncode == 2
    assert f"the number of ranks (NP) is '{ranks}', but must be a whole number from 1" in done.stderr


def test_inside_an_environment_the_command_runs_in_it(tmp_path):
    (tmp_path / "setup.py").write_text("raise SystemExit('the wrong setup')", encoding="utf-8")
    code = "import os, sys; print(os.getcwd(), os.environ['OMP_NUM_THREADS'], sys.argv[1:]); sys.exit(7)"
    done = call(
        "enter",
        "--",
        sys.executable,
        "-c",
        code,
        "an argument",
        "-x",
        folder=tmp_path,
        SWELLBOUND_INSIDE="apt",
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip() == f"{tmp_path} 1 ['an argument', '-x']"


def test_more_than_one_rank_is_started_by_mpirun(tmp_path):
    fake = tmp_path / "mpirun"
    fake.write_text('#!/bin/sh\necho "mpirun $*"\n', encoding="utf-8")
    fake.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SWELLBOUND_INSIDE": "apt"}
    assert call("enter", "--ranks", "4", "--", "prog", "a", **variables).stdout == "mpirun -n 4 prog a\n"


def test_remove_takes_environments_and_leaves_what_is_not_ours(tmp_path):
    home = tmp_path / "home"
    (home / "environments" / "apt").mkdir(parents=True)
    (home / "results").mkdir()
    done = call("remove", **bare(tmp_path, PATH=os.environ["PATH"]))
    assert done.returncode == 0, done.stderr
    assert not (home / "environments").exists()
    assert (home / "results").exists()


def test_the_set_up_names_no_address():
    """Archives and channels are the distributions' defaults, or what the machine's own configuration says."""
    files = [
        REPOSITORY / name
        for name in ("Makefile", "environment.yml", "pyproject.toml", "swellbound", ".ci/run")
    ]
    files += [path for path in (REPOSITORY / "setup").iterdir() if path.is_file()]
    assert len(files) > 15
    assert [path.name for path in files if "://" in path.read_text(encoding="utf-8")] == []


def test_the_launcher_starts_python_when_inside(tmp_path):
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\necho "python3 $*"\n', encoding="utf-8")
    fake.chmod(0o755)
    link = tmp_path / "swellbound"
    link.symlink_to(REPOSITORY / "swellbound")
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    inside = subprocess.run(
        [str(link), "mesh", "a b.toml"],
        env={**variables, "SWELLBOUND_INSIDE": "apt"},
        capture_output=True,
        text=True,
    )
    assert inside.stdout == "python3 -m run.cli mesh a b.toml\n"
    outside = subprocess.run(
        [str(link), "run"],
        env={**variables, "SWELLBOUND_INSIDE": "", "NP": "3"},
        capture_output=True,
        text=True,
    )
    assert outside.stdout == f"python3 {REPOSITORY}/setup enter --ranks 3 -- python3 -m run.cli run\n"
