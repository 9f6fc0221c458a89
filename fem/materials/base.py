"""What a material is made of: elasticity, flow, swelling, and its part in the lithium balance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from fem.materials.open_circuit import OpenCircuitCurve
from fem.parameters import Parameter
from fem.units import GAS_CONSTANT

#: Temperature in K at which what has an activation energy has its value: the 60 degC of the reference electrode.
REFERENCE_TEMPERATURE = 333.15


def arrhenius(energy: Parameter | None, temperature: float) -> float:
    """Factor exp(-Q/R (1/T - 1/T_ref)) on what has the activation energy Q in kJ/mol; one where Q is None."""
    if energy is None:
        return 1.0
    return math.exp(-energy.value / GAS_CONSTANT * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE))


@dataclass(frozen=True)
class Elasticity:
    """Isotropic hyperelasticity with Young's modulus E = E0 + E1 x (MPa), x the lithiation."""

    youngs_modulus: Parameter
    youngs_modulus_slope: Parameter
    poisson_ratio: Parameter


@dataclass(frozen=True)
class OverstressFlow:
    """Viscoplastic flow: rate = reference_rate ⟨(σ̄ - threshold - hardening·ε) / drag⟩^exponent.

    Bower et al. 2011 (10.1016/j.jmps.2011.01.003) has drag = threshold. A threshold of 1e30 switches flow off.
    """

    threshold: Parameter
    hardening: Parameter
    drag: Parameter
    reference_rate: Parameter
    exponent: Parameter

    def rate_at(self, temperature: float) -> float:
        """Reference rate in 1/s; no temperature dependence is stated for this law."""
        return self.reference_rate.value


@dataclass(frozen=True)
class AnandFlow:
    """Power-law creep without a yield surface whose resistance S hardens towards a rate-dependent limit.

    rate = A exp(-Q/RT) (σ̄ / S)^(1/m), dS = H0 |1 - S/S*|^a sign(1 - S/S*) dε, S* = Y* (rate / (A exp(-Q/RT)))^n;
    Anand and Narayan 2019 (10.1149/2.0861906jes). ``size_factor`` multiplies all resistances: micrometre bodies
    of lithium are far stronger than bulk (Xu et al. 2017, 10.1073/pnas.1615733114).
    """

    pre_factor: Parameter
    activation_energy: Parameter
    rate_sensitivity: Parameter
    initial_resistance: Parameter
    hardening: Parameter
    saturation: Parameter
    hardening_exponent: Parameter
    saturation_exponent: Parameter
    size_factor: Parameter

    def rate_at(self, temperature: float) -> float:
        """Reference rate A exp(-Q/RT) in 1/s."""
        return self.pre_factor.value * math.exp(-self.activation_energy.value / (GAS_CONSTANT * temperature))


@dataclass(frozen=True)
class Swelling:
    """Volume ratio J_c = 1 + a (x - x0) + b (x² - x0²) + c (x³ - x0³) relative to the initial lithiation x0."""

    linear: Parameter
    quadratic: Parameter
    cubic: Parameter


@dataclass(frozen=True)
class Host:
    """A phase that stores lithium and conducts it.

    Attributes:
        maximum_concentration: c_max in fmol/µm³ of the unlithiated phase.
        diffusivity: D in µm²/s; with an activation energy at ``REFERENCE_TEMPERATURE``, else at any.
        curve: Open-circuit voltage.
        smallest_slope: |dU/dx| in V below which the mobility D c_max / (F |dU/dx|) does not grow further.
        diffusion_energy: Activation energy of D in kJ/mol, or None where D does not depend on the temperature.
    """

    maximum_concentration: Parameter
    diffusivity: Parameter
    curve: OpenCircuitCurve
    smallest_slope: Parameter
    diffusion_energy: Parameter | None = None


@dataclass(frozen=True)
class Reservoir:
    """Lithium metal: a grain's J_c is the fraction of its lithium that is left, down to a least volume.

    Attributes:
        concentration: c of the full metal in fmol/µm³.
        floor: Fraction of its lithium below which a grain gives no more.
        levelling_diffusivity: Numerical: spreads what is left evenly over the grain, in µm²/s.
        least_volume: Smallest J_c: what leaves a grain this small leaves vacancies (fem/materials/vacancies.py).
    """

    concentration: Parameter
    floor: Parameter
    levelling_diffusivity: Parameter
    least_volume: Parameter


@dataclass(frozen=True)
class Conductor:
    """A solid electrolyte: conducts lithium, stores none.

    Attributes:
        conductivity: In S/m; with an activation energy at ``REFERENCE_TEMPERATURE``, else at any temperature.
        conduction_energy: Activation energy in kJ/mol, or None.
    """

    conductivity: Parameter
    conduction_energy: Parameter | None = None


@dataclass(frozen=True)
class Brittleness:
    """How a phase cracks: scatter of its strength after Weibull, and its toughness with a stated flaw.

    P = 1 - exp(-∫ (⟨σ1 - σu⟩ / σ0)^m dV / V0), and K_I / K_IC = Y σ1 √(π a) / K_IC (fem/crack_risk.py).

    Attributes:
        weibull_modulus: M; strengths scatter less the larger it is.
        characteristic_strength: σ0 in MPa; of bodies of the reference volume under σu + σ0 the share 1/e is left whole.
        threshold_stress: σu in MPa, below which nothing ever cracks; zero for the two-parameter form.
        reference_volume: V0 in µm³.
        toughness: K_IC in MPa √µm (1 MPa √m is 1000 of them).
        geometry_factor: Y of the flaw, 1.12 for a shallow crack at a surface.
        flaw_size: Length a of the flaw in µm; never taken longer than the grain.
    """

    weibull_modulus: Parameter
    characteristic_strength: Parameter
    threshold_stress: Parameter
    reference_volume: Parameter
    toughness: Parameter
    geometry_factor: Parameter
    flaw_size: Parameter


@dataclass(frozen=True)
class Material:
    """One phase of the electrode.

    Attributes:
        phase: Name of the phase in the mesh.
        elasticity: Always present.
        flow: Viscoplastic law or None for a purely elastic phase.
        swelling: Volume change of a host or None.
        lithium: Part in the lithium balance or None for an inert phase.
        hessian_length: For what must not fold, pores, metal and binder: length l in µm of the Hessian regularisation
            ½ E l² |Grad Grad u|² (times the share of the metal that has gone), else None.
        closing_modulus: For pores: β in MPa of β (|F|³ / J² - 3√3 (1 - ln J)), or None for no such term.
        holding_modulus: For pores: numerical inertia in MPa against departures from the expected Grad u, or None.
        solid: Whether the phase counts as solid (pores do not).
        fracture: How its particles crack, or None where that is not judged.
    """

    phase: str
    elasticity: Elasticity
    flow: OverstressFlow | AnandFlow | None = None
    swelling: Swelling | None = None
    lithium: Host | Reservoir | Conductor | None = None
    hessian_length: Parameter | None = None
    closing_modulus: Parameter | None = None
    holding_modulus: Parameter | None = None
    solid: bool = True
    fracture: Brittleness | None = None


def parameters_of(item: object, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
    """All parameters of a material or interface law with their dotted names."""
    if not is_dataclass(item):
        return
    for field in fields(item):
        value, name = getattr(item, field.name), f"{prefix}{field.name}"
        if isinstance(value, Parameter):
            yield name, value
        else:
            yield from parameters_of(value, f"{name}.")
