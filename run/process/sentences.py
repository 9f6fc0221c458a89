"""Single steps: a verb and its clauses, read into a frozen step, or one sentence on what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

from run import units
from run.process import ends as end_words
from run.process.clauses import Clause, check_words, split
from run.process.ends import End, ForTime, UntilVoltage, read, read_end, read_time
from run.process.mistakes import StepMistake, meant
from run.process.steps import DIRECTIONS, Heat, Hold, Measure, Pass, Press, Pulse, Rest, Step
from run.quantities import Current

HIGHEST_PRESSURE = 2000.0  # MPa
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 233.15, 450.0  # K
MOST_REPETITIONS = 10_000
DEFAULT_RAMP = 10.0  # s
_FRACTION = re.compile(r"C\s*/\s*(\d+\.?\d*)")


def read_step(text: str) -> Step:
    """Read one step that is no repetition.

    Raises:
        StepMistake: What is wrong with it.
    """
    verb, _, rest = text.partition(" ")
    if verb == "measure":
        return _measure(rest)
    if verb not in _READERS:
        raise StepMistake(f"'{verb}' is no step; steps begin with {', '.join(VERBS)}{meant(verb, VERBS)}")
    clauses = split(rest)
    check_words(clauses)
    return _READERS[verb](verb, clauses)


def _press(verb: str, clauses: list[Clause]) -> Press:
    _only(verb, clauses, ("to", "at", "in"))
    text = _one(clauses, "to")
    if text is None:
        raise StepMistake(f"the pressure is missing: write '{verb} to 550 MPa'")
    target = read(text, "the pressure", units.PRESSURE)[0]
    if not 0.0 <= target <= HIGHEST_PRESSURE:
        raise StepMistake(
            f"the pressure '{text}' must be at least 0 MPa and at most {HIGHEST_PRESSURE:g} MPa"
        )
    over = _one(clauses, "in")
    return Press(
        verb == "press",
        target,
        DEFAULT_RAMP if over is None else read_time(over, "the time"),
        _temperature(_one(clauses, "at")),
    )


def _rest(verb: str, clauses: list[Clause]) -> Rest:
    _only(verb, clauses, ("for", "at"))
    duration = _one(clauses, "for")
    if duration is None:
        raise StepMistake("how long is missing: write 'rest for 10 h'")
    return Rest(read_time(duration, "the time"), _temperature(_one(clauses, "at")))


def _pass(verb: str, clauses: list[Clause]) -> Pass:
    _only(verb, clauses, ("at", "until", "for"))
    current, temperature = _rate(verb, clauses)
    ends = _ends(verb, clauses, f"{verb} at 0.1 C until 5 mV")
    for end in ends:
        if isinstance(end, end_words.UntilCurrent):
            raise StepMistake(f"'{end.text()}' ends a hold; at a given current the current does not change")
    return Pass(verb, current, ends, temperature)


def _hold(verb: str, clauses: list[Clause]) -> Hold:
    _only(verb, clauses, ("at", "until", "for"))
    voltage: float | None = None
    temperature: float | None = None
    for text in _all(clauses, "at"):
        value, kind = read(text, "what stands behind 'at'", units.VOLTAGE, units.TEMPERATURE)
        if kind is units.VOLTAGE:
            voltage = end_words.read_voltage(text, "the voltage") if voltage is None else _twice("voltage")
        else:
            temperature = _in_range(value, text) if temperature is None else _twice("temperature")
    if voltage is None:
        raise StepMistake("the voltage is missing: write 'hold at 5 mV until 0.01 C'")
    ends = _ends(verb, clauses, "hold at 5 mV until 0.01 C")
    for end in ends:
        if isinstance(end, UntilVoltage):
            raise StepMistake(
                "a hold keeps the voltage: it ends by a current, a charge or a time, not by a voltage"
            )
    return Hold(voltage, ends, temperature)


def _pulse(verb: str, clauses: list[Clause]) -> Pulse:
    direction = clauses[0].text or "lithiate"
    if direction not in DIRECTIONS:
        raise StepMistake(
            f"'{direction}' is not allowed behind pulse; it must be one of {', '.join(DIRECTIONS)}"
            f"{meant(direction, DIRECTIONS)}"
        )
    clauses = [Clause("", ""), *clauses[1:]]
    _only(verb, clauses, ("at", "until", "for", "then"))
    current, temperature = _rate(verb, clauses)
    example = "write 'pulse at 0.1 C for 10 min then rest for 1 h, 5 times'"
    cut = next((i for i, clause in enumerate(clauses) if clause.keyword == "then"), None)
    if cut is None:
        raise StepMistake(f"the rest between the pulses is missing: {example}")
    before, after = clauses[:cut], clauses[cut:]
    if after[0].text != "rest" or len(after) != 2 or after[1].keyword != "for":
        raise StepMistake(f"behind 'then' it must say 'rest for' a time and how many times: {example}")
    duration = _one(before, "for")
    if duration is None:
        raise StepMistake(f"the length of the pulse is missing: {example}")
    words = after[1].text.split()
    count = 1
    if words and words[-1] in ("times", "time"):
        count = read_count(words[-2] if len(words) > 2 else "")
        words = words[:-2]
    until = tuple(read_end(text) for text in _all(before, "until"))
    for end in until:
        if not isinstance(end, UntilVoltage):
            raise StepMistake(f"'{end.text()}' is not allowed: a pulse ends early by a voltage only")
    rest = read_time(" ".join(words), "the rest")
    return Pulse(direction, current, read_time(duration, "the pulse"), rest, count, until, temperature)


def _heat(verb: str, clauses: list[Clause]) -> Heat:
    if clauses[0].text != "temperature":
        raise StepMistake("only the temperature can be set: write 'set temperature to 60 degC'")
    clauses = [Clause("", ""), *clauses[1:]]
    _only(verb, clauses, ("to", "in"))
    target, over = _temperature(_one(clauses, "to")), _one(clauses, "in")
    if target is None:
        raise StepMistake("the temperature is missing: write 'set temperature to 60 degC'")
    return Heat(target, 0.0 if over is None else read_time(over, "the time"))


def _at_once(verb: str, clauses: list[Clause]) -> Heat:
    """``at 60 degC`` as a step of its own."""
    temperature = _temperature(clauses[0].text)
    if temperature is None:
        raise StepMistake("the temperature is missing: write 'at 60 degC'")
    _only("at 60 degC", [Clause("", ""), *clauses[1:]], ())
    return Heat(temperature)


def _measure(rest: str) -> Measure:
    words = rest.split()
    if not words:
        raise StepMistake("what to measure is missing: write 'measure thickness unloaded'")
    return Measure(words[0], tuple(words[1:]))


_READERS: dict[str, Callable[[str, list[Clause]], Step]] = {
    "press": _press,
    "release": _press,
    "rest": _rest,
    **dict.fromkeys(DIRECTIONS, _pass),
    "hold": _hold,
    "pulse": _pulse,
    "set": _heat,
    "at": _at_once,
}
#: Words that begin a step.
VERBS = (*_READERS, "measure", "repeat")


# ---------------------------------------------------------------------- clauses


def _only(verb: str, clauses: list[Clause], allowed: tuple[str, ...]) -> None:
    if clauses[0].text:
        raise StepMistake(
            f"'{clauses[0].text}' is not expected behind {verb}{meant(clauses[0].text.split()[0], allowed)}"
        )
    for clause in clauses[1:]:
        if clause.keyword not in allowed:
            listed = ", ".join(f"'{word}'" for word in allowed) or "nothing"
            raise StepMistake(f"'{clause.keyword}' does not belong to {verb}: what may follow is {listed}")
        if not clause.text:
            raise StepMistake(f"nothing stands behind '{clause.keyword}'")


def _all(clauses: list[Clause], keyword: str) -> list[str]:
    return [clause.text for clause in clauses if clause.keyword == keyword]


def _one(clauses: list[Clause], keyword: str) -> str | None:
    found = _all(clauses, keyword)
    if len(found) > 1:
        raise StepMistake(f"'{keyword}' is given twice")
    return found[0] if found else None


def _twice(what: str) -> float:
    raise StepMistake(f"the {what} is given twice")


def _temperature(text: str | None) -> float | None:
    if text is None:
        return None
    return _in_range(read(text, "the temperature", units.TEMPERATURE)[0], text)


def _in_range(kelvin: float, text: str) -> float:
    if not LOWEST_TEMPERATURE <= kelvin <= HIGHEST_TEMPERATURE:
        raise StepMistake(
            f"the temperature '{text}' must lie between {LOWEST_TEMPERATURE:g} K and {HIGHEST_TEMPERATURE:g} K"
        )
    return kelvin


def _rate(verb: str, clauses: list[Clause]) -> tuple[Current, float | None]:
    """Current and temperature behind ``at``."""
    current: Current | None = None
    temperature: float | None = None
    for text in _all(clauses, "at"):
        share = _FRACTION.fullmatch(text)
        if share is not None and float(share[1]) > 0.0:
            value, kind = 1.0 / float(share[1]), units.C_RATE
        else:
            kinds = (units.C_RATE, units.CURRENT_DENSITY, units.TEMPERATURE)
            value, kind = read(text, "what stands behind 'at'", *kinds)
        if kind is units.TEMPERATURE:
            if temperature is not None:
                _twice("temperature")
            temperature = _in_range(value, text)
            continue
        if current is not None:
            _twice("current")
        if value <= 0.0:
            raise StepMistake(
                f"the current '{text}' must be above zero; the direction is said by the first word"
            )
        current = Current(value, kind)
    if current is None:
        raise StepMistake(f"the current is missing: write '{verb} at 0.1 C …'")
    return current, temperature


def _ends(verb: str, clauses: list[Clause], example: str) -> tuple[End, ...]:
    found: list[End] = [read_end(text) for text in _all(clauses, "until")]
    found += [ForTime(read_time(text, "the time")) for text in _all(clauses, "for")]
    if not found:
        raise StepMistake(f"what ends it is missing: write '{example}', or 'for 10 h'")
    kinds = [type(end) for end in found]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise StepMistake(
                f"two ends of one kind are given ({' and '.join(e.text() for e in found if type(e) is kind)})"
            )
    return tuple(found)


def read_count(given: object) -> int:
    """How often something is repeated.

    Raises:
        StepMistake: It is no whole number in range.
    """
    text = str(given)
    if isinstance(given, bool) or not text.isdigit() or not 1 <= int(text) <= MOST_REPETITIONS:
        raise StepMistake(f"'{given}' times must be a whole number from 1 to {MOST_REPETITIONS}")
    return int(text)
