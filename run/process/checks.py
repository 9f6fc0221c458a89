"""Whether a process makes sense, found out before anything is meshed: every step against what the ones before leave."""

from __future__ import annotations

from dataclasses import dataclass

from run import units
from run.errors import InputError
from run.process import registry
from run.process.ends import End, ForTime, UntilCharge, UntilCurrent, UntilLithiation, UntilVoltage
from run.process.known import Known
from run.process.mistakes import StepMistake, refused
from run.process.plan import Plan
from run.process.steps import Heat, Hold, Measure, Pass, Press, current_text, lithiates

#: Terminal voltages a half cell and a full cell may be brought to, in V.
HALF_CELL, FULL_CELL = (0.0, 3.0), (0.0, 5.0)
#: More than so many times what the hosts can hold is no plan.
MOST_CAPACITY = 2.0
#: At a given rate without a cut-off so much of the capacity may pass.
MOST_BLIND = 1.0


@dataclass(frozen=True)
class Electrode:
    """What is known of the electrode without its mesh.

    Attributes:
        capacity_mAh_cm2: Of the hosts, None where the mesh is made elsewhere.
        active_mg_cm2: Graphite and silicon, None where the mesh is made elsewhere.
        thickness_um: Of the electrode, None where the mesh is made elsewhere.
        has_terminal: Whether the case has a terminal.
    """

    capacity_mAh_cm2: float | None
    active_mg_cm2: float | None
    thickness_um: float | None
    has_terminal: bool = True


def check(plan: Plan, start: Known, electrode: Electrode) -> None:
    """Check every step in turn.

    Args:
        plan: The plan.
        start: What it starts from.
        electrode: What is known of the electrode.

    Raises:
        InputError: The first step that makes no sense, with its number and its text.
    """
    known = start
    for planned in plan.steps:
        step = planned.step
        try:
            _check_step(step, known, electrode)
        except StepMistake as mistake:
            raise _named(planned.place, planned.again, step.text(), mistake) from None
        known = known.after(step)


def _named(place: str, again: str, text: str, mistake: StepMistake) -> InputError:
    where = f"{place} (time {again})" if again and not again.startswith("1 of") else place
    return refused(where, text, mistake)


def _check_step(step: object, known: Known, electrode: Electrode) -> None:
    if isinstance(step, Press):
        _check_press(step, known)
    elif isinstance(step, Pass):
        _need_terminal(electrode, "passes a current")
        _check_pass(step, known, electrode)
    elif isinstance(step, Hold):
        _need_terminal(electrode, "holds a voltage")
        _check_hold(step, known, electrode)
    elif isinstance(step, Measure):
        registry.check(step, electrode.thickness_um)
    elif isinstance(step, Heat):
        return


def _need_terminal(electrode: Electrode, does: str) -> None:
    if not electrode.has_terminal:
        raise StepMistake(
            f"it {does}, and the case has no terminal: leave out terminal = false in [cell], or this step"
        )


def _check_press(step: Press, known: Known) -> None:
    now = f"{known.pressure:g} MPa"
    if step.target == known.pressure:
        raise StepMistake(f"the pressure is {now} already")
    if step.upwards and step.target < known.pressure:
        raise StepMistake(
            f"the pressure is {now} before it: say 'release to {step.target:g} MPa' to lower it"
        )
    if not step.upwards and known.pressure == 0.0:
        raise StepMistake("nothing has been pressed before it: there is no pressure to release")
    if not step.upwards and step.target > known.pressure:
        raise StepMistake(f"the pressure is {now} before it: say 'press to {step.target:g} MPa' to raise it")


def _check_pass(step: Pass, known: Known, electrode: Electrode) -> None:
    inwards = lithiates(step.verb, known.full_cell)
    if not inwards and not known.stored:
        raise StepMistake(
            f"{step.verb} takes lithium out of the electrode here, and nothing has been stored yet: lithiate first"
        )
    for end in step.ends:
        _check_end(end, known, electrode, inwards, known.falls(step.verb))
    _check_blind(step, electrode)


def _check_end(end: End, known: Known, electrode: Electrode, inwards: bool, falls: bool) -> None:
    if isinstance(end, UntilVoltage):
        _check_range(end.value, known, "the cut-off")
        low, high = known.voltage
        if falls and end.value >= high:
            raise StepMistake(
                f"the cut-off is on the wrong side: the voltage falls in this step and is at most {high:g} V before it"
            )
        if not falls and end.value <= low:
            raise StepMistake(
                f"the cut-off is on the wrong side: the voltage rises in this step and is at least {low:g} V before it"
            )
    elif isinstance(end, UntilLithiation):
        least, most = known.lithiation
        if inwards and end.value <= least:
            raise StepMistake(
                f"the lithiation rises in this step and is at least {least:g} before it: it must end above that"
            )
        if not inwards and end.value >= most:
            raise StepMistake(
                f"the lithiation falls in this step and is at most {most:g} before it: it must end below that"
            )
    elif isinstance(end, UntilCharge):
        charge, capacity = end.areal(electrode.active_mg_cm2), electrode.capacity_mAh_cm2
        if capacity is not None and charge > MOST_CAPACITY * capacity:
            raise StepMistake(
                f"{charge:.4g} mAh/cm^2 are more than {MOST_CAPACITY:g} times what the hosts can hold "
                f"({capacity:.4g} mAh/cm^2)"
            )


def _check_blind(step: Pass, electrode: Electrode) -> None:
    """A current that only time ends must not pass more than the hosts can hold."""
    if not all(isinstance(end, ForTime) for end in step.ends):
        return
    seconds = min(end.seconds for end in step.ends if isinstance(end, ForTime))
    if step.current.kind is units.C_RATE:
        share = step.current.value * seconds / 3600.0
    elif electrode.capacity_mAh_cm2 is not None:
        share = step.current.value * seconds / 3.6e4 / electrode.capacity_mAh_cm2
    else:
        return
    if share > MOST_BLIND:
        raise StepMistake(
            f"it would pass {share:.3g} times the capacity of the hosts without a cut-off: add 'until' a voltage"
        )


def _check_hold(step: Hold, known: Known, electrode: Electrode) -> None:
    _check_range(step.voltage, known, "the voltage")
    for end in step.ends:
        if isinstance(end, UntilCurrent) and known.reached is not None:
            voltage, current = known.reached
            same = current.kind is end.current.kind and voltage == step.voltage
            if same and end.current.value >= current.value:
                raise StepMistake(
                    f"the current is {current_text(current)} when it begins: it must end below that"
                )
        if isinstance(end, UntilCharge):
            end.areal(electrode.active_mg_cm2)


def _check_range(voltage: float, known: Known, what: str) -> None:
    low, high = FULL_CELL if known.full_cell else HALF_CELL
    if not low < voltage <= high:
        cell = "full" if known.full_cell else "half"
        raise StepMistake(f"{what} of a {cell} cell must be above {low:g} V and at most {high:g} V")
