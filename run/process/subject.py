"""What a measurement gets to see of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fem.model import ElectrodeModel
from fem.observables import Observer
from run.case import Case
from run.quantities import Current


@dataclass(frozen=True)
class Subject:
    """The electrode in the state it is to be measured in.

    Attributes:
        case: The run's case.
        model: Whatever is done to its state and its controls is undone afterwards.
        observer: Of the run; only ``start()``, a row of the present state, may be called.
        density: Gives a current as A/m².
        folder: Where files of the measurement go; it need not exist.
        pause: To be called between the time steps of a side calculation; raises :class:`fem.errors.Interrupted` where
            the run has to leave. Collective.
    """

    case: Case
    model: ElectrodeModel
    observer: Observer
    density: Callable[[Current], float]
    folder: Path
    pause: Callable[[], None]
