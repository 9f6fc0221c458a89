"""Bodies on which observables and output are tested: two grains one above the other, and a whole little electrode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from fem.interfaces.law import InterfaceLaw, kind_name
from fem.interfaces.library import shipped_laws
from fem.loads import Load, Pressure, Support
from fem.materials.base import (
    AnandFlow,
    Conductor,
    Elasticity,
    Host,
    Material,
    OverstressFlow,
    Reservoir,
    Swelling,
)
from fem.materials.open_circuit import LinearCurve
from fem.model import ElectrodeModel
from tests.small import grid, host, mesh_of, midpoints, model_on, p, sides

WIDTH, HEIGHT, SEAM = 6.0, 4.0, 2.0


def law(
    *,
    breakable: bool = True,
    fracture_energy: float = 0.31,
    relaxation_time: float = 0.0,
    exchange_resistance: float = float("inf"),
    contact_stiffening_depth: float = float("inf"),
) -> InterfaceLaw:
    """A frictionless interface of 20 MPa that leaves nothing behind when it breaks, or one that never does."""
    return replace(
        shipped_laws()["graphite|graphite"],
        strength=p(20.0) if breakable else None,
        fracture_energy=p(fracture_energy) if breakable else None,
        stiffness=p(2.0e5),
        contact_stiffness=p(2.0e5),
        contact_stiffening_depth=p(contact_stiffening_depth),
        relaxation_time=p(relaxation_time),
        residual_stiffness=p(0.0),
        exchange_resistance=p(exchange_resistance),
        friction=p(0.0),
    )


def two_grains(
    comm: MPI.Intracomm,
    loads: list[Load],
    interface: InterfaceLaw,
    swelling: float = 0.3,
    flow: OverstressFlow | AnandFlow | None = None,
    stepped: bool = False,
) -> ElectrodeModel:
    """Grain 0 (``alpha``) below grain 1 (``beta``), 6 × 4 µm, touching at y = 2 or along a staircase around it."""
    mesh = mesh_of(comm, *grid(6, 4, WIDTH, HEIGHT))
    x = midpoints(mesh)
    seam = np.where(x[:, 0] > 3.0, 1.0, 2.0) if stepped else np.full(len(x), SEAM)
    return model_on(
        mesh,
        sides(WIDTH, HEIGHT),
        [host("alpha", swelling=swelling, flow=flow), host("beta", swelling=0.05)],
        loads,
        grain=(x[:, 1] > seam).astype(np.int32),
        phases=["alpha", "beta"],
        laws={"alpha|beta": interface},
    )


def held(lift: str = "lift") -> list[Load]:
    """Bottom fixed in height, sides on rollers, top moved by a control, and pressure on top."""
    return [
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Support("top", 1, lift),
        Pressure("top"),
    ]


def move(model: ElectrodeModel, grain: int, displacement: npt.NDArray[np.float64]) -> None:
    """Displace all nodes of a grain by the same vector; of other grains, none."""
    cells = np.flatnonzero(model.domain.cell_grain == grain)
    for component, value in enumerate(displacement):
        dofs = np.asarray(model.state.space.sub(0).sub(component).dofmap.list)[cells]
        model.state.unknowns.x.array[dofs] = value


def electrode(comm: MPI.Intracomm, decomposing: float | None = None) -> ElectrodeModel:
    """Foil, host with a pore and a grain of lithium metal in it, electrolyte: 6 × 8 µm, 2 µm of each strip.

    With a charge ``decomposing`` in mAh/cm² the face of the host spends it, and a second grain of the host takes the
    place of the metal.
    """
    mesh = mesh_of(comm, *grid(6, 8, WIDTH, 8.0))
    x, y = midpoints(mesh).T[:2]
    grain = np.select(
        [
            y < 2.0,
            y > 6.0,
            (abs(x - 2.5) < 0.5) & (abs(y - 4.5) < 0.5),
            (abs(x - 4.5) < 0.5) & (abs(y - 3.5) < 0.5),
        ],
        [0, 4, 2, 3],
        1,
    )
    soft, stiff = Elasticity(p(1.0), p(0.0), p(0.2)), Elasticity(p(1.2e5), p(0.0), p(0.34))
    graphite = Material(
        "graphite",
        Elasticity(p(15e3), p(0.0), p(0.3)),
        None,
        Swelling(p(0.3), p(0.0), p(0.0)),
        Host(p(31.36), p(0.24), LinearCurve(1.0, 0.5), p(0.01)),
    )
    materials = [
        Material("copper", stiff),
        graphite,
        Material(
            "pore", soft, hessian_length=p(0.2), closing_modulus=p(0.03), holding_modulus=p(3.0), solid=False
        ),
        Material(
            "lithium",
            Elasticity(p(7.81e3), p(0.0), p(0.38)),
            lithium=Reservoir(p(76.9), p(0.02), p(10.0), p(0.15)),
        ),
        Material("electrolyte", Elasticity(p(2.2e4), p(0.0), p(0.37)), lithium=Conductor(p(0.8))),
    ]
    if decomposing is not None:
        materials[3] = graphite
    names = [material.phase for material in materials]
    # Lithium crosses to the electrolyte quickly, and very slowly from the metal, which does not flow here.
    resistance = {"electrolyte|graphite": 15.0, "graphite|lithium": 1.0e6}
    laws = {
        kind: law(breakable="pore" not in kind, exchange_resistance=resistance.get(kind, float("inf")))
        for kind in (kind_name(a, b) for number, a in enumerate(names) for b in names[number:])
    }
    if decomposing is not None:
        face = "electrolyte|graphite"
        laws[face] = replace(
            laws[face],
            decomposition_charge=p(decomposing),
            decomposition_onset=p(2.0),
            decomposition_current=p(4.0),
        )
    loads: list[Load] = [
        Support("bottom", 0),
        Support("bottom", 1),
        Support("left", 0),
        Support("right", 0),
        Pressure("top"),
    ]
    return model_on(
        mesh,
        sides(WIDTH, 8.0),
        materials,
        loads,
        grain=grain.astype(np.int32),
        phases=names,
        laws=laws,
        start={"graphite": 0.1} if decomposing is not None else {"graphite": 0.1, "lithium": 1.0},
    )
