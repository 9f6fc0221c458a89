"""The coupled model: a domain, its materials, interfaces and loads, compiled once into residual and Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from mpi4py import MPI
from ufl.algorithms.apply_algebra_lowering import apply_algebra_lowering
from ufl.algorithms.apply_derivatives import apply_derivatives

from fem import balances, compat, kinematics
from fem.coefficients import tabulate
from fem.constitutive import updated_plastic_inverse
from fem.domain import Domain
from fem.errors import ParameterError, StepFailed
from fem.interfaces import cohesive, contact, exchange
from fem.interfaces.facet_fields import HISTORY_DEGREE, FacetSpace, interface_measure
from fem.interfaces.law import InterfaceLaw
from fem.interfaces.pairs import find_interfaces
from fem.loads import LithiumInflux, Load, Prescribed, Pressure, Source, Support
from fem.materials.base import Conductor, Host, Material, Reservoir
from fem.materials.flow import flow_table, hardened_drag, solve_increment
from fem.materials.open_circuit import lithiation_at
from fem.state import BULK_QUADRATURE_DEGREE, State
from fem.units import FARADAY

_INTERFACE_TAG = 1


@dataclass(frozen=True)
class Constraint:
    """Prescribed dofs: owned local indices and where their values come from."""

    dofs: npt.NDArray[np.int32]
    values: Any  # a DOLFINx Constant, or an array of the same length refreshed by ``prepare_step``


class ElectrodeModel:
    """Coupled lithium diffusion, finite-strain swelling, flow and interfaces on a mesh of grains.

    Args:
        domain: Mesh and grains.
        materials: Material of each phase by name.
        laws: Interface law of each kind by name.
        loads: Supports, pressure, influx, sources.
        temperature: In K.
        start_voltage: Voltage against lithium with which all hosts are in equilibrium at the start, in V.
        initial_lithiation: Lithiation of phases that start elsewhere.
        relaxation_ratio: Damage follows the opening over the interfaces' relaxation time plus this many steps. It
            vanishes with the step, and what it dissipates is reported with the viscous dissipation.
        displacement_degree: Polynomial degree of the displacement. Linear displacement locks where plastic flow
            keeps the volume; it serves comparisons with codes that have nothing else.

    Raises:
        ParameterError: A phase or an interface kind of the mesh has no material or law.
    """

    def __init__(
        self,
        domain: Domain,
        materials: Mapping[str, Material],
        laws: Mapping[str, InterfaceLaw],
        loads: Sequence[Load],
        temperature: float,
        start_voltage: float = 1.2,
        initial_lithiation: Mapping[str, float] | None = None,
        relaxation_ratio: float = 0.0,
        displacement_degree: int = 2,
    ):
        self.domain, self.loads, self.temperature = domain, tuple(loads), temperature
        self.comm: MPI.Intracomm = domain.mesh.comm
        self.relaxation_ratio = relaxation_ratio
        self._refreshers: list[Callable[[], None]] = []
        missing = [phase for phase in domain.phases if phase not in materials]
        if missing:
            raise ParameterError(
                "materials", missing, f"given for every phase of the mesh {list(domain.phases)}"
            )
        self.materials = [materials[phase] for phase in domain.phases]
        self.start = np.array(
            [self._start_of(m, start_voltage, initial_lithiation or {}) for m in self.materials],
            dtype=np.float64,
        )
        self.coefficients = tabulate(domain, self.materials, self.start)
        self.interfaces = find_interfaces(domain)
        missing = [kind for kind in self.interfaces.kinds if kind not in laws]
        if missing:
            raise ParameterError(
                "interfaces", missing, f"given for every kind of the mesh {self.interfaces.kinds}"
            )
        self.laws = [laws[kind] for kind in self.interfaces.kinds]
        mesh = domain.mesh
        self.dS = interface_measure(domain, self.interfaces, _INTERFACE_TAG)
        self.facet_constants = FacetSpace(domain, self.interfaces, self.dS, 1)
        self.facet_history = FacetSpace(domain, self.interfaces, self.dS, HISTORY_DEGREE[domain.dimension])
        self.state = State(domain, self.facet_history, self.facet_constants, displacement_degree)
        self.dt = dfem.Constant(mesh, 1.0)
        self.controls: dict[str, dfem.Constant] = {"zero": dfem.Constant(mesh, 0.0)}
        cells = np.arange(len(domain.cell_phase), dtype=np.int32)
        tags = dmesh.meshtags(mesh, domain.dimension, cells, domain.cell_phase + 1)
        self.measures = balances.Measures(
            ufl.Measure(
                "dx", domain=mesh, subdomain_data=tags, metadata={"quadrature_degree": BULK_QUADRATURE_DEGREE}
            ),
            ufl.Measure(
                "dx",
                domain=mesh,
                subdomain_data=tags,
                metadata={"quadrature_rule": "vertex", "quadrature_degree": 1},
            ),
            self.dS,
            ufl.Measure("ds", domain=mesh, subdomain_data=domain.boundaries),
        )
        self.flow = flow_table(domain.cell_phase[self.state.point_cells], self.materials, temperature)
        self._set_initial_state()
        self._set_facet_parameters()
        self._build_forms()
        self.constraints = self._build_constraints()
        self._tabulate_nodes()
        self.commit_exchange()

    # ------------------------------------------------------------------ declaration

    @staticmethod
    def _start_of(material: Material, voltage: float, given: Mapping[str, float]) -> float:
        if isinstance(material.lithium, Reservoir):
            return given.get(material.phase, 1.0)
        if not isinstance(material.lithium, Host):
            return 0.0
        if material.phase in given:
            return given[material.phase]
        try:
            return lithiation_at(material.lithium.curve, voltage)
        except ValueError as error:
            raise ParameterError("start_voltage", voltage, f"reached by {material.phase}: {error}") from error

    def phase_ids(self, wanted: type) -> list[tuple[int, Material]]:
        """Measure ids and materials of the phases with a given part in the lithium balance."""
        return [(n + 1, m) for n, m in enumerate(self.materials) if isinstance(m.lithium, wanted)]

    def control(self, name: str) -> dfem.Constant:
        """The constant behind a load's control, created on first use."""
        if name not in self.controls:
            self.controls[name] = dfem.Constant(self.domain.mesh, 0.0)
        return self.controls[name]

    def _set_initial_state(self) -> None:
        state = self.state
        scale = np.array([self._scale(m) for m in self.materials])
        concentration = self.start * scale
        potential = np.array(
            [
                float(-m.lithium.curve.voltage(x, exp=np.exp, tanh=np.tanh))
                if isinstance(m.lithium, Host)
                else 0.0
                for m, x in zip(self.materials, self.start, strict=True)
            ]
        )
        conductor = potential.min() if potential.min() < 0.0 else 0.0
        for index, material in enumerate(self.materials):
            if isinstance(material.lithium, Conductor):
                potential[index] = conductor
        phase = self.domain.cell_phase
        array = state.unknowns.x.array
        array[state.space.sub(1).dofmap.list] = concentration[phase][:, None]
        array[state.space.sub(2).dofmap.list] = FARADAY * potential[phase][:, None]
        state.unknowns.x.scatter_forward()
        state.previous.x.array[:] = array
        state.drag.x.array[:] = self.flow.initial_drag

    @staticmethod
    def _scale(material: Material) -> float:
        if isinstance(material.lithium, Host):
            return material.lithium.maximum_concentration.value
        return material.lithium.concentration.value if isinstance(material.lithium, Reservoir) else 1.0

    def _facet_constant(self, name: str, per_kind: Sequence[float]) -> Any:
        values = np.asarray(per_kind, dtype=np.float64)
        field = self.facet_constants.constant(
            name, values[self.interfaces.kind] if len(values) else np.empty(0, dtype=np.float64)
        )
        return self.facet_constants.value(field)

    def _set_facet_parameters(self) -> None:
        onset, final, breakable = [], [], []
        for kind, law in zip(self.interfaces.kinds, self.laws, strict=True):
            if law.strength is None or law.fracture_energy is None:
                onset.append(1.0)
                final.append(2.0)
                breakable.append(0.0)
                continue
            begin = law.strength.value / law.stiffness.value
            end = 2.0 * law.fracture_energy.value / law.strength.value
            if end <= begin:
                raise ParameterError(
                    f"interfaces.{kind}.fracture_energy",
                    law.fracture_energy.value,
                    f"above strength²/(2 stiffness) = {0.5 * begin * law.strength.value:.3g} J/m^2",
                )
            onset.append(begin)
            final.append(end)
            breakable.append(1.0)
        self.relaxation_time = max((law.relaxation_time.value for law in self.laws), default=0.0)
        self.relaxation = dfem.Constant(self.domain.mesh, self.relaxation_time)
        self.cohesive = cohesive.CohesiveParameters(
            stiffness=self._facet_constant("stiffness", [law.stiffness.value for law in self.laws]),
            contact_stiffness=self._facet_constant(
                "contact_stiffness", [law.contact_stiffness.value for law in self.laws]
            ),
            residual_stiffness=self._facet_constant(
                "residual_stiffness", [law.residual_stiffness.value for law in self.laws]
            ),
            shear_ratio=self._facet_constant("shear_ratio", [law.shear_ratio.value for law in self.laws]),
            onset_opening=self._facet_constant("onset_opening", onset),
            final_opening=self._facet_constant("final_opening", final),
            breakable=self._facet_constant("breakable", breakable),
            relaxation_time=self.relaxation,
        )
        self.open_exchange = self._facet_constant(
            "open_exchange", [law.open_exchange.value for law in self.laws]
        )
        self.friction = self._facet_constant("friction", [law.friction.value for law in self.laws])
        self.conductance = self._facet_constant(
            "conductance", [1.0 / law.exchange_resistance.value for law in self.laws]
        )
        self.contact_reference = dfem.Constant(
            self.domain.mesh, min((law.contact_pressure.value for law in self.laws), default=1.0)
        )

    # ------------------------------------------------------------------ forms

    def _build_forms(self) -> None:
        state, mesh, dimension = self.state, self.domain.mesh, self.domain.dimension
        coefficients, measures = self.coefficients, self.measures
        self.fields = balances.split(state.unknowns)
        self.previous_fields = balances.split(state.previous)
        test = balances.split(ufl.TestFunction(state.space))
        trial = ufl.TrialFunction(state.space)
        self.normal = ufl.FacetNormal(mesh)
        self.bulk = balances.law(self.fields, state.plastic_inverse, state.increment, coefficients, dimension)
        self.history_value = self.facet_history.value(state.largest_opening)
        share = self.facet_history.value(state.exchange_share)

        residual = balances.momentum(self.bulk, self.fields, test, coefficients, dimension, measures.bulk)
        for index, material in self.phase_ids(Host):
            residual += balances.host_lithium(
                material.lithium.curve,  # type: ignore[union-attr]
                self.fields,
                self.previous_fields,
                test,
                self.bulk,
                coefficients,
                self.dt,
                dimension,
                measures,
                index,
            )
        for index, _ in self.phase_ids(Reservoir):
            residual += balances.metal_lithium(
                self.fields, self.previous_fields, test, self.bulk, coefficients, self.dt, measures, index
            )
        for index, _ in self.phase_ids(Conductor):
            residual += balances.conductor_lithium(self.fields, test, coefficients, self.dt, measures, index)
        for index, _ in self.phase_ids(type(None)):
            residual += balances.no_lithium(self.fields, test, measures, index)
        if self.interfaces.kinds:
            residual += balances.interface_work(
                self.fields,
                self.previous_fields,
                test,
                self.normal,
                self.history_value,
                self.facet_history.value(state.contact_pressure),
                self.friction,
                self.facet_constants.value(state.stabilisation),
                self.cohesive,
                self.dt,
                self.dS,
            )
            residual += balances.interface_exchange(
                self.fields, test, coefficients, share, self.conductance, self.dt, self.dS
            )
        for load in self.loads:
            residual += self._load_terms(load, test)

        # The flow increment is solved at each quadrature point; its derivative follows from the implicit
        # function theorem: (3 µ̄ + h) dΔε = dσ_tr - Δε d(3 µ̄).
        direction = ufl.derivative(self.bulk.equivalent_trial, state.unknowns, trial) - (
            state.increment * ufl.derivative(self.bulk.triple_shear, state.unknowns, trial)
        )
        direction = apply_derivatives(apply_algebra_lowering(direction))
        increment_derivative = direction / (self.bulk.triple_shear + state.flow_modulus)
        jacobian = ufl.derivative(residual, state.unknowns, trial) + ufl.derivative(
            residual, state.increment, increment_derivative
        )
        self.residual_form = compat.compile_form(residual)
        self.jacobian_form = compat.compile_form(jacobian)
        points = compat.interpolation_points(state.increment.function_space.element)
        self._trial_expression = dfem.Expression(
            ufl.as_vector([self.bulk.equivalent_trial, self.bulk.triple_shear]),
            points,
            jit_options=compat.jit_options(),
        )
        self._plastic_expression = dfem.Expression(
            kinematics.vector_from_symmetric(updated_plastic_inverse(self.bulk), dimension),
            points,
            jit_options=compat.jit_options(),
        )
        if self.interfaces.kinds:
            opening = balances.interface_opening(self.fields.displacement)
            normal = kinematics.rotated_normal(self.fields.displacement, self.normal)
            self._grown = self.facet_history.projection(
                cohesive.grown_history(opening, normal, self.history_value, self.cohesive, self.dt)
            )
            self._pressure = self.facet_history.projection(
                contact.contact_pressure(opening, normal, self.cohesive.contact_stiffness)
            )
            self._damage_forms = [
                self.facet_constants.projection(cohesive.damage(self.history_value, self.cohesive)),
                self.facet_constants.projection(self.cohesive.breakable),
            ]
            self._share = self.facet_history.projection(
                exchange.exchange_share(
                    opening,
                    normal,
                    self.history_value,
                    self.cohesive,
                    self.contact_reference,
                    self.open_exchange,
                )
            )

    def _load_terms(self, load: Load, test: balances.Fields) -> Any:
        zero = 0.0 * test.concentration * self.measures.nodal
        if isinstance(load, Pressure):
            ds = self.measures.boundary(self.domain.boundary_tags[load.boundary])
            return self.control(load.name) * ufl.dot(self.normal, test.displacement) * ds
        if isinstance(load, LithiumInflux):
            ds = self.measures.boundary(self.domain.boundary_tags[load.boundary])
            balance = balances.conservation_test(test, self.coefficients)
            return -self.dt * self.control(load.name) * balance * ds
        if isinstance(load, Source):
            terms = zero
            if load.body_force is not None:
                terms -= ufl.dot(load.body_force, test.displacement) * self.measures.bulk
            if load.lithium is not None:
                terms -= self.dt * load.lithium * test.concentration * self.measures.bulk
            if load.potential is not None:
                terms -= load.potential * test.chemical_potential * self.measures.nodal
            return terms
        return zero

    def _build_constraints(self) -> list[Constraint]:
        constraints = []
        for load in self.loads:
            if isinstance(load, Support):
                sub = self.state.space.sub(0).sub(load.component)
                constraints.append(Constraint(self._owned(sub, load.boundary), self.control(load.name)))
            elif isinstance(load, Prescribed):
                constraints.append(self._prescribed(load))
        return constraints

    def _owned(self, space: dfem.FunctionSpace, boundary: str | None) -> npt.NDArray[np.int32]:
        if boundary is None:
            dofs = np.unique(np.asarray(space.dofmap.list)).astype(np.int32)
        else:
            facets = self.domain.boundary_facets(boundary)
            dofs = dfem.locate_dofs_topological(space, self.domain.dimension - 1, facets)
        return dofs[dofs < self.state.dofs.owned]

    def _prescribed(self, load: Prescribed) -> Constraint:
        sub = self.state.space.sub(load.field)
        dofs = self._owned(sub, load.boundary)
        values = np.zeros(len(dofs))
        scratch = dfem.Function(self.state.space)

        def refresh() -> None:
            scratch.sub(load.field).interpolate(load.values)
            values[:] = scratch.x.array[dofs]

        self._refreshers.append(refresh)
        refresh()
        return Constraint(dofs, values)

    def _tabulate_nodes(self) -> None:
        """Capacity c_max of every concentration dof (1 where nothing is stored), and which dofs store lithium."""
        dofs = np.asarray(self.state.space.sub(1).dofmap.list)
        scale = np.array([self._scale(m) for m in self.materials])
        stores = np.array([isinstance(m.lithium, Host | Reservoir) for m in self.materials])
        phase = self.domain.cell_phase
        self.capacity_of_node = np.ones(len(self.state.unknowns.x.array))
        self.capacity_of_node[dofs] = scale[phase][:, None]
        self.storing_dofs: npt.NDArray[np.int32] = np.unique(dofs[stores[phase]]).astype(np.int32)

    # ------------------------------------------------------------------ a step

    def prepare_step(self, dt: float) -> None:
        """Set the step and refresh prescribed values that vary in time."""
        self.dt.value = dt
        self.relaxation.value = self.relaxation_time + self.relaxation_ratio * dt
        for refresh in self._refreshers:
            refresh()

    def update_flow(self) -> bool:
        """Solve the flow increment for the current unknowns; False where it failed on any rank."""
        state = self.state
        compat.interpolate_expression(state.trial, self._trial_expression)
        trial = state.trial.x.array.reshape(-1, 2)
        failed = False
        try:
            increment, modulus = solve_increment(
                self.flow,
                trial[:, 0],
                trial[:, 1],
                state.accumulated.x.array,
                state.drag.x.array,
                float(self.dt.value),
            )
            state.increment.x.array[:] = increment
            state.flow_modulus.x.array[:] = modulus
        except StepFailed:
            failed = True
        return not self.comm.allreduce(failed, op=MPI.LOR)

    def commit(self) -> None:
        """Accept the current unknowns: update all history and advance time."""
        state, dt = self.state, float(self.dt.value)
        compat.interpolate_expression(state.next_plastic_inverse, self._plastic_expression)
        size = kinematics.symmetric_size(self.domain.dimension)
        flowed = state.increment.x.array > 0.0
        state.plastic_inverse.x.array.reshape(-1, size)[flowed] = state.next_plastic_inverse.x.array.reshape(
            -1, size
        )[flowed]
        state.accumulated.x.array[:] += state.increment.x.array
        state.drag.x.array[:] = hardened_drag(self.flow, state.drag.x.array, state.increment.x.array, dt)
        state.increment.x.array[:] = 0.0
        state.flow_modulus.x.array[:] = 1.0e30
        if self.interfaces.kinds:
            self.facet_history.update(state.largest_opening, self._grown)
        self.commit_exchange()
        state.previous.x.array[:] = state.unknowns.x.array
        state.time += dt
        state.steps += 1

    def stabilise(self, grains: set[int], stiffness: float) -> None:
        """Resist the motion of a step at every interface of some grains.

        Args:
            grains: Indices into ``domain.grains``; the same on every rank.
            stiffness: At least this much in MPa/µm.
        """
        chosen = np.isin(self.domain.cell_grain, list(grains))
        pairs = self.interfaces.quadruples
        touched = chosen[pairs[:, 0]] | chosen[pairs[:, 2]]
        values = self.facet_constants.values(self.state.stabilisation)
        values[touched] = np.maximum(values[touched], stiffness)
        self.facet_constants.set_values(self.state.stabilisation, values)

    def release(self, factor: float, least: float) -> None:
        """Lower all stabilisation by a factor, to no less than ``least`` MPa/µm."""
        values = np.maximum(factor * self.facet_constants.values(self.state.stabilisation), least)
        self.facet_constants.set_values(self.state.stabilisation, values)

    def mean_damage(self) -> float:
        """Damage averaged over the area of all breakable interfaces."""
        if not self.interfaces.kinds:
            return 0.0
        local = np.array([np.sum(self.facet_constants.integrals(form)) for form in self._damage_forms])
        broken, area = self.comm.allreduce(local[0]), self.comm.allreduce(local[1])
        return broken / area if area > 0.0 else 0.0

    def commit_exchange(self) -> None:
        """Evaluate what the interfaces let through during the next step from the state they are in now."""
        if self.interfaces.kinds:
            self.facet_history.update(self.state.exchange_share, self._share)
            self.facet_history.update(self.state.contact_pressure, self._pressure)
