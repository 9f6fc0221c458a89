"""Bulk constitutive law of a cell in UFL: one free energy gives the stress and the chemical potential.

Per reference volume the free energy is J_c ψe(be, c) with
ψe = K/2 ((Je² - 1)/2 - ln Je) + G/2 (tr b̄e - 3); flow follows box 9.1 of Simo and Hughes (1998,
10.1007/b98904) on the elastic left Cauchy-Green tensor, without eigenvalues. Instead of resetting tr b̄e to its
trial value, its trace is solved from det b̄e = 1, so that det Fp stays one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ufl

from fem import kinematics

# Keeps the root of the equivalent stress differentiable in a stress-free body (MPa²).
_STRESS_FREE = 1.0e-12


@dataclass(frozen=True)
class CellParameters:
    """UFL values of a cell's parameters: cell-wise constants, and how much of it carries load.

    Attributes:
        youngs_modulus: In MPa at no lithiation.
        youngs_modulus_slope: In MPa.
        poisson_ratio: ν.
        filling: One in pores, else zero.
        closing_modulus: Of the filling of pores, in MPa.
        folding: Stiffness of the Hessian regularisation in MPa µm², zero where there is none.
        folding_rate: Its derivative by lithiation.
        carrying: Share of the load of dense matter that the cell carries at the same strain; None where all do.
        carrying_rate: Its derivative by lithiation, or None.
    """

    youngs_modulus: Any
    youngs_modulus_slope: Any
    poisson_ratio: Any
    filling: Any
    closing_modulus: Any
    folding: Any
    folding_rate: Any
    carrying: Any = None
    carrying_rate: Any = None


@dataclass(frozen=True)
class BulkLaw:
    """UFL expressions of the bulk law at a quadrature point.

    Attributes:
        deformation: F.
        swelling_ratio: J_c.
        equivalent_trial: σ_tr in MPa, from the trial deviator, in what carries.
        triple_shear: 3 µ̄ in MPa, of what carries.
        kirchhoff: Kirchhoff stress per swollen volume τ in MPa, after flow.
        nominal_stress: First Piola-Kirchhoff stress P in MPa.
        double_stress: Of the Hessian regularisation, does work on Grad Grad v, in MPa µm.
        elastic_energy: J_c ψe in MPa (energy per reference volume), with that of the Hessian regularisation.
        mechanical_potential: Its derivative by c at fixed u and Fp, in pJ/fmol.
        elastic_isochoric: b̄e after flow, determinant one.
        swollen_gradient: F Fc⁻¹ = Fe Fp.
        carrying: Share of the load of dense matter that is carried, or None where all is.
    """

    deformation: Any
    swelling_ratio: Any
    equivalent_trial: Any
    triple_shear: Any
    kirchhoff: Any
    nominal_stress: Any
    double_stress: Any
    elastic_energy: Any
    mechanical_potential: Any
    elastic_isochoric: Any
    swollen_gradient: Any
    carrying: Any = None


def deviator(tensor: Any) -> Any:
    """Deviator of a 3 × 3 tensor."""
    return tensor - ufl.tr(tensor) / 3.0 * ufl.Identity(3)


def bulk_law(
    displacement: Any,
    lithiation: Any,
    swelling_ratio: Any,
    swelling_rate: Any,
    plastic_inverse: Any,
    increment: Any,
    parameters: CellParameters,
    concentration_scale: Any,
    dimension: int,
) -> BulkLaw:
    """Build the bulk law.

    Args:
        displacement: u in µm.
        lithiation: x, for the stiffness.
        swelling_ratio: J_c.
        swelling_rate: dJ_c/dx.
        plastic_inverse: Cp⁻¹ = Fp⁻¹ Fp⁻ᵀ at the beginning of the step, 3 × 3, or None where nothing flows.
        increment: Flow increment Δε of the step, or None where nothing flows.
        parameters: Elastic parameters.
        concentration_scale: c_max in fmol/µm³, turns d/dx into d/dc.
        dimension: 2 or 3.
    """
    identity = ufl.Identity(3)
    modulus = parameters.youngs_modulus + parameters.youngs_modulus_slope * lithiation
    nu = parameters.poisson_ratio
    shear, bulk = modulus / (2.0 * (1.0 + nu)), modulus / (3.0 * (1.0 - 2.0 * nu))
    shear_slope = parameters.youngs_modulus_slope / (2.0 * (1.0 + nu))
    bulk_slope = parameters.youngs_modulus_slope / (3.0 * (1.0 - 2.0 * nu))

    F = kinematics.deformation_gradient(displacement, dimension)
    swollen = F * kinematics.inverse_swelling(swelling_ratio, dimension)
    Je = ufl.det(swollen)
    left = swollen * swollen.T if plastic_inverse is None else swollen * plastic_inverse * swollen.T
    trial = Je ** (-2.0 / 3.0) * left
    triple_shear = shear * ufl.tr(trial)
    trial_deviator = shear * deviator(trial)
    equivalent = ufl.sqrt(1.5 * ufl.inner(trial_deviator, trial_deviator) + _STRESS_FREE)
    flowed = 0.0 if increment is None else triple_shear * increment / equivalent
    stress_deviator = trial_deviator * (1.0 - flowed)

    strain_deviator = stress_deviator / shear
    third = _third_of_trace(strain_deviator, iterations=1)
    volumetric = ufl.ln(Je)
    volume_energy = 0.5 * ((Je**2 - 1.0) / 2.0 - volumetric)
    shape_energy = 1.5 * (third - 1.0)
    elastic_energy = bulk * volume_energy + shear * shape_energy
    kirchhoff = bulk / 2.0 * (Je**2 - 1.0) * identity + stress_deviator
    stiffening = bulk_slope * volume_energy + shear_slope * shape_energy
    if parameters.carrying is not None:
        # Strain of what carries is that of the whole, its flow too; energy and stress are in proportion.
        stiffening = parameters.carrying * stiffening + parameters.carrying_rate * elastic_energy
        elastic_energy, kirchhoff = parameters.carrying * elastic_energy, parameters.carrying * kirchhoff
    # The filling of pores is the compressible neo-Hookean G/2 (|F|² - 3 - 2 ln J) with G = E/2: polyconvex, so that it
    # neither wrinkles nor inverts however far a pore closes.
    filling, soft, closing = parameters.filling, parameters.youngs_modulus / 2.0, parameters.closing_modulus
    J, length = ufl.det(F), ufl.sqrt(ufl.inner(F, F))
    at_rest = 3.0 * math.sqrt(3.0)
    filling_stress = soft * (F * F.T - identity) + closing * (
        3.0 * length / J**2 * F * F.T - (2.0 * length**3 / J**2 - at_rest) * identity
    )
    kirchhoff = (1.0 - filling) * kirchhoff + filling * filling_stress
    filling_energy = soft / 2.0 * (length**2 - 3.0 - 2.0 * ufl.ln(J)) + closing * (
        length**3 / J**2 - at_rest * (1.0 - ufl.ln(J))
    )
    nominal = swelling_ratio * kirchhoff * ufl.inv(F).T
    by_swelling = swelling_rate * (elastic_energy - kinematics.swelling_trace(kirchhoff, dimension))
    by_stiffness = swelling_ratio * stiffening
    hessian = ufl.grad(ufl.grad(displacement))
    fold = 0.5 * ufl.inner(hessian, hessian)
    return BulkLaw(
        deformation=F,
        swelling_ratio=swelling_ratio,
        equivalent_trial=equivalent,
        triple_shear=triple_shear,
        kirchhoff=kirchhoff,
        nominal_stress=nominal,
        double_stress=parameters.folding * hessian,
        elastic_energy=swelling_ratio * (1.0 - filling) * elastic_energy
        + filling * filling_energy
        + parameters.folding * fold,
        mechanical_potential=(by_swelling + by_stiffness + parameters.folding_rate * fold)
        / concentration_scale,
        elastic_isochoric=strain_deviator + _third_of_trace(strain_deviator, iterations=4) * identity,
        swollen_gradient=swollen,
        carrying=parameters.carrying,
    )


def _third_of_trace(deviatoric: Any, iterations: int) -> Any:
    """ξ with det(a + ξ I) = 1 for a deviatoric a, by Newton steps from the second-order estimate.

    The equation is ξ³ - ½ (a:a) ξ + det a = 1. For elastic strains of a few per cent one step is good to 1e-7 and
    serves the energy; the update of Cp⁻¹ takes four and reaches rounding.
    """
    square, determinant = ufl.inner(deviatoric, deviatoric), ufl.det(deviatoric)
    value = 1.0 + square / 6.0
    for _ in range(iterations):
        value = value - (value**3 - 0.5 * square * value + determinant - 1.0) / (
            3.0 * value**2 - 0.5 * square
        )
    return value


def updated_plastic_inverse(law: BulkLaw) -> Any:
    """Cp⁻¹ after the step: (Fe Fp)⁻¹ be (Fe Fp)⁻ᵀ with be = Je^(2/3) b̄e; determinant one."""
    inverse = ufl.inv(law.swollen_gradient)
    Je = ufl.det(law.swollen_gradient)
    return Je ** (2.0 / 3.0) * inverse * law.elastic_isochoric * inverse.T
