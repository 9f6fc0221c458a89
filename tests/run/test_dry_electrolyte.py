"""A dry electrode: no electrolyte decomposes before the first current; the oxide of silicon needs no electrolyte."""

from __future__ import annotations

import json
from pathlib import Path

from run.cli import main
from tests.run.conftest import SETTINGS


def test_nothing_decomposes_before_the_cell_is_built(tiny: Path) -> None:
    process = (
        '[process]\nstart_voltage = "0.3 V"\n'
        'steps = ["press to 1 MPa in 1 s", "rest for 10 min", "discharge at 0.5 C for 1 min", "rest for 10 s"]\n'
        '[interfaces."electrolyte|graphite"]\ndecomposition_charge = "0.05 mAh/cm^2"\n'
        '[interfaces."electrolyte|silicon"]\ndecomposition_charge = "0.05 mAh/cm^2"\n'
        '[interfaces."graphite|silicon"]\noxide_charge = "0.0008 mAh/cm^2"\noxide_current = "0.01 A/m^2"\n'
    )
    text = tiny.read_text("utf-8").replace("[drive]\nuntil_mean_lithiation = 0.0145\n", process)
    tiny.write_text(text, "utf-8")
    assert main(["run", str(tiny), "--out", str(tiny.parent / "out"), *SETTINGS]) == 0
    summary = json.loads((tiny.parent / "out" / "summary.json").read_text("utf-8"))
    books = [block["lithium_book_mAh_cm2"] for block in summary["steps"]]
    spent = [book["held"]["side_products"] for book in books]
    oxide = [book["held"]["oxide"] for book in books]
    assert spent[0] == spent[1] == 0.0
    assert oxide[1] > 1e-5, "the oxide lies on dry silicon as well"
    # At 0.5 C a minute passes 0.008 mAh/cm2; the reaction is fast against that.
    assert spent[2] > 1e-3
    assert spent[3] > spent[2], "once built, the cell stays wet at rest"
    assert max(book["error"] for book in books) < 1e-8
    assert any("the cell counts as built" in note for note in summary["notes"])
