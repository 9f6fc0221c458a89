"""A step's text as clauses: a keyword and what stands behind it, with misspelt keywords found by their nearest."""

from __future__ import annotations

from dataclasses import dataclass

from run import units
from run.process.mistakes import StepMistake, meant

#: Words that begin a clause.
KEYWORDS = ("to", "at", "in", "for", "until", "or", "then", "by")
#: Words that may stand inside a clause besides numbers and units.
INSIDE = (
    "lithiation", "mean", "of", "rest", "times", "temperature", "discharge", "charge", "lithiate", "delithiate",
    "below", "the", "top", "um^0.5", "m^0.5",
)  # fmt: skip
_UNITS = {unit for kind in units.KINDS for unit in kind.units}


@dataclass(frozen=True)
class Clause:
    """A keyword (empty for what stands before the first) and the text behind it."""

    keyword: str
    text: str


def split(text: str) -> list[Clause]:
    """The clauses of a step, the first without a keyword.

    ``or`` takes the keyword of the clause before it unless another one follows.

    Raises:
        StepMistake: A word is no keyword, number or unit but looks like one.
    """
    found: list[tuple[str, list[str]]] = [("", [])]
    for word in text.replace(",", " , ").split():
        if word == "," and not found[-1][1]:
            raise StepMistake("a comma stands where a value should")
        if word in KEYWORDS:
            found.append((word, []))
        elif word != ",":
            found[-1][1].append(word)
    clauses: list[Clause] = []
    for keyword, words in found:
        if keyword == "or":
            if not clauses or not clauses[-1].keyword:
                raise StepMistake("'or' stands where nothing came before it that could be one way to end")
            if not words:
                clauses.append(Clause("or", ""))
                continue
            keyword = clauses[-1].keyword
        elif clauses and clauses[-1].keyword == "or":
            clauses.pop()
        clauses.append(Clause(keyword, " ".join(words)))
    if clauses[-1].keyword == "or":
        raise StepMistake("nothing stands behind the last 'or'")
    return clauses


def check_words(clauses: list[Clause]) -> None:
    """Find a misspelt keyword among the values.

    Raises:
        StepMistake: Names the word, and the keyword or unit it may stand for.
    """
    for clause in clauses[1:]:
        for position, word in enumerate(clause.text.split()):
            if not word.isalpha() or word in INSIDE or word in _UNITS:
                continue
            hint = meant(word, KEYWORDS if position > 1 or len(word) > 2 else (*KEYWORDS, *_UNITS))
            if hint:
                raise StepMistake(f"the word '{word}' is not known{hint}")
