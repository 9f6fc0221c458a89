"""A mesh with its grains: which cell belongs to which grain, phase and colour, and the named boundaries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fem import compat
from fem.errors import MeshError

SIDECAR_FORMAT = "swellbound-mesh/1"


@dataclass(frozen=True)
class Grain:
    """One body of the electrode: a particle, a pore, or a strip.

    Attributes:
        name: ``phase/number`` as in the mesh file.
        phase: Name of its material phase.
        colour: Grains that share a node differ in colour.
    """

    name: str
    phase: str
    colour: int


@dataclass(frozen=True)
class Domain:
    """A distributed mesh together with its grains and boundaries.

    Attributes:
        mesh: DOLFINx mesh with shared-facet ghosts; lengths in µm, thickness along the last axis.
        grains: All grains, the same list on every rank.
        cell_grain: Index into ``grains`` of every local cell, ghosts included, shape (cells,).
        boundaries: Facet tags of the named outer boundaries.
        boundary_tags: Tag of each boundary name.
        mesh_hash: Content hash of the mesh, or ``"none"`` for one made in memory.
        box: ``width``, ``thickness``, ``foil``, ``electrolyte`` in µm (zero where there is no strip).
    """

    mesh: dmesh.Mesh
    grains: tuple[Grain, ...]
    cell_grain: npt.NDArray[np.int32]
    boundaries: dmesh.MeshTags
    boundary_tags: dict[str, int]
    mesh_hash: str
    box: dict[str, float]

    @property
    def dimension(self) -> int:
        """Space dimension, 2 or 3."""
        return int(self.mesh.topology.dim)

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases that occur, sorted; the same on every rank."""
        return tuple(sorted({grain.phase for grain in self.grains}))

    @property
    def colours(self) -> int:
        """Number of colours."""
        return 1 + max(grain.colour for grain in self.grains)

    @property
    def cell_colour(self) -> npt.NDArray[np.int32]:
        """Colour of every local cell, shape (cells,)."""
        return np.array([grain.colour for grain in self.grains], dtype=np.int32)[self.cell_grain]

    @property
    def cell_phase(self) -> npt.NDArray[np.int32]:
        """Index into ``phases`` of every local cell, shape (cells,)."""
        index = {phase: number for number, phase in enumerate(self.phases)}
        return np.array([index[grain.phase] for grain in self.grains], dtype=np.int32)[self.cell_grain]

    def boundary_facets(self, name: str) -> npt.NDArray[np.int32]:
        """Local facets of a named boundary.

        Raises:
            MeshError: The mesh has no boundary of that name.
        """
        if name not in self.boundary_tags:
            raise MeshError(f"the mesh has no boundary {name!r}: it has {sorted(self.boundary_tags)}")
        return self.boundaries.find(self.boundary_tags[name])


def cell_volumes(domain: Domain) -> npt.NDArray[np.float64]:
    """Undeformed volume of every owned cell in µm³, area in µm² in 2D, shape (owned cells,)."""
    mesh, dimension = domain.mesh, domain.dimension
    owned = mesh.topology.index_map(dimension).size_local
    points = mesh.geometry.x[:, :dimension][compat.geometry_dofs(mesh)[:owned]]
    edges = points[:, 1:] - points[:, :1]
    return np.asarray(np.abs(np.linalg.det(edges)) / factorial(dimension), dtype=np.float64)


def lowest_point(domain: Domain) -> float:
    """Smallest coordinate along the thickness of the undeformed mesh in µm, where the foil begins; collective."""
    heights = domain.mesh.geometry.x[:, domain.dimension - 1]
    return float(domain.mesh.comm.allreduce(float(np.min(heights, initial=np.inf)), op=MPI.MIN))


def from_arrays(
    mesh: dmesh.Mesh,
    cell_grain: npt.NDArray[np.int32],
    phases: Sequence[str],
    boundaries: dict[str, Any],
    colours: Sequence[int] | None = None,
    box: dict[str, float] | None = None,
) -> Domain:
    """Make a domain from a mesh in memory, as tests and small studies need it.

    Args:
        mesh: Mesh created with ``GhostMode.shared_facet``.
        cell_grain: Grain of every local cell, shape (cells,).
        phases: Phase of each grain.
        boundaries: Name of each boundary and a function of x, shape (3, points), that marks it.
        colours: Colour of each grain; by default every grain has its own.
        box: Sizes in µm; by default the bounding box, without strips.
    """
    chosen = list(range(len(phases))) if colours is None else list(colours)
    grains = tuple(
        Grain(f"{phase}/{number}", phase, colour)
        for number, (phase, colour) in enumerate(zip(phases, chosen, strict=True))
    )
    facet_dimension = mesh.topology.dim - 1
    found, values, tags = [], [], {}
    for tag, (name, where) in enumerate(boundaries.items(), start=1):
        facets = dmesh.locate_entities_boundary(mesh, facet_dimension, where)
        found.append(facets)
        values.append(np.full(len(facets), tag, dtype=np.int32))
        tags[name] = tag
    facets = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
    marks = np.concatenate(values) if values else np.empty(0, dtype=np.int32)
    facets, first = np.unique(facets, return_index=True)
    if box is None:
        points = mesh.geometry.x
        low = np.full(3, np.inf) if not len(points) else points.min(axis=0)
        high = np.full(3, -np.inf) if not len(points) else points.max(axis=0)
        mesh.comm.Allreduce(MPI.IN_PLACE, low, op=MPI.MIN)
        mesh.comm.Allreduce(MPI.IN_PLACE, high, op=MPI.MAX)
        size = high - low
        last = mesh.topology.dim - 1
        box = {"width": float(size[0]), "thickness": float(size[last]), "foil": 0.0, "electrolyte": 0.0}
    return Domain(
        mesh,
        grains,
        np.asarray(cell_grain, dtype=np.int32),
        dmesh.meshtags(mesh, facet_dimension, facets.astype(np.int32), marks[first]),
        tags,
        "none",
        box,
    )


def read(mesh_file: Path, comm: MPI.Intracomm, partitioner: Any = None) -> Domain:
    """Read a ``.msh`` file and the ``.json`` sidecar beside it.

    Args:
        mesh_file: The file.
        comm: Ranks.
        partitioner: Of the cells; DOLFINx's own, with ghosts across every facet, if None.

    Raises:
        MeshError: A file is missing or the two do not belong together; the same on every rank.
    """
    sidecar: dict[str, Any] = {}
    problem: str | None = None
    if comm.rank == 0:
        try:
            sidecar = _read_sidecar(mesh_file)
        except MeshError as error:
            problem = str(error)
    sidecar, problem = comm.bcast((sidecar, problem))
    if problem is not None:
        raise MeshError(problem)
    mesh, cell_tags, facet_tags = compat.read_gmsh(mesh_file, comm, int(sidecar["dimension"]), partitioner)
    cells = mesh.topology.index_map(mesh.topology.dim)
    tag = np.full(cells.size_local + cells.num_ghosts, -1, dtype=np.int64)
    tag[cell_tags.indices] = cell_tags.values
    listed = sidecar["grains"]
    number = {int(grain["tag"]): index for index, grain in enumerate(listed)}
    unknown = sorted({int(value) for value in np.unique(tag)} - set(number))
    unknown = sorted(set().union(*comm.allgather(unknown)))
    if unknown:
        raise MeshError(f"{mesh_file}: cells carry tags {unknown[:5]} that the sidecar does not list")
    lookup = np.full(int(max(number)) + 1, -1, dtype=np.int32)
    for physical, index in number.items():
        lookup[physical] = index
    grains = tuple(Grain(g["name"], g["phase"], int(g["colour"])) for g in listed)
    box = {key: float(value) for key, value in sidecar["box_um"].items()}
    boundary_tags = {name: int(value) for name, value in sidecar["boundaries"].items()}
    return Domain(mesh, grains, lookup[tag], facet_tags, boundary_tags, sidecar["content_hash"], box)


def _read_sidecar(mesh_file: Path) -> dict[str, Any]:
    sidecar_file = mesh_file.with_suffix(".json")
    for file in (mesh_file, sidecar_file):
        if not file.is_file():
            raise MeshError(f"{file} does not exist: make the mesh first (swellbound mesh CASE.toml)")
    try:
        sidecar: dict[str, Any] = json.loads(sidecar_file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MeshError(f"{sidecar_file} is not valid JSON: {error}") from error
    if sidecar.get("format") != SIDECAR_FORMAT:
        raise MeshError(f"{sidecar_file} has format {sidecar.get('format')!r}, expected {SIDECAR_FORMAT!r}")
    return sidecar
