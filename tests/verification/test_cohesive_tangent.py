"""Gate 6 for every interface law: the Jacobian against finite differences, and several laws in one model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from mpi4py import MPI

from fem import compat
from fem.interfaces.law import InterfaceLaw
from fem.interfaces.pairs import kind_name
from fem.model import ElectrodeModel
from tests.readings import residual, set_displacement, tangent_along
from tests.separation import NORMAL, TANGENT, elastic, pair
from tests.separation_laws import LAWS, RATIO, STRENGTH
from tests.small import Array, grid, law, mesh_of, midpoints, model_on, sides

#: Openings (normal, tangential) per final opening of the law: the largest so far, and the present one.
REGIMES: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "closed": ((0.0, 0.0), (0.0, 0.0)),
    "first opening": ((0.0, 0.0), (2e-4, 3e-4)),
    "damaging": ((0.05, 0.1), (0.2, 0.3)),
    "damaging in opening": ((0.0, 0.0), (0.3, 0.0)),
    "damaging in shear": ((0.0, 0.0), (0.0, 0.3)),
    "unloading": ((0.3, 0.3), (0.1, 0.2)),
    "compression": ((0.0, 0.0), (-1e-3, 0.0)),
    "compression and sliding": ((0.1, 0.1), (-1e-3, 0.3)),
    "broken": ((1.5, 1.5), (1.6, 1.7)),
}


@cache
def prepared(name: str) -> ElectrodeModel:
    """A model of each law, built once; soft blocks, so that the interface carries most of the change."""
    return pair(MPI.COMM_SELF, LAWS[name].law, youngs_modulus=2.0e4)


def opened(model: ElectrodeModel, opening: Array) -> None:
    """Move the upper block, and strain both a little, so that not every point of the interface is the same."""
    shift = opening[0] * NORMAL + opening[1] * TANGENT
    for grain in (0, 1):
        set_displacement(
            model,
            lambda x, g=grain: np.stack([g * shift[k] * (1.0 + 0.1 * (x[0] + k * x[1])) for k in range(2)]),
            grain,
        )


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", LAWS)
def test_jacobian_against_finite_differences(name: str, regime: str) -> None:
    model, reference = prepared(name), LAWS[name]
    start = model.state.snapshot()
    try:
        before, now = (np.array(opening) * reference.final for opening in REGIMES[regime])
        model.prepare_step(1.0)
        opened(model, before)
        model.commit()
        opened(model, now)
        values, rng = model.state.unknowns.x.array, np.random.default_rng(3)
        base = values.copy()
        # Whole blocks are moved most of all. Where the interface is exactly closed only a one-sided derivative exists:
        # there the blocks are pushed together.
        opened(model, np.array([-1.0, 0.2]) if regime == "closed" else rng.standard_normal(2))
        direction = values.copy()
        if regime != "closed":
            direction += 0.05 * rng.standard_normal(len(direction))
        size = 1e-3 * max(float(np.abs(now).max()), 1e-5)
        values[:] = base
        predicted = tangent_along(model, direction)
        errors = []
        for h in (size, 0.1 * size, 0.01 * size):
            values[:] = base + h * direction
            above = residual(model)
            values[:] = base - (0.0 if regime == "closed" else h) * direction
            difference = (above - residual(model)) / (h if regime == "closed" else 2.0 * h)
            errors.append(np.linalg.norm(difference - predicted) / np.linalg.norm(predicted))
        assert min(errors) < 1e-6
    finally:
        model.state.restore(start)


def test_at_exactly_zero_opening_nothing_is_undefined() -> None:
    """Residual and Jacobian of every law without any motion: zero, and finite."""
    for name in LAWS:
        model = prepared(name)
        model.prepare_step(1.0)
        assert np.all(residual(model) == 0.0)
        matrix = compat.create_matrix(model.jacobian_form)
        compat.assemble_matrix(matrix, model.jacobian_form)
        assert np.all(np.isfinite(matrix.getValuesCSR()[2]))


NAMES = ("bilinear", "exponential, power", "ppr, tough in shear", "bilinear, Benzeggagh-Kenane")


def stack(laws: Mapping[str, InterfaceLaw]) -> ElectrodeModel:
    """Five layers one above the other, each pair with an interface of its own kind."""
    mesh = mesh_of(MPI.COMM_SELF, *grid(1, 5, 1.0, 5.0))
    grain = np.floor(midpoints(mesh)[:, 1]).astype(np.int32)
    phases = ["alpha", "beta", "delta", "gamma", "zeta"]
    kinds = {kind_name(a, b): law() for a in phases for b in phases}
    return model_on(
        mesh,
        sides(1.0, 5.0),
        [elastic(phase, 1.0e4) for phase in phases],
        grain=grain,
        phases=phases,
        laws=kinds | dict(laws),
    )


def test_several_laws_in_one_model() -> None:
    """Each kind of interface answers as it does alone in a model, and remembers as it does."""
    phases = ["alpha", "beta", "delta", "gamma", "zeta"]
    kinds = [kind_name(a, b) for a, b in pairwise(phases)]
    together = stack({kind: LAWS[name].law for kind, name in zip(kinds, NAMES, strict=True)})
    assert set(together.cohesive.laws) == {"bilinear", "exponential", "ppr"}
    path = np.array([[2e-3, 1e-3], [1e-2, -1e-2], [3e-3, -2e-3]])
    for number, name in enumerate(NAMES):
        alone = stack(dict.fromkeys(kinds, LAWS[name].law))
        start = together.state.snapshot()
        for opening in path:
            forces = []
            for model in (together, alone):
                model.prepare_step(1.0)
                for grain in range(5):
                    shift = opening * (grain > number)
                    set_displacement(model, lambda x, s=shift: s[::-1, None] * np.ones_like(x[:1]), grain)
                upper = np.asarray(model.state.dofs.cell_displacement)[model.domain.cell_grain > number]
                forces.append([float(np.sum(residual(model)[np.unique(upper[..., k])])) for k in range(2)])
                model.commit()
            np.testing.assert_allclose(forces[0], forces[1], rtol=1e-9, atol=1e-9 * STRENGTH * RATIO)
            assert np.linalg.norm(forces[0]) > 0.01
            assert together.mean_damage() == pytest.approx(alone.mean_damage(), rel=1e-7)
        together.state.restore(start)


@pytest.mark.parametrize("name", LAWS)
def test_swapping_the_sides_changes_nothing(name: str) -> None:
    """'+' and '-' exchanged: forces and all that is remembered to rounding, along a path round every corner."""
    corners = [(0.0, 0.0), (0.1, 0.0), (0.1, 0.3), (-1e-3, 0.2), (0.05, -0.4), (0.5, 0.1), (0.0, 0.0)]
    path = np.array(
        [(1 - s) * np.array(a) + s * np.array(b) for a, b in pairwise(corners) for s in (0.5, 1.0)]
    )
    answers = []
    for swapped in (False, True):
        model = pair(MPI.COMM_SELF, LAWS[name].law, youngs_modulus=1.0, swapped=swapped)
        upper = np.unique(model.state.dofs.cell_displacement[model.domain.cell_grain == 1])
        spaces = {name: model.facet_history.value(field) for name, field in model.state.memory.items()}
        remembered = {
            name: model.facet_constants.projection(value)
            for name, value in {"opening": model.history_value.opening, **spaces}.items()
        }
        found = []
        for opening in path * LAWS[name].final:
            model.prepare_step(1.0)
            shift = opening[0] * NORMAL + opening[1] * TANGENT
            for grain in (0, 1):
                set_displacement(model, lambda x, s=grain * shift: s[:, None] * np.ones_like(x[:1]), grain)
            force = np.sum(residual(model)[upper])
            model.commit()
            memory = [model.facet_constants.integrals(form)[0] for form in remembered.values()]
            found.append([force, model.mean_damage(), *memory])
        answers.append(np.array(found))
    scale = np.abs(answers[0]).max(axis=0)
    assert np.all(scale > 0.0)
    assert np.max(np.abs(answers[0] - answers[1]) / scale) < 1e-12


def test_only_what_occurs_is_compiled() -> None:
    """The default law has no memory but κ, no mode mixture and no choice between laws."""
    plain = prepared("bilinear")
    assert list(plain.cohesive.laws) == ["bilinear"] and not plain.cohesive.chosen
    assert plain.cohesive.mixture is None and plain.cohesive.fatigue is None and not plain.state.memory
    assert not plain.cohesive.remembers_path
    potential = prepared("ppr, tough in shear")
    assert list(potential.cohesive.laws) == ["ppr"] and set(potential.state.memory) == {"slip", "dissipated"}
    smooth = prepared("exponential, power")
    assert list(smooth.cohesive.laws) == ["exponential"] and set(smooth.state.memory) == {"dissipated"}
