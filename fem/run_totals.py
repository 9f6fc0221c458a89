"""What accumulates over the steps of a run: charge, work, what was dissipated, and the errors of the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fem.external_work import Forces

RATES = (
    "viscous_dissipation",
    "plastic_dissipation",
    "friction_dissipation",
    "stabilisation_dissipation",
    "unresolved_work",
    "contact_turning",
    "external_work",
    "chemical_work",
)
"""Sums that are known step by step, in pJ (per µm of depth in 2D)."""


def step_energies(sums: Mapping[str, float], contact_energy: float) -> dict[str, float]:
    """Each of :data:`RATES` in a step.

    Friction takes energy up, whatever the trapezoidal rule makes of a step in which all sliding turns back. What is
    not resolved is that of bonds and contacts on their way (fem/unresolved_work.py), and what the energy of contacts
    changes by when they are handed over and searched anew between two steps.

    Args:
        sums: See :meth:`fem.instruments.Instruments.sums`.
        contact_energy: Stored by contact at the end of the step before, in pJ.
    """
    friction = sums["friction_work"]
    unresolved = (
        sums["bond_excess"]
        + (sums["contact_work"] - sums["contact_path"])
        + (contact_energy - sums["contact_at_start"])
        + min(friction, 0.0)
    )
    found = {**sums, "friction_dissipation": max(friction, 0.0), "unresolved_work": unresolved}
    return {name: found[name] for name in RATES}


@dataclass(frozen=True)
class Beginning:
    """What a run started with.

    Attributes:
        stored: Energy stored in pJ (per µm of depth in 2D).
        metal: Lithium held by metal in fmol (per µm of depth in 2D).
    """

    stored: float
    metal: float


@dataclass(frozen=True)
class Totals:
    """What has accumulated at the end of step number ``step``.

    Attributes:
        step: Number of accepted steps.
        lithium: Lithium held by hosts, metal and side products in fmol (per µm of depth in 2D).
        charge: Charge passed in pC (per µm of depth in 2D).
        book_error: Largest error of the lithium book in a step, relative to all lithium.
        absolute_work: Sum of the steps' external and chemical work, each taken positive.
        energies: Each of :data:`RATES` since the beginning.
        contact_energy: Energy stored by contact in pJ (per µm of depth in 2D).
        forces: Forces at the end of the step, where the next step's work begins.
    """

    step: int
    lithium: float
    charge: float = 0.0
    book_error: float = 0.0
    absolute_work: float = 0.0
    energies: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(RATES, 0.0))
    contact_energy: float = 0.0
    forces: Forces = field(default_factory=dict)
