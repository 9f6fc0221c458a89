"""How a private root is entered, and which settings of the machine it takes along."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.packages import REPOSITORY
from setup.places import home_folder
from setup.variables import inside, on_one_machine
from setup.venv import with_front

SCRIPT = REPOSITORY / "setup" / "enter_root.sh"

# The root's own folders: never overlaid by the machine's. Everything else at the top of the machine's tree is
# (/home, /root, /tmp, /mnt, /data, ...), so that paths mean the same inside and outside.
SYSTEM = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "proc",
        "run",
        "sbin",
        "sys",
        "usr",
        "var",
    ]
)

# Variables that are about the user or the network and not about the machine's own programs.
KEPT = frozenset(
    [
        "TERM",
        "COLORTERM",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "HOME",
        "USER",
        "LOGNAME",
        "TZ",
        "CI",
        "MPLBACKEND",
    ]
)
KEPT_STARTS = ("SWELLBOUND_", "PIP_", "PYTEST_", "PETSC_OPTIONS", "OMPI_", "PRTE_", "PMIX_MCA_")
KEPT_ENDS = ("_PROXY", "_proxy", "_CA_BUNDLE", "_CERT_FILE", "_CERT_DIR")

SETTINGS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf", "/etc/xdg/pip/pip.conf")
NAMING_FILES = ("PIP_CONFIG_FILE", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

# How this machine's apt reaches its archive. Checks of signatures are not among these and always stay on.
APT_KEYS = (
    "Acquire::http",
    "Acquire::https",
    "Acquire::ftp",
    "Acquire::Retries",
    "Acquire::Force",
    "Acquire::Check-",
)


def copied_settings() -> list[tuple[str, str]]:
    """Files of the machine that the root gets a copy of, at the same path.

    Returns:
        Pairs of source and path inside; a file that the machine does not have, or that is visible inside anyway, is
        not among them.
    """
    named = [os.environ[key] for key in NAMING_FILES if os.environ.get(key)]
    files = dict.fromkeys([*SETTINGS, *named])
    return [
        (path, path) for path in files if os.path.isfile(path) and path.strip("/").split("/")[0] in SYSTEM
    ]


def apt_options(dump: str | None = None) -> str:
    """The machine's own settings for reaching the archive (proxies, certificates, date checks), for the root's apt.

    Args:
        dump: output of `apt-config dump`; asked for if None.

    Returns:
        Lines of an apt configuration file.
    """
    if dump is None:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    lines = [line for line in dump.splitlines() if line.startswith(APT_KEYS) and not line.endswith(' "";')]
    return "".join(f"{line}\n" for line in lines)


def entry_command(root: Path, folder: Path, command: Sequence[str]) -> list[str]:
    """The command that enters a root.

    Args:
        root: the private root.
        folder: where to stand inside.
        command: what to start inside; empty for a prefix that a command can be put behind.

    Returns:
        Program and arguments. The mounts live in a mount namespace of their own: they are seen by this command only and
        end with it, so that nothing is ever left mounted in the root.
    """
    binds = visible_folders(root, folder)
    alone = ["unshare", "--mount", "--propagation", "private", "--"]
    return [*alone, "sh", str(SCRIPT), str(root), str(folder), str(len(binds)), *binds, *command]


def visible_folders(root: Path, folder: Path, top: Path = Path("/")) -> list[str]:
    """The machine's folders to be seen inside.

    Args:
        root: the private root.
        folder: where the user stands.
        top: the top of the machine's tree.

    Returns:
        All folders at the top of the tree but the system's own; and the repository, Swellbound's own folder, the
        user's home and the folder where the user stands, where they lie in a system folder and hide nothing of
        the root's.
    """
    tops = sorted(name for name in os.listdir(top) if name not in SYSTEM and (top / name).is_dir())
    binds = [str(top / name) for name in tops]
    # The one that holds the root comes first, so that its mount does not take the others along.
    binds.sort(key=lambda bind: not f"{root}/".startswith(f"{bind}/"))
    for extra in (REPOSITORY, home_folder(), Path.home(), folder):
        parts = extra.relative_to("/").parts
        if parts and parts[0] in SYSTEM and not _holds_something(root.joinpath(*parts)):
            binds.append(str(extra))
    return list(dict.fromkeys(binds))


def entry_variables(name: str, venv: Path, mpi: str) -> dict[str, str]:
    """Variables for a program inside a private root.

    Args:
        name: the environment's name.
        venv: its virtual environment, as seen inside.
        mpi: first line of `mpirun --version` inside it.

    Returns:
        All variables: the user's and the network's, none of those that speak of programs outside.
    """
    variables = on_one_machine(inside(name, mpi, kept_variables(os.environ)))
    variables["PATH"] = with_front(
        "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", str(venv / "bin")
    )
    variables["LANG"] = "C.UTF-8"
    variables["PYTHONNOUSERSITE"] = "1"  # packages in the user's home belong to another Python
    variables.setdefault("HOME", "/root")
    return variables


def kept_variables(outside: Mapping[str, str]) -> dict[str, str]:
    """Those variables of the machine that mean something inside as well."""
    return {
        key: value
        for key, value in outside.items()
        if key in KEPT or key.startswith(KEPT_STARTS) or key.endswith(KEPT_ENDS)
    }


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and bool(os.listdir(folder))
