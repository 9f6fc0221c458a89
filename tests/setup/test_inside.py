"""What holds inside an environment: variables, visible folders, settings taken along."""

import os
import subprocess
from pathlib import Path

import pytest

from setup import root_entry
from setup.packages import REPOSITORY
from setup.root_entry import (
    SYSTEM,
    apt_options,
    copied_settings,
    entry_command,
    entry_variables,
    visible_folders,
)
from setup.variables import inside, mpi_variables


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SWELLBOUND_HOME", str(tmp_path / "home"))


def test_one_thread_a_rank_and_mpi_as_root_on_few_cores():
    variables = inside("apt", "mpirun (Open MPI) 5.0.7", {"OMP_NUM_THREADS": "8", "PATH": "/bin"})
    assert variables["OMP_NUM_THREADS"] == "1"
    assert variables["OMPI_ALLOW_RUN_AS_ROOT"] == variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] == "1"
    assert variables["PRTE_MCA_rmaps_default_mapping_policy"] == ":oversubscribe"
    assert variables["SWELLBOUND_INSIDE"] == "apt"


@pytest.mark.parametrize(
    ("version", "word"),
    [
        ("mpirun (Open MPI) 4.1.4", "OMPI_MCA_rmaps_base_oversubscribe"),
        ("mpirun (Open MPI) 5.0.7", "PRTE_MCA_rmaps_default_mapping_policy"),
        ("mpirun (Open MPI) 6.0.0rc2", "PRTE_MCA_mapby"),
        ("mpirun (Open MPI) 7.1.0", "PRTE_MCA_mapby"),
    ],
)
def test_every_open_mpi_is_told_in_its_own_words(version, word):
    words = [key for key in mpi_variables(version) if "MCA" in key]
    assert word in words and "OMPI_MCA_mpi_yield_when_idle" in words
    assert len(words) == 3


def test_mpich_is_told_nothing():
    assert mpi_variables("HYDRA build details:") == {}
    assert mpi_variables("") == {}


@pytest.mark.skipif(
    not os.environ.get("SWELLBOUND_INSIDE"), reason="asks the mpirun of Swellbound's environment"
)
def test_the_mpirun_at_hand_takes_more_ranks_than_cores_without_complaint():
    ranks = str(len(os.sched_getaffinity(0)) + 1)
    done = subprocess.run(
        ["mpirun", "-n", ranks, "true"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout.strip("\0"), done.stderr.strip("\0")) == (0, "", "")


def test_what_the_user_set_for_mpi_stays():
    variables = inside(
        "apt",
        "mpirun (Open MPI) 5.0.7",
        {"PRTE_MCA_rmaps_default_mapping_policy": "core", "PYTHONPATH": "/mine"},
    )
    assert variables["PRTE_MCA_rmaps_default_mapping_policy"] == "core"
    assert variables["PYTHONPATH"] == f"{REPOSITORY}{os.pathsep}/mine"


def test_compiled_forms_are_kept_apart_by_environment(tmp_path):
    folders = {inside(name, "", {})["XDG_CACHE_HOME"] for name in ("root-trixie", "root-sid")}
    assert folders == {str(tmp_path / "home" / "compiled" / name) for name in ("root-trixie", "root-sid")}


def test_programs_outside_do_not_reach_into_a_private_root(monkeypatch):
    for key, value in (
        ("PATH", "/root/.pyenv/shims:/usr/bin"),
        ("PYTHONPATH", "/outside"),
        ("LD_LIBRARY_PATH", "/outside"),
        ("VIRTUAL_ENV", "/outside"),
        ("https_proxy", "proxy.example:3128"),
        ("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt"),
        ("HOME", "/home/someone"),
    ):
        monkeypatch.setenv(key, value)
    variables = entry_variables("root-trixie", Path("/usr/local/lib/swellbound"), "")
    assert variables["PATH"].split(":")[:2] == ["/usr/local/lib/swellbound/bin", "/usr/local/bin"]
    assert "pyenv" not in variables["PATH"]
    assert variables["PYTHONPATH"] == str(REPOSITORY)
    assert not {"LD_LIBRARY_PATH", "VIRTUAL_ENV"} & set(variables)
    assert variables["https_proxy"] == "proxy.example:3128"
    assert variables["PIP_CERT"] == "/etc/ssl/certs/ca-certificates.crt"
    assert variables["HOME"] == "/home/someone"
    assert variables["OMPI_MCA_btl"] == "self,sm"


def test_all_folders_but_the_systems_are_visible_inside(tmp_path):
    top = tmp_path / "top"
    for name in ("home", "data", "usr", "etc", "var", "proc"):
        (top / name).mkdir(parents=True)
    (top / "file").write_text("", encoding="utf-8")
    binds = visible_folders(Path("/nowhere/root"), Path("/"), top)
    assert {bind for bind in binds if bind.startswith(str(top))} == {str(top / "home"), str(top / "data")}


def test_the_folder_that_holds_the_root_is_laid_over_first(tmp_path):
    top = tmp_path / "top"
    for name in ("aaa", "home", "zzz"):
        (top / name).mkdir(parents=True)
    binds = visible_folders(top / "home" / "cache" / "root", Path("/"), top)
    assert binds[0] == str(top / "home")


def test_a_repository_in_a_system_folder_is_visible_and_the_roots_own_files_are_not_hidden(
    tmp_path, monkeypatch
):
    root = tmp_path / "root"
    (root / "usr" / "share").mkdir(parents=True)
    (root / "usr" / "share" / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(root_entry, "REPOSITORY", Path("/usr/src/swellbound"))
    assert "/usr/src/swellbound" in visible_folders(root, Path("/usr/share"))
    assert "/usr/share" not in visible_folders(root, Path("/usr/share"))
    assert not {f"/{name}" for name in SYSTEM} & set(visible_folders(root, Path("/usr/share")))


def test_mounts_are_made_in_a_namespace_of_their_own():
    command = entry_command(Path("/r"), Path("/w"), ["prog", "an argument"])
    assert command[:5] == ["unshare", "--mount", "--propagation", "private", "--"]
    assert command[-2:] == ["prog", "an argument"]


def test_the_machines_way_to_its_archive_is_taken_along_and_signatures_stay_checked():
    dump = (
        'Acquire "";\nAcquire::http::Proxy "proxy.example:3142";\nAcquire::AllowInsecureRepositories "1";\n'
        'Acquire::Check-Valid-Until "false";\nAcquire::http "";\nAPT::Get::AllowUnauthenticated "1";\n'
        'Dir::Cache "var/cache/apt";\n'
    )
    assert (
        apt_options(dump)
        == 'Acquire::http::Proxy "proxy.example:3142";\nAcquire::Check-Valid-Until "false";\n'
    )


def test_settings_that_are_absent_or_visible_anyway_are_not_copied(tmp_path, monkeypatch):
    visible = tmp_path / "bundle.crt"
    visible.write_text("", encoding="utf-8")
    monkeypatch.setattr(root_entry, "SETTINGS", ("/etc/os-release", "/etc/no-such-file"))
    for key in root_entry.NAMING_FILES:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("PIP_CERT", str(visible))
    monkeypatch.setenv("CURL_CA_BUNDLE", "/etc/no-such-bundle")
    assert copied_settings() == [("/etc/os-release", "/etc/os-release")]
