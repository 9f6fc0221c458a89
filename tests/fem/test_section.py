"""Where an adhesion test pulls: depths count from the electrode's upper face, whatever lies below the foil's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from fem import domain
from fem.loads import Support
from fem.materials.library import COPPER, ELECTROLYTE, GRAPHITE
from fem.model import ElectrodeModel
from fem.section import section_at_depth
from tests.small import TEMPERATURE, grid, law, mesh_of, midpoints, sides

FOIL, LAYER, WIDTH = 2.0, 2.0, 3.0


def stack(comm: MPI.Intracomm) -> ElectrodeModel:
    """Foil below zero, two layers of graphite, electrolyte, as meshes of ours have them."""
    points, cells = grid(3, 8, WIDTH, FOIL + 3.0 * LAYER)
    mesh = mesh_of(comm, points - [0.0, FOIL], cells)
    layer = ((midpoints(mesh)[:, 1] + FOIL) // LAYER).astype(np.int32)
    where = domain.from_arrays(
        mesh,
        layer,
        ["copper", "graphite", "graphite", "electrolyte"],
        sides(WIDTH, 3.0 * LAYER),
        box={"width": WIDTH, "thickness": 2.0 * LAYER, "foil": FOIL, "electrolyte": LAYER},
    )
    parts = {
        m.phase: replace(m, lithium=None, swelling=None, flow=None) for m in (COPPER, GRAPHITE, ELECTROLYTE)
    }
    kinds = ("copper|graphite", "graphite|graphite", "electrolyte|graphite")
    return ElectrodeModel(where, parts, dict.fromkeys(kinds, law()), [Support("left", 0)], TEMPERATURE)


@pytest.mark.parallel
@pytest.mark.parametrize(
    ("depth", "below"), [(0.5, [True, True, True, False]), (2.0, [True, True, False, False])]
)
def test_depth_counts_from_the_upper_face(comm: MPI.Intracomm, depth: float, below: list[bool]) -> None:
    section = section_at_depth(stack(comm), depth)
    np.testing.assert_array_equal(section.below, below)
    assert section.area == pytest.approx(WIDTH)
