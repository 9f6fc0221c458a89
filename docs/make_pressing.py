"""Tables of docs/pressing.md: a small electrode pressed to 550 MPa in 10 s, held, and released, in variants.

Run with ``python3 -m docs.make_pressing FOLDER`` from the repository: the mesh goes into FOLDER, the table to stdout.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from mpi4py import MPI

from fem.constraints import Constraint
from fem.errors import RunStopped
from fem.materials.base import OverstressFlow
from fem.measurements import porosity
from fem.model import ElectrodeModel
from fem.stepping import Stepper
from run import build, meshing
from run.case import Case, load_case

PRESSURE, RAMP, HOLD, REST = 550.0, 10.0, 10.0, 0.1
CASE = """
[case]
name = "pressing"

[mesh]
seed = 3
width_um = 10.0
thickness_um = 8.0
porosity = {porosity}

[mesh.composition]
graphite_wt_percent = 87.628
silicon_wt_percent = 7.372
binder_wt_percent = 5.0
lithium_wt_percent_of_active = {lithium}

[mesh.graphite]
length_um = 6.0
length_spread_um = 0.5

[mesh.silicon]
diameter_um = 1.4

[mesh.binder]
diameter_um = 1.4

[mesh.lithium]
diameter_um = 2.5

[mesh.pore]
diameter_um = 1.8

[mesh.strips]
foil_um = 1.0
electrolyte_um = 1.0

[mesh.resolution]
element_size_um = 1.5
interface_element_size_um = 1.1

[time]
first_step = "0.1 s"
smallest_step = "0.1 ms"

{more}
"""
BONDS = '[interfaces.all]\nbonding_hardness = "100 MPa"\n'


@dataclass(frozen=True)
class Variant:
    """What is pressed.

    Attributes:
        name: In the table.
        porosity: Of the mesh.
        lithium: Powder in wt% of the active material.
        more: Further tables of the case.
        rate_independent: Whether graphite, binder and copper flow at nearly the same stress at any rate.
    """

    name: str
    porosity: float = 0.10
    lithium: float = 0.0
    more: str = ""
    rate_independent: bool = False


VARIANTS = {
    "shipped": Variant("bare, 10 % pores, materials as shipped"),
    "rate": Variant("the same, graphite and binder nearly rate-independent", rate_independent=True),
    "bonds": Variant("the same as the first, bonds grow (H = 100 MPa)", more=BONDS),
    "loose": Variant("bare, 15 % pores", porosity=0.15),
    "powder": Variant("3 wt% lithium powder, 10 % pores", lithium=3.0),
}


def rate_independent(case: Case) -> Case:
    """Exponent 10 instead of 1; graphite 400 MPa with 1 GPa of hardening, at which 10 % pores carry 550 MPa."""
    materials = dict(case.materials)
    for phase in ("graphite", "binder", "copper"):
        flow = materials[phase].flow
        if not isinstance(flow, OverstressFlow):
            raise TypeError(phase)
        flow = replace(flow, exponent=flow.exponent.replaced(10.0))
        if phase == "graphite":
            flow = replace(
                flow, threshold=flow.threshold.replaced(400.0), hardening=flow.hardening.replaced(1000.0)
            )
        materials[phase] = replace(materials[phase], flow=flow)
    return replace(case, materials=materials)


def pressed(variant: Variant, folder: Path) -> list[dict[str, float]]:
    """Rows before pressing, at 550 MPa, after the hold, and released; fewer where it stops."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "case.toml"
    text = CASE.format(porosity=variant.porosity, lithium=variant.lithium, more=variant.more)
    file.write_text(
        text if variant.lithium else text.replace("[mesh.lithium]\ndiameter_um = 2.5\n", ""), encoding="utf-8"
    )
    case = load_case(file)
    if variant.rate_independent:
        case = rate_independent(case)
    domain = meshing.read_domain(meshing.mesh_case(case, folder)[0], folder, MPI.COMM_WORLD)
    model = build.build_model(case, domain)
    model.control("influx").value = 0.0
    end = RAMP + HOLD

    def refresh() -> None:
        time = model.state.time + float(model.dt.value)
        up, down = min(1.0, time / RAMP), max(0.0, (time - end) / RAMP)
        model.control("pressure").value = max(REST, PRESSURE * (up - down)) if down else PRESSURE * up

    model.constraints.append(Constraint(np.empty(0, dtype=np.int32), np.empty(0), refresh))
    stepper = Stepper(
        model, build.CountingSolver(model, build.solver_settings(case)), build.step_settings(case)
    )
    work = 0
    rows = [row(model, 0)]
    for mark in (RAMP, end, end + RAMP):
        try:
            while mark - model.state.time > 1e-9:
                report = stepper.advance(mark - model.state.time)
                work += report.iterations + report.wasted
        except RunStopped:
            return [*rows, row(model, work)]
        rows.append(row(model, work))
    return rows


def row(model: ElectrodeModel, iterations: int) -> dict[str, float]:
    """Numbers of the state now."""
    found = porosity.measure(model)
    strain = model.state.accumulated.x.array
    phase = model.domain.cell_phase[model.state.point_cells]
    flowed = {
        f"flow_{name}": float(np.max(strain[phase == number]))
        for number, name in enumerate(model.domain.phases)
        if name in ("graphite", "silicon", "binder", "lithium")
    }
    return {
        "pressure": float(model.control("pressure").value),
        "thickness": found["thickness_um"],
        "porosity": 100.0 * found["porosity"],
        "pores": 100.0 * found["porosity_of_pores"],
        "damage": model.mean_damage(),
        "iterations": float(iterations),
        **flowed,
    }


def main() -> None:
    """Print one table a variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(tempfile.gettempdir()) / "pressing")
    parser.add_argument("--only", choices=VARIANTS, action="append")
    chosen = parser.parse_args()
    for name in chosen.only or VARIANTS:
        rows = pressed(VARIANTS[name], chosen.folder / name)
        print(f"\n{VARIANTS[name].name}\n")
        print("| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0]))
        for line in rows:
            print("| " + " | ".join(f"{value:.4g}" for value in line.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
