"""A short process on the tiny electrode, and what its folder holds; the fixtures that run it are in conftest.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fem import checkpoint_file
from run import restart, results
from run.toml_text import dumps
from tests.run.conftest import TINY

HEAD = TINY.split("[drive]")[0]
QUICK = '[output]\nfields = false\npictures = false\n[time]\nfirst_step = "3 s"\n'
FIRST = ["press to 5 MPa at 60 degC in 2 s", "lithiate at 1 C until lithiation 0.02", "rest for 10 s"]
SECOND = [
    "hold at 0.45 V until 0.5 C or for 5 min",
    "charge at 1 C until 0.75 V",
    "rest for 10 s at 40 degC",
]
MEASURE = "measure thickness unloaded"
# Rate of the last step, and forces that the energy balance of a run works with: another run begins its own.
_NOT_THE_MODELS = ("history", "cells/rate", "cells/contact_force", "cells/friction_force")


def case_file(folder: Path, name: str, steps: list[Any], more: str = QUICK) -> Path:
    """The tiny case with a process."""
    path = folder / f"{name}.toml"
    path.write_text(HEAD + dumps({"process": {"steps": steps}}) + more, encoding="utf-8")
    return path


def summary_of(out: Path) -> dict[str, Any]:
    return results.read_json(out / results.SUMMARY)


def last_state(out: Path) -> dict[str, Any]:
    """Everything of the model that the last checkpoint holds; what stepper and observer remember is not the model's."""
    found = checkpoint_file.from_bytes(restart.listed(out / results.STATE)[0].read_bytes())
    tables = {name: table for name, table in found.tables.items() if name not in _NOT_THE_MODELS}
    return {**tables, "time": found.numbers["time"], **found.numbers["controls"]}


def assert_same_state(one: Path, other: Path) -> None:
    first, second = last_state(one), last_state(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name
