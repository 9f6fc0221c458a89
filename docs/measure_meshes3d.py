"""Measures meshing in three dimensions against the number of grains and writes the table into docs/meshes3d.md.

Every point is a process of its own, so that its peak memory is its own.

Usage: python3 docs/measure_meshes3d.py [GRAINS ...]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "meshes3d.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
COUNTS = (30, 60, 125, 250, 500)
#: Grains in 1000 um3 of the shipped case demo_solid; longest a mesh may take, seconds of processor time.
DENSITY, LONGEST = 17.0, 180.0
HEADER = (
    "| grains | box (µm) | tetrahedra | nodes | processor time (s) | of it fairing and swaps (s) | peak memory (MiB) | "
    "worst gamma | worst SICN | largest miss of a volume |\n|---|---|---|---|---|---|---|---|---|---|\n"
)


def one(grains: int) -> dict[str, Any]:
    """Mesh one block in this process."""
    sys.path.insert(0, str(ROOT))
    from meshes import generate, labelled, read_recipe, solid_pipeline

    side = (1000.0 * grains / DENSITY) ** (1.0 / 3.0)
    table = tomllib.loads((ROOT / "run" / "cases" / "demo_solid.toml").read_text(encoding="utf-8"))["mesh"]
    table |= {"width_um": round(side, 1), "depth_um": round(side, 1), "thickness_um": round(side, 1)}
    table["resolution"] = {"element_size_um": 1.4, "interface_element_size_um": 1.1, "max_cells": 2_000_000}
    spent = 0.0

    def timed(*arguments: Any) -> Any:
        nonlocal spent
        begin = time.process_time()
        result = labelled.mesh_labels(*arguments)
        spent += time.process_time() - begin
        return result

    solid_pipeline.mesh_labels = timed
    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        files = generate(read_recipe(table), folder, "block")
        total = time.process_time() - begin
        sidecar = json.loads(files.sidecar.read_text(encoding="utf-8"))
    quality = sidecar["quality"]
    missed = max(
        abs(g["volume_um3"] / g["target_volume_um3"] - 1.0)
        for g in sidecar["grains"]
        if "target_volume_um3" in g
    )
    return {
        "grains": len(sidecar["grains"]) - 2, "side": table["width_um"], "cells": quality["cells"],
        "nodes": quality["nodes"], "total": total, "fairing": spent,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "gamma": quality["gamma"]["min"], "sicn": quality["sicn"]["min"], "missed": missed,
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(int(sys.argv[2]))))
        return
    rows = []
    for grains in [int(count) for count in sys.argv[1:]] or COUNTS:
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(grains)], check=True, capture_output=True, text=True
        )
        r = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            f"| {r['grains']} | {r['side']:g}³ | {r['cells']} | {r['nodes']} | {r['total']:.1f} | {r['fairing']:.1f} | "
            f"{r['memory']:.0f} | {r['gamma']:.2f} | {r['sicn']:.2f} | {r['missed']:.0e} |\n"
        )
        print(rows[-1], end="", flush=True)
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(
            f"{before}{BEGIN}\n{HEADER}{''.join(rows)}{END}{rest.split(END)[1]}", encoding="utf-8"
        )
        if r["total"] > LONGEST:
            break


if __name__ == "__main__":
    main()
