"""What happens to an interface in a step: where it begins and ends, and what it remembers at both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fem.interfaces.history import History

if TYPE_CHECKING:
    from fem.interfaces.cohesive import CohesiveParameters


@dataclass(frozen=True)
class InterfaceStep:
    """UFL values on a facet.

    Attributes:
        start: Opening at the beginning of the step in µm.
        start_normal: Unit normal at the beginning.
        opening: Opening at the end in µm.
        normal: Unit normal at the end.
        history: History at the beginning.
        grown: History at the end, with the damage by cycles of the beginning.
        parameters: Of the facet.
    """

    start: Any
    start_normal: Any
    opening: Any
    normal: Any
    history: History
    grown: History
    parameters: CohesiveParameters
