"""The grammar of process steps: from the list in a case file to frozen steps, or one sentence on what is wrong.

A step is text ("discharge at 0.1 C until 5 mV"). A repetition is text as well ("repeat 3 times: …; …"), a list whose
first entry says how often (["repeat 3 times", "…", "…"]), or a table ({repeat = 3, steps = […]}). One that may be
jumped over says so: "repeat 100 times, jumping: …", or
["repeat 100 times, jumping", "…"], {repeat = 100, jumping = true, steps = […]}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from run.errors import InputError
from run.process.mistakes import StepMistake, meant, refused
from run.process.sentences import read_count, read_step
from run.process.steps import Repeat, Step

_REPEAT = re.compile(r"repeat\s+([^\s,:]+)(?:\s+times?)?\s*(?:,\s*([^\s:;]*))?\s*:?\s*(.*)", re.DOTALL)
_KEYS = ("repeat", "jumping", "steps")
_JUMPING = "jumping"


def read_steps(given: object) -> tuple[Step, ...]:
    """Read the list ``steps`` of [process].

    Raises:
        InputError: The first mistake, with the number and the text of its step.
    """
    if not isinstance(given, list) or not given:
        raise InputError(
            "process.steps",
            f'= {given!r} is not allowed: it must be a list of steps, for example ["rest for 10 h"], one at least',
        )
    return _sequence(given, "")


def _sequence(given: Sequence[object], prefix: str) -> tuple[Step, ...]:
    return tuple(_step(entry, f"{prefix}{number}") for number, entry in enumerate(given, start=1))


def _step(given: object, place: str) -> Step:
    try:
        if isinstance(given, Mapping):
            return _table(given, place)
        if isinstance(given, list):
            return _list(given, place)
        if not isinstance(given, str):
            raise StepMistake('it must be text, for example "rest for 10 h", or a list or table that repeats')
        text = " ".join(given.split())
        if text.split(" ")[0] == "repeat":
            count, jumping, rest = _how_often(text)
            if not rest:
                raise StepMistake('nothing is repeated: write "repeat 3 times: step; step", or a list')
            parts = [part.strip() for part in rest.split(";") if part.strip()]
            return Repeat(count, _sequence(parts, f"{place}."), jumping)
        return read_step(text)
    except StepMistake as mistake:
        raise refused(place, given, mistake) from None


def _table(given: Mapping[str, object], place: str) -> Repeat:
    for key in given:
        if key not in _KEYS:
            raise StepMistake(
                f"the key '{key}' is not known; a table has repeat, steps and jumping{meant(key, _KEYS)}"
            )
    count, steps, jumping = given.get("repeat"), given.get("steps"), given.get(_JUMPING, False)
    if not isinstance(jumping, bool):
        raise StepMistake(f"jumping = {jumping!r} must be true or false")
    if not isinstance(steps, list) or not steps:
        raise StepMistake("a table that repeats needs steps = [...] with one step at least")
    return Repeat(read_count(count), _sequence(steps, f"{place}."), jumping)


def _list(given: list[object], place: str) -> Repeat:
    if not given or not isinstance(given[0], str):
        raise StepMistake('a list inside the list must begin with how often, for example "repeat 3 times"')
    first = " ".join(given[0].split())
    if not first.startswith("repeat"):
        raise StepMistake(
            f"a list inside the list must begin with how often, for example 'repeat 3 times', not '{first}'"
        )
    count, jumping, rest = _how_often(first)
    if rest or len(given) < 2:
        raise StepMistake("a list that repeats has the steps behind 'repeat N times', one at least")
    return Repeat(count, _sequence(given[1:], f"{place}."), jumping)


def _how_often(text: str) -> tuple[int, bool, str]:
    """How often, whether times may be jumped over, and what stands behind it."""
    match = _REPEAT.fullmatch(text)
    if match is None:
        raise StepMistake("how often is missing: write 'repeat 3 times'")
    word = match[2]
    if word is not None and word != _JUMPING:
        raise StepMistake(
            f"'{word}' is not expected behind 'repeat {match[1]} times,': write 'repeat {match[1]} times, jumping'"
            f"{meant(word, (_JUMPING,))}"
        )
    return read_count(match[1]), word is not None, match[3].strip()
