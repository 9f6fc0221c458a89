"""The coupled model: a domain, its materials, interfaces and loads, compiled once into residual and Jacobian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from fem import balances, kinetics, side_reaction
from fem.cell import Terminal, build_terminal
from fem.coefficients import tabulate
from fem.constraints import build_constraints
from fem.domain import Domain
from fem.errors import ParameterError
from fem.facet_parameters import kind_field, tabulate_laws
from fem.flow_update import FlowUpdate
from fem.forms import build_forms, build_interface_forms
from fem.initial_state import set_initial_fields, start_lithiation, tabulate_nodes
from fem.interfaces import bonding
from fem.interfaces.facet_fields import HISTORY_DEGREE, FacetSpace, contact_measure, interface_measure
from fem.interfaces.history import History
from fem.interfaces.law import InterfaceLaw, laws_between
from fem.interfaces.pairs import find_interfaces
from fem.interfaces.side_contact import SideContact, side_contact
from fem.interfaces.surface_contact import SurfaceContact
from fem.interfaces.tabulation import memory
from fem.loads import Load, refuse_lithium
from fem.materials.base import Material
from fem.materials.flow import flow_table
from fem.pore_corners import at_grain_boundaries
from fem.stabilisation import Stabilisation
from fem.state import State
from fem.temperature import apply as apply_temperature
from fem.tension import Tension

_INTERFACE_TAG = 1


class ElectrodeModel:
    """Coupled lithium diffusion, finite-strain swelling, flow and interfaces on a mesh of grains.

    Where no material of the domain takes part in the lithium balance, displacement is the only unknown; where none
    flows, nothing is solved at the quadrature points.

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
        free_contact_stiffness: Contact stiffness in MPa/µm with which outer edges that belong to no named boundary meet
            other grains; None lets them pass.

    Raises:
        ParameterError: A phase or an interface kind of the mesh has no material or law, or a load brings lithium
            where no material takes part in its balance.
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
        free_contact_stiffness: float | None = None,
    ):
        self.domain, self.loads, self.temperature = domain, tuple(loads), temperature
        self.comm: MPI.Intracomm = domain.mesh.comm
        self.relaxation_ratio = relaxation_ratio
        missing = [phase for phase in domain.phases if phase not in materials]
        if missing:
            raise ParameterError(
                "materials", missing, f"given for every phase of the mesh {list(domain.phases)}"
            )
        self.materials = [materials[phase] for phase in domain.phases]
        self.start = start_lithiation(self.materials, start_voltage, initial_lithiation or {})
        self.coefficients = tabulate(domain, self.materials, self.start)
        self.interfaces = find_interfaces(domain)
        missing = [kind for kind in self.interfaces.kinds if kind not in laws]
        if missing:
            raise ParameterError(
                "interfaces", missing, f"given for every kind of the mesh {self.interfaces.kinds}"
            )
        self.laws = [laws[kind] for kind in self.interfaces.kinds]
        solid = [material.phase for material in self.materials if material.solid]
        #: Of solids that share no interface, but may come to meet: stiffness of contact and friction count.
        self.laws_by_search = laws_between(solid, laws, self.interfaces.kinds)
        mesh = domain.mesh
        self.dS = interface_measure(domain, self.interfaces, _INTERFACE_TAG)
        self.contact_dS = contact_measure(domain, self.dS)
        self.facet_constants = FacetSpace(domain, self.interfaces, self.dS, 1)
        self.facet_history = FacetSpace(domain, self.interfaces, self.dS, HISTORY_DEGREE[domain.dimension])
        has_lithium = any(material.lithium is not None for material in self.materials)
        self.flows = any(material.flow is not None for material in self.materials)
        if not has_lithium:
            refuse_lithium(self.loads)
        self.state = State(
            domain,
            self.facet_history,
            self.facet_constants,
            displacement_degree,
            has_lithium,
            (*memory(self.laws), *side_reaction.memory(self.laws)),
            bonding.memory(self.laws, domain.dimension),
        )
        self.dt = dfem.Constant(mesh, 1.0)
        # Time since the last accepted state: the step while one is being solved, else zero.
        self.elapsed = dfem.Constant(mesh, 0.0)
        self.controls: dict[str, dfem.Constant] = {"zero": dfem.Constant(mesh, 0.0)}
        self.measures = self._cell_and_facet_measures()
        set_initial_fields(domain, self.materials, self.start, self.state)
        fillings = {index for index, material in enumerate(self.materials) if not material.solid}
        corners = at_grain_boundaries(domain, self.interfaces, self.state.dofs, fillings)
        self.facet_parameters = tabulate_laws(
            domain, self.interfaces, self.laws, self.facet_constants, corners
        )
        paired = self.state.paired
        self.facet_constants.set_values(paired, np.ones(len(self.interfaces.facets)))
        cohesive = self.facet_parameters.cohesive
        self.cohesive = replace(
            cohesive,
            contact=replace(
                cohesive.contact, stiffness=cohesive.contact.stiffness * self.facet_constants.value(paired)
            ),
        )
        self.relaxation_time = self.facet_parameters.relaxation_time
        self.friction, self.conductance = self.facet_parameters.friction, self.facet_parameters.conductance
        state = self.state
        shared = (self.interfaces.kinds, self.laws, self.materials, self.control("temperature"))
        field = partial(kind_field, self.interfaces, self.facet_constants)
        self.kinetics = kinetics.tabulate(*shared, field)
        self.reactions = side_reaction.tabulate(*shared, field)
        self.fields = balances.split(state.unknowns)
        self.previous_fields = balances.split(state.previous)
        self.normal = ufl.FacetNormal(mesh)
        self.bulk = balances.law(
            self.fields,
            state.plastic_inverse if self.flows else None,
            state.increment if self.flows else None,
            self.coefficients,
            domain.dimension,
        )
        self.history_value = History(
            self.facet_history.value(state.largest_opening),
            **{name: self.facet_history.value(field) for name, field in state.memory.items()},
        )
        self.exchange_share = self.facet_history.value(state.exchange_share)
        if self.history_value.contact is not None:
            self.facet_history.set_values(state.memory["contact"], np.ones(len(self.interfaces.facets)))
            self.exchange_share *= self.history_value.contact
        self.bonds = bonding.Bonds(self) if state.bonding else None
        if self.bonds is not None:
            stiffness = self.cohesive.stiffness * self.bonds.share
            self.cohesive = replace(self.cohesive, stiffness=stiffness, bonds_grow=True)
        self.side_contact: SideContact | None = side_contact(self)
        self.terminal: Terminal | None = build_terminal(self, self.loads)
        forms = build_forms(self)
        self.residual_form, self.jacobian_form = forms.residual, forms.jacobian
        self.flow: FlowUpdate | None = None
        if forms.flow is not None:
            table = flow_table(domain.cell_phase[state.point_cells], self.materials, temperature)
            self.flow = FlowUpdate(domain, state, table, forms.flow)
        self._interface_forms = build_interface_forms(self) if self.interfaces.kinds else None
        self.breakable_areas: npt.NDArray[np.float64] = np.empty(0)
        if self._interface_forms is not None:
            self.breakable_areas = self.facet_constants.integrals(self._interface_forms.breakable)
        self._breakable_area = float(self.comm.allreduce(float(np.sum(self.breakable_areas))))
        self.tension, self.stabilisation = Tension(self), Stabilisation(self)
        self.constraints = build_constraints(domain, self.state, self.loads, self.control)
        nodes = tabulate_nodes(domain, self.materials, self.state)
        self.capacity_of_node, self.storing_dofs = nodes.capacity, nodes.storing
        self.surface_contact: SurfaceContact | None = None
        if self.interfaces.kinds or free_contact_stiffness is not None:
            self.surface_contact = SurfaceContact(self, free_contact_stiffness)
        self.set_temperature(temperature)
        self.commit_exchange()

    def _cell_and_facet_measures(self) -> balances.Measures:
        domain, mesh = self.domain, self.domain.mesh
        cells = np.arange(len(domain.cell_phase), dtype=np.int32)
        tags = dmesh.meshtags(mesh, domain.dimension, cells, domain.cell_phase + 1)
        degree = self.state.quadrature_degree
        return balances.Measures(
            ufl.Measure("dx", domain=mesh, subdomain_data=tags, metadata={"quadrature_degree": degree}),
            ufl.Measure(
                "dx",
                domain=mesh,
                subdomain_data=tags,
                metadata={"quadrature_rule": "vertex", "quadrature_degree": 1},
            ),
            self.dS,
            ufl.Measure("ds", domain=mesh, subdomain_data=domain.boundaries),
        )

    def phase_ids(self, wanted: type) -> list[tuple[int, Material]]:
        """Measure ids and materials of the phases with a given part in the lithium balance."""
        return [(n + 1, m) for n, m in enumerate(self.materials) if isinstance(m.lithium, wanted)]

    def control(self, name: str) -> dfem.Constant:
        """The constant behind a load's control, created on first use."""
        if name not in self.controls:
            self.controls[name] = dfem.Constant(self.domain.mesh, 0.0)
        return self.controls[name]

    def set_temperature(self, temperature: float) -> None:
        """Go on at another temperature in K from the next step on; see fem/temperature.py.

        Raises:
            ParameterError: It is not positive.
        """
        apply_temperature(self, temperature)

    def stretch(self, displacement: Any) -> Any:
        """What bonds of the interfaces are stretched by with a displacement, in µm (UFL)."""
        opening = balances.interface_opening(displacement)
        return opening if self.bonds is None else self.bonds.opening(displacement)

    # ------------------------------------------------------------------ a step

    def prepare_step(self, dt: float, expected: npt.NDArray[np.float64] | None = None) -> None:
        """Set the step, refresh prescribed values that vary in time, and find the contacts to watch.

        Args:
            dt: Step in s.
            expected: Unknowns expected at its end, ghosts included; by default those at its beginning.
        """
        state = self.state
        self.dt.value = self.elapsed.value = dt
        state.expected.x.array[:] = state.previous.x.array if expected is None else expected
        if expected is not None:
            state.unknowns.x.array[:] = expected
        if self.surface_contact is not None:
            self.surface_contact.begin_step()
        self.facet_parameters.relaxation.value = self.relaxation_time + self.relaxation_ratio * dt
        for constraint in self.constraints:
            if constraint.refresh is not None:
                constraint.refresh()

    def update_flow(self) -> bool:
        """Solve the flow increment for the current unknowns; False where it failed on any rank."""
        return self.flow is None or self.flow.solve(float(self.dt.value))

    def commit(self) -> None:
        """Accept the current unknowns: update all history and advance time."""
        state, dt = self.state, float(self.dt.value)
        self.tension.commit()
        self.stabilisation.commit()
        if self.terminal is not None:
            self.terminal.commit()
        if self.flow is not None:
            self.flow.commit(dt)
        if self._interface_forms is not None:
            # κ last: what else is remembered follows from its growth in the step.
            for name, form in self._interface_forms.memory.items():
                self.facet_history.update(state.memory[name], form)
            self.facet_history.update(state.largest_opening, self._interface_forms.grown)
        if self.surface_contact is not None:
            self.surface_contact.commit(self.facet_damage())
        if self.bonds is not None:
            self.bonds.commit()
        self.commit_exchange()
        state.previous.x.array[:] = state.unknowns.x.array
        self.elapsed.value = 0.0
        state.time += dt
        state.steps += 1

    def facet_damage(self) -> npt.NDArray[np.float64]:
        """Damage integrated over every owned interface facet in µm (µm² in 3D), shape (facets,)."""
        if self._interface_forms is None:
            return np.empty(0)
        return self.facet_constants.integrals(self._interface_forms.damage)

    def mean_damage(self) -> float:
        """Damage averaged over the area of all breakable interfaces."""
        broken = float(self.comm.allreduce(float(np.sum(self.facet_damage()))))
        return broken / self._breakable_area if self._breakable_area > 0.0 else 0.0

    def commit_exchange(self) -> None:
        """Evaluate what the interfaces let through during the next step from the state they are in now."""
        if self._interface_forms is not None:
            if self._interface_forms.share is not None:
                self.facet_history.update(self.state.exchange_share, self._interface_forms.share)
            self.facet_history.update(self.state.contact_pressure, self._interface_forms.pressure)
