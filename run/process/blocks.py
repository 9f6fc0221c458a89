"""The results block of a step, and what the steps of a cycle add up to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from fem.observables import Row
from run.process.amounts import Amounts
from run.process.plan import Planned
from run.process.steps import Heat, Hold, Measure, Pass, Press, Rest, lithiates

_PRODUCTS = ("side_products_mAh_cm2", "oxide_mAh_cm2")
PARTS = ("solids", "interface_void", "pores", "lithium_removed")
_KINDS = {
    Press: "pressure",
    Rest: "rest",
    Pass: "current",
    Hold: "hold",
    Heat: "temperature",
    Measure: "measure",
}


def opened(row: Row, voltage: float | None, pressure: float, temperature: float) -> dict[str, Any]:
    """What is noted when a step begins, as JSON can hold it.

    Args:
        row: Of history.csv, at the end of the step before.
        voltage: Between the terminals in V, None without a terminal.
        pressure: In MPa.
        temperature: In K.
    """
    return {
        "start_time_s": row["time_s"],
        "charge": row["charge_mAh_cm2"],
        "voltage": voltage,
        "pressure": pressure,
        "temperature": temperature,
        "thickness": row["thickness_um"],
        "parts": {part: row[f"thickening_{part}_um"] for part in PARTS},
        "mean_lithiation": row["mean_lithiation"],
        "state": {
            **{name: row.get(name, 0.0) for name in ("damaged_fraction", "debonded_fraction", *_PRODUCTS)},
            "crack_probability": max(
                (value for name, value in row.items() if name.startswith("crack_probability_")), default=0.0
            ),
        },
        "newton_iterations": 0,
        "time_steps": 0,
    }


def closed(
    planned: Planned,
    full_cell: bool,
    begin: Mapping[str, Any],
    end: Mapping[str, Any],
    reason: str,
    book: Mapping[str, Any] | None,
    amounts: Amounts,
) -> dict[str, Any]:
    """The results block of a step.

    Args:
        planned: The step.
        full_cell: Whether the electrode is the negative one of a full cell.
        begin: From ``opened``, with the iterations counted since.
        end: From ``opened``, at its end.
        reason: Why it ended.
        book: The lithium book at its end, None where nothing can have changed.
        amounts: Turns charge per area into charge per mass.
    """
    charge = end["charge"] - begin["charge"]
    step = planned.step
    block: dict[str, Any] = {
        "number": planned.number,
        "place": planned.place,
        "again": planned.again,
        "text": step.text(),
        "kind": _KINDS[type(step)],
        "cycle": planned.cycle,
        "lithiates": lithiates(step.verb, full_cell) if isinstance(step, Pass) else None,
        "end_reason": reason,
        "start_time_s": begin["start_time_s"],
        "end_time_s": end["start_time_s"],
        "charge_mAh_cm2": charge,
        "capacity_mAh_cm2": abs(charge),
        "capacity_mAh_g": amounts.specific(abs(charge)),
        "voltage_start_V": begin["voltage"],
        "voltage_end_V": end["voltage"],
        "pressure_start_MPa": begin["pressure"],
        "pressure_end_MPa": end["pressure"],
        "temperature_start_K": begin["temperature"],
        "temperature_end_K": end["temperature"],
        "mean_lithiation_start": begin["mean_lithiation"],
        "mean_lithiation_end": end["mean_lithiation"],
        "thickness_start_um": begin["thickness"],
        "thickness_end_um": end["thickness"],
        "thickening_parts_um": dict(end["parts"]),
        "state_end": dict(end["state"]),
        "newton_iterations": begin["newton_iterations"],
        "time_steps": begin["time_steps"],
    }
    if book is not None:
        block["lithium_book_mAh_cm2"] = dict(book)
    return block


def cycles(blocks: Sequence[Mapping[str, Any]], amounts: Amounts) -> list[dict[str, Any]]:
    """What the steps of each cycle add up to.

    Lithiation is what currents and holds have put in, delithiation what they have taken out; the efficiency is the
    second over the first, None while one of the two is missing.
    """
    found = []
    for number in sorted({int(block["cycle"]) for block in blocks} - {0}):
        own = [block for block in blocks if block["cycle"] == number]
        passed = [block["charge_mAh_cm2"] for block in own if block["kind"] in ("current", "hold")]
        into, out = (sum(max(sign * charge, 0.0) for charge in passed) for sign in (1.0, -1.0))
        turning = max(own, key=lambda block: float(block["mean_lithiation_end"]))
        last = own[-1]
        out_last = next((block for block in reversed(own) if block["lithiates"] is False), None)
        found.append(
            {
                "cycle": number,
                "start_time_s": own[0]["start_time_s"],
                "end_time_s": last["end_time_s"],
                "lithiation_mAh_cm2": into,
                "delithiation_mAh_cm2": out,
                "lithiation_mAh_g": amounts.specific(into),
                "delithiation_mAh_g": amounts.specific(out),
                "coulombic_efficiency": out / into if into > 0.0 and out > 0.0 else None,
                "highest_mean_lithiation": turning["mean_lithiation_end"],
                "last_mean_lithiation": last["mean_lithiation_end"],
                **_thickness("lithiated", turning, own),
                **_thickness("delithiated", out_last, own),
                "thickness_end_um": last["thickness_end_um"],
                "state_end": last["state_end"],
                "trapped_end_mAh_cm2": _last_trapped(own),
                "adhesion_J_m2": _result(own, "adhesion", "work_of_separation_J_m2"),
                "newton_iterations": sum(int(block["newton_iterations"]) for block in own),
                "time_steps": sum(int(block["time_steps"]) for block in own),
            }
        )
    return found


def _thickness(
    name: str, block: Mapping[str, Any] | None, own: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Thickness at the end of a step, its parts, and the unloaded one where it was measured right after."""
    if block is None:
        return {f"thickness_{name}_um": None}
    following = own[next(i for i, other in enumerate(own) if other is block) + 1 :]
    measured = list(itertools.takewhile(lambda other: other["kind"] == "measure", following))
    return {
        f"thickness_{name}_um": block["thickness_end_um"],
        f"parts_{name}_um": block["thickening_parts_um"],
        f"thickness_{name}_unloaded_um": _result(measured, "thickness unloaded", "thickness_um"),
    }


def _result(blocks: Sequence[Mapping[str, Any]], measurement: str, number: str) -> float | None:
    """A number of the last complete measurement of a kind, None where there is none."""
    for block in reversed(blocks):
        result = block.get("result", {})
        if str(result.get("measurement", "")).startswith(measurement) and result.get("complete"):
            return float(result[number])
    return None


def _last_trapped(blocks: Sequence[Mapping[str, Any]]) -> float | None:
    for block in reversed(blocks):
        if "lithium_book_mAh_cm2" in block:
            return float(block["lithium_book_mAh_cm2"]["trapped"]["total"])
    return None
