"""How likely particles are to have cracked: weakest-link probability and stress intensity of a stated flaw.

Both go by the largest principal Cauchy stress every point has seen so far (fem/tension.py), so they never fall.

* After Weibull (1951, 10.1115/1.4010337) a grain survives with probability exp(-H), with
  H = ∫ (⟨σ1 - σu⟩ / σ0)^m dV / V0 over its undeformed volume. A section stands for grains as deep as they are wide:
  their depth is the diameter of the circle of the same area.
* K_I / K_IC = Y σ1 √(π a) / K_IC, with a flaw of the stated size a at every point, or of the grain's diameter where
  that is smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from fem.domain import cell_volumes
from fem.materials.base import Brittleness
from fem.model import ElectrodeModel
from fem.tension import Tension

Array = npt.NDArray[np.float64]

NUMBERS = ("crack_probability", "cracked_grains", "stress_intensity_ratio")
"""What is said of every phase: probability that any of its grains has cracked, expected share of its grains that
have, and largest K_I / K_IC."""


@dataclass(frozen=True)
class GrainRisk:
    """Risk of every grain of the domain, zero where it is not judged; the same on every rank.

    Attributes:
        hazard: H, so that the probability of cracking is 1 - exp(-H), shape (grains,).
        intensity: Largest K_I / K_IC, shape (grains,).
    """

    hazard: Array
    intensity: Array

    @property
    def probability(self) -> Array:
        """Probability that a grain has cracked, shape (grains,)."""
        return np.asarray(-np.expm1(-self.hazard))


class CrackRisk:
    """Judges the grains of a model.

    All methods are collective unless said otherwise.

    Args:
        model: The coupled model.

    Attributes:
        phases: Names of the phases that are judged.
        columns: Names of the numbers of :meth:`row`, in order.
        diameter: Of the circle of a grain's area, or the sphere of its volume, in µm, shape (grains,).
    """

    def __init__(self, model: ElectrodeModel):
        self._model, domain = model, model.domain
        self._tension: Tension = model.tension
        cells = self._tension.cells[: self._tension.owned]
        self._grain = domain.cell_grain[cells]
        volumes = cell_volumes(domain)
        held = np.bincount(
            domain.cell_grain[: len(volumes)], weights=volumes, minlength=len(domain.grains)
        ).astype(np.float64)
        size = _reduced(model, held, MPI.SUM)
        if domain.dimension == 2:
            self.diameter: Array = 2.0 * np.sqrt(size / np.pi)
            depth = self.diameter
        else:
            self.diameter = np.cbrt(6.0 * size / np.pi)
            depth = np.ones_like(size)
        _, weights = model.state.largest_tension.function_space.ufl_element().custom_quadrature()
        self._weights = (volumes[cells] * depth[self._grain])[:, None] * (weights / weights.sum())
        laws = {m.phase: m.fracture for m in model.materials if m.fracture is not None}
        self.phases = tuple(laws)
        self.columns = tuple(f"{name}_{phase}" for phase in laws for name in NUMBERS)
        of_grain = [laws.get(grain.phase) for grain in domain.grains]
        self._grains = {
            phase: np.flatnonzero([grain.phase == phase for grain in domain.grains]) for phase in laws
        }
        self._table = np.array([_numbers(law, d) for law, d in zip(of_grain, self.diameter, strict=True)])

    def grains(self) -> GrainRisk:
        """Risk of every grain by what it has seen so far, the present state included."""
        tension = self._tension.largest()[: len(self._grain)]
        modulus, strength, threshold, volume, factor = self._table[self._grain].T[:, :, None]
        density = (np.maximum(tension - threshold, 0.0) / strength) ** modulus / volume
        count = len(self._model.domain.grains)
        hazard = np.bincount(
            self._grain, weights=np.sum(density * self._weights, axis=1), minlength=count
        ).astype(np.float64)
        intensity = np.zeros(count)
        np.maximum.at(intensity, self._grain, np.max(factor * tension, axis=1, initial=0.0))
        return GrainRisk(_reduced(self._model, hazard, MPI.SUM), _reduced(self._model, intensity, MPI.MAX))

    def row(self) -> dict[str, float]:
        """The :data:`NUMBERS` of every phase, ``NUMBER_PHASE``."""
        risk, row = self.grains(), {}
        for phase, grains in self._grains.items():
            row[f"crack_probability_{phase}"] = float(-np.expm1(-np.sum(risk.hazard[grains])))
            row[f"cracked_grains_{phase}"] = float(np.mean(risk.probability[grains]))
            row[f"stress_intensity_ratio_{phase}"] = float(np.max(risk.intensity[grains]))
        return row

    def cell_intensity(self) -> Array:
        """Largest K_I / K_IC in every owned cell (zero where it is not judged), shape (cells,); not collective."""
        domain = self._model.domain
        values = np.zeros(domain.mesh.topology.index_map(domain.dimension).size_local)
        cells = self._tension.cells[: self._tension.owned]
        tension = self._tension.largest()[: len(cells)]
        values[cells] = self._table[self._grain, 4] * np.max(tension, axis=1, initial=0.0)
        return values


def _numbers(law: Brittleness | None, diameter: float) -> list[float]:
    """Weibull modulus, strength, threshold, reference volume, and K_I / K_IC per MPa of a grain."""
    if law is None:
        return [1.0, 1.0, 0.0, 1.0, 0.0]
    flaw = min(law.flaw_size.value, diameter)
    return [
        law.weibull_modulus.value,
        law.characteristic_strength.value,
        law.threshold_stress.value,
        law.reference_volume.value,
        law.geometry_factor.value * float(np.sqrt(np.pi * flaw)) / law.toughness.value,
    ]


def _reduced(model: ElectrodeModel, values: Array, operation: MPI.Op) -> Array:
    total = np.empty_like(values)
    model.comm.Allreduce(values, total, op=operation)
    return total
