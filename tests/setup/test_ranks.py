"""The rules of conftest.py on several ranks: one rank's failure is everybody's, and nobody waits for ever."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from setup.packages import REPOSITORY

TESTS = REPOSITORY / "tests"


@pytest.mark.parallel
def test_mpi_counts_its_ranks(comm):
    assert comm.allreduce(1) == comm.size
    assert sorted(comm.allgather(comm.rank)) == list(range(comm.size))


@pytest.mark.parallel(min_ranks=2)
def test_ranks_talk_to_each_other(comm):
    received = comm.sendrecv(comm.rank, dest=(comm.rank + 1) % comm.size, source=(comm.rank - 1) % comm.size)
    assert received == (comm.rank - 1) % comm.size


def on_ranks(tmp_path, ranks, text, *options):
    """Runs a test file under the project's conftest.py; returns the process and how long it took, s."""
    shutil.copyfile(TESTS / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_it.py").write_text("import pytest\nfrom mpi4py import MPI\n" + text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(REPOSITORY / "pyproject.toml"),
        f"--rootdir={tmp_path}",
        "-q",
        "--color=no",
    ]
    if ranks > 1:
        command = ["mpirun", "-n", str(ranks), *command]
    begin = time.monotonic()
    done = subprocess.run(
        [*command, *options, str(tmp_path / "test_it.py")],
        cwd=tmp_path,
        env={**os.environ, "SWELLBOUND_TEST_PATIENCE": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return done, time.monotonic() - begin


def test_a_failure_on_one_rank_is_reported_once_and_fails_the_run(tmp_path):
    text = """
@pytest.mark.parallel
def test_first(comm):
    if comm.rank == 1:
        raise ValueError("only here")

@pytest.mark.parallel
def test_second(comm):
    assert comm.allreduce(1) == 2
"""
    done, _ = on_ranks(tmp_path, 2, text, "--ranks=2")
    assert done.returncode != 0
    assert "[rank 1 of 2]" in done.stdout
    assert "ValueError: only here" in done.stdout
    assert done.stdout.count("1 failed, 1 passed") == 1, done.stdout


def test_a_rank_that_waits_for_a_failed_one_does_not_hang_the_run(tmp_path):
    text = """
@pytest.mark.parallel
def test_collective(comm):
    if comm.rank == 1:
        raise ValueError("before the barrier")
    comm.Barrier()
"""
    done, seconds = on_ranks(tmp_path, 2, text)
    assert done.returncode != 0
    assert "rank 1 waits in vain for another rank, which hangs" in done.stderr
    assert "ValueError: before the barrier" in done.stderr
    assert seconds < 60.0


def test_a_skip_on_one_rank_only_is_a_failure(tmp_path):
    text = """
@pytest.mark.parallel
def test_skipping(comm):
    if comm.rank == 1:
        pytest.skip("not here")
"""
    done, _ = on_ranks(tmp_path, 2, text)
    assert done.returncode != 0
    assert "The ranks took different ways" in done.stdout


def test_on_several_ranks_only_the_parallel_tests_run(tmp_path):
    text = """
def test_serial():
    assert MPI.COMM_WORLD.size == 1

@pytest.mark.parallel
def test_both(comm):
    pass

@pytest.mark.parallel(min_ranks=2)
def test_from_two(comm):
    assert comm.size >= 2

@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("other", [1, 2])
@pytest.mark.parametrize("cut", ["default", "seam", "cell by cell"])
def test_cuts(cut, other):
    assert cut == "default" or MPI.COMM_WORLD.size > 1

@pytest.mark.slow
def test_slow():
    pass
"""
    done, _ = on_ranks(tmp_path, 2, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed, 2 deselected" in done.stdout
    done, _ = on_ranks(tmp_path, 1, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 6 deselected" in done.stdout
    done, _ = on_ranks(tmp_path, 1, text, "--slow")
    assert "5 passed, 5 deselected" in done.stdout


def test_a_partition_that_is_no_parameter_is_refused(tmp_path):
    text = """
@pytest.mark.parallel(partition="cot")
@pytest.mark.parametrize("cut", ["default", "seam"])
def test_cuts(cut):
    pass
"""
    done, _ = on_ranks(tmp_path, 1, text)
    assert done.returncode != 0
    assert "it has no parameter cot that partition could mean" in done.stdout + done.stderr


def test_a_foreign_mpirun_is_found_out(tmp_path):
    done, _ = on_ranks(tmp_path, 1, "def test_any():\n    pass\n", "--ranks=2")
    assert done.returncode != 0
    assert "2 MPI ranks were asked for, but there are 1" in done.stdout + done.stderr
