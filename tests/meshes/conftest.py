"""A small electrode that meshes in about a second, and its mesh, made once."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from meshes import MeshFiles, generate, read_recipe

SMALL: dict[str, Any] = {
    "seed": 5,
    "width_um": 16.0,
    "active_loading_mg_cm2": 2.6,
    "porosity": 0.10,
    "composition": {
        "graphite_wt_percent": 87.628,
        "silicon_wt_percent": 7.372,
        "binder_wt_percent": 5.0,
        "lithium_wt_percent_of_active": 3.0,
    },
    "lithium": {"diameter_um": 3.5, "diameter_spread_um": 0.3},
    "strips": {"foil_um": 2.0, "electrolyte_um": 3.0},
    "resolution": {"element_size_um": 1.0},
}


@pytest.fixture
def table() -> dict[str, Any]:
    """The [mesh] table of a small electrode, to be changed at will."""
    return copy.deepcopy(SMALL)


@pytest.fixture(scope="session")
def small_mesh(tmp_path_factory: pytest.TempPathFactory) -> MeshFiles:
    """Its mesh; not to be changed."""
    return generate(read_recipe(copy.deepcopy(SMALL)), tmp_path_factory.mktemp("small"), "small")


@pytest.fixture(scope="session")
def small_sidecar(small_mesh: MeshFiles) -> dict[str, Any]:
    """The sidecar of that mesh."""
    return json.loads(Path(small_mesh.sidecar).read_text(encoding="utf-8"))
