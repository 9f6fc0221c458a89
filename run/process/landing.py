"""What a step of a process ends by, as cut-offs that are landed on and as times that are met exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fem.cell import Terminal
from fem.events import CutOff
from run.process.amounts import C_M2
from run.process.ends import (
    End,
    ForTime,
    UntilCharge,
    UntilCurrent,
    UntilLithiation,
    UntilVoltage,
    duration_text,
    voltage_text,
)
from run.process.steps import current_text

#: A voltage may be overshot by so many V, or for as long as it takes to pass this share of the step's charge.
VOLTAGE_TOLERANCE, CHARGE_SHARE = 1.0e-3, 1.0e-4
#: Overshoot of a current (relative), of a mean lithiation, and of a charge (relative).
CURRENT_SHARE, LITHIATION_TOLERANCE, CHARGE_TOLERANCE = 1.0e-2, 1.0e-6, 1.0e-6


@dataclass(frozen=True)
class Aim:
    """One thing that ends a step.

    Attributes:
        reason: Said when it does.
        cut_off: What is watched.
        missing: Gives the charge in C/m² missing to it, for one that follows the charge; else None.
    """

    reason: str
    cut_off: CutOff
    missing: Callable[[], float] | None = None


@dataclass(frozen=True)
class Situation:
    """What the ends of a step are judged by.

    Attributes:
        terminal: Of the model.
        lithiation: Gives the mean lithiation of the hosts now.
        density: Gives a current as A/m².
        inwards: Whether the step lithiates; None for a hold.
        falls: Whether the terminal voltage falls in it.
        charge: C/m² that had passed when the step began.
        capacity: Of the hosts in C/m².
        elapsed: Time in s since it began.
        active_mg_cm2: Active material per area, or None.
    """

    terminal: Terminal
    lithiation: Callable[[], float]
    density: Callable[[UntilCurrent], float]
    inwards: bool | None
    falls: bool
    charge: float
    capacity: float
    elapsed: float
    active_mg_cm2: float | None


def aim(end: End, now: Situation) -> Aim | None:
    """What is watched for an end; None for a time, which is met without watching."""
    terminal = now.terminal
    if isinstance(end, ForTime):
        return None
    if isinstance(end, UntilVoltage):
        spare = CHARGE_SHARE * now.elapsed
        cut = CutOff(lambda: terminal.voltage, end.value, now.falls, VOLTAGE_TOLERANCE, spare)
        return Aim(f"the cut-off of {voltage_text(end.value)} was reached", cut)
    if isinstance(end, UntilCurrent):
        limit = now.density(end)
        cut = CutOff(lambda: abs(terminal.current), limit, True, CURRENT_SHARE * limit)
        return Aim(f"the current has fallen to {current_text(end.current)}", cut)
    if isinstance(end, UntilLithiation):
        falling = now.inwards is False
        cut = CutOff(now.lithiation, end.value, falling, LITHIATION_TOLERANCE)
        return Aim(
            f"the mean lithiation has reached {end.value:g}", cut, lambda: _missing(cut) * now.capacity
        )
    return _charge(end, now)


def _charge(end: UntilCharge, now: Situation) -> Aim:
    wanted = end.areal(now.active_mg_cm2) * C_M2
    cut = CutOff(lambda: abs(now.terminal.charge - now.charge), wanted, False, CHARGE_TOLERANCE * wanted)
    return Aim(f"{end.value:g} {end.kind.internal} have passed", cut, lambda: _missing(cut))


def _missing(cut: CutOff) -> float:
    """What is missing until a step surely counts as having reached the limit."""
    return 0.5 * cut.tolerance - cut.beyond()


def time_reason(end: ForTime) -> str:
    """What is said where a time has passed."""
    return f"{duration_text(end.seconds)} have passed"
