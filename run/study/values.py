"""Values of a case file as numbers on an axis: plain numbers as they are, texts with one unit without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from run import units
from run.units import UnitError, split_number


def axis(values: Sequence[object]) -> tuple[npt.NDArray[np.float64], str] | None:
    """Values as numbers of one unit.

    Args:
        values: As given in a case file.

    Returns:
        The numbers and the unit they are in: the common one as written, else the internal one of the kind of quantity
        that knows all of them. None where they are no numbers of one kind.
    """
    split: list[tuple[float, str]] = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        found = split_number(value) if isinstance(value, str) else (float(value), "")
        if found is None:
            return None
        split.append(found)
    written = {unit for _, unit in split}
    if len(written) == 1:
        return np.array([number for number, _ in split]), written.pop()
    for kind in units.KINDS:
        try:
            numbers = [units.parse(value, kind)[0] for value in values]
        except UnitError:
            continue
        return np.array(numbers), kind.internal
    return None
