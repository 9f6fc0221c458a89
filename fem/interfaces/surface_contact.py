"""Contact between any two grains, found by search, where sliding has made the paired facets meaningless.

The two sides of an interface are paired facet by facet, which is exact while they stay opposite each other. Broken
interfaces slide; once a facet has moved by a fair part of its own length it no longer knows what is in front of it.
Its share of the paired contact then fades and contact with the facet of its partner that it really meets takes over;
contact with third grains is watched from the start: corners come into them while all around still holds. Both act at
the searching points of the facet (contact_edges.py, contact_triangles.py), against the closest facet (two-pass, point
to segment with penalty).
Within a step the partner, the foot point and the normal are those of the positions expected at its end, which makes
the way straight; they are searched anew for every step. What goes on from step to step is in contact_memory.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fem.interfaces.contact import CREEP_VELOCITY, LEAST_CREEP
from fem.interfaces.contact_corners import StepMotion
from fem.interfaces.contact_entries import Entries, block_entries, summed_entries
from fem.interfaces.contact_facets import Booleans
from fem.interfaces.contact_memory import ContactMemory, Place
from fem.interfaces.contact_pairs import Pairs
from fem.interfaces.contact_search import DEPTH, REACH, Feet, find_feet, joined
from fem.interfaces.hand_over import paired_share, released_share
from fem.interfaces.law import InterfaceLaw, contact_stiffening, kind_name
from fem.interfaces.pressure_law import PressureLaw
from fem.interfaces.surfaces import Array, Integers, grain_surfaces

if TYPE_CHECKING:
    from fem.model import ElectrodeModel

# Gaps in µm up to which a third grain is watched by a facet that still holds: every pair watched widens the matrix.
_NEAR = 0.1


class SurfaceContact:
    """Contact by search on the surfaces of all grains of a model.

    Args:
        model: The coupled model, whose state and laws exist. Grains that meet by sliding press and rub as those of
            their phases that were neighbours at the start; what has no such law takes that of the facet that searches.
        free_stiffness: Contact stiffness in MPa/µm of outer facets that belong to no named boundary, without friction;
            None leaves them out.
    """

    def __init__(self, model: ElectrodeModel, free_stiffness: float | None = None):
        self._model = model
        self.surfaces = grain_surfaces(model, free_stiffness is not None)
        self._shape = self.surfaces.shape
        kind = model.interfaces.kind
        count = len(self.surfaces.grain)

        def per_facet(values: list[float], free: float) -> Array:
            per_kind = np.asarray(values, dtype=np.float64)
            return self.surfaces.spread(per_kind[kind] if len(kind) else np.empty(0), free)

        self._law = PressureLaw(
            per_facet([law.contact_stiffness.value for law in model.laws], free_stiffness or 0.0),
            per_facet([contact_stiffening(law) for law in model.laws], 0.0),
        )
        self._friction = per_facet([law.friction.value for law in model.laws], 0.0)
        phases = model.domain.phases
        laws = dict(zip(model.interfaces.kinds, model.laws, strict=True)) | model.laws_by_search
        self._phase = np.array([phases.index(grain.phase) for grain in model.domain.grains])

        def of_pairs(value: Callable[[InterfaceLaw], float]) -> Array:
            pairs = [[laws.get(kind_name(one, other)) for other in phases] for one in phases]
            return np.array([[np.nan if law is None else value(law) for law in row] for row in pairs])

        self._pair_law = PressureLaw(
            of_pairs(lambda law: law.contact_stiffness.value), of_pairs(contact_stiffening)
        )
        self._pair_friction = of_pairs(lambda law: law.friction.value)
        start, end = model.state.space.dofmap.index_map.local_range
        self._owned = (self.surfaces.dofs >= start) & (self.surfaces.dofs < end)
        self._dofs_here = range(start, end)
        self._memory = ContactMemory(model.state.replicated, count, len(self._shape.points))
        self.pairs: Pairs | None = None
        self._start: Array = np.empty(0)
        self._folded: Booleans = np.empty(0, dtype=bool)

    # ------------------------------------------------------------------ a step

    def begin_step(self) -> None:
        """Search the contacts of a step from the positions expected at its end; collective."""
        surfaces, model, shape = self.surfaces, self._model, self._shape
        apart = surfaces.spread(1.0 - model.facet_constants.values(model.state.paired), 1.0)
        # Any other grain than the one opposite is met in full from the start on.
        share = np.stack([np.ones_like(apart), apart], axis=1)
        # What faces a pore has ties with the filling.
        share[~surfaces.between_solids, 1] = 0.0
        self.pairs = None
        if len(share) == 0:
            return
        self._start = surfaces.displacement(model.state.previous.x.array)
        motion = StepMotion(surfaces, self._start, surfaces.displacement(model.state.expected.x.array))
        self._folded = motion.folded
        feet, size = self._searched(motion.positions), len(shape.points)
        released = surfaces.spread(model.facet_constants.values(model.state.released), 1.0)
        holds = surfaces.between_solids & (released == 0.0)
        facet, partner = feet.point // size, feet.partner.astype(np.int64)
        far = holds[facet] & ~feet.partner & (feet.gap > _NEAR)
        feet = feet.chosen((share[facet, partner] > 0.0) & ~far)
        place: Place = feet.point // size, feet.point % size, feet.partner.astype(np.int64)
        place, feet = motion.met(place, feet, self._memory, self._coefficients(place, feet)[0])
        facet, point, slot = place
        if len(facet) == 0:
            return
        functions, gap = motion.at_beginning(place, feet)
        law, friction = self._coefficients(place, feet)
        handing = (slot == 1) & (share[facet, slot] < 1.0)
        offset, pressure, acting = self._memory.begin_step(
            place, surfaces.grain[feet.facet], feet.facet, gap, feet.gap, law, handing
        )
        self.pairs = Pairs(
            facet=facet,
            point=point,
            slot=slot,
            other=feet.facet,
            gap=gap,
            acting=acting,
            offset=offset,
            normal=feet.normal,
            tangents=shape.tangents(feet.normal),
            shape=functions,
            # Both grains search, each counts half.
            weight=0.5 * share[facet, slot] * shape.weights[point] * surfaces.measure[facet],
            law=law,
            friction=friction * pressure,
        )

    def commit(self, damage: Array) -> None:
        """Remember the pressures at the end of an accepted step and how far each facet has left its partner.

        Args:
            damage: Damage integrated over every owned interface facet in µm (µm² in 3D), shape (facets,).
        """
        model = self._model
        if self.pairs is not None:
            gap, _ = self._motion(self.pairs)
            self._memory.commit(self.pairs.place, self.pairs.pressure(gap))
        opening, measure = self.surfaces.openings(model.state.unknowns.x.array)
        released = released_share(damage / measure)
        if model.bonds is not None:
            # A bond that has formed anew holds two places that were not opposite each other at the start.
            released = np.maximum(released, model.facet_constants.values(model.state.released))
        model.facet_constants.set_values(model.state.released, released)
        paired = paired_share(opening, self._shape.size(measure), released)
        model.facet_constants.set_values(model.state.paired, paired)

    def _coefficients(self, place: Place, feet: Feet) -> tuple[PressureLaw, Array]:
        """Pressure against penetration and coefficient of friction of every contact, of shape (P,)."""
        surfaces, facet = self.surfaces, place[0]
        one, other = (self._phase[surfaces.grain[rows]] for rows in (facet, feet.facet))
        pair = self._pair_law.chosen((one, other))
        own = np.isnan(pair.stiffness) | surfaces.free[facet] | surfaces.free[feet.facet]
        return (
            PressureLaw(
                np.where(own, self._law.stiffness[facet], pair.stiffness),
                np.where(own, self._law.stiffening[facet], pair.stiffening),
            ),
            np.where(own, self._friction[facet], self._pair_friction[one, other]),
        )

    def _searched(self, positions: Array) -> Feet:
        """Feet of all points, numbered facet by facet; each rank searches for its share of them.

        What is nearest can hang on the last bit: no two ranks ever answer the same question.
        """
        surfaces, shape, comm = self.surfaces, self._shape, self._model.comm
        size, dimension = len(shape.points), positions.shape[2]
        begin, end = (len(positions) * (comm.rank + k) // comm.size for k in (0, 1))
        mine = slice(begin, end)
        functions = shape.shape_functions(shape.points, positions.shape[1])
        points = np.einsum("qn,end->eqd", functions, positions[mine])
        normals = np.stack(
            [
                shape.outward_normal(
                    positions[mine], surfaces.outward[mine], np.repeat(place[None], end - begin, axis=0)
                )
                for place in shape.points
            ],
            axis=1,
        )
        found = find_feet(
            shape,
            points.reshape(-1, dimension),
            normals.reshape(-1, dimension),
            np.repeat(surfaces.grain[mine], size),
            np.repeat(surfaces.partner[mine], size),
            positions,
            surfaces.outward,
            surfaces.grain,
            REACH,
            DEPTH,
        )
        return joined(comm.allgather(found.moved_by(begin * size)))

    # ------------------------------------------------------------------ forces

    def add_forces(self, residual: Array, rubbing: bool = True) -> None:
        """Add the contact forces of the current unknowns to the owned part of a residual; collective.

        Args:
            residual: Owned part, changed in place.
            rubbing: Whether with those of friction.
        """
        if self.pairs is None:
            return
        pairs, nodes = self.pairs, self.surfaces.dofs.shape[1]
        if not rubbing:
            pairs = replace(pairs, friction=np.zeros_like(pairs.friction))
        traction = pairs.traction(*self._motion(pairs), self._creep())
        force = pairs.shape[:, :, None] * traction[:, None, :]
        for facets, part in ((pairs.facet, force[:, :nodes]), (pairs.other, force[:, nodes:])):
            mine = self._owned[facets]
            np.add.at(residual, self.surfaces.dofs[facets][mine] - self._dofs_here.start, part[mine])

    def stiffness(self) -> Entries:
        """Rows, columns (global dofs) and values of the tangent in the rows this rank owns; collective."""
        none = np.empty(0, dtype=np.int64)
        if self.pairs is None:
            return none, none, np.empty(0)
        pairs, dofs = self.pairs, self.surfaces.dofs
        tensor = pairs.tangent(*self._motion(pairs), self._creep())
        # Most pairs are watched and do not touch.
        touching = np.flatnonzero(tensor.any(axis=(1, 2)))
        if len(touching) == 0:
            return none, none, np.empty(0)
        both = np.concatenate([dofs[pairs.facet[touching]], dofs[pairs.other[touching]]], axis=1)
        # In sections contacts are few, and their sums keep the order they have always been taken in.
        entries = block_entries if both.shape[2] == 2 else summed_entries
        return entries(both, pairs.shape[touching], tensor[touching], self._dofs_here)

    def pair_key(self) -> Integers | None:
        """One number for each pair of facets watched in this step, sorted; the same on every rank."""
        if self.pairs is None:
            return None
        return np.unique(self.pairs.facet * len(self.surfaces.grain) + self.pairs.other)

    def pattern(self) -> tuple[Integers, Integers]:
        """Rows and columns of the tangent in the rows this rank owns, whatever is in contact."""
        key = self.pair_key()
        if key is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        dofs = self.surfaces.dofs
        first, second = np.divmod(key, len(self.surfaces.grain))
        both = np.concatenate([dofs[first], dofs[second]], axis=1)
        ones = np.ones((len(both), *both.shape[2:], *both.shape[2:]))
        rows, columns, _ = summed_entries(both, np.ones(both.shape[:2]), ones, self._dofs_here)
        return rows, columns

    def penetration(self) -> tuple[float, float]:
        """Largest overlap of the contacts watched in this step in µm; the same on every rank.

        Returns:
            That of facets with two sides, and that where one of the two is folded back onto itself: there the overlap
            is that with the straight facet through its corners, which stands for it (contact_corners.py).
        """
        if self.pairs is None:
            return 0.0, 0.0
        depth = -self._motion(self.pairs)[0]
        at_fold = self._folded[self.pairs.facet] | self._folded[self.pairs.other]
        return float(np.max(depth[~at_fold], initial=0.0)), float(np.max(depth[at_fold], initial=0.0))

    def pressures(self) -> tuple[Array, Array, Array]:
        """Undeformed places, pressures in MPa and areas in µm (µm² in 3D) of the contacts watched in this step.

        Shapes (P, dimension), (P,) and (P,), the same on every rank. Both surfaces search, and each area counts half.
        """
        if self.pairs is None:
            return np.empty((0, self.surfaces.reference.shape[2])), np.empty(0), np.empty(0)
        pairs, reference = self.pairs, self.surfaces.reference
        gap, _ = self._motion(pairs)
        functions = self._shape.shape_functions(self._shape.points, reference.shape[1])[pairs.point]
        places = np.einsum("pn,pnd->pd", functions, reference[pairs.facet])
        return places, pairs.pressure(gap), pairs.weight

    def energies(self) -> tuple[float, float, float]:
        """Energy stored by the contacts now and at the beginning of the step, and what they take up on the way between.

        In pJ (per µm of depth in 2D), the same on every rank.
        """
        pairs = self.pairs
        if pairs is None:
            return 0.0, 0.0, 0.0
        gap, _ = self._motion(pairs)
        return pairs.stored(gap), pairs.stored(pairs.acting), pairs.work_on_the_way(gap)

    def _motion(self, pairs: Pairs) -> tuple[Array, tuple[Array, ...]]:
        """Gap now and slip since the beginning of the step along each tangent in µm, all of shape (P,)."""
        moved = self.surfaces.displacement(self._model.state.unknowns.x.array) - self._start
        nodes = self.surfaces.dofs.shape[1]
        both = np.concatenate([moved[pairs.facet, :nodes], moved[pairs.other, :nodes]], axis=1)
        relative = np.einsum("pn,pnd->pd", pairs.shape, both)
        gap = pairs.gap + np.einsum("pd,pd->p", relative, pairs.normal)
        return gap, tuple(np.einsum("pd,pd->p", relative, tangent) for tangent in pairs.tangents)

    def _creep(self) -> float:
        return max(CREEP_VELOCITY * float(self._model.dt.value), LEAST_CREEP)
