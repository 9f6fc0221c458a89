"""The cohesive polycrystal: a square of 100 grains pulled apart, on which interface codes are compared.

The problem is dimensionless and linear: plane strain, E = 1, ν = 0.3, bilinear boundaries with strength 0.01, opening
at the peak 5e-4, at the end 0.05 (fracture energy 2.5e-4), equal weights of opening and shear, contact stiffness 20.
The left edge is fixed, the right edge is fixed in y and moved in x from 0 to 0.065 in equal steps.

The product's model is one of finite strain, so it gets the problem with strength, openings and the motion of the edge
scaled by :data:`SCALE`. A linear-elastic body with interfaces is homogeneous in them: all displacements and tractions
scale by the same factor, forces by SCALE and energies by its square, while E, ν and the stiffness of the interface
stay. What finite strain adds is of the order of the largest strain, 0.065 · SCALE, and vanishes with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import basix.ufl
import numpy as np
import ufl
from dolfinx import mesh as dmesh
from mpi4py import MPI

import meshes.colouring
from fem import compat
from fem.domain import Domain, from_arrays
from fem.external_work import ExternalWork
from fem.interfaces.law import InterfaceLaw
from fem.loads import Load, Support
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from fem.parameters import Parameter
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings

MESH = Path(__file__).parent / "data" / "polycrystal.npz"
STRETCH = 0.065
"""Last displacement of the right edge over the size of the square."""
STEPS = 65
SCALE = 1.0e-3
SIZE = 1000.0
"""Edge of the square in µm."""
MODULUS = 1.0e5
"""E in MPa."""
STRENGTH, FRACTURE_ENERGY, STIFFNESS = 0.01, 2.5e-4, 20.0
"""Of the boundaries over E, E · size and E / size."""
TOLERANCE = 1.0e-8
"""Of the last increment over the motion of the edge, as the yardstick demands."""


@dataclass(frozen=True)
class Point:
    """The square after a step.

    Attributes:
        stretch: Displacement of the right edge over the size.
        force: On the right edge over E · size.
        work: Done so far over E · size².
        iterations: Newton iterations of the step, those of attempts that failed included.
    """

    stretch: float
    force: float
    work: float
    iterations: int


def polycrystal(comm: MPI.Intracomm) -> Domain:
    """The mesh of the yardstick as a domain of one phase, ``solid``, with boundaries ``left`` and ``right``."""
    with np.load(MESH) as data:
        points, triangles, grain = data["points"], data["triangles"].astype(np.int64), data["grain"]
    here = slice(None) if comm.rank == 0 else slice(0, 0)
    element = ufl.Mesh(basix.ufl.element("Lagrange", "triangle", 1, shape=(2,)))
    mesh = dmesh.create_mesh(
        comm,
        cells=triangles[here],
        x=np.ascontiguousarray(SIZE * points[here]),
        e=element,
        partitioner=compat.shared_facet_partitioner(),
    )
    colours = meshes.colouring.colour_groups(triangles.astype(np.int32), grain.astype(np.int32))
    return from_arrays(
        mesh,
        grain[np.asarray(mesh.topology.original_cell_index)].astype(np.int32),
        ["solid"] * len(colours),
        {"left": lambda x: np.isclose(x[0], 0.0), "right": lambda x: np.isclose(x[0], SIZE)},
        [colours[number] for number in range(len(colours))],
    )


def polycrystal_model(domain: Domain) -> ElectrodeModel:
    """The product's model of the yardstick, with linear displacement as all codes in its table."""
    held: list[Load] = [
        Support("left", 0),
        Support("left", 1),
        Support("right", 1),
        Support("right", 0, "pull"),
    ]
    return ElectrodeModel(
        domain,
        {"solid": Material("solid", Elasticity(_given(MODULUS), _given(0.0), _given(0.3)))},
        {"solid|solid": _law()},
        held,
        temperature=300.0,
        displacement_degree=1,
    )


def _law() -> InterfaceLaw:
    zero, stiffness = _given(0.0), _given(MODULUS * STIFFNESS / SIZE)
    return InterfaceLaw(
        strength=_given(MODULUS * STRENGTH * SCALE),
        fracture_energy=_given(MODULUS * SIZE * FRACTURE_ENERGY * SCALE**2),
        shear_ratio=_given(1.0),
        stiffness=stiffness,
        contact_stiffness=stiffness,
        relaxation_time=zero,
        residual_stiffness=zero,
        exchange_resistance=_given(float("inf")),
        friction=zero,
        open_exchange=zero,
        contact_pressure=_given(1.0),
    )


def _given(value: float) -> Parameter:
    return Parameter(value, "internal", "the cohesive polycrystal, run/data/README.md", "read")


class Pull:
    """Pulls the square apart in equal steps.

    Args:
        model: From :func:`polycrystal_model`.
        steps: Steps to the full stretch.

    Attributes:
        solver: The Newton solver, which keeps the time.
    """

    def __init__(self, model: ElectrodeModel, steps: int = STEPS):
        self._model, self._steps = model, steps
        force = MODULUS * STRENGTH * SCALE * SIZE
        settings = SolverSettings(
            force_tolerance=TOLERANCE * force / 30.0,
            displacement_tolerance=TOLERANCE * SIZE * SCALE * STRETCH,
            largest_update=SIZE * SCALE * STRETCH,
            maximum_iterations=50,
            symmetric=True,
        )
        self.solver = NewtonSolver(model, settings)
        # Fixed steps without any help: a step that fails ends the run.
        self._stepper = Stepper(
            model,
            self.solver,
            StepSettings(
                first=1.0,
                largest=1.0,
                smallest=1.0,
                lithiation_change=float("inf"),
                damage_change=float("inf"),
                target_iterations=settings.maximum_iterations,
                stabilisation=0.0,
                resting_stabilisation=0.0,
                holding_stabilisation=0.0,
            ),
        )

    def points(self, last: int | None = None) -> Iterator[Point]:
        """Take the steps up to number ``last`` (all of them by default); collective.

        Raises:
            RunStopped: A step does not converge.
        """
        model, external = self._model, ExternalWork(self._model)
        edge, before = model.control("pull"), model.state.unknowns.x.array.copy()
        forces, work = external.forces(), 0.0
        for number in range(1, (last or self._steps) + 1):
            stretch = STRETCH * number / self._steps
            edge.value = SIZE * SCALE * stretch
            report = self._stepper.advance(1.0)
            after, now = external.forces(), model.state.unknowns.x.array
            done = external.work(forces, after, now - before)
            total, step = model.comm.allreduce(np.array([np.sum(after["reactions"]), done]))
            forces, before, work = after, now.copy(), work + float(step)
            yield Point(
                stretch,
                float(total) / (MODULUS * SIZE * SCALE),
                work / (MODULUS * SIZE**2 * SCALE**2),
                report.iterations + report.wasted,
            )
