"""Which route is taken, on faked machines."""

import os
import subprocess
from pathlib import Path

import pytest

from setup import conda, here, private_root
from setup.conda import Conda, create_command
from setup.debian import Debian
from setup.failure import SetupError
from setup.here import Here, candidates, probe, shortcoming
from setup.machine import Machine, look_around, read_os_release
from setup.places import environment_folder, write_stamp
from setup.private_root import PrivateRoot
from setup.routes import prepare, routes, whole

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}
TRIXIE = {"ID": "debian", "VERSION_CODENAME": "trixie", "PRETTY_NAME": "Debian GNU/Linux 13 (trixie)"}
UBUNTU = {"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_CODENAME": "noble", "PRETTY_NAME": "Ubuntu 24.04 LTS"}
FEDORA = {"ID": "fedora", "PRETTY_NAME": "Fedora Linux 42"}


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SWELLBOUND_HOME", str(tmp_path / "home"))
    for key in ("CONDA_EXE", "MAMBA_EXE"):
        monkeypatch.delenv(key, raising=False)


def program(folder: Path, name: str, text: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def machine(folder: Path, *programs: str, distribution=BOOKWORM, user=0, suite=None, route=None) -> Machine:
    for name in programs:
        program(folder, name)
    folder.mkdir(exist_ok=True)
    return Machine(str(folder), user, "linux", distribution, suite, route)


class Fake:
    """A route that does what a test tells it to."""

    title = "a route made up for a test"
    takes = "no time"

    def __init__(self, key, refusal=None, fails=None, mark="1"):
        self.key = self.name = key
        self.mark = mark
        self.built = 0
        self._refusal = refusal
        self._fails = fails

    def fingerprint(self):
        return self.mark

    def refusal(self, machine):
        return self._refusal

    def build(self, machine, lock):
        os.fstat(lock)  # an open descriptor: the lock is held
        self.built += 1
        if self._fails:
            raise self._fails
        folder = environment_folder(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        write_stamp(folder, {"fingerprint": self.mark})

    def usable(self, stamp):
        return True


def test_the_order_of_the_routes(tmp_path):
    offered = routes(machine(tmp_path / "bin"))
    assert [route.key for route in offered] == ["here", "conda", "apt", "root"]
    assert offered[-1].name == "root-trixie"


def test_a_suite_is_always_a_private_root_of_its_own(tmp_path):
    (offered,) = routes(machine(tmp_path / "bin", distribution=TRIXIE, suite="sid"))
    assert (offered.key, offered.name) == ("root", "root-sid")


def test_contradicting_wishes_are_refused(tmp_path):
    with pytest.raises(SetupError, match="SUITE=sid is always a private root"):
        routes(machine(tmp_path / "bin", suite="sid", route="conda"))


def test_the_first_route_that_works_is_taken(tmp_path, capsys):
    offered = [
        Fake("one", refusal="it is closed"),
        Fake("two", fails=SetupError("it broke")),
        Fake("three"),
        Fake("four"),
    ]
    route, stamp = prepare(machine(tmp_path / "bin"), offered)
    assert route is offered[2]
    assert stamp == {"fingerprint": "1"}
    assert [fake.built for fake in offered] == [0, 1, 1, 0]
    told = capsys.readouterr().err
    assert "taking the route 'three': a route made up for a test; this takes no time, once" in told
    assert "the route 'two' does not work: it broke" in told


def test_a_second_call_builds_nothing(tmp_path, capsys):
    offered = [Fake("one", refusal="it is closed"), Fake("two")]
    prepare(machine(tmp_path / "bin"), offered)
    capsys.readouterr()
    route, _ = prepare(machine(tmp_path / "bin"), offered)
    assert route is offered[1]
    assert offered[1].built == 1
    assert capsys.readouterr().err == ""


def test_another_list_of_packages_means_building_anew(tmp_path):
    prepare(machine(tmp_path / "bin"), [Fake("one", mark="1")])
    newer = Fake("one", mark="2")
    _, stamp = prepare(machine(tmp_path / "bin"), [newer])
    assert newer.built == 1
    assert stamp["fingerprint"] == "2"


def test_an_interrupted_build_is_no_environment(tmp_path):
    environment_folder("one").mkdir(parents=True)
    assert whole([Fake("one")]) is None
    (environment_folder("one") / "stamp.json").write_text('{"fingerprint": "1', encoding="utf-8")
    assert whole([Fake("one")]) is None


def test_where_no_route_works_one_sentence_says_why(tmp_path):
    offered = [Fake("one", refusal="it is closed"), Fake("two", fails=OSError(28, "No space left", "/disk"))]
    with pytest.raises(SetupError) as caught:
        prepare(machine(tmp_path / "bin"), offered)
    text = str(caught.value)
    assert text.startswith("no way to DOLFINx 0.9 to 0.11 works here (it is closed; /disk: No space left); ")
    assert "\n" not in text
    assert not text.endswith(".")


def test_an_importable_dolfinx_opens_the_first_route(tmp_path, monkeypatch):
    python = program(
        tmp_path / "bin",
        "python3",
        """echo; echo '{"python": "/x/python3", "version": [3, 12], "paths": [], "dolfinx": "0.10.0.post5"}'""",
    )
    found = machine(tmp_path / "bin", "mpirun")
    monkeypatch.setattr(here, "candidates", lambda machine: [str(python)])
    assert Here().refusal(found) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            '{"python": "/x", "version": [3, 12], "paths": [], "error": "ModuleNotFoundError"}',
            "has no DOLFINx",
        ),
        (
            '{"python": "/x", "version": [3, 12], "paths": [], "dolfinx": "0.8.0"}',
            "DOLFINx 0.8.0, where 0.9 to 0.11",
        ),
        (
            '{"python": "/x", "version": [3, 12], "paths": [], "dolfinx": "0.12.0"}',
            "DOLFINx 0.12.0, where 0.9 to 0.11",
        ),
        (
            '{"python": "/x", "version": [3, 10], "paths": [], "dolfinx": "0.9.0"}',
            "Python 3.10 where 3.11 is needed",
        ),
        ("no answer at all", "has no DOLFINx"),
    ],
)
def test_a_python_that_does_not_do_says_why(tmp_path, answer, reason):
    python = str(program(tmp_path / "bin", "python3", f"echo '{answer}'"))
    assert reason in shortcoming(python, probe(python))


def test_dolfinx_without_mpirun_does_not_do(tmp_path, monkeypatch):
    answer = """echo '{"python": "/x/python3", "version": [3, 12], "paths": [], "dolfinx": "0.9.0"}'"""
    python = program(tmp_path / "bin", "python3", answer)
    monkeypatch.setattr(here, "candidates", lambda machine: [str(python)])
    assert "there is no mpirun" in Here().refusal(machine(tmp_path / "bin"))


def test_the_python_first_on_the_path_is_asked_first(tmp_path):
    python = program(tmp_path / "bin", "python3")
    assert candidates(machine(tmp_path / "bin"))[0] == str(python)


def test_conda_is_found_in_order_of_speed(tmp_path):
    assert Conda().refusal(machine(tmp_path / "none")) == "there is no conda, mamba or micromamba"
    assert conda.program(machine(tmp_path / "two", "conda", "micromamba")) == str(
        tmp_path / "two" / "micromamba"
    )
    assert Conda().refusal(machine(tmp_path / "two")) is None


def test_micromamba_has_a_command_of_its_own():
    prefix = Path("/p")
    assert create_command("/b/micromamba", prefix)[1:4] == ["create", "-p", "/p"]
    assert create_command("/b/conda", prefix)[1:5] == ["env", "create", "-p", "/p"]
    assert create_command("/b/conda", prefix)[-1].endswith("/environment.yml")


def test_conda_builds_from_environment_yml_and_enters_what_it_built(tmp_path, monkeypatch):
    """With a conda of our own making: it lays down a python3 that the check of the environment is content with."""
    recorded = tmp_path / "recorded"
    program(tmp_path, "python3", """echo '{"dolfinx": "0.10.0", "mpi": "HYDRA build details:"}' > "$3" """)
    program(
        tmp_path / "bin",
        "conda",
        f'echo "$@" > {recorded}; while [ "$1" != -p ]; do shift; done; mkdir -p "$2/bin" "$2/etc/conda/activate.d"\n'
        f'cp {tmp_path}/python3 "$2/bin/python3"\n'
        'echo "export ACTIVATED=yes" > "$2/etc/conda/activate.d/one.sh"',
    )
    offered = Conda()
    route, stamp = prepare(machine(tmp_path / "bin"), [offered])
    prefix = environment_folder("conda") / "prefix"
    assert recorded.read_text(encoding="utf-8").split()[:4] == ["env", "create", "-p", str(prefix)]
    entry = route.enter(stamp, ["sh", "-c", 'echo "$ACTIVATED $CONDA_PREFIX $OMP_NUM_THREADS"'], tmp_path)
    said = subprocess.run(entry.command, env=entry.variables, capture_output=True, text=True).stdout
    assert said.split() == ["yes", str(prefix), "1"]
    assert entry.variables["PATH"].startswith(f"{prefix}/bin:")
    monkeypatch.setattr(conda, "SPECIFICATION", Path(__file__))
    assert whole([offered]) is None, "another environment.yml means building anew"


def test_apt_needs_debian_13_and_root(tmp_path):
    folder = tmp_path / "bin"
    assert Debian().refusal(machine(folder, "apt-get", distribution=TRIXIE)) is None
    assert "needs root" in Debian().refusal(machine(folder, distribution=TRIXIE, user=1000))
    assert "this is Debian GNU/Linux 12 (bookworm), not Debian 13" in Debian().refusal(machine(folder))
    assert "this is Ubuntu 24.04 LTS, not Debian 13" in Debian().refusal(machine(folder, distribution=UBUNTU))


def test_a_private_root_needs_a_debian_family_root_who_may_mount(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    route = PrivateRoot("trixie")
    monkeypatch.setattr(private_root, "succeeds", lambda command: True)
    monkeypatch.setattr(private_root, "free_gb", lambda place: 100.0)
    assert route.refusal(machine(folder, "apt-get", distribution=UBUNTU)) is None
    assert "this is Fedora Linux 42" in route.refusal(machine(folder, distribution=FEDORA))
    assert "needs root" in route.refusal(machine(folder, user=1000))
    monkeypatch.setattr(private_root, "free_gb", lambda place: 1.26)
    assert "where 1.3 are free" in route.refusal(machine(folder))
    program(folder, "unshare")
    monkeypatch.setattr(private_root, "succeeds", lambda command: False)
    assert "needs leave to mount" in route.refusal(machine(folder))


def test_a_private_root_that_failed_leaves_nothing_but_the_log(tmp_path, monkeypatch):
    """A minimal Debian lacks mount as well; and what cannot be finished is not left lying about."""
    asked = []

    def refuse(packages, log, lock, purpose):
        asked.extend(packages)
        raise SetupError("the archive is out of reach")

    monkeypatch.setattr(private_root, "install", refuse)
    route = PrivateRoot("trixie")
    with pytest.raises(SetupError, match="out of reach"):
        route.build(machine(tmp_path / "bin", "unshare"), lock=0)
    assert asked == ["mmdebstrap", "mount", "debian-archive-keyring"]
    assert list(environment_folder("any").parent.iterdir()) == []


def test_wishes_that_nothing_answers_to_are_refused(tmp_path):
    for key, value in (("SUITE", "buster"), ("SWELLBOUND_ROUTE", "docker")):
        with pytest.raises(SetupError, match=f"{key} is '{value}', but must be one of"):
            look_around({key: value})
    assert look_around({"SUITE": "", "PATH": "/nowhere"}).suite is None


def test_os_release_is_read_with_its_quotes(tmp_path):
    path = tmp_path / "os-release"
    path.write_text('# remark\nID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n\n', encoding="utf-8")
    assert read_os_release(path) == {"ID": "debian", "PRETTY_NAME": "Debian GNU/Linux 13 (trixie)"}
    assert read_os_release(tmp_path / "absent") == {}
