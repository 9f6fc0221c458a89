"""Values of a case file that say where they come from: ``{value = "2 MPa", source = "…", mark = "calibrated"}``.

Such a table may stand in place of any value of [materials] and [interfaces]. It is what ``swellbound calibrate``
writes, and what a resolved case keeps, so that a run knows the origin of each of its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fem.parameters import Mark, Parameter
from run.errors import InputError

#: What a bare value of a case file is said to be.
_CASE_FILE, _USER = "case file", "user"
_KEYS = ("value", "source", "mark", "uncertainty")
_MARKS: tuple[str, ...] = get_args(Mark)


@dataclass(frozen=True)
class Given:
    """A value as it was given, and where it comes from.

    Attributes:
        value: As in the file, unit included; not checked yet.
        source: In words.
        mark: One of ``fem.parameters.Mark``.
    """

    value: object
    source: str = _CASE_FILE
    mark: str = _USER

    def parameter(self, number: float, pattern: Parameter) -> Parameter:
        """The parameter with this value in place of a shipped one.

        Args:
            number: The value in the internal unit.
            pattern: What it takes the place of.
        """
        mark: Any = self.mark
        return Parameter(number, pattern.unit, self.source, mark)


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested tables; a table that holds a value counts as one."""
    for key, value in table.items():
        if isinstance(value, Mapping) and "value" not in value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def given(key: str, value: object) -> Given:
    """A bare value, or a table that says more about it.

    Raises:
        InputError: The table has other keys, or words where others are wanted.
    """
    if not isinstance(value, Mapping):
        return Given(value)
    for name, inner in value.items():
        if name not in _KEYS:
            raise InputError(f"{key}.{name}", f"= {inner!r} is not known: known here: {', '.join(_KEYS)}")
        if name != "value" and not isinstance(inner, str):
            raise InputError(f"{key}.{name}", f"= {inner!r} is not allowed: it must be text in quotes")
    mark = value.get("mark", _USER)
    if mark not in _MARKS:
        raise InputError(f"{key}.mark", f"= {mark!r} is not allowed: it must be one of {', '.join(_MARKS)}")
    source = value.get("source", _CASE_FILE)
    if "uncertainty" in value:
        source = f"{source}; standard uncertainty {value['uncertainty']}"
    return Given(value["value"], source, mark)
