"""Mistakes in a study: each ends with exit code 2 and one sentence of key, value, remedy, before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from run.cli import main

pytestmark = pytest.mark.usefixtures("nothing_is_run")

HEAD = '[study]\nname = "try"\nkind = "{kind}"\ncase = "tiny.toml"\n'
SWEEP = HEAD.format(kind="sweep") + "ranks = 1\n" + '[sweep]\ndrive.stack_pressure = ["1 MPa", "2 MPa"]\n'
MESH = HEAD.format(kind="mesh_refinement") + "[mesh_refinement]\nelement_sizes_um = {sizes}\n"
SEEDS = HEAD.format(kind="seeds") + "[seeds]\n{keys}\n"
DESIGN = HEAD.format(kind="design") + "[design]\npoints = {points}\n{more}\n[design.bounds]\n{bounds}\n"


def design(bounds: str, points: int = 4, more: str = "") -> str:
    return DESIGN.format(bounds=bounds, points=points, more=more)


# The study, and what the sentence must contain: the key, the value as it was given, the remedy.
MISTAKES = {
    "syntax": ("[study\n", ("STUDY", "not valid TOML", "correct that line")),
    "empty": ("", ("study", "is missing", "add this table to the study file")),
    "unknown table": (SWEEP + "[seed]\nseeds = [1]\n", ("seed", "did you mean seeds?")),
    "unknown key": (SWEEP.replace("ranks", "rnaks"), ("study.rnaks", "did you mean ranks?")),
    "name": (SWEEP.replace('"try"', '"a b"'), ("study.name", "a b")),
    "kind": (SWEEP.replace('kind = "sweep"', 'kind = "sweeps"'), ("study.kind", "sweeps", "mesh_refinement")),
    "kind missing": (SWEEP.replace('kind = "sweep"\n', ""), ("study.kind", "is missing", "study file")),
    "table missing": (HEAD.format(kind="seeds"), ("seeds", "is missing", "[seeds]")),
    "table of another kind": (
        SWEEP + "[seeds]\nseeds = [1, 2]\n",
        ("seeds", "not allowed", "leave this table out"),
    ),
    "no case": (SWEEP.replace("tiny.toml", "none.toml"), ("study.case", "none.toml", "correct the path")),
    "ranks": (
        SWEEP.replace("ranks = 1", "ranks = 0"),
        ("study.ranks", "0", "greater than or equal to 1"),
    ),
    "quantity": (
        SWEEP.replace("[sweep]", 'quantities = ["thicknes_um"]\n[sweep]'),
        ("study.quantities", "thicknes_um", "did you mean thickness_um?"),
    ),
    "quantity twice": (
        SWEEP.replace("[sweep]", 'quantities = ["time_s", "time_s"]\n[sweep]'),
        ("study.quantities", "time_s", "twice"),
    ),
    "no quantity": (
        SWEEP.replace("[sweep]", "quantities = []\n[sweep]"),
        ("study.quantities", "[]", "name one"),
    ),
    "adhesion not asked for": (
        SWEEP.replace("[sweep]", 'quantities = ["adhesion.strength_MPa"]\n[sweep]'),
        ("study.quantities", "adhesion.strength_MPa", "[adhesion]"),
    ),
    "adhesion test": (SWEEP + '[adhesion]\ntest = "push"\n', ("adhesion.test", "push", "'pull-off'")),
    "adhesion key": (
        SWEEP + '[adhesion]\nspeed = "1 nm/s"\n',
        ("adhesion.speed", "1 nm/s", "known here: at"),
    ),
    "adhesion rate": (SWEEP + '[adhesion]\nrate = "1 V"\n', ("adhesion.rate", "1 V", "um/s")),
    "adhesion place": (SWEEP + '[adhesion]\nat = "top"\n', ("adhesion.at", "top", "foil")),
    "case of all points": (
        SWEEP + "[set]\ndrive.curent = 1\n",
        ("drive.curent", "1", "did you mean current?"),
    ),
    "swept key": (
        SWEEP.replace("drive.stack_pressure", "drvie.stack_pressure"),
        ("sweep.drvie.stack_pressure", "did you mean drive?"),
    ),
    "swept value": (SWEEP.replace('"2 MPa"', '"2 V"'), ("drive.stack_pressure", "2 V", "MPa")),
    "swept range": (
        SWEEP.replace('"2 MPa"', '"-2 MPa"'),
        ("drive.stack_pressure", "-2 MPa", "at least 0 MPa"),
    ),
    "no list": (
        SWEEP.replace('["1 MPa", "2 MPa"]', '"1 MPa"'),
        ("sweep.drive.stack_pressure", "1 MPa", "a list"),
    ),
    "no values": (
        SWEEP.replace('["1 MPa", "2 MPa"]', "[]"),
        ("sweep.drive.stack_pressure", "[]", "one value"),
    ),
    "nothing swept": (HEAD.format(kind="sweep") + "[sweep]\n", ("sweep", "is empty", "add KEY")),
    "a date": (
        SWEEP.replace('["1 MPa", "2 MPa"]', "[1979-05-27]"),
        ("drive.stack_pressure", "1979", "no place in a TOML file"),
    ),
    "same twice": (
        SWEEP.replace('"2 MPa"', '"1000 kPa"'),
        ("sweep", "same case twice", "1000 kPa", "leave one out"),
    ),
    "three levels": (
        MESH.format(sizes="[1.8, 1.3, 0.9]"),
        ("element_sizes_um", "[1.8, 1.3, 0.9]", "4 sizes"),
    ),
    "levels too close": (MESH.format(sizes="[1.8, 1.3, 0.9, 0.88]"), ("0.9 and 0.88", "factor of 1.1")),
    "negative level": (
        MESH.format(sizes="[1.8, 1.3, 0.9, -1.0]"),
        ("element_sizes_um", "-1.0", "greater than 0"),
    ),
    "level too fine": (
        MESH.format(sizes="[1.8, 1.3, 0.9, 0.001]"),
        ("element_size_um", "0.001", "max_cells"),
    ),
    "one seed": (SEEDS.format(keys="seeds = [1]"), ("seeds.seeds", "[1]", "two seeds")),
    "negative seed": (
        SEEDS.format(keys="seeds = [1, -2]"),
        ("seeds.seeds", "-2", "greater than or equal to 0"),
    ),
    "no width": (SEEDS.format(keys="seeds = [1, 2]\nwidths_um = []"), ("seeds.widths_um", "[]", "one width")),
    "confidence": (
        SEEDS.format(keys="seeds = [1, 2]\nconfidence = 95"),
        ("seeds.confidence", "95", "less than 1"),
    ),
    "method": (
        design("drive.stack_pressure = {low = 1, high = 2}", more='method = "sobel"'),
        ("design.method", "sobel", "'latin_hypercube'"),
    ),
    "sobol": (
        design('drive.stack_pressure = {low = "1 MPa", high = "2 MPa"}', 6, 'method = "sobol"'),
        ("design.points", "6", "4 or 8"),
    ),
    "no bounds": (design(""), ("design.bounds", "is empty", "add KEY")),
    "no table": (design("drive.stack_pressure = 3"), ("design.bounds.drive.stack_pressure", "3", "{low")),
    "bound missing": (
        design('drive.stack_pressure = {low = "1 MPa"}'),
        ("drive.stack_pressure.high", "is missing"),
    ),
    "bound key": (
        design('drive.stack_pressure = {low = "1 MPa", high = "2 MPa", scal = "log"}'),
        ("drive.stack_pressure.scal", "did you mean scale?"),
    ),
    "bounds in two units": (
        design('drive.stack_pressure = {low = "1 MPa", high = "2000 kPa"}'),
        ("stack_pressure.high", "2000 kPa", "'MPa'"),
    ),
    "bounds upside down": (
        design('drive.stack_pressure = {low = "3 MPa", high = "2 MPa"}'),
        ("stack_pressure.high", "2 MPa", "above low = '3 MPa'"),
    ),
    "log of zero": (
        design('drive.stack_pressure = {low = "0 MPa", high = "2 MPa", scale = "log"}'),
        ("stack_pressure.low", "0 MPa", "above zero"),
    ),
    "log of whole numbers": (
        design('mesh.seed = {low = 1, high = 9, scale = "log"}'),
        ("mesh.seed.scale", "log", "whole numbers"),
    ),
    "bound out of range": (
        design('drive.stack_pressure = {low = "0.1 MPa", high = "1e6 MPa"}'),
        ("drive.stack_pressure", "MPa", "at most 1000 MPa"),
    ),
    "bound of an unknown key": (
        design('drive.stak_pressure = {low = "0.1 MPa", high = "1 MPa"}'),
        ("drive.stak_pressure", "did you mean stack_pressure?"),
    ),
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_mistake_is_answered_in_one_sentence(
    name: str, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, parts = MISTAKES[name]
    path = tiny.parent / "study.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["study", str(path), "--out", str(tiny.parent / "out")]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("swellbound: ")
    assert output.err.count("\n") == 1, output.err
    for part in parts:
        assert part in output.err, output.err
    assert not (tiny.parent / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["none.toml"], ("STUDY", "none.toml", "does not exist", "mesh_bare.toml")),
        (["STUDY", "--jobs", "0"], ("--jobs", "0", "1 or more")),
        (["STUDY", "--set", "drive.curent=1 C"], ("drive.curent", "1 C", "did you mean current?")),
        (["STUDY", "--set", "drive.stack_pressure"], ("--set", "table.key=value")),
        (["STUDY", "--plan", "--collect"], ("the command line", "--collect", "not allowed with")),
        (["STUDY", "--collect", "--out", "nowhere"], ("--out", "nowhere", "no such folder")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_line_that_cannot_be_followed(
    arguments: list[str], parts: tuple[str, ...], tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.parent / "study.toml"
    path.write_text(SWEEP, encoding="utf-8")
    words = [str(path) if word == "STUDY" else word for word in arguments]
    assert main(["study", *words]) == 2
    said = capsys.readouterr().err
    for part in parts:
        assert part in said, said


def test_a_folder_with_something_else_in_it_is_left_alone(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny.parent / "study.toml").write_text(SWEEP, encoding="utf-8")
    out = tiny.parent / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    assert main(["study", str(tiny.parent / "study.toml"), "--out", str(out)]) == 2
    assert "choose another folder" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
