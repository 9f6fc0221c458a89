"""What is known of the electrode before each step without running anything: bounds on voltage and lithiation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from run.process.ends import UntilLithiation, UntilVoltage
from run.process.steps import Hold, Pass, Press, Rest, lithiates
from run.quantities import Current

_ANY = (-float("inf"), float("inf"))


@dataclass(frozen=True)
class StartState:
    """What another run has left, for a process that goes on from there.

    Attributes:
        pressure: On top in MPa.
        lithiation: Mean of the hosts.
        voltage: Between the terminals in V.
    """

    pressure: float
    lithiation: float
    voltage: float


@dataclass(frozen=True)
class Known:
    """Bounds that hold whatever the electrode does.

    Attributes:
        pressure: On top in MPa.
        voltage: Lowest and highest terminal voltage possible in V.
        settled: The same after a rest: at the end of a step by voltage the terminal is at the cut-off, and relaxes.
        lithiation: Lowest and highest mean lithiation of the hosts possible.
        stored: Whether lithium has, or may have, gone in since the start.
        metal: Whether lithium metal can go in at rest.
        reached: Voltage and current of the last step where it surely ended at that voltage, else None.
        full_cell: Whether the electrode is the negative one of a full cell.
    """

    pressure: float
    voltage: tuple[float, float]
    settled: tuple[float, float]
    lithiation: tuple[float, float]
    stored: bool
    metal: bool
    reached: tuple[float, Current] | None
    full_cell: bool

    @staticmethod
    def fresh(start_voltage: float, metal: bool, full_cell: bool, pressure: float = 0.0) -> Known:
        """A new electrode whose hosts are in equilibrium at a voltage."""
        voltage = _ANY if full_cell else (start_voltage, start_voltage)
        return Known(pressure, voltage, voltage, (0.0, 1.0), False, metal, None, full_cell)

    @staticmethod
    def later(start: StartState, full_cell: bool) -> Known:
        """An electrode that something has been done to, as an earlier run left it."""
        here, x = (start.voltage, start.voltage), (start.lithiation, start.lithiation)
        return Known(start.pressure, here, _ANY, x, True, True, None, full_cell)

    def falls(self, verb: str) -> bool:
        """Whether the terminal voltage falls in a step."""
        return lithiates(verb, self.full_cell) != self.full_cell

    def after(self, step: object) -> Known:
        """What is known once a step is done."""
        known = self
        if isinstance(step, Press):
            known = replace(known, pressure=step.target, reached=None)
        if isinstance(step, Press | Rest) and known.metal:
            known = known._prelithiated()
        if isinstance(step, Rest):
            return replace(known, voltage=known.settled, reached=None)
        if isinstance(step, Pass):
            return known._passed(step)
        if isinstance(step, Hold):
            low, high = known.settled
            return replace(
                known,
                voltage=(step.voltage, step.voltage),
                settled=(min(low, step.voltage), max(high, step.voltage)),
                lithiation=(0.0, 1.0),
                stored=True,
                reached=None,
            )
        return known

    def _prelithiated(self) -> Known:
        """Metal has given lithium to the hosts: their voltage has fallen by an unknown amount."""
        (low, high), x = self.settled, (self.lithiation[0], 1.0)
        settled = (low, float("inf")) if self.full_cell else (-float("inf"), high)
        return replace(self, voltage=settled, settled=settled, lithiation=x, stored=True)

    def _passed(self, step: Pass) -> Known:
        low, high = self.settled
        cut = next((end.value for end in step.ends if isinstance(end, UntilVoltage)), None)
        aim = next((end.value for end in step.ends if isinstance(end, UntilLithiation)), None)
        alone = len(step.ends) == 1
        if self.falls(step.verb):
            settled = (-float("inf") if cut is None else min(cut, low), high)
        else:
            settled = (low, float("inf") if cut is None else max(cut, high))
        x_low, x_high = self.lithiation
        if lithiates(step.verb, self.full_cell):
            x = (x_low, 1.0 if aim is None else max(aim, x_low))
        else:
            x = (0.0 if aim is None else min(aim, x_high), x_high)
        if alone and aim is not None:
            x = (aim, aim)
        return replace(
            self,
            voltage=(cut, cut) if alone and cut is not None else settled,
            settled=settled,
            lithiation=x,
            stored=True,
            reached=(cut, step.current) if alone and cut is not None else None,
        )
