"""Checkpoints: keyed by the mesh file, so that the partition does not matter; refused when anything is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from mpi4py import MPI

from fem import checkpoint_file, compat
from fem.checkpoint import Checkpoint, StateKeeper
from fem.errors import CheckpointError
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, SolverSettings
from fem.stepping import Stepper, StepSettings
from tests.quarters import WITH_METAL, quarters
from tests.readings import set_displacement
from tests.small import Array, solved_step
from tests.solid_contact import slider as solid_slider
from tests.verification.test_bar import bar
from tests.verification.test_rejected_step import assert_same, electrode, everything
from tests.verification.test_surface_contact import SETTINGS as SLIDING
from tests.verification.test_surface_contact import slider

# The chemical potential is some -100 pJ/fmol here, so that 1e-9 is as far as rounding lets it converge.
SETTINGS = SolverSettings(
    force_tolerance=1e-9, lithium_tolerance=1e-12, potential_tolerance=1e-9, displacement_tolerance=1e-7
)
CUTS = ["default", "seam on the interfaces", "cell by cell"]


def fill(model: ElectrodeModel) -> None:
    """Give every field values that are known functions of the place, and of the grain."""
    state, dimension = model.state, model.domain.dimension
    point = ufl.SpatialCoordinate(model.domain.mesh)
    weights = ufl.as_vector([0.3, -0.7, 1.1][:dimension])
    linear = 1.0 + ufl.dot(weights, point)
    for grain in range(len(model.domain.grains)):
        set_displacement(
            model,
            lambda x, g=grain: np.array([(k + 1) * x[0] * x[-1] + x[1] ** 2 + g for k in range(dimension)]),
            grain,
        )
    for field in (1, 2):
        state.unknowns.sub(field).interpolate(lambda x, f=field: f + x[0] - 2.0 * x[dimension - 1])
    state.unknowns.x.scatter_forward()
    for number, (name, function) in enumerate(state.functions().items()):
        space = function.function_space
        if name in ("previous", "expected", "stabilisation_force"):
            function.x.array[:] = 3.0 * state.unknowns.x.array
        elif space is model.facet_history.space or space is model.facet_constants.space:
            facets = model.facet_history if space is model.facet_history.space else model.facet_constants
            value = linear * (number + 1) if facets is model.facet_history else number + 0.5
            facets.update(function, facets.projection(value * ufl.dot(model.normal("+"), model.normal("+"))))
        elif name != "unknowns":
            value = linear * (number + 1)
            size = function.function_space.dofmap.bs
            shape = value if size == 1 else ufl.as_vector([value * (k + 1) for k in range(size)])
            points = compat.interpolation_points(space.element)
            compat.interpolate_expression(function, dfem.Expression(shape, points))
    state.time, state.steps = 12.5, 7
    model.control("pull").value = 0.125


def assert_close(one: ElectrodeModel, other: ElectrodeModel) -> None:
    for name, function in one.state.functions().items():
        found = other.state.functions()[name].x.array
        assert np.any(found != 0.0) or not found.size, name
        np.testing.assert_allclose(function.x.array, found, rtol=1e-12, atol=1e-12, err_msg=name)
    assert (one.state.time, one.state.steps) == (other.state.time, other.state.steps)


@pytest.mark.parallel(partition="cut")
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("dimension", [2, 3])
def test_any_number_of_ranks_reads_what_any_other_wrote(
    comm: MPI.Intracomm, dimension: int, cut: str
) -> None:
    alone, together = bar(MPI.COMM_SELF, dimension, "default"), bar(comm, dimension, cut)
    fill(alone)
    by_one = StateKeeper(alone).capture({"rate": 2.0 * alone.state.unknowns.x.array})
    assert by_one is not None
    keeper = StateKeeper(together)
    nodal = keeper.restore(by_one if comm.rank == 0 else None)
    assert together.control("pull").value == 0.125
    assert np.array_equal(nodal["rate"], 2.0 * together.state.unknowns.x.array)
    by_all = keeper.capture()
    if by_all is not None:
        for name in by_all.tables:
            if not name.startswith("facet"):
                assert np.array_equal(by_all.tables[name], by_one.tables[name]), name
        again = bar(MPI.COMM_SELF, dimension, "default")
        StateKeeper(again).restore(by_all)
        assert_close(again, alone)

    # On the same partition, for a partitioner need not deal the cells out twice in the same way.
    read = together.state.snapshot()
    fill(together)
    for name, function in together.state.functions().items():
        found = read.arrays[name]
        assert np.any(found != 0.0) or not found.size, name
        np.testing.assert_allclose(function.x.array, found, rtol=1e-12, atol=1e-12, err_msg=name)
    assert (read.time, read.steps) == (together.state.time, together.state.steps)


@pytest.mark.parallel
def test_the_next_steps_are_the_same_bit_for_bit(comm: MPI.Intracomm) -> None:
    owner = (np.arange(64) // 22).astype(
        np.int32
    )  # a partitioner need not deal the cells out twice in the same way
    model = electrode(comm, owner)
    solver = NewtonSolver(model, SETTINGS)
    stepper = Stepper(model, solver, StepSettings(first=5.0))
    for _ in range(3):
        stepper.advance(20.0)
    numbers, nodal = stepper.memory()
    content = StateKeeper(model).capture(nodal)
    # Contacts have made room in the matrix, which no checkpoint holds.
    solver.forget()
    stored = None if content is None else checkpoint_file.to_bytes(content)

    second = electrode(comm, owner)
    after = Stepper(second, NewtonSolver(second, SETTINGS), StepSettings(first=5.0))
    kept = StateKeeper(second).restore(None if stored is None else checkpoint_file.from_bytes(stored))
    after.recall(numbers, kept)
    assert_same(model.state.snapshot(), second.state.snapshot())
    assert after.next_dt == stepper.next_dt
    for _ in range(2):
        again, first = after.advance(20.0).dt, stepper.advance(20.0).dt
        # The factorisation on several ranks sums in an order of its own each time.
        assert again == first if comm.size == 1 else again == pytest.approx(first, rel=1e-9)
    for name, array in everything(model).items():
        if comm.size == 1:
            assert np.array_equal(array, everything(second)[name]), name
        else:
            np.testing.assert_allclose(everything(second)[name], array, rtol=1e-7, atol=1e-9, err_msg=name)


def test_nothing_of_the_state_is_left_out() -> None:
    model = quarters(MPI.COMM_SELF, WITH_METAL)
    state = model.state
    assert state.memory.keys() == {"contact"}
    # Written before they are read, whenever they are used.
    scratch = {"trial", "next_plastic_inverse"}
    own = {name: f for name, f in vars(state).items() if isinstance(f, dfem.Function) and name not in scratch}
    listed = list(state.functions().values())
    assert [name for name, function in own.items() if function not in listed] == []
    assert [name for name, function in state.memory.items() if function not in listed] == []
    assert {"contact_offset", "contact_pressure", "contact_grain"} <= set(state.replicated)
    content = StateKeeper(model).capture()
    assert content is not None
    saved = {name.partition("/")[2] for name in content.tables if "/" in name}
    assert saved == {function.name for function in listed} | set(state.replicated)


@pytest.mark.parametrize(("make", "pull"), [(slider, 0.025), (solid_slider, 0.1)], ids=["section", "solid"])
def test_sliding_goes_on_bit_for_bit(make: Callable[[MPI.Intracomm], ElectrodeModel], pull: float) -> None:
    """Contact found by search remembers pressures and partners; half of the facets have been handed over."""
    ends = []
    stored: bytes | None = None
    for interrupted in (False, True):
        model = make(MPI.COMM_SELF)
        solver = NewtonSolver(model, SLIDING)
        for number in range(6):
            if interrupted and number < 4:
                continue
            if interrupted and number == 4:
                assert stored is not None
                StateKeeper(model).restore(checkpoint_file.from_bytes(stored))
            if number == 4:
                solver.forget()
            model.control("press").value, model.control("pull").value = -0.01, pull * number
            solved_step(model, solver, 1.0)
            if number == 3:
                share = model.facet_constants.values(model.state.paired)
                assert 0.0 < np.mean(share) < 1.0
                captured = StateKeeper(model).capture()
                assert captured is not None
                stored = checkpoint_file.to_bytes(captured)
        assert np.any(model.state.replicated["contact_pressure"] > 0.0)
        ends.append(model.state.snapshot())
    assert_same(*ends)
    # A step that is taken back leaves no trace in it.
    model.control("pull").value = 8.0 * pull
    solved_step(model, solver, 1.0)
    assert np.any(model.state.replicated["contact_offset"] != ends[1].replicated["contact_offset"])
    model.state.restore(ends[1])
    assert_same(ends[1], model.state.snapshot())


@pytest.fixture
def content() -> bytes:
    """A small checkpoint as bytes."""
    table: Any = np.arange(600.0).reshape(100, 6)
    numbers = {"time": 1.5, "steps": 3, "controls": {"pressure": 1.0}}
    return checkpoint_file.to_bytes(
        Checkpoint({"mesh": "a", "case": "b"}, numbers, {"cells/unknowns": table})
    )


def test_the_file_holds_what_was_put_in(content: bytes) -> None:
    found = checkpoint_file.from_bytes(content)
    assert found.identity == {"mesh": "a", "case": "b"}
    assert found.numbers["time"] == 1.5
    table: Array = found.tables["cells/unknowns"]
    assert np.array_equal(table, np.arange(600.0).reshape(100, 6))
    assert checkpoint_file.to_bytes(found) == content


def test_any_truncation_is_noticed(content: bytes) -> None:
    for length in (0, 1, 100, 511, 512, 513, len(content) // 2, len(content) - 1):
        with pytest.raises(CheckpointError, match=r"truncated|no checkpoint"):
            checkpoint_file.from_bytes(content[:length])
    with pytest.raises(CheckpointError, match="truncated"):
        checkpoint_file.from_bytes(content + b"x")


def test_any_flipped_bit_is_noticed(content: bytes) -> None:
    said = content.index(b"\n")
    places = [*range(said), *np.random.default_rng(5).integers(512, len(content), 300).tolist()]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(CheckpointError):
            checkpoint_file.from_bytes(bytes(damaged))


def test_another_version_is_refused_by_name(content: bytes) -> None:
    old = content.replace(b"swellbound-checkpoint/1", b"swellbound-checkpoint/0", 1)
    with pytest.raises(CheckpointError, match=r"has format swellbound-checkpoint/0.*reads .*/1"):
        checkpoint_file.from_bytes(old)


@pytest.mark.parallel
def test_another_mesh_is_refused_and_the_model_untouched(comm: MPI.Intracomm) -> None:
    model = bar(comm, 2, "default")
    keeper = StateKeeper(model)
    fill(model)
    saved, before = keeper.capture(), model.state.snapshot()
    foreign = None if saved is None else Checkpoint({"mesh": "sha256:0"}, saved.numbers, saved.tables)
    with pytest.raises(CheckpointError, match="another mesh"):
        keeper.restore(foreign)
    poorer = None
    if saved is not None:
        tables = {name: table for name, table in saved.tables.items() if name != "facets/largest_opening"}
        poorer = Checkpoint(saved.identity, saved.numbers, tables)
    with pytest.raises(CheckpointError, match="no field 'largest_opening'"):
        keeper.restore(poorer)
    assert_same(before, model.state.snapshot())


@pytest.mark.parallel
def test_the_fingerprint_sees_grains_and_coordinates_but_not_the_partition(comm: MPI.Intracomm) -> None:
    alone = StateKeeper(bar(MPI.COMM_SELF, 2, "default")).mesh
    assert StateKeeper(bar(comm, 2, "cell by cell")).mesh == alone
    moved = bar(comm, 2, "default")
    moved.domain.mesh.geometry.x[:, 0] *= 1.0 + 1e-12
    assert StateKeeper(moved).mesh != alone
    regrouped = bar(comm, 2, "default")
    regrouped.domain.cell_grain[:] = 2 - regrouped.domain.cell_grain
    assert StateKeeper(regrouped).mesh != alone
