"""Porosity of the electrode as it is now: what is left of the meshed pores, void at interfaces, and vacancies.

All are areas of the deformed section (volumes in 3D) over thickness times width. In a pressed electrode the first
shrinks: pores close by flow and sliding of the grains around them. The second grows where interfaces have let go, the
third where grains of lithium metal have been emptied.
"""

from __future__ import annotations

import numpy as np

from fem.domain import cell_volumes
from fem.measurements.integrals import shape, summed
from fem.model import ElectrodeModel
from fem.thickness import electrode_phases


def measure(model: ElectrodeModel) -> dict[str, float]:
    """Porosity and its parts; collective, and reads only.

    Returns:
        ``porosity``: pores, void and vacancies together; ``porosity_of_pores``; ``porosity_of_void``;
        ``porosity_of_vacancies``; ``porosity_undeformed``; ``thickness_um``; ``pore_volume_ratio``: deformed over
        undeformed volume of the pores (1 without pores).
    """
    now = shape(model)
    pores = [m.phase for m in model.materials if not m.solid]
    held = sum(now.of_phase[name] for name in electrode_phases(model.domain.phases) if name in pores)
    before = _undeformed(model, pores)
    box = model.domain.box
    original = box["thickness"] * now.width
    return {
        "porosity": (held + now.void + now.vacancies) / now.volume,
        "porosity_of_pores": held / now.volume,
        "porosity_of_void": now.void / now.volume,
        "porosity_of_vacancies": now.vacancies / now.volume,
        "porosity_undeformed": before / original if original > 0.0 else 0.0,
        "pore_volume_ratio": held / before if before > 0.0 else 1.0,
        "thickness_um": now.thickness,
    }


def _undeformed(model: ElectrodeModel, phases: list[str]) -> float:
    """Undeformed volume of some phases in µm³ (µm² in 2D)."""
    domain = model.domain
    volumes = cell_volumes(domain)
    wanted = np.isin(np.array(domain.phases)[domain.cell_phase[: len(volumes)]], phases)
    return summed(model, {"volume": float(np.sum(volumes[wanted]))})["volume"]
