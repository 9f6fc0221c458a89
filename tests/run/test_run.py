"""A tiny case from its file to its pictures, on any number of ranks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from run import restart, results
from run.case import load_case
from run.cli import main
from run.driver import RunOptions, run_case
from run.errors import ResultsError
from tests.run.conftest import with_tiny

SUMMARY_KEYS = {
    "thickness_um", "thickening_percent", "thickening_parts_um", "mean_lithiation", "damaged_fraction",
    "debonded_fraction", "crack_risk", "contact_fraction",
    "penetration_max_um", "penetration_at_folds_max_um",
    "lithium_book_error", "energy_balance_error", "newton_iterations", "steps_accepted",
    "steps_rejected", "cells", "dofs", "ranks", "wall_time_s", "peak_memory_mib", "mesh_hash", "case_hash", "version",
}  # fmt: skip


@pytest.fixture
def folder(folder: Path, comm: MPI.Intracomm) -> Path:
    """A folder all ranks share, with the tiny case in it."""
    return with_tiny(folder, comm)


@pytest.mark.parallel
def test_a_run_ends_where_it_should_and_its_folder_explains_itself(
    folder: Path, comm: MPI.Intracomm, capfd: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out"
    assert main(["run", str(folder / "tiny.toml"), "--out", str(out), "--quiet"]) == 0
    assert "".join(capfd.readouterr()) == "", "quiet means quiet, libraries included"
    summary = json.loads((out / results.SUMMARY).read_text())
    assert summary.keys() >= SUMMARY_KEYS
    assert summary["exit_code"] == 0
    assert summary["ranks"] == comm.size
    assert abs(summary["mean_lithiation"]["hosts"] - 0.0145) < 1e-12
    parts = summary["thickening_parts_um"]
    assert set(parts) == {"solids", "interface_void", "pores", "lithium_removed"}
    thickening = summary["thickness_um"] - summary["thickness_start_um"]
    assert sum(parts.values()) == pytest.approx(thickening, abs=1e-12)
    assert summary["lithium_book_error"] < 1e-12

    columns, rows = results.read_history(out / results.HISTORY)
    assert columns["thickness_um"] == "um"
    assert len(rows) == summary["steps_accepted"] + 1
    assert sum(row["newton_iterations"] for row in rows) == summary["newton_iterations"]
    assert sum(row["dt_s"] for row in rows) == pytest.approx(summary["time_s"], rel=1e-12)
    density, width_charge = summary["drive"]["current_A_m2"], rows[-1]["charge_mAh_cm2"]
    assert width_charge == pytest.approx(density * summary["time_s"] / 36000.0, rel=1e-12)
    status = json.loads((out / results.STATUS).read_text())
    assert (status["state"], status["exit_code"], status["fraction"]) == ("finished", 0, 1.0)

    for name in (
        results.CASE,
        results.RESOLVED,
        results.PARAMETERS,
        results.LOG,
        results.SECTIONS,
        "mesh/tiny.msh",
    ):
        assert (out / name).is_file(), name
    pictures = sorted(path.name for path in (out / results.PICTURES).iterdir())
    assert pictures == [
        "debonding.png",
        "section_crack_probability.png",
        "section_debonding.png",
        "section_lithiation.png",
        "section_stress_intensity.png",
        "thickness.png",
    ]
    assert (out / results.FIELDS / "fields.pvd").read_text().count("<DataSet") == 3
    assert load_case(out / results.RESOLVED).content_hash == summary["case_hash"]


@pytest.mark.parallel
def test_a_duration_is_met_exactly(folder: Path, comm: MPI.Intracomm) -> None:
    case = load_case(
        folder / "tiny.toml", ["drive.duration=7.5 s", "output.pictures=false", "output.fields=false"]
    )
    result = run_case(case, RunOptions(folder / "out", quiet=True), comm)
    assert result.exit_code == 0
    assert result.summary["time_s"] == pytest.approx(7.5, abs=1e-11)


@pytest.mark.parallel
def test_a_voltage_ends_a_drive(folder: Path, comm: MPI.Intracomm) -> None:
    """With the first step whose voltage is below it, and everything that is told says so."""
    settings = ["drive.until_voltage=1.1 V", "output.pictures=false", "output.fields=false"]
    result = run_case(load_case(folder / "tiny.toml", settings), RunOptions(folder / "out", quiet=True), comm)
    assert result.exit_code == 0
    drive, said = result.summary["drive"], "drive.until_voltage = 1.1 V was reached"
    assert drive["ended_by_voltage"] and drive["until_voltage_V"] == 1.1
    mean = result.summary["mean_lithiation"]["hosts"]
    assert drive["start_mean_lithiation"] < mean < 0.0145 - 1e-6
    assert said in result.reason and said in result.summary["end_reason"]
    assert any(said in sentence for sentence in result.summary["notes"])
    assert said in (folder / "out" / results.LOG).read_text()
    voltages = [
        row["electrolyte_potential_V"] for row in results.read_history(folder / "out" / results.HISTORY)[1]
    ]
    assert voltages[-1] <= 1.1 < min(voltages[:-1])


@pytest.mark.parallel
def test_a_run_that_cannot_go_on_keeps_its_last_good_state(folder: Path, comm: MPI.Intracomm) -> None:
    out = folder / "out"
    # One iteration is not enough even for the smallest step: the pressure alone takes two.
    arguments = ["run", str(folder / "tiny.toml"), "--out", str(out), "--quiet"]
    for setting in (
        "solver.maximum_iterations=1",
        "time.first_step=1e-4 s",
        "time.smallest_step=1e-4 s",
        "output.frames=1",
    ):
        arguments += ["--set", setting]
    assert main(arguments) == 3
    summary = json.loads((out / results.SUMMARY).read_text())
    status = json.loads((out / results.STATUS).read_text())
    assert (status["state"], status["exit_code"], summary["exit_code"]) == ("stopped", 3, 3)
    assert "still fail" in summary["end_reason"]
    assert summary["steps_rejected"] > 0
    assert summary["newton_iterations"] >= summary["newton_iterations_wasted"] > 0
    _, rows = results.read_history(out / results.HISTORY)
    assert len(rows) == summary["steps_accepted"] + 1
    assert rows[-1]["time_s"] == summary["time_s"]
    found = restart.find(out / results.STATE, {"case": summary["case_hash"]})
    assert found.checkpoint is not None
    numbers, tables = found.checkpoint.numbers, found.checkpoint.tables
    assert (numbers["time"], numbers["steps"]) == (summary["time_s"], summary["steps_accepted"])
    assert np.all(np.isfinite(tables["cells/unknowns"]))
    assert np.array_equal(tables["cells/unknowns"], tables["cells/previous"])


@pytest.mark.parallel
def test_bad_input_ends_all_ranks_alike(
    folder: Path, comm: MPI.Intracomm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(folder / "tiny.toml"), "--set", "drive.curent=1 C"]) == 2
    said = capsys.readouterr().err
    assert ("did you mean current?" in said) == (comm.rank == 0)


@pytest.mark.parallel
def test_an_end_below_the_start_is_refused(
    folder: Path, comm: MPI.Intracomm, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(folder / "out")
    assert (
        main(["run", str(folder / "tiny.toml"), "--out", out, "--set", "drive.until_mean_lithiation=0.001"])
        == 2
    )
    if comm.rank == 0:
        assert "drive.until_mean_lithiation = 0.001 is not allowed" in capsys.readouterr().err


@pytest.mark.parallel
def test_a_full_disk_ends_all_ranks_with_one_sentence(
    folder: Path, comm: MPI.Intracomm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, *given: object) -> None:
        raise ResultsError(f"{path} cannot be written: the disk is full.")

    if comm.rank == 0:
        monkeypatch.setattr(results, "write_history", full)
    assert main(["run", str(folder / "tiny.toml"), "--out", str(folder / "out"), "--quiet"]) == 1
    if comm.rank == 0:
        assert "history.csv cannot be written: the disk is full" in capsys.readouterr().err
        assert json.loads((folder / "out" / results.STATUS).read_text())["state"] == "failed"


def test_the_mesh_of_the_run_before_is_used_again(folder: Path, comm: MPI.Intracomm) -> None:
    from run.meshing import mesh_case

    case = load_case(folder / "tiny.toml")
    file, found = mesh_case(case, folder / "mesh")
    assert not found
    written = file.stat().st_mtime_ns
    assert mesh_case(case, folder / "mesh") == (file, True)
    other, found = mesh_case(load_case(folder / "tiny.toml", ["mesh.seed=4"]), folder / "mesh")
    assert not found
    assert other.stat().st_mtime_ns > written
