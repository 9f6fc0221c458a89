"""Pictures and tables of runs: every file is a picture, and the words and numbers in it are those of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from run import demo, report, results, section_picture
from run.errors import ResultsError

PARTS = {"solids": 1.5, "interface_void": 2.5, "pores": -0.5, "lithium_removed": -0.25}


def make_run(folder: Path, void: float = 2.5) -> dict[str, Any]:
    """A run folder as the driver leaves it: two cells of graphite over one of copper, a gap between the two."""
    parts = {**PARTS, "interface_void": void}
    total = sum(parts.values())
    summary = {
        "case": "made up",
        "exit_code": 0,
        "thickness_start_um": 10.0,
        "thickness_um": 10.0 + total,
        "thickening_percent": 10.0 * total,
        "thickening_parts_um": parts,
        "mean_lithiation": {"hosts": 0.9},
        "debonded_fraction": {"all": 0.3, "graphite|graphite": 0.4, "copper|graphite": 0.0},
        "crack_risk": {
            "graphite": {"crack_probability": 0.64, "cracked_grains": 0.35, "stress_intensity_ratio": 1.4}
        },
        "penetration_max_um": 0.004,
        "penetration_at_folds_max_um": 0.006,
        "newton_iterations": 321,
        "wall_time_s": 12.0,
    }
    rows = [
        {
            "charge_mAh_cm2": 3.0 * s,
            "thickness_um": 10.0 + total * s,
            "debonded_fraction": 0.3 * s,
            "debonded_fraction_graphite|graphite": 0.4 * s,
            "debonded_fraction_copper|graphite": 0.0,
            **{f"thickening_{name}_um": value * s for name, value in parts.items()},
        }
        for s in (0.0, 0.5, 1.0)
    ]
    results.write_json(folder / results.SUMMARY, summary)
    results.write_history(folder / results.HISTORY, dict.fromkeys(rows[0], "1"), rows)
    corners = np.array(
        [[[0, 0], [8, 0], [4, 5]], [[0, 6], [8, 6], [4, 10 + total]], [[0, -2], [8, -2], [4, 0]]], dtype=float
    )
    with results.written_whole(folder / results.SECTIONS) as aside:
        np.savez(
            aside,
            corners=corners,
            middles=0.5 * (corners + np.roll(corners, -1, axis=1)),
            phase=np.array([1, 1, 0]),
            grain=np.array([1, 2, 0]),
            lithiation=np.array([0.2, 0.9, 0.0]),
            stress=np.zeros(3),
            crack_probability=np.array([0.1, 0.6, 0.0]),
            stress_intensity=np.array([0.2, 1.4, 0.0]),
            facets=np.array([[[[0.0, 5.0], [8.0, 5.0]], [[0.0, 6.0], [8.0, 6.0]]]]),
            debonded=np.array([0.7]),
            kind=np.array([0]),
            phases=np.array(["copper", "graphite"]),
            kinds=np.array(["graphite|graphite"]),
        )
    return summary


def test_a_run_folder_gets_its_pictures(tmp_path: Path) -> None:
    make_run(tmp_path)
    drawn = report.draw_report(tmp_path)
    assert [path.name for path in drawn] == [
        "thickness.png", "debonding.png", "section_lithiation.png", "section_debonding.png",
        "section_crack_probability.png", "section_stress_intensity.png",
    ]  # fmt: skip
    for path in drawn:
        assert min(imread(path).shape[:2]) > 300


def test_a_gap_shows_as_void_and_a_host_in_the_colour_of_its_lithiation(tmp_path: Path) -> None:
    summary = make_run(tmp_path)
    section = report.read_section(tmp_path)
    assert section is not None
    figure, axes = section_picture.figure_for(section)
    section_picture.draw_lithiation(axes, section, summary)
    figure.canvas.draw()
    image = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float) / 255.0  # type: ignore[attr-defined]

    def colour_at(x: float, y: float) -> np.ndarray:
        column, row = axes.transData.transform((x, y))
        return image[image.shape[0] - 1 - round(row), round(column)]

    void = section_picture.matplotlib.colors.to_rgb(section_picture.VOID)
    assert colour_at(4.0, 5.5) == pytest.approx(void, abs=0.02)
    assert colour_at(4.0, 1.5) == pytest.approx(section_picture._LITHIATION(0.2)[:3], abs=0.02)
    assert colour_at(4.0, 7.5) == pytest.approx(section_picture._LITHIATION(0.9)[:3], abs=0.02)


def test_the_stacked_parts_end_at_the_total(tmp_path: Path) -> None:
    summary = make_run(tmp_path)
    _, rows = results.read_history(tmp_path / results.HISTORY)
    figure: Figure = report._thickness(summary, rows)
    axes = figure.axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [
        "solids  +1.50 µm", "void at interfaces  +2.50 µm", "pores  -0.50 µm", "lithium removed  -0.25 µm",
        "total  +3.25 µm",
    ]  # fmt: skip
    reach = [area.get_paths()[0].get_extents() for area in axes.collections]
    assert max(box.y1 for box in reach) == pytest.approx(4.0)
    assert min(box.y0 for box in reach) == pytest.approx(-0.75)


def test_the_comparison_says_what_the_two_runs_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path / "bare")
    make_run(tmp_path / "pl3", void=1.0)
    assert demo.compare(tmp_path) == 0
    said = capsys.readouterr().out
    for words in (
        "bare",
        "PL 3 wt%",
        "+32.5 %",
        "+17.5 %",
        "+2.50 um",
        "+1.00 um",
        "30.0 %",
        "narrower",
        "12 s",
    ):
        assert words in said
    assert str(tmp_path / "comparison.png") in said
    assert min(imread(tmp_path / "comparison.png").shape[:2]) > 300


def test_a_run_that_left_nothing_is_one_sentence(tmp_path: Path) -> None:
    make_run(tmp_path / "bare")
    with pytest.raises(ResultsError, match=r"pl3.*summary\.json cannot be read"):
        demo.compare(tmp_path)


def test_a_damaged_section_is_one_sentence(tmp_path: Path) -> None:
    make_run(tmp_path)
    (tmp_path / results.SECTIONS).write_bytes(b"not an archive")
    with pytest.raises(ResultsError, match="cannot be read"):
        report.draw_report(tmp_path)
