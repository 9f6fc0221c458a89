"""[process] and [cell]: what is done to the electrode, and what cell it is in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from fem.counter_electrode import CounterElectrode, LithiumMetal, LumpedCathode, balanced_capacity
from fem.loads import LithiumInflux, TerminalCurrent
from fem.parameters import Parameter
from run import units
from run.quantities import Quantity

LITHIUM, COBALT_OXIDE = "lithium", "lithium-cobalt-oxide"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class ProcessTable(_Table):
    """[process]: the steps, and the state they start from.

    ``connected_share`` is the share of an interface that must hold for a grain to count as connected through it.
    """

    steps: Any
    temperature: Annotated[float, Quantity(units.TEMPERATURE, 233.15, 450.0)] = 333.15
    start_voltage: Annotated[float, Quantity(units.VOLTAGE, 0.0, 3.0)] = 1.2
    connected_share: Annotated[float, Quantity(units.NUMBER, 0.0, 1.0)] = 0.05


_Resistance = Annotated[float, Quantity(units.AREA_RESISTANCE, 0.0, 1.0)]
_ExchangeCurrent = Annotated[float, Quantity(units.CURRENT_DENSITY, 0.0, 1.0e6)]


class CellTable(_Table):
    """[cell]: the counter electrode and what lies in between; the keys ``cathode_…`` belong to a full cell.

    Attributes:
        terminal: False for a dry electrode without a cell: no current can pass.
        counter: What stands opposite.
        separator_resistance: Between the meshed electrolyte and the counter electrode, in Ω m²; None for nothing.
        counter_exchange_current: Of the counter electrode in A/m²; None for no overpotential.
        cathode_ratio: N/P, capacity of the hosts over that of the cathode between its start and its end.
        cathode_start: Lithiation of the cathode when the cell is assembled.
        cathode_end: The lowest it is charged to.
        cathode_loss: Share of the charge of the first delithiation of the cathode that finds no way back.
    """

    terminal: bool = True
    counter: Annotated[
        Literal["lithium", "lithium-cobalt-oxide"], Field(description="lithium or lithium-cobalt-oxide")
    ] = "lithium"
    separator_resistance: _Resistance | None = None
    counter_exchange_current: _ExchangeCurrent | None = None
    cathode_ratio: Annotated[float, Quantity(units.NUMBER, 0.1, 10.0)] | None = None
    cathode_start: Annotated[float, Quantity(units.NUMBER, 0.46, 0.99)] | None = None
    cathode_end: Annotated[float, Quantity(units.NUMBER, 0.46, 0.99)] | None = None
    cathode_loss: Annotated[float, Quantity(units.NUMBER, 0.0, 0.5, True)] | None = None

    @model_validator(mode="after")
    def _cathode_belongs_to_a_full_cell(self) -> CellTable:
        if self.full_cell:
            return self
        for key in ("cathode_ratio", "cathode_start", "cathode_end", "cathode_loss"):
            if getattr(self, key) is not None:
                raise PydanticCustomError(
                    "clause",
                    "{key} belongs to a full cell: the counter electrode is lithium; say counter = {wanted}",
                    {"key": key, "wanted": f'"{COBALT_OXIDE}"'},
                )
        return self

    @property
    def full_cell(self) -> bool:
        """Whether the electrode is the negative one of a full cell."""
        return self.counter == COBALT_OXIDE

    def load(self, capacity_mAh_cm2: float | None) -> TerminalCurrent | LithiumInflux:
        """What is connected to the outer face of the electrolyte.

        Args:
            capacity_mAh_cm2: Of the hosts; a full cell is balanced against it.

        Raises:
            ParameterError: The cathode's numbers leave nothing to charge.
            ValueError: A full cell without the capacity of the hosts.
        """
        if not self.terminal:
            return LithiumInflux("top")
        resistance = None
        if self.separator_resistance is not None:
            resistance = Parameter(self.separator_resistance, "ohm m^2", "case file", "user")
        return TerminalCurrent("top", self._counter(capacity_mAh_cm2), resistance)

    def _counter(self, capacity_mAh_cm2: float | None) -> CounterElectrode:
        exchange = None
        if self.counter_exchange_current is not None:
            exchange = Parameter(self.counter_exchange_current, "A/m^2", "case file", "user")
        if not self.full_cell:
            return LithiumMetal(exchange)
        if capacity_mAh_cm2 is None:
            raise ValueError("a full cell needs the capacity of the hosts")
        start, end = _or(self.cathode_start, START), _or(self.cathode_end, END)
        ratio = _or(self.cathode_ratio, RATIO)
        working = capacity_mAh_cm2 * 3.6e4  # 1 mAh/cm² is 3.6 C/cm²
        return LumpedCathode(
            Parameter(
                balanced_capacity(working, ratio.value, start.value, end.value),
                "C/m^2",
                f"N/P {ratio.value:g} against the hosts between y {start.value:g} and {end.value:g}",
                "derived",
            ),
            start,
            _or(self.cathode_loss, LOSS),
            exchange,
        )


#: Of a full cell where the case file says nothing.
RATIO = Parameter(1.1, "1", "usual balance of a cell; the reference paper states none", "assumed")
START = Parameter(0.99, "1", "as it is made", "assumed")
END = Parameter(0.5, "1", "usual end of charge of LiCoO2 near 4.2 V", "literature")
LOSS = Parameter(0.05, "1", "a few per cent are usual; no measurement", "assumed")


def _or(given: float | None, default: Parameter) -> Parameter:
    return default if given is None else default.replaced(given)
