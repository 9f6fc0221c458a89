"""Makes the synthetic stack that ships as the example of a mesh from an image: run/data/stack.tif.

Forty slices of 48 x 48 voxels of 0.25 um, as a segmented FIB-SEM stack comes: 0 pore, 1 graphite, 2 silicon, 3 binder.
Flakes and balls are drawn one over the other; the seed is fixed. Usage: python3 docs/make_stack.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tifffile import imwrite

SHAPE = (40, 48, 48)  # slices from the foil upwards, depth, width
VOXEL_UM = 0.25


def main() -> None:
    """Draw and write the stack."""
    random = np.random.default_rng(4)
    z, y, x = (VOXEL_UM * (np.indices(SHAPE)[k] + 0.5) for k in range(3))
    size = VOXEL_UM * np.array(SHAPE[::-1])
    stack = np.zeros(SHAPE, dtype=np.uint8)
    taken: list[np.ndarray] = []

    def place(apart: float) -> np.ndarray:
        """The candidate farthest from what was placed before, heights counted twice."""
        centres = random.random((60, 3)) * size
        if taken:
            gap = (centres[:, None] - np.array(taken)[None]) * [1.0, 1.0, 2.0]
            centres = centres[np.argsort(-np.sqrt((gap**2).sum(axis=2)).min(axis=1))]
        taken.append(centres[0])
        return centres[0] * apart + 0.5 * size * (1.0 - apart)

    for value, count, radius, flatness in ((1, 24, 3.4, 1.8), (2, 5, 1.35, 1.0), (3, 4, 1.2, 1.0)):
        for _ in range(count):
            centre = place(1.0 if value == 1 else 0.8)
            tilt = np.deg2rad(random.normal(0.0, 12.0))
            dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
            along, across = np.cos(tilt) * dx + np.sin(tilt) * dz, -np.sin(tilt) * dx + np.cos(tilt) * dz
            r = radius * random.uniform(0.9, 1.1)
            stack[along**2 + dy**2 + (flatness * across) ** 2 < r**2] = value
    target = Path(__file__).parents[1] / "run" / "data" / "stack.tif"
    imwrite(target, stack, compression="zlib", metadata=None)
    share = np.bincount(stack.ravel(), minlength=4) / stack.size
    print(f"{target}: {target.stat().st_size} bytes; pore, graphite, silicon, binder {np.round(share, 3)}")


if __name__ == "__main__":
    main()
