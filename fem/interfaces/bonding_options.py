"""Parameters that a law has whose bonds grow under contact pressure (fem/interfaces/bonding.py)."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from fem.parameters import Parameter

if TYPE_CHECKING:
    from fem.interfaces.law import InterfaceLaw

#: Parameters of an interface whose bonds grow, with what they are where a case does not give them.
BONDING_OPTIONS: dict[str, Parameter] = {
    "bonding_hardness": Parameter(float("inf"), "MPa", "bonds do not grow", "assumed"),
    "initial_bond": Parameter(
        1.0 / 1.44, "1", "pressing raised adhesion by 44 %, Lee et al. 2023, 10.1002/aenm.202300172", "read"
    ),
    "bonding_time": Parameter(1.0, "s", "asperities flow as fast as the press closes; at 60 degC", "assumed"),
    "bonding_energy": Parameter(37.0, "kJ/mol", "that of creep of lithium; no measurement", "assumed"),
}


def grows(law: InterfaceLaw) -> bool:
    """Whether bonds of an interface grow under pressure."""
    return law.breaks and law.bonding_hardness is not None and isfinite(law.bonding_hardness.value)


def problem(law: InterfaceLaw) -> tuple[str, str] | None:
    """The parameter of growing bonds that is not allowed and what is, or None."""
    if law.bonding_hardness is None:
        return None
    if grows(law) and (law.law != "bilinear" or law.mixes or law.tires):
        return (
            "bonding_hardness",
            "left out: bonds grow by the bilinear law of one fracture energy without fatigue",
        )
    for name in ("bonding_hardness", "bonding_time"):
        if not law.number(name) > 0.0:
            return name, "above 0"
    if not 0.0 < law.number("initial_bond") <= 1.0:
        return "initial_bond", "above 0 and at most 1"
    return None
