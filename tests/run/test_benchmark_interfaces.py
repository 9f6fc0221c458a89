"""``swellbound benchmark interfaces``: real lithiations of the tiny electrode with one number changed at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from run import cli
from run.benchmark_interfaces import SHIPPED, TABLE, VARIANTS, Variant, comparison, run_interfaces
from run.errors import EXIT_OK, InputError

END = 0.0135


def stiffer() -> Variant:
    return next(variant for variant in VARIANTS if variant.name == "contact_stiffer")


def test_variants_are_compared_with_the_electrode_as_shipped(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_interfaces(tiny, END, out, 1, (SHIPPED, stiffer())) == EXIT_OK
    table = json.loads((out / TABLE).read_text())
    shipped, other = table["runs"]
    assert shipped["mean_lithiation"] == pytest.approx(END, rel=1e-6)
    assert other["settings"][-1] == "interfaces.all.contact_stiffness=3e+06 MPa/um"
    assert shipped["mesh_hash"] == other["mesh_hash"]
    assert shipped["case_hash"] != other["case_hash"]
    # Before anything lets go penetration is pressure over stiffness.
    assert shipped["penetration_mean_um"] == pytest.approx(10.0 * other["penetration_mean_um"], rel=0.1)
    columns = [list(column.cells) for column in comparison(table).columns]
    assert columns[0] == ["as shipped", "contact ten times stiffer"]
    assert columns[7][0] == "+0.0 %"


def test_steps_are_a_quarter_of_the_median() -> None:
    variant = next(variant for variant in VARIANTS if variant.name == "smaller_steps")
    history = [{"dt_s": 0.0}, {"dt_s": 2.0}, {"dt_s": 8.0}, {"dt_s": 100.0}]
    assert variant.settings(history) == ("time.largest_step=2.0 s", "time.first_step=1.0 s")


def test_a_bad_end_or_a_process_is_refused_before_anything_runs(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert (
        cli.main(["benchmark", "interfaces", "--case", str(tiny), "--until", "1.5", "--out", str(out)]) == 2
    )
    process = Path(cli.__file__).parent / "cases" / "bare_first_cycle.toml"
    with pytest.raises(InputError, match=r"--case .* has a \[process\]"):
        run_interfaces(process, END, out, 1)
    assert not out.exists()
