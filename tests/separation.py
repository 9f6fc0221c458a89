"""Two nearly rigid blocks with one interface between them that is opened and slid along a given path.

The interface is turned by :data:`TILT` out of the horizontal. Openings are given and tractions read in its own frame:
(normal, tangential), the work of the prescribed motion is summed up by the trapezoidal rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from mpi4py import MPI

from fem.energy import InterfaceEnergy
from fem.interfaces.law import InterfaceLaw
from fem.loads import Load, Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from tests.readings import residual
from tests.small import Array, grid, mesh_of, midpoints, model_on, p

WIDTH, TILT = 0.8, 0.4
RIGID = 1.0e9
SETTINGS = SolverSettings(force_tolerance=2e-6, displacement_tolerance=1e-9, maximum_iterations=25)
NORMAL = np.array([-np.sin(TILT), np.cos(TILT)])
TANGENT = np.array([np.cos(TILT), np.sin(TILT)])


def elastic(phase: str, youngs_modulus: float) -> Material:
    """A material that neither flows nor takes lithium."""
    return Material(phase, Elasticity(p(youngs_modulus), p(0.0), p(0.3)))


def pair(
    comm: MPI.Intracomm,
    law: InterfaceLaw,
    *,
    youngs_modulus: float = RIGID,
    contrast: float = 1.0,
    swapped: bool = False,
    relaxation_ratio: float = 0.0,
) -> ElectrodeModel:
    """Two blocks one above the other.

    Args:
        comm: Ranks.
        law: Of the interface.
        youngs_modulus: Of both blocks in MPa.
        contrast: How many times as stiff as that ``beta`` is.
        swapped: Whether the first phase in the alphabet, the '+' side, is the lower block.
        relaxation_ratio: Damage follows the opening over this many steps.
    """
    points, cells = grid(1, 2, WIDTH, 1.0)
    turn = np.column_stack([TANGENT, NORMAL])
    mesh = mesh_of(comm, points @ turn.T, cells)
    boundaries = {
        "bottom": lambda x: np.isclose(NORMAL @ x[:2], 0.0),
        "top": lambda x: np.isclose(NORMAL @ x[:2], 1.0),
    }
    grain = (midpoints(mesh)[:, :2] @ NORMAL > 0.5).astype(np.int32)
    loads: list[Load] = [
        Support("bottom", 0),
        Support("bottom", 1),
        Support("top", 0, "across"),
        Support("top", 1, "up"),
    ]
    model = model_on(
        mesh,
        boundaries,
        [elastic("alpha", youngs_modulus), elastic("beta", contrast * youngs_modulus)],
        loads,
        grain=grain,
        phases=["alpha", "beta"] if swapped else ["beta", "alpha"],
        laws={"alpha|beta": law},
    )
    model.relaxation_ratio = relaxation_ratio
    return model


class Puller:
    """Moves the upper block and reads what the interface answers.

    Attributes:
        model: The coupled model.
        openings: Every (normal, tangential) opening so far in µm, the start included.
        tractions: Nominal tractions (normal, tangential) in MPa at these.
        stored: Energy stored by the interface in J/m².
        dissipated: Fracture dissipation so far in J/m².
        viscous: Viscous dissipation so far in J/m².
        debonded: Share of the fracture energy that is spent.
    """

    def __init__(self, model: ElectrodeModel, settings: SolverSettings = SETTINGS):
        self.model, self.solver = model, NewtonSolver(model, settings)
        self.energy = InterfaceEnergy(model)
        self._start = model.state.snapshot()
        space, facets = model.state.space.sub(0), model.domain.boundary_facets("top")
        found = [dfem.locate_dofs_topological(space.sub(k), 1, facets) for k in range(2)]
        self._top = [dofs[dofs < model.state.dofs.owned] for dofs in found]
        self.reset()

    def reset(self) -> None:
        """Begin again with an interface that was never opened."""
        self.model.state.restore(self._start)
        self.openings: list[Array] = [np.zeros(2)]
        self.tractions: list[Array] = [np.zeros(2)]
        self.stored = self.dissipated = self.viscous = self.debonded = 0.0

    def to(self, normal: float, tangential: float = 0.0) -> Array:
        """Go to an opening in one step; returns the traction (normal, tangential) in MPa."""
        model = self.model
        model.control("across").value, model.control("up").value = normal * NORMAL + tangential * TANGENT
        model.prepare_step(1.0)
        outcome = self.solver.solve()
        assert outcome.converged, outcome
        values = residual(model)
        if model.surface_contact is not None:
            model.surface_contact.add_forces(values)
        force = model.comm.allreduce(np.array([np.sum(values[dofs]) for dofs in self._top]))
        sums = self.energy.sums()
        total = model.comm.allreduce(
            np.array(
                [sums[name] for name in ("interface_energy", "fracture_dissipation", "viscous_dissipation")]
            )
        )
        self.stored, self.dissipated = total[0] / WIDTH, total[1] / WIDTH
        self.viscous += total[2] / WIDTH
        self.debonded = model.comm.allreduce(float(np.sum(self.energy.debonded()))) / WIDTH
        model.commit()
        traction = np.array([force @ NORMAL, force @ TANGENT]) / WIDTH
        self.openings.append(np.array([normal, tangential]))
        self.tractions.append(traction)
        return traction

    def along(self, path: Iterable[Sequence[float]]) -> Array:
        """Go through openings; returns their tractions, shape (openings, 2)."""
        return np.array([self.to(*opening) for opening in path])

    @property
    def work(self) -> float:
        """Work of the prescribed motion in J/m²."""
        openings, tractions = np.array(self.openings), np.array(self.tractions)
        mean = 0.5 * (tractions[1:] + tractions[:-1])
        return float(np.sum(mean * np.diff(openings, axis=0)))

    @property
    def damage(self) -> float:
        """Mean damage of the interface."""
        return self.model.mean_damage()


def straight(degrees: float, distances: npt.ArrayLike) -> Array:
    """Openings (normal, tangential) at distances from the origin and an angle to the normal, shape (n, 2)."""
    angle = np.deg2rad(degrees)
    return np.outer(np.asarray(distances, dtype=np.float64), [np.cos(angle), np.sin(angle)])


def leg(start: Sequence[float], end: Sequence[float], steps: int) -> Array:
    """Openings from after ``start`` to ``end`` in equal steps, shape (steps, 2)."""
    share = np.linspace(0.0, 1.0, steps + 1)[1:, None]
    return (1.0 - share) * np.asarray(start) + share * np.asarray(end)
