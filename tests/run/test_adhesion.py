"""``swellbound adhesion`` on a saved state: what it says, what it writes, and that the run is left as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from fem import domain as domains
from fem.adhesion import unload
from fem.measurements.integrals import shape
from fem.section import loosening_of_fillings
from run import folder, results
from run.adhesion import load_state
from run.build import build_model, solver_settings
from run.cli import main
from run.errors import EXIT_BAD_INPUT, EXIT_OK
from tests.run.conftest import TINY

SETTINGS = ["--set", "output.fields=false", "--set", "output.pictures=false", "--quiet"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that is hardly lithiated: all its bonds are whole."""
    where = tmp_path_factory.mktemp("finished")
    (where / "tiny.toml").write_text(TINY, encoding="utf-8")
    given = ["run", str(where / "tiny.toml"), "--out", str(where / "out"), *SETTINGS]
    assert main([*given, "--set", "drive.until_mean_lithiation=0.0125"]) == EXIT_OK
    return where / "out"


def content(run: Path) -> dict[str, str]:
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.rglob("*")
        if path.is_file() and results.ADHESION not in path.parts
    }


def test_pull_off_at_the_foil_takes_the_energy_of_its_bonds(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(finished)
    assert main(["adhesion", str(finished), "--at", "foil", "--rate", "2 nm/s"]) == EXIT_OK
    assert content(finished) == before, "the run is only read"
    said = capsys.readouterr().out
    assert "pull-off at foil: work of separation 0.2" in said
    found = finished / results.ADHESION / "pull-off-foil"
    assert {"adhesion.json", "adhesion.csv", "force.png", "section.png", "fields"} == {
        path.name for path in found.iterdir()
    }
    table = json.loads((found / "adhesion.json").read_text())
    assert (table["complete"], table["rate_um_s"], table["at"]) == (True, 0.002, "foil")
    # 0.31 J/m² and 20 MPa of what is not a pore at the foil.
    bonded = table["section_area_per_width"]
    assert 0.6 < bonded < 0.9
    parts = table["parts_J_m2"]
    assert parts["cohesive"] == pytest.approx(0.31 * bonded, rel=0.01)
    assert 0.9 * 20.0 * bonded < table["strength_MPa"] < 1.1 * 20.0 * bonded
    assert sum(parts.values()) == pytest.approx(table["work_of_separation_J_m2"], rel=1e-12)
    assert abs(parts["elastic_loss"]) < 0.05 * table["work_J_m2"]
    assert (table["debonded_share_before"], table["debonded_share_after"]) == pytest.approx(
        (0.0, 1.0), abs=0.01
    )
    columns, rows = results.read_history(found / "adhesion.csv")
    assert columns["force_N_m"] == "N/m" and len(rows) == table["steps"] + 1
    force, way = (np.array([row[name] for row in rows]) for name in ("force_N_m", "way_um"))
    width = 9.0
    assert np.trapezoid(force, way) / width == pytest.approx(table["work_J_m2"], rel=1e-9)
    assert table["state"]["step"] == json.loads((finished / results.SUMMARY).read_text())["steps_accepted"]


def test_a_section_inside_and_a_peel(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = tmp_path / "inside"
    given = ["adhesion", str(finished), "--quiet"]
    assert main([*given, "--at", "3 um", "--temperature", "25 degC", "--out", str(inside)]) == EXIT_OK
    table = json.loads((inside / "adhesion.json").read_text())
    assert table["temperature_K"] == pytest.approx(298.15)
    # It goes along the grains, which is longer, and through pores, whose part does not count: which wins is the mesh's.
    assert 0.8 < table["section_area_per_width"] < 2.0 and abs(table["section_area_per_width"] - 1.0) > 0.01
    assert table["parts_J_m2"]["cohesive"] == pytest.approx(0.31 * table["section_area_per_width"], rel=0.02)

    peel = tmp_path / "peel"
    assert main([*given, "--at", "foil", "--test", "peel", "--out", str(peel)]) == EXIT_OK
    table = json.loads((peel / "adhesion.json").read_text())
    assert table["steady_force_N_m"] == pytest.approx(0.31, rel=0.03)
    assert not (finished / results.ADHESION / "peel-foil").exists()
    assert "".join(capsys.readouterr()) == ""


def test_an_electrode_that_has_come_apart_can_be_unloaded(tmp_path: Path) -> None:
    """At a mean lithiation of 0.35 all bonds between hosts are broken: grains lie on each other under the pressure.

    Numerical inertia holds them while it is taken away; without it steps of any length fail.
    """
    path, out = tmp_path / "tiny.toml", tmp_path / "out"
    path.write_text(TINY, encoding="utf-8")
    given = ["run", str(path), "--out", str(out), *SETTINGS]
    assert main([*given, "--set", "drive.until_mean_lithiation=0.35"]) == EXIT_OK
    case, _, _ = folder.open_again(out, "RUN")
    model = build_model(case, domains.read(out / results.MESH / "tiny.msh", MPI.COMM_WORLD), None)
    state = load_state(out / results.STATE, case, model)
    loaded = shape(model).thickness
    assert loaded == pytest.approx(state["thickness_um"], rel=1e-6)
    assert model.mean_damage() > 0.7 and float(model.control("pressure").value) == 1.0
    model.control("influx").value = 0.0
    unload(model, solver_settings(case), loosening_of_fillings(model))
    assert float(model.control("pressure").value) == 0.0
    assert model.state.time == pytest.approx(state["time_s"] + 10.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "somewhere"], ("--at", "somewhere", "foil", "um")),
        (["--at", "3 MPa"], ("--at", "3 MPa", "nm")),
        (["--at", "300 um"], ("--at", "300 um", "between 0 and 7 um")),
        (["--at", "foil", "--rate", "3 um"], ("--rate", "3 um", "um/s")),
        (["--at", "foil", "--rate=-1 um/s"], ("--rate", "-1 um/s", "above 0")),
        (["--at", "foil", "--temperature", "20 C"], ("--temperature", "20 C", "60 degC")),
        (["--at", "foil", "--test", "pul-off"], ("--test", "pul-off", "peel")),
    ],
)
def test_mistakes_are_named(
    finished: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: tuple[str, ...]
) -> None:
    assert main(["adhesion", str(finished), *words]) == EXIT_BAD_INPUT
    text = capsys.readouterr().err.strip().splitlines()[-1]
    assert all(part in text for part in said), text


def test_a_run_without_a_checkpoint_cannot_be_tested(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    for path in (copy / results.STATE).glob("*.h5"):
        path.unlink()
    assert main(["adhesion", str(copy), "--at", "foil", "--quiet"]) == EXIT_BAD_INPUT
    assert "it holds no checkpoint" in capsys.readouterr().err
    assert main(["adhesion", str(tmp_path / "nowhere"), "--at", "foil"]) == EXIT_BAD_INPUT
    assert "RUN = " in capsys.readouterr().err
