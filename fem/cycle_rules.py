"""How every field of the state is extrapolated over cycles (fem/cycle_extrapolation.py), by its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """How a field is extrapolated.

    Attributes:
        grows: Whether it never falls.
        share: Whether it lies in [0, 1]; its scale is then one, else the root mean square of what it is.
        positive: Whether it is above zero.
        tensor: Whether it is a symmetric tensor of determinant one.
        least: Smallest scale; a flow strain below a thousandth is judged as if it were that.
        judged: Whether the length of a jump depends on it. Openings of broken interfaces and energies say nothing
            that damage does not say.
        settles: Whether a cycle leaves it where it belongs wherever it began: largest openings and the
            work they took, contacts. To the others a cycle adds something, and what a jump made wrong stays so unless
            it is corrected (fem/cycle_correction.py).
    """

    grows: bool = False
    share: bool = False
    positive: bool = False
    tensor: bool = False
    least: float = 1.0e-300
    judged: bool = True
    settles: bool = False


RULES = {
    "plastic_inverse": Rule(tensor=True, least=1.0e-3),
    "accumulated_flow_strain": Rule(grows=True, least=1.0e-3),
    "flow_resistance": Rule(positive=True),
    "largest_tension": Rule(grows=True, judged=False, settles=True),
    "largest_opening": Rule(grows=True, judged=False, settles=True),
    "interface_slip": Rule(grows=True, judged=False, settles=True),
    "interface_fatigue": Rule(grows=True, share=True),
    "interface_dissipated": Rule(grows=True, judged=False, settles=True),
    "interface_contact": Rule(share=True, settles=True),
    "interface_spent_plus": Rule(grows=True, share=True),
    "interface_spent_minus": Rule(grows=True, share=True),
    "bond": Rule(grows=True, share=True),
    "rest_slip_x": Rule(judged=False, settles=True),
    "rest_slip_y": Rule(judged=False, settles=True),
    "rest_slip_z": Rule(judged=False, settles=True),
    "exchange_share": Rule(share=True, judged=False, settles=True),
}
#: Fields that follow from others at the end of a step, or belong to a single step.
LEFT_ALONE = {
    "flow_increment", "flow_modulus", "contact_pressure", "stabilisation", "stabilisation_force", "paired_contact",
    "released",
}  # fmt: skip
