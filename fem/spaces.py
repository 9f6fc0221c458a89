"""Broken function spaces: continuous inside a grain, free to jump across every grain boundary.

The dofs are split, not the mesh. Grains are coloured so that two that share even a node differ in colour;
for each colour a submesh gives a parallel-correct index map and dofmap, and the maps are stacked. Interface
terms are then plain facet integrals with jumps, and sparsity, ghosting and solvers are DOLFINx's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh

from fem import compat


def broken_space(
    mesh: dmesh.Mesh, cell_colour: npt.NDArray[np.int32], colours: int, element: Any
) -> dfem.FunctionSpace:
    """Create a space of ``element`` that is continuous inside a colour only.

    Args:
        mesh: Mesh with shared-facet ghost cells.
        cell_colour: Colour of every local cell (ghosts included), shape (cells,), values in [0, colours).
        colours: Number of colours, the same on all ranks; a rank may lack cells of a colour.
        element: Basix/UFL element (scalar, blocked or mixed).

    Returns:
        Function space on ``mesh`` with one dof per (node, grain) pair.
    """
    comm, dimension = mesh.comm, mesh.topology.dim
    parts: list[tuple[dfem.FunctionSpace, npt.NDArray[np.int32]]] = []
    for colour in range(colours):
        cells = np.flatnonzero(cell_colour == colour).astype(np.int32)
        sub, parent_cells = compat.submesh(mesh, dimension, cells)
        parts.append((dfem.functionspace(sub, element), parent_cells))
    maps = [space.dofmap.index_map for space, _ in parts]

    # A colour's global index g owned by rank o becomes
    #   new_start[o] + (owned dofs of earlier colours on o) + (g - start of o in that colour).
    sizes = np.array(comm.allgather([m.size_local for m in maps]), dtype=np.int64)  # (ranks, colours)
    colour_start = np.vstack([np.zeros((1, colours), dtype=np.int64), np.cumsum(sizes, axis=0)])
    new_start = np.concatenate([[0], np.cumsum(sizes.sum(axis=1))])
    earlier = np.cumsum(sizes, axis=1) - sizes
    owned = int(sizes[comm.rank].sum())
    ghosts, owners, ghost_offset, ghost_count = [], [], [], 0
    for colour, map_ in enumerate(maps):
        owner = np.asarray(map_.owners, dtype=np.int64)
        shift = new_start[owner] + earlier[owner, colour] - colour_start[owner, colour]
        ghosts.append(np.asarray(map_.ghosts, dtype=np.int64) + shift)
        owners.append(owner)
        ghost_offset.append(owned + ghost_count)
        ghost_count += len(owner)
    stacked = compat.index_map(
        comm, owned, np.concatenate(ghosts).astype(np.int64), np.concatenate(owners).astype(np.int32)
    )

    template = dfem.functionspace(mesh, element)
    cell_map = mesh.topology.index_map(dimension)
    dofs = np.full(
        (cell_map.size_local + cell_map.num_ghosts, template.dofmap.list.shape[1]), -1, dtype=np.int32
    )
    for colour, (space, parent_cells) in enumerate(parts):
        block = space.dofmap.index_map_bs
        local = space.dofmap.list.astype(np.int64)
        size = maps[colour].size_local
        if block != template.dofmap.index_map_bs:
            raise RuntimeError("submesh and mesh give the element different block sizes")
        dofs[parent_cells] = np.where(
            local < size, local + earlier[comm.rank, colour], local - size + ghost_offset[colour]
        )
    return compat.function_space_on_dofmap(template, stacked, dofs)


def subspace_dofs(space: dfem.FunctionSpace, *component: int) -> npt.NDArray[np.int32]:
    """Owned and ghost dofs of a (nested) component, sorted, as indices into ``Function.x.array``."""
    sub = space
    for index in component:
        sub = sub.sub(index)
    blocks = np.unique(np.asarray(sub.dofmap.list))
    size = sub.dofmap.bs
    return (blocks[:, None] * size + np.arange(size)).ravel().astype(np.int32)
