"""The materials that ship: every number with unit, source and mark (table in docs/parameters.md)."""

from __future__ import annotations

from fem.materials.base import (
    AnandFlow,
    Brittleness,
    Conductor,
    Elasticity,
    Host,
    Material,
    OverstressFlow,
    Reservoir,
    Swelling,
)
from fem.materials.open_circuit import GraphiteChen, SiliconVerbrugge
from fem.parameters import Mark, Parameter

_NONE = "no such dependence is modelled"


def _p(value: float, unit: str, source: str, mark: Mark) -> Parameter:
    return Parameter(value, unit, source, mark)


def _elastic(
    modulus: float, slope: float, poisson: float, source: str, mark: Mark, slope_source: str = _NONE
) -> Elasticity:
    return Elasticity(
        _p(modulus, "MPa", source, mark),
        _p(slope, "MPa", slope_source, "literature" if slope else "assumed"),
        _p(poisson, "1", source, mark),
    )


def _plastic(
    yield_stress: float, source: str, mark: Mark, hardening: float = 0.0, why: str = "perfectly plastic"
) -> OverstressFlow:
    """Nearly rate-independent J2 flow: five per cent overstress at 1e-4 /s."""
    smooth = "makes J2 flow smooth: overstress of 5 % of the yield stress at 1e-4 /s"
    return OverstressFlow(
        _p(yield_stress, "MPa", source, mark),
        _p(hardening, "MPa", why, "assumed"),
        _p(0.05 * yield_stress, "MPa", smooth, "assumed"),
        _p(1e-4, "1/s", smooth, "assumed"),
        _p(1.0, "1", smooth, "assumed"),
    )


_DRAWN = "PVDF stiffens when it is drawn: some 35 MPa at a plastic strain of one; no measurement at 60 degC"
_EDGE_CRACK = "shallow crack at a surface"
_TWO_PARAMETERS = "two-parameter Weibull distribution"

GRAPHITE = Material(
    "graphite",
    _elastic(
        15e3, 30e3, 0.3, "Ai et al. 2020, 10.1149/2.0122001JES", "read", "Qi et al. 2010: threefold to LiC6"
    ),
    _plastic(
        200.0,
        "cut-off of elastic graphite: shear along the basal planes; no source for a single flake",
        "assumed",
    ),
    Swelling(
        _p(0.132, "1", "13.2 % at x = 1, Schweidler et al. 2018, 10.1021/acs.jpcc.8b01873", "literature"),
        _p(0.0, "1", _NONE, "assumed"),
        _p(0.0, "1", _NONE, "assumed"),
    ),
    Host(
        _p(31.36, "fmol/um^3", "2.26 g/cm3 and LiC6", "derived"),
        _p(0.24, "um^2/s", "3.9e-14 to 5.5e-14 m2/s at 25 degC and 35 kJ/mol, at 60 degC", "derived"),
        GraphiteChen(),
        _p(0.05, "V", "bounds the mobility on the staging plateaus", "assumed"),
    ),
    fracture=Brittleness(
        _p(8.0, "1", "moulded graphites lie around 10, single particles scatter more; no source", "assumed"),
        _p(60.0, "MPa", "critical stress of Ai et al. 2020, 10.1149/2.0122001JES, of a particle", "read"),
        _p(0.0, "MPa", _TWO_PARAMETERS, "assumed"),
        _p(270.0, "um^3", "sphere of 8 um: the critical stress is taken for a whole particle", "assumed"),
        _p(
            74.5,
            "MPa um^0.5",
            "sqrt(E Gc) of 15 GPa and the cleavage energy 0.37 J/m2, Wang et al. 2015, 10.1038/ncomms8853",
            "derived",
        ),
        _p(1.12, "1", "Paris' law constant b, Ai et al. 2020", "read"),
        _p(0.02, "um", "initial crack of 20 nm, Ai et al. 2020", "read"),
    ),
)

SILICON = Material(
    "silicon",
    _elastic(
        55e3, -36e3, 0.26, "film biaxial modulus 70 to 35 GPa, Sethuraman et al. 2010", "read", "same films"
    ),
    OverstressFlow(
        _p(120.0, "MPa", "Bower et al. 2011, 10.1016/j.jmps.2011.01.003", "read"),
        _p(0.0, "MPa", _NONE, "assumed"),
        _p(120.0, "MPa", "Bower et al. 2011: drag equals threshold", "read"),
        _p(6e-10, "1/s", "Bower et al. 2011", "read"),
        _p(4.0, "1", "Bower et al. 2011", "read"),
    ),
    Swelling(
        _p(2.8, "1", "9.0e-6 against 12.0e-6 m3/mol: J_c = 3.8 at Li3.75Si", "read"),
        _p(0.0, "1", _NONE, "assumed"),
        _p(0.0, "1", _NONE, "assumed"),
    ),
    Host(
        _p(311.1, "fmol/um^3", "Li3.75Si and 2.33 g/cm3", "derived"),
        _p(5e-4, "um^2/s", "1e-18 to 1.7e-14 m2/s in use; start at 1e-16 to 1e-15", "read"),
        SiliconVerbrugge(),
        _p(0.1, "V", "bounds the mobility", "assumed"),
    ),
    fracture=Brittleness(
        _p(6.0, "1", "between brittle particles (3-5) and dense ceramics (10); no source", "assumed"),
        _p(
            720.0,
            "MPa",
            "critical stress in a public parameter set after Bonkile et al. 2024, of a particle",
            "literature",
        ),
        _p(0.0, "MPa", _TWO_PARAMETERS, "assumed"),
        _p(0.8, "um^3", "sphere of 1.15 um: the critical stress is taken for a whole agglomerate", "assumed"),
        _p(
            389.0,
            "MPa um^0.5",
            "sqrt(E Gc) of Li2.8Si: 28 GPa and 5.4 J/m2, the least of Pharr et al. 2013, 10.1021/nl403197m",
            "derived",
        ),
        _p(1.12, "1", _EDGE_CRACK, "assumed"),
        _p(0.1, "um", "one primary particle of the agglomerate", "assumed"),
    ),
)

LITHIUM = Material(
    "lithium",
    _elastic(7.81e3, 0.0, 0.38, "Anand and Narayan 2019, 10.1149/2.0861906jes", "read"),
    AnandFlow(
        _p(4.25e4, "1/s", "Anand and Narayan 2019", "read"),
        _p(37.0, "kJ/mol", "Anand and Narayan 2019", "read"),
        _p(0.15, "1", "Anand and Narayan 2019", "read"),
        _p(0.95, "MPa", "Anand and Narayan 2019", "read"),
        _p(10.0, "MPa", "Anand and Narayan 2019", "read"),
        _p(2.0, "MPa", "Anand and Narayan 2019", "read"),
        _p(2.0, "1", "Anand and Narayan 2019", "read"),
        _p(0.05, "1", "Anand and Narayan 2019", "read"),
        _p(10.0, "1", "grains of 3-6 um lie between bulk (0.8 MPa) and 1 um pillars (105 MPa)", "assumed"),
    ),
    None,
    Reservoir(
        _p(76.9, "fmol/um^3", "0.534 g/cm3", "read"),
        _p(0.02, "1", "lithium that stays in an emptied grain", "assumed"),
        _p(10.0, "um^2/s", "numerical: levels a 5 um grain in seconds", "assumed"),
        _p(0.15, "1", "an emptied site keeps that share of its volume as vacancies; no source", "assumed"),
    ),
    hessian_length=_p(
        0.0036, "um", "numerical: keeps emptied metal from folding as a filling does", "assumed"
    ),
)

BINDER = Material(
    "binder",
    _elastic(0.5e3, 0.0, 0.36, "PVDF assumed; 60 degC", "literature"),
    _plastic(15.0, "PVDF at 60 degC", "literature", 20.0, _DRAWN),
    hessian_length=_p(0.03, "um", "numerical: keeps binder that is drawn out from folding", "assumed"),
)

COPPER = Material(
    "copper",
    _elastic(120e3, 0.0, 0.34, "copper foil", "literature"),
    _plastic(250.0, "copper foil 200-300 MPa", "literature"),
)

ELECTROLYTE = Material(
    "electrolyte",
    _elastic(22.1e3, 0.0, 0.37, "Li6PS5Cl", "literature"),
    lithium=Conductor(_p(0.8, "S/m", "Li6PS5Cl, 0.6-1 S/m at 60 degC", "literature")),
)

PORE = Material(
    "pore",
    _elastic(0.1, 0.0, 0.0, "soft filling that stands for an empty pore", "assumed"),
    hessian_length=_p(1.0, "um", "numerical: keeps soft elements regular where they are crushed", "assumed"),
    closing_modulus=_p(1.0e-4, "MPa", "numerical: keeps a filling from being crushed", "assumed"),
    holding_modulus=_p(
        5.0, "MPa", "numerical: resists departures of a filling from its expected motion", "assumed"
    ),
    solid=False,
)

MATERIALS: dict[str, Material] = {
    material.phase: material for material in (GRAPHITE, SILICON, LITHIUM, BINDER, COPPER, ELECTROLYTE, PORE)
}
