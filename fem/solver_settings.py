"""Settings of the nonlinear and linear solver."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SolverSettings:
    """Settings of the nonlinear and linear solver.

    Attributes:
        force_tolerance: Largest nodal force imbalance in MPa·µm (per µm of depth in 2D).
        lithium_tolerance: Largest nodal lithium imbalance relative to a node's capacity.
        lithium_aim: The same below which nothing more is asked for. Between the two one more iteration is spent, so
            that what is left is rounding (its floor grows with the step, so it is no tolerance): this is what the
            lithium book loses.
        potential_tolerance: Largest error of the chemical potential in pJ/fmol.
        displacement_tolerance: Largest last change of displacement in µm.
        maximum_iterations: Newton iterations before a step is given up.
        patience: Iterations without progress after which the grains that hold it up are slowed.
        first_update: Change of displacement in µm that the first iteration may make.
        largest_update: Largest change of displacement in one iteration in µm.
        largest_strain: Largest change of the displacement gradient of a solid cell in one iteration.
        line_search: PETSc line search: ``bt`` or ``basic``.
        kept_tangent: An iteration goes on with the tangent of the one before where that one has left less than this
            share of every field's imbalance (fem/kept_tangent.py; a tenth in cases); 0 for one of its own each time.
        symmetric: Factorise L D Lᵀ of the upper triangle of the tangent, which takes two thirds of the time of L U.
            For mechanics without flow and friction at small strain, where the tangent is symmetric but for terms of
            the order of the strain; convergence is then linear at that rate. Only with the line search ``basic``.
        linear: Solver of the linear systems: ``direct``, ``iterative``, or ``auto``, which takes the iterative one for
            three dimensions and many unknowns (fem/linear_solver.py).
        linear_tolerance: What the iterative solver leaves of a residual, every field in units of its own tolerance.
        linear_iterations: Iterations of the iterative solver after which a step has failed.
    """

    force_tolerance: float = 1.0e-6
    lithium_tolerance: float = 1.0e-9
    lithium_aim: float = 1.0e-11
    potential_tolerance: float = 1.0e-6
    displacement_tolerance: float = 1.0e-5
    maximum_iterations: int = 30
    patience: int = 8
    first_update: float = 0.1
    largest_update: float = 0.5
    largest_strain: float = 0.1
    line_search: str = "basic"
    kept_tangent: float = 0.0
    symmetric: bool = False
    linear: str = "direct"
    linear_tolerance: float = 1.0e-3
    linear_iterations: int = 200
