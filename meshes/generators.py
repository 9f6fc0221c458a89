"""Generators of bodies: strings along flakes, single points for compact bodies, rings around bodies within flakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints, norms
from .bodies import Body
from .errors import GeometryError

#: Spacing of a flake's generators over its thickness: small enough that boundaries come out nearly straight.
STRING_SPACING = 0.4
#: Generators of the flake around a body within it, which make that body a compact polygon.
RING = 9


@dataclass(frozen=True)
class Seat:
    """Where a body sits within a flake.

    Attributes:
        flake: index of the flake.
        share: along the flake's axis, 0 to 1.
    """

    flake: int
    share: float


def place_generators(
    bodies: Sequence[Body], centres: Floats, width: float, height: float, seats: Mapping[int, Seat]
) -> tuple[Floats, Ints, Floats]:
    """Generators of all bodies, pushed as a whole into the box where they stick out.

    Args:
        bodies: the bodies.
        centres: their centres, shape (bodies, 2), um; that of a seated body follows from its flake.
        width: of the box, um.
        height: of the box, um.
        seats: the bodies that sit within flakes.

    Returns:
        Generators, shape (n, 2), um; the body of each, shape (n,); the centres as placed, shape (bodies, 2).
    """
    strings = [_string(body, centres[i : i + 1], width, height) for i, body in enumerate(bodies)]
    for i, seat in seats.items():
        ends = strings[seat.flake][[0, -1]]
        strings[i] = (ends[:1] + seat.share * (ends[1:] - ends[:1])).copy()
    placed = np.array([string.mean(axis=0) for string in strings])
    turns = 2.0 * np.pi * np.arange(RING) / RING
    circle = np.column_stack([np.cos(turns), np.sin(turns)])
    for flake in sorted({seat.flake for seat in seats.values()}):
        guests = [i for i, seat in seats.items() if seat.flake == flake]
        rings = {i: ring_radius(bodies[i], bodies[flake]) for i in guests}
        own = [strings[flake], *(placed[i] + rings[i] * circle for i in guests)]
        for i in guests:
            # The axis stops at the ring; a ring stops where it would cut into another guest.
            own[0] = own[0][norms(own[0] - placed[i]) > 1.05 * rings[i]]
            for k, other in enumerate(guests):
                if other != i:
                    reach = 0.5 * bodies[i].length + 0.35 * (rings[i] - 0.5 * bodies[i].length)
                    own[k + 1] = own[k + 1][norms(own[k + 1] - placed[i]) > reach]
        inside = np.concatenate(own)
        margin = 0.05 * bodies[flake].thickness
        strings[flake] = inside[
            (inside > margin).all(axis=1) & (inside < np.array([width, height]) - margin).all(axis=1)
        ]
    owner = np.repeat(np.arange(len(strings)), [len(string) for string in strings])
    return np.concatenate(strings), owner.astype(np.int64), placed


def ring_radius(guest: Body, flake: Body) -> float:
    """Radius (um) of the ring of a flake's generators around a body within it: half-way to the flake's face."""
    return 0.5 * (0.5 * guest.length + 0.5 * flake.thickness)


def choose_seats(
    bodies: Sequence[Body], guests: Sequence[int], random: np.random.Generator
) -> dict[int, Seat]:
    """Seats for bodies within flakes, at random, clear of each other.

    Args:
        bodies: all bodies.
        guests: those to be seated.
        random: source of all randomness.

    Returns:
        The seat of each.

    Raises:
        GeometryError: if there is not enough room.
    """
    flakes = [i for i, body in enumerate(bodies) if body.phase == "graphite"]
    free = [
        Seat(i, float(share))
        for i in flakes
        for share in (np.linspace(0.0, 1.0, 41) if bodies[i].aspect > 1.0 else [0.5])
        if bodies[i].thickness > 0.0
    ]
    seats: dict[int, Seat] = {}
    for i in sorted(guests, key=lambda i: -bodies[i].length):
        fitting = [seat for seat in free if 0.5 * bodies[i].length < 0.4 * bodies[seat.flake].thickness]
        if not fitting:
            raise GeometryError("there is no place left within the flakes")
        seat = fitting[int(random.integers(len(fitting)))]
        seats[i] = seat
        axis = bodies[seat.flake].length - bodies[seat.flake].thickness
        gap = 2.0 * ring_radius(bodies[i], bodies[seat.flake])
        free = [
            other for other in free if other.flake != seat.flake or abs(other.share - seat.share) * axis > gap
        ]
    return seats


def _string(body: Body, centre: Floats, width: float, height: float) -> Floats:
    """Generators of one body along its axis through ``centre`` (shape (1, 2)), shape (n, 2), um."""
    half = 0.5 * (body.length - body.thickness)
    number = 1 + int(np.ceil(2.0 * half / (STRING_SPACING * body.thickness) - 1e-9)) if half > 0.0 else 1
    along = np.linspace(-half, half, number) if number > 1 else np.zeros(1)
    string = np.asarray(centre + along[:, None] * [np.cos(body.angle), np.sin(body.angle)])
    margin = min(0.35 * body.thickness, 0.2 * min(width, height))
    for axis, size in ((0, width), (1, height)):
        low, high = string[:, axis].min(), string[:, axis].max()
        if high - low > size - 2.0 * margin:
            string[:, axis] = margin + (string[:, axis] - low) * (size - 2.0 * margin) / (high - low)
        else:
            string[:, axis] += max(0.0, margin - low) - max(0.0, high - size + margin)
    return string
