"""A study of two real runs, from its file to its table, in processes of their own."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from run import results
from run.case import load_case
from run.cli import main
from run.study.quantities import ROOTS, numbers_of


def test_two_seeds_are_run_side_by_side_and_once_only(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tiny.parent / "study.toml", tiny.parent / "out"
    path.write_text(
        '[study]\nname = "two"\nkind = "seeds"\ncase = "tiny.toml"\n'
        "[set]\noutput.fields = false\noutput.pictures = false\n[seeds]\nseeds = [3, 4]\n",
        encoding="utf-8",
    )
    arguments = ["study", str(path), "--out", str(out), "--jobs", "2"]
    assert main(arguments) == 0, "".join(capsys.readouterr())
    said = capsys.readouterr()
    assert "2 finished" in said.out
    assert said.err.count(": finished") == 2
    with open(out / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["mesh.seed"] for row in rows] == ["3", "4"]
    for row in rows:
        run = out / row["run"]
        summary = results.read_json(run / results.SUMMARY)
        assert summary["case_hash"] == load_case(out / "cases" / f"{row['point']}.toml").content_hash
        assert summary["case_hash"].startswith(f"sha256:{row['point']}")
        assert float(row["thickening_percent"]) == summary["thickening_percent"]
        assert (
            float(row["debonded_fraction.graphite|silicon"])
            == summary["debonded_fraction"]["graphite|silicon"]
        )
        assert json.loads((run / results.STATUS).read_text())["state"] == "finished"
        numbers = {name.split(".")[0] for name in numbers_of(summary)}
        told = (
            "a number of summary.json that run/study/quantities.py does not know: add its name to ROOTS there"
        )
        assert numbers <= set(ROOTS), f"{told}: {numbers - set(ROOTS)}"
    assert len({row["thickening_percent"] for row in rows}) == 2
    group = json.loads((out / "study.json").read_text())["quantities"]["thickening_percent"][0]
    values = [float(row["thickening_percent"]) for row in rows]
    assert group["mean"] == pytest.approx(sum(values) / 2.0)
    # The interval of two values: t = 12.706 with one degree of freedom.
    assert group["high"] - group["mean"] == pytest.approx(12.706204736 * abs(values[0] - values[1]) / 2.0)

    written = {row["point"]: (out / row["run"] / results.SUMMARY).stat().st_mtime_ns for row in rows}
    assert main([*arguments, "--quiet"]) == 0
    assert "".join(capsys.readouterr()) == "", "quiet means quiet"
    assert written == {row["point"]: (out / row["run"] / results.SUMMARY).stat().st_mtime_ns for row in rows}
