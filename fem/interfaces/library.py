"""The interface laws that ship: what every pair of phases holds, resists and lets through, with its source."""

from __future__ import annotations

from dataclasses import replace

from fem.interfaces.law import InterfaceLaw, kind_name
from fem.parameters import Mark, Parameter

_RESISTANCE = "flakes from D_eff; RT F/i0 with i0 of 0.3 (silicon), 0.03 A/m2 (lithium); to be calibrated"
_BARE = "Lee et al. 2023, 10.1002/aenm.202300172: bare pressed electrode; upper bound, cutting also deforms"


_STIFFENS = "numerical: 5.6 nm of penetration at 4 GPa instead of 13"


def _law(
    strength: float | None,
    energy: float,
    resistance: float,
    energy_source: str = _BARE,
    energy_mark: Mark = "read",
    stiffness: float = 2.0e4,
) -> InterfaceLaw:
    return InterfaceLaw(
        None
        if strength is None
        else Parameter(strength, "MPa", "5-50 MPa possible: the cohesive zone must be resolved", "assumed"),
        None if strength is None else Parameter(energy, "J/m^2", energy_source, energy_mark),
        Parameter(1.0, "1", "shear as strong as opening", "assumed"),
        Parameter(
            stiffness,
            "MPa/um",
            "about that of an element layer; peak at 1 nm, 3 % of the final opening",
            "assumed",
        ),
        Parameter(
            stiffness if strength is None else _CONTACT,
            "MPa/um",
            "3 nm of penetration a GPa if it did not stiffen",
            "assumed",
        ),
        Parameter(0.1, "s", "regularises snapping; its dissipation is reported", "assumed"),
        Parameter(1.0e-3, "MPa/um", "1 kPa at 1 um: carries a loose grain", "assumed"),
        Parameter(resistance, "pJ um^2 s/fmol^2", _RESISTANCE, "assumed"),
        Parameter(
            0.0 if strength is None else 0.2, "1", "dry graphite and silicon slide; no measurement", "assumed"
        ),
        Parameter(0.25, "1", "contacts outside the 2D section; 0 in 3D", "assumed"),
        Parameter(1.0, "MPa", "contact pressure of a few MPa restores contact", "assumed"),
        contact_stiffening_depth=None if strength is None else Parameter(4.0e-3, "um", _STIFFENS, "assumed"),
    )


# Stiffness of contact in MPa/µm where an interface can break. Three times softer or stiffer, the thickening of a narrow
# bare section at a mean lithiation of 0.15 was 11.0 +- 0.1 %; the stiffer one took 40 % more Newton iterations.
_CONTACT = 3.0e5

# Flakes: the bare electrode's effective diffusivity 0.143 µm²/s against 0.24 µm²/s of graphite leaves, over layers of
# 3 µm, 8.5 s/µm to the contacts; with dµ/dc of about 0.92 pJ µm³/fmol² that is 8 when they have opened, 2 intact.
# The others are RT F / i0 with exchange current densities i0 of 60 A/m² (electrolyte face), 0.3 A/m² (silicon with its
# oxide) and 0.03 A/m² (lithium powder with its carbonate shell). The face had 30 (9 A/m², no source) before: at 0.5 C
# that is 50 mV on a whole face and 200 mV on a parted one, more than graphite's plateaus have above 0 V.
_CLOSED = float("inf")
_CORNER = "that of the filling itself; 0.1 and 1 give the same thickening within 1 %"
_FLAKES = 2.0
_FACE = 4.4
_TRANSFER = (
    "RT F/i0, i0 60 A/m2 at 60 degC: graphite half full in 1 M liquid electrolyte, 5.4 A/m2 at 23 degC, 53.4 kJ/mol, "
    "public parameter set after Ecker et al. 2015, 10.1149/2.0551509jes; a sulfide is taken to be no worse"
)
_SILICON = 1.0e3
_LITHIUM = 1.0e4
_VOIDS = "roughness of pressed powder; no measurement"
_VACANCIES = (
    "0.5 to 2 A/m2 at 25 degC without pressure, Krauskopf et al. 2019, 10.1021/acsami.9b02537; lower end, at any "
    "temperature"
)
_FIBRILS = "binder holds by fibrils that stretch: weaker and tougher than dry contact; no measurement"
_PRESSED = (
    "sulfide pressed around the particles holds up to its own toughness, K_IC 0.23 MPa m^0.5; no measurement"
)


def shipped_laws() -> dict[str, InterfaceLaw]:
    """Interface laws of all pairs of phases that ship, by kind name."""
    laws: dict[str, InterfaceLaw] = {}
    hosts = ("graphite", "silicon")
    for number, host in enumerate(hosts):
        for other in hosts[number:]:
            resistance = _FLAKES if other == host == "graphite" else _SILICON
            laws[kind_name(host, other)] = _law(20.0, 0.31, resistance)
        laws[kind_name(host, "lithium")] = replace(
            _law(20.0, 1.0, _LITHIUM, "pressed lithium sticks; no source", "assumed"),
            void_depth=Parameter(0.5, "um", _VOIDS, "assumed"),
            void_replenishment=Parameter(0.5, "A/m^2", _VACANCIES, "literature"),
        )
        laws[kind_name(host, "binder")] = _law(10.0, 2.0, _CLOSED, _FIBRILS, "assumed")
        laws[kind_name(host, "copper")] = _law(20.0, 0.31, _CLOSED)
        laws[kind_name(host, "electrolyte")] = _law(50.0, 2.1, _SILICON, _PRESSED, "assumed")
    face = kind_name("graphite", "electrolyte")
    laws[face] = replace(
        laws[face], exchange_resistance=Parameter(_FACE, "pJ um^2 s/fmol^2", _TRANSFER, "assumed")
    )
    for other in ("binder", "copper", "electrolyte", "lithium"):
        laws[kind_name("lithium", other)] = _law(
            20.0, 1.0, _CLOSED, "pressed lithium sticks; no source", "assumed"
        )
    laws[kind_name("binder", "electrolyte")] = _law(50.0, 2.1, _CLOSED, _PRESSED, "assumed")
    for other in ("binder", "copper"):
        laws[kind_name("binder", other)] = _law(10.0, 2.0, _CLOSED, _FIBRILS, "assumed")
    laws[kind_name("copper", "electrolyte")] = _law(50.0, 2.1, _CLOSED, _PRESSED, "assumed")
    for other in (*hosts, "lithium", "binder", "copper", "electrolyte", "pore"):
        laws[kind_name("pore", other)] = replace(
            _law(None, 0.0, _CLOSED, stiffness=1.0e4),
            corner_stiffness=Parameter(0.1, "MPa/um", _CORNER, "assumed"),
        )
    return laws
