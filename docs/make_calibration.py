"""Makes docs/calibration.md from calibration.template.md and the folder of a calibration; runs nothing.

python3 -m docs.make_calibration CALIBRATION
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.tables import NONE, table

HERE = Path(__file__).parent
PAGE, TEMPLATE = HERE / "calibration.md", HERE / "calibration.template.md"
PICTURES = (
    ("targets.png", "calibration_targets.png"),
    ("sensitivities.png", "calibration_sensitivities.png"),
)
Summary = Mapping[str, Any]


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
    return table(head, body)


def targets(said: Summary) -> str:
    """What was aimed at and what was reached."""
    body = []
    for one in said["targets"]:
        start = NONE if one["reached_at_start"] is None else f"{one['reached_at_start']:.3g}"
        body.append(
            [one["name"], f"`{one['quantity']}`", f"{one['value']:.3g} {one['unit']}", f"± {one['tolerance']:.2g}",
             start, f"**{one['reached']:.3g}**", f"{one['residual']:+.1f}"]
        )  # fmt: skip
    return table(["target", "quantity", "paper", "tolerance", "at start", "model", "tolerances off"], body)


def correlations(said: Summary) -> str:
    """Correlations of the parameters."""
    names = [one["name"] for one in said["parameters"]]
    body = []
    for name in names:
        row = [said["correlations"][name][other] for other in names]
        body.append([name, *(NONE if value is None else f"{value:+.2f}" for value in row)])
    return table(["", *names], body)


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
    return table(["", *names, *aims, "s", "Newton iterations", "failed because"], body)


def page(said: Summary, template: str) -> str:
    """The text of the page.

    Args:
        said: What the calibration has found.
        template: With marks where tables go.
    """
    cost = said["cost"]
    tables = {
        "PARAMETERS": parameters(said),
        "TARGETS": targets(said),
        "CORRELATIONS": correlations(said),
        "EVALUATIONS": evaluations(said),
        "SENTENCES": "\n".join(f"* {sentence}" for sentence in said["sentences"])
        or "* Every target was met.",
        "STATE": ("It converged" if said["converged"] else "**It did not converge**") + f": {said['reason']}",
        "COST": f"{cost['evaluations']} evaluations ({cost['failed']} failed), {cost['wall_time_s'] / 60.0:.0f} min of "
        f"runs, {cost['newton_iterations']} Newton iterations",
        "COMMIT": str(said["commit"])[:7],
    }
    for mark, text in tables.items():
        template = template.replace(f"@{mark}@", text)
    return template


def main() -> None:
    """Write the page and copy the pictures."""
    parser = argparse.ArgumentParser(prog="python3 -m docs.make_calibration", description=__doc__)
    parser.add_argument("calibration", type=Path, help="folder of swellbound calibrate")
    given = parser.parse_args()
    said = json.loads((given.calibration / "calibration.json").read_text(encoding="utf-8"))
    PAGE.write_text(page(said, TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
    for there, here in PICTURES:
        shutil.copyfile(given.calibration / "pictures" / there, HERE / here)


if __name__ == "__main__":
    main()
