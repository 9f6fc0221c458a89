"""Fatigue after Roe and Siegmund (2003, 10.1016/S0013-7944(02)00034-6): sub-critical cycles damage an interface.

    Ḋ_c = |Λ̇| / δ_Σ ⟨T / σ_now - C_f⟩

with the effective opening Λ, the traction T over the strength σ_now that is left, the accumulation length δ_Σ and the
endurance ratio C_f. Tractions are (1 - D_c) times those of the law without fatigue, and so is the strength, so that
T / σ_now does not depend on D_c. Total damage is 1 - (1 - D)(1 - D_c).

D_c is updated at the end of a step (explicitly). Within a step it is constant: the tangent, and with it Newton's
method, is that of the law without fatigue, and the error is that of one step's increment, a small part of a cycle's, in
a sum over many cycles. The integral over a step is exact for a ratio T / σ_now that is linear in Λ, whether the step
crosses the endurance limit or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

_NOTHING = 1.0e-30


@dataclass(frozen=True)
class FatigueParameters:
    """UFL values on a facet.

    Attributes:
        rate: 1 / δ_Σ in 1/µm, zero where cycles do no harm.
        endurance: C_f.
    """

    rate: Any
    endurance: Any

    def grown(self, damage: Any, start: Any, end: Any, overload_start: Any, overload_end: Any) -> Any:
        """D_c at the end of a step.

        Args:
            damage: D_c at its beginning.
            start: Effective opening at the beginning in µm.
            end: The same at the end.
            overload_start: T / σ_now at the beginning.
            overload_end: The same at the end.
        """
        first, last = overload_start - self.endurance, overload_end - self.endurance
        above = ufl.max_value(first, 0.0) + ufl.max_value(last, 0.0)
        # Mean of the positive part of what goes linearly from ``first`` to ``last``.
        mean = 0.5 * above**2 / (abs(first) + abs(last) + _NOTHING)
        return ufl.min_value(damage + self.rate * abs(end - start) * mean, 1.0)
