"""The parameters of an interface between two phases, and what must hold between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from fem.interfaces.bonding_options import BONDING_OPTIONS
from fem.interfaces.bonding_options import problem as bonding_problem
from fem.interfaces.reactions import REACTION_OPTIONS
from fem.parameters import Parameter

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
        contact_stiffness: Pressure per penetration in MPa/µm of a contact that only just touches.
        relaxation_time: Time in s over which damage follows the opening (Duvaut-Lions).
        residual_stiffness: MPa/µm left when broken, so that a loose grain is not a singular problem.
        exchange_resistance: R_s in pJ µm² s/fmol², infinite where no lithium passes.
        friction: Coulomb coefficient of a broken or sliding contact.
        open_exchange: Share of the exchange that stays where a 2D section shows an open gap (contacts outside it).
        contact_pressure: Pressure in MPa at which a broken interface exchanges half of what an intact one does.
        contact_stiffening_depth: ℓ in µm, penetration at which the pressure is twice what that stiffness alone would
            give (fem/interfaces/pressure_law.py); None or infinite where the two are proportional.
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
    contact_stiffening_depth: Parameter | None = None
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


def contact_stiffening(law: InterfaceLaw) -> float:
    """1/ℓ in 1/µm of contact that stiffens with penetration, zero where it does not."""
    depth = law.contact_stiffening_depth
    return 0.0 if depth is None else 1.0 / depth.value


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
    "contact_stiffening_depth": Parameter(float("inf"), "um", "no stiffening", "assumed"),
    **REACTION_OPTIONS,
    **BONDING_OPTIONS,
}
_CONTACT = ("contact_stiffening_depth",)
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
    "bilinear": (*_CONTACT, *_MIXING, *_FATIGUE, *REACTION_OPTIONS, *BONDING_OPTIONS),
    "exponential": (*_CONTACT, *_MIXING, *_FATIGUE, *REACTION_OPTIONS),
    "ppr": (*_CONTACT, "shear_fracture_energy", *_SHAPES, *_FATIGUE, *REACTION_OPTIONS),
}


@dataclass(frozen=True)
class Flaw:
    """Why a law is not allowed: the parameter to change, its value, and what is allowed."""

    key: str
    value: float
    allowed: str


def flaw(law: InterfaceLaw) -> Flaw | None:
    """What is wrong with the numbers of a law taken together, or None."""
    if not law.number("contact_stiffening_depth") > 0.0:
        return Flaw("contact_stiffening_depth", law.number("contact_stiffening_depth"), "above 0 um")
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


def laws_between(
    phases: Sequence[str], laws: Mapping[str, InterfaceLaw], besides: Sequence[str]
) -> dict[str, InterfaceLaw]:
    """Those laws that some of the phases have with each other, sorted by kind, besides certain kinds."""
    pairs = {kind_name(one, other) for one in phases for other in phases}
    return {kind: laws[kind] for kind in sorted(pairs - set(besides)) if kind in laws}
