"""A strip of lithium ligaments between two elastic layers, pulled apart: a quarter of one of them, with its layer.

The planes of symmetry are x = 0 (middle of the ligament), x = pitch / 2 (half-way to the next) and y = 0 (half height).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from scipy.integrate import solve_ivp

from fem.domain import from_arrays
from fem.interfaces.law import InterfaceLaw
from fem.loads import Support
from fem.materials.base import AnandFlow, Elasticity, Material
from fem.materials.library import LITHIUM
from fem.model import ElectrodeModel
from fem.observables import Observer, Row
from fem.solver import NewtonSolver, SolverSettings
from tests.small import Array, grid, mesh_of, midpoints, p

SETTINGS = SolverSettings(
    force_tolerance=1e-6, displacement_tolerance=1e-6, largest_update=0.1, maximum_iterations=30
)


@dataclass(frozen=True)
class Strip:
    """A strip of ligaments.

    Attributes:
        height: h of the ligaments in µm.
        width: Of the ligaments in µm.
        area_fraction: Width over pitch.
        layer: Thickness of each layer in µm.
        temperature: In K.
        cells: Squares over half the ligament's height.
    """

    height: float = 2.0
    width: float = 1.0
    area_fraction: float = 0.5
    layer: float = 0.5
    temperature: float = 333.15
    cells: int = 4

    @property
    def pitch(self) -> float:
        """Distance of the ligaments in µm."""
        return self.width / self.area_fraction

    def flow_stress(self, velocity: float) -> float:
        """σ0 in MPa: saturated uniaxial flow stress at the strain rate velocity / height."""
        flow = LITHIUM.flow
        if not isinstance(flow, AnandFlow):
            raise TypeError("lithium is expected to creep after Anand")
        rate = velocity / self.height / flow.rate_at(self.temperature)
        power = flow.rate_sensitivity.value + flow.saturation_exponent.value
        return flow.saturation.value * flow.size_factor.value * float(rate) ** power

    def slender_work(self, velocity: float, opening: float) -> float:
        """Work in J/m² of ligament that stretches evenly in plane strain at constant velocity, without elasticity.

        σ = 2/√3 σ̄, dε/dt = 2/√3 (dλ/dt)/λ, with Anand's hardening from the initial resistance on (see
        :class:`fem.materials.base.AnandFlow`).
        """
        flow = LITHIUM.flow
        if not isinstance(flow, AnandFlow):
            raise TypeError("lithium is expected to creep after Anand")
        reference, factor = flow.rate_at(self.temperature), flow.size_factor.value

        def rates(stretch: float, state: Array) -> list[float]:
            resistance, plane = state[0], 2.0 / np.sqrt(3.0)
            share = plane * velocity / self.height / stretch / reference
            limit = flow.saturation.value * factor * share**flow.saturation_exponent.value
            gap = 1.0 - resistance / limit
            hardening = (
                flow.hardening.value * factor * abs(gap) ** flow.hardening_exponent.value * np.sign(gap)
            )
            stress = resistance * share**flow.rate_sensitivity.value
            return [hardening * plane / stretch, plane * stress / stretch]

        start = [flow.initial_resistance.value * factor, 0.0]
        path = solve_ivp(rates, (1.0, 1.0 + opening / self.height), start, rtol=1e-10, atol=1e-12)
        return float(path.y[1, -1]) * self.height


def model(comm: MPI.Intracomm, strip: Strip, law: InterfaceLaw) -> ElectrodeModel:
    """The quarter, at rest; control ``lift`` moves the layer's far side, half of the opening."""
    size = strip.height / 2.0 / strip.cells
    across = max(2, round(strip.width / 2.0 / size))
    beyond = max(1, round((strip.pitch - strip.width) / 2.0 / size)) if strip.area_fraction < 1.0 else 0
    up = max(1, round(strip.layer / size))
    points, cells = grid(across + beyond, strip.cells + up, float(across + beyond), float(strip.cells + up))
    middle = points[cells].mean(axis=1)
    kept = cells[(middle[:, 0] < across) | (middle[:, 1] > strip.cells)]
    used, flat = np.unique(kept, return_inverse=True)
    points = points[used]
    half, half_pitch = strip.width / 2.0, strip.pitch / 2.0
    x, y = points.T
    right = half + (x - across) * (half_pitch - half) / max(beyond, 1)
    top = strip.height / 2.0 + (y - strip.cells) * strip.layer / up
    points = np.column_stack(
        [np.where(x <= across, x * half / across, right), np.where(y <= strip.cells, y * size, top)]
    )
    mesh = mesh_of(comm, points, flat.reshape(-1, 3).astype(np.int64))
    height = strip.height / 2.0 + strip.layer
    boundaries = {
        "bottom": lambda x: np.isclose(x[1], 0.0),
        "top": lambda x: np.isclose(x[1], height),
        "left": lambda x: np.isclose(x[0], 0.0),
        # Of the layers only: the ligament's own side is free.
        "right": lambda x: np.isclose(x[0], half_pitch) & (x[1] > strip.height / 2.0 - 1e-9),
    }
    grain = (midpoints(mesh)[:, 1] > strip.height / 2.0).astype(np.int32)
    layer = Material("layer", Elasticity(p(50e3), p(0.0), p(0.25)))
    domain = from_arrays(mesh, grain, ["lithium", "layer"], boundaries)
    loads = [Support("bottom", 1), Support("left", 0), Support("right", 0), Support("top", 1, "lift")]
    return ElectrodeModel(
        domain, {"lithium": LITHIUM, "layer": layer}, {"layer|lithium": law}, loads, strip.temperature
    )


@dataclass(frozen=True)
class State:
    """Where the strip is.

    Attributes:
        opening: Of the layers' far sides in µm.
        work: External work so far, per area of the strip in J/m².
        plastic: Of it dissipated in the lithium.
        fracture: Of it dissipated by debonding.
        stress: Mean traction over the strip in the last step in MPa.
        row: All observables.
    """

    opening: float
    work: float
    plastic: float
    fracture: float
    stress: float
    row: Row


def pulled(
    model: ElectrodeModel, strip: Strip, velocity: float, openings: Array, largest: float = 0.04
) -> Iterator[State]:
    """Pull the layers apart at a velocity.

    Args:
        model: The quarter at rest.
        strip: What it is a quarter of.
        velocity: In µm/s.
        openings: In µm, at which a state is wanted; steps end there.
        largest: Step in µm; shorter after one that failed, and at first.
    """
    observer, solver = Observer(model), NewtonSolver(model, SETTINGS)
    observer.start()
    # Four quarters on a pitch.
    share = 4.0 / strip.pitch
    now = work = 0.0
    step = 0.05 * largest
    for wanted in openings:
        while now < wanted - 1e-12:
            end = wanted if now + 1.5 * step > wanted else now + step
            before = model.state.snapshot()
            model.control("lift").value = end / 2.0
            model.prepare_step((end - now) / velocity)
            outcome = solver.solve()
            if not outcome.converged:
                model.state.restore(before)
                step *= 0.5
                if step < 1e-6 * largest:
                    raise AssertionError(f"opening {end:g} um: {outcome}")
                continue
            row = observer.measure()
            model.commit()
            done, taken, now = row["external_work_pJ_um"] * share, end - now, end
            stress, work = (done - work) / taken, done
            step = min(1.5 * step, largest)
        yield State(
            opening=now,
            work=work,
            plastic=row["plastic_dissipation_pJ_um"] * share,
            fracture=row["fracture_dissipation_pJ_um"] * share,
            stress=stress,
            row=row,
        )
