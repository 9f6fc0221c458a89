"""Straight lines in time along which pressure, temperature, current and voltage are led."""

from __future__ import annotations

from dataclasses import dataclass

PRESSURE, TEMPERATURE, CURRENT, VOLTAGE = "pressure", "temperature", "current", "voltage"


@dataclass(frozen=True)
class Line:
    """A value that goes from ``first`` to ``last`` between two times and stays there; internal units."""

    first: float
    last: float
    begin: float
    duration: float

    def at(self, time: float) -> float:
        """The value at a time in s, exactly the last one from its end on."""
        if time >= self.begin + self.duration * (1.0 - 1e-12):
            return self.last
        return self.first + (self.last - self.first) * (time - self.begin) / self.duration
