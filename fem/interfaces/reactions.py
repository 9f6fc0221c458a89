"""Parameters of the reactions at an interface that a law may have: charge transfer and what takes lithium for good."""

from __future__ import annotations

from fem.parameters import Parameter

_FACE = (
    "graphite half full at 60 degC in 1 M liquid electrolyte, public parameter set after Ecker et al. 2015, "
    "10.1149/2.0551509jes; a sulfide is taken to be no worse"
)
_NO_ENERGY = "no such dependence is modelled unless given"
_ONSET = "sulfides decompose, and the plateau of the bare electrode lies, below 0.8 V"
_RATE = "fast against 0.1 C, so that the onset decides; no measurement"
#: Defaults, where a case gives one of them and leaves out those that go with it (REACTION_NEEDS). Without what stands
#: first in each group there is no such reaction.
REACTION_OPTIONS: dict[str, Parameter] = {
    "exchange_current_density": Parameter(60.0, "A/m^2", _FACE, "assumed"),
    "transfer_coefficient": Parameter(0.5, "1", "symmetric barrier", "assumed"),
    "exchange_energy": Parameter(0.0, "kJ/mol", _NO_ENERGY, "assumed"),
    "decomposition_charge": Parameter(
        0.4, "mAh/cm^2", "charge beyond theory of the bare electrode", "derived"
    ),
    "decomposition_onset": Parameter(0.8, "V", _ONSET, "assumed"),
    "decomposition_current": Parameter(10.0, "A/m^2", _RATE, "assumed"),
    "oxide_charge": Parameter(
        0.00078,
        "mAh/cm^2",
        "native SiO2 of 2 nm, 2.2 g/cm3, four lithium a formula unit: 28 C/m2 of real surface",
        "derived",
    ),
    "oxide_onset": Parameter(0.8, "V", "converts before silicon lithiates; no measurement", "assumed"),
    "oxide_current": Parameter(1.0, "A/m^2", _RATE, "assumed"),
}
#: What a parameter of a reaction means nothing without.
REACTION_NEEDS: dict[str, str] = {
    "transfer_coefficient": "exchange_current_density",
    "exchange_energy": "exchange_current_density",
    "decomposition_onset": "decomposition_charge",
    "decomposition_current": "decomposition_charge",
    "oxide_onset": "oxide_charge",
    "oxide_current": "oxide_charge",
}
