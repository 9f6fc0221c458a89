"""What a fit says about its parameters: standard uncertainties, correlations, sensitivities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from run.calibration.fit import Fit
from run.calibration.parameters import Fitted
from run.calibration.targets import Target

Array = npt.NDArray[np.float64]
#: Nearer to a bound than this share of the way, a parameter stands at it.
AT_BOUND = 1e-3


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of the fitted parameters, from the slopes at the end and the tolerances of the targets.

    Attributes:
        shares: Standard uncertainties in shares of the way between the bounds, NaN for a parameter that was held or
            that nothing is known of, shape (parameters,).
        correlations: Shape (parameters, parameters), NaN likewise.
        at_bound: ``"low"``, ``"high"`` or ``""``, for each parameter.
        learned: Share of what was known beforehand by which the uncertainty has come down, 0 to 1.
    """

    shares: Array
    correlations: Array
    at_bound: tuple[str, ...]
    learned: Array


def uncertainty(fit: Fit, widths: Array) -> Uncertainty:
    """Linear propagation: covariance (JᵀJ)⁻¹ with weighted slopes J and what was known beforehand.

    Without that, a parameter is taken as known by no more than its bounds: uniform between them.

    Args:
        fit: The finished fit.
        widths: Standard deviations known beforehand, infinite for none, shape (parameters,).
    """
    count = fit.point.size
    before = np.where(np.isinf(widths), 12.0**-0.5, widths)
    free = [i for i in range(count) if i not in fit.held]
    shares, correlations = np.full(count, np.nan), np.full((count, count), np.nan)
    if free and np.any(fit.slopes):
        slopes = fit.slopes[:, free]
        covariance = np.linalg.inv(slopes.T @ slopes + np.diag(before[free] ** -2.0))
        deviations = np.sqrt(np.diag(covariance))
        shares[free] = deviations
        correlations[np.ix_(free, free)] = covariance / np.outer(deviations, deviations)
    bounds = tuple(
        "low" if share < AT_BOUND else "high" if share > 1.0 - AT_BOUND else "" for share in fit.point
    )
    learned = np.clip(1.0 - shares / before, 0.0, 1.0)
    return Uncertainty(shares, correlations, bounds, learned)


def in_unit(parameter: Fitted, share: float, deviation: float) -> float:
    """A standard uncertainty in the unit of the parameter, to first order."""
    value = parameter.value(share)
    return (
        abs(deviation * value / parameter.slope(value))
        if value != 0.0
        else abs(deviation * (parameter.high - parameter.low))
    )


def sensitivities(
    fit: Fit, parameters: Sequence[Fitted], targets: Sequence[Target], reached: Sequence[float]
) -> Array:
    """Logarithmic slopes d ln(quantity)/d ln(parameter), shape (targets, parameters).

    NaN where a quantity is zero or a slope is unknown.
    """
    table = np.full((len(targets), len(parameters)), np.nan)
    for i, target in enumerate(targets):
        for j, parameter in enumerate(parameters):
            if reached[i] != 0.0 and j not in fit.held:
                by_share = fit.slopes[i, j] * target.tolerance
                table[i, j] = by_share * parameter.slope(parameter.value(fit.point[j])) / reached[i]
    return table
