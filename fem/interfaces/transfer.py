"""Lithium that crosses the interfaces of a model or stays in them: exchange, charge transfer, side reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fem import balances, kinetics, side_reaction

if TYPE_CHECKING:
    from fem.model import ElectrodeModel


def exchange(model: ElectrodeModel, share: Any) -> Any:
    """Lithium flux from '-' to '+' in fmol/(µm² s).

    Args:
        model: The coupled model.
        share: Share of the exchange that passes.
    """
    linear = balances.interface_flux(model.fields, model.coefficients, share, model.conductance)
    if model.kinetics is None:
        return linear
    transferred = kinetics.flux(model.fields, model.coefficients, share, model.kinetics)
    return model.kinetics.linear * linear + transferred


def spent(model: ElectrodeModel) -> dict[str, tuple[Any, Any]]:
    """Spent share of the side reaction on each side at the beginning of a step and at its end, by '+' and '-'."""
    if model.reactions is None:
        return {}
    values = {}
    for sign, side in model.reactions.sides.items():
        before = getattr(model.history_value, side_reaction.MEMORY[sign])
        potential = model.fields.chemical_potential(sign)
        after = side_reaction.grown(
            before, potential, model.exchange_share, side, model.reactions.temperature, model.elapsed
        )
        values[sign] = (before, after)
    return values


def taken(model: ElectrodeModel) -> dict[str, Any]:
    """Lithium in fmol/µm² that side reactions take from the grain on each side in a step, by '+' and '-'."""
    if model.reactions is None:
        return {}
    amounts = {sign: side.amount for sign, side in model.reactions.sides.items()}
    return {sign: amounts[sign] * (after - before) for sign, (before, after) in spent(model).items()}


def residual(model: ElectrodeModel, test: balances.Fields) -> Any:
    """Lithium that crosses the interfaces in a step, and what stays there for good."""
    balance = balances.conservation_test(test, model.coefficients)
    flux = exchange(model, model.exchange_share)
    terms = model.dt * flux * (balance("-") - balance("+")) * model.dS
    for sign, lithium in taken(model).items():
        terms += lithium * balance(sign) * model.dS
    return terms


def leaving_conductors(model: ElectrodeModel) -> Any:
    """Lithium in fmol/µm² that leaves conductors through their interfaces in a step."""
    conducts = model.coefficients["conducts"]
    flux = exchange(model, model.exchange_share)
    lithium = model.dt * flux * (conducts("-") - conducts("+"))
    for sign, amount in taken(model).items():
        lithium += conducts(sign) * amount
    return lithium
