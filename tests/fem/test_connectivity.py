"""Grains that are cut off: two by two grains between foil and electrolyte, whose contacts are opened one by one."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.connectivity import Connectivity
from fem.materials.base import Elasticity, Material
from fem.model import ElectrodeModel
from tests.cells import electrolyte
from tests.small import grid, host, law, mesh_of, midpoints, model_on, p, sides

WIDTH, ROW, LIMIT, OPEN = 4.0, 1.5, 0.05, 0.25
FOIL, LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT, UPPER_RIGHT, STRIP = range(6)
START = 0.4
AREA = 0.5 * WIDTH * ROW


def between_foil_and_strip(comm: MPI.Intracomm) -> ElectrodeModel:
    """Foil, two rows of two grains, electrolyte; each row of the grid is ``ROW`` high."""
    points, cells = grid(4, 4, WIDTH, 4 * ROW)
    mesh = mesh_of(comm, points, cells)
    x, y = midpoints(mesh)[:, :2].T
    row, right = (y / ROW).astype(int), (x > 0.5 * WIDTH).astype(int)
    grain = np.select([row == 0, row == 1, row == 2], [FOIL, 1 + right, 3 + right], STRIP).astype(np.int32)
    phases = ["copper", "alpha", "alpha", "alpha", "alpha", "electrolyte"]
    copper = Material("copper", Elasticity(p(120e3), p(0.0), p(0.34)))
    passing, closed = law(exchange_resistance=30.0, open_exchange=OPEN), law(open_exchange=OPEN)
    return model_on(
        mesh,
        sides(WIDTH, 4 * ROW),
        [copper, host("alpha"), electrolyte()],
        grain=grain,
        phases=phases,
        laws={"alpha|alpha": passing, "alpha|electrolyte": passing, "alpha|copper": closed},
        start={"alpha": START},
    )


def opened(model: ElectrodeModel, contacts: list[tuple[int, int]], held: float) -> None:
    """Let the contacts between pairs of grains hold only a share; all others hold in full."""
    pairs = model.domain.cell_grain[model.interfaces.quadruples[:, [0, 2]]]
    share = np.ones(len(pairs))
    for one, other in contacts:
        share[(pairs == one).any(axis=1) & (pairs == other).any(axis=1)] = held
    field = model.facet_history
    field.set_values(model.state.exchange_share, OPEN + (1.0 - OPEN) * share)


LEFT_FACE, RIGHT_FACE = (UPPER_LEFT, STRIP), (UPPER_RIGHT, STRIP)
LEFT_DOWN, RIGHT_DOWN = (LOWER_LEFT, UPPER_LEFT), (LOWER_RIGHT, UPPER_RIGHT)
LEFT_FOIL, RIGHT_FOIL = (LOWER_LEFT, FOIL), (LOWER_RIGHT, FOIL)
UPPER, LOWER = (UPPER_LEFT, UPPER_RIGHT), (LOWER_LEFT, LOWER_RIGHT)


@pytest.mark.parallel
@pytest.mark.parametrize(
    ("contacts", "without_ions", "without_electrons"),
    [
        ([], set(), set()),
        ([LEFT_FACE], set(), set()),
        ([LEFT_FACE, UPPER, LEFT_DOWN], {UPPER_LEFT}, {UPPER_LEFT}),
        ([LEFT_FACE, UPPER], set(), set()),
        ([LEFT_DOWN, RIGHT_DOWN], {LOWER_LEFT, LOWER_RIGHT}, {UPPER_LEFT, UPPER_RIGHT}),
        ([LEFT_FOIL, RIGHT_FOIL], set(), {LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT, UPPER_RIGHT}),
        ([LEFT_FOIL, LOWER, LEFT_DOWN], {LOWER_LEFT}, {LOWER_LEFT}),
        # The strip leads ions from one grain to the other, but no electrons.
        ([LEFT_FOIL, LOWER, UPPER], set(), {LOWER_LEFT, UPPER_LEFT}),
        # The foil leads electrons from one grain to the other, but no ions.
        ([LOWER, LEFT_DOWN], {LOWER_LEFT}, set()),
    ],
    ids=[
        "whole",
        "detour",
        "alone",
        "from below",
        "rows",
        "off the foil",
        "corner",
        "by the strip",
        "by the foil",
    ],
)
def test_who_is_cut_off_and_what_it_holds(
    comm: MPI.Intracomm, contacts: list[tuple[int, int]], without_ions: set[int], without_electrons: set[int]
) -> None:
    model = between_foil_and_strip(comm)
    opened(model, contacts, 0.9 * LIMIT)
    found = Connectivity(model).find(LIMIT)
    assert set(np.flatnonzero(found.storing & ~found.ionic)) == without_ions
    assert set(np.flatnonzero(found.storing & ~found.electronic)) == without_electrons
    cut_off = without_ions | without_electrons
    assert set(np.flatnonzero(found.cut_off)) == cut_off
    assert found.trapped == pytest.approx(len(cut_off) * AREA * START * 31.36, rel=1e-12)
    # A little more than the limit connects.
    opened(model, contacts, 1.1 * LIMIT)
    assert Connectivity(model).find(LIMIT).trapped == 0.0
