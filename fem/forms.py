"""The weak forms of a model, compiled once: residual, its exact derivative, and what a step's end evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ufl
from dolfinx import fem as dfem
from ufl.algorithms.apply_algebra_lowering import apply_algebra_lowering
from ufl.algorithms.apply_derivatives import apply_derivatives

from fem import balances, compat, kinematics, side_reaction
from fem.constitutive import updated_plastic_inverse
from fem.facet_parameters import kind_field
from fem.interfaces import cohesive, contact, dissipation, exchange, transfer
from fem.interfaces.contact_fraction import grown_contact, tabulate
from fem.interfaces.history import History
from fem.interfaces.step import InterfaceStep
from fem.loads import LithiumInflux, Load, Pressure, Source
from fem.materials.base import Conductor, Host, Reservoir

if TYPE_CHECKING:
    from fem.model import ElectrodeModel


@dataclass(frozen=True)
class Forms:
    """Compiled forms and expressions.

    Attributes:
        residual: Weak form of all balances.
        jacobian: Its derivative, with that of the flow increment.
        flow: What the flow of materials needs; None where nothing flows.
    """

    residual: dfem.Form
    jacobian: dfem.Form
    flow: FlowExpressions | None


@dataclass(frozen=True)
class FlowExpressions:
    """What is evaluated at the quadrature points of materials that flow.

    Attributes:
        trial: Equivalent trial stress and 3 µ̄.
        plastic: Cp⁻¹ at the end of the step.
    """

    trial: dfem.Expression
    plastic: dfem.Expression


@dataclass(frozen=True)
class InterfaceForms:
    """Projections of what the interfaces remember.

    Attributes:
        grown: κ at the end of the step.
        memory: What else the interfaces remember at the end of the step, in the order in which it is updated.
        pressure: Contact pressure.
        share: Share of the exchange that passes; None without a lithium balance.
        damage: Damage.
        breakable: One where an interface can break.
    """

    grown: dfem.Form
    memory: dict[str, dfem.Form]
    pressure: dfem.Form
    share: dfem.Form | None
    damage: dfem.Form
    breakable: dfem.Form


def build_forms(model: ElectrodeModel) -> Forms:
    """Residual and Jacobian of a model whose fields, measures and parameters exist."""
    if model.comm.rank == 0:
        compat.forget_abandoned_compiles()
    state = model.state
    test = balances.split(ufl.TestFunction(state.space))
    trial = ufl.TrialFunction(state.space)
    residual = _bulk_residual(model, test)
    if model.interfaces.kinds:
        residual += _interface_residual(model, test)
    for load in model.loads:
        residual += _load_terms(model, load, test)

    jacobian = ufl.derivative(residual, state.unknowns, trial)
    if model.flows:
        jacobian += ufl.derivative(residual, state.increment, _increment_derivative(model, trial))
    return Forms(
        compat.compile_form(residual),
        compat.compile_form(jacobian),
        _flow_expressions(model) if model.flows else None,
    )


def _increment_derivative(model: ElectrodeModel, trial: Any) -> Any:
    """Derivative of the flow increment, which is solved at each quadrature point, along a change of the unknowns.

    By the implicit function theorem (3 µ̄ + h) dΔε = dσ_tr - Δε d(3 µ̄).
    """
    state, bulk = model.state, model.bulk
    direction = ufl.derivative(bulk.equivalent_trial, state.unknowns, trial) - (
        state.increment * ufl.derivative(bulk.triple_shear, state.unknowns, trial)
    )
    direction = apply_derivatives(apply_algebra_lowering(direction))
    return direction / (bulk.triple_shear + state.flow_modulus)


def _flow_expressions(model: ElectrodeModel) -> FlowExpressions:
    bulk, options = model.bulk, compat.jit_options()
    points = compat.interpolation_points(model.state.increment.function_space.element)
    plastic = kinematics.vector_from_symmetric(updated_plastic_inverse(bulk), model.domain.dimension)
    return FlowExpressions(
        trial=dfem.Expression(
            ufl.as_vector([bulk.equivalent_trial, bulk.triple_shear]), points, jit_options=options
        ),
        plastic=dfem.Expression(plastic, points, jit_options=options),
    )


def build_interface_forms(model: ElectrodeModel) -> InterfaceForms:
    """Projections that update the interfaces' memory; only for a model that has interfaces."""
    parameters, history = model.cohesive, model.facet_history
    opening = model.stretch(model.fields.displacement)
    normal = kinematics.rotated_normal(model.fields.displacement, model.normal)
    share: dfem.Form | None = None
    if model.state.has_lithium:
        share = history.projection(
            exchange.exchange_share(
                opening,
                normal,
                model.history_value,
                parameters,
                model.facet_parameters.contact_reference,
                model.facet_parameters.open_exchange,
            )
        )
    grown = cohesive.grown_history(opening, normal, model.history_value, parameters, model.dt)
    return InterfaceForms(
        grown=history.projection(grown.opening),
        memory={
            name: history.projection(value) for name, value in _memory(model, opening, normal, grown).items()
        },
        pressure=history.projection(contact.contact_pressure(opening, normal, parameters.contact)),
        share=share,
        damage=model.facet_constants.projection(cohesive.damage(model.history_value, parameters)),
        breakable=model.facet_constants.projection(parameters.breakable),
    )


def _memory(model: ElectrodeModel, opening: Any, normal: Any, grown: History) -> dict[str, Any]:
    """What interfaces remember besides κ at the end of the step; each depends on those after it at the beginning."""
    # What is spent depends on the contact fraction as well.
    values: dict[str, Any] = {
        side_reaction.MEMORY[sign]: after for sign, (_, after) in transfer.spent(model).items()
    }
    if grown.dissipated is not None:
        parameters, before = model.cohesive, model.previous_fields.displacement
        start = model.stretch(before), kinematics.rotated_normal(before, model.normal)
        step = InterfaceStep(*start, opening, normal, model.history_value, grown, parameters)
        tired = cohesive.tired(step)
        values["dissipated"] = grown.dissipated + dissipation.fracture_step(step)
        if tired is not None:
            values |= {"fatigue_before": grown.fatigue, "fatigue": tired}
    if grown.slip is not None:
        values["slip"] = grown.slip
    if grown.contact is not None:
        values["contact"] = _contact_fraction(model, opening, normal, grown.contact)
    return values


def _contact_fraction(model: ElectrodeModel, opening: Any, normal: Any, contact_fraction: Any) -> Any:
    """Contact fraction at the end of the step, by what has left each area in contact during it."""
    share, metal = model.facet_history.value(model.state.exchange_share), model.coefficients["stores_metal"]
    flux = transfer.exchange(model, share)
    voids = tabulate(
        model.interfaces.kinds,
        model.laws,
        model.materials,
        model.temperature,
        partial(kind_field, model.interfaces, model.facet_constants),
    )
    pressure = contact.contact_pressure(opening, normal, model.cohesive.contact)
    return grown_contact(contact_fraction, flux * (metal("-") - metal("+")), pressure, voids, model.dt)


def _bulk_residual(model: ElectrodeModel, test: balances.Fields) -> Any:
    """Momentum of all cells and the part of every phase in the lithium balance."""
    coefficients, measures, dimension = model.coefficients, model.measures, model.domain.dimension
    fields, previous, bulk, dt = model.fields, model.previous_fields, model.bulk, model.dt
    residual = balances.momentum(bulk, test, dimension, measures.bulk)
    expected = balances.split(model.state.expected)
    residual += balances.filling_inertia(fields, expected, test, coefficients, measures.bulk)
    if not model.state.has_lithium:
        return residual
    for index, material in enumerate(model.materials, start=1):
        if isinstance(material.lithium, Host):
            residual += balances.host_lithium(
                material.lithium.curve,
                fields,
                previous,
                test,
                bulk,
                coefficients,
                dt,
                dimension,
                measures,
                index,
            )
    for index, _ in model.phase_ids(Reservoir):
        residual += balances.metal_lithium(fields, previous, test, bulk, coefficients, dt, measures, index)
    for index, _ in model.phase_ids(Conductor):
        residual += balances.conductor_lithium(fields, test, coefficients, dt, measures, index)
    for index, _ in model.phase_ids(type(None)):
        residual += balances.no_lithium(fields, test, measures, index)
    return residual


def _interface_residual(model: ElectrodeModel, test: balances.Fields) -> Any:
    """Tractions of the interfaces and the lithium they pass."""
    state, history = model.state, model.facet_history
    work = balances.interface_work(
        model.fields,
        model.previous_fields,
        balances.split(state.expected),
        test,
        model.normal,
        model.history_value,
        history.value(state.contact_pressure),
        model.friction,
        model.facet_constants.value(state.stabilisation),
        model.cohesive,
        model.dt,
        model.dS,
        model.contact_dS,
        model.stretch(model.fields.displacement),
    )
    if model.side_contact is not None:
        work += model.side_contact.work(model.fields.displacement, test.displacement)
    if not state.has_lithium:
        return work
    return work + transfer.residual(model, test)


def _load_terms(model: ElectrodeModel, load: Load, test: balances.Fields) -> Any:
    """What a load adds to the residual; zero for supports, mirrors and prescribed fields."""
    zero = 0.0 * test.concentration * model.measures.nodal
    if isinstance(load, Pressure):
        ds = model.measures.boundary(model.domain.boundary_tags[load.boundary])
        return model.control(load.name) * ufl.dot(model.normal, test.displacement) * ds
    if isinstance(load, LithiumInflux):
        ds = model.measures.boundary(model.domain.boundary_tags[load.boundary])
        balance = balances.conservation_test(test, model.coefficients)
        return -model.dt * model.control(load.name) * balance * ds
    if isinstance(load, Source):
        terms = zero
        if load.body_force is not None:
            terms -= ufl.dot(load.body_force, test.displacement) * model.measures.bulk
        if load.lithium is not None:
            terms -= model.dt * load.lithium * test.concentration * model.measures.bulk
        if load.potential is not None:
            terms -= load.potential * test.chemical_potential * model.measures.nodal
        return terms
    return zero
