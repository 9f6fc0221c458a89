"""``swellbound benchmark solvers``: how ranks would share a block, counted again by sets, and the lines it prints."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.solver import NewtonSolver, SolverSettings
from run import partition_figures
from run.benchmark_solvers import TABLE_HEADER, _clock, table_row
from tests.blocks import block
from tests.small import solved_step
from tests.solid_contact import two_cubes


# In the last deal the rank that sends to most others sends to more than any rank receives from.
@pytest.mark.parametrize(("parts", "seed"), [(1, 1), (2, 1), (3, 1), (12, 24)])
def test_shares_are_those_counted_by_sets(parts: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = block(MPI.COMM_SELF)
    domain, dofmap = model.domain, model.state.space.dofmap.list
    dealt = np.random.default_rng(seed).integers(0, parts, len(domain.cell_grain))
    monkeypatch.setattr(partition_figures, "_partition", lambda *_: dealt)
    found = partition_figures.shared(domain, parts)

    corners = [set(corner) for corner in domain.mesh.geometry.dofmap.tolist()]
    seams = [0] * parts
    seen: list[set[int]] = [set() for _ in range(parts)]
    owner: dict[int, int] = {}
    for cell, rank in enumerate(dealt.tolist()):
        for dof in dofmap[cell].tolist():
            owner[dof] = min(rank, owner.get(dof, parts))
        for other, beside in enumerate(dealt.tolist()):
            if other == cell or (beside != rank and len(corners[cell] & corners[other]) == 3):
                seen[rank] |= set(dofmap[other].tolist())
            # A facet between two grains belongs to the rank of the first of its cells.
            grains = domain.cell_grain[[cell, other]]
            seams[rank] += bool(
                cell < other and grains[0] != grains[1] and len(corners[cell] & corners[other]) == 3
            )
    owned = [sum(1 for rank in owner.values() if rank == part) for part in range(parts)]
    ghosts = [sum(1 for dof in seen[part] if owner[dof] != part) for part in range(parts)]
    assert sum(owned) == model.state.space.dofmap.index_map.size_global == found["total"]
    assert found["unknowns"] == pytest.approx(max(owned) / np.mean(owned))
    assert (found["ghosts_mean"], found["ghosts_most"]) == (pytest.approx(np.mean(ghosts)), max(ghosts))
    assert found["ghost_share"] == pytest.approx(sum(ghosts) / sum(owned))
    assert found["neighbours_most"] == max(
        len({owner[dof] for dof in seen[part]} - {part}) for part in range(parts)
    )
    assert found["interface_facets"] == pytest.approx(max(seams) / np.mean(seams))
    assert found["cells"] == pytest.approx(np.bincount(dealt).max() * parts / len(dealt))


def test_the_partitioner_shares_cells_evenly() -> None:
    domain = block(MPI.COMM_SELF, count=4).domain
    found = partition_figures.shared(domain, 4)
    assert 1.0 <= found["cells"] < 1.2 and found["neighbours_most"] <= 3.0
    assert 0.0 < found["ghost_share"] < 2.0


def test_a_line_has_what_the_header_announces() -> None:
    row = {
        "linear": "iterative", "ranks": 2, "unknowns": 1000, "grains": 8, "krylov_mean": 12.5, "krylov_most": 14,
        "tangent_s": 0.01, "setup_s": 0.02, "solve_s": 0.03, "memory_mib": 10.0,
    }  # fmt: skip
    line = table_row(row)
    assert line == "| iterative | 2 | 1000 | 8 | 12.5, 14 | 10 | 20 | 30 | 10.2 |"
    assert line.count("|") == TABLE_HEADER.splitlines()[0].count("|")
    assert "in solve" in table_row({**row, "linear": "direct"})


def test_the_clock_still_counts_tangents_once_contacts_have_made_room() -> None:
    model = two_cubes(MPI.COMM_SELF)
    model.control("press").value = -0.01
    solver = NewtonSolver(model, SolverSettings(linear="iterative"))
    spent = _clock(solver)
    solved_step(model, solver, 1.0)
    assert solver.matrix is not solver._form_matrix
    assert all(seconds > 0.0 for seconds in spent.values())
