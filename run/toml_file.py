"""A TOML file given on the command line: its text and its table, or one sentence about what is wrong with it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from run.errors import InputError


def read_toml(path: Path, key: str, kind: str, shipped: str) -> tuple[str, dict[str, Any]]:
    """Read a file.

    Args:
        path: The file.
        key: The argument that names it.
        kind: What the file is, as in ``study file``.
        shipped: What to say of those that ship, appended where there is no such file.

    Returns:
        Its text and its table.

    Raises:
        InputError: It cannot be read, or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        raise InputError(key, f"= {str(path)!r} does not exist: give the path of a {kind}{shipped}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(key, f"= {str(path)!r} is not valid TOML: {error}; correct that line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(key, f"= {str(path)!r} cannot be read: {error}") from None
