"""Makes docs/solvers.md from solvers.template.md and the figures of ``swellbound benchmark solvers``.

python3 -m docs.make_solvers [results/benchmark/solvers.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fem.displacement_multigrid import THRESHOLD
from fem.linear_solver import AUTO_UNKNOWNS
from run.benchmark_solvers import DEFAULT_OUT, TABLE_HEADER, table_row

HERE = Path(__file__).parent
PAGE, TEMPLATE = HERE / "solvers.md", HERE / "solvers.template.md"
#: Assumed of a cluster: bytes/s and s a message between ranks; products with the matrix in a Krylov iteration.
BANDWIDTH, LATENCY, PRODUCTS = 1.0e9, 2.0e-6, 19.0


def scaling(rows: list[dict[str, Any]]) -> str:
    """How much faster two ranks are than one, at every size that has both."""
    lines = []
    for one in rows:
        if one["linear"] != "iterative" or one["ranks"] != 1:
            continue
        for two in rows:
            if two["linear"] == "iterative" and two["ranks"] == 2 and two["unknowns"] == one["unknowns"]:
                total = [m["tangent_s"] + m["setup_s"] + m["solve_s"] for m in (one, two)]
                lines.append(
                    f"* {one['unknowns']} unknowns, one rank to two: tangent "
                    f"{_efficiency(one['tangent_s'], two['tangent_s'])}, set-up "
                    f"{_efficiency(one['setup_s'], two['setup_s'])}, solve "
                    f"{_efficiency(one['solve_s'], two['solve_s'])}, all {_efficiency(*total)} parallel efficiency."
                )
    return "\n".join(lines) or "(One rank against two is not in this measurement.)"


def _efficiency(one: float, two: float) -> str:
    return f"{50.0 * one / two:.0f} %"


def memory(rows: list[dict[str, Any]]) -> str:
    """Memory per unknown without what a process needs anyhow, from the smallest and the largest block on one rank."""
    alone = [row for row in rows if row["linear"] == "iterative" and row["ranks"] == 1]
    small, large = (choose(alone, key=lambda row: int(row["unknowns"])) for choose in (min, max))
    if small["unknowns"] == large["unknowns"]:
        return ""
    more = (large["memory_mib"] - small["memory_mib"]) / (large["unknowns"] - small["unknowns"])
    rest = small["memory_mib"] - more * small["unknowns"]
    return (
        f"From {small['unknowns']} to {large['unknowns']} unknowns every further one takes {1024.0 * more:.1f} kB; "
        f"{rest:.0f} MiB are there anyhow."
    )


def fillings(rows: list[dict[str, Any]]) -> str:
    """Iterations against the stiffness of the filling."""
    if not rows:
        return "(Not in this measurement, which was interrupted.)"
    lines = ["| filling | Krylov iterations: mean, most |", "|---|---|"]
    for row in rows:
        value = row["settings"][-1].split("=")[1]
        lines.append(f"| {value} | {row['krylov_mean']:.1f}, {row['krylov_most']} |")
    return "\n".join(lines)


def parts(rows: list[dict[str, float]]) -> str:
    """Load and communication against the number of ranks."""
    lines = [
        "| ranks | cells, most over mean | unknowns | interface facets | ghosts a rank: mean, most | "
        "ghosts over owned | neighbours, most |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['parts']:.0f} | {row['cells']:.2f} | {row['unknowns']:.2f} | {row['interface_facets']:.2f} | "
            f"{row['ghosts_mean']:.0f}, {row['ghosts_most']:.0f} | {row['ghost_share']:.2f} | "
            f"{row['neighbours_most']:.0f} |"
        )
    return "\n".join(lines)


def estimate(rows: list[dict[str, float]], solvers: list[dict[str, Any]]) -> str:
    """What a cluster would do with the block that was dealt out, from its counts and the time of one rank."""
    alone = [row for row in solvers if row["linear"] == "iterative" and row["ranks"] == 1]
    largest = max(alone, key=lambda row: int(row["unknowns"]))
    work = largest["solve_s"] / largest["krylov_mean"] / largest["unknowns"] * rows[-1]["total"]
    lines = [
        "**An estimate, not a measurement.** At the time that a Krylov iteration took for an unknown of the block of "
        f"{largest['unknowns']} on one rank, this one needs {1e3 * work:.0f} ms. With ranks as fast as that one, the "
        f"imbalance of unknowns above, {PRODUCTS:.0f} exchanges of ghosts an iteration (products and smoothing on the "
        f"finest level, counted by hand), {BANDWIDTH / 1e9:.0f} GB/s and {1e6 * LATENCY:.0f} µs a message, it would "
        "take:",
        "",
        "| ranks | work, ms | exchange, ms | efficiency |",
        "|---|---|---|---|",
    ]
    for row in rows:
        busy = work / row["parts"] * row["unknowns"]
        exchange = PRODUCTS * (8.0 * row["ghosts_most"] / BANDWIDTH + LATENCY * row["neighbours_most"])
        share = work / row["parts"] / (busy + exchange)
        lines.append(
            f"| {row['parts']:.0f} | {1e3 * busy:.1f} | {1e3 * exchange:.2f} | {100.0 * share:.0f} % |"
        )
    uneven = 100.0 * (1.0 - 1.0 / rows[-1]["unknowns"])
    lines += [
        "",
        f"On {rows[-1]['parts']:.0f} ranks uneven shares of unknowns alone cost {uneven:.0f} %: cells are shared "
        "evenly, but unknowns where parts meet all belong to the lower rank. Coarse levels and the factorisation "
        "of lithium, which do not share as well, are left out, so this is an upper bound.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Fill in the template."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = found["solvers"]
    page = TEMPLATE.read_text(encoding="utf-8")
    for key, text in {
        "threshold": f"{AUTO_UNKNOWNS:,}",
        "cut": f"{100.0 * THRESHOLD:g} %",
        "sizes": " ".join(sorted({f"{row['unknowns']:.0e}".replace("+0", "") for row in rows}, key=float)),
        "machine": found["machine"],
        "solvers": "\n".join([TABLE_HEADER, *(table_row(row) for row in rows)]),
        "scaling": f"{scaling(rows)}\n\n{memory(rows)}",
        "fillings": fillings(found["fillings"]),
        "total": f"{found['parts'][-1]['total']:,.0f}",
        "parts": parts(found["parts"]),
        "estimate": estimate(found["parts"], rows),
    }.items():
        page = page.replace("{" + key + "}", text)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
