"""What dry pre-lithiation has done: lithium given and left grain by grain, and the void where metal used to be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fem.domain import cell_volumes
from fem.gaps import Gaps
from fem.materials.base import Reservoir
from fem.measurements.integrals import summed, vacancies
from fem.model import ElectrodeModel


def measure(model: ElectrodeModel) -> dict[str, float]:
    """Lithium metal, grain by grain; collective, reads only.

    Returns:
        ``lithium_left`` and ``lithium_consumed`` as shares of the metal at the start, ``lithium_left_fmol`` and
        ``lithium_consumed_fmol`` (per µm of depth in 2D); for every grain NAME ``left_NAME``, the share of its lithium
        that is left; ``void_at_lithium_um2``: void opened at the interfaces of lithium grains with anything else, and
        ``lithium_removed_um2``: how much area (volume in 3D) the metal has lost; ``vacancies_um2``: what of it is holes
        inside its grains. All zero or absent without metal.
    """
    domain, state = model.domain, model.state
    phases = [m.phase for _, m in model.phase_ids(Reservoir)]
    grains = [number for number, grain in enumerate(domain.grains) if grain.phase in phases]
    volumes = cell_volumes(domain)
    grain = domain.cell_grain[: len(volumes)]
    starts = {m.phase: float(x) for m, x in zip(model.materials, model.start, strict=True)}
    local: dict[str, float] = {}
    for number in grains:
        cells = np.flatnonzero(grain == number)
        dofs = state.dofs.cell_concentration[cells]
        held = state.unknowns.x.array[dofs].mean(axis=1) if len(cells) else np.empty(0)
        full = model.capacity_of_node[dofs].mean(axis=1) if len(cells) else np.empty(0)
        name = domain.grains[number].name
        local[f"held/{name}"] = float(volumes[cells] @ held)
        local[f"began/{name}"] = float(volumes[cells] @ full) * starts[domain.grains[number].phase]
        local[f"volume/{name}"] = float(np.sum(volumes[cells]))
    local["void"] = _void(model, np.isin(np.arange(len(domain.grains)), grains))
    local["vacancies"] = vacancies(model)
    totals = summed(model, local)
    held, began = (
        sum(v for k, v in totals.items() if k.startswith(f"{part}/")) for part in ("held", "began")
    )
    found = {
        "lithium_left": held / began if began > 0.0 else 0.0,
        "lithium_consumed": 1.0 - held / began if began > 0.0 else 0.0,
        "lithium_left_fmol": held,
        "lithium_consumed_fmol": began - held,
        "void_at_lithium_um2": totals["void"],
        "lithium_removed_um2": 0.0,
        "vacancies_um2": totals["vacancies"],
    }
    for number in grains:
        name = domain.grains[number].name
        share = totals[f"held/{name}"] / totals[f"began/{name}"]
        found[f"left_{name}"] = share
        found["lithium_removed_um2"] += totals[f"volume/{name}"] * (1.0 - share)
    return found


def _void(model: ElectrodeModel, metal: npt.NDArray[np.bool_]) -> float:
    """This rank's void at interfaces between metal and anything else in µm² (µm³ in 3D)."""
    pairs = model.domain.cell_grain[model.interfaces.quadruples[:, [0, 2]]]
    chosen = metal[pairs[:, 0]] != metal[pairs[:, 1]] if len(pairs) else np.empty(0, dtype=bool)
    return float(np.sum(Gaps(model).voids(model.state.unknowns.x.array)[chosen]))
