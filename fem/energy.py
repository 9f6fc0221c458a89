"""Where the energy of a step goes: done on the electrode, stored, and dissipated.

Of the bulk law, per reference volume and with Ψ = J_c ψe the elastic energy, P : dF + µ_m dc = dΨ + J_c σ̄ f dε, where
µ_m = ∂Ψ/∂c is the mechanical part of the chemical potential and f = 1 + O(elastic strain) the exact power of the
flow rule (see :func:`flow_power`). The interfaces take T · dδ = dψ_s + ½ K δ² dD, with δ the effective opening.
In equilibrium the external work is the sum of both, so over a run

    external + chemical = (stored - stored at the start) + plastic + fracture + viscous + friction + stabilisation
                          + unresolved - turning.

Work over a step is evaluated by the trapezoidal rule, with the forces that were in equilibrium at both ends
(fem/contact_forces.py): those of friction, of the stabilisation of snapping grains (fem/stepping.py) and of contact
follow other laws in the next step than in the last, and what has been held back is set free in the step that follows.
For what has no energy, friction and stabilisation, that work is what is dissipated. For what has one the rule is exact
where the force goes straight from one end to the other: in the bulk to some 1e-4 of the work. Bonds that soften and
contacts that open and close do not; the difference to what they really take up is measured along the way, from the
forces and neither from an energy nor from the balance (fem/unresolved_work.py). With it stands what the stored energy
changes by between two steps, when contacts are handed over and searched anew. In a snap ``unresolved`` is energy that
inertia or viscosity would have taken, elsewhere an error of the rule of either sign; it falls with the step.
What the balance leaves over then is the error of all these figures: of the forces and energies, of Newton's method, and
of the bulk.
"""

from __future__ import annotations

from typing import Any

import basix
import numpy as np
import ufl
from dolfinx import fem as dfem

from fem import balances, compat, constitutive, kinematics
from fem.facet_geometry import Array
from fem.interfaces import cohesive, contact, debonding, dissipation
from fem.interfaces.step import InterfaceStep
from fem.model import ElectrodeModel
from fem.swelling import vacancies
from fem.unresolved_work import UnresolvedWork

_BULK = ("volume_change", "bulk_energy", "chemical_work", "plastic_dissipation", "vacancies")
_ASSEMBLED = (
    "bond_energy",
    "contact_energy",
    "contact_at_start",
    "fracture_dissipation",
    "viscous_dissipation",
)
_INTERFACE = ("interface_energy", *_ASSEMBLED, *UnresolvedWork.names, "stabilisation_dissipation")
# Keeps the division by |dev b̄e|² finite in a stress-free body.
_STRESS_FREE = 1.0e-30


class BulkEnergy:
    """Volume change and energies of the cells over the step that has just converged.

    Args:
        model: The coupled model.
        volumes: Undeformed volume of every owned cell, shape (owned cells,).
    """

    def __init__(self, model: ElectrodeModel, volumes: Array):
        mesh, state, dimension = model.domain.mesh, model.state, model.domain.dimension
        self._mesh, self._names = mesh, model.domain.phases
        self._cells = np.arange(len(volumes), dtype=np.int32)
        self._phase = model.domain.cell_phase[: len(volumes)]
        now, fields, before = model.bulk, model.fields, model.previous_fields
        # Before history is committed, Cp⁻¹ is still that of the beginning: the law there is exact without flow.
        plastic, increment = (state.plastic_inverse, 0.0) if model.flows else (None, None)
        then = balances.law(before, plastic, increment, model.coefficients, dimension)
        power = 0.5 * (flow_power(now, state.increment) + flow_power(then, 0.0)) if model.flows else 0.0
        lithium = balances.lithiation(fields.concentration, model.coefficients)
        chemical = 0.5 * (now.mechanical_potential + then.mechanical_potential)
        expression = ufl.as_vector(
            [
                ufl.det(now.deformation) - 1.0,
                now.elastic_energy,
                chemical * (fields.concentration - before.concentration),
                power * state.increment,
                vacancies(lithium, now.deformation, model.coefficients),
            ]
        )
        points = compat.interpolation_points(state.increment.function_space.element)
        _, weights = basix.make_quadrature(
            getattr(basix.CellType, mesh.basix_cell().name), state.quadrature_degree
        )
        self._weights = volumes[:, None] * (weights / weights.sum())
        self._shape = (len(volumes), len(points), len(_BULK))
        self._expression = dfem.Expression(expression, points, jit_options=compat.jit_options())

    def evaluate(self) -> tuple[dict[str, float], float]:
        """This rank's sums, and its smallest det F.

        Returns:
            ``volume_change_PHASE``, and what of it is ``vacancies`` in sites of metal, in µm³; ``bulk_energy``,
            ``chemical_work`` and ``plastic_dissipation`` in pJ; all per µm of depth in 2D. And the smallest det F at a
            quadrature point.
        """
        values = np.asarray(self._expression.eval(self._mesh, self._cells)).reshape(self._shape)
        change = np.bincount(
            self._phase, weights=np.sum(values[..., 0] * self._weights, axis=1), minlength=len(self._names)
        )
        sums = {f"volume_change_{name}": float(change[number]) for number, name in enumerate(self._names)}
        for number, name in enumerate(_BULK[1:], start=1):
            sums[name] = float(np.sum(values[..., number] * self._weights))
        return sums, 1.0 + float(np.min(values[..., 0], initial=np.inf))


def flow_power(law: constitutive.BulkLaw, increment: Any) -> Any:
    """Power of flow per unit of flow strain and reference volume in MPa: J_c σ̄ f.

    Box 9.1 of Simo and Hughes changes dev b̄e by -2 ξ dγ n and here ξ = ⅓ tr b̄e follows from det b̄e = 1; the energy
    3/2 G ξ set free at fixed F is then σ̄ dε times f = (1 - 3 det a / (ξ |a|²)) / (1 - |a|² / (6 ξ²)), a = dev b̄e.
    """
    equivalent = law.equivalent_trial - law.triple_shear * increment
    tensor = law.elastic_isochoric
    third = ufl.tr(tensor) / 3.0
    strain = constitutive.deviator(tensor)
    square = ufl.inner(strain, strain)
    factor = (1.0 - 3.0 * ufl.det(strain) / (third * square + _STRESS_FREE)) / (
        1.0 - square / (6.0 * third**2)
    )
    carried = equivalent if law.carrying is None else law.carrying * equivalent
    return law.swelling_ratio * carried * factor


class InterfaceEnergy:
    """Energies of the interfaces and their damage at the end of the step that has just converged.

    Args:
        model: The coupled model, with at least one interface in the whole mesh.
    """

    names = _INTERFACE

    def __init__(self, model: ElectrodeModel):
        parameters = model.cohesive
        opening = model.stretch(model.fields.displacement)
        normal = kinematics.rotated_normal(model.fields.displacement, model.normal)
        start = model.stretch(model.previous_fields.displacement)
        start_normal = kinematics.rotated_normal(model.previous_fields.displacement, model.normal)
        history = model.history_value
        grown = cohesive.grown_history(opening, normal, history, parameters, model.dt)
        step = InterfaceStep(start, start_normal, opening, normal, history, grown, parameters)
        fracture = dissipation.fracture_dissipation(grown, parameters)
        if parameters.remembers_path:
            fracture += dissipation.fracture_step(step)
        values = ufl.as_vector(
            [
                cohesive.stored_energy(opening, normal, grown, parameters),
                0.0,
                0.0,
                fracture,
                dissipation.viscous_dissipation(step),
            ]
        )
        space = dfem.functionspace(model.domain.mesh, ("DG", 0, (len(_ASSEMBLED),)))
        tests = ufl.TestFunction(space)
        form = ufl.dot(values, tests("+")) * model.dS
        for name, fields, direction in (
            ("contact_energy", model.fields, normal),
            ("contact_at_start", model.previous_fields, start_normal),
        ):
            test = tests[_ASSEMBLED.index(name)]
            form += _pressed(model, fields.displacement, direction) * test("+") * model.contact_dS
            if model.side_contact is not None:
                form += model.side_contact.energy(fields.displacement, test)
        self._form = dfem.form(form, jit_options=compat.jit_options())
        self._facets = model.facet_constants
        self._model, self._unresolved = model, UnresolvedWork(model)
        self._damage = self._facets.projection(cohesive.damage(grown, parameters))
        self._debonded = self._facets.projection(debonding.debonded_share(grown, parameters))

    def sums(self) -> dict[str, float]:
        """This rank's energies in pJ, per µm of depth in 2D.

        Stored at the end of the step, by contact alone as well, and by contact at the beginning by the law of the step;
        dissipated by fracture since the beginning of all steps, and by viscosity and stabilisation in the step; and
        what :class:`fem.unresolved_work.UnresolvedWork` says.
        """
        per_cell = dfem.assemble_vector(self._form).array.reshape(-1, len(_ASSEMBLED))
        sums = dict(zip(_ASSEMBLED, per_cell.sum(axis=0).tolist(), strict=True))
        sums |= self._unresolved.sums()
        sums["interface_energy"] = sums["bond_energy"] + sums["contact_energy"]
        sums["stabilisation_dissipation"] = self._model.stabilisation.work()
        searched = searched_contact(self._model)
        return {name: sums[name] + searched.get(name, 0.0) for name in _INTERFACE}

    def damage(self) -> Array:
        """Damage integrated over every owned interface facet in µm (2D), shape (facets,)."""
        return self._facets.integrals(self._damage)

    def debonded(self) -> Array:
        """Debonded share integrated over every owned interface facet in µm (2D), shape (facets,)."""
        return self._facets.integrals(self._debonded)


def searched_contact(model: ElectrodeModel) -> dict[str, float]:
    """This rank's share of the energies of contact found by search in pJ, per µm of depth; collective.

    Bodies that share no interface can meet as well.
    """
    if model.surface_contact is None:
        return {}
    stored, at_start, on_the_way = model.surface_contact.energies()
    if model.comm.rank > 0:  # every rank has them in full
        return {}
    return {
        "interface_energy": stored,
        "contact_energy": stored,
        "contact_at_start": at_start,
        "contact_path": on_the_way,
    }


def _pressed(model: ElectrodeModel, displacement: Any, normal: Any) -> Any:
    """Energy in J/m² that contact of paired facets stores (UFL)."""
    opening = balances.interface_opening(displacement)
    return contact.contact_energy(opening, normal, model.cohesive.contact)
