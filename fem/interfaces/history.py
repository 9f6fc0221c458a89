"""What an interface remembers of its past, as UFL values on a facet; only what the laws of a case need is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class History:
    """Memory of an interface.

    Attributes:
        opening: κ in µm: the largest effective opening, in terms of pure opening where modes differ; for the law of
            Park, Paulino and Roesler the largest normal opening.
        slip: Largest tangential opening in µm of that law, None where no interface has it.
        fatigue: Damage by cycles in [0, 1], None where no interface tires.
        fatigue_before: The same one step earlier: what it has grown by is accounted for in the energy of the next step.
        dissipated: Energy in J/m² dissipated so far, None where it is a function of κ alone.
        contact: Contact fraction θ of lithium metal, None where no interface has one.
        spent_plus: Spent share of the side reaction on side '+' (fem/side_reaction.py), None where nothing reacts.
        spent_minus: The same on side '-'.
    """

    opening: Any
    slip: Any | None = None
    fatigue: Any | None = None
    fatigue_before: Any | None = None
    dissipated: Any | None = None
    contact: Any | None = None
    spent_plus: Any | None = None
    spent_minus: Any | None = None
