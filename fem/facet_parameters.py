"""Parameters of the interface laws on every interface facet, as fields: one form serves every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem.domain import Domain
from fem.interfaces.cohesive import CohesiveParameters
from fem.interfaces.facet_fields import FacetSpace
from fem.interfaces.law import InterfaceLaw, contact_stiffening
from fem.interfaces.pairs import InterfaceFacets
from fem.interfaces.pressure_law import PressureLaw
from fem.interfaces.tabulation import (
    check,
    chosen_laws,
    effective_shear_ratio,
    fatigue_parameters,
    intact_stiffness,
    mode_mixture,
    separation_laws,
)

#: Field with the conductance of the exchange.
CONDUCTANCE = "conductance"


@dataclass(frozen=True)
class FacetParameters:
    """What the weak forms need of the interface laws.

    Attributes:
        cohesive: Of the traction-separation law.
        relaxation_time: Longest time in s over which damage follows the opening.
        relaxation: The same as the Constant the forms see; a model adds its share of the step.
        open_exchange: Share of the exchange that an open gap keeps.
        friction: Coulomb coefficient, None where it is zero everywhere.
        conductance: 1 / R_s in fmol²/(pJ µm² s); where charge is transferred (fem/kinetics.py) that around equilibrium.
        contact_reference: Pressure in MPa that restores half of the exchange.
    """

    cohesive: CohesiveParameters
    relaxation_time: float
    relaxation: dfem.Constant
    open_exchange: Any
    friction: Any | None
    conductance: Any
    contact_reference: dfem.Constant


def kind_field(interfaces: InterfaceFacets, space: FacetSpace, name: str, per_kind: Sequence[float]) -> Any:
    """UFL value of a new field with one value a kind of interface."""
    values = np.asarray(per_kind, dtype=np.float64)
    per_facet = values[interfaces.kind] if len(values) else np.empty(0, dtype=np.float64)
    return space.value(space.constant(name, per_facet))


def tabulate_laws(
    domain: Domain,
    interfaces: InterfaceFacets,
    laws: Sequence[InterfaceLaw],
    space: FacetSpace,
    corners: npt.NDArray[np.bool_],
) -> FacetParameters:
    """Tabulate the laws on the interface facets.

    Args:
        domain: The mesh.
        interfaces: Its interface facets and their kinds.
        laws: Law of each kind, in the order of ``interfaces.kinds``.
        space: Facet-wise constants.
        corners: Facets that touch a boundary between other grains, shape (n,).

    Raises:
        ParameterError: The numbers of a law do not fit together.
    """
    field = partial(kind_field, interfaces, space)
    check(interfaces.kinds, laws)

    def stiff(name: str, per_kind: Sequence[float]) -> Any:
        return space.value(space.constant(name, _with_corners(per_kind, interfaces, laws, corners)))

    relaxation_time = max((law.relaxation_time.value for law in laws), default=0.0)
    relaxation = dfem.Constant(domain.mesh, relaxation_time)
    cohesive = CohesiveParameters(
        stiffness=stiff("stiffness", [intact_stiffness(law) for law in laws]),
        contact=PressureLaw(
            stiff("contact_stiffness", [law.contact_stiffness.value for law in laws]),
            field("contact_stiffening", [contact_stiffening(law) for law in laws]),
        ),
        residual_stiffness=field("residual_stiffness", [law.residual_stiffness.value for law in laws]),
        shear_ratio=field("shear_ratio", [effective_shear_ratio(law) for law in laws]),
        breakable=field("breakable", [float(law.breaks) for law in laws]),
        relaxation_time=relaxation,
        laws=separation_laws(laws, field),
        chosen=chosen_laws(laws, field),
        mixture=mode_mixture(laws, field),
        fatigue=fatigue_parameters(laws, field),
    )
    friction = [law.friction.value for law in laws]
    return FacetParameters(
        cohesive,
        relaxation_time,
        relaxation,
        open_exchange=field("open_exchange", [law.open_exchange.value for law in laws]),
        friction=field("friction", friction) if any(friction) else None,
        conductance=field(CONDUCTANCE, [1.0 / law.exchange_resistance.value for law in laws]),
        contact_reference=dfem.Constant(
            domain.mesh, min((law.contact_pressure.value for law in laws), default=1.0)
        ),
    )


def _with_corners(
    values: Sequence[float],
    interfaces: InterfaceFacets,
    laws: Sequence[InterfaceLaw],
    corners: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """One value a facet from one a kind, with that of corners at the corners of kinds that have one."""
    if not laws:
        return np.empty(0)
    other = [np.nan if law.corner_stiffness is None else law.corner_stiffness.value for law in laws]
    at_corner = np.asarray(other)[interfaces.kind]
    return np.where(
        corners & ~np.isnan(at_corner), at_corner, np.asarray(values, dtype=np.float64)[interfaces.kind]
    )
