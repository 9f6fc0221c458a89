"""The parameters of an interface between two phases, and the kinds that ship."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal, get_args

from fem.interfaces.bonding_options import BONDING_OPTIONS
from fem.interfaces.bonding_options import problem as bonding_problem
from fem.interfaces.reactions import REACTION_OPTIONS
from fem.parameters import Mark, Parameter

LawName = Literal["bilinear", "exponential", "ppr"]
ModeMix = Literal["benzeggagh-kenane", "power"]
LAWS: tuple[str, ...] = get_args(LawName)
MODE_MIXES: tuple[str, ...] = get_args(ModeMix)


@dataclass(frozen=True)
class InterfaceLaw:
    """How two touching phases hold, touch and exchange lithium.

    Attributes:
        strength: Largest traction σ_max in MPa in opening; None for a tie that never breaks.
        fracture_energy: Gc in J/m², the area under the traction-separation curve.
        shear_ratio: β of the effective opening √(⟨δn⟩² + β² δt²); shear strength is β σ_max.
        stiffness: Traction per opening of the intact interface in MPa/µm.
        contact_stiffness: Pressure per penetration in MPa/µm.
        relaxation_time: Time in s over which damage follows the opening (Duvaut-Lions).
        residual_stiffness: MPa/µm left when broken, so that a loose grain is not a singular problem.
        exchange_resistance: R_s in pJ µm² s/fmol², infinite where no lithium passes.
        friction: Coulomb coefficient of a broken or sliding contact.
        open_exchange: Share of the exchange that stays where a 2D section shows an open gap (contacts outside it).
        contact_pressure: Pressure in MPa at which a broken interface exchanges half of what an intact one does.
        corner_stiffness: Of a tie, pulling and pushing, on facets that touch a boundary between two other grains, in
            MPa/µm; None for the same as elsewhere (fem/pore_corners.py).
        law: Shape of the traction-separation curve; only bilinear uses ``stiffness``, the others have their own.
        shear_fracture_energy: Gc in J/m² in shear; None for the same as in opening.
        mode_mix: How Gc goes from the one to the other (bilinear, exponential); see fem/interfaces/mixed_mode.py.
        mode_mix_exponent: Its exponent.
        opening_shape_exponent: α of Park, Paulino and Roesler: below 2 a plateau, 2 straight, above 2 brittle.
        shear_shape_exponent: β of the same in shear.
        opening_slope_indicator: Opening at the peak over that at the end (Park, Paulino and Roesler).
        shear_slope_indicator: The same in shear.
        fatigue_accumulation_length: δ_Σ in µm of Roe and Siegmund; None where cycles do no harm.
        fatigue_endurance_ratio: C_f, share of the present strength below which cycles do no harm.
        void_depth: ℓ in µm, recession of lithium metal at which it no longer touches; None or infinite where its
            contact fraction stays one (fem/interfaces/contact_fraction.py).
        void_replenishment: F j_r in A/m², lithium that diffusion makes up for; None for none.
        exchange_current_density: i0 in A/m² of Butler and Volmer at half filling and the reference temperature, for
            active material or lithium on electrolyte (fem/kinetics.py); None for the linear law with R_s.
        transfer_coefficient: α of it, of the direction in which lithium enters the active material.
        exchange_energy: Activation energy of i0 in kJ/mol.
        decomposition_charge: What decomposition of the electrolyte takes in all, in mAh per cm² of this interface
            (fem/side_reaction.py); None for none.
        decomposition_onset: Potential against lithium in V below which it runs.
        decomposition_current: Its largest rate in A/m², at the beginning.
        oxide_charge: What the surface oxide of silicon takes in all, in mAh per cm² of this interface; None for none.
        oxide_onset: Potential in V below which it does.
        oxide_current: Its largest rate in A/m².
        bonding_hardness: H in MPa: the contact pressure p makes a bond over 1 - exp(-p/H) of the area
            (fem/interfaces/bonding.py); None or infinite where bonds do not grow.
        initial_bond: Share of the area that is bonded at the start.
        bonding_time: τ in s of that growth at the reference temperature.
        bonding_energy: Its activation energy in kJ/mol.
    """

    strength: Parameter | None
    fracture_energy: Parameter | None
    shear_ratio: Parameter
    stiffness: Parameter
    contact_stiffness: Parameter
    relaxation_time: Parameter
    residual_stiffness: Parameter
    exchange_resistance: Parameter
    friction: Parameter
    open_exchange: Parameter
    contact_pressure: Parameter
    corner_stiffness: Parameter | None = None
    law: LawName = "bilinear"
    shear_fracture_energy: Parameter | None = None
    mode_mix: ModeMix = "benzeggagh-kenane"
    mode_mix_exponent: Parameter | None = None
    opening_shape_exponent: Parameter | None = None
    shear_shape_exponent: Parameter | None = None
    opening_slope_indicator: Parameter | None = None
    shear_slope_indicator: Parameter | None = None
    fatigue_accumulation_length: Parameter | None = None
    fatigue_endurance_ratio: Parameter | None = None
    void_depth: Parameter | None = None
    void_replenishment: Parameter | None = None
    exchange_current_density: Parameter | None = None
    transfer_coefficient: Parameter | None = None
    exchange_energy: Parameter | None = None
    decomposition_charge: Parameter | None = None
    decomposition_onset: Parameter | None = None
    decomposition_current: Parameter | None = None
    oxide_charge: Parameter | None = None
    oxide_onset: Parameter | None = None
    oxide_current: Parameter | None = None
    bonding_hardness: Parameter | None = None
    initial_bond: Parameter | None = None
    bonding_time: Parameter | None = None
    bonding_energy: Parameter | None = None

    @property
    def breaks(self) -> bool:
        """Whether it can break at all."""
        return self.strength is not None and self.fracture_energy is not None

    @property
    def mixes(self) -> bool:
        """Whether a mode-mix criterion acts: a secant law with a fracture energy of its own in shear."""
        return self.law != "ppr" and self.shear_fracture_energy is not None

    @property
    def tires(self) -> bool:
        """Whether cycles damage it."""
        return self.fatigue_accumulation_length is not None

    @property
    def loses_contact(self) -> bool:
        """Whether lithium metal can lose contact by voids."""
        return self.void_depth is not None and isfinite(self.void_depth.value)

    def number(self, name: str) -> float:
        """Value of an optional parameter, or of its default in :data:`OPTIONAL` where it was not given."""
        given = getattr(self, name)
        return (OPTIONAL[name] if given is None else given).value


_LINEAR = "softens along a straight line, as the bilinear law does"
_LIMIT = "a quarter of the strength in Roe and Siegmund 2003, 10.1016/S0013-7944(02)00034-6; for metals"
_PEAK = "peak at a twentieth of the final opening"
#: Parameters that some laws have and others have not, with what they are where a case does not give them. The energy
#: and the length have no default: without them there is no difference between the modes, and no fatigue.
OPTIONAL: dict[str, Parameter] = {
    "shear_fracture_energy": Parameter(float("nan"), "J/m^2", "same as in opening", "assumed"),
    "mode_mix_exponent": Parameter(2.0, "1", "1 to 2.5 for most bonds; no measurement", "assumed"),
    "opening_shape_exponent": Parameter(2.0, "1", _LINEAR, "assumed"),
    "shear_shape_exponent": Parameter(2.0, "1", _LINEAR, "assumed"),
    "opening_slope_indicator": Parameter(0.05, "1", _PEAK, "assumed"),
    "shear_slope_indicator": Parameter(0.05, "1", _PEAK, "assumed"),
    "fatigue_accumulation_length": Parameter(float("inf"), "um", "no fatigue", "assumed"),
    "fatigue_endurance_ratio": Parameter(0.25, "1", _LIMIT, "literature"),
    **REACTION_OPTIONS,
    **BONDING_OPTIONS,
}
_MIXING = ("shear_fracture_energy", "mode_mix_exponent")
_FATIGUE = ("fatigue_accumulation_length", "fatigue_endurance_ratio")
_SHAPES = (
    "opening_shape_exponent",
    "shear_shape_exponent",
    "opening_slope_indicator",
    "shear_slope_indicator",
)
#: Which of the optional parameters a law takes.
TAKES: dict[str, tuple[str, ...]] = {
    "bilinear": (*_MIXING, *_FATIGUE, *REACTION_OPTIONS, *BONDING_OPTIONS),
    "exponential": (*_MIXING, *_FATIGUE, *REACTION_OPTIONS),
    "ppr": ("shear_fracture_energy", *_SHAPES, *_FATIGUE, *REACTION_OPTIONS),
}


@dataclass(frozen=True)
class Flaw:
    """Why a law is not allowed: the parameter to change, its value, and what is allowed."""

    key: str
    value: float
    allowed: str


def flaw(law: InterfaceLaw) -> Flaw | None:
    """What is wrong with the numbers of a law taken together, or None."""
    transfer = law.number("transfer_coefficient")
    if not 0.0 < transfer < 1.0:
        return Flaw("transfer_coefficient", transfer, "above 0 and below 1")
    if law.strength is None or law.fracture_energy is None:
        return None
    if law.law == "bilinear":
        least = 0.5 * law.strength.value**2 / law.stiffness.value
        because = (
            f"above {least:.3g} J/m^2, which is strength^2/(2 stiffness) with strength {law.strength.value:g} MPa and "
            f"stiffness {law.stiffness.value:g} MPa/um"
        )
        for key in ("fracture_energy", "shear_fracture_energy"):
            energy = getattr(law, key)
            if energy is not None and energy.value <= least:
                return Flaw(key, energy.value, because)
    wrong = bonding_problem(law)
    if wrong is not None:
        return Flaw(wrong[0], law.number(wrong[0]), wrong[1])
    if law.mixes and law.number("mode_mix_exponent") < 1.0:
        return Flaw("mode_mix_exponent", law.number("mode_mix_exponent"), "1 or more")
    if law.law == "ppr":
        for mode in ("opening", "shear"):
            exponent, ratio = law.number(f"{mode}_shape_exponent"), law.number(f"{mode}_slope_indicator")
            if exponent <= 1.0:
                return Flaw(f"{mode}_shape_exponent", exponent, "above 1")
            if not 0.0 < ratio < exponent**-0.5:
                return Flaw(
                    f"{mode}_slope_indicator",
                    ratio,
                    f"above 0 and below 1/sqrt({mode}_shape_exponent) = {exponent**-0.5:.3g}",
                )
    if law.tires and not 0.0 <= law.number("fatigue_endurance_ratio") < 1.0:
        return Flaw(
            "fatigue_endurance_ratio", law.number("fatigue_endurance_ratio"), "at least 0 and below 1"
        )
    if law.tires and not law.number("fatigue_accumulation_length") > 0.0:
        return Flaw("fatigue_accumulation_length", law.number("fatigue_accumulation_length"), "above 0 um")
    return None


def kind_name(phase_a: str, phase_b: str) -> str:
    """Name of the interface between two phases; independent of their order."""
    return "|".join(sorted((phase_a, phase_b)))


_RESISTANCE = (
    "flakes from D_eff; RT F/i0 with i0 of 9 (face), 0.3 (silicon), 0.03 A/m2 (lithium); to be calibrated"
)
_BARE = "Lee et al. 2023, 10.1002/aenm.202300172: bare pressed electrode; upper bound, cutting also deforms"


def _law(
    strength: float | None,
    energy: float,
    resistance: float,
    energy_source: str = _BARE,
    energy_mark: Mark = "read",
    stiffness: float = 2.0e5,
) -> InterfaceLaw:
    return InterfaceLaw(
        None
        if strength is None
        else Parameter(strength, "MPa", "5-50 MPa possible: the cohesive zone must be resolved", "assumed"),
        None if strength is None else Parameter(energy, "J/m^2", energy_source, energy_mark),
        Parameter(1.0, "1", "shear as strong as opening", "assumed"),
        Parameter(stiffness, "MPa/um", "about ten times the stiffness of an element layer", "assumed"),
        Parameter(
            stiffness if strength is None else _CONTACT, "MPa/um", "1 nm of penetration a GPa", "assumed"
        ),
        Parameter(0.1, "s", "regularises snapping; its dissipation is reported", "assumed"),
        Parameter(1.0e-3, "MPa/um", "1 kPa at 1 um: carries a loose grain", "assumed"),
        Parameter(resistance, "pJ um^2 s/fmol^2", _RESISTANCE, "assumed"),
        Parameter(
            0.0 if strength is None else 0.2, "1", "dry graphite and silicon slide; no measurement", "assumed"
        ),
        Parameter(0.25, "1", "contacts outside the 2D section; 0 in 3D", "assumed"),
        Parameter(1.0, "MPa", "contact pressure of a few MPa restores contact", "assumed"),
    )


# Stiffness of contact in MPa/µm where an interface can break. Five times softer took as many Newton iterations.
_CONTACT = 1.0e6

# Flakes: the bare electrode's effective diffusivity 0.143 µm²/s against 0.24 µm²/s of graphite leaves, over layers of
# 3 µm, 8.5 s/µm to the contacts; with dµ/dc of about 0.92 pJ µm³/fmol² that is 8 when they have opened, 2 intact.
# The others are RT F / i0 with exchange current densities i0 of about 9 A/m² (electrolyte face), 0.3 A/m² (silicon with
# its oxide) and 0.03 A/m² (lithium powder with its carbonate shell).
_CLOSED = float("inf")
_CORNER = "that of the filling itself; 0.1 and 1 give the same thickening within 1 %"
_FLAKES = 2.0
_FACE = 30.0
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
        laws[kind_name(host, "electrolyte")] = _law(
            50.0, 2.1, _FACE if host == "graphite" else _SILICON, _PRESSED, "assumed"
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
