"""Finite-strain kinematics F = Fe Fp Fc, always as 3 × 3 tensors (plane strain in 2D)."""

from __future__ import annotations

from typing import Any

import ufl


def embedded_gradient(field: Any, dimension: int) -> Any:
    """Gradient of a vector field as a 3 × 3 tensor; in 2D the third row and column are zero."""
    gradient = ufl.grad(field)
    if dimension == 3:
        return gradient
    return ufl.as_tensor(
        [[gradient[0, 0], gradient[0, 1], 0], [gradient[1, 0], gradient[1, 1], 0], [0, 0, 0]]
    )


def deformation_gradient(displacement: Any, dimension: int) -> Any:
    """Deformation gradient F, 3 × 3; F33 = 1 in 2D (plane strain)."""
    return ufl.Identity(3) + embedded_gradient(displacement, dimension)


def inverse_swelling(volume_ratio: Any, dimension: int) -> Any:
    """Inverse of the swelling deformation Fc with det Fc = ``volume_ratio``.

    In 3D swelling is isotropic, Fc = J_c^(1/3) I. In 2D plane strain that form would lock the out-of-plane part
    (4 % of graphite strain, about 600 MPa), so Fc = diag(J_c^½, J_c^½, 1): the area ratio is J_c and a
    laterally confined layer thickens as it does in 3D. This is a simplification, and it is reported.
    """
    if dimension == 3:
        return volume_ratio ** (-1.0 / 3.0) * ufl.Identity(3)
    in_plane = volume_ratio ** (-0.5)
    return ufl.as_tensor([[in_plane, 0, 0], [0, in_plane, 0], [0, 0, 1]])


def swelling_trace(tensor: Any, dimension: int) -> Any:
    """``tensor`` : dFc/dJ_c Fc⁻¹ · J_c, the mean over the directions that swell."""
    if dimension == 3:
        return ufl.tr(tensor) / 3.0
    return (tensor[0, 0] + tensor[1, 1]) / 2.0


def symmetric_from_vector(components: Any, dimension: int) -> Any:
    """Symmetric 3 × 3 tensor from (11, 22, 33, 12) in 2D or (11, 22, 33, 12, 13, 23) in 3D."""
    a = components
    if dimension == 2:
        return ufl.as_tensor([[a[0], a[3], 0], [a[3], a[1], 0], [0, 0, a[2]]])
    return ufl.as_tensor([[a[0], a[3], a[4]], [a[3], a[1], a[5]], [a[4], a[5], a[2]]])


def vector_from_symmetric(tensor: Any, dimension: int) -> Any:
    """Inverse of :func:`symmetric_from_vector`."""
    diagonal = [tensor[0, 0], tensor[1, 1], tensor[2, 2], tensor[0, 1]]
    return ufl.as_vector(diagonal if dimension == 2 else [*diagonal, tensor[0, 2], tensor[1, 2]])


def symmetric_size(dimension: int) -> int:
    """Number of independent components of a symmetric tensor with the symmetry of the model."""
    return 4 if dimension == 2 else 6


def rotated_normal(displacement: Any, normal: Any) -> Any:
    """Unit normal of the mid-surface of an interface in the deformed state, pointing from '+' to '-'.

    By Nanson's formula with the mean of both sides' deformation, cof(F̄) N / |cof(F̄) N|; it depends on the
    tangential derivatives only, so that opening does not turn it.
    """
    dimension = normal.ufl_shape[0]
    mean = ufl.Identity(dimension) + ufl.avg(ufl.grad(displacement))
    turned = ufl.det(mean) * ufl.inv(mean).T * normal("+")
    return turned / ufl.sqrt(ufl.inner(turned, turned))
