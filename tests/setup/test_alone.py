"""What one rank finds is worked out once, kept where a folder is named, and a failure is everybody's."""

import os

import pytest

from setup.check import ALONE
from tests.alone import alone


@pytest.mark.parallel
def test_the_first_rank_works_it_out_for_all(comm, monkeypatch):
    monkeypatch.delenv(ALONE, raising=False)
    calls = []

    def compute(self):
        calls.append(self.size)
        return {"ranks": self.size, "by": os.getpid()}

    found = alone(comm, "answer", compute)
    assert calls == ([1] if comm.rank == 0 else [])
    assert found["ranks"] == 1 and comm.allgather(found) == [found] * comm.size
    alone(comm, "answer", compute)
    assert len(calls) == (2 if comm.rank == 0 else 0), "without a folder nothing is kept"


@pytest.mark.parallel
def test_with_a_folder_it_is_worked_out_once(comm, folder, monkeypatch):
    monkeypatch.setenv(ALONE, str(folder))
    assert alone(comm, "one", lambda self: [1.0, 0.1 + 0.2]) == [1.0, 0.1 + 0.2]
    comm.Barrier()
    assert alone(comm, "one", lambda self: pytest.fail("again")) == [1.0, 0.1 + 0.2]
    assert alone(comm, "other", lambda self: 2) == 2
    comm.Barrier()
    assert sorted(os.listdir(folder)) == [f"{__name__}.one.pickle", f"{__name__}.other.pickle"]


@pytest.mark.parallel
def test_what_fails_on_the_first_rank_fails_on_all(comm, folder, monkeypatch):
    monkeypatch.setenv(ALONE, str(folder))

    def compute(self):
        raise ValueError("no equilibrium")

    with pytest.raises((ValueError, AssertionError), match="no equilibrium"):
        alone(comm, "bad", compute)
    comm.Barrier()
    assert os.listdir(folder) == []
