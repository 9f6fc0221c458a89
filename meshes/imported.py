"""Meshes made elsewhere: a .msh with our group names, or anything meshio reads with a table from tag to phase.

With a table, the connected pieces of a phase become its grains; the strips stay whole. Without one, the named groups
of the file are the grains. Either way the mesh is written anew in our layout, checked like one of our own.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path

import gmsh
import meshio
import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from .arrays import Floats, Ints, whole
from .build import BOUNDARIES, Mesh, gmsh_model, read_model, write_model
from .composition import ELECTRODE_PHASES
from .errors import ImportedMeshError
from .files import MeshFiles, target_files, write_sidecar, written_aside
from .picture import draw_picture
from .quality import require_conforming, require_quality
from .sidecar import STRIPS, describe

PHASES = (*ELECTRODE_PHASES, *STRIPS)
#: Names of cell data that hold a cell's tag, in the order they are looked for.
TAG_NAMES = ("gmsh:physical", "medit:ref", "cell_tags", "CellEntityIds", "material", "tag")


def import_mesh(
    source: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    name: str,
    table: str | os.PathLike[str] | None = None,
    cell_data: str | None = None,
) -> MeshFiles:
    """Take in a triangle mesh in um: foil below, electrolyte on top.

    Args:
        source: the mesh file.
        directory: where to put ``NAME.msh``, ``NAME.json``, ``NAME.png``.
        name: file name without suffix.
        table: CSV with the columns ``tag`` and ``phase``; without it the file's groups are named like ours.
        cell_data: name of the cell data that holds the tag; the usual names are tried if absent.

    Returns:
        The files.

    Raises:
        ImportedMeshError: what the file or the table lacks.
        QualityError: gamma or SICN below the gate.
    """
    files = target_files(directory, name)
    points, cells, tags, names = _read(Path(source), cell_data, named=table is None)
    if table is not None:
        tags, names = _pieces(cells, tags, read_table(Path(table)))
    points, cells = _compact(points, cells)
    _check_names(names)
    with written_aside(files) as aside:
        mesh = _write(points, cells, tags, names, str(aside.msh), name)
        require_conforming(mesh)
        require_quality(mesh)
        described = describe(mesh, name, BOUNDARIES)
        described["seed"] = None
        described["recipe"] = None
        described["source"] = Path(source).name
        write_sidecar(described, aside.sidecar)
        draw_picture(mesh, described, aside.picture)
    return files


def read_table(path: Path) -> dict[int, str]:
    """Read a table from cell tag to phase.

    Raises:
        ImportedMeshError: naming the line.
    """
    try:
        with open(path, newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle, skipinitialspace=True)
            if [*(reader.fieldnames or [])][:2] != ["tag", "phase"]:
                raise ImportedMeshError(
                    f"{path.name}: the first line must be 'tag,phase', not {reader.fieldnames}"
                )
            phases: dict[int, str] = {}
            for row in reader:
                tag, phase = (row["tag"] or "").strip(), (row["phase"] or "").strip()
                if not re.fullmatch(r"-?\d+", tag) or phase not in PHASES:
                    raise ImportedMeshError(
                        f"{path.name}, line {reader.line_num}: {tag!r}, {phase!r} is not a whole number "
                        f"and one of {', '.join(PHASES)}"
                    )
                if int(tag) in phases:
                    raise ImportedMeshError(f"{path.name}, line {reader.line_num}: tag {tag} is given twice")
                phases[int(tag)] = phase
            return phases
    except (OSError, UnicodeDecodeError) as error:
        raise ImportedMeshError(f"{path.name} cannot be read: {error}") from error


def _read(path: Path, cell_data: str | None, named: bool) -> tuple[Floats, Ints, Ints, dict[int, str]]:
    """Points, triangles, their tags, and the names of the tags where the file has some."""
    if not path.is_file():
        raise ImportedMeshError(f"{path} is not a file")
    if path.suffix == ".msh" and cell_data is None:
        # Gmsh reads its own format, every version of it.
        with gmsh_model("source"):
            try:
                gmsh.merge(str(path))
            except Exception as error:  # Gmsh raises bare Exceptions
                raise ImportedMeshError(f"Gmsh cannot read {path.name}: {error}") from error
            if not gmsh.model.getPhysicalGroups(2):
                raise ImportedMeshError(f"{path.name} has no physical groups of surfaces")
            _refuse_other_cells(path)
            mesh = read_model()
        return mesh.points, mesh.cells, mesh.cell_tags, mesh.names
    if named:
        raise ImportedMeshError(
            f"{path.name} needs a table from tag to phase: only .msh files carry names of ours"
        )
    try:
        foreign = meshio.read(path)
    except (Exception, SystemExit) as error:  # meshio ends the process on some of what it cannot read
        raise ImportedMeshError(f"meshio cannot read {path.name}: {error or 'unknown format'}") from error
    known = [cell_data] if cell_data else [key for key in TAG_NAMES if key in foreign.cell_data]
    if not known or known[0] not in foreign.cell_data:
        there = ", ".join(foreign.cell_data) or "none"
        raise ImportedMeshError(
            f"{path.name} has no cell data {cell_data or ' or '.join(TAG_NAMES)} (it has {there})"
        )
    cells, tags = [], []
    for block, values in zip(foreign.cells, foreign.cell_data[known[0]], strict=True):
        if block.type == "triangle":
            cells.append(np.asarray(block.data, dtype=np.int64))
            tags.append(np.asarray(values).astype(np.int64).ravel())
        elif block.type not in ("line", "vertex"):
            raise ImportedMeshError(
                f"{path.name} has cells of the kind {block.type}; only triangles are supported"
            )
    if not cells:
        raise ImportedMeshError(f"{path.name} has no triangles")
    points = np.asarray(foreign.points, dtype=np.float64)
    if points.shape[1] == 3 and float(np.ptp(points[:, 2])) > 0.0:
        raise ImportedMeshError(f"{path.name} is not flat: z runs over {np.ptp(points[:, 2]):g}")
    return points[:, :2], np.concatenate(cells), np.concatenate(tags), {}


def _refuse_other_cells(path: Path) -> None:
    """Every surface element is a first-order triangle in exactly one physical group."""
    grouped: dict[int, int] = {}
    for _, tag in gmsh.model.getPhysicalGroups(2):
        for entity in gmsh.model.getEntitiesForPhysicalGroup(2, tag):
            grouped[int(entity)] = grouped.get(int(entity), 0) + 1
    for _, entity in gmsh.model.getEntities(2):
        if any(kind != 2 for kind in gmsh.model.mesh.getElementTypes(2, entity)):
            raise ImportedMeshError(f"{path.name} has surface elements other than first-order triangles")
        if grouped.get(int(entity), 0) != 1:
            raise ImportedMeshError(
                f"{path.name}: surface {entity} is in {grouped.get(int(entity), 0)} groups, not one"
            )


def _pieces(cells: Ints, tags: Ints, phases: Mapping[int, str]) -> tuple[Ints, dict[int, str]]:
    """Grains from phases: pieces connected over facets, numbered from 1 phase by phase, the strips last."""
    unknown = sorted(set(whole(np.unique(tags))) - set(phases))
    if unknown:
        raise ImportedMeshError(f"the table has no phase for tag {unknown[0]}")
    phase = np.array([PHASES.index(phases[int(tag)]) for tag in tags])
    facets = np.sort(np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(cells)), 3)
    order = np.lexsort((facets[:, 1], facets[:, 0]))
    facets, owner = facets[order], owner[order]
    pair = np.flatnonzero((facets[1:] == facets[:-1]).all(axis=1))
    one, two = owner[pair], owner[pair + 1]
    same = phase[one] == phase[two]
    graph = sparse.coo_matrix((np.ones(int(same.sum())), (one[same], two[same])), shape=(len(cells),) * 2)
    _, piece = connected_components(graph, directed=False)
    grains = np.zeros(len(cells), dtype=np.int64)
    names: dict[int, str] = {}
    for index, name in enumerate(PHASES):
        for number in np.unique(piece[phase == index]):
            tag = len(names) + 1
            names[tag] = name if name in STRIPS else f"{name}/{tag}"
            grains[piece == number] = tag
    return grains, names


def _compact(points: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """Drop points without cells; turn every triangle anticlockwise."""
    used, numbered = np.unique(cells, return_inverse=True)
    points, cells = points[used], numbered.reshape(-1, 3)
    one, two = points[cells[:, 1]] - points[cells[:, 0]], points[cells[:, 2]] - points[cells[:, 0]]
    turned = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0.0
    cells[turned] = cells[turned][:, ::-1]
    return points, cells


def _check_names(names: Mapping[int, str]) -> None:
    """Every group is a grain of a known phase or a strip, and both strips are there, once."""
    for name in names.values():
        grain = re.fullmatch(r"([a-z]+)/\d+", name)
        if name not in STRIPS and not (grain and grain.group(1) in ELECTRODE_PHASES):
            raise ImportedMeshError(
                f"the group {name!r} is not called PHASE/NUMBER with a phase of {', '.join(ELECTRODE_PHASES)}, "
                f"nor {' or '.join(STRIPS)}"
            )
    values = list(names.values())
    for strip in STRIPS:
        if values.count(strip) != 1:
            raise ImportedMeshError(
                f"there must be one group or connected piece {strip}, and there are {values.count(strip)}"
            )
    if len(set(values)) != len(values):
        raise ImportedMeshError("two groups have the same name")


def _write(points: Floats, cells: Ints, tags: Ints, names: Mapping[int, str], path: str, name: str) -> Mesh:
    """Write triangles and the facets of the four sides of the box as a .msh in our layout."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 1e-6 * float((high - low).max())
    facets = np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]])
    key, times = np.unique(np.sort(facets, axis=1), axis=0, return_counts=True)
    if int(times.max()) > 2:
        raise ImportedMeshError("a facet belongs to more than two triangles")
    outer = key[times == 1]
    sides = {}
    for boundary, axis, wall in (
        ("bottom", 1, low[1]), ("top", 1, high[1]), ("left", 0, low[0]), ("right", 0, high[0]),
    ):  # fmt: skip
        sides[boundary] = outer[(np.abs(points[outer][:, :, axis] - wall) < reach).all(axis=1)]
    if sum(len(side) for side in sides.values()) != len(outer):
        raise ImportedMeshError(
            f"the outline is not a box: {len(outer) - sum(len(side) for side in sides.values())} of its {len(outer)} "
            "facets lie on none of the four sides (or neighbouring grains do not share nodes)"
        )
    with gmsh_model(name):
        carrier = gmsh.model.addDiscreteEntity(2)
        gmsh.model.mesh.addNodes(
            2,
            carrier,
            np.arange(1, len(points) + 1),
            np.column_stack([points, np.zeros(len(points))]).ravel(),
        )
        for tag in sorted(names):
            entity = gmsh.model.addDiscreteEntity(2)
            gmsh.model.mesh.addElementsByType(entity, 2, [], (cells[tags == tag] + 1).ravel())
            gmsh.model.addPhysicalGroup(2, [entity], tag, names[tag])
        for boundary, side in sides.items():
            entity = gmsh.model.addDiscreteEntity(1)
            gmsh.model.mesh.addElementsByType(entity, 1, [], (side + 1).ravel())
            gmsh.model.addPhysicalGroup(1, [entity], BOUNDARIES[boundary], boundary)
        gmsh.model.mesh.reclassifyNodes()
        gmsh.model.removeEntities([(2, carrier)])
        write_model(path)
        return read_model()
