"""Environment variables that hold inside every environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from setup.packages import REPOSITORY
from setup.places import compiled_folder, home_folder

INSIDE = "SWELLBOUND_INSIDE"

# Root in a container, or in the private root, may use MPI; more ranks than cores are allowed (tests on 3 ranks), and ranks
# are not tied to cores: two runs side by side would be tied to the same ones. Spelt for Open MPI 4 and for Open MPI 5 (PRTE);
# MPICH needs none of it and ignores all.
MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}


def inside(name: str, outside: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables for a program inside an environment.

    Args:
        name: the environment's name.
        outside: the variables outside; this process's if None.

    Returns:
        All variables. What the user set for MPI stays; threads are one a rank, because MUMPS on two ranks was four times
        slower without.
    """
    variables = dict(os.environ if outside is None else outside)
    for key, value in MPI.items():
        variables.setdefault(key, value)
    variables.setdefault("MPLBACKEND", "Agg")
    paths = [str(REPOSITORY), *(path for path in variables.get("PYTHONPATH", "").split(os.pathsep) if path)]
    variables.update(
        {
            INSIDE: name,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
            "SWELLBOUND_HOME": str(home_folder()),
            # DOLFINx keeps compiled forms in $XDG_CACHE_HOME/fenics.
            "XDG_CACHE_HOME": str(compiled_folder(name)),
        }
    )
    return variables
