"""When an iteration of Newton's method goes on with the tangent of the one before (a chord step)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fem.solver_settings import SolverSettings

Norms = tuple[float, float, float]


class KeptTangent:
    """Keeps a tangent while it serves.

    Newton's method squares what is left; with the tangent of the iteration before, what is left falls by about the
    factor that it fell by last. Where that is a small one, near the end of a solve, assembling and factorising a
    tangent anew buys little. Where contact or bonds change state in between, the imbalance does not fall as it
    should, and the next iteration has its own tangent again.

    Args:
        settings: The solver's settings.
    """

    def __init__(self, settings: SolverSettings):
        tolerances = settings.force_tolerance, settings.lithium_tolerance, settings.potential_tolerance
        # A symmetric tangent moves prescribed values to the right-hand side as it is made.
        self._share = 0.0 if settings.symmetric else settings.kept_tangent
        self._tolerances = np.array(tolerances)
        self._last: npt.NDArray[np.float64] | None = None

    def reset(self) -> None:
        """A new solve begins."""
        self._last = None

    def serves(self, norms: Norms, taken: float) -> bool:
        """Whether the tangent of the last iteration serves for the next one; the same on every rank.

        Args:
            norms: Largest imbalance of every field now (see :class:`fem.convergence.Convergence`).
            taken: Share of the last update that was taken.
        """
        last, self._last = self._last, np.array(norms)
        if last is None or taken < 1.0:
            return False
        return bool(np.all((self._last < self._share * last) | (self._last <= self._tolerances)))
