"""Makes docs/validation.md from validation.template.md and run folders; runs nothing.

python3 -m docs.make_validation --run bare=RUN --run "1 wt%=RUN" …
    --unpressed bare=RUN … --pressed bare=RUN …    (runs that only press, or not, and measure adhesion at the foil)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.tables import NONE, table

HERE = Path(__file__).parent
PAGE, TEMPLATE = HERE / "validation.md", HERE / "validation.template.md"
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


def predictions(runs: Mapping[str, Summary], pulled: Mapping[str, Mapping[str, Summary]]) -> str:
    """Every quantity of the first cycle, a column an electrode.

    Args:
        runs: First cycles.
        pulled: Runs that measure adhesion before anything else is done, by what was done before: see ``PULLED``.
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
    return table(["", "bare (fitted set)", *(f"{column} (predicted)" for column in COLUMNS[1:])], body)


def costs(runs: Mapping[str, Summary]) -> str:
    """What each first cycle took, and how well its books close."""
    rows: list[tuple[str, Callable[[Summary], str]]] = [
        ("commit", lambda s: str(s["commit"])[:7]),
        ("ranks", lambda s: str(s["ranks"])),
        ("wall time, min", lambda s: f"{s['wall_time_s'] / 60.0:.1f}"),
        ("cells; unknowns", lambda s: f"{s['cells']}; {s['dofs']}"),
        (
            "Newton iterations (with a tangent of their own)",
            lambda s: f"{s['newton_iterations']} ({s['solver']['tangents']})",
        ),
        ("steps (rejected)", lambda s: f"{s['steps_accepted']} ({s['steps_rejected']})"),
        ("energy balance, of the work", lambda s: f"{s['energy_balance_error']:.0e}"),
        ("lithium book, worst step", lambda s: f"{s['lithium_book_error']:.0e}"),
        ("largest penetration, µm", lambda s: f"{s['penetration_max_um']:.3f}"),
    ]
    body = [
        [name, *(read(runs[column]) if column in runs else NONE for column in COLUMNS)] for name, read in rows
    ]
    return table(["", *COLUMNS], body)


def _number(values: Mapping[str, Any], key: str, digits: int, factor: float = 1.0) -> str:
    value = values.get(key)
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


def page(runs: Mapping[str, Summary], pulled: Mapping[str, Mapping[str, Summary]], template: str) -> str:
    """The text of the page.

    Args:
        runs: First cycles of the shipped cases, by column.
        pulled: See :func:`predictions`.
        template: With marks where tables go.
    """
    for mark, text in {"PREDICTIONS": predictions(runs, pulled), "COST": costs(runs)}.items():
        template = template.replace(f"@{mark}@", text)
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
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python3 -m docs.make_validation", description=__doc__)
    parser.add_argument(
        "--run", action="append", default=[], metavar="COLUMN=FOLDER", help="of a first cycle"
    )
    for key, name in PULLED.items():
        parser.add_argument(
            f"--{key}", action="append", default=[], metavar="COLUMN=FOLDER", help=f"of a run for '{name}'"
        )
    given = parser.parse_args()
    pulled = {key: _summaries(getattr(given, key), parser) for key in PULLED if getattr(given, key)}
    text = page(_summaries(given.run, parser), pulled, TEMPLATE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
