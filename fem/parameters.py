"""A number with an owner: value, unit, source, and how it came to us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["read", "literature", "derived", "assumed", "calibrated", "user"]


@dataclass(frozen=True)
class Parameter:
    """One physical parameter.

    Attributes:
        value: Number in the internal unit system.
        unit: That unit, for people.
        source: Where it comes from (paper, DOI, derivation, or why it was assumed).
        mark: ``read`` in a public source, ``literature`` value quoted from memory and still to be checked,
            ``derived`` from others, ``assumed`` by us, ``calibrated`` on the bare electrode, or set by the ``user``.
    """

    value: float
    unit: str
    source: str
    mark: Mark

    def replaced(self, value: float) -> Parameter:
        """The same parameter with a value a user gave."""
        return Parameter(value, self.unit, "case file", "user")
