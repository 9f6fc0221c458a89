"""The opening of an interface, split into its normal and tangential parts."""

from __future__ import annotations

from typing import Any

import ufl


def split_opening(opening: Any, normal: Any) -> tuple[Any, Any]:
    """Normal opening (scalar, positive when open) and tangential opening (vector), both in µm."""
    along = ufl.dot(opening, normal)
    return along, opening - along * normal
