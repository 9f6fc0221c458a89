"""Small bodies for tests: meshes in memory, materials with chosen numbers, and the product's model on them.

The forms that are compiled depend on the dimension, the phases and the loads only; all helpers keep to the same
ones (one or two hosts with :data:`CURVE`, influx through ``top``), so that few forms are compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from itertools import permutations
from typing import Any

import basix.ufl
import dolfinx
import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fem import compat, domain
from fem.interfaces.law import InterfaceLaw
from fem.loads import LithiumInflux, Load
from fem.materials.base import AnandFlow, Elasticity, Host, Material, OverstressFlow, Swelling
from fem.materials.open_circuit import LinearCurve
from fem.model import ElectrodeModel
from fem.parameters import Parameter
from fem.solver import NewtonSolver, SolverSettings

Array = npt.NDArray[np.float64]

# With a straight voltage curve diffusion is Fickian exactly: M dµ/dc = D.
CURVE = LinearCurve(1.0, 0.5)
TIGHT = SolverSettings(
    force_tolerance=1e-9, lithium_tolerance=1e-12, potential_tolerance=1e-11, displacement_tolerance=1e-7
)
TEMPERATURE = 333.15


def p(value: float) -> Parameter:
    """A parameter of a test."""
    return Parameter(value, "internal", "test", "assumed")


def host(
    phase: str = "alpha",
    *,
    youngs_modulus: float = 15e3,
    modulus_slope: float = 0.0,
    poisson_ratio: float = 0.3,
    swelling: float | tuple[float, float, float] = 0.0,
    capacity: float = 31.36,
    diffusivity: float = 0.24,
    flow: OverstressFlow | AnandFlow | None = None,
) -> Material:
    """A host with a straight voltage curve."""
    powers = swelling if isinstance(swelling, tuple) else (swelling, 0.0, 0.0)
    return Material(
        phase,
        Elasticity(p(youngs_modulus), p(modulus_slope), p(poisson_ratio)),
        flow,
        Swelling(*(p(power) for power in powers)),
        Host(p(capacity), p(diffusivity), CURVE, p(0.01)),
    )


def overstress(
    threshold: float, hardening: float, drag: float, reference_rate: float, exponent: float
) -> OverstressFlow:
    """An overstress law."""
    return OverstressFlow(p(threshold), p(hardening), p(drag), p(reference_rate), p(exponent))


def law(strength: float | None = 20.0, fracture_energy: float | None = 0.31, **others: Any) -> InterfaceLaw:
    """An interface law: rate-independent and without lithium exchange unless said otherwise."""
    special = {
        "shear_ratio": 1.0,
        "stiffness": 2.0e5,
        "contact_stiffness": 2.0e5,
        "exchange_resistance": float("inf"),
        "contact_pressure": 1.0,
    }
    needed = (field.name for field in fields(InterfaceLaw) if field.default is MISSING)
    numbers = dict.fromkeys(needed, 0.0) | special | others
    hold = {"strength": strength, "fracture_energy": fracture_energy}
    given = {name: value if isinstance(value, str) else p(value) for name, value in numbers.items()}
    return InterfaceLaw(**given | {name: None if value is None else p(value) for name, value in hold.items()})


# ---------------------------------------------------------------------- meshes


def grid(columns: int, rows: int, width: float, height: float) -> tuple[Array, npt.NDArray[np.int64]]:
    """Points and triangles of a rectangle, cell 2 (column + columns · row) and the next in each square."""
    x, y = np.meshgrid(np.linspace(0.0, width, columns + 1), np.linspace(0.0, height, rows + 1))
    points = np.column_stack([x.ravel(), y.ravel()])
    first = (np.arange(columns)[None, :] + (columns + 1) * np.arange(rows)[:, None]).ravel()
    right, up = 1, columns + 1
    cells = np.stack(
        [
            np.column_stack([first, first + right, first + right + up]),
            np.column_stack([first, first + up, first + right + up]),
        ],
        axis=1,
    )
    return points, cells.reshape(-1, 3).astype(np.int64)


def box(count: int, size: float) -> tuple[Array, npt.NDArray[np.int64]]:
    """Points and tetrahedra of a cube, six a small cube."""
    number = count + 1
    x, y, z = (a.ravel() for a in np.meshgrid(*[np.arange(number)] * 3, indexing="ij"))
    points = np.column_stack([x, y, z]) * (size / count)
    corner = np.column_stack([a.ravel() for a in np.meshgrid(*[np.arange(count)] * 3, indexing="ij")])
    cells = []
    for order in permutations(range(3)):
        vertices = [corner.copy()]
        for axis in order:
            vertices.append(vertices[-1] + np.eye(3, dtype=int)[axis])
        cells.append(np.stack([(v[:, 0] * number + v[:, 1]) * number + v[:, 2] for v in vertices], axis=1))
    return points, np.concatenate(cells).astype(np.int64)


def octant(count: int, radius: float, grading: float = 0.0) -> tuple[Array, npt.NDArray[np.int64]]:
    """Points and ``count``³ tetrahedra of an octant of a sphere; boundary nodes lie on the sphere.

    Kuhn's tetrahedra with x ≥ y ≥ z fill a simplex, which is mapped onto the octant shell by shell. The outermost
    shell is thinner by the factor 1 - ``grading``, the innermost thicker by 1 + ``grading``.
    """
    points, cells = box(count, 1.0)
    middle = points[cells].mean(axis=1)
    cells = cells[(middle[:, 0] > middle[:, 1]) & (middle[:, 1] > middle[:, 2])]
    used, flat = np.unique(cells, return_inverse=True)
    x, y, z = points[used].T
    straight = np.column_stack([x - y, y - z, z])
    length = np.linalg.norm(straight, axis=1)
    scale = np.divide(x * (1.0 + grading * (1.0 - x)), length, out=np.zeros_like(x), where=length > 0.0)
    return radius * straight * scale[:, None], flat.reshape(-1, 4).astype(np.int64)


def mesh_of(
    comm: MPI.Intracomm,
    points: Array,
    cells: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int32] | None = None,
) -> dmesh.Mesh:
    """Distribute a mesh that every rank holds in full.

    Args:
        comm: Ranks.
        points: Shape (points, dimension).
        cells: Shape (cells, dimension + 1).
        owner: Rank of every cell (taken modulo the number of ranks), or None for a partition of DOLFINx's own.
    """
    shape = ("triangle", "tetrahedron")[points.shape[1] - 2]
    element = basix.ufl.element("Lagrange", shape, 1, shape=(points.shape[1],))
    partitioner: Any = compat.shared_facet_partitioner()
    if owner is not None and comm.size > 1:
        partitioner = _owners(cells, np.asarray(owner, dtype=np.int32) % comm.size, comm.rank)
    here = slice(None) if comm.rank == 0 else slice(0, 0)
    return dmesh.create_mesh(comm, cells=cells[here], x=points[here], e=element, partitioner=partitioner)


def _owners(cells: npt.NDArray[np.int64], owner: npt.NDArray[np.int32], rank: int) -> Any:
    """A partitioner that gives each cell to its owner and, as a ghost, to the owners of its neighbours."""
    by_facet: dict[tuple[int, ...], list[int]] = {}
    for number, cell in enumerate(cells):
        for left_out in range(len(cell)):
            by_facet.setdefault(tuple(sorted(np.delete(cell, left_out).tolist())), []).append(number)
    ranks = [[int(o)] for o in owner]
    for pair in by_facet.values():
        for one in pair:
            for other in pair:
                if int(owner[other]) not in ranks[one]:
                    ranks[one].append(int(owner[other]))

    def partition(*_: Any) -> Any:
        rows = ranks if rank == 0 else []
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
        data = np.array([r for row in rows for r in row], dtype=np.int32)
        lists = dolfinx.graph.adjacencylist(data, offsets)
        return getattr(lists, "_cpp_object", lists)

    return partition


def midpoints(mesh: dmesh.Mesh) -> Array:
    """Midpoints of all local cells, shape (cells, 3)."""
    cells = mesh.topology.index_map(mesh.topology.dim)
    return dmesh.compute_midpoints(
        mesh, mesh.topology.dim, np.arange(cells.size_local + cells.num_ghosts, dtype=np.int32)
    )


def sides(width: float, height: float) -> dict[str, Any]:
    """The boundaries of a rectangle, always in the same order (their tags are part of the forms)."""
    return {
        "bottom": lambda x: np.isclose(x[1], 0.0),
        "top": lambda x: np.isclose(x[1], height),
        "left": lambda x: np.isclose(x[0], 0.0),
        "right": lambda x: np.isclose(x[0], width),
    }


def faces(size: float) -> dict[str, Any]:
    """The boundaries of a cube, thickness along the last axis."""
    return {
        "bottom": lambda x: np.isclose(x[2], 0.0),
        "top": lambda x: np.isclose(x[2], size),
        "left": lambda x: np.isclose(x[0], 0.0),
        "right": lambda x: np.isclose(x[0], size),
        "front": lambda x: np.isclose(x[1], 0.0),
        "back": lambda x: np.isclose(x[1], size),
    }


def spherical(radius: float) -> dict[str, Any]:
    """The boundaries of an octant: ``top`` is the sphere, the others the planes of symmetry."""
    return {
        "bottom": lambda x: np.isclose(x[2], 0.0),
        "top": lambda x: np.isclose(np.sum(x**2, axis=0), radius**2),
        "left": lambda x: np.isclose(x[0], 0.0),
        "front": lambda x: np.isclose(x[1], 0.0),
    }


# ---------------------------------------------------------------------- models


def model_on(
    mesh: dmesh.Mesh,
    boundaries: Mapping[str, Any],
    materials: Sequence[Material],
    loads: Sequence[Load] = (),
    *,
    grain: npt.NDArray[np.int32] | None = None,
    phases: Sequence[str] | None = None,
    colours: Sequence[int] | None = None,
    laws: Mapping[str, InterfaceLaw] | None = None,
    start: Mapping[str, float] | float = 0.1,
) -> ElectrodeModel:
    """The product's model on a small mesh; where there is lithium it may enter through ``top`` (control ``influx``)."""
    cells = len(midpoints(mesh))
    names = list(phases) if phases is not None else [materials[0].phase]
    where = domain.from_arrays(
        mesh, np.zeros(cells, dtype=np.int32) if grain is None else grain, names, dict(boundaries), colours
    )
    begin = start if isinstance(start, Mapping) else {m.phase: start for m in materials}
    return ElectrodeModel(
        where,
        {m.phase: m for m in materials},
        laws or {},
        [*([LithiumInflux("top")] if any(m.lithium is not None for m in materials) else []), *loads],
        TEMPERATURE,
        initial_lithiation=begin,
    )


def solved_step(model: ElectrodeModel, solver: NewtonSolver, dt: float) -> int:
    """Take one step that must converge; returns the Newton iterations."""
    model.prepare_step(dt)
    outcome = solver.solve()
    if not outcome.converged:
        raise AssertionError(f"step of {dt} s at t = {model.state.time} s: {outcome}")
    model.commit()
    return outcome.iterations
