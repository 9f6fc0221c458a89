"""The states of a run of a process that are worth comparing: at the start, dry, lithiated, delithiated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from run import results
from run.section_picture import Section

PARTS = ("solids", "interface_void", "pores", "lithium_removed")


@dataclass(frozen=True)
class KeyState:
    """A state at the end of a step of a process.

    Attributes:
        label: What it is called in pictures.
        thickness: In µm: unloaded where that was measured right after the step, else under its pressure.
        unloaded: Whether it is the unloaded thickness.
        parts: Of the thickening in µm, adding up to it.
        held: Lithium in mAh/cm² by phase.
        trapped: Of it in grains that are cut off.
        lithiation: Mean of the hosts.
        step: Number of the step, 0 for the start.
    """

    label: str
    thickness: float
    unloaded: bool
    parts: Mapping[str, float]
    held: Mapping[str, float]
    trapped: float
    lithiation: float
    step: int


def key_states(summary: Mapping[str, Any]) -> list[KeyState]:
    """The key states of a run, in their order; empty for a run of a [drive].

    Of several cycles the first and the last are shown.
    """
    blocks = list(summary.get("steps", ()))
    with_book = [block for block in blocks if "lithium_book_mAh_cm2" in block]
    if not with_book:
        return []
    found = [_start(summary, with_book[0])]
    dry = [block for block in with_book if block["cycle"] == 0]
    if dry:
        found.append(_state("dry" if len(dry) > 1 else "pressed", dry[-1], blocks))
    numbers = sorted({block["cycle"] for block in with_book} - {0})
    for number in dict.fromkeys([*numbers[:1], *numbers[-1:]]):
        own = [block for block in with_book if block["cycle"] == number]
        again = f" {number}" if len(numbers) > 1 else ""
        turning = max(own, key=lambda block: float(block["mean_lithiation_end"]))
        found.append(_state(f"lithiated{again}", turning, blocks))
        out = [block for block in own if block["lithiates"] is False]
        if out and out[-1]["number"] > turning["number"]:
            found.append(_state(f"delithiated{again}", out[-1], blocks))
    return found


def section_of(folder: Path, state: KeyState) -> Section | None:
    """The section in a key state, or None where it was not kept."""
    path = folder / results.STEPS / f"{state.step:04d}.npz"
    return results.read_arrays(path) if path.is_file() else None


def as_summary(summary: Mapping[str, Any], state: KeyState, block_thickness: float) -> dict[str, Any]:
    """What a picture of the section in a state needs of a summary.

    Args:
        summary: Of the run.
        state: The state.
        block_thickness: Thickness that the section itself has.
    """
    before = summary["thickness_start_um"]
    return {
        "case": summary["case"],
        "thickness_start_um": before,
        "thickness_um": block_thickness,
        "thickening_percent": 100.0 * (block_thickness / before - 1.0),
        "mean_lithiation": {"hosts": state.lithiation},
    }


def _start(summary: Mapping[str, Any], first: Mapping[str, Any]) -> KeyState:
    held = first["lithium_book_mAh_cm2"]["held_at_start"]
    none = dict.fromkeys(PARTS, 0.0)
    return KeyState(
        "start", summary["thickness_start_um"], True, none, held, 0.0, first["mean_lithiation_start"], 0
    )


def _state(label: str, block: Mapping[str, Any], blocks: list[Mapping[str, Any]]) -> KeyState:
    book = block["lithium_book_mAh_cm2"]
    thickness, parts, unloaded = block["thickness_end_um"], block["thickening_parts_um"], False
    for later in blocks[int(block["number"]) :]:
        result = later.get("result", {})
        if later["kind"] != "measure":
            break
        if result.get("measurement") == "thickness unloaded" and result.get("complete"):
            thickness, parts, unloaded = result["thickness_um"], result["thickening_parts_um"], True
    return KeyState(
        label,
        thickness,
        unloaded,
        parts,
        book["held"],
        book["trapped"]["total"],
        block["mean_lithiation_end"],
        int(block["number"]),
    )
