"""Gate 2 for the terminals: current, voltage, side products and lithium of a cell do not depend on the partition."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from fem.counter_electrode import LithiumMetal
from fem.solver import NewtonSolver
from tests.alone import alone
from tests.cells import TIGHT, Books, cell, face, face_values, parameter, step, terminal_of, whole
from tests.small import Array


def answer(comm: MPI.Intracomm, cut: str | None) -> Array:
    """Voltage, current, charge and books after a current, a voltage and a rest."""
    laws = {
        "alpha|electrolyte": face(5.0, decomposition_onset=0.8, decomposition_current=4.0),
        "electrolyte|silicon": face(0.3, decomposition_onset=0.8, oxide_charge=0.01),
        "alpha|silicon": whole(exchange_resistance=300.0, oxide_charge=0.01),
    }
    counter = LithiumMetal(parameter(3.0))
    model = cell(comm, laws, counter=counter, separator_resistance=1e-3, start=0.4, cut=cut)
    terminal, solver, books = terminal_of(model), NewtonSolver(model, TIGHT), Books(model)
    found = []
    terminal.control_current(25.0)
    for phase in range(3):
        step(model, solver, 40.0)
        found += [terminal.voltage, 1.0 + terminal.current, terminal.charge, *books.now().values()]
        assert np.ptp(face_values(model)) == 0.0
        if phase == 0:
            terminal.control_potential(0.62)
        else:
            terminal.control_current(0.0)
    return np.array(found)


@pytest.mark.parallel(min_ranks=2)
@pytest.mark.parametrize("cut", ["seam on the face", "cell by cell"])
def test_same_answer_as_on_one_rank(comm: MPI.Intracomm, cut: str | None) -> None:
    single = alone(comm, "answer", lambda self: answer(self, None))
    assert np.ptp(single[::7]) > 0.01
    np.testing.assert_allclose(answer(comm, cut), single, rtol=1e-10)
