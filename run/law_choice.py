"""Which traction-separation law an interface follows, as [interfaces."a|b"] says, and which parameters come with it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from fem.interfaces.law import LAWS, MODE_MIXES, OPTIONAL, TAKES, InterfaceLaw
from fem.interfaces.reactions import REACTION_NEEDS
from fem.interfaces.tabulation import intact_stiffness
from fem.parameters import Parameter
from run.errors import InputError

#: Keys whose value is a name and not a quantity.
NAMES = {"law": LAWS, "mode_mix": MODE_MIXES}
#: Every key of an interface that is not always there.
OPTIONS = (*NAMES, *OPTIONAL)
#: What a parameter means nothing without.
_NEEDS = {
    "mode_mix": "shear_fracture_energy",
    "mode_mix_exponent": "shear_fracture_energy",
    "fatigue_endurance_ratio": "fatigue_accumulation_length",
    **{key: "bonding_hardness" for key in ("initial_bond", "bonding_time", "bonding_energy")},
    **REACTION_NEEDS,
}
_DERIVED = {
    "exponential": "e^2 strength^2/fracture_energy",
    "ppr": "initial slope that belongs to opening_slope_indicator",
}


def choose(law: InterfaceLaw, where: str, table: Mapping[str, Any]) -> tuple[InterfaceLaw, dict[str, Any]]:
    """The law a table names, with places for the parameters that come with it.

    Args:
        law: The law so far.
        where: Name of the table, for messages.
        table: The table.

    Returns:
        The law with the named choices and with the defaults of what they bring along, and the rest of the table, whose
        values are quantities.

    Raises:
        InputError: A name nobody knows, or a parameter that does not go with the law.
    """
    names = {key: _name(f"{where}.{key}", table[key], NAMES[key]) for key in NAMES if key in table}
    if names and not law.breaks:
        key = next(iter(names))
        raise InputError(f"{where}.{key}", f"= {names[key]!r} is not allowed: this interface never breaks")
    chosen: InterfaceLaw = replace(law, **cast(dict[str, Any], names))
    takes = TAKES[chosen.law]
    # What a more general table gave and this law does not take is dropped with the law it was for.
    dropped: dict[str, Any] = {key: None for key in OPTIONAL if key not in takes and key not in table}
    chosen = replace(chosen, **dropped)
    for key, value in table.items():
        _check_fits(chosen, f"{where}.{key}", key, value)
    given = {*table, *(key for key in OPTIONAL if getattr(chosen, key) is not None)}
    for key, other in _NEEDS.items():
        if key in table and other not in given:
            raise InputError(
                f"{where}.{key}", f"= {table[key]!r} is not allowed alone: it needs {other} beside it"
            )
    wanted = {key for key in OPTIONAL if key in table}
    if chosen.law == "ppr":
        wanted.update(key for key in takes if key.endswith(("_exponent", "_indicator")))
    elif "shear_fracture_energy" in given:
        wanted.add("mode_mix_exponent")
    if "fatigue_accumulation_length" in given:
        wanted.add("fatigue_endurance_ratio")
    places: dict[str, Any] = {key: OPTIONAL[key] for key in wanted if getattr(chosen, key) is None}
    return replace(chosen, **places), {key: value for key, value in table.items() if key not in NAMES}


def completed(law: InterfaceLaw) -> InterfaceLaw:
    """The law with its own stiffness where it has one."""
    if not law.breaks or law.law not in _DERIVED:
        return law
    stiffness = Parameter(intact_stiffness(law), "MPa/um", _DERIVED[law.law], "derived")
    return replace(law, stiffness=stiffness)


def _name(key: str, value: object, known: tuple[str, ...]) -> str:
    if value in known:
        return str(value)
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.55)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise InputError(key, f"= {value!r} is not allowed: it must be one of {', '.join(known)}{hint}")


def _check_fits(law: InterfaceLaw, key: str, name: str, value: object) -> None:
    """Refuse a parameter that the law does not take.

    Raises:
        InputError: It does not.
    """
    owners = [owner for owner, takes in TAKES.items() if name in takes]
    if name == "mode_mix":
        owners = [owner for owner, takes in TAKES.items() if "mode_mix_exponent" in takes]
    if name == "stiffness":
        owners = [owner for owner in LAWS if owner not in _DERIVED]
    if (name in OPTIONS[1:] or name == "stiffness") and law.law not in owners:
        raise InputError(
            key, f"= {value!r} is not allowed with law = {law.law!r}: it belongs to {' and '.join(owners)}"
        )
    if name in OPTIONAL and not law.breaks:
        raise InputError(key, f"= {value!r} is not allowed: this interface never breaks")
