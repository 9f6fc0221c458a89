"""A case file says the same after every round trip, and its values arrive where they belong."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path

import pytest

from fem.interfaces.library import shipped_laws
from fem.materials.base import parameters_of
from fem.materials.library import MATERIALS
from fem.solver import SolverSettings
from fem.stepping import StepSettings
from run.case import check_case, load_case
from run.case_tables import SolverTable, TimeTable
from run.errors import InputError
from run.estimate import describe, user_parameters
from run.material_table import material_table
from run.toml_text import dumps, setting_value
from tests.run.conftest import CASES

SHIPPED = sorted(path.stem for path in CASES.glob("*.toml"))


def test_all_shipped_cases_are_there() -> None:
    assert SHIPPED == [
        "bare", "bare_100_cycles", "bare_first_cycle", "demo_bare", "demo_pl3", "demo_solid", "image_stack",
        "lithium_plate", "pl1", "pl1_first_cycle", "pl3", "pl3_100_cycles", "pl3_first_cycle", "pl5", "pl5_first_cycle",
        "rate_capability", "solid", "tiny_100_cycles",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_resolved_case_is_the_same_case(name: str) -> None:
    case = load_case(CASES / f"{name}.toml", ["interfaces.graphite|silicon.strength=30 MPa"])
    text = dumps(case.resolved())
    again = check_case(tomllib.loads(text), text, (), Path(name))
    assert again.resolved() == case.resolved()
    assert again.content_hash == case.content_hash
    assert again.laws == case.laws


def test_defaults_are_those_of_the_issue(tiny: Path) -> None:
    case = load_case(tiny)
    drive = case.file.drive
    assert drive.temperature == pytest.approx(333.15)
    assert drive.stack_pressure == 1.0
    assert drive.current.density(3.09) == pytest.approx(3.09)
    empty = tiny.read_text().replace("until_mean_lithiation = 0.0145", "")
    tiny.write_text(empty)
    assert load_case(tiny).file.drive.end_lithiation == 0.9


@pytest.mark.parametrize(
    ("setting", "end", "duration"),
    [("drive.duration=3 h", 0.9, 10800.0), ("drive.until_mean_lithiation=0.5", 0.5, None)],
)
def test_a_drive_may_end_by_both(setting: str, end: float, duration: float | None) -> None:
    drive = load_case(CASES / "bare.toml", [setting]).file.drive
    assert (drive.end_lithiation, drive.duration) == (end, duration)


def test_the_tables_reach_every_setting_of_the_solver_and_have_its_defaults() -> None:
    settings = dataclasses.asdict(SolverSettings())
    del settings["symmetric"]  # for mechanics alone, which no case file describes
    # A case chooses its linear solver by size; who builds a model by hand gets the direct one.
    assert (SolverTable().linear, settings.pop("linear")) == ("auto", "direct")
    # Tangents that serve on leave of a tolerance what they may: who compares to rounding does without.
    assert (SolverTable().kept_tangent, settings.pop("kept_tangent")) == (0.1, 0.0)
    assert SolverTable().model_dump(exclude={"damage_relaxation", "linear", "kept_tangent"}) == settings
    ours = {key.removesuffix("_step"): value for key, value in TimeTable().model_dump().items()}
    assert ours == dataclasses.asdict(StepSettings())


def test_settings_override_any_key_in_order() -> None:
    case = load_case(
        CASES / "bare.toml",
        [
            "drive.current=1 C",
            'drive.current="0.2 C"',
            "mesh.seed=7",
            "output.pictures=false",
            "case.description=a=b",
        ],
    )
    assert case.file.drive.current.value == 0.2
    assert case.recipe is not None
    assert case.recipe.seed == 7
    assert case.file.output.pictures is False
    assert case.file.case.description == "a=b"
    assert case.content_hash != load_case(CASES / "bare.toml").content_hash


def test_the_name_does_not_enter_the_hash() -> None:
    one, other = (load_case(CASES / "bare.toml", [f"case.name={name}"]) for name in ("a", "b"))
    assert one.content_hash == other.content_hash


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3.0", 3.0),
        ("true", True),
        ('"3 h"', "3 h"),
        ("3 h", "3 h"),
        ("[1, 2]", [1, 2]),
        (" x ", "x"),
    ],
)
def test_the_value_of_a_setting_is_toml_or_text(text: str, value: object) -> None:
    found = setting_value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("setting", "phase", "name", "value"),
    [
        ("materials.silicon.youngs_modulus=60 GPa", "silicon", "elasticity.youngs_modulus", 60e3),
        ("materials.silicon.elasticity.poisson_ratio=0.3", "silicon", "elasticity.poisson_ratio", 0.3),
        ("materials.graphite.diffusivity=1e-13 m^2/s", "graphite", "lithium.diffusivity", 0.1),
        ("materials.lithium.flow.hardening=0 MPa", "lithium", "flow.hardening", 0.0),
        ("materials.graphite.toughness=0.5 MPa m^0.5", "graphite", "fracture.toughness", 500.0),
        ("materials.silicon.reference_volume=2 um^3", "silicon", "fracture.reference_volume", 2.0),
        ("materials.silicon.threshold_stress=0 MPa", "silicon", "fracture.threshold_stress", 0.0),
    ],
)
def test_a_parameter_of_a_material_is_replaced_and_marked(
    setting: str, phase: str, name: str, value: float
) -> None:
    case = load_case(CASES / "pl3.toml", [setting])
    changed = dict(parameters_of(case.materials[phase]))[name]
    assert changed.value == pytest.approx(value, rel=1e-14)
    assert changed.mark == "user"
    assert [(owner, key) for owner, key, _ in user_parameters(case)] == [(f"materials.{phase}", name)]
    assert case.materials["copper"] == MATERIALS["copper"]
    assert name in describe(case)


def test_an_interface_law_is_chosen_by_kind_and_brings_its_parameters() -> None:
    case = load_case(
        CASES / "bare.toml",
        [
            'interfaces.all={law="ppr",opening_shape_exponent=3.0,fatigue_accumulation_length="40 nm"}',
            'interfaces.graphite|graphite={law="exponential",shear_fracture_energy="0.9 J/m^2",mode_mix="power"}',
            "interfaces.silicon|graphite.shear_slope_indicator=0.1",
        ],
    )
    laws = case.laws
    assert {law.law for kind, law in laws.items() if law.breaks and kind != "graphite|graphite"} == {"ppr"}
    assert not any(law.law != "bilinear" for law in laws.values() if not law.breaks)
    flakes, silicon = laws["graphite|graphite"], laws["graphite|silicon"]
    assert (flakes.law, flakes.mode_mix) == ("exponential", "power")
    shear, exponent = flakes.shear_fracture_energy, flakes.mode_mix_exponent
    assert shear is not None and exponent is not None
    assert (shear.value, shear.mark, exponent.value, exponent.mark) == (0.9, "user", 2.0, "assumed")
    # K = e² σ² / Gc is its own; what belonged to the general law is gone, and fatigue has stayed.
    assert flakes.stiffness.value == pytest.approx(math.e**2 * 400.0 / 0.31)
    assert flakes.stiffness.mark == "derived" and flakes.opening_shape_exponent is None
    assert flakes.number("fatigue_accumulation_length") == pytest.approx(0.04)
    shapes = (
        "opening_shape_exponent",
        "shear_shape_exponent",
        "opening_slope_indicator",
        "shear_slope_indicator",
    )
    assert [silicon.number(key) for key in shapes] == [3.0, 2.0, 0.05, 0.1]
    assert {"shear_shape_exponent", "fatigue_endurance_ratio"} < dict(parameters_of(silicon)).keys()
    assert "law = exponential, mode_mix = power" in material_table(case, "graphite|graphite")
    # The shipped laws are what they were.
    assert all(law.law == "bilinear" and not law.tires and not law.mixes for law in shipped_laws().values())


def test_interfaces_take_the_general_value_first_and_then_their_own() -> None:
    case = load_case(
        CASES / "bare.toml",
        ["interfaces.silicon|graphite.strength=30 MPa", "interfaces.all.strength=10 MPa"],
    )
    shipped = shipped_laws()
    for kind, law in case.laws.items():
        if law.strength is None:
            assert law == shipped[kind]
        else:
            assert law.strength.value == (30.0 if kind == "graphite|silicon" else 10.0)


def test_voids_at_lithium_metal_can_be_switched_off() -> None:
    kind = "graphite|lithium"
    assert load_case(CASES / "pl3.toml").laws[kind].loses_contact
    for text in ("inf", "inf um"):
        case = load_case(CASES / "pl3.toml", [f"interfaces.{kind}.void_depth={text}"])
        assert not case.laws[kind].loses_contact and case.laws["lithium|silicon"].loses_contact
    kept = load_case(CASES / "pl3.toml", [f"interfaces.{kind}.void_replenishment=0 A/m^2"]).laws[kind]
    assert kept.void_replenishment is not None and kept.void_replenishment.value == 0.0


def test_what_holds_for_the_whole_model_reaches_every_interface() -> None:
    case = load_case(CASES / "bare.toml", ["interfaces.all.relaxation_time=0 s"])
    assert {law.relaxation_time.value for law in case.laws.values()} == {0.0}


def test_a_rate_needs_a_capacity() -> None:
    current = load_case(CASES / "bare.toml").file.drive.current
    assert current.density(3.09) == pytest.approx(3.09)
    with pytest.raises(InputError, match=r"drive\.current.*A/m\^2"):
        current.density(None)
    given = load_case(CASES / "bare.toml", ["drive.current=2 A/m^2"]).file.drive.current
    assert given.density(None) == 2.0


@pytest.mark.parametrize("name", ["bare", "demo_bare", "demo_pl3", "pl1", "pl3", "pl5"])
def test_check_says_what_a_case_amounts_to(name: str) -> None:
    text = describe(load_case(CASES / f"{name}.toml"))
    for part in ("mAh/cm2", "0.1 C = 3.09", "1 MPa", "60 degC", "Newton iterations"):
        assert part in text


def test_check_knows_blocks_and_images() -> None:
    text = describe(load_case(CASES / "demo_solid.toml"))
    assert "10 x 10 x 10.00 um" in text and "tetrahedra" in text and "triangles" not in text
    text = describe(load_case(CASES / "image_stack.toml"))
    assert "from the image" in text and "stack.tif" in text
