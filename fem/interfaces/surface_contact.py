"""Contact between any two grains, found by search, where sliding has made the paired facets meaningless.

The two sides of an interface are paired facet by facet, which is exact while they stay opposite each other. Broken
interfaces slide; once a facet has moved by a fair part of its own length it no longer knows what is in front of it.
Its share of the paired contact then fades and contact with the edge of its partner that it really meets takes over;
contact with third grains is watched from the moment a facet has let go. Both act at the Gauss points of the facet,
against the closest edge (two-pass, point to segment with penalty).
Within a step the partner, the foot point and the normal are those of the positions expected at its end, which makes
the law piecewise linear; they are searched anew for every step. What goes on from step to step is in contact_memory.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fem.interfaces import contact_search
from fem.interfaces.contact import CREEP_VELOCITY, LEAST_CREEP
from fem.interfaces.contact_memory import ContactMemory
from fem.interfaces.contact_pairs import Pairs
from fem.interfaces.hand_over import paired_share, released_share
from fem.interfaces.surfaces import Array, Integers, grain_surfaces

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

# Gaps in µm up to which a point is watched during a step, and penetration up to which it is believed.
_REACH, _DEPTH = 0.6, 0.4
_POINTS = np.array([-np.sqrt(0.6), 0.0, np.sqrt(0.6)])
_WEIGHTS = np.array([5.0, 8.0, 5.0]) / 9.0


class SurfaceContact:
    """Contact by search on the surfaces of all grains of a 2D model.

    Args:
        model: The coupled model, whose state and laws exist.
        free_stiffness: Contact stiffness in MPa/µm of outer edges that belong to no named boundary, without friction;
            None leaves them out.
    """

    def __init__(self, model: ElectrodeModel, free_stiffness: float | None = None):
        self._model = model
        self.surfaces = grain_surfaces(model, free_stiffness is not None)
        kind = model.interfaces.kind
        count = len(self.surfaces.grain)

        def per_edge(values: list[float], free: float) -> Array:
            per_kind = np.asarray(values, dtype=np.float64)
            return self.surfaces.spread(per_kind[kind] if len(kind) else np.empty(0), free)

        self._stiffness = per_edge([law.contact_stiffness.value for law in model.laws], free_stiffness or 0.0)
        self._friction = per_edge([law.friction.value for law in model.laws], 0.0)
        start, end = model.state.space.dofmap.index_map.local_range
        self._owned = (self.surfaces.dofs >= start) & (self.surfaces.dofs < end)
        self._first_dof = start
        self._memory = ContactMemory(model.state.replicated, count, len(_POINTS))
        self.pairs: Pairs | None = None
        self._start: Array = np.empty(0)
        self._expected: Array = np.empty(0)

    # ------------------------------------------------------------------ a step

    def begin_step(self) -> None:
        """Search the contacts of a step from the positions expected at its end; collective."""
        surfaces, model = self.surfaces, self._model
        values = model.facet_constants.values
        share = np.stack(
            [
                surfaces.spread(values(model.state.released), 1.0),
                surfaces.spread(1.0 - values(model.state.paired), 1.0),
            ],
            axis=1,
        )
        share[~surfaces.between_solids] = 0.0
        self.pairs = None
        active = np.flatnonzero(share.max(axis=1) > 0.0)
        if len(active) == 0:
            return
        self._start = surfaces.displacement(model.state.previous.x.array)
        self._expected = surfaces.displacement(model.state.expected.x.array)
        positions = surfaces.reference + self._expected
        shape = contact_search.shape_functions(_POINTS, 3)
        points = np.einsum("qn,end->eqd", shape, positions[active])
        normals = np.stack(
            [
                contact_search.outward_normal(
                    positions[active], surfaces.outward[active], np.full(len(active), s)
                )
                for s in _POINTS
            ],
            axis=1,
        )
        size = len(_POINTS)
        feet = contact_search.find_feet(
            points.reshape(-1, 2),
            normals.reshape(-1, 2),
            np.repeat(surfaces.grain[active], size),
            np.repeat(surfaces.partner[active], size),
            positions,
            surfaces.outward,
            surfaces.grain,
            _REACH,
            _DEPTH,
        )
        slot = feet.partner.astype(np.int64)
        edge, point = active[feet.point // size], feet.point % size
        feet, (edge, point, slot) = _chosen(share[edge, slot] > 0.0, feet, edge, point, slot)
        if len(edge) == 0:
            return
        stiffness = self._stiffness[edge]
        nodes = surfaces.dofs.shape[1]
        shape = np.concatenate(
            [
                contact_search.shape_functions(_POINTS, nodes)[point],
                -contact_search.shape_functions(feet.parameter, nodes),
            ],
            axis=1,
        )
        back = self._start - self._expected
        back = np.concatenate([back[edge, :nodes], back[feet.edge, :nodes]], axis=1)
        gap = feet.gap + np.einsum("pn,pnd,pd->p", shape, back, feet.normal)
        offset, pressure = self._memory.begin_step(
            (edge, point, slot), surfaces.grain[feet.edge], gap, feet.gap, stiffness
        )
        self.pairs = Pairs(
            edge=edge,
            point=point,
            slot=slot,
            other=feet.edge,
            gap=gap,
            offset=offset,
            normal=feet.normal,
            shape=shape,
            # Both grains search, each counts half.
            weight=0.5 * share[edge, slot] * _WEIGHTS[point] * 0.5 * surfaces.length[edge],
            stiffness=stiffness,
            friction=self._friction[edge] * pressure,
        )

    def commit(self, damage: Array) -> None:
        """Remember the pressures at the end of an accepted step and how far each facet has left its partner.

        Args:
            damage: Damage integrated over every owned interface facet in µm, shape (facets,).
        """
        model = self._model
        if self.pairs is not None:
            gap, _ = self._motion(self.pairs)
            self._memory.commit(self.pairs.place, self.pairs.pressure(gap))
        opening, length = self.surfaces.openings(model.state.unknowns.x.array)
        released = released_share(damage / length)
        if model.bonds is not None:
            # A bond that has formed anew holds two places that were not opposite each other at the start.
            released = np.maximum(released, model.facet_constants.values(model.state.released))
        model.facet_constants.set_values(model.state.released, released)
        model.facet_constants.set_values(model.state.paired, paired_share(opening, length, released))

    # ------------------------------------------------------------------ forces

    def add_forces(self, residual: Array) -> None:
        """Add the contact forces of the current unknowns to the owned part of a residual; collective."""
        if self.pairs is None:
            return
        pairs, nodes = self.pairs, self.surfaces.dofs.shape[1]
        gap, slip = self._motion(pairs)
        pressure = pairs.pressure(gap)
        drag = pairs.friction * slip / np.hypot(slip, self._creep())
        traction = pairs.weight[:, None] * (drag[:, None] * pairs.tangent - pressure[:, None] * pairs.normal)
        force = pairs.shape[:, :, None] * traction[:, None, :]
        for edges, part in ((pairs.edge, force[:, :nodes]), (pairs.other, force[:, nodes:])):
            mine = self._owned[edges]
            np.add.at(residual, self.surfaces.dofs[edges][mine] - self._first_dof, part[mine])

    def stiffness(self) -> tuple[Integers, Integers, Array]:
        """Rows, columns (global dofs) and values of the tangent in the rows this rank owns; collective."""
        if self.pairs is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        pairs = self.pairs
        gap, slip = self._motion(pairs)
        normal = np.where(gap < pairs.offset, pairs.stiffness, 0.0)
        creep = self._creep()
        along = pairs.friction * creep**2 / np.hypot(slip, creep) ** 3
        tangent = pairs.tangent
        tensor = normal[:, None, None] * pairs.normal[:, :, None] * pairs.normal[:, None, :]
        tensor += along[:, None, None] * tangent[:, :, None] * tangent[:, None, :]
        tensor *= pairs.weight[:, None, None]
        blocks = np.einsum("pi,pj,pab->piajb", pairs.shape, pairs.shape, tensor)
        return self._entries(pairs, blocks)

    def pair_key(self) -> Integers | None:
        """One number for each pair of edges watched in this step, sorted; the same on every rank."""
        if self.pairs is None:
            return None
        return np.unique(self.pairs.edge * len(self.surfaces.grain) + self.pairs.other)

    def pattern(self) -> tuple[Integers, Integers]:
        """Rows and columns of the tangent in the rows this rank owns, whatever is in contact."""
        rows, columns, _ = self.stiffness()
        return rows, columns

    def penetration(self) -> float:
        """Largest overlap of the contacts watched in this step in µm; the same on every rank."""
        if self.pairs is None or len(self.pairs.gap) == 0:
            return 0.0
        gap, _ = self._motion(self.pairs)
        return float(max(0.0, -np.min(gap)))

    def pressures(self) -> tuple[Array, Array, Array]:
        """Undeformed places (P, 2), pressures in MPa (P,) and areas in µm (P,) of the contacts watched in this step.

        The same on every rank. Both surfaces search, and each area counts half.
        """
        if self.pairs is None:
            return np.empty((0, 2)), np.empty(0), np.empty(0)
        pairs = self.pairs
        gap, _ = self._motion(pairs)
        shape = contact_search.shape_functions(_POINTS, 3)[pairs.point]
        places = np.einsum("pn,pnd->pd", shape, self.surfaces.reference[pairs.edge])
        return places, pairs.pressure(gap), pairs.weight

    def energies(self) -> tuple[float, float]:
        """Energy stored by the contacts and dissipated by their friction in the step, in pJ per µm of depth.

        The same on every rank.
        """
        if self.pairs is None:
            return 0.0, 0.0
        pairs = self.pairs
        gap, slip = self._motion(pairs)
        closed = np.maximum(pairs.offset - gap, 0.0)
        drag = pairs.friction * slip / np.hypot(slip, self._creep())
        return (
            float(np.sum(pairs.weight * 0.5 * pairs.stiffness * closed**2)),
            float(np.sum(pairs.weight * drag * slip)),
        )

    def _entries(self, pairs: Pairs, blocks: Array) -> tuple[Integers, Integers, Array]:
        dofs = np.concatenate([self.surfaces.dofs[pairs.edge], self.surfaces.dofs[pairs.other]], axis=1)
        owned = np.concatenate([self._owned[pairs.edge], self._owned[pairs.other]], axis=1)
        flat = dofs.reshape(len(dofs), -1)
        size = flat.shape[1]
        rows = np.broadcast_to(flat[:, :, None], (len(flat), size, size))
        columns = np.broadcast_to(flat[:, None, :], rows.shape)
        mine = np.broadcast_to(owned.reshape(len(flat), -1)[:, :, None], rows.shape)
        return rows[mine], columns[mine], blocks.reshape(rows.shape)[mine]

    def _motion(self, pairs: Pairs) -> tuple[Array, Array]:
        """Gap now and slip since the beginning of the step in µm, each of shape (P,)."""
        moved = self.surfaces.displacement(self._model.state.unknowns.x.array) - self._start
        nodes = self.surfaces.dofs.shape[1]
        both = np.concatenate([moved[pairs.edge, :nodes], moved[pairs.other, :nodes]], axis=1)
        relative = np.einsum("pn,pnd->pd", pairs.shape, both)
        gap = pairs.gap + np.einsum("pd,pd->p", relative, pairs.normal)
        return gap, np.einsum("pd,pd->p", relative, pairs.tangent)

    def _creep(self) -> float:
        return max(CREEP_VELOCITY * float(self._model.dt.value), LEAST_CREEP)


def _chosen(
    wanted: npt.NDArray[np.bool_], feet: contact_search.Feet, *rows: Integers
) -> tuple[contact_search.Feet, tuple[Integers, ...]]:
    """Only the wanted rows of what the search has found."""
    kept = contact_search.Feet(
        feet.point[wanted],
        feet.partner[wanted],
        feet.edge[wanted],
        feet.parameter[wanted],
        feet.gap[wanted],
        feet.normal[wanted],
    )
    return kept, tuple(row[wanted] for row in rows)
