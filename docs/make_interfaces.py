"""Makes docs/interfaces.md, from interfaces.template.md, and docs/interfaces.png (about a minute, one core).

python3 -m docs.make_interfaces
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mpi4py import MPI

from docs.tables import table
from tests.fatigue_cycles import cycle, cycles_of_traction, cycles_to_failure, sum_of_rates, tiring
from tests.separation import Puller, pair, straight
from tests.separation_laws import LAWS, OPENING, RATIO, SHEAR, STIFFNESS, STRENGTH, Reference
from tests.small import Array

HERE = Path(__file__).parent
PAGE, TEMPLATE = HERE / "interfaces.md", HERE / "interfaces.template.md"
ONSET = STRENGTH / STIFFNESS
GRADED = np.linspace(0.0, 1.0, 121)[1:] ** 2.0
SHOWN = {
    "bilinear": "bilinear",
    "bilinear, Benzeggagh-Kenane": "bilinear, two energies",
    "exponential, power": "exponential, two energies",
    "ppr, tough in shear": "Park-Paulino-Roesler",
}
CONSTANT_OPENING = ((0.5, 0.25, 2e-4), (0.8, 0.1, 2e-3), (0.9, 0.4, 4e-4))
CONSTANT_TRACTION = ((0.5, 0.25, 1e-3), (0.8, 0.1, 1e-2), (0.7, 0.4, 2e-3))
STEPS = (2, 4, 8)


def paths(reference: Reference) -> dict[str, Array]:
    """Openings (normal, tangential) along which a law is tried, by name."""
    far = 1.001 * reference.final
    part = 0.1 * reference.final
    corner = np.array([part, 0.0])
    changing = {
        "opening, then shear": (corner, np.array([part, far])),
        "shear, then opening": (corner[::-1], np.array([far, part])),
    }
    found = {
        f"{degrees:.0f}°": straight(degrees, far / max(np.cos(np.deg2rad(degrees)), 0.7) * GRADED)
        for degrees in (0.0, 45.0, 90.0)
    }
    for name, (middle, end) in changing.items():
        found[name] = np.vstack([GRADED[:, None] * middle, middle + GRADED[:, None] * (end - middle)])
    return {name: path[np.linalg.norm(path, axis=1) > 5e-6] for name, path in found.items()}


def expected_energy(reference: Reference, path: Array) -> float:
    """Energy of a path by the formulae of tests/separation_laws.py, every step cut in forty."""
    corners = np.vstack([np.zeros((1, 2)), path])
    share = np.linspace(0.0, 1.0, 41)[1:, None]
    fine = [(1.0 - share) * a + share * b for a, b in pairwise(corners)]
    return reference.work(np.vstack([corners[:1], *fine]))


def separations(axes: Sequence[Axes]) -> tuple[str, float, float]:
    """Try every law on every path and draw some; the table, the largest error of energy and of dissipation."""
    rows, worst_work, worst_dissipation = [], 0.0, 0.0
    for name, reference in LAWS.items():
        puller = Puller(pair(MPI.COMM_SELF, reference.law))
        row = [name]
        for number, (way, path) in enumerate(paths(reference).items()):
            puller.reset()
            puller.along(path)
            energy = expected_energy(reference, path)
            tractions = np.array(puller.tractions)
            row.append(f"{puller.dissipated:.4f} ({100.0 * (puller.dissipated / energy - 1.0):+.3f} %)")
            worst_work = max(worst_work, abs(puller.work / energy - 1.0))
            worst_dissipation = max(worst_dissipation, abs(puller.dissipated / energy - 1.0))
            if number in (0, 2):
                row.append(f"{tractions.max():.2f}")
            if name in SHOWN and number < 3:
                distance = np.linalg.norm(puller.openings, axis=1)
                along = tractions @ [np.cos(np.deg2rad(45.0 * number)), np.sin(np.deg2rad(45.0 * number))]
                axes[number].plot(1e3 * distance, along, label=SHOWN[name])
                axes[number].set(
                    title=f"{way}", xlabel="opening (nm)", ylabel="traction along it (MPa)", xlim=(0, 90)
                )
        rows.append(row)
    header = [
        "law",
        "0°, J/m²",
        "peak, MPa",
        "45°",
        "90°",
        "peak, MPa",
        "opening, then shear",
        "shear, then opening",
    ]
    return table(header, rows), worst_work, worst_dissipation


def fatigue(axis: Axes) -> tuple[str, str]:
    """Cycles to failure against their closed forms, and the curve of amplitude over cycles."""
    opening_rows = []
    for share, endurance, length in CONSTANT_OPENING:
        puller = Puller(pair(MPI.COMM_SELF, tiring(length, endurance)))
        count = cycles_to_failure(puller, straight(0.0, share * ONSET * cycle(2)))
        exact = length / (ONSET * (share - endurance) ** 2)
        opening_rows.append(
            [f"{share:g}", f"{endurance:g}", f"{1e3 * length:g}", f"{exact:.2f}", f"{count:.2f}"]
        )
    traction_rows = []
    for share, endurance, length in CONSTANT_TRACTION:
        target = 0.9 * (1.0 - share)
        exact = length / ONSET * sum_of_rates(share, endurance, 1.0 - target)
        counts = [cycles_of_traction(share, endurance, length, target, steps) for steps in STEPS]
        found = [f"{count:.2f} ({100.0 * (count / exact - 1.0):+.1f} %)" for count in counts]
        traction_rows.append([f"{share:g}", f"{endurance:g}", f"{1e3 * length:g}", f"{exact:.2f}", *found])
    endurance = 0.25
    shares = np.linspace(endurance + 0.02, 0.98, 60)
    whole = [sum_of_rates(float(s), endurance, float(s)) for s in shares]
    axis.semilogx(whole, shares, "k-", label="constant traction, closed form")
    axis.semilogx(1.0 / (shares - endurance) ** 2, shares, "k--", label="constant opening, closed form")
    for share in (0.4, 0.6, 0.8):
        length = 30.0 * ONSET * (share - endurance) ** 2
        puller = Puller(pair(MPI.COMM_SELF, tiring(length, endurance)))
        count = cycles_to_failure(puller, straight(0.0, share * ONSET * cycle(2)))
        axis.plot(count * ONSET / length, share, "o", color="tab:blue")
        left = share + 0.1 * (1.0 - share)
        length = 30.0 * ONSET / sum_of_rates(share, endurance, left)
        count = cycles_of_traction(share, endurance, length, 1.0 - left, 8)
        factor = sum_of_rates(share, endurance, share) / sum_of_rates(share, endurance, left)
        axis.plot(count * factor * ONSET / length, share, "s", color="tab:red")
    axis.axhline(endurance, color="0.7")
    axis.set(
        xlabel="cycles × δ_0 / δ_Σ", ylabel="amplitude / strength", title="fatigue, C_f = 0.25", ylim=(0, 1)
    )
    axis.legend(fontsize=7)
    head = ["amplitude / strength", "C_f", "δ_Σ, nm", "closed form"]
    return (
        table([*head, "counted"], opening_rows),
        table([*head, *(f"{n} steps a half cycle" for n in STEPS)], traction_rows),
    )


def main() -> None:
    """Run everything, draw, and write."""
    figure = Figure(figsize=(13.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2).ravel()
    separated, work_error, dissipation_error = separations(axes[:3])
    axes[0].legend(fontsize=7)
    opening_table, traction_table = fatigue(axes[3])
    figure.savefig(HERE / "interfaces.png", dpi=110)
    PAGE.write_text(
        TEMPLATE.read_text(encoding="utf-8").format(
            separated=separated,
            work=f"{100.0 * work_error:.2f}",
            dissipation=f"{100.0 * dissipation_error:.3f}",
            opening_cycles=opening_table,
            traction_cycles=traction_table,
            strength=f"{STRENGTH:g}",
            shear_strength=f"{RATIO * STRENGTH:g}",
            opening=f"{OPENING:g}",
            shear=f"{SHEAR:g}",
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
