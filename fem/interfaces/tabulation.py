"""From the parameters of interface laws to the numbers their formulae need, one a kind of interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fem.errors import ParameterError
from fem.interfaces import bilinear, exponential, ppr
from fem.interfaces.bilinear import BilinearLaw
from fem.interfaces.bonding_options import grows
from fem.interfaces.exponential import ExponentialLaw
from fem.interfaces.fatigue import FatigueParameters
from fem.interfaces.law import LAWS, InterfaceLaw, flaw
from fem.interfaces.mixed_mode import ModeMixture
from fem.interfaces.ppr import Branch, BranchNumbers, PotentialLaw

#: Makes a field on the facets from a name and one value a kind.
Field = Callable[[str, Sequence[float]], Any]
# Numbers of a law on the facets of another one, where they must only be harmless.
_HARMLESS_OPENINGS = (1.0, 2.0)
_HARMLESS_BRANCH = BranchNumbers(1.0, 2.0, 1.0, 1.0)


def check(kinds: Sequence[str], laws: Sequence[InterfaceLaw]) -> None:
    """Refuse laws whose numbers do not fit together.

    Raises:
        ParameterError: The first such law.
    """
    for kind, law in zip(kinds, laws, strict=True):
        wrong = flaw(law)
        if wrong is not None:
            raise ParameterError(f"interfaces.{kind}.{wrong.key}", wrong.value, wrong.allowed)


def memory(laws: Sequence[InterfaceLaw]) -> tuple[str, ...]:
    """What interfaces of these laws remember besides κ: names of attributes of ``History``."""
    slips = any(law.law == "ppr" for law in laws)
    tires = any(law.tires for law in laws)
    path = tires or any(law.mixes or law.law != "bilinear" or grows(law) for law in laws)
    voids = any(law.loses_contact for law in laws)
    needed = {"slip": slips, "fatigue": tires, "fatigue_before": tires, "dissipated": path, "contact": voids}
    return tuple(name for name, wanted in needed.items() if wanted)


def intact_stiffness(law: InterfaceLaw) -> float:
    """Stiffness in MPa/µm in opening of the intact interface."""
    if law.strength is not None and law.fracture_energy is not None:
        if law.law == "exponential":
            return exponential.stiffness(law.strength.value, law.fracture_energy.value)
        if law.law == "ppr":
            return _branch(law, "opening").stiffness
    return law.stiffness.value


def effective_shear_ratio(law: InterfaceLaw) -> float:
    """β of the effective opening: root of the stiffness in sliding over that in opening."""
    ratio = law.shear_ratio.value
    if law.law == "exponential" and law.fracture_energy is not None:
        # K = e² σ² / Gc in either mode.
        return ratio * float((law.fracture_energy.value / _shear_energy(law)) ** 0.5)
    return ratio


def separation_laws(
    laws: Sequence[InterfaceLaw], field: Field
) -> dict[str, BilinearLaw | ExponentialLaw | PotentialLaw]:
    """The laws that occur, with their fields."""
    made: dict[str, BilinearLaw | ExponentialLaw | PotentialLaw] = {}
    for name in _names(laws):
        if name == "bilinear":
            pairs = [_bilinear_openings(law) for law in laws]
            made[name] = BilinearLaw(
                field("onset_opening", [begin for begin, _ in pairs]),
                field("final_opening", [end for _, end in pairs]),
            )
        elif name == "exponential":
            made[name] = ExponentialLaw(field("peak_opening", [_peak(law) for law in laws]))
        else:
            made[name] = PotentialLaw(
                _branch_fields("opening", laws, field), _branch_fields("shear", laws, field)
            )
    return made


def chosen_laws(laws: Sequence[InterfaceLaw], field: Field) -> dict[str, Any]:
    """Which law holds on a facet, as fields of ones and zeros; nothing where there is only one."""
    names = _names(laws)
    if len(names) == 1:
        return {}
    return {name: field(f"is_{name}", [float(law.law == name) for law in laws]) for name in names}


def mode_mixture(laws: Sequence[InterfaceLaw], field: Field) -> ModeMixture | None:
    """Fracture energies between the modes, or None where no secant law has two."""
    if not any(law.mixes for law in laws):
        return None
    powers = [float(law.mixes and law.mode_mix == "power") for law in laws]
    return ModeMixture(
        field("shear_toughness", [_energy_ratio(law) if law.mixes else 1.0 for law in laws]),
        field("mode_mix_exponent", [law.number("mode_mix_exponent") for law in laws]),
        field("mode_mix_power", powers) if any(powers) else None,
    )


def fatigue_parameters(laws: Sequence[InterfaceLaw], field: Field) -> FatigueParameters | None:
    """Fatigue, or None where no interface tires."""
    if not any(law.tires for law in laws):
        return None
    return FatigueParameters(
        field("fatigue_rate", [1.0 / law.number("fatigue_accumulation_length") for law in laws]),
        field("fatigue_endurance", [law.number("fatigue_endurance_ratio") for law in laws]),
    )


def _names(laws: Sequence[InterfaceLaw]) -> list[str]:
    present = {law.law for law in laws}
    return [name for name in LAWS if name in present] or ["bilinear"]


def _bilinear_openings(law: InterfaceLaw) -> tuple[float, float]:
    if law.law != "bilinear" or law.strength is None or law.fracture_energy is None:
        return _HARMLESS_OPENINGS
    return bilinear.openings(law.strength.value, law.fracture_energy.value, law.stiffness.value)


def _peak(law: InterfaceLaw) -> float:
    if law.law != "exponential" or law.strength is None or law.fracture_energy is None:
        return _HARMLESS_OPENINGS[0]
    return exponential.peak_opening(law.strength.value, law.fracture_energy.value)


def _branch(law: InterfaceLaw, mode: str) -> BranchNumbers:
    if law.law != "ppr" or law.strength is None or law.fracture_energy is None:
        return _HARMLESS_BRANCH
    strength, energy = law.strength.value, law.fracture_energy.value
    if mode == "shear":
        strength, energy = law.shear_ratio.value * strength, _shear_energy(law)
    return ppr.branch_numbers(
        strength, energy, law.number(f"{mode}_shape_exponent"), law.number(f"{mode}_slope_indicator")
    )


def _branch_fields(mode: str, laws: Sequence[InterfaceLaw], field: Field) -> Branch:
    numbers = [_branch(law, mode) for law in laws]
    energies, excesses = [], []
    for law in laws:
        harmless = law.law != "ppr" or law.fracture_energy is None
        ratio = 1.0 if harmless else _energy_ratio(law)
        energies.append(
            1.0
            if law.fracture_energy is None
            else law.fracture_energy.value * (ratio if mode == "shear" else 1.0)
        )
        excesses.append(max(1.0, ratio if mode == "shear" else 1.0 / ratio))
    return Branch(
        final=field(f"final_{mode}", [number.final for number in numbers]),
        peak=field(f"{mode}_slope_indicator", [law.number(f"{mode}_slope_indicator") for law in laws]),
        exponent=field(f"{mode}_shape_exponent", [number.exponent for number in numbers]),
        power=field(f"{mode}_power", [number.power for number in numbers]),
        energy=field(f"{mode}_energy", energies),
        stiffness=field(f"{mode}_stiffness", [number.stiffness for number in numbers]),
        excess=field(f"{mode}_excess", excesses),
    )


def _shear_energy(law: InterfaceLaw) -> float:
    given = law.shear_fracture_energy or law.fracture_energy
    return 1.0 if given is None else given.value


def _energy_ratio(law: InterfaceLaw) -> float:
    return 1.0 if law.fracture_energy is None else _shear_energy(law) / law.fracture_energy.value
