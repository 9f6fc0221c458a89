"""Where fillings of pores meet the boundary between two grains: corners that must not hold the grains together.

A filling is continuous, and so is its corner: where the boundary between two grains ends at a pore, one node of the
filling touches both. Tied to either, it would hold them together with forces that nothing real exerts: on the tests'
tiny electrode they cost four tenths of the thickening. The facets around such a node are therefore tied as softly as
the filling itself is, and its corner hangs loose between grains that part.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from dolfinx import fem as dfem
from dolfinx import la

from fem.domain import Domain
from fem.interfaces.pairs import InterfaceFacets
from fem.state import FieldDofs


def at_grain_boundaries(
    domain: Domain, interfaces: InterfaceFacets, dofs: FieldDofs, fillings: Collection[int]
) -> npt.NDArray[np.bool_]:
    """Interface facets that touch a node which two or more grains, fillings not counted, have in common.

    Args:
        domain: The mesh.
        interfaces: Its interface facets.
        dofs: Of the broken space, where every pair of a node and a grain has its own and one rank owns it.
        fillings: Indices into ``domain.phases``.

    Returns:
        One value an interface facet that this rank owns, shape (n,).
    """
    counts = dfem.Function(dfem.functionspace(domain.mesh, ("Lagrange", 1)))
    nodes = counts.function_space.dofmap.list
    solid = ~np.isin(domain.cell_phase, list(fillings))
    pairs = dofs.cell_displacement[:, : domain.dimension + 1, 0]
    once, first = np.unique(pairs[solid], return_index=True)
    np.add.at(counts.x.array, nodes[solid].ravel()[first[once < dofs.owned]], 1.0)
    counts.x.scatter_reverse(la.InsertMode.add)
    counts.x.scatter_forward()
    shared = counts.x.array > 1.5
    cell, opposite = interfaces.quadruples[:, 0], interfaces.quadruples[:, 1]
    corners = shared[nodes[cell]]
    corners[np.arange(len(cell)), opposite] = False
    return np.asarray(np.any(corners, axis=1))
