"""Makes docs/validation.md from validation.template.md, a calibration's folder and run folders; runs nothing.

python3 -m docs.make_validation CALIBRATION --run bare=RUN --run "1 wt%=RUN" … --narrow bare=RUN …
    --unpressed bare=RUN … --pressed bare=RUN …    (runs that only press, or not, and measure adhesion at the foil)
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE, TEMPLATE = HERE / "validation.md", HERE / "validation.template.md"
PICTURES = (
    ("targets.png", "validation_targets.png"),
    ("sensitivities.png", "validation_sensitivities.png"),
)
#: Columns of the table of predictions, as given to --run.
COLUMNS = ("bare", "1 wt%", "3 wt%", "5 wt%")
#: Rows of adhesion before the dry 10 h, as given to --unpressed and --pressed.
PULLED = {
    "unpressed": "adhesion before pressing, J/m²",
    "pressed": "adhesion pressed, before the 10 h, J/m²",
}
_PARTS = {
    "solids": "solids", "interface_void": "gaps", "pores": "pores", "lithium_removed": "metal gone",
}  # fmt: skip
Summary = Mapping[str, Any]
NONE = "–"


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def parameters(said: Summary) -> str:
    """The fitted set."""
    body = []
    for one in said["parameters"]:
        unit = f" {one['unit']}" if one["unit"] else ""
        spread = NONE
        if one["uncertainty_factor"] is not None:
            spread = f"×/÷ {one['uncertainty_factor']:.2f}"
        elif one["standard_uncertainty"] is not None:
            spread = f"± {one['standard_uncertainty']:.2g}{unit}"
        learned = NONE if one["learned"] is None else f"{100.0 * one['learned']:.0f} %"
        # An upright bar would begin a new cell, in code as well.
        where = [f"`{key}` = {value}".replace("|", r"\|") for key, value in one["case_values"].items()]
        where += [f"step {place}: {text}" for place, text in one["steps"].items()]
        body.append(
            [one["name"], f"{one['low']:g} … {one['high']:g}{unit}", f"{one['start']:g}", f"**{one['fitted']:.4g}**",
             spread, learned, one["at_bound"] or "no", "<br>".join(where)]
        )  # fmt: skip
    head = [
        "parameter",
        "bounds",
        "start",
        "fitted",
        "standard uncertainty",
        "learned",
        "at a bound",
        "that is",
    ]
    return markdown(head, body)


def targets(said: Summary) -> str:
    """What was aimed at and what was reached."""
    body = []
    for one in said["targets"]:
        start = NONE if one["reached_at_start"] is None else f"{one['reached_at_start']:.3g}"
        body.append(
            [one["name"], f"`{one['quantity']}`", f"{one['value']:.3g} {one['unit']}", f"± {one['tolerance']:.2g}",
             start, f"**{one['reached']:.3g}**", f"{one['residual']:+.1f}"]
        )  # fmt: skip
    return markdown(["target", "quantity", "paper", "tolerance", "at start", "model", "tolerances off"], body)


def correlations(said: Summary) -> str:
    """Correlations of the parameters."""
    names = [one["name"] for one in said["parameters"]]
    body = []
    for name in names:
        row = [said["correlations"][name][other] for other in names]
        body.append([name, *(NONE if value is None else f"{value:+.2f}" for value in row)])
    return markdown(["", *names], body)


def evaluations(said: Summary) -> str:
    """What every evaluation came to and cost."""
    names = [one["name"] for one in said["parameters"]]
    aims = [one["name"] for one in said["targets"]]
    body = []
    for one in said["evaluations"]:
        found = [NONE] * len(aims) if one["reached"] is None else [f"{value:.3g}" for value in one["reached"]]
        body.append(
            [str(one["number"]), *(f"{value:.3g}" for value in one["values"]), *found,
             f"{one['wall_time_s']:.0f}", str(one["newton_iterations"]), one["reason"]]
        )  # fmt: skip
    return markdown(["", *names, *aims, "s", "Newton iterations", "failed because"], body)


def predictions(
    runs: Mapping[str, Summary], pulled: Mapping[str, Mapping[str, Summary]], bare: str = "fitted"
) -> str:
    """Every quantity of the first cycle, a column an electrode.

    Args:
        runs: First cycles.
        pulled: Runs that measure adhesion before anything else is done, by what was done before: see ``PULLED``.
        bare: What the bare electrode is.
    """
    rows: list[tuple[str, Callable[[Summary], str]]] = [
        ("first lithiation, mAh/cm²", lambda s: _number(_cycle(s), "lithiation_mAh_cm2", 2)),
        ("first delithiation, mAh/cm²", lambda s: _number(_cycle(s), "delithiation_mAh_cm2", 2)),
        ("efficiency, %", lambda s: _number(_cycle(s), "coulombic_efficiency", 1, 100.0)),
        ("thickness as meshed, µm", lambda s: _number(s, "thickness_start_um", 1)),
        ("after 10 h at 60 °C, unloaded, µm", lambda s: _unloaded(s, None)),
        ("lithiated, unloaded, µm", lambda s: _unloaded(s, True)),
        ("delithiated, unloaded, µm", lambda s: _unloaded(s, False)),
        ("lithiated: parts of the thickening, µm", lambda s: _parts(_cycle(s).get("parts_lithiated_um"))),
        ("delithiated: parts of the thickening, µm", lambda s: _parts(_cycle(s).get("parts_delithiated_um"))),
        ("adhesion after 10 h at 60 °C, J/m²", _adhesion),
        ("effective diffusion coefficient, 1e-9 cm²/s", _diffusion),
        ("lithium metal after 10 h; at the end, mAh/cm²", _metal),
        ("ended", lambda s: str(s["end_reason"])),
    ]
    body = [
        [name, *(read(runs[column]) if column in runs else NONE for column in COLUMNS)] for name, read in rows
    ]
    above = next(number for number, (_, read) in enumerate(rows) if read is _adhesion)
    body[above:above] = [
        [PULLED[key], *(_adhesion(found[column]) if column in found else NONE for column in COLUMNS)]
        for key, found in pulled.items()
    ]
    return markdown(["", f"bare ({bare})", *(f"{column} (predicted)" for column in COLUMNS[1:])], body)


def _number(table: Mapping[str, Any], key: str, digits: int, factor: float = 1.0) -> str:
    value = table.get(key)
    return NONE if value is None else f"{factor * value:.{digits}f}"


def _cycle(summary: Summary) -> Mapping[str, Any]:
    return summary["cycles"][0] if summary.get("cycles") else {}


def _results(summary: Summary, name: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Blocks and results of every complete measurement of a kind."""
    blocks = [block for block in summary.get("steps", []) if block.get("result", {}).get("complete")]
    return [(block, block["result"]) for block in blocks if block["result"]["measurement"].startswith(name)]


def _unloaded(summary: Summary, lithiated: bool | None) -> str:
    """Unloaded thickness before the first current, or after the current that lithiates or delithiates."""
    last: bool | None = None
    found = NONE
    for block in summary.get("steps", []):
        if block["kind"] == "current":
            last = block["lithiates"]
        result = block.get("result", {})
        if last is lithiated and result.get("measurement") == "thickness unloaded" and result["complete"]:
            found = f"{result['thickness_um']:.1f}"
    return found


def _parts(parts: Mapping[str, float] | None) -> str:
    if not parts:
        return NONE
    return "; ".join(f"{word} {parts[key]:+.1f}" for key, word in _PARTS.items())


def _adhesion(summary: Summary) -> str:
    """Energy that separation of the foil takes, with the work of the grip in brackets, before the first current."""
    found = [
        f"{result['parts_J_m2']['cohesive']:.2f} ({result['work_of_separation_J_m2']:.2f})"
        for block, result in _results(summary, "adhesion at foil")
        if block["cycle"] == 0
    ]
    return found[-1] if found else NONE


def _diffusion(summary: Summary) -> str:
    found = [
        f"{10.0 * result['effective_diffusivity_um2_s']:.2f} at x = {block['mean_lithiation_end']:.2f}"
        for block, result in _results(summary, "diffusion")
    ]
    return "; ".join(found) or NONE


def _metal(summary: Summary) -> str:
    books = [
        (block, block["lithium_book_mAh_cm2"]["held"].get("lithium", 0.0))
        for block in summary.get("steps", [])
        if "lithium_book_mAh_cm2" in block
    ]
    dry = [held for block, held in books if block["cycle"] == 0]
    return f"{dry[-1]:.3f}; {books[-1][1]:.3f}" if dry else NONE


def page(
    said: Summary,
    runs: Mapping[str, Summary],
    narrow: Mapping[str, Summary],
    pulled: Mapping[str, Mapping[str, Summary]],
    template: str,
) -> str:
    """The text of the page.

    Args:
        said: What the calibration has found.
        runs: First cycles of the shipped cases, by column.
        narrow: The same on sections as wide as that of the fit.
        pulled: See :func:`predictions`; of narrow sections.
        template: With marks where tables go.
    """
    cost = said["cost"]
    tables = {
        "PARAMETERS": parameters(said),
        "TARGETS": targets(said),
        "CORRELATIONS": correlations(said),
        "EVALUATIONS": evaluations(said),
        "PREDICTIONS": predictions(runs, {}, "with the fitted set"),
        "NARROW": predictions(narrow, pulled),
        "SENTENCES": "\n".join(f"* {sentence}" for sentence in said["sentences"])
        or "* Every target was met.",
        "STATE": ("It converged" if said["converged"] else "**It did not converge**") + f": {said['reason']}",
        "COST": f"{cost['evaluations']} evaluations ({cost['failed']} failed), {cost['wall_time_s'] / 60.0:.0f} min of "
        f"runs, {cost['newton_iterations']} Newton iterations",
        "COMMIT": str(said["commit"])[:7],
    }
    for mark, table in tables.items():
        template = template.replace(f"@{mark}@", table)
    return template


def _summaries(texts: Sequence[str], parser: argparse.ArgumentParser) -> dict[str, Summary]:
    """Summaries of COLUMN=FOLDER, by column."""
    found = {}
    for text in texts:
        column, _, folder = text.partition("=")
        if column not in COLUMNS:
            parser.error(f"{text!r}: the columns are {', '.join(COLUMNS)}")
        found[column] = json.loads((Path(folder) / "summary.json").read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Write the page and copy the pictures."""
    parser = argparse.ArgumentParser(prog="python3 -m docs.make_validation", description=__doc__)
    parser.add_argument("calibration", type=Path, help="folder of swellbound calibrate")
    parser.add_argument(
        "--run", action="append", default=[], metavar="COLUMN=FOLDER", help="of a first cycle"
    )
    parser.add_argument(
        "--narrow", action="append", default=[], metavar="COLUMN=FOLDER", help="of one as wide as the fit's"
    )
    for key, name in PULLED.items():
        parser.add_argument(
            f"--{key}", action="append", default=[], metavar="COLUMN=FOLDER", help=f"of a run for '{name}'"
        )
    given = parser.parse_args()
    said = json.loads((given.calibration / "calibration.json").read_text(encoding="utf-8"))
    runs, narrow = _summaries(given.run, parser), _summaries(given.narrow, parser)
    pulled = {key: _summaries(getattr(given, key), parser) for key in PULLED}
    text = page(said, runs, narrow, pulled, TEMPLATE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    for there, here in PICTURES:
        shutil.copyfile(given.calibration / "pictures" / there, HERE / here)


if __name__ == "__main__":
    main()
