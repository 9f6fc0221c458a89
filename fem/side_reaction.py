"""Reactions that take lithium for good: decomposition of the electrolyte and the surface oxide of silicon.

Each side of an interface may have one. It takes lithium from the grain on that side (the electrolyte; silicon), has a
finite charge q per area, of which the share s is spent, and runs below a potential E0 of that side, at

    ds/dt = k (1 - s) r(E),   r = 1 - exp(-z² / (1 + z)),   z = ½ F ⟨E0 - E⟩ / RT,   k = i / q,   E = -µ / F,

that is, as an irreversible reaction with the largest rate i (1 - s) that sets in smoothly (with a kink at E0 Newton's
method runs in circles where the potential comes to lie on it). µ at the end of a step holds for all of it, so
that s = 1 - (1 - s0) exp(-k r dt) never passes one, and what a step takes, q (s - s0), is exactly what s grows by.

The decomposition needs contact: the share of the exchange that passes multiplies it. It happens where active material
meets the electrolyte and nowhere else: the electrode holds no electrolyte, so there is none between active grains. The
oxide lies on all of the surface of silicon and takes lithium from the silicon beneath, which is why it comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ufl

from fem.errors import ParameterError
from fem.interfaces.law import InterfaceLaw
from fem.materials.base import Conductor, Host, Material, Reservoir
from fem.units import CM2_PER_UM2, FARADAY, GAS_CONSTANT, MAH_PER_PC

#: What the interfaces remember of it: the spent share on either side.
MEMORY = {"+": "spent_plus", "-": "spent_minus"}
SILICON = "silicon"
_HALF = 0.5


@dataclass(frozen=True)
class Side:
    """Of the reaction on one side of a facet: numbers or UFL values.

    Attributes:
        amount: Lithium q/F in fmol/µm² that it takes in all, zero where there is none.
        rate: K in 1/s.
        onset: Potential E0 in V.
        contact: One where it needs contact.
    """

    amount: Any
    rate: Any
    onset: Any
    contact: Any


_NOTHING = Side(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class SideReactions:
    """Reactions on the sides '+' and '-' of the facets that have any, as UFL values, and the temperature in K."""

    sides: dict[str, Side]
    temperature: Any


def sides_of(kind: str, law: InterfaceLaw, materials: Sequence[Material]) -> tuple[Side, Side]:
    """Reactions on side '+' (the phase that comes first in the name of the kind) and on side '-'.

    Raises:
        ParameterError: The law has a reaction that these phases cannot have.
    """
    first, second = kind.split("|")
    parts = {m.phase: m.lithium for m in materials}
    electrolytes = [isinstance(parts[name], Conductor) for name in (first, second)]
    active = [isinstance(parts[name], Host | Reservoir) for name in (first, second)]
    silicon = [name == SILICON and isinstance(parts[name], Host) for name in (first, second)]
    if law.decomposition_charge is not None and not (any(electrolytes) and any(active)):
        raise ParameterError(
            f"interfaces.{kind}.decomposition_charge",
            law.decomposition_charge.value,
            "left out: the electrolyte decomposes where it meets active material or lithium only",
        )
    if law.oxide_charge is not None and not any(silicon):
        raise ParameterError(
            f"interfaces.{kind}.oxide_charge", law.oxide_charge.value, f"left out: it belongs to {SILICON}"
        )
    found = []
    for here in range(2):
        side = _NOTHING
        if law.decomposition_charge is not None and electrolytes[here]:
            side = _side(kind, law, "decomposition", 1.0)
        elif law.oxide_charge is not None and silicon[here]:
            side = _side(kind, law, "oxide", 0.0)
        found.append(side)
    return found[0], found[1]


def _side(kind: str, law: InterfaceLaw, name: str, contact: float) -> Side:
    charge = law.number(f"{name}_charge") * CM2_PER_UM2 / MAH_PER_PC
    current = law.number(f"{name}_current")
    for key, value in ((f"{name}_charge", charge), (f"{name}_current", current)):
        if not value > 0.0:
            raise ParameterError(f"interfaces.{kind}.{key}", value, "above zero")
    return Side(charge / FARADAY, current / charge, law.number(f"{name}_onset"), contact)


def memory(laws: Sequence[InterfaceLaw]) -> tuple[str, ...]:
    """What interfaces of these laws remember of side reactions."""
    reacts = any(law.decomposition_charge or law.oxide_charge for law in laws)
    return tuple(MEMORY.values()) if reacts else ()


def tabulate(
    kinds: Sequence[str],
    laws: Sequence[InterfaceLaw],
    materials: Sequence[Material],
    temperature: Any,
    field: Callable[[str, Sequence[float]], Any],
) -> SideReactions | None:
    """Parameters of every kind of interface, or None where nothing reacts; arguments as fem.kinetics.tabulate.

    Raises:
        ParameterError: A law has a reaction that its phases cannot have.
    """
    if not memory(laws):
        return None
    rows = [sides_of(kind, law, materials) for kind, law in zip(kinds, laws, strict=True)]
    sides = {
        sign: Side(
            *(
                field(f"{MEMORY[sign]}_{name}", [getattr(row[number], name) for row in rows])
                for name in ("amount", "rate", "onset", "contact")
            )
        )
        for number, sign in enumerate(MEMORY)
    }
    return SideReactions(sides, temperature)


def grown(spent: Any, potential: Any, share: Any, side: Side, temperature: Any, dt: Any) -> Any:
    """Spent share at the end of a step.

    Args:
        spent: At the beginning.
        potential: Chemical potential in pJ/fmol of that side.
        share: Share of the exchange that passes.
        side: The reaction.
        temperature: In K.
        dt: Step in s.
    """
    excess = ufl.max_value(potential + FARADAY * side.onset, 0.0)
    driving = _HALF * excess / (GAS_CONSTANT * temperature)
    drive = 1.0 - ufl.exp(-(driving**2) / (1.0 + driving))
    pace = side.rate * drive * (1.0 - side.contact * (1.0 - share))
    return 1.0 - (1.0 - spent) * ufl.exp(-pace * dt)
