"""Virtual adhesion tests: a model in any state is pulled apart along a section, and its work is accounted for.

*Pull-off*: the upper face moves away from the foil; side rollers stay. *Peel*: the upper left edge moves away at a
right angle to the foil, the left side above the section is free; the interfaces let go from left to right.

What is done on the body goes into the interfaces (cohesive: fracture; viscous: what relaxed growth of damage adds),
plastic flow by phase, friction, what is stored, and the lithium that goes on moving between grains: as it makes them
swell against stresses it takes work, or does some (chemical, then less than zero). What is left is lost in snaps:
elastic energy that would become motion and sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem

from fem.adhesion_ledger import Ledger, Row
from fem.constraints import Constraint, owned_dofs
from fem.errors import RunStopped
from fem.idle_force import IdleForce
from fem.model import ElectrodeModel
from fem.section import Section
from fem.side_solver import side_solver
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings

Kind = Literal["pull-off", "peel"]
#: Time in s in which the pressure is taken away before the body is gripped: short for lithium, but long enough for
#: friction to creep (fem/interfaces/contact.py).
_UNLOADING = 10.0
# Numerical inertia in MPa/µm during a pull: a tenth of that of runs, since what a peel measures is a force.
_RESTING = 0.3
#: A pull-off is over when the force has fallen to this share of its largest, or to a tenth of what counts as a pull at
#: all (MPa): where the body creeps it may push on the grip at first. What a body that is apart carries by numbers alone
#: (fem/idle_force.py) does not count.
_REST = 0.005
PULL = 1.0e-3
#: Way in µm of the grip without such a pull after which a body without bonds in its section counts as apart: nearly
#: twice the final opening of the shipped bonds of hosts. And the share of the bonds that has to be broken.
_PROBE, _BROKEN = 0.05, 0.999
#: A body that comes apart elsewhere leaves its section alone: on that way in µm not this share of its bonds lets go,
#: and nothing pulls by more than that in MPa. One in one piece, a hundred times as soft as graphite and 30 µm high,
#: pulls by 0.5 MPa on that way.
_AWAY, _GROWN, _WEAK = 0.1, 1.0e-3, 0.05
#: Way in µm after which a body that has never pulled by more than that is left alone, whatever goes on in its section:
#: what flows or drags does so for as long as one pulls.
_DRAGS = 0.3
#: Shares of the section between which a peel is taken as steady, and at which it ends.
STEADY = (0.3, 0.8)


@dataclass(frozen=True)
class Pull:
    """How a body is pulled.

    Attributes:
        kind: Pull-off or peel.
        speed: Of the grip in µm/s.
        farthest: Way of the grip in µm at which the test ends in any case.
        first: Way of the first step in µm.
        largest: Way of the largest step in µm.
        damage_change: Largest change of the mean damage in a step that is aimed at.
    """

    kind: Kind = "pull-off"
    speed: float = 1.0e-3
    farthest: float = 1.0
    first: float = 5.0e-4
    largest: float = 4.0e-3
    damage_change: float = 0.01


@dataclass(frozen=True)
class Curve:
    """What a test gave.

    Attributes:
        rows: One a step: ``way_um``, ``force_N_m`` (per depth in 2D), what of it a body that is apart carries as well
            (``idle_force_N_m``), ``debonded_share`` of the section, energies in J/m² of the section's width.
        reason: Why it ended.
        complete: Whether it ended because the body was apart, or peeled as far as wanted.
        apart: Whether nothing has held it: no pull above :data:`PULL` was felt, and no bond is left.
    """

    rows: tuple[Row, ...]
    reason: str
    complete: bool
    apart: bool = False


def unload(
    model: ElectrodeModel,
    settings: SolverSettings,
    alongside: Callable[[float], None] | None = None,
    control: str = "pressure",
    pause: Callable[[], None] | None = None,
) -> None:
    """Take a pressure away little by little; collective.

    Args:
        model: That is to be gripped.
        settings: Of the solver.
        alongside: Called with the share of the way, 0 to 1, at the beginning of each step: what else is to change.
        control: The pressure's.
        pause: Called before every step; may raise :class:`fem.errors.Interrupted`.

    Raises:
        RunStopped: The body has no equilibrium without it.
    """
    pressure, state = model.control(control), model.state
    start, began = float(pressure.value), state.time

    def refresh() -> None:
        share = min(1.0, (state.time + float(model.dt.value) - began) / _UNLOADING)
        pressure.value = start * (1.0 - share)
        if alongside is not None:
            alongside(share)

    # A constraint of no dofs: what a step that is cut back takes away is cut back as well.
    model.constraints.append(Constraint(np.empty(0, dtype=np.int32), np.empty(0), refresh))
    limits = StepSettings(first=0.05 * _UNLOADING, smallest=1e-7 * _UNLOADING, largest=0.1 * _UNLOADING)
    with side_solver(model, settings) as solver:
        stepper = Stepper(model, solver, limits)
        while (left := began + _UNLOADING - state.time) > 1e-9 * _UNLOADING:
            if pause is not None:
                pause()
            stepper.advance(left)
    model.constraints.pop()


def pull(
    model: ElectrodeModel,
    section: Section,
    how: Pull,
    settings: SolverSettings,
    told: Callable[[Row], None] | None = None,
    pause: Callable[[], None] | None = None,
) -> Curve:
    """Pull a body apart; collective. The model's constraints and state are changed.

    Args:
        model: In the state to start from, unloaded, with interfaces held elsewhere if that is wanted.
        section: Where it is to come apart: debonding is measured there.
        how: Kind and speed.
        settings: Of the solver.
        told: Called with every row.
        pause: Called before every step; may raise :class:`fem.errors.Interrupted`.
    """
    ledger = Ledger(model, section, _grip(model, section, how), how.speed)
    with side_solver(model, settings) as solver:
        return _pulled(solver, section, how, ledger, told, pause)


def _pulled(
    solver: NewtonSolver,
    section: Section,
    how: Pull,
    ledger: Ledger,
    told: Callable[[Row], None] | None,
    pause: Callable[[], None] | None,
) -> Curve:
    """Pull a gripped body until something ends the test."""
    model = solver.model
    idle, carried = IdleForce(model, section), 0.0

    def measure() -> bool:
        nonlocal carried
        carried = idle.measure()
        return ledger.measure()

    limits = StepSettings(
        first=how.first / how.speed,
        smallest=1.0e-4 * how.first / how.speed,
        largest=how.largest / how.speed,
        damage_change=how.damage_change,
        stabilisation=0.0,
        resting_stabilisation=_RESTING,
        holding_stabilisation=0.0,
    )
    stepper = Stepper(model, solver, limits, measure)
    # A force that resists motion is felt by the grip: only a snap that no small step follows is slowed by one.
    slowed = Stepper(model, solver, replace(limits, stabilisation=StepSettings.stabilisation), measure)
    rows: list[Row] = [ledger.start() | {"idle_force_N_m": 0.0}]
    peak, least = 0.0, PULL * section.width
    while True:
        left = how.farthest - rows[-1]["way_um"]
        if left <= 1e-9 * how.farthest:
            return Curve(tuple(rows), f"the grip has moved {how.farthest:g} um", False)
        if pause is not None:
            pause()
        try:
            try:
                stepper.advance(left / how.speed)
            except RunStopped:
                slowed.next_dt = limits.first
                slowed.advance(left / how.speed)
                stepper.next_dt = limits.first
        except RunStopped as stop:
            return Curve(tuple(rows), str(stop), False)
        rows.append(ledger.accepted() | {"idle_force_N_m": carried})
        if told is not None:
            told(rows[-1])
        held, share = rows[-1]["force_N_m"] - carried, rows[-1]["debonded_share"]
        peak = max(peak, held)
        if how.kind == "pull-off" and peak > least and held < max(_REST * peak, 0.1 * least):
            return Curve(tuple(rows), "the force has gone", True)
        if how.kind == "pull-off" and peak <= least and share > _BROKEN and rows[-1]["way_um"] > _PROBE:
            return Curve(tuple(rows), _nothing(rows[-1], held / section.width), True, True)
        unloaded = peak < _WEAK * section.width and share - rows[0]["debonded_share"] < _GROWN
        if how.kind == "pull-off" and unloaded and rows[-1]["way_um"] > _AWAY:
            return Curve(tuple(rows), _elsewhere(rows[-1], peak / section.width), True)
        if how.kind == "pull-off" and peak < _WEAK * section.width and rows[-1]["way_um"] > _DRAGS:
            return Curve(tuple(rows), _dragging(rows[-1], peak / section.width), False)
        if how.kind == "peel" and share >= STEADY[1] + 0.02:
            return Curve(tuple(rows), f"{100.0 * share:.0f} % of the section are peeled off", True)


def _elsewhere(row: Row, peak: float) -> str:
    """Why a test has ended in which the section was not loaded; ``peak`` in MPa."""
    return (
        f"no further bond of the section has let go on {row['way_um']:.2g} um, and nothing has pulled by more than "
        f"{1e3 * peak:.2g} kPa: the body is apart elsewhere"
    )


def _dragging(row: Row, peak: float) -> str:
    """Why a test has ended in which little goes on and on; ``peak`` in MPa."""
    return (
        f"on {row['way_um']:.2g} um nothing has pulled by more than {1e3 * peak:.2g} kPa: what still holds flows or "
        "drags, and its work is counted so far only"
    )


def _nothing(row: Row, held: float) -> str:
    """Why a test of a body that is apart has ended; ``held`` in MPa."""
    way = row["way_um"]
    said = (
        f"no bond of the section is left, and on {way:.2g} um nothing else has pulled by {1e3 * PULL:g} kPa"
    )
    return said if held > -PULL else f"{said}; the body still pushes on the grip by {-1e3 * held:.2g} kPa"


def steady_energy(curve: Curve, section: Section) -> float | None:
    """Energy dissipated per newly separated area of a peel, in J/m²; None where it did not get that far.

    For a flexible arm pulled at a right angle it is the steady force per width in N/m. What a short or stiff specimen
    loses in snaps is its own, and not counted: neither elastic energy nor the viscous work that slows the snaps.
    """
    share = np.array([row["debonded_share"] for row in curve.rows])
    if share[-1] < STEADY[1]:
        return None
    counted = [name for name in curve.rows[0] if _is_spent(name) and name != "viscous_J_m2"]
    spent = np.array([sum(row[name] for name in counted) for row in curve.rows]) * section.width
    first, last = (np.interp(value, share, spent) for value in STEADY)
    return float((last - first) / ((STEADY[1] - STEADY[0]) * section.area))


def elastic_loss(row: Row) -> float:
    """Elastic energy lost in snaps so far in J/m²: what the work has not gone into otherwise.

    A step over a snap does not resolve it, and where it had to be slowed the stabilisation took some of it.
    """
    kept = row["stored_J_m2"] + row["chemical_J_m2"]
    return row["external_work_J_m2"] - kept - sum(row[name] for name in row if _is_spent(name))


def _is_spent(name: str) -> bool:
    return name.startswith("plastic_") or name in ("cohesive_J_m2", "viscous_J_m2", "friction_J_m2")


def _grip(model: ElectrodeModel, section: Section, how: Pull) -> npt.NDArray[np.int32]:
    """Make the grip move from where it is; returns its owned dofs."""
    state, last = model.state, model.domain.dimension - 1
    upward = state.space.sub(0).sub(last)
    dofs = owned_dofs(model.domain, state, upward, "top")
    if how.kind == "peel":
        dofs = np.intersect1d(dofs, owned_dofs(model.domain, state, upward, "left")).astype(np.int32)
        _release_left(model, section)
    start, began = state.unknowns.x.array[dofs].copy(), state.time
    values = start.copy()

    def refresh() -> None:
        values[:] = start + how.speed * (state.time + float(model.dt.value) - began)

    # What held these dofs before lets go.
    model.constraints = [_without(c, dofs) for c in model.constraints]
    model.constraints.append(Constraint(dofs, values, refresh))
    return dofs


def _release_left(model: ElectrodeModel, section: Section) -> None:
    domain, state = model.domain, model.state
    dimension = domain.dimension
    facets = domain.boundary_facets("left")
    domain.mesh.topology.create_connectivity(dimension - 1, dimension)
    links = domain.mesh.topology.connectivity(dimension - 1, dimension)
    cells = np.array([links.links(facet)[0] for facet in facets], dtype=np.int32)
    above = facets[~section.below[domain.cell_grain[cells]]]
    sideways = state.space.sub(0).sub(0)
    free = dfem.locate_dofs_topological(sideways, dimension - 1, above)
    model.constraints = [_without(c, free) for c in model.constraints]
    if model.side_contact is not None:
        model.side_contact.release("left", ~section.below)


def _without(constraint: Constraint, dofs: npt.NDArray[np.int32]) -> Constraint:
    kept = ~np.isin(constraint.dofs, dofs)
    if kept.all():
        return constraint
    values = constraint.values
    if isinstance(values, np.ndarray):
        raise ValueError("the grip meets dofs whose values vary in space")
    return Constraint(constraint.dofs[kept], values, constraint.refresh)
