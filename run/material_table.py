"""The parameters of materials and interfaces as a table: value, unit, mark, source."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from fem.interfaces.law import InterfaceLaw
from fem.interfaces.library import shipped_laws
from fem.materials.base import parameters_of
from fem.materials.library import MATERIALS
from run.overrides import unknown_key

if TYPE_CHECKING:
    from run.case import Case

MARKS = {
    "read": "read in a public source",
    "literature": "literature value quoted from memory, to be checked",
    "derived": "derived from others",
    "assumed": "assumed by us",
    "calibrated": "calibrated on the bare electrode",
    "user": "given in the case file",
}


def material_table(case: Case | None, only: str | None, width: int = 150) -> str:
    """The table as text.

    Args:
        case: Whose values are shown; those that ship if None.
        only: One phase or one kind of interface, or None for all phases.
        width: Characters a line.

    Raises:
        InputError: ``only`` is neither.
    """
    materials = MATERIALS if case is None else case.materials
    laws = shipped_laws() if case is None else case.laws
    items: dict[str, object] = {**materials, **laws}
    if only is not None and "|" in only:
        only = "|".join(sorted(part.strip() for part in only.split("|")))
    if only is not None and only not in items:
        raise unknown_key("NAME", only, only, items)
    chosen = {only: items[only]} if only is not None else dict(materials)
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None)
    for name, item in chosen.items():
        where = "interfaces" if name in laws else "materials"
        table = Table(title=f"{where}.{name}{_choices(item)}", title_justify="left", box=None, pad_edge=False)
        for heading in ("parameter", "value", "unit", "mark", "source"):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for key, parameter in parameters_of(item):
            table.add_row(key, f"{parameter.value:g}", parameter.unit, parameter.mark, parameter.source)
        console.print(table)
        console.print()
    console.print("; ".join(f"{mark}: {meaning}" for mark, meaning in MARKS.items()), soft_wrap=True)
    if only is None:
        console.print(f"interfaces (name one to see it): {', '.join(laws)}", soft_wrap=True)
    return text.getvalue().rstrip()


def _choices(item: object) -> str:
    """What an interface law is besides its numbers."""
    if not isinstance(item, InterfaceLaw) or not item.breaks:
        return ""
    return f", law = {item.law}" + (f", mode_mix = {item.mode_mix}" if item.mixes else "")
