"""The planar network of grain boundaries: vertices, straight edges and the body on either side of each.

Bodies are numbered from 0; ``OUTSIDE`` lies beyond the box. A body's area follows from its edges alone, so the network
can be moved about without keeping faces; loops are only traced when the geometry is handed on.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .arrays import Bools, Floats, Ints, norms, rows
from .errors import GeometryError
from .tessellation import Diagram

OUTSIDE = -1
#: Vertices nearer than this (um) are one: rounding of the diagram is far below, any real edge far above.
MERGE_UM = 1e-6


@dataclass
class Network:
    """Vertices and edges.

    Attributes:
        vertices: shape (n, 2), um.
        edges: start and end vertex, shape (m, 2).
        sides: body on the left and on the right going from start to end, shape (m, 2).
        size: width and height of the box, um.
    """

    vertices: Floats
    edges: Ints
    sides: Ints
    size: tuple[float, float]

    def free(self) -> Bools:
        """Whether each coordinate may move: not across the wall a vertex lies on. Shape (n, 2)."""
        away = np.abs(self.vertices[:, None, :] - np.array([[0.0, 0.0], self.size])[None, :, :]) > MERGE_UM
        return np.asarray(away.all(axis=1))

    def areas(self, bodies: int) -> Floats:
        """Area of each body, um2."""
        a, b = self.vertices[self.edges[:, 0]], self.vertices[self.edges[:, 1]]
        cross = 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        area = np.zeros(bodies + 1)
        np.add.at(area, self.sides[:, 0], cross)
        np.add.at(area, self.sides[:, 1], -cross)
        return area[:bodies]

    def lengths(self) -> Floats:
        """Length of each edge, um."""
        return norms(self.vertices[self.edges[:, 1]] - self.vertices[self.edges[:, 0]])

    def degrees(self) -> Ints:
        """Number of edges at each vertex."""
        return np.bincount(self.edges.ravel(), minlength=len(self.vertices)).astype(np.int64)

    def around(self) -> list[list[int]]:
        """Edges at each vertex, anticlockwise by direction."""
        incident: list[list[tuple[float, int]]] = [[] for _ in self.vertices]
        direction = self.vertices[self.edges[:, 1]] - self.vertices[self.edges[:, 0]]
        forward = np.arctan2(direction[:, 1], direction[:, 0])
        backward = np.arctan2(-direction[:, 1], -direction[:, 0])
        for e, (start, end) in enumerate(rows(self.edges)):
            incident[start].append((float(forward[e]), e))
            incident[end].append((float(backward[e]), e))
        return [[e for _, e in sorted(fan)] for fan in incident]

    def loops(self) -> dict[int, list[list[int]]]:
        """Boundary loops of each body as vertex lists, the body on the left (outer anticlockwise, holes clockwise)."""
        around = self.around()
        place = [{e: k for k, e in enumerate(fan)} for fan in around]
        loops: dict[int, list[list[int]]] = defaultdict(list)
        used: set[tuple[int, int]] = set()
        edges, sides = rows(self.edges), rows(self.sides)
        for e in range(len(edges)):
            for way in (0, 1):
                body = sides[e][way]
                if body == OUTSIDE or (e, way) in used:
                    continue
                loop: list[int] = []
                at, side = e, way
                while (at, side) not in used:
                    used.add((at, side))
                    loop.append(edges[at][side])
                    head = edges[at][1 - side]
                    fan = around[head]
                    # Keeping the body on the left, leave by the edge next clockwise from the one arrived by.
                    at = fan[place[head][at] - 1]
                    side = 0 if edges[at][0] == head else 1
                    if sides[at][side] != body:
                        raise GeometryError("grain boundaries do not close")
                loops[body].append(loop)
        return dict(loops)

    def compact(self) -> None:
        """Drop vertices without edges."""
        used = np.zeros(len(self.vertices), dtype=bool)
        used[self.edges.ravel()] = True
        self.vertices = self.vertices[used]
        self.edges = (np.cumsum(used) - 1)[self.edges]


class AreaMap:
    """Areas of bodies as a function of the vertices, for a network whose topology stays.

    Areas are quadratic in the coordinates, so their gradient is linear: its entries are one sparse product away.
    """

    def __init__(self, network: Network, bodies: int) -> None:
        """Set up the pattern.

        Args:
            network: the network; later changes of its vertices are allowed, of its edges not.
            bodies: number of bodies.
        """
        count = 2 * len(network.vertices)
        ia, ib = 2 * network.edges[:, 0], 2 * network.edges[:, 1]
        # Twice the area gains ax by - ay bx on the left: four entries of the gradient, each one coordinate.
        columns = np.tile(np.concatenate([ia, ia + 1, ib, ib + 1]), 2)
        sources = np.tile(np.concatenate([ib + 1, ib, ia + 1, ia]), 2)
        sign = np.repeat([0.5, -0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5], len(network.edges))
        rows = np.concatenate([np.tile(network.sides[:, 0], 4), np.tile(network.sides[:, 1], 4)])
        inside = rows != OUTSIDE
        places, entry = np.unique(rows[inside] * count + columns[inside], return_inverse=True)
        self._shape = (bodies, count)
        self._columns = places % count
        self._starts = np.searchsorted(places // count, np.arange(bodies + 1))
        self._map = sparse.csr_matrix((sign[inside], (entry, sources[inside])), shape=(len(places), count))
        self._free = network.free().ravel()[self._columns].astype(float)

    def evaluate(self, vertices: Floats) -> tuple[Floats, sparse.csr_matrix]:
        """Areas, shape (bodies,), um2, and their gradient along the free coordinates, shape (bodies, 2 n)."""
        entries = self._map @ vertices.ravel()
        full = sparse.csr_matrix((entries, self._columns, self._starts), shape=self._shape)
        return 0.5 * (full @ vertices.ravel()), sparse.csr_matrix(
            (entries * self._free, self._columns, self._starts), shape=self._shape
        )


def extract_network(diagram: Diagram, owner: Ints, bodies: int, width: float, height: float) -> Network:
    """Boundaries between bodies (and walls) of a power diagram.

    Args:
        diagram: the diagram.
        owner: body of each generator.
        bodies: number of bodies.
        width: of the box, um.
        height: of the box, um.

    Returns:
        The network; every body is one connected piece.

    Raises:
        GeometryError: if a body falls into pieces of which the smaller hold more than a tenth of it.
    """
    label = _joined(diagram, owner, bodies)
    second = np.where(diagram.second >= 0, label[diagram.second], OUTSIDE)
    first = label[diagram.first]
    keep = (first != second) & (norms(diagram.end - diagram.start) > 0.0)
    start, end, first, second = diagram.start[keep], diagram.end[keep], first[keep], second[keep]
    points = np.concatenate([start, end])
    close = cKDTree(points).query_pairs(MERGE_UM, output_type="ndarray")
    graph = sparse.coo_matrix((np.ones(len(close)), (close[:, 0], close[:, 1])), shape=(len(points),) * 2)
    count, cluster = connected_components(graph, directed=False)
    vertices = np.zeros((count, 2))
    vertices[cluster] = points
    for axis, size in enumerate((width, height)):
        for wall in (0.0, size):
            vertices[np.abs(vertices[:, axis] - wall) < MERGE_UM, axis] = wall
    edges = np.column_stack([cluster[: len(start)], cluster[len(start) :]]).astype(np.int64)
    real = edges[:, 0] != edges[:, 1]
    edges, first, second = edges[real], first[real], second[real]

    network = Network(vertices, edges, np.column_stack([first, second]), (width, height))
    # A generator may lie outside its own power cell, but the order of two along their line is kept.
    generator, beyond = diagram.first[keep][real], diagram.second[keep][real]
    along = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    middle = 0.5 * (vertices[edges[:, 1]] + vertices[edges[:, 0]])
    towards_first = np.where(
        (beyond >= 0)[:, None],
        diagram.points[generator] - diagram.points[beyond],
        np.array([width, height]) / 2.0 - middle,
    )
    turned = along[:, 0] * towards_first[:, 1] - along[:, 1] * towards_first[:, 0] < 0.0
    network.sides[turned] = network.sides[turned][:, ::-1]
    network.compact()
    return network


def _joined(diagram: Diagram, owner: Ints, bodies: int) -> Ints:
    """Body of each generator after small cut-off pieces went to the neighbour they share the longest boundary with."""
    label = owner.copy()
    inner = (diagram.second >= 0) & (norms(diagram.end - diagram.start) > MERGE_UM)
    first, second = diagram.first[inner], diagram.second[inner]
    length = norms(diagram.end[inner] - diagram.start[inner])
    same = label[first] == label[second]
    graph = sparse.coo_matrix(
        (np.ones(int(same.sum())), (first[same], second[same])), shape=(len(owner),) * 2
    )
    count, piece = connected_components(graph, directed=False)
    area = np.bincount(piece, diagram.areas, count)
    whole = np.bincount(owner, diagram.areas, bodies)
    piece_body = np.zeros(count, dtype=np.int64)
    piece_body[piece] = owner
    largest = np.full(bodies, -1)
    for k in np.argsort(area):
        largest[piece_body[k]] = k
    for k in np.flatnonzero(largest[piece_body] != np.arange(count)):
        if area[k] > 0.1 * whole[piece_body[k]]:
            raise GeometryError(f"body {piece_body[k]} falls into pieces")
        touching: dict[int, float] = defaultdict(float)
        for one, two in ((first, second), (second, first)):
            for e in np.flatnonzero((piece[one] == k) & (piece[two] != k)):
                touching[int(label[two[e]])] += float(length[e])
        if touching:
            label[piece == k] = max(touching, key=lambda body: touching[body])
    return label
