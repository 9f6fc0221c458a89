"""Mistakes in a calibration: each ends with exit code 2 and one sentence, before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from run.cli import main

pytestmark = pytest.mark.usefixtures("nothing_is_run")

GOOD = """[calibration]
name = "try"
case = "tiny.toml"
evaluations = 10
[parameters.face]
keys = ["interfaces.electrolyte|graphite.exchange_resistance"]
factor = true
low = 0.2
high = 5.0
start = 1.0
scale = "log"
width = 3.0
why = "a test"
[parameters.pressure]
steps = {1 = "press to {} in 10 s"}
low = "1 MPa"
high = "40 MPa"
start = "30 MPa"
width = "10 MPa"
why = "a test"
[targets.lithiation]
quantity = "cycles.1.lithiation_mAh_cm2"
value = "1 mAh/cm^2"
tolerance = "0.1 mAh/cm^2"
source = "a test"
[targets.adhesion]
quantity = "steps.2.result.work_of_separation_J_m2"
value = "0.31 N/m"
tolerance = "0.03 J/m^2"
source = "a test"
"""
_STEPS = '"press to 1 MPa in 10 s", "measure adhesion at foil", "discharge at 0.1 C until 0.1 V"'
PROCESS = f"[process]\nsteps = [{_STEPS}]\n"
KEYS = 'keys = ["interfaces.electrolyte|graphite.exchange_resistance"]'
STEPS = 'steps = {1 = "press to {} in 10 s"}'
FACE = GOOD[GOOD.index("[parameters.face]") : GOOD.index("[parameters.pressure]")]

POWDER = "composition.lithium_wt_percent_of_active = 3.0\nlithium.diameter_um = 2.0"

# What is replaced by what, and what the sentence must contain: the key, the value as it was given, the remedy.
MISTAKES = {
    "syntax": ("[calibration]", "[calibration", ("CALIBRATION", "not valid TOML", "correct that line")),
    "table missing": (GOOD, "", ("calibration", "is missing", "calibration file")),
    "no case": ("tiny.toml", "none.toml", ("calibration.case", "none.toml", "correct the path")),
    "unknown key": ("evaluations", "evaluation", ("calibration.evaluation", "did you mean evaluations?")),
    "name": ('"try"', '"a b"', ("calibration.name", "a b")),
    "too few": ("evaluations = 10", "evaluations = 2", ("calibration.evaluations", "2", "take 3")),
    "no seed": ("evaluations = 10", "seeds = []", ("calibration.seeds", "[]", "one seed")),
    "seed twice": ("evaluations = 10", "seeds = [1, 1]", ("calibration.seeds", "[1, 1]", "each once")),
    "difference": ("evaluations = 10", "difference = 0.7", ("calibration.difference", "0.7", "0.5")),
    "no parameters": (
        GOOD[GOOD.index("[parameters.face]") : GOOD.index("[targets.lith")], "[parameters]\n",
        ("parameters", "is empty", "[parameters.NAME]"),
    ),
    "no targets": (GOOD[GOOD.index("[targets.lith") :], "[targets]\n", ("targets", "is empty")),
    "a number as parameter": (FACE, "[parameters]\nface = 3\n", ("parameters.face", "3", "a table")),
    "key of a parameter": ("factor = true", "factr = true", ("parameters.face.factr", "did you mean factor?")),
    "no reason": ('why = "a test"\n', "", ("parameters.face.why", "is missing", "calibration file")),
    "stands for nothing": (KEYS, "", ("parameters.face", "stands for nothing", "name keys or steps")),
    "another table": (
        "interfaces.electrolyte|graphite.exchange_resistance", "mesh.width_um",
        ("parameters.face.keys", "mesh.width_um", "[materials] or [interfaces]"),
    ),
    "unknown interface": ("electrolyte|graphite", "electrolyte|grafite", ("did you mean electrolyte|graphite?",)),
    "unknown parameter": (
        "exchange_resistance", "exchange_resistence",
        ("face.keys", "exchange_resistence", "nothing for it"),
    ),
    "lithium metal": (
        "electrolyte|graphite", "graphite|lithium",
        ("parameters.face.keys", "graphite|lithium", "no lithium metal"),
    ),
    "material lithium": (
        "interfaces.electrolyte|graphite.exchange_resistance", "materials.lithium.youngs_modulus",
        ("parameters.face.keys", "materials.lithium", "no lithium metal"),
    ),
    "factor of nothing": (
        "exchange_resistance", "decomposition_charge", ("face.keys", "decomposition_charge", "nothing for it"),
    ),
    "factor of what is closed": (
        "electrolyte|graphite", "binder|graphite", ("parameters.face.keys", "binder|graphite", "inf for it"),
    ),
    "factor with a unit": ("low = 0.2", 'low = "0.2 MPa"', ("parameters.face.high", "5.0", "in the unit of low")),
    "factor of steps": (STEPS, f"{STEPS}\nfactor = true", ("parameters.pressure.factor", "carry the unit")),
    "bounds upside down": ("high = 5.0", "high = 0.1", ("parameters.face.high", "0.1", "above low = 0.2")),
    "two units": ('high = "40 MPa"', 'high = "4 GPa"', ("pressure.high", "4 GPa", "'MPa'")),
    "start outside": ('start = "30 MPa"', 'start = "50 MPa"', ("pressure.start", "50 MPa", "between")),
    "no number": ('low = "1 MPa"', 'low = "little"', ("pressure.low", "little", "finite number")),
    "log of zero": ("low = 0.2", "low = 0.0", ("parameters.face.low", "0.0", "above zero")),
    "scale": ('scale = "log"', 'scale = "lin"', ("parameters.face.scale", "lin", "linear")),
    "width of a factor": ("width = 3.0", "width = 0.5", ("face.width", "0.5", "factor above 1")),
    "width of a value": ('width = "10 MPa"', 'width = "0 MPa"', ("pressure.width", "0 MPa", "above zero")),
    "width without its unit": ('width = "10 MPa"', "width = 10", ("pressure.width", "10", "'MPa'")),
    "no such step": ("{1 = ", "{7 = ", ("pressure.steps.7", "3 steps")),
    "another step": ("{1 = ", "{2 = ", ("pressure.steps.2", "measure adhesion at foil", "the same")),
    "no gap": ("press to {} in", "press to 1 MPa in", ("pressure.steps.1", "hold {} once")),
    "bound that no step takes": ('low = "1 MPa"', 'low = "0 MPa"', ("step 1", "0 MPa", "already")),
    "bound that no law takes": (
        FACE, FACE.replace("exchange_resistance", "fracture_energy").replace("low = 0.2", "low = 1e-9"),
        ("fracture_energy", "must be above"),
    ),
    "condition without steps": (
        KEYS, f'{KEYS}\ncondition = "stack_pressure"', ("face.condition", "'stack_pressure'", "name steps and no keys"),
    ),
    "condition with keys": (
        STEPS, f'{STEPS}\nkeys = ["interfaces.graphite|silicon.strength"]\ncondition = "stack_pressure"',
        ("pressure.condition", "'stack_pressure'", "name steps and no keys"),
    ),
    "condition that no drive takes": (
        f'{STEPS}\nlow = "1 MPa"\nhigh = "40 MPa"',
        f'{STEPS}\ncondition = "stack_pressure"\nlow = "1 MPa"\nhigh = "4000 MPa"',
        ("parameters.pressure.high", "4000 MPa", "at most 1000 MPa"),
    ),
    "unknown condition": (
        STEPS, f'{STEPS}\ncondition = "pressure"', ("pressure.condition", "'pressure'", "'stack_pressure'"),
    ),
    "condition twice": (
        "[parameters.pressure]",
        '[parameters.other]\nsteps = {3 = "discharge at {} until 0.1 V"}\ncondition = "stack_pressure"\nlow = "1 MPa"\n'
        'high = "2 MPa"\nstart = "1 MPa"\nwhy = "x"\n[parameters.pressure]\ncondition = "stack_pressure"',
        ("parameters.pressure", "the condition stack_pressure belongs to parameters.other"),
    ),
    "same key twice": (
        "[parameters.pressure]", FACE.replace(".face]", ".other]") + "[parameters.pressure]",
        ("parameters.other", "belongs to parameters.face"),
    ),
    "quantity": (
        '"cycles.1.lithiation', '"cycle.1.lithiation', ("targets.lithiation.quantity", "did you mean cycles?"),
    ),
    "no such cycle": ("cycles.1", "cycles.2", ("lithiation.quantity", "cycles.2", "N from 1 to 1")),
    "no such step of a target": ("steps.2.result", "steps.9.result", ("steps.9", "N from 1 to 3")),
    "a step that measures nothing": ("steps.2.result", "steps.1.result", ("steps.1.result", "measures nothing")),
    "quantity twice": (
        "steps.2.result.work_of_separation_J_m2", "cycles.1.lithiation_mAh_cm2", ("adhesion.quantity", "twice"),
    ),
    "unit of a target": ('"0.31 N/m"', '"0.31 MPa"', ("targets.adhesion.value", "0.31 MPa", "J/m^2")),
    "target without a unit": ('"1 mAh/cm^2"', "1.0", ("targets.lithiation.value", "1.0", "no unit")),
    "tolerance": ('"0.1 mAh/cm^2"', '"0 mAh/cm^2"', ("lithiation.tolerance", "0 mAh/cm^2", "above zero")),
    "no source": ('[targets.adhesion]', '[targets.adhesion]\nsauce = "x"', ("targets.adhesion.sauce", "source")),
    "set": ("[parameters.face]", "[set]\nsolver.patiense = 3\n[parameters.face]", ("solver.patiense", "patience")),
    "powder": (
        "[parameters.face]", f"[set.mesh]\n{POWDER}\n[parameters.face]",
        ("calibration.case", "tiny.toml", "lithium_wt_percent_of_active = 3", "nothing is fitted to a pre-lithiated"),
    ),
}  # fmt: skip


@pytest.fixture
def file(tiny: Path) -> Path:
    """A calibration of the tiny case with a process."""
    text = tiny.read_text("utf-8").replace("[drive]\nuntil_mean_lithiation = 0.0145\n", PROCESS)
    tiny.write_text(text, "utf-8")
    path = tiny.parent / "fit.toml"
    path.write_text(GOOD, "utf-8")
    return path


@pytest.mark.parametrize("name", MISTAKES)
def test_one_sentence(name: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, words = MISTAKES[name]
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1), "utf-8")
    assert main(["calibrate", str(file), "--out", str(file.parent / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("swellbound: ") and said.count("\n") == 1, said
    for word in words:
        assert word in said, said
    assert not (file.parent / "out").exists()


def test_shipped_cases_with_powder_are_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = Path(__file__).resolve().parents[2] / "run" / "cases"
    for name in ("pl1_first_cycle", "pl3_first_cycle", "pl5_first_cycle"):
        file.write_text(GOOD.replace('"tiny.toml"', f'"{cases / name}.toml"'), "utf-8")
        assert main(["calibrate", str(file)]) == 2
        assert "nothing is fitted to a pre-lithiated electrode" in capsys.readouterr().err


def test_a_mesh_made_elsewhere_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = file.parent / "tiny.toml"
    (file.parent / "made.msh").write_text("")
    text = case.read_text("utf-8")
    case.write_text(
        '[case]\nname = "x"\n[mesh]\nfile = "made.msh"\n' + text[text.index("[process]") :], "utf-8"
    )
    assert main(["calibrate", str(file)]) == 2
    assert "only a recipe says that there is no lithium powder" in capsys.readouterr().err


def test_jobs_and_files(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(file), "--jobs", "0"]) == 2
    assert "--jobs = 0" in capsys.readouterr().err
    assert main(["calibrate", str(file.parent / "none.toml")]) == 2
    assert "shipped in" in capsys.readouterr().err
