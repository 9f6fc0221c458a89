"""Scalars that live on interface facets, in the normal trace of Raviart-Thomas spaces.

The normal component of RT_k on a facet is a polynomial of degree k-1 of its own, shared by both sides: the lowest
space carries one constant a facet (parameters, averages), the next carries as many values as the interface
quadrature has points (history). Updating is a facet-local projection, exact at the quadrature points.
"""

from __future__ import annotations

from typing import Any

import basix.ufl
import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem as dfem
from dolfinx.la import InsertMode

from fem import compat
from fem.domain import Domain
from fem.interfaces.pairs import InterfaceFacets

# Three Gauss points on an edge, three points on a triangle: as many as the history space has values on a facet, and at
# places where those values determine the polynomial (the six points of degree 3 on a triangle lie on a conic and do
# not). On an edge two points would miss one shape of the opening, and corners would sink into each other.
QUADRATURE_DEGREE = {2: 5, 3: 2}
HISTORY_DEGREE = {2: 3, 3: 2}
# Contact has no history: in sections it acts at the five points of Gauss and Lobatto, both ends among them, as contact
# found by search does. Inside an edge alone it lets the ends of edges that open like a hinge sink in beyond the last
# point, by an eighth of what the other end opens.
_CONTACT_RULE: dict[int, dict[str, Any]] = {2: {"quadrature_rule": "GLL", "quadrature_degree": 7}, 3: {}}


class FacetSpace:
    """Piecewise polynomials on the interface facets.

    Args:
        domain: The mesh.
        interfaces: Its owned interface facets.
        measure: Interior-facet measure over all interfaces with '+'/'-' ordered by grain.
        degree: Degree of the Raviart-Thomas space: 1 for constants, that of ``HISTORY_DEGREE`` for one value a point.
    """

    def __init__(self, domain: Domain, interfaces: InterfaceFacets, measure: Any, degree: int):
        mesh = domain.mesh
        self.space = dfem.functionspace(mesh, basix.ufl.element("RT", mesh.basix_cell(), degree))
        #: Fields with one given value per facet, by name.
        self.named: dict[str, dfem.Function] = {}
        self._normal = ufl.FacetNormal(mesh)
        self._measure = measure
        self._test = ufl.dot(ufl.TestFunction(self.space)("+"), self._normal("+"))
        layout = self.space.dofmap.dof_layout
        facet_dimension = domain.dimension - 1
        local = np.array(
            [layout.entity_dofs(facet_dimension, number) for number in range(domain.dimension + 1)],
            dtype=np.int32,
        )
        quadruples = interfaces.quadruples
        cells = self.space.dofmap.list[quadruples[:, 0]]
        self.facet_dofs: npt.NDArray[np.int32] = np.take_along_axis(cells, local[quadruples[:, 1]], axis=1)
        trial = ufl.dot(ufl.TrialFunction(self.space)("+"), self._normal("+"))
        matrix = dfem.assemble_matrix(
            dfem.form(trial * self._test * measure, jit_options=compat.jit_options())
        )
        matrix.scatter_reverse()
        sparse = matrix.to_scipy()
        rows = self.facet_dofs
        blocks = np.empty((len(rows), rows.shape[1], rows.shape[1]))
        for i in range(rows.shape[1]):
            for j in range(rows.shape[1]):
                blocks[:, i, j] = np.asarray(sparse[rows[:, i], rows[:, j]]).ravel()
        self._mass = blocks
        self._unit = self._project_vector(
            self._assembled(dfem.form(self._test * measure, jit_options=compat.jit_options()))
        )

    def function(self, name: str) -> dfem.Function:
        """A new zero field."""
        return dfem.Function(self.space, name=name)

    def value(self, field: dfem.Function) -> Any:
        """UFL value of a field on the facet."""
        return ufl.dot(field("+"), self._normal("+"))

    def constant(self, name: str, values: npt.NDArray[np.float64]) -> dfem.Function:
        """Field with one given value per owned interface facet, shape (n,)."""
        field = self.named[name] = self.function(name)
        self.set_values(field, values)
        return field

    def set_values(self, field: dfem.Function, values: npt.NDArray[np.float64]) -> None:
        """Set a field to one value per owned interface facet, shape (n,)."""
        field.x.array[self.facet_dofs] = self._unit * values[:, None]
        field.x.scatter_forward()

    def values(self, field: dfem.Function) -> npt.NDArray[np.float64]:
        """Value of a facet-wise constant field on every owned interface facet, shape (n,)."""
        found: npt.NDArray[np.float64] = field.x.array[self.facet_dofs[:, 0]] / self._unit[:, 0]
        return found

    def projection(self, expression: Any, measure: Any = None) -> dfem.Form:
        """Compile the form with which :meth:`update` evaluates ``expression``.

        Args:
            expression: UFL scalar.
            measure: Another measure over the same facets, for :meth:`integrals`; None for that of the space.
        """
        measure = self._measure if measure is None else measure
        return dfem.form(expression * self._test * measure, jit_options=compat.jit_options())

    def update(self, field: dfem.Function, projection: dfem.Form) -> None:
        """Set ``field`` to the projected expression, facet by facet."""
        field.x.array[self.facet_dofs] = self._project_vector(self._assembled(projection))
        field.x.scatter_forward()

    def integrals(self, projection: dfem.Form) -> npt.NDArray[np.float64]:
        """Integral of the projected expression over every owned interface facet, shape (n,)."""
        return np.einsum("fi,fi->f", self._assembled(projection), self._unit)

    def _assembled(self, form: dfem.Form) -> npt.NDArray[np.float64]:
        vector = dfem.assemble_vector(form)
        vector.scatter_reverse(InsertMode.add)
        vector.scatter_forward()
        values: npt.NDArray[np.float64] = vector.array[self.facet_dofs]
        return values

    def _project_vector(self, moments: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if len(moments) == 0:
            return moments
        return np.asarray(np.linalg.solve(self._mass, moments[:, :, None])[:, :, 0], dtype=np.float64)


def interface_measure(domain: Domain, interfaces: InterfaceFacets, tag: int = 1) -> Any:
    """Interior-facet measure over all interfaces, '+' and '-' ordered by grain."""
    return ufl.Measure(
        "dS",
        domain=domain.mesh,
        subdomain_data=[(tag, interfaces.quadruples.ravel())],
        subdomain_id=tag,
        metadata={"quadrature_degree": QUADRATURE_DEGREE[domain.dimension]},
    )


def contact_measure(domain: Domain, measure: Any) -> Any:
    """The measure of contact between paired facets, from that of the interfaces."""
    return measure(metadata=measure.metadata() | _CONTACT_RULE[domain.dimension])
