"""What is left of the versions of DOLFINx: the cache of compiled forms after a kill."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dolfinx.jit
import numpy as np
import pytest
import ufl
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fem import compat


def aged(path: Path, seconds: float) -> Path:
    """Make a file that was last written so long ago."""
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_only_compiles_that_nobody_finishes_are_forgotten(tmp_path: Path) -> None:
    old = 2.0 * compat.JIT_TIMEOUT
    abandoned = aged(tmp_path / "libffcx_forms_1.c", old)
    finished, running = aged(tmp_path / "libffcx_forms_2.c", old), aged(tmp_path / "libffcx_forms_3.c", 5.0)
    aged(tmp_path / "libffcx_forms_2.c.cached", old)
    foreign = aged(tmp_path / "notes.c", old)
    assert compat.forget_abandoned_compiles(tmp_path) == 1
    assert not abandoned.exists()
    assert finished.exists() and running.exists() and foreign.exists()
    assert compat.forget_abandoned_compiles(tmp_path / "not there yet") == 0


def test_a_form_whose_compile_was_killed_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the form compiler itself leaves when it is killed at once: an empty C file."""
    mesh = dmesh.create_unit_square(MPI.COMM_SELF, 1, 1)
    expression = ufl.SpatialCoordinate(mesh)[0] ** 3 * ufl.dx
    options = {"cache_dir": str(tmp_path), "timeout": 1}
    dfem.form(expression, jit_options=options)
    [source] = tmp_path.glob("libffcx_*.c")
    for file in tmp_path.iterdir():
        file.unlink()
    aged(source, 2.0 * compat.JIT_TIMEOUT)
    monkeypatch.setattr(dolfinx.jit, "get_options", lambda *_: {"cache_dir": tmp_path})
    compat.forget_abandoned_compiles.cache_clear()
    compat.forget_abandoned_compiles()
    monkeypatch.undo()
    value = dfem.assemble_scalar(dfem.form(expression, jit_options=options))
    assert np.isclose(value, 0.25)


def test_the_flags_of_the_compiler_can_be_chosen_and_debug_information_is_never_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(compat.FORM_FLAGS, raising=False)
    assert compat.jit_options()["cffi_extra_compile_args"] == ["-O2", "-g0"]
    monkeypatch.setenv(compat.FORM_FLAGS, "-O3 -march=native")
    assert compat.jit_options()["cffi_extra_compile_args"] == ["-O3", "-march=native", "-g0"]
