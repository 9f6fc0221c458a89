"""A study's points: complete cases, each run once, whatever happens to some; and what becomes of their numbers."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from run.case import load_case
from run.errors import EXIT_OK, EXIT_RESUME, EXIT_STOPPED
from run.study.places import ANALYSIS, PARQUET, PLAN, TABLE, Places
from run.study.points import load_study
from run.study.study import StudyOptions, run_study
from tests.run import fake_point

REPOSITORY = Path(__file__).resolve().parents[2]
Write = Callable[..., Path]


@pytest.fixture
def write(tiny: Path) -> Write:
    """Writes a study of the tiny case."""

    def written(kind: str, table: str, name: str = "try", more: str = "") -> Path:
        path = tiny.parent / f"{name}.toml"
        more = more if "quantities" in more else f'{more}\nquantities = ["thickening_percent"]'
        study = f'[study]\nname = "{name}"\nkind = "{kind}"\ncase = "{tiny.name}"\n{more}\n'
        path.write_text(f"{study}\n[set]\noutput.fields = false\n{table}\n", encoding="utf-8")
        return path

    return written


def pressures(*values: str) -> str:
    return f"[sweep]\ndrive.stack_pressure = {list(values)!r}".replace("'", '"')


def carried_out(path: Path, **options: Any) -> int:
    given = StudyOptions(out=path.parent / "out", quiet=True, **options)
    return run_study(path, given, fake_point.command)


def begun(path: Path) -> dict[str, int]:
    """How often each point was begun, by its stack pressure."""
    study, places = load_study(path), Places(path.parent / "out")
    found = {}
    for point in study.points:
        file = places.run(point) / "begun.txt"
        number = len(file.read_text().splitlines()) if file.is_file() else 0
        found[str(point.settings[0][1])] = number
    return found


def read_table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_point_is_a_complete_case_that_the_hash_names(write: Write) -> None:
    path = write("sweep", pressures("1 MPa", "2 MPa") + "\nmesh.seed = [3, 4]")
    assert carried_out(path) == EXIT_OK
    study, places = load_study(path), Places(path.parent / "out")
    settings = [dict(point.settings) for point in study.points]
    assert [(one["drive.stack_pressure"], one["mesh.seed"]) for one in settings] == [
        ("1 MPa", 3),
        ("1 MPa", 4),
        ("2 MPa", 3),
        ("2 MPa", 4),
    ]
    for point in study.points:
        case = load_case(places.case(point))
        assert case.content_hash == point.case.content_hash
        assert case.content_hash.startswith(f"sha256:{point.name}")
        assert case.file.drive.stack_pressure == float(str(point.settings[0][1]).split()[0])
        assert not case.file.output.fields
        assert case.name == f"try-{point.name}"
    # The base case, set to the same values by hand, is the same case.
    words = ["drive.stack_pressure=2 MPa", "mesh.seed=4", "output.fields=false"]
    assert load_case(path.parent / "tiny.toml", words).content_hash == study.points[-1].case.content_hash


def test_finished_points_are_never_repeated_however_the_study_grows(write: Write) -> None:
    path = write("sweep", pressures("1 MPa", "2 MPa"))
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"1 MPa": 1, "2 MPa": 1}
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"1 MPa": 1, "2 MPa": 1}
    # Another order, another way to say the same, a new one between them.
    path = write("sweep", pressures("2 MPa", "3 MPa", "1000 kPa"))
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"2 MPa": 1, "3 MPa": 1, "1000 kPa": 1}
    # What is the same in all points makes other points.
    assert carried_out(path, settings=("drive.until_mean_lithiation=0.02",)) == EXIT_OK
    assert len(list((path.parent / "out" / "runs").iterdir())) == 6


def test_a_failed_point_is_listed_with_its_reason_and_repeated_only_when_asked(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("sweep", pressures("1 MPa", "13 MPa", "2 MPa"))
    out = path.parent / "out"
    assert run_study(path, StudyOptions(out=out), fake_point.command) == EXIT_STOPPED
    said = "".join(capsys.readouterr())
    assert "drive.stack_pressure = 13 MPa" in said
    assert "steps of 1e-05 s still fail" in said
    table = json.loads((out / ANALYSIS).read_text())
    assert [failure["reason"] for failure in table["failed"]] == ["steps of 1e-05 s still fail"]
    assert table["points"] == {"finished": 2, "failed": 1, "unfinished": 0, "waiting": 0}
    rows = read_table(out / TABLE)
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("finished", ""),
        ("failed", "steps of 1e-05 s still fail"),
        ("finished", ""),
    ]
    assert [row["thickening_percent"] for row in rows] == [str(5.0 + 3 + 1.62), "", str(10 / 3 + 3 + 1.62)]
    assert carried_out(path) == EXIT_STOPPED
    assert begun(path) == {"1 MPa": 1, "13 MPa": 1, "2 MPa": 1}
    assert carried_out(path, again=True) == EXIT_OK
    assert begun(path) == {"1 MPa": 1, "13 MPa": 2, "2 MPa": 1}


def test_a_point_whose_process_dies_is_gone_on_with(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("sweep", pressures("17 MPa", "1 MPa"))
    assert run_study(path, StudyOptions(out=path.parent / "out"), fake_point.command) == EXIT_RESUME
    assert "exit code 9" in capsys.readouterr().err
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"17 MPa": 2, "1 MPa": 1}


def test_jobs_run_side_by_side_and_no_more_of_them(write: Write) -> None:
    path = write("sweep", pressures("1 MPa", "2 MPa", "3 MPa", "4 MPa"))
    assert carried_out(path, jobs=2) == EXIT_OK
    begins, ends = [], []
    for run in (path.parent / "out" / "runs").iterdir():
        begins.append(float((run / "begun.txt").read_text()))
        ends.append(begins[-1] + fake_point.SECONDS)  # it sleeps so long before it ends
    together = [sum(b <= at < e for b, e in zip(begins, ends, strict=True)) for at in begins]
    assert max(together) == 2


def test_an_interrupted_study_keeps_its_points_and_goes_on(write: Write) -> None:
    path = write("sweep", pressures("1 MPa", "19 MPa", "2 MPa"))
    code = (
        "import sys; from pathlib import Path; from tests.run import fake_point\n"
        "from run.study.study import StudyOptions, run_study\n"
        "out = Path(sys.argv[2])\n"
        "sys.exit(run_study(Path(sys.argv[1]), StudyOptions(out=out), fake_point.command))"
    )
    out = path.parent / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(out)], cwd=REPOSITORY, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60.0
    while begun(path)["19 MPa"] == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == EXIT_RESUME
    assert "1 finished, 1 unfinished, 1 waiting" in said
    assert begun(path) == {"1 MPa": 1, "19 MPa": 1, "2 MPa": 0}
    states = [json.loads(file.read_text())["state"] for file in (out / "runs").glob("*/status.json")]
    assert sorted(states) == ["finished", "interrupted"], "it was asked to save itself, not killed"
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"1 MPa": 1, "19 MPa": 2, "2 MPa": 1}


def test_two_calls_at_once_are_kept_apart(write: Write) -> None:
    from mpi4py import MPI

    from run import folder
    from run.errors import InputError

    path = write("sweep", pressures("1 MPa", "2 MPa"))
    with folder.held(path.parent / "out", MPI.COMM_SELF), pytest.raises(InputError, match="in use"):
        carried_out(path)


def test_the_table_comes_as_parquet_too(write: Write) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow writes and reads Parquet")
    path = write("sweep", pressures("1 MPa", "13 MPa") + "\nmesh.seed = [1, 2]")
    assert carried_out(path) == EXIT_STOPPED
    out = path.parent / "out"
    table = parquet.read_table(out / PARQUET)
    assert table.column("mesh.seed").to_pylist() == [1, 2, 1, 2]
    assert table.column("drive.stack_pressure").to_pylist() == ["1 MPa", "1 MPa", "13 MPa", "13 MPa"]
    rows = read_table(out / TABLE)
    assert table.column_names == list(rows[0])
    numbers = table.column("thickening_percent").to_pylist()
    assert numbers == [5.0 + 1 + 1.62, 5.0 + 2 + 1.62, None, None]
    assert table.schema.metadata[b"study"].decode() == path.read_text()


def test_a_mesh_study_finds_order_and_limit_and_leaves_out_other_grains(write: Write) -> None:
    sizes = "[mesh_refinement]\nelement_sizes_um = [0.8, 1.6, 1.0, 0.7, 0.5]"
    path = write("mesh_refinement", sizes)
    assert carried_out(path, jobs=2) == EXIT_OK
    said = json.loads((path.parent / "out" / ANALYSIS).read_text())
    assert said["element_sizes_um"] == pytest.approx([1.6, 1.0, 0.8, 0.5], rel=0.01)
    found = said["quantities"]["thickening_percent"]
    # The stand-in's strain is 8 + h^2 / 2; the sizes come from whole numbers of cells.
    assert found["order"] == pytest.approx(2.0, abs=0.1)
    assert found["limit"] == pytest.approx(8.0, abs=0.02)
    assert found["asymptotic"]
    assert len(said["notes"]) == 1
    assert "element_size_um 0.7" in said["notes"][0]
    assert "other grains" in said["notes"][0]
    ratios = [point.settings[1][1] / point.settings[0][1] for point in load_study(path).points]
    assert ratios == pytest.approx([1.4 / 1.8] * 5, rel=1e-5)
    assert (path.parent / "out" / "pictures" / "thickening_percent.png").stat().st_size > 10_000


def test_seeds_give_mean_and_interval_for_each_width(write: Write) -> None:
    path = write(
        "seeds",
        "[seeds]\nseeds = [1, 2, 6]\nwidths_um = [9.0, 12.0]",
        more='quantities = ["thickening_percent"]',
    )
    assert carried_out(path, jobs=2) == EXIT_OK
    out = path.parent / "out"
    groups = json.loads((out / ANALYSIS).read_text())["quantities"]["thickening_percent"]
    assert [group["mesh.width_um"] for group in groups] == [9.0, 12.0]
    for group in groups:
        assert group["mean"] == pytest.approx(5.0 + 3.0 + 1.62)
        assert group["deviation"] == pytest.approx(7.0**0.5)
        assert group["high"] - group["mean"] == pytest.approx(4.302652729911275 * (7.0 / 3.0) ** 0.5)
    assert (out / "pictures" / "thickening_percent.png").is_file()


def test_a_design_says_what_matters(write: Write) -> None:
    bounds = (
        "[design]\npoints = 8\n[design.bounds]\n"
        'drive.stack_pressure = {low = "0.5 MPa", high = "8 MPa", scale = "log"}\n'
        'interfaces.all.fracture_energy = {low = "0.5 J/m^2", high = "2 J/m^2"}'
    )
    path = write("design", bounds)
    assert carried_out(path, jobs=2) == EXIT_OK
    out = path.parent / "out"
    found = json.loads((out / ANALYSIS).read_text())["quantities"]["thickening_percent"]
    assert found["drive.stack_pressure"]["coefficient"] == pytest.approx(-1.0)
    assert abs(found["interfaces.all.fracture_energy"]["coefficient"]) < 0.9
    assert (out / "pictures" / "thickening_percent.png").is_file()


def test_a_quantity_that_no_point_has_is_told_after_everything_else_was_written(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    from run.cli import main

    path = write("sweep", pressures("1 MPa", "2 MPa"), more='quantities = ["thickening_parts_um.viod"]')
    with pytest.raises(Exception, match=r"thickening_parts_um\.viod"):
        carried_out(path)
    assert (path.parent / "out" / TABLE).is_file()
    # Corrected, nothing is repeated.
    path = write(
        "sweep", pressures("1 MPa", "2 MPa"), more='quantities = ["thickening_parts_um.interface_void"]'
    )
    assert carried_out(path) == EXIT_OK
    assert begun(path) == {"1 MPa": 1, "2 MPa": 1}
    assert main(["study", str(path), "--out", str(path.parent / "out"), "--collect"]) == EXIT_OK
    assert "2 finished" in capsys.readouterr().out


def test_a_plan_runs_nothing_and_tells_snakemake_everything(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("sweep", pressures("1 MPa", "2 MPa"), more="ranks = 2")
    out = path.parent / "out"
    given = StudyOptions(out=out, only="plan", settings=("mesh.seed=5",))
    assert run_study(path, given, fake_point.command) == EXIT_OK
    assert f"--config plan={out / PLAN}" in capsys.readouterr().out
    plan = json.loads((out / PLAN).read_text())
    assert (plan["ranks"], plan["set"], plan["study"]) == (2, ["mesh.seed=5"], str(path))
    for name, point in plan["points"].items():
        assert load_case(out / "cases" / f"{name}.toml").content_hash == point["case_hash"]
        assert 200 < point["estimated_mib"] < 400
    assert not (out / "runs").exists()
