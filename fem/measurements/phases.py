"""Shares of graphite and silicon in the compounds that X-ray diffraction tells apart, by windows of lithiation.

Graphite is counted to the nearest compound: LiC6 (x = 1), LiC12 (1/2), LiC18 (1/3), and what is more dilute. The
windows end half-way between two compounds; below LiC18 the next stage that is seen as a line of its own is taken to
be LiC36 (1/6). Beside these, the lever rule shares LiC6 and LiC12 out between 1/2 and 1, as two coexisting phases do:
diffraction of particles that are partly through a plateau sees that. Silicon counts as Li15Si4 where its lithiation
(1 is Li3.75Si) is above 0.95: the crystalline phase appears close to the full compound only, and what fraction of such
silicon has crystallised the model does not know.
"""

from __future__ import annotations

import numpy as np

from fem.measurements.integrals import corner_lithiation, summed
from fem.model import ElectrodeModel

#: Lithiation above which graphite counts as LiC6, LiC12 and LiC18.
LIC6, LIC12, LIC18 = 0.75, 5.0 / 12.0, 0.25
#: Lithiation above which silicon counts as near Li15Si4.
LI15SI4 = 0.95


def measure(model: ElectrodeModel) -> dict[str, float]:
    """Shares by undeformed volume, which is the share of carbon or silicon atoms; collective, reads only.

    Returns:
        ``graphite_share_LiC6``, ``_LiC12``, ``_LiC18``, ``_dilute`` (sum one); ``graphite_lever_LiC6``,
        ``graphite_lever_LiC12``; ``silicon_share_Li15Si4``. Phases that the model has not got are left out.
    """
    x, share, cells = corner_lithiation(model)
    weight = np.broadcast_to(share[:, None], x.shape)
    names = np.array(model.domain.phases)[model.domain.cell_phase[cells]]
    bounds = {
        "LiC6": (LIC6, np.inf),
        "LiC12": (LIC12, LIC6),
        "LiC18": (LIC18, LIC12),
        "dilute": (-np.inf, LIC18),
    }
    local: dict[str, float] = {}
    graphite, silicon = names == "graphite", names == "silicon"
    for name, (low, high) in bounds.items():
        inside = (x > low) & (x <= high) & graphite[:, None]
        local[f"graphite_share_{name}"] = float(np.sum(weight[inside]))
    second = np.clip(2.0 * x - 1.0, 0.0, 1.0)
    first = np.where(x >= 0.5, 1.0 - second, np.clip(6.0 * x - 2.0, 0.0, 1.0))
    local["graphite_lever_LiC6"] = float(np.sum((weight * second)[graphite]))
    local["graphite_lever_LiC12"] = float(np.sum((weight * first)[graphite]))
    local["silicon_share_Li15Si4"] = float(np.sum(weight[(x > LI15SI4) & silicon[:, None]]))
    local["all_graphite"] = float(np.sum(weight[graphite]))
    local["all_silicon"] = float(np.sum(weight[silicon]))
    totals = summed(model, local)
    whole = {phase: totals.pop(f"all_{phase}") for phase in ("graphite", "silicon")}
    return {
        name: value / whole[name.split("_")[0]]
        for name, value in totals.items()
        if whole[name.split("_")[0]] > 0.0
    }
