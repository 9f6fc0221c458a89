"""Room for MUMPS: where pivoting needs more of it than was estimated, a factorisation is given more and made again.

MUMPS plans its memory from the pattern of a matrix, with some room beyond (its ICNTL(14), in per cent). Pivots that are
put off, as they are where stiff interfaces stand beside loose grains, can need more; it then gives up. PETSc reports
that as a failed solve and leaves numbers that are not finite behind. On one rank room changes no bit of a solution;
several ranks share their work out by it.
"""

from __future__ import annotations

import itertools

from petsc4py import PETSc

from fem.errors import RunStopped

# What MUMPS says (INFOG(1), its user's guide) where ICNTL(14) was too small.
_SHORT = frozenset({-8, -9, -14, -17, -20})
# Per cent beyond the estimate: MUMPS's own, and what is tried after it.
_FIRST, _MORE = 20, (100, 500, 2500)
_KEY = "mat_mumps_icntl_14"
_SOLVES = itertools.count()


def is_short_of_room(preconditioner: PETSc.PC) -> bool:
    """Whether the last factorisation, if it was one of MUMPS's, was given up for want of room; the same on every rank.

    Args:
        preconditioner: That has been set up for a matrix.
    """
    kind = preconditioner.getType()
    if kind not in ("lu", "cholesky") or preconditioner.getFactorSolverType() != "mumps":
        return False
    return preconditioner.getFactorMatrix().getMumpsInfog(1) in _SHORT


def give_room(preconditioner: PETSc.PC) -> bool:
    """Give the next factorisations more room, and forget the last one; collective.

    Args:
        preconditioner: With an options prefix of its own, under which PETSc's options keep the room.

    Returns:
        False where it has had the most that is tried.
    """
    options = PETSc.Options(preconditioner.getOptionsPrefix())
    room = options.getInt(_KEY, _FIRST)
    more = [tried for tried in _MORE if tried > room]
    if not more:
        return False
    options[_KEY] = more[0]
    preconditioner.reset()
    return True


def set_up(preconditioner: PETSc.PC, matrix: PETSc.Mat) -> None:
    """Factorise a matrix, with as much room as it takes; collective.

    Args:
        preconditioner: With an options prefix of its own. Where it fails, what it is applied to is not finite.
        matrix: To be factorised.
    """
    preconditioner.setOperators(matrix)
    preconditioner.setUp()
    while is_short_of_room(preconditioner) and give_room(preconditioner):
        preconditioner.setOperators(matrix)
        preconditioner.setUp()


def solve(matrix: PETSc.Mat, right: PETSc.Vec, solution: PETSc.Vec) -> None:
    """Solve one linear system; collective.

    Raises:
        RunStopped: It cannot be solved.
    """
    prefix = f"swellbound_once_{next(_SOLVES)}_"
    factors = PETSc.PC().create(matrix.getComm())
    factors.setOptionsPrefix(prefix)
    factors.setType("lu")
    factors.setFactorSolverType("mumps")
    set_up(factors, matrix)
    said = factors.getFactorMatrix().getMumpsInfog(1)
    if said >= 0:
        factors.apply(right, solution)
    factors.destroy()
    PETSc.Options(prefix).delValue(_KEY)
    if said < 0:
        raise RunStopped(f"a linear system could not be solved: MUMPS ended with INFOG(1) = {said}")
