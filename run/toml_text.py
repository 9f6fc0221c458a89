"""Writes tables as TOML, and reads the key paths and values of ``--set a.b=value``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from run.errors import InputError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r'"[^"]*"|[^."]+')


def dumps(table: Mapping[str, Any]) -> str:
    """A table as TOML text; keys without a value (None) are left out."""
    lines: list[str] = []
    _write(lines, [], table)
    return "\n".join(lines).strip() + "\n"


def _write(lines: list[str], path: list[str], table: Mapping[str, Any]) -> None:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in table.items() if key not in inner and value is not None}
    if path and (plain or not inner):
        lines.append(f"\n[{'.'.join(_key(part) for part in path)}]")
    lines.extend(f"{_key(key)} = {_value(value)}" for key, value in plain.items())
    for key, value in inner.items():
        _write(lines, [*path, key], value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    raise TypeError(f"{value!r} has no place in a TOML file")


def setting_text(key: str, value: object) -> str:
    """One ``key=value`` for ``apply_setting``.

    Raises:
        InputError: The value has no place in a case file.
    """
    try:
        return f"{key}={_value(value)}"
    except TypeError as error:
        raise InputError(key, f"= {value!r} is not allowed: {error}") from None


def apply_setting(table: dict[str, Any], setting: str) -> None:
    """Put one ``a.b=value`` into a table, making inner tables as needed.

    The value is read as TOML; text that is not TOML is taken as a string, so that quotes need not be quoted again
    for the shell: ``drive.current=0.2 C``.

    Raises:
        InputError: The setting has no ``=``, an empty key, or leads through something that is not a table.
    """
    path, equals, text = setting.partition("=")
    parts = [part.strip().strip('"') for part in _PART.findall(path)]
    if not equals or not parts or not all(parts) or _PART.sub("", path).strip(". "):
        raise InputError(
            "--set",
            f"{setting!r} is not allowed: write it as table.key=value, for example drive.current=0.2 C",
        )
    where = table
    for depth, part in enumerate(parts[:-1]):
        inner = where.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(
                "--set",
                f"{setting!r} is not allowed: {'.'.join(parts[: depth + 1])} = {inner!r} is not a table",
            )
        where = inner
    where[parts[-1]] = setting_value(text)


def setting_value(text: str) -> Any:
    """The value of a setting: TOML if it is, else the text itself."""
    stripped = text.strip()
    try:
        return tomllib.loads(f"value = {stripped}")["value"]
    except tomllib.TOMLDecodeError:
        return stripped


def flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Inner tables as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
