"""The numbers of a finished point: everything in its summary, and in the table of its adhesion test, by dotted name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from run.errors import InputError
from run.overrides import unknown_key
from run.toml_text import flattened

#: What is looked at where a study names nothing.
DEFAULT = ("thickening_percent", "thickening_parts_um.interface_void", "debonded_fraction.all")
ADHESION = "adhesion"
#: Keys of summary.json that hold a list of tables.
LISTS = ("steps", "cycles")
#: First parts of the names: keys of summary.json that hold numbers (a test compares them with a run's).
ROOTS = (
    "cells", "charge_mAh_cm2", "contact_fraction", "contact_turning_share", "crack_risk", "cycles", "damaged_fraction",
    "debonded_fraction", "dissipation_pJ_um", "dofs", "drive", "energy_balance_error", "exit_code",
    "fields_mib", "frames", "lithium_book_error", "mean_lithiation", "newton_iterations",
    "newton_iterations_wasted", "peak_memory_mib", "peak_memory_mib_largest_rank", "penetration_at_folds_max_um",
    "penetration_max_um",
    "process", "ranks", "solver", "steps", "steps_accepted", "steps_rejected", "thickening_parts_um",
    "thickening_percent", "thickness_start_um", "thickness_um", "time_s", "unresolved_share",
    "wall_time_s",
)  # fmt: skip


def check_names(names: Sequence[str], with_adhesion: bool) -> None:
    """Refuse what no summary holds, before anything is run.

    Raises:
        InputError: A name that is unknown or given twice, or none at all.
    """
    if not names:
        raise InputError(
            "study.quantities", "= [] is not allowed: name one quantity at least, or leave the key out"
        )
    for number, name in enumerate(names):
        root = name.split(".")[0]
        if root == ADHESION and not with_adhesion:
            raise InputError(
                "study.quantities",
                f"= {name!r} is not allowed: it needs a table [adhesion] that says which test",
            )
        if root not in (*ROOTS, ADHESION):
            raise unknown_key("study.quantities", root, name, (*ROOTS, ADHESION))
        if name in names[:number]:
            raise InputError("study.quantities", f"= {name!r} is not allowed twice: leave one out")


def numbers_of(summary: Mapping[str, Any], adhesion: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Every number of a summary by its dotted name; those of an adhesion test begin with ``adhesion.``.

    Of lists of tables (the steps and cycles of a process) the last one counts, as ``cycles.last.NAME``.
    """
    tables = dict(summary)
    for name in LISTS:
        if tables.get(name):
            tables[name] = {"last": tables[name][-1]}
    if adhesion is not None:
        tables[ADHESION] = adhesion
    return {
        name: value
        for name, value in flattened(tables).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
