"""Meshes a geometry with Gmsh: grains and strips share their edges, so the mesh conforms by construction.

Built-in kernel, no booleans, one thread, fixed random factors: the same geometry and sizes give the same mesh.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gmsh
import numpy as np

from .arrays import Floats, Ints, rows
from .errors import QualityError
from .geometry import Geometry
from .recipe import Resolution, Strips

#: The sheet of lithium between electrode and electrolyte, where there is one.
SHEET = "lithium/sheet"
#: Tags of the boundary groups.
BOUNDARIES = {"bottom": 1, "top": 2, "left": 3, "right": 4}
#: Phases whose boundary gets the finer elements.
REFINED = ("silicon",)
#: Strips are meshed this much coarser at their outer face.
STRIP_COARSENING = 2.5
#: Distance over which elements grow by their own size.
GRADING = 4.0


@dataclass(frozen=True)
class Mesh:
    """A mesh of triangles or tetrahedra with named groups, as read back from Gmsh.

    Attributes:
        points: shape (nodes, dimension), um.
        cells: node numbers of each cell, shape (cells, dimension + 1).
        cell_tags: group of each cell, shape (cells,).
        names: name of each cell group by tag.
        gamma, sicn: Gmsh's quality measures of each cell.
    """

    points: Floats
    cells: Ints
    cell_tags: Ints
    names: dict[int, str]
    gamma: Floats
    sicn: Floats


@contextmanager
def gmsh_model(name: str) -> Iterator[None]:
    """A fresh Gmsh model under fixed options; a session somebody else opened is left as found."""
    owned = not gmsh.isInitialized()
    if owned:
        gmsh.initialize([], readConfigFiles=False, interruptible=False)
    options = {
        "General.Terminal": 0, "General.NumThreads": 1, "Mesh.RandomSeed": 1, "Mesh.RandomFactor": 1e-9,
        "Mesh.Algorithm": 6, "Mesh.ElementOrder": 1, "Mesh.MeshSizeFromPoints": 0, "Mesh.MeshSizeFromCurvature": 0,
        "Mesh.MeshSizeExtendFromBoundary": 0, "Mesh.MeshSizeMin": 0.0, "Mesh.MeshSizeMax": 1e22,
        "Mesh.Optimize": 1, "Mesh.Smoothing": 5, "Mesh.Binary": 1, "Mesh.MshFileVersion": 4.1, "Mesh.SaveAll": 0,
    }  # fmt: skip
    before = {key: gmsh.option.getNumber(key) for key in options}
    for key, value in options.items():
        gmsh.option.setNumber(key, value)
    gmsh.model.add(name)
    # Gmsh's optimiser silently leaves out steps while its process-wide count of errors is not zero, say after a file
    # that could not be read; only a call of the mesh generator, here of nothing, sets the count back.
    gmsh.model.mesh.generate(0)
    try:
        yield
    finally:
        gmsh.model.remove()
        if owned:
            gmsh.finalize()
        else:
            for key, value in before.items():
                gmsh.option.setNumber(key, value)


def mesh_geometry(geometry: Geometry, strips: Strips, resolution: Resolution, path: str, name: str) -> Mesh:
    """Mesh a geometry, write it and read it back.

    Args:
        geometry: grains, in the order in which they are numbered from 1.
        strips: thickness of foil and electrolyte.
        resolution: element sizes and the limit on cells.
        path: where to write the ``.msh`` file.
        name: name of the Gmsh model.

    Returns:
        The mesh.

    Raises:
        QualityError: if Gmsh cannot mesh the geometry.
    """
    with gmsh_model(name):
        try:
            _draw(geometry, strips, resolution)
            gmsh.model.mesh.generate(2)
            gmsh.model.mesh.renumberNodes()
            gmsh.model.mesh.renumberElements()
        except Exception as error:  # Gmsh raises bare Exceptions
            raise QualityError(f"Gmsh could not mesh the geometry: {error}") from error
        write_model(path)
        return read_model()


def write_model(path: str) -> None:
    """Write the current Gmsh model.

    Raises:
        OSError: if the file cannot be written.
    """
    try:
        gmsh.write(path)
    except Exception as error:  # Gmsh raises bare Exceptions
        raise OSError(f"{path} cannot be written: {error}") from error


def read_model(dimension: int = 2) -> Mesh:
    """The current Gmsh model's triangles or tetrahedra in physical groups."""
    kind_wanted, corners, shape = {2: (2, 3, "triangles"), 3: (4, 4, "tetrahedra")}[dimension]
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    points = np.asarray(coordinates).reshape(-1, 3)[:, :dimension]
    place = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
    place[tags.astype(np.int64)] = np.arange(len(tags))
    cells, cell_tags, elements, names = [], [], [], {}
    for _, tag in gmsh.model.getPhysicalGroups(dimension):
        names[int(tag)] = gmsh.model.getPhysicalName(dimension, tag)
        for entity in gmsh.model.getEntitiesForPhysicalGroup(dimension, tag):
            for kind, numbers, nodes in zip(*gmsh.model.mesh.getElements(dimension, entity), strict=True):
                if kind != kind_wanted:
                    raise QualityError(f"only {shape} of first order are supported")
                cells.append(place[np.asarray(nodes, dtype=np.int64)].reshape(-1, corners))
                cell_tags.append(np.full(len(numbers), tag, dtype=np.int64))
                elements.append(np.asarray(numbers, dtype=np.int64))
    number = np.concatenate(elements)
    order = np.argsort(number, kind="stable")
    gamma = gmsh.model.mesh.getElementQualities(number, "gamma")
    sicn = gmsh.model.mesh.getElementQualities(number, "minSICN")
    return Mesh(
        points,
        np.concatenate(cells)[order],
        np.concatenate(cell_tags)[order],
        names,
        np.asarray(gamma)[order],
        np.asarray(sicn)[order],
    )


def _draw(geometry: Geometry, strips: Strips, resolution: Resolution) -> None:
    """Points, lines, surfaces and groups of grains and strips."""
    geo = gmsh.model.geo
    width, height = geometry.size
    for v in range(len(geometry.vertices)):
        geo.addPoint(float(geometry.vertices[v, 0]), float(geometry.vertices[v, 1]), 0.0, tag=v + 1)
    for e, (a, b) in enumerate(rows(geometry.edges)):
        geo.addLine(a + 1, b + 1, e + 1)
    for grain, loops in enumerate(geometry.loops):
        geo.addPlaneSurface([geo.addCurveLoop(loop) for loop in loops], grain + 1)
        geo.addPhysicalGroup(2, [grain + 1], grain + 1, f"{geometry.phases[grain]}/{grain + 1}")
    count = len(geometry.loops)
    strip_surfaces: dict[int, list[int]] = {}

    def on(axis: int, wall: float) -> list[int]:
        """Edges on a wall, in order along it."""
        ends = geometry.vertices[geometry.edges][:, :, axis]
        found = np.flatnonzero((ends == wall).all(axis=1))
        middle = geometry.vertices[geometry.edges[found]].mean(axis=1)[:, 1 - axis]
        return [int(e) for e in found[np.argsort(middle)]]

    sides: dict[str, list[int]] = {
        "left": [e + 1 for e in on(0, 0.0)],
        "right": [e + 1 for e in on(0, width)],
    }
    layers = [("copper", 0.0, -strips.foil_um), ("electrolyte", height, height + strips.electrolyte_um)]
    if strips.lithium_sheet_um is not None:
        upper = height + strips.lithium_sheet_um
        layers[1:] = [(SHEET, height, upper), ("electrolyte", upper, upper + strips.electrolyte_um)]
    below: tuple[dict[float, int], list[int]] | None = None
    for k, (name, wall, outer) in enumerate(layers):
        shared = on(1, wall)
        if below is None or shared:
            corner = {
                x: 1 + int(np.flatnonzero((geometry.vertices == [x, wall]).all(axis=1))[0])
                for x in (0.0, width)
            }
        else:
            corner = below[0]
        left, right = geo.addPoint(0.0, outer, 0.0), geo.addPoint(width, outer, 0.0)
        up, down = geo.addLine(left, corner[0.0]), geo.addLine(corner[width], right)
        face = geo.addLine(right, left)
        # Along the shared wall from left to right, whichever way each edge was drawn.
        along = [
            e + 1
            if geometry.vertices[geometry.edges[e, 0], 0] < geometry.vertices[geometry.edges[e, 1], 0]
            else -e - 1
            for e in shared
        ]
        if not along and below is not None:
            along = below[1]
        below = {0.0: left, width: right}, [-face]
        surface = geo.addPlaneSurface([geo.addCurveLoop([up, *along, down, face])])
        geo.addPhysicalGroup(2, [surface], count + 1 + k, name)
        strip_surfaces[surface] = [abs(line) for line in along]
        sides["left"].append(up)
        sides["right"].append(down)
        boundary = {"copper": "bottom", "electrolyte": "top"}.get(name)
        if boundary is not None:
            geo.addPhysicalGroup(1, [face], BOUNDARIES[boundary], boundary)
    for boundary, lines in sides.items():
        geo.addPhysicalGroup(1, lines, BOUNDARIES[boundary], boundary)
    geo.synchronize()
    _size_fields(geometry, strips, resolution, strip_surfaces)


def _size_fields(
    geometry: Geometry, strips: Strips, resolution: Resolution, strip_surfaces: dict[int, list[int]]
) -> None:
    """Element sizes: fine at the boundaries of refined phases, coarser with the distance; strips coarsen outwards."""
    bulk, fine = resolution.element_size_um, resolution.interface_element_size_um
    refined = np.array([phase in REFINED for phase in geometry.phases] + [False])[geometry.sides].any(axis=1)
    field = gmsh.model.mesh.field
    together = []

    def graded(
        curves: list[int], at: float, beyond: float, start: float, stop: float, surfaces: list[int]
    ) -> None:
        """Size ``at`` up to the distance ``start`` from the curves, ``beyond`` from ``stop`` on, in the surfaces."""
        distance = field.add("Distance")
        field.setNumbers(distance, "CurvesList", curves)
        field.setNumber(distance, "Sampling", 20)
        threshold = field.add("Threshold")
        for key, value in {
            "InField": distance, "SizeMin": at, "SizeMax": beyond, "DistMin": start, "DistMax": stop,
        }.items():  # fmt: skip
            field.setNumber(threshold, key, value)
        restricted = field.add("Restrict")
        field.setNumber(restricted, "InField", threshold)
        field.setNumbers(restricted, "SurfacesList", surfaces)
        together.append(restricted)

    grains = [grain + 1 for grain in range(len(geometry.loops))]
    # Without a refined phase every wall counts at the bulk size, which makes the field uniform.
    curves = np.flatnonzero(refined) if refined.any() else np.arange(len(geometry.edges))
    near = fine if refined.any() else bulk
    graded(
        [int(e) + 1 for e in curves],
        near,
        bulk,
        0.5 * fine,
        0.5 * fine + GRADING * (bulk - near) + fine,
        grains,
    )
    for surface, lines in strip_surfaces.items():
        thickness = max(strips.foil_um, strips.electrolyte_um, strips.lithium_sheet_um or 0.0)
        graded(lines, bulk, STRIP_COARSENING * bulk, 0.0, thickness, [surface])
    smallest = field.add("Min")
    field.setNumbers(smallest, "FieldsList", together)
    field.setAsBackgroundMesh(smallest)
