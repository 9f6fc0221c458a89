"""A partition that is known is repeated exactly; one that does not fit is not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from fem import compat
from fem.domain import Domain
from run import results
from run.meshing import read_domain
from tests.run.conftest import with_tiny


def layout(where: Domain) -> bytes:
    """This rank's cells and nodes by their numbers in the file, in its own order."""
    mesh = where.mesh
    return np.concatenate(
        [
            mesh.topology.original_cell_index,
            mesh.geometry.input_global_indices,
            compat.geometry_dofs(mesh).ravel(),
        ]
    ).tobytes()


@pytest.mark.parallel(min_ranks=2)
def test_a_known_partition_is_repeated(folder: Path, comm: MPI.Intracomm) -> None:
    from run.case import load_case
    from run.meshing import mesh_case

    with_tiny(folder, comm)
    if comm.rank == 0:
        mesh_case(load_case(folder / "tiny.toml"), folder / "mesh")
    comm.Barrier()
    mesh, state = folder / "mesh" / "tiny.msh", folder / "state"
    first = layout(read_domain(mesh, state, comm))
    kept = state / f"partition-{comm.size}.npz"
    lists = results.read_arrays(kept)
    assert lists is not None
    assert layout(read_domain(mesh, state, comm)) == first
    comm.Barrier()

    # Owners the other way round: it is the file that decides.
    turned = {"ranks": comm.size - 1 - lists["ranks"], "offsets": lists["offsets"]}
    if comm.rank == 0:
        np.savez(kept, **turned)
    comm.Barrier()
    owned = read_domain(mesh, state, comm)
    mine = np.flatnonzero(turned["ranks"][turned["offsets"][:-1]] == comm.rank)
    size = owned.mesh.topology.index_map(2).size_local
    assert np.array_equal(np.sort(owned.mesh.topology.original_cell_index[:size]), mine)
    comm.Barrier()

    for damage in (b"", b"PK no archive"):
        if comm.rank == 0:
            kept.write_bytes(damage)
        comm.Barrier()
        again = read_domain(mesh, state, comm)
        assert again.mesh.topology.index_map(2).size_global == len(lists["offsets"]) - 1
        comm.Barrier()
        assert results.read_arrays(kept) is not None, "it is made anew"
        comm.Barrier()
