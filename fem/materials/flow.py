"""Viscoplastic flow at quadrature points: the scalar flow increment, its tangent, and hardening.

The weak form only sees the increment Δε and the modulus h = dσ_flow/dΔε; everything that is particular to a flow
law is here, in vectorised NumPy, so that a new law needs no new compiled form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fem.errors import StepFailed
from fem.materials.base import AnandFlow, Material

Array = npt.NDArray[np.float64]
_NEVER = 1.0e30  # a threshold that is never reached, and the modulus where nothing flows
_TOLERANCE = 1.0e-13
_ITERATIONS = 60


@dataclass(frozen=True)
class FlowTable:
    """Flow parameters at every quadrature point, each of shape (points,).

    The law is σ̄ = threshold + hardening · ε + drag · (Δε / (dt · rate))^(1/exponent).
    """

    threshold: Array
    hardening: Array
    rate: Array
    exponent: Array
    initial_drag: Array
    anand_points: tuple[tuple[npt.NDArray[np.intp], AnandFlow], ...]


def flow_table(
    phase_of_point: npt.NDArray[np.int32], materials: list[Material], temperature: float
) -> FlowTable:
    """Tabulate the flow laws of the phases.

    Args:
        phase_of_point: Index into ``materials`` of every quadrature point, shape (points,).
        materials: Material of each phase.
        temperature: In K.
    """
    size = len(phase_of_point)
    threshold, hardening = np.full(size, _NEVER), np.zeros(size)
    rate, exponent, drag = np.ones(size), np.ones(size), np.zeros(size)
    anand = []
    for index, material in enumerate(materials):
        flow, points = material.flow, np.flatnonzero(phase_of_point == index)
        if flow is None:
            continue
        rate[points] = flow.rate_at(temperature)
        if isinstance(flow, AnandFlow):
            threshold[points] = 0.0
            exponent[points] = 1.0 / flow.rate_sensitivity.value
            drag[points] = flow.initial_resistance.value * flow.size_factor.value
            anand.append((points, flow))
        else:
            threshold[points] = flow.threshold.value
            hardening[points] = flow.hardening.value
            exponent[points] = flow.exponent.value
            drag[points] = flow.drag.value
    return FlowTable(threshold, hardening, rate, exponent, drag, tuple(anand))


def solve_increment(
    table: FlowTable, trial: Array, triple_shear: Array, accumulated: Array, drag: Array, dt: float
) -> tuple[Array, Array]:
    """Solve the flow increment of a step at all quadrature points.

    Newton's method in ln Δε from below is monotone for this convex residual.

    Args:
        table: Flow parameters.
        trial: Equivalent trial stress σ_tr in MPa.
        triple_shear: 3 µ̄ in MPa, the fall of σ̄ per unit of Δε.
        accumulated: Accumulated flow strain at the beginning of the step.
        drag: Drag or resistance S in MPa.
        dt: Step in s.

    Returns:
        Δε and the modulus h = dσ_flow/dΔε in MPa (1e30 where nothing flows).

    Raises:
        StepFailed: The trial stress is not finite or the local iteration does not converge.
    """
    if not (np.all(np.isfinite(trial)) and np.all(np.isfinite(triple_shear))):
        raise StepFailed("the trial stress is not finite")
    increment, modulus = np.zeros_like(trial), np.full_like(trial, _NEVER)
    overstress = trial - table.threshold - table.hardening * accumulated
    active = np.flatnonzero(overstress > 0.0)
    if not len(active):
        return increment, modulus
    over, slope = overstress[active], triple_shear[active] + table.hardening[active]
    viscous, power = drag[active], 1.0 / table.exponent[active]
    scale = dt * table.rate[active]
    # Both terms of the residual are positive, so each alone bounds Δε from above; half the smaller starts below.
    with np.errstate(over="ignore", divide="ignore"):
        bound = np.minimum(over / slope, scale * (over / np.maximum(viscous, 1e-300)) ** (1.0 / power))
    value = np.maximum(0.5 * bound, 1e-290)
    for _ in range(_ITERATIONS):
        creep = viscous * (value / scale) ** power
        residual = slope * value + creep - over
        step = -residual / (slope * value + power * creep)
        value = value * np.exp(np.clip(step, -50.0, 50.0))
        if np.max(np.abs(step)) < _TOLERANCE:
            break
    else:
        if np.max(np.abs(step)) > 1e-10:
            raise StepFailed("the flow increment did not converge at a quadrature point")
    increment[active] = value
    modulus[active] = table.hardening[active] + power * viscous * (value / scale) ** power / value
    return increment, modulus


def hardened_drag(table: FlowTable, drag: Array, increment: Array, dt: float) -> Array:
    """Resistance after the step: Anand's S by backward Euler (bisection between S and S*), others unchanged."""
    result = drag.copy()
    for points, flow in table.anand_points:
        flowing = points[increment[points] > 0.0]
        if not len(flowing):
            continue
        factor, delta = flow.size_factor.value, increment[flowing]
        start = drag[flowing]
        limit = (
            flow.saturation.value
            * factor
            * (delta / (dt * table.rate[flowing])) ** flow.saturation_exponent.value
        )
        hardening, exponent = flow.hardening.value * factor, flow.hardening_exponent.value
        near, far = start.copy(), limit.copy()
        for _ in range(60):
            middle = 0.5 * (near + far)
            ratio = 1.0 - middle / limit
            excess = middle - start - hardening * np.abs(ratio) ** exponent * np.sign(ratio) * delta
            beyond = np.where(limit > start, excess > 0.0, excess < 0.0)
            far, near = np.where(beyond, middle, far), np.where(beyond, near, middle)
        result[flowing] = 0.5 * (near + far)
    return result
