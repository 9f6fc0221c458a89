"""What is wrong with a step, in words that complete a sentence; and the nearest word that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from run.errors import InputError


class StepMistake(Exception):
    """A step that cannot be read or makes no sense where it stands; the text completes ``STEP is not allowed: …``."""


def meant(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` where a known word is near, else nothing."""
    listed = list(known)
    close = difflib.get_close_matches(word, listed, n=1, cutoff=0.6)
    close = close or [other for other in listed if other.lower() == word.lower()]
    return f"; did you mean {close[0]}?" if close else ""


def refused(place: str, written: object, mistake: StepMistake) -> InputError:
    """The mistake as an error of the case file, with the step's number and its text.

    Args:
        place: Number of the step in the list, ``3`` or ``4.2`` inside a repetition.
        written: The step as the user wrote it.
        mistake: What is wrong with it.
    """
    shown = repr(written) if not isinstance(written, str) else f"'{written}'"
    if len(shown) > 120:
        shown = f"{shown[:117]}…"
    return InputError(f"process.steps, step {place}:", f"{shown} is not allowed: {mistake}")
