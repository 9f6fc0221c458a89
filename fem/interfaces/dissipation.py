"""Energy that an interface dissipates by damage: fracture, what relaxed growth adds to it, and fatigue.

With the bilinear law and one fracture energy, what fracture has dissipated is a function of κ. In all other cases it
depends on the path and is summed up: a step adds ∫ Y dD at rate-independent growth, in closed form where the mode does
not change within the step (secant laws) or where only one of the two openings grows (Park, Paulino and Roesler), to
second order in the step elsewhere. Damage by cycles adds the energy that its update releases.
"""

from __future__ import annotations

from typing import Any

import ufl

from fem.interfaces import cohesive
from fem.interfaces.bilinear import BilinearLaw
from fem.interfaces.cohesive import CohesiveParameters
from fem.interfaces.exponential import ExponentialLaw
from fem.interfaces.history import History
from fem.interfaces.opening import split_opening
from fem.interfaces.ppr import Branch, PotentialLaw
from fem.interfaces.step import InterfaceStep

# Keeps divisions by a growth of κ or by an opening that is zero finite (µm).
_NO_GROWTH = 1.0e-15


def fracture_dissipation(history: History, parameters: CohesiveParameters) -> Any:
    """Energy in J/m² that fracture has dissipated since the beginning."""
    if history.dissipated is not None:
        return history.dissipated
    # Without a field of its own the energy follows from κ, and that is so for the bilinear law alone.
    onset, final = parameters.bilinear.onset, parameters.bilinear.final
    energy = 0.5 * parameters.stiffness * onset * final
    share = ufl.min_value(ufl.max_value((history.opening - onset) / (final - onset), 0.0), 1.0)
    return parameters.breakable * energy * share


def spent_share(history: History, parameters: CohesiveParameters) -> Any:
    """Share in [0, 1] of the fracture energy that has been spent; cycles take their share of what is left.

    Of the law of Park, Paulino and Roesler, whose energy depends on the path, it is the share of the strength in
    opening that is gone; for the bilinear law the two are the same.
    """
    one = ufl.as_ufl(1.0)
    values = {name: law.dissipated_share(history.opening, one) for name, law in parameters.secants.items()}
    if parameters.potential is not None:
        values["ppr"] = parameters.potential.strength_lost(history.opening, history.slip)
    share = parameters.breakable * parameters.select(values)
    return share if history.fatigue is None else 1.0 - (1.0 - share) * (1.0 - history.fatigue)


def fracture_step(step: InterfaceStep) -> Any:
    """Energy in J/m² that fracture dissipates in a step, of an interface that remembers its path."""
    history, grown, parameters = step.history, step.grown, step.parameters
    # The mode in the middle of the step: that of the step where it starts closed or goes straight.
    middle = 0.5 * (step.start + step.opening)
    ratio = cohesive.toughness(middle, step.normal, parameters)
    same = ufl.as_ufl(1.0) if ratio is None else ratio
    values: dict[str, Any] = {
        name: _fracture_energy(law, parameters)
        * same
        * (law.dissipated_share(grown.opening, same) - law.dissipated_share(history.opening, same))
        for name, law in parameters.secants.items()
    }
    if parameters.potential is not None:
        values["ppr"] = _potential_step(parameters.potential, step)[0]
    fracture = _untired(history) * parameters.breakable * parameters.select(values)
    return fracture + fatigue_step(step)


def fatigue_step(step: InterfaceStep) -> Any:
    """Energy in J/m² that the last update of the damage by cycles releases.

    The update comes between two steps, at an opening δ_a, and the traction falls at once. The trapezoidal work of the
    step that follows still counts the traction before the fall; ½ ΔD K δ_a δ_b instead of ½ ΔD K δ_a² agrees with it,
    and differs from it by as much as the explicit update itself is in error.
    """
    history = step.history
    if history.fatigue is None or history.fatigue_before is None:
        return 0.0
    fresh = History(history.opening, history.slip)
    product = cohesive.energy_product(step, fresh)
    return (history.fatigue - history.fatigue_before) * ufl.max_value(product, 0.0)


def viscous_dissipation(step: InterfaceStep) -> Any:
    """½ ∫ D'(κ) K (Λ² - Λ*(κ)²) dκ over a step in J/m²: what relaxed growth of damage dissipates beyond fracture.

    Λ*(κ) is the effective opening at which rate-independent damage would be that of κ. The opening Λ is taken to grow
    linearly with κ, from max(Λ, Λ*) at the start to its value at the end. With D' ∝ κ⁻², as in the bilinear law,
    ½ K ΔD Λ_a Λ_b is the integral of ½ K Λ² dD both where Λ is constant and where it is proportional to κ, agrees with
    the trapezoidal work of the traction, and leaves Λ_a Λ_b - Λ*_a Λ*_b ≥ 0. Where the mode turns with two fracture
    energies all of them are those that do the same in the mode of the middle: turning alone is no lag.
    """
    history, grown, parameters = step.history, step.grown, step.parameters
    ends = [
        (
            cohesive.effective_opening(opening, normal, parameters),
            cohesive.toughness(opening, normal, parameters),
        )
        for opening, normal in ((step.start, step.start_normal), (step.opening, step.normal))
    ]
    ratio = cohesive.toughness(0.5 * (step.start + step.opening), step.normal, parameters)
    values: dict[str, Any] = {}
    for name, law in parameters.secants.items():
        first, last = (
            opening if ratio is None else law.effective(law.equivalent(opening, own), ratio)
            for opening, own in ends
        )
        values[name] = _secant_viscous(law, first, last, history.opening, grown.opening, ratio, parameters)
    if parameters.potential is not None:
        values["ppr"] = parameters.breakable * _potential_step(parameters.potential, step)[1]
    return _untired(history) * parameters.select(values)


def _secant_viscous(
    law: BilinearLaw | ExponentialLaw,
    start: Any,
    end: Any,
    history: Any,
    grown: Any,
    ratio: Any | None,
    parameters: CohesiveParameters,
) -> Any:
    def rate_independent(value: Any) -> Any:
        return value if ratio is None else law.effective(value, ratio)

    begin = ufl.max_value(start, rate_independent(history))

    def opening_at(value: Any) -> Any:
        share = (value - history) / ufl.max_value(grown - history, _NO_GROWTH)
        return begin + ufl.min_value(ufl.max_value(share, 0.0), 1.0) * (
            ufl.max_value(end, rate_independent(grown)) - begin
        )

    low, high = law.window(history), law.window(grown)
    change = parameters.breakable * (law.damage(high) - law.damage(low))
    low_opening, high_opening = rate_independent(low), rate_independent(high)
    product = ufl.max_value(opening_at(low), low_opening) * ufl.max_value(opening_at(high), high_opening)
    return 0.5 * parameters.stiffness * change * (product - low_opening * high_opening)


def _potential_step(law: PotentialLaw, step: InterfaceStep) -> tuple[Any, Any]:
    """What the law of Park, Paulino and Roesler dissipates in a step: by fracture, and by relaxed growth beyond it."""
    start = _positions(step.start, step.start_normal, law)
    end = _positions(step.opening, step.normal, law)
    history, grown = step.history, step.grown
    x = [value / law.opening.final for value in (history.opening, grown.opening)]
    y = [value / law.shear.final for value in (history.slip, grown.slip)]
    opening = _branch_step(law.opening, law.shear, x, y, (start[0], end[0]))
    shear = _branch_step(law.shear, law.opening, y, x, (start[1], end[1]))
    return opening[0] + shear[0], opening[1] + shear[1]


def _branch_step(
    own: Branch, other: Branch, x: list[Any], y: list[Any], opening: tuple[Any, Any]
) -> tuple[Any, Any]:
    """-½ ∫ S' δ² of one mode's stiffness S = K p(x) c(y): by growth of its own largest opening, and of the other's."""
    coupling = [other.coupling(value) for value in y]
    mean, drop = 0.5 * (coupling[0] + coupling[1]), coupling[0] - coupling[1]
    ends = list(zip(opening, x, strict=True))
    # Without relaxed growth no opening is beyond the largest one remembered.
    stored = [own.stored(ufl.min_value(now, largest), largest) for now, largest in ends]
    excess = [
        own.stored(ufl.max_value(now, largest), largest) - own.stored(largest, largest)
        for now, largest in ends
    ]
    beyond = [ufl.max_value(now, largest) for now, largest in ends]
    softening = 0.5 * own.stiffness * own.final**2 / own.energy * (own.secant(x[0]) - own.secant(x[1]))
    fracture = mean * (own.spent(x[1]) - own.spent(x[0])) + 0.5 * (stored[0] + stored[1]) * drop
    viscous = mean * softening * (beyond[0] * beyond[1] - x[0] * x[1]) + 0.5 * (excess[0] + excess[1]) * drop
    return own.energy * fracture, own.energy * viscous


def _positions(opening: Any, normal: Any, law: PotentialLaw) -> tuple[Any, Any]:
    along, _ = split_opening(opening, normal)
    return ufl.max_value(along, 0.0) / law.opening.final, cohesive.slip_size(
        opening, normal
    ) / law.shear.final


def _fracture_energy(law: BilinearLaw | ExponentialLaw, parameters: CohesiveParameters) -> Any:
    """Gc in pure opening in J/m²."""
    if isinstance(law, BilinearLaw):
        return 0.5 * parameters.stiffness * law.onset * law.final
    return parameters.stiffness * law.peak**2


def _untired(history: History) -> Any:
    return 1.0 if history.fatigue is None else 1.0 - history.fatigue
