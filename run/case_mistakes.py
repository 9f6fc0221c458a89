"""What is wrong with a case file, as one sentence that names the key, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

import meshes
from run.errors import InputError
from run.overrides import unknown_key

_NEEDED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}


def input_error(
    error: ValidationError,
    table: Mapping[str, Any],
    model: type[BaseModel],
    prefix: tuple[str, ...] = (),
) -> InputError:
    """The first error of a validation as one sentence."""
    first = error.errors(include_url=False)[0]
    location = [part for part in first["loc"] if isinstance(part, str)]
    key, value = ".".join([*prefix, *location]), first.get("input")
    if first["type"] == "extra_forbidden":
        return unknown_key(key, location[-1], value, _fields_at(model, location[:-1]))
    if first["type"] == "missing":
        what = "table" if len(location) == 1 and not prefix else "key"
        return InputError(key, f"is missing: add this {what} to the case file, it has no default")
    text = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "clause":
        return InputError(key, f"is not allowed: {text}")
    if first["type"] == "string_pattern_mismatch":
        text = _PATTERNS.get(key, text)
    elif first["type"] in _NEEDED:
        text = _NEEDED[first["type"]]
    elif first["type"] != "value_error":
        text = text.removeprefix("Input should be ")
    return InputError(key, f"= {_short(value)} is not allowed: it must be {text}")


_PATTERNS = {
    "case.name": "made of letters, digits, _, - and . only",
    "solver.line_search": "one of basic, bt, l2, cp",
}


def _fields_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    for part in location:
        inner = model.model_fields[part].annotation
        # A table that may be left out is a union of itself and nothing.
        inner = next((kind for kind in get_args(inner) if kind is not type(None)), inner)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def recipe_error(error: meshes.RecipeError, table: Mapping[str, Any]) -> InputError:
    """The mesh package's sentence, with the value in front where it does not name it."""
    value: Any = table
    for part in error.key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    message = error.message
    if message.startswith("this key is missing"):
        return InputError(error.key, "is missing: add this key to the case file, it has no default")
    if value is None or isinstance(value, Mapping):
        return InputError(error.key, f"is not allowed: {message}")
    if message.startswith("unknown key; "):
        return InputError(
            error.key, f"= {_short(value)} is not known: {message.removeprefix('unknown key; ')}"
        )
    for shown in (repr(value), f"{value:g}" if isinstance(value, int | float) else repr(value)):
        if message.startswith(f"{shown} "):
            return InputError(error.key, f"= {value!r} {message.removeprefix(f'{shown} ')}")
    return InputError(error.key, f"= {value!r} is not allowed: {message}")


def _short(value: object) -> str:
    text = "{…}" if isinstance(value, Mapping) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def shipped_cases() -> str:
    """Which cases ship, as the end of a sentence."""
    folder = Path(__file__).parent / "cases"
    names = sorted(file.name for file in folder.glob("*.toml"))
    return f" (shipped in {folder}: {', '.join(names)})"
