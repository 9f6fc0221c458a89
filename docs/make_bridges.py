"""Makes docs/bridges.md and docs/bridges.png: what lithium ligaments dissipate (about three minutes, one core).

python3 -m docs.make_bridges
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mpi4py import MPI

from docs.tables import table
from fem.interfaces.law import InterfaceLaw
from tests.ligaments import State, Strip, model, pulled
from tests.small import law

HERE = Path(__file__).parent
PAGE = HERE / "bridges.md"
HEIGHT, RATE = 2.0, 1e-3
TIE = law(None, None, stiffness=1e6, contact_stiffness=1e6)
BOND = law(20.0, 1.0, residual_stiffness=1e-3)
WIDTHS = (0.5, 1.0, 2.0, 4.0)
TEMPERATURES = {"25 °C": 298.15, "60 °C": 333.15}
RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
BOND_RATES = (1e-3, 1e-2, 3e-2, 1e-1, 1.0)
OPENINGS = np.arange(0.04, HEIGHT + 1e-9, 0.04)


def path(
    width: float,
    rate: float = RATE,
    temperature: float = 333.15,
    bond: InterfaceLaw = TIE,
    step: float = 0.04,
) -> tuple[Strip, list[State]]:
    """Pull a strip apart by its height, or until it has come off."""
    strip = Strip(height=HEIGHT, width=width, temperature=temperature, cells=8 if width < 1.0 else 4)
    states = []
    for state in pulled(model(MPI.COMM_SELF, strip, bond), strip, rate * HEIGHT, OPENINGS, step):
        states.append(state)
        if state.row["debonded_fraction"] > 0.9999:
            break
    return strip, states


def main() -> None:
    """Run all strips, draw, and write."""
    figure = Figure(figsize=(13.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    shape_axes, rate_axes, bond_axes = figure.subplots(1, 3)

    shapes = []
    for width in WIDTHS:
        strip, states = path(width)
        unit = strip.flow_stress(RATE * HEIGHT) * HEIGHT * strip.area_fraction
        opening = np.array([state.opening / HEIGHT for state in states])
        factor = np.array([state.plastic for state in states]) / unit
        shape_axes.plot(opening, factor, label=f"w/h = {width / HEIGHT:g}")
        slender = strip.slender_work(RATE * HEIGHT, HEIGHT) * strip.area_fraction
        at = [float(np.interp(u, opening, factor)) for u in (0.2, 0.5, 1.0)]
        shapes.append(
            [f"{width / HEIGHT:g}", *(f"{value:.3f}" for value in at), f"{states[-1].plastic / slender:.3f}"]
        )
    strip = Strip(height=HEIGHT, width=WIDTHS[0])
    even = [strip.slender_work(RATE * HEIGHT, u * HEIGHT) for u in opening]
    unit = strip.flow_stress(RATE * HEIGHT) * HEIGHT
    shape_axes.plot(opening, np.array(even) / unit, "k--", linewidth=1.0, label="even stretching")
    shape_axes.set(xlabel="opening / h", ylabel="χ = dissipation / (σ0 h f)", title="shape")

    rates = []
    for name, temperature in TEMPERATURES.items():
        works = []
        for rate in RATES:
            strip, states = path(HEIGHT, rate, temperature)
            works.append(states[-1].plastic / strip.area_fraction)
        rate_axes.loglog(RATES, works, "o-", label=name)
        rates.append([name, *(f"{work:.2f}" for work in works)])
    rate_axes.set(xlabel="v / h (1/s)", ylabel="ΔG / f (J/m²)", title="rate and temperature")

    bonds = []
    for rate in BOND_RATES:
        strip, states = path(HEIGHT, rate, bond=BOND, step=0.02)
        last = states[-1]
        f = strip.area_fraction
        bond_axes.plot(
            [state.opening / HEIGHT for state in states],
            [state.work / f for state in states],
            label=f"{rate:g} /s",
        )
        bonds.append(
            [
                f"{rate:g}",
                f"{strip.flow_stress(rate * HEIGHT):.1f}",
                f"{last.opening / HEIGHT:.2f}",
                f"{last.work / f:.2f}",
                f"{last.plastic / f:.2f}",
                f"{last.fracture / f:.3f}",
                "yes" if last.row["debonded_fraction"] > 0.9999 else "no",
            ]
        )
    bond_axes.set(xlabel="opening / h", ylabel="work / f (J/m²)", title="bond of 20 MPa and 1 J/m²")
    for axes in (shape_axes, rate_axes, bond_axes):
        axes.legend(frameon=False, fontsize=8)
        axes.grid(color="#dddddd", linewidth=0.6)
    figure.savefig(HERE / "bridges.png", dpi=110)

    tables = {
        "shapes": table(["w/h", "χ at 0.2 h", "at 0.5 h", "at h", "over even stretching, at h"], shapes),
        "rates": table(["", *(f"{rate:g} /s" for rate in RATES)], rates),
        "bonds": table(
            ["v/h (1/s)", "σ0 (MPa)", "opening / h", "work / f", "in lithium", "in the bond", "came off"],
            bonds,
        ),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, found in tables.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        before, rest = text.split(begin)
        text = before + begin + found + end + rest.split(end)[1]
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
