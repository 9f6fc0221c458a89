"""The picture shows every phase in its colour, foil at the bottom."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from meshes import MeshFiles
from meshes.picture import COLOURS


def test_every_phase_is_seen_foil_at_the_bottom(small_mesh: MeshFiles) -> None:
    picture = imread(small_mesh.picture)[:, :, :3]
    section = picture[:, : int(0.7 * picture.shape[1])]
    heights = {}
    for phase, colour in COLOURS.items():
        close = (np.abs(section - np.array(to_rgb(colour))) < 0.03).all(axis=2)
        assert close.sum() > 300, phase
        heights[phase] = np.argwhere(close)[:, 0].mean()
    # Rows are counted from the top.
    assert heights["electrolyte"] < heights["graphite"] < heights["copper"]


def test_colours_differ_in_lightness_or_hue() -> None:
    values = np.array([to_rgb(colour) for colour in COLOURS.values()])
    # What remains to a red-green-blind eye: yellow-blue difference and lightness.
    seen = np.column_stack([values[:, :2].mean(axis=1) - values[:, 2], values @ [0.3, 0.6, 0.1]])
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(seen))
    assert gaps.min() > 0.08
