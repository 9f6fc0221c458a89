"""Weak forms of momentum and lithium, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

from fem import kinematics
from fem.coefficients import Coefficients
from fem.constitutive import BulkLaw, CellParameters, bulk_law
from fem.interfaces import cohesive, contact, exchange
from fem.materials.open_circuit import OpenCircuitCurve
from fem.swelling import carrying, folding, swelling
from fem.units import FARADAY


@dataclass(frozen=True)
class Fields:
    """Displacement, concentration and chemical potential (or their test functions).

    Without a lithium balance the last two are UFL's zero.
    """

    displacement: Any
    concentration: Any
    chemical_potential: Any

    @property
    def has_lithium(self) -> bool:
        """Whether concentration and chemical potential are unknowns."""
        return not isinstance(self.concentration, ufl.constantvalue.Zero)


@dataclass(frozen=True)
class Measures:
    """Integration measures.

    Attributes:
        bulk: Cells, with the quadrature of the history.
        nodal: Cells, with the vertices as quadrature points (lumped storage).
        interfaces: Interface facets.
        boundary: Exterior facets.
    """

    bulk: Any
    nodal: Any
    interfaces: Any
    boundary: Any


def lithiation(concentration: Any, coefficients: Coefficients) -> Any:
    """X = c / c_max (zero in phases without lithium)."""
    return concentration / coefficients["maximum_concentration"]


def law(
    fields: Fields, plastic_inverse: Any, increment: Any, coefficients: Coefficients, dimension: int
) -> BulkLaw:
    """Bulk constitutive law of all phases.

    Args:
        fields: The unknowns; nothing swells without a lithium balance.
        plastic_inverse: Cp⁻¹ at the beginning of the step, independent components, or None where nothing flows.
        increment: Flow increment Δε of the step, or None where nothing flows.
        coefficients: Cell-wise parameters.
        dimension: 2 or 3.
    """
    x = lithiation(fields.concentration, coefficients)
    ratio, rate = swelling(x, coefficients) if fields.has_lithium else (ufl.as_ufl(1.0), ufl.as_ufl(0.0))
    parameters = CellParameters(
        coefficients["youngs_modulus"],
        coefficients["youngs_modulus_slope"],
        coefficients["poisson_ratio"],
        coefficients["filling"],
        coefficients["closing_modulus"],
        *folding(x, coefficients),
        *carrying(x, coefficients),
    )
    return bulk_law(
        fields.displacement,
        x,
        ratio,
        rate,
        None if plastic_inverse is None else kinematics.symmetric_from_vector(plastic_inverse, dimension),
        increment,
        parameters,
        coefficients["maximum_concentration"],
        dimension,
    )


def momentum(bulk: BulkLaw, test: Fields, dimension: int, dx: Any) -> Any:
    """Virtual work of the stress, ∫ P : Grad v, and of the Hessian regularisation of pores and emptied metal."""
    work = ufl.inner(bulk.nominal_stress, kinematics.embedded_gradient(test.displacement, dimension)) * dx
    return work + ufl.inner(bulk.double_stress, ufl.grad(ufl.grad(test.displacement))) * dx


def filling_inertia(
    fields: Fields, expected: Fields, test: Fields, coefficients: Coefficients, dx: Any
) -> Any:
    """Virtual work of the numerical inertia of fillings: a departure from the expected motion must not fold them."""
    departure = ufl.grad(fields.displacement - expected.displacement)
    return coefficients["holding_modulus"] * ufl.inner(departure, ufl.grad(test.displacement)) * dx


def host_lithium(
    curve: OpenCircuitCurve,
    fields: Fields,
    previous: Fields,
    test: Fields,
    bulk: BulkLaw,
    coefficients: Coefficients,
    dt: Any,
    dimension: int,
    measures: Measures,
    phase: Any,
) -> Any:
    """Conservation (times dt) and chemical potential of a host.

    ċ + Div j = 0 with j = -M C⁻¹ Grad µ and M = D c_max / (F max(|U'|, U'_min));
    µ = -F U(x) + ∂(J_c ψe)/∂c. Storage and voltage are lumped to the nodes, which keeps 0 < x < 1.
    """
    x = ufl.variable(lithiation(fields.concentration, coefficients))
    slope = ufl.diff(curve.voltage(x), x)
    mobility = (
        coefficients["diffusivity"]
        * coefficients["maximum_concentration"]
        / (FARADAY * ufl.max_value(abs(slope), coefficients["smallest_slope"]))
    )
    F = ufl.Identity(dimension) + ufl.grad(fields.displacement)
    metric = ufl.inv(F.T * F)
    flux = mobility * metric * ufl.grad(fields.chemical_potential)
    storage = (fields.concentration - previous.concentration) * test.concentration * measures.nodal(phase)
    transport = dt * ufl.inner(flux, ufl.grad(test.concentration)) * measures.bulk(phase)
    x_nodal = lithiation(fields.concentration, coefficients)
    potential = (fields.chemical_potential + FARADAY * curve.voltage(x_nodal)) * test.chemical_potential
    return (
        storage
        + transport
        + potential * measures.nodal(phase)
        - _mechanical(bulk, test, coefficients, measures, phase)
    )


def metal_lithium(
    fields: Fields,
    previous: Fields,
    test: Fields,
    bulk: BulkLaw,
    coefficients: Coefficients,
    dt: Any,
    measures: Measures,
    phase: Any,
) -> Any:
    """Conservation in a grain of metal, levelled over the grain, and µ = 0 plus the work against stress."""
    storage = (fields.concentration - previous.concentration) * test.concentration * measures.nodal(phase)
    level = (
        dt
        * coefficients["diffusivity"]
        * ufl.inner(ufl.grad(fields.concentration), ufl.grad(test.concentration))
    )
    potential = fields.chemical_potential * test.chemical_potential * measures.nodal(phase)
    return (
        storage
        + level * measures.bulk(phase)
        + potential
        - _mechanical(bulk, test, coefficients, measures, phase)
    )


def conductor_lithium(
    fields: Fields, test: Fields, coefficients: Coefficients, dt: Any, measures: Measures, phase: Any
) -> Any:
    """Charge-neutral conductor: Div (κ/F² Grad µ) = 0; it stores nothing."""
    flow = coefficients["diffusivity"] * ufl.inner(
        ufl.grad(fields.chemical_potential), ufl.grad(test.chemical_potential)
    )
    return dt * flow * measures.bulk(phase) + fields.concentration * test.concentration * measures.nodal(
        phase
    )


def no_lithium(fields: Fields, test: Fields, measures: Measures, phase: Any) -> Any:
    """Phases without lithium: c = 0 and µ = 0, decoupled from everything.

    The factor two keeps the linearised integrand different from that of every other phase: UFL merges equal
    integrands over several phases, and DOLFINx 0.9 then drops one of two kernels of a phase (its issue 3735).
    """
    return (
        2.0
        * (fields.concentration * test.concentration + fields.chemical_potential * test.chemical_potential)
        * measures.nodal(phase)
    )


def _mechanical(
    bulk: BulkLaw, test: Fields, coefficients: Coefficients, measures: Measures, phase: Any
) -> Any:
    """Share of stress in the chemical potential at the nodes, from its values at the quadrature points.

    The other terms are lumped. Tested with v itself, stress would enter where v has its centre of gravity, which for
    a node on the boundary of a grain lies inside: an error of first order in the mesh size. The dual function
    v + (d + 1) Grad v · (X - X̄), with X̄ the cell's midpoint, gives every linear field its value at the node.
    """
    v = test.chemical_potential
    x = ufl.SpatialCoordinate(coefficients.function.function_space.mesh)
    dimension = x.ufl_shape[0]
    from_midpoint = x - ufl.as_vector([coefficients[f"midpoint_{axis}"] for axis in "xyz"[:dimension]])
    dual = v + (dimension + 1) * ufl.dot(ufl.grad(v), from_midpoint)
    return bulk.mechanical_potential * dual * measures.bulk(phase)


def conservation_test(test: Fields, coefficients: Coefficients) -> Any:
    """Test function of the lithium balance: that of µ in conductors, that of c elsewhere."""
    conducts = coefficients["conducts"]
    return (1.0 - conducts) * test.concentration + conducts * test.chemical_potential


def interface_opening(displacement: Any) -> Any:
    """Displacement jump u⁻ - u⁺ in µm."""
    return displacement("-") - displacement("+")


def interface_work(
    fields: Fields,
    previous: Fields,
    expected: Fields,
    test: Fields,
    normal: Any,
    history: Any,
    pressure: Any,
    friction: Any,
    stabilisation: Any,
    parameters: cohesive.CohesiveParameters,
    dt: Any,
    dS: Any,
    contact_dS: Any,
    stretch: Any,
) -> Any:
    """Virtual work of the interface tractions: cohesion, contact, friction.

    ``stabilisation`` resists departures from the motion that is expected in the step (see fem/stepping.py): little
    everywhere, more at grains that snap. Its work is reported. Where nothing rubs ``friction`` is None, and none is
    compiled. ``stretch`` is what bonds are stretched by: the opening, unless bonds have formed anew since. Contact has
    points of its own (fem/interfaces/facet_fields.py).
    """
    opening = interface_opening(fields.displacement)
    direction = kinematics.rotated_normal(fields.displacement, normal)
    grown = cohesive.grown_history(stretch, direction, history, parameters, dt)
    pull = cohesive.traction(stretch, direction, grown, parameters)
    push = contact.contact_traction(opening, direction, parameters.contact)
    force = pull + stabilisation * (opening - interface_opening(expected.displacement))
    if friction is not None:
        slip = opening - interface_opening(previous.displacement)
        force += contact.friction_traction(slip, direction, pressure, friction, dt)
    virtual = interface_opening(test.displacement)
    return ufl.inner(force, virtual) * dS + ufl.inner(push, virtual) * contact_dS


def spare(fields: Fields, coefficients: Coefficients) -> Any:
    """Share of the exchange that metal grains that run dry still have on both sides of an interface."""
    x = lithiation(fields.concentration, coefficients)
    metal = coefficients["stores_metal"]
    left = 1.0 - metal + metal * exchange.availability(x, coefficients["metal_floor"])
    return left("+") * left("-")


def interface_flux(fields: Fields, coefficients: Coefficients, share: Any, conductance: Any) -> Any:
    """Lithium flux from '-' to '+' in fmol/(µm² s) by the linear law, with metal grains that run dry."""
    gradient = fields.chemical_potential("-") - fields.chemical_potential("+")
    return share * conductance * spare(fields, coefficients) * gradient


def split(function: Any) -> Fields:
    """Split a mixed function, test or trial function."""
    displacement, *lithium = ufl.split(function)
    return Fields(displacement, *(lithium or (ufl.as_ufl(0.0), ufl.as_ufl(0.0))))
