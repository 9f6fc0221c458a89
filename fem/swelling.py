"""How lithium changes the volume of every phase: hosts swell, grains of metal shrink and are left with vacancies."""

from __future__ import annotations

from typing import Any

import ufl

from fem.coefficients import Coefficients
from fem.materials.vacancies import Site, site


def swelling(x: Any, coefficients: Coefficients) -> tuple[Any, Any]:
    """J_c and dJ_c/dx."""
    a, b, c = (coefficients[f"swelling_{power}"] for power in ("linear", "quadratic", "cubic"))
    x0 = coefficients["initial_lithiation"]
    ratio = 1.0 + a * (x - x0) + b * (x**2 - x0**2) + c * (x**3 - x0**3)
    rate = a + 2.0 * b * x + 3.0 * c * x**2
    if coefficients.has_metal:
        metal = coefficients["stores_metal"]
        now, start = _site_of_metal(x, coefficients), _site_of_metal(x0, coefficients)
        ratio += metal * ((now.volume - x) - (start.volume - x0))
        rate += metal * (now.volume_rate - 1.0)
    return ratio, rate


def carrying(x: Any, coefficients: Coefficients) -> tuple[Any, Any]:
    """Share of the load of dense matter that is carried, and its derivative by x; None where there is no metal."""
    if not coefficients.has_metal:
        return None, None
    metal, now = coefficients["stores_metal"], _site_of_metal(x, coefficients)
    return 1.0 - metal + metal * now.carrying, metal * now.carrying_rate


def folding(x: Any, coefficients: Coefficients) -> tuple[Any, Any]:
    """Stiffness in MPa µm² that the Hessian regularisation meets folds with, and its derivative by x.

    A site of metal counts by the share of its metal that has gone: dense metal is what its own law says.
    """
    stiffness = coefficients["hessian_stiffness"]
    if not coefficients.has_metal:
        return stiffness, ufl.as_ufl(0.0)
    metal = coefficients["stores_metal"]
    return stiffness * (1.0 - metal * x), -stiffness * metal


def vacancies(x: Any, deformation: Any, coefficients: Coefficients) -> Any:
    """Volume of the holes that lithium has left inside the sites of metal, per undeformed volume."""
    if not coefficients.has_metal:
        return ufl.as_ufl(0.0)
    empty = 1.0 - _site_of_metal(x, coefficients).filled
    return coefficients["stores_metal"] * empty * ufl.det(deformation)


def _site_of_metal(x: Any, coefficients: Coefficients) -> Site:
    """The site of a grain of metal at the content x; meaningless in other phases."""
    return site(x, coefficients["least_volume"])
