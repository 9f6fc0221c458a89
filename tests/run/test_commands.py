"""The commands that only look: each has help with an example, and says what is there."""

from __future__ import annotations

import pytest

from run.cli import main
from run.launch import cores, on_ranks
from tests.run.conftest import CASES

COMMANDS = (
    "check",
    "mesh",
    "run",
    "resume",
    "adhesion",
    "study",
    "materials",
    "report",
    "benchmark",
    "doctor",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"swellbound {command}" in capsys.readouterr().out.split("example:")[1]


def test_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


@pytest.mark.parallel
def test_the_doctor_finds_this_environment_well(capsys: pytest.CaptureFixture[str], comm: object) -> None:
    code = main(["doctor"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "FAIL" not in said


def test_materials_show_value_unit_mark_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "materials",
                "silicon",
                "--case",
                str(CASES / "bare.toml"),
                "--set",
                "materials.silicon.drag=99 MPa",
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("flow.drag"))
    assert line.split()[1:4] == ["99", "MPa", "user"]
    assert "Bower et al. 2011" in said
    assert main(["materials", "silicon|graphite"]) == 0
    assert "interfaces.graphite|silicon" in capsys.readouterr().out


def test_ranks_are_started_with_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMIX_RANK", "7")
    done = on_ranks(1, "run.cli", ["--version"], capture=True)
    assert (done.returncode, done.stdout.split()[0]) == (0, "swellbound")
    assert cores() >= 1
