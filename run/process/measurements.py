"""The measurements that ship: thickness, adhesion, GITT, and those of fem/measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fem import adhesion as pulling
from fem.adhesion import Pull
from fem.errors import RunStopped
from fem.measurements import MEASUREMENTS, gitt, rate_capability
from fem.measurements.current import pass_current
from fem.model import ElectrodeModel
from run import adhesion, units
from run.build import build_model, solver_settings, step_settings
from run.process.ends import UntilVoltage
from run.process.mistakes import StepMistake, meant
from run.process.registry import Measurement, Words, no_words, register
from run.process.sentences import read_step
from run.process.steps import Pass, Pulse, lithiates
from run.process.subject import Subject

#: Speed of the grip in µm/s where a step asks for adhesion.
GRIP_SPEED = 1.0e-3
_TESTS = ("pull-off", "peel")
_RATES = "rates of discharge at 0.1 C, 0.2 C, 0.5 C, 1 C until 5 mV"
_GITT = "gitt at 0.1 C for 10 min then rest for 1 h"


def _check_thickness(words: Words, thickness_um: float | None) -> None:
    if words not in ((), ("unloaded",)):
        hint = meant(words[0], ("unloaded",))
        raise StepMistake(
            f"'{' '.join(words)}' is not expected: it is 'measure thickness' or 'measure thickness unloaded'{hint}"
        )


def _thickness(subject: Subject, words: Words) -> Mapping[str, Any]:
    """Thickness and its parts, under the present pressure and, if wanted, with the pressure taken away."""
    model, loaded = subject.model, dict(subject.observer.start())
    found: dict[str, Any] = {"pressure_MPa": float(model.control("pressure").value), **_parts(loaded)}
    if not words:
        return found
    pass_current(model, 0.0)
    began = model.state.steps
    pulling.unload(model, solver_settings(subject.case), pause=subject.pause)
    # The observer took note of its totals above; what it now reads are the fields as they are.
    unloaded = _parts(subject.observer.start())
    return {"pressure_MPa": 0.0, **unloaded, "time_steps": model.state.steps - began, "loaded": found}


def _parts(row: Mapping[str, float]) -> dict[str, Any]:
    parts = ("solids", "interface_void", "pores", "lithium_removed")
    return {
        "thickness_um": row["thickness_um"],
        "thickening_percent": row["thickening_percent"],
        "thickening_parts_um": {part: row[f"thickening_{part}_um"] for part in parts},
    }


def _place_and_test(words: Words) -> tuple[str | float, pulling.Kind]:
    """Place and kind of test of ``at PLACE [by TEST]``.

    Raises:
        StepMistake: The words say something else.
    """
    text = " ".join(words)
    head, by, test = text.partition(" by ")
    if by and test not in _TESTS:
        raise StepMistake(f"the test '{test}' must be {' or '.join(_TESTS)}{meant(test, _TESTS)}")
    at, _, where = head.partition(" ")
    if at != "at" or not where:
        raise StepMistake(
            "where is missing: write 'measure adhesion at foil', or 'at 10 um' below the upper face"
        )
    kind = adhesion.kind_of(test or "pull-off")
    if where == "foil":
        return "foil", kind
    try:
        depth = units.parse(where, units.LENGTH)[0]
    except units.UnitError as error:
        raise StepMistake(f"the place '{where}' must be foil, or {error}{meant(where, ('foil',))}") from None
    return depth, kind


def _check_adhesion(words: Words, thickness_um: float | None) -> None:
    place, _ = _place_and_test(words)
    if isinstance(place, str):
        return
    highest = float("inf") if thickness_um is None else thickness_um
    if not 0.0 < place < highest:
        raise StepMistake(
            f"the place '{place:g} um' must be foil, or a depth between 0 and the thickness, {highest:.4g} um"
        )


def _adhesion(subject: Subject, words: Words) -> Mapping[str, Any]:
    """Pull a copy of the electrode apart: the test changes interfaces, so the run's own model is not used."""
    place, kind = _place_and_test(words)
    original = subject.model
    model = build_model(subject.case, original.domain, original.temperature)
    model.state.restore(original.state.snapshot())
    for name, constant in original.controls.items():
        model.control(name).value = float(constant.value)
    how = Pull(kind, GRIP_SPEED, farthest={"pull-off": 1.0, "peel": 10.0}[kind])
    section, curve = adhesion.pull_apart(
        model, solver_settings(subject.case), place, how, pause=subject.pause
    )
    return {
        "test": kind,
        "at": place if isinstance(place, str) else f"{place:g} um below the top",
        "rate_um_s": how.speed,
        **adhesion.findings(model, section, curve, how),
    }


def _pulse(words: Words) -> Pulse:
    """The pulse of ``gitt at 0.1 C for 10 min then rest for 1 h``.

    Raises:
        StepMistake: The words say something else.
    """
    try:
        found = read_step(" ".join(("pulse", *words)))
    except StepMistake as mistake:
        text = str(mistake).replace("pulse at 0.1 C for 10 min then rest for 1 h, 5 times", _GITT)
        raise StepMistake(text) from None
    if not isinstance(found, Pulse) or found.count != 1 or found.until or found.temperature is not None:
        raise StepMistake(f"one pulse and one rest are measured, without cut-off: write '{_GITT}'")
    return found


def _check_gitt(words: Words, thickness_um: float | None) -> None:
    _pulse(words)


def _gitt(subject: Subject, words: Words) -> Mapping[str, Any]:
    """Effective diffusion coefficient by one pulse; the electrode should have rested."""
    given = _pulse(words)
    full_cell = subject.case.file.cell.full_cell
    sign = 1.0 if lithiates(given.verb, full_cell) else -1.0
    pulse = gitt.Pulse(sign * subject.density(given.current), given.duration, given.rest)
    return gitt.measure(subject.model, pulse, solver_settings(subject.case), subject.pause)


def _courses(words: Words) -> list[tuple[Pass, UntilVoltage]]:
    """The steps of ``rates of discharge at 0.1 C, 0.2 C until 5 mV``.

    Raises:
        StepMistake: The words say something else.
    """
    verb, at, rest = " ".join(words).removeprefix("of ").partition(" at ")
    currents, until, cut_off = rest.partition(" until ")
    if not (words and words[0] == "of" and at and until):
        raise StepMistake(f"several currents and one cut-off are measured: write '{_RATES}'")
    found = []
    for current in currents.split(","):
        step = read_step(f"{verb} at {current.strip()} until {cut_off}")
        if not isinstance(step, Pass) or len(step.ends) != 1 or step.temperature is not None:
            raise StepMistake(f"currents with one cut-off are measured, and nothing else: write '{_RATES}'")
        end = step.ends[0]
        if not isinstance(end, UntilVoltage):
            raise StepMistake(f"the cut-off '{end.text()}' must be a voltage: write '{_RATES}'")
        found.append((step, end))
    return found


def _check_rates(words: Words, thickness_um: float | None) -> None:
    _courses(words)


def _rates(subject: Subject, words: Words) -> Mapping[str, Any]:
    """What passes at each current until the cut-off, always from the present state."""
    full_cell, courses = subject.case.file.cell.full_cell, []
    for step, end in _courses(words):
        sign = 1.0 if lithiates(step.verb, full_cell) else -1.0
        # The voltage of a half cell falls as its electrode fills; that of a full cell rises then.
        falls = (sign > 0.0) != full_cell
        courses.append(rate_capability.Course(sign * subject.density(step.current), end.value, falls))
    case = subject.case
    return rate_capability.measure(
        subject.model, courses, step_settings(case), solver_settings(case), subject.pause
    )


def _plain(measure: Callable[[ElectrodeModel], dict[str, float]]) -> Measurement:
    """A measurement that needs nothing but the model."""

    def run(subject: Subject, words: Words) -> Mapping[str, Any]:
        return measure(subject.model)

    return Measurement("", run, no_words)


register("thickness", Measurement("thickness [unloaded]", _thickness, _check_thickness))
register("adhesion", Measurement("adhesion at foil|DEPTH [by pull-off|peel]", _adhesion, _check_adhesion))
register("rates", Measurement(_RATES, _rates, _check_rates))
register("gitt", Measurement(_GITT, _gitt, _check_gitt))
for _name, _function in MEASUREMENTS.items():
    register(_name, replace(_plain(_function), usage=_name))


def measured(subject: Subject, name: str, words: Words, measurement: Measurement) -> dict[str, Any]:
    """The result of a measurement with its name; where it has none, why: no equilibrium, or what is not finite.

    Raises:
        Interrupted: The run has to leave before it is done.
    """
    table: dict[str, Any] = {"measurement": " ".join((name, *words))}
    try:
        found = measurement.run(subject, words)
    except RunStopped as stop:
        return table | {"complete": False, "reason": str(stop)}
    unknown = _not_finite(found, "")
    if unknown is not None:
        return table | {"complete": False, "reason": f"{unknown} came out as no finite number"}
    return table | {"complete": True, **found}


def _not_finite(found: object, name: str) -> str | None:
    """Name of the first number in a result that is not finite, or None."""
    if isinstance(found, Mapping):
        parts = [(value, str(key)) for key, value in found.items()]
    elif isinstance(found, list | tuple):
        parts = [(value, f"{name} {number}") for number, value in enumerate(found, 1)]
    else:
        return name if isinstance(found, float) and not math.isfinite(found) else None
    return next((bad for value, key in parts if (bad := _not_finite(value, key)) is not None), None)
