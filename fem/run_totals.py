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
    "external_work",
    "chemical_work",
)
"""Sums that are known step by step, in pJ (per µm of depth in 2D)."""


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
        forces: Forces at the end of the step, where the next step's work begins.
    """

    step: int
    lithium: float
    charge: float = 0.0
    book_error: float = 0.0
    absolute_work: float = 0.0
    energies: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(RATES, 0.0))
    forces: Forces = field(default_factory=dict)
