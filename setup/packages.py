"""The table of packages (packages.txt) and what each route reads from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from setup.failure import SetupError

REPOSITORY = Path(__file__).resolve().parent.parent
TABLE = REPOSITORY / "setup" / "packages.txt"

OLDEST_DOLFINX = (0, 9)
NEWEST_DOLFINX = (0, 11)


@dataclass(frozen=True)
class Package:
    """One row of the table; a name that does not apply is None."""

    module: str | None
    debian: str | None
    conda: str | None
    pip: str | None


def read_packages(path: Path = TABLE) -> tuple[Package, ...]:
    """Reads the table.

    Args:
        path: the table, four columns a row.

    Returns:
        The rows in the order of the file.

    Raises:
        SetupError: a row has not four columns.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        columns = text.split()
        if len(columns) != 4:
            raise SetupError(
                f"line {number} of {path} has {len(columns)} columns where 4 are needed: {text!r}"
            )
        rows.append(Package(*(None if column == "-" else column for column in columns)))
    return tuple(rows)


def debian_packages() -> list[str]:
    """Names for apt and mmdebstrap."""
    return [package.debian for package in read_packages() if package.debian]


def fingerprint(*further: str) -> str:
    """Identifies what an environment was built from.

    Args:
        further: what else the route builds from, besides the rows of the table.

    Returns:
        A SHA-256 in hexadecimal; remarks and spaces in the table do not count.
    """
    digest = hashlib.sha256()
    for part in (*map(repr, read_packages()), *further):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
