"""The finished geometry handed to Gmsh: straight-edged grains, checked to tile the box and to have their areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints, rows
from .bodies import Body
from .errors import GeometryError
from .network import Network

#: Sharpest corner let through, degrees.
SHARPEST_DEGREES = 15.0
#: Share of its recipe's area by which a grain may miss it.
AREA_TOLERANCE = 0.01


@dataclass(frozen=True)
class Geometry:
    """Straight-edged grains that tile a box.

    Attributes:
        vertices: shape (n, 2), um.
        edges: vertex pairs, shape (m, 2).
        sides: grain on the left and right of each edge, -1 outside.
        loops: boundary loops of each grain as signed edge numbers (edge + 1, negative if run backwards).
        phases: phase of each grain.
        targets: area of each grain's body, um2.
        size: width and height of the box, um.
    """

    vertices: Floats
    edges: Ints
    sides: Ints
    loops: list[list[list[int]]]
    phases: list[str]
    targets: Floats
    size: tuple[float, float]


def finish(network: Network, bodies: Sequence[Body]) -> Geometry:
    """Check a relaxed network and turn it into a geometry.

    Args:
        network: relaxed.
        bodies: the bodies it shows, in order.

    Returns:
        The geometry; grains keep the order of the bodies.

    Raises:
        GeometryError: a pinched or split grain, crossing boundaries, a corner too sharp, a wrong area.
    """
    targets = np.array([body.area for body in bodies])
    missed = np.abs(network.areas(len(bodies)) / targets - 1.0)
    if float(missed.max()) > AREA_TOLERANCE:
        raise GeometryError(f"grain {int(missed.argmax())} misses its area by {100 * missed.max():.2g} %")
    _refuse_crossings(network)
    edges = rows(network.edges)
    number = {(a, b): e + 1 for e, (a, b) in enumerate(edges)}
    number.update({(b, a): -e - 1 for e, (a, b) in enumerate(edges)})
    loops = network.loops()
    signed: list[list[list[int]]] = []
    for body in range(len(bodies)):
        corners = [v for loop in loops.get(body, []) for v in loop]
        if len(set(corners)) != len(corners):
            raise GeometryError(f"grain {body} touches itself")
        if [_turning(network.vertices[loop]) for loop in loops.get(body, [])].count(1) != 1:
            raise GeometryError(f"grain {body} is not one piece")
        ordered = sorted(loops[body], key=lambda loop: -_turning(network.vertices[loop]))
        signed.append(
            [[number[(loop[k], loop[(k + 1) % len(loop)])] for k in range(len(loop))] for loop in ordered]
        )
    for loops_of_body in loops.values():
        for loop in loops_of_body:
            sharpest = _sharpest(network.vertices[loop])
            if sharpest < SHARPEST_DEGREES:
                raise GeometryError(f"a corner of {sharpest:.1f} degrees is left")
    phases = [body.phase for body in bodies]
    return Geometry(network.vertices, network.edges, network.sides, signed, phases, targets, network.size)


def _turning(loop: Floats) -> int:
    """1 for an anticlockwise loop, -1 for a clockwise one."""
    following = np.roll(loop, -1, axis=0)
    return 1 if float((loop[:, 0] * following[:, 1] - loop[:, 1] * following[:, 0]).sum()) > 0.0 else -1


def _sharpest(loop: Floats) -> float:
    """Smallest interior angle of a loop that has its grain on the left, degrees."""
    back, ahead = np.roll(loop, 1, axis=0) - loop, np.roll(loop, -1, axis=0) - loop
    turn = ahead[:, 0] * back[:, 1] - ahead[:, 1] * back[:, 0]
    angle = np.mod(np.arctan2(turn, (ahead * back).sum(axis=1)), 2.0 * np.pi)
    return float(np.rad2deg(angle.min()))


def _refuse_crossings(network: Network) -> None:
    """Raise if two edges that share no vertex meet."""
    x = network.vertices
    a, b = x[network.edges[:, 0]], x[network.edges[:, 1]]
    low, high = np.minimum(a, b), np.maximum(a, b)
    for e in range(len(a)):
        near = np.flatnonzero(((low[e + 1 :] <= high[e]) & (high[e + 1 :] >= low[e])).all(axis=1)) + e + 1
        apart = (network.edges[near][:, :, None] != network.edges[e][None, None, :]).all(axis=(1, 2))
        near = near[apart]
        if len(near) == 0:
            continue

        def side(p: Floats, q: Floats, r: Floats) -> Floats:
            return np.asarray(
                (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1])
                - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
            )

        one = side(a[e], b[e], a[near]) * side(a[e], b[e], b[near])
        two = side(a[near], b[near], a[e]) * side(a[near], b[near], b[e])
        if bool(((one <= 0.0) & (two <= 0.0)).any()):
            raise GeometryError("grain boundaries cross")
