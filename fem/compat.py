"""The only file that knows which DOLFINx version runs (0.9 to 0.11)."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from pathlib import Path
from typing import Any

import dolfinx
import dolfinx.jit
import numpy as np
import numpy.typing as npt
from dolfinx import cpp
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from dolfinx.common import IndexMap
from mpi4py import MPI
from petsc4py import PETSc

VERSION = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])
# Seconds one process waits for another that compiles the same form; the default of 10 is shorter than our forms take.
JIT_TIMEOUT = 300
#: Environment variable with the C compiler's flags for forms, where -O2 is not what is wanted; the same on all ranks.
FORM_FLAGS = "SWELLBOUND_FORM_FLAGS"
# Any number works as long as no other index map uses it for a message at the same time.
_INDEX_MAP_TAG = 1733


def index_map(
    comm: MPI.Intracomm, local_size: int, ghosts: npt.NDArray[np.int64], owners: npt.NDArray[np.int32]
) -> IndexMap:
    """Create a parallel index map from owned size, global ghost indices and their owners."""
    if VERSION >= (0, 11):
        return IndexMap(comm, local_size, ghosts, owners, _INDEX_MAP_TAG)
    return IndexMap(comm, local_size, ghosts, owners)


def submesh(
    mesh: dmesh.Mesh, dimension: int, entities: npt.NDArray[np.int32]
) -> tuple[dmesh.Mesh, npt.NDArray[np.int32]]:
    """Create a submesh and the array that maps its cells to entities of ``mesh``."""
    sub, cell_map = dmesh.create_submesh(mesh, dimension, entities)[:2]
    if isinstance(cell_map, np.ndarray):
        return sub, cell_map
    cells = sub.topology.index_map(dimension)
    local = np.arange(cells.size_local + cells.num_ghosts, dtype=np.int32)
    return sub, np.asarray(cell_map.sub_topology_to_topology(local, inverse=False), dtype=np.int32)


def function_space_on_dofmap(
    template: dfem.FunctionSpace, map_: IndexMap, dofs: npt.NDArray[np.int32]
) -> dfem.FunctionSpace:
    """Wrap hand-made dofs in a function space with the element of ``template``.

    Args:
        template: An ordinary space on the same mesh; gives element and dof layout.
        map_: Index map of the new dofs (blocks).
        dofs: Block dofs of every local cell, shape (cells, dofs per cell).
    """
    block_size = template.dofmap.index_map_bs
    adjacency = cpp.graph.AdjacencyList_int32(np.ascontiguousarray(dofs, dtype=np.int32))
    dofmap = cpp.fem.DofMap(template.dofmap.dof_layout, map_, block_size, adjacency, block_size)
    space = template._cpp_object
    element = space.element
    try:
        wrapped = type(space)(template.mesh._cpp_object, element, dofmap, space.value_shape)
    except (TypeError, AttributeError):
        wrapped = type(space)(template.mesh._cpp_object, element, dofmap)
    return dfem.FunctionSpace(template.mesh, template.ufl_element(), wrapped)


def interpolation_points(element: Any) -> npt.NDArray[np.float64]:
    """Reference interpolation points of a space's element (a method before 0.10, a property since)."""
    points = element.interpolation_points
    return points() if callable(points) else points


def shared_facet_partitioner() -> Any:
    """The default partitioner, told to make ghosts of the cells across every shared facet."""
    if VERSION >= (0, 11):
        return dmesh.create_cell_partitioner(dmesh.GhostMode.shared_facet, 2)
    return dmesh.create_cell_partitioner(dmesh.GhostMode.shared_facet)


def geometry_dofs(mesh: dmesh.Mesh) -> npt.NDArray[np.int32]:
    """Geometry nodes of every local cell, shape (cells, nodes per cell)."""
    geometry = mesh.geometry
    dofs: npt.NDArray[np.int32] = geometry.dofmaps[0] if VERSION >= (0, 11) else geometry.dofmap
    return dofs


def compile_form(expression: Any) -> dfem.Form:
    """Compile a form, and refuse one that DOLFINx 0.9 would assemble only in part.

    Raises:
        RuntimeError: A subdomain has two kernels of one integral type (DOLFINx issue 3735).
    """
    form = dfem.form(expression, jit_options=jit_options())
    if VERSION < (0, 10):
        for kind in (cpp.fem.IntegralType.cell, cpp.fem.IntegralType.interior_facet):
            ids = list(form._cpp_object.integral_ids(kind))
            if len(ids) != len(set(ids)):
                raise RuntimeError(f"the form has two kernels for one subdomain: {ids}")
    return form


def read_gmsh(
    path: Path, comm: MPI.Intracomm, dimension: int, partitioner: Any = None
) -> tuple[dmesh.Mesh, Any, Any]:
    """Read a ``.msh`` file on rank 0 and distribute it with shared facets, or by a partitioner that is given.

    Gmsh meshes come without ghost cells unless the partitioner asks for them, and interface integrals
    are then silently incomplete where the partition cuts an interface.
    """
    partitioner = partitioner or shared_facet_partitioner()
    if VERSION >= (0, 10):
        from dolfinx.io import gmsh as gmsh_reader

        data = gmsh_reader.read_from_msh(path, comm, 0, gdim=dimension, partitioner=partitioner)
        return data.mesh, data.cell_tags, data.facet_tags
    from dolfinx.io import gmshio

    mesh, cell_tags, facet_tags = gmshio.read_from_msh(path, comm, 0, gdim=dimension, partitioner=partitioner)
    return mesh, cell_tags, facet_tags


def create_matrix(form: dfem.Form) -> PETSc.Mat:
    """Create an empty PETSc matrix with the sparsity of ``form``."""
    import dolfinx.fem.petsc as petsc

    return petsc.create_matrix(form)


def assemble_matrix(matrix: PETSc.Mat, form: dfem.Form) -> None:
    """Assemble ``form`` into ``matrix`` (zeroed first) without boundary conditions."""
    import dolfinx.fem.petsc as petsc

    matrix.zeroEntries()
    petsc.assemble_matrix(matrix, form)
    matrix.assemble()


def assemble_vector(target: dfem.Function, form: dfem.Form) -> None:
    """Assemble ``form`` into the dof vector of ``target``: summed onto owners, then sent to ghosts."""
    target.x.array[:] = 0.0
    dfem.assemble_vector(target.x.array, form)
    from dolfinx.la import InsertMode

    target.x.scatter_reverse(InsertMode.add)
    target.x.scatter_forward()


def interpolate_expression(target: dfem.Function, expression: dfem.Expression) -> None:
    """Interpolate a compiled expression into ``target``."""
    target.interpolate(expression)


@functools.cache
def forget_abandoned_compiles(folder: Path | None = None) -> int:
    """Remove what compiles that were killed have left in the cache of forms; once a process, on one rank.

    A form whose C file is there counts as being compiled until a second file says that it is ready: without this, a
    run that is restarted after a kill would wait :data:`JIT_TIMEOUT` for a process that is gone, and then fail.

    Args:
        folder: Where compiled forms are; by default where DOLFINx keeps them.

    Returns:
        How many were removed.
    """
    folder = folder or Path(dolfinx.jit.get_options()["cache_dir"])
    removed, now = 0, time.time()
    for source in folder.glob("libffcx_*.c"):
        with contextlib.suppress(FileNotFoundError):
            if not source.with_suffix(".c.cached").exists() and now - source.stat().st_mtime > JIT_TIMEOUT:
                source.unlink()
                removed += 1
    return removed


def jit_options() -> dict[str, Any]:
    """Form-compiler options common to all forms."""
    flags = os.environ.get(FORM_FLAGS, "-O2").split()
    # Python's own flags ask for debug information: nobody reads it, and it takes a quarter of the C compiler's time.
    return {"cffi_extra_compile_args": [*flags, "-g0"], "timeout": JIT_TIMEOUT}
