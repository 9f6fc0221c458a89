"""Makes docs/studies.md, from studies.template.md, and its pictures: three shipped studies through Snakemake.

python3 -m docs.make_studies            (some ten minutes on one idle core; what is finished already is not repeated)
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
PAGE, TEMPLATE = HERE / "studies.md", HERE / "studies.template.md"
STUDIES = ("mesh_bare", "seeds_bare", "sweep_time_step")
#: Pictures on the page: study, picture there, picture here.
PICTURES = (
    ("mesh_bare", "thickening_percent.png", "studies_mesh.png"),
    ("seeds_bare", "thickening_percent.png", "studies_seeds.png"),
    ("sweep_time_step", "debonded_fraction.all.png", "studies_time_step.png"),
)


def carry_out(name: str, root: Path, cores: int) -> None:
    """Plan a study and let Snakemake run what is missing of it."""
    out = root / name
    study = REPOSITORY / "run" / "studies" / f"{name}.toml"
    python = [sys.executable, "-m", "run.cli", "study", str(study), "--out", str(out), "--quiet"]
    subprocess.run([*python, "--plan"], check=True, cwd=REPOSITORY)
    workflow = REPOSITORY / "run" / "snakemake"
    command = [
        "snakemake",
        "--snakefile",
        str(workflow / "Snakefile"),
        "--profile",
        str(workflow / "profiles/local"),
    ]
    command += [
        "--cores",
        str(cores),
        "--quiet",
        "--config",
        f"plan={out / 'plan.json'}",
        f"python={sys.executable}",
    ]
    # Snakemake keeps notes of its own in the folder it is started in.
    subprocess.run(command, check=True, cwd=out, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    subprocess.run([*python, "--collect"], check=True, cwd=REPOSITORY)


def read(root: Path, name: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What a study came to, and its table."""
    said: dict[str, Any] = json.loads((root / name / "study.json").read_text(encoding="utf-8"))
    with open(root / name / "table.csv", encoding="utf-8", newline="") as file:
        return said, list(csv.DictReader(file))


def mesh_table(said: dict[str, Any], rows: list[dict[str, str]]) -> str:
    """Levels as columns, then what they come to."""
    sizes = [row["mesh.resolution.element_size_um"] for row in rows]
    head = ["", *(f"{size} µm" for size in sizes), "uncertainty of the finest", "order", "verdict"]
    body = [
        ["triangles", *(row["cells"] for row in rows), "", "", ""],
        ["mean element size, µm", *(f"{size:.2f}" for size in said["element_sizes_um"]), "", "", ""],
        ["time steps", *(row["steps_accepted"] for row in rows), "", "", ""],
    ]
    for name, one in said["quantities"].items():
        order = "–" if one["order"] is None else f"{one['order']:.2g}"
        share = 100.0 * one["uncertainty"] / abs(one["values"][-1])
        body.append(
            [f"`{name}`", *(f"{value:.4g}" for value in one["values"]), f"± {one['uncertainty']:.2g} ({share:.0f} %)",
             order, one["verdict"]]
        )  # fmt: skip
    return markdown(head, body)


def seeds_table(said: dict[str, Any]) -> str:
    """A row a quantity and width."""
    body = []
    for name, groups in said["quantities"].items():
        for group in groups:
            half = 0.5 * (group["high"] - group["low"])
            body.append(
                [f"`{name}`", f"{group['mesh.width_um']:g} µm", str(group["count"]), f"{group['mean']:.4g}",
                 f"{group['deviation']:.2g} ({100.0 * group['deviation'] / group['mean']:.0f} %)",
                 f"± {half:.2g} ({100.0 * half / group['mean']:.0f} %)"]
            )  # fmt: skip
    return markdown(["", "width", "seeds", "mean", "standard deviation", "95 % interval of the mean"], body)


def sweep_table(said: dict[str, Any]) -> str:
    """A row a point."""
    names = list(said["quantities"])
    body = [
        [
            *(str(value) for value in settings.values()),
            *(f"{said['quantities'][name][place]:.4g}" for name in names),
        ]
        for place, settings in enumerate(said["points_in_order"])
    ]
    return markdown(
        [*(f"`{key}`" for key in said["points_in_order"][0]), *(f"`{name}`" for name in names)], body
    )


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(prog="python3 -m docs.make_studies", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path("results/studies"), help="where the studies are kept"
    )
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--page-only", action="store_true", help="run nothing")
    given = parser.parse_args()
    root = given.root.resolve()
    if not given.page_only:
        for name in STUDIES:
            carry_out(name, root, given.cores)
    mesh, rows = read(root, "mesh_bare")
    text = TEMPLATE.read_text(encoding="utf-8")
    tables = {
        "MESH": mesh_table(mesh, rows),
        "SEEDS": seeds_table(read(root, "seeds_bare")[0]),
        "STEPS": sweep_table(read(root, "sweep_time_step")[0]),
    }
    for mark, table in tables.items():
        text = text.replace(f"@{mark}@", table)
    PAGE.write_text(text, encoding="utf-8")
    for study, there, here in PICTURES:
        shutil.copyfile(root / study / "pictures" / there, HERE / here)


if __name__ == "__main__":
    main()
