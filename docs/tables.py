"""Tables as the pages of this folder show them."""

from __future__ import annotations

from collections.abc import Sequence

#: What stands where there is no number.
NONE = "–"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
