"""Lithium that crosses the interfaces of a model: exchange between the two sides, and what leaves the electrolyte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fem import balances

if TYPE_CHECKING:
    from fem.model import ElectrodeModel


def exchange(model: ElectrodeModel, share: Any) -> Any:
    """Lithium flux from '-' to '+' in fmol/(µm² s).

    Args:
        model: The coupled model.
        share: Share of the exchange that passes.
    """
    return balances.interface_flux(model.fields, model.coefficients, share, model.conductance)


def leaving_conductors(model: ElectrodeModel) -> Any:
    """Lithium that leaves conductors through their interfaces in fmol/(µm² s)."""
    conducts = model.coefficients["conducts"]
    return exchange(model, model.exchange_share) * (conducts("-") - conducts("+"))
