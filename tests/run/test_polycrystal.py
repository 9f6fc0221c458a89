"""The cohesive polycrystal gives the answers of its table, on any number of ranks and with any number of steps."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from rich.console import Console

from run.benchmark_polycrystal import REFERENCE, Run, comparison, run_polycrystal
from run.plain_elasticity import PlainElasticity
from run.polycrystal import Point, Pull, polycrystal, polycrystal_model
from tests.alone import alone


def pulled(comm: MPI.Intracomm, steps: int, last: int) -> list[Point]:
    """The first steps of a pull."""
    return list(Pull(polycrystal_model(polycrystal(comm)), steps).points(last))


def test_mesh_is_that_of_the_yardstick(comm: MPI.Intracomm) -> None:
    domain = polycrystal(comm)
    model = polycrystal_model(domain)
    assert domain.mesh.topology.index_map(2).size_global == 11988
    assert len(domain.grains) == 100 and len(model.interfaces.facets) == 1211
    assert model.state.space.dofmap.index_map.size_global == 14884


def test_force_is_that_of_the_table() -> None:
    points = pulled(MPI.COMM_SELF, 65, 16)
    assert points[-1].stretch == pytest.approx(REFERENCE["force_at"])
    assert points[-1].force == pytest.approx(REFERENCE["force"], rel=1e-4)
    assert sum(point.iterations for point in points) < 50
    # Nothing has broken at first: the force is proportional, and the work half of force times stretch.
    first = points[4]
    assert first.force == pytest.approx(5.0 * points[0].force, rel=2e-5)
    assert first.work == pytest.approx(0.5 * first.force * first.stretch, rel=1e-5)


@pytest.mark.parallel(min_ranks=2)
def test_same_work_on_any_number_of_ranks(comm: MPI.Intracomm) -> None:
    together, single = pulled(comm, 13, 3), alone(comm, "pulled", lambda self: pulled(self, 13, 3))
    for ours, expected in zip(together, single, strict=True):
        assert ours.force == pytest.approx(expected.force, rel=1e-10)
        assert ours.work == pytest.approx(expected.work, rel=1e-10)
    assert together[-1].force < 0.95 * 3.0 * together[0].force  # boundaries have begun to open


def test_plain_solve_is_that_of_a_clamped_square() -> None:
    domain = polycrystal(MPI.COMM_SELF)
    plain = PlainElasticity(domain)
    assert plain.dofs == 2 * 6132
    assert min(plain.solve()) > 0.0
    # Between uniaxial stress and uniaxial strain, both in plane strain.
    force, nu = plain.force(), 0.3
    assert 1.0 / (1.0 - nu**2) < force < (1.0 - nu) / ((1.0 + nu) * (1.0 - 2.0 * nu))


def test_table_shows_figures_and_aims() -> None:
    run = dict.fromkeys(
        (
            "seconds",
            "processor_s",
            "setup_s",
            "residual_s",
            "jacobian_s",
            "solve_s",
            "plain_ms",
            "plain_again_ms",
        ),
        1.25,
    )
    run |= {"ranks": 2, "steps": 65, "work": 2.8945e-4, "force": 1.08107e-2, "newton_iterations": 137}
    run |= {
        "dofs": 14884,
        "plain_dofs": 12264,
        "plain_solves": 77.0,
        "plain_again_solves": 99.0,
        "plain_solves_processor": 88.0,
        "memory_mib": 1,
    }
    text = io.StringIO()
    Console(width=120, file=text).print(comparison({"runs": [run]}))
    for part in ("2 ranks, 65 steps", "2.89450e-04", "1.08107e-02", "137", "under 202", "150 or less", "77"):
        assert part in text.getvalue()


@pytest.mark.slow
def test_benchmark_with_twice_as_many_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "polycrystal.json"
    assert run_polycrystal(out, [Run(1, 65), Run(2, 130)]) == 0
    runs = json.loads(out.read_text())["runs"]
    np.testing.assert_allclose([run["work"] for run in runs], REFERENCE["work"], rtol=1e-3)
    assert runs[0]["newton_iterations"] < REFERENCE["newton_iterations"]
    assert "130 steps" in capsys.readouterr().out
