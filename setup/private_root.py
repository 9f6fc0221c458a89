"""Route 4: a private Debian root, for Debian-family machines of another release, and for DOLFINx 0.11 on any."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.debian import install
from setup.failure import SetupError
from setup.machine import DEFAULT_SUITE, Machine
from setup.packages import REPOSITORY, debian_packages, fingerprint
from setup.places import compiled_folder, environment_folder, log_file, remove_folder, write_stamp
from setup.process import run_logged, say, succeeds
from setup.root_entry import apt_options, copied_settings, entry_command, entry_variables
from setup.route import Entry
from setup.venv import build_venv, verify

VENV = Path("/usr/local/lib/swellbound")  # as seen inside: a folder that nothing of the machine is laid over
NEEDED_GB = 4.0
RECIPE = "1"  # to be counted up when roots made before no longer serve
# What the machine itself needs, by the program that shows it is there: a minimal Debian lacks even `mount`.
OUTSIDE = {"mmdebstrap": "mmdebstrap", "mount": "mount", "unshare": "util-linux"}
KEYS = "debian-archive-keyring"  # other distributions of the family do not have Debian's keys

# A process tree of its own: killing the outermost kills all of it, and all mounts go with the last one.
ALONE = (
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child=KILL",
    "--mount-proc",
)


class PrivateRoot:
    """Builds a Debian root in a folder and enters it by chroot; the machine itself gets only mmdebstrap."""

    key = "root"

    def __init__(self, suite: str) -> None:
        """Makes the route to one release.

        Args:
            suite: Debian release, "trixie" (DOLFINx 0.9) or "sid" (DOLFINx 0.11).
        """
        self.suite = suite
        self.name = f"root-{suite}"
        release = "Debian 13" if suite == DEFAULT_SUITE else f"Debian {suite}"
        self.title = f"a private {release} root in {environment_folder(self.name)}"
        self.takes = "2 to 8 minutes, about 3 GB"

    def fingerprint(self) -> str:
        """The table of packages, the release, and how the root is made."""
        return fingerprint(self.suite, RECIPE)

    def refusal(self, machine: Machine) -> str | None:
        """Needs Linux with apt, root, leave to mount, and room."""
        if machine.platform != "linux" or not machine.debian_family:
            return f"a private Debian root needs apt on a Debian-family machine, and this is {machine.called}"
        if machine.user != 0:
            return "a private Debian root needs root"
        if machine.which("unshare") and not succeeds([*ALONE, "true"]):
            return "a private Debian root needs leave to mount, which this container does not give (unshare fails)"
        free = free_gb(environment_folder(self.name))
        if free < NEEDED_GB:
            where = environment_folder(self.name)
            return f"a private Debian root needs {NEEDED_GB:.0f} GB in {where}, where {free:.1f} are free"
        return None

    def build(self, machine: Machine, lock: int) -> None:
        """Builds aside and renames when whole; what an interrupted attempt left is removed first."""
        folder = environment_folder(self.name)
        aside = folder.with_name(folder.name + ".building")
        if aside.exists():
            say("an earlier attempt was interrupted: removing what it left and starting over")
        remove_folder(aside)
        aside.mkdir(parents=True)
        try:
            self._build_aside(machine, aside, lock)
        except SetupError:
            remove_folder(aside)  # the log stays
            raise
        old = folder.with_name(folder.name + ".old")
        remove_folder(old)
        if folder.exists():
            folder.rename(old)
        aside.rename(folder)
        remove_folder(old)

    def _build_aside(self, machine: Machine, aside: Path, lock: int) -> None:
        """Builds, checks and stamps the root in a folder of its own."""
        log = log_file(self.name)
        lacking = [package for program, package in OUTSIDE.items() if machine.which(program) is None]
        if lacking:
            install([*lacking, KEYS], log, lock, f"installing {' and '.join(lacking)}")
        options = aside / "apt.conf"
        options.write_text(apt_options(), encoding="utf-8")
        root = aside / "root"
        run_logged(
            [
                *ALONE,
                "mmdebstrap",
                "--mode=root",
                "--variant=important",
                f"--aptopt={options}",
                f"--include={','.join(debian_packages())}",
                self.suite,
                str(root),
            ],
            log,
            f"installing Debian {self.suite} packages into the private root",
            lock=lock,
            environment=dict(os.environ, LC_ALL="C.UTF-8", TMPDIR="/tmp"),
        )
        for source, name in copied_settings():
            target = root / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # a symbolic link would lead out of the root
            shutil.copyfile(source, target)
        variables = entry_variables(self.name, VENV, mpi="")
        prefix = tuple(entry_command(root, REPOSITORY, []))
        build_venv("/usr/bin/python3", VENV, log, lock, environment=variables, prefix=prefix)
        found = verify((*prefix, "python3"), aside, log, lock, variables)
        write_stamp(aside, {**found, "fingerprint": self.fingerprint(), "suite": self.suite})

    def usable(self, stamp: Mapping[str, str]) -> bool:
        """Whether the root is there and this user may enter it."""
        return (
            environment_folder(self.name) / "root" / "usr" / "bin" / "python3"
        ).exists() and os.getuid() == 0

    def enter(self, stamp: Mapping[str, str], command: Sequence[str], folder: Path) -> Entry:
        """Binds the machine's folders into the root, in mounts that die with the command, and changes root."""
        root = environment_folder(self.name) / "root"
        compiled_folder(self.name).mkdir(parents=True, exist_ok=True)
        variables = entry_variables(self.name, VENV, stamp["mpi"])
        return Entry(entry_command(root, folder, command), variables, REPOSITORY)


def free_gb(folder: Path) -> float:
    """Free room on the disk that holds a folder or will hold it, in GB."""
    place = folder
    while not place.exists():
        place = place.parent
    try:
        return shutil.disk_usage(place).free / 1e9
    except OSError as error:
        raise SetupError(f"{place} cannot be read ({error.strerror})") from error
