"""Environment variables that hold inside every environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from setup.packages import REPOSITORY
from setup.places import compiled_folder, home_folder

INSIDE = "SWELLBOUND_INSIDE"

# More ranks than cores are allowed (tests on 3 ranks), and ranks are not tied to cores: two runs side by side would be
# tied to the same ones. Every Open MPI has its own words for that and complains about those of the others.
# A rank that waits gives its core away: where others work on the same cores, two ranks were seven times slower without.
OPEN_MPI = {
    4: {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none"},
    5: {
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "PRTE_MCA_hwloc_default_binding_policy": "none",
    },
    6: {"PRTE_MCA_mapby": ":oversubscribe", "PRTE_MCA_bindto": "none"},
}


def mpi_variables(version: str) -> dict[str, str]:
    """Variables that let MPI run as root (in a container, in the private root) and on more ranks than cores.

    Args:
        version: first line of `mpirun --version`.

    Returns:
        The words of that MPI; MPICH needs none.
    """
    found = re.search(r"Open MPI\D*(\d+)\.", version)
    if found is None:
        return {}
    words = OPEN_MPI[min(max(int(found.group(1)), min(OPEN_MPI)), max(OPEN_MPI))]
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {**as_root, "OMPI_MCA_mpi_yield_when_idle": "1", **words}


def inside(name: str, mpi: str, outside: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables for a program inside an environment.

    Args:
        name: the environment's name.
        mpi: first line of `mpirun --version` inside it.
        outside: the variables outside; this process's if None.

    Returns:
        All variables. What the user set for MPI stays; threads are one a rank, because MUMPS on two ranks was four
        times slower without.
    """
    variables = dict(os.environ if outside is None else outside)
    for key, value in mpi_variables(mpi).items():
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


def on_one_machine(variables: Mapping[str, str]) -> dict[str, str]:
    """Lets Debian's Open MPI use shared memory only, instead of looking for networks and complaining about them.

    Args:
        variables: those inside an environment.

    Returns:
        The same with OMPI_MCA_btl, unless the user has set it.
    """
    return {"OMPI_MCA_btl": "self,sm", **variables}
