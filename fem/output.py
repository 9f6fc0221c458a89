"""Field files for ParaView that show true gaps, and the arrays of a picture of the deformed section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from fem.cell_fields import Array, CellFields
from fem.crack_risk import CrackRisk
from fem.errors import OutputError
from fem.facet_geometry import facet_side
from fem.model import ElectrodeModel
from fem.vtu import (
    QUADRATIC_TETRAHEDRON,
    QUADRATIC_TRIANGLE,
    Grid,
    write_collection,
    write_piece,
    write_pieces,
)


class SectionData(TypedDict):
    """Arrays to draw a deformed 2D section, in an order that does not depend on the number of ranks.

    Keys:
        corners: Deformed corners of every cell in µm, shape (cells, 3, 2).
        middles: Deformed midpoints of the edges 01, 12 and 20 in µm, shape (cells, 3, 2).
        phase: Index into ``phases``, shape (cells,).
        grain: Number of the grain, shape (cells,).
        lithiation: Mean x of every cell (what is left, in metal; zero where nothing is stored), shape (cells,).
        stress: Largest principal Cauchy stress in MPa, shape (cells,).
        crack_probability: Of the cell's grain, so far (zero where it is not judged), shape (cells,).
        stress_intensity: Largest K_I / K_IC so far (zero where it is not judged), shape (cells,).
        facets: Deformed ends of every interface facet in µm, shape (facets, sides '+' and '-', ends, 2).
        debonded: Mean debonded share of every interface facet, shape (facets,).
        kind: Index into ``kinds``, shape (facets,).
        phases: Names of the phases.
        kinds: Names of the kinds of interface.
    """

    corners: Array
    middles: Array
    phase: npt.NDArray[np.int32]
    grain: npt.NDArray[np.int32]
    lithiation: Array
    stress: Array
    crack_probability: Array
    stress_intensity: Array
    facets: Array
    debonded: Array
    kind: npt.NDArray[np.int32]
    phases: npt.NDArray[np.str_]
    kinds: npt.NDArray[np.str_]


class FieldWriter:
    """Writes the current state as ``fields.pvd`` with one frame per call.

    Every cell has its own nodes, so that ParaView's "Warp By Vector" with ``displacement`` shows gaps as they are. Each
    rank writes its own piece; a frame is listed only once all pieces are there.

    Args:
        model: The coupled model; it is read after ``commit``.
        directory: Folder of the files; made if it is missing.

    Raises:
        OutputError: The folder cannot be made.
    """

    def __init__(self, model: ElectrodeModel, directory: Path):
        self._model, self._directory, self._fields = model, directory, CellFields(model)
        self._risk = CrackRisk(model)
        self._frames: list[tuple[float, str]] = []
        quadruples = model.interfaces.quadruples
        self._sides = [facet_side(model, quadruples[:, s], quadruples[:, s + 1]) for s in (0, 2)]
        self._together(self._make_directory)

    def write(self, time: float) -> None:
        """Write one frame, unless the last one is of the same time; collective.

        Args:
            time: Time of the frame in s.

        Raises:
            OutputError: A file cannot be written; the same on every rank.
        """
        if self._frames and self._frames[-1][0] == float(time):
            return
        comm, stem = self._model.comm, f"fields_{len(self._frames):05d}"
        grid = self._grid()
        pieces = (
            [f"{stem}.vtu"] if comm.size == 1 else [f"{stem}_{rank:04d}.vtu" for rank in range(comm.size)]
        )
        self._together(lambda: write_piece(self._directory / pieces[comm.rank], grid))
        joined = pieces[0] if comm.size == 1 else f"{stem}.pvtu"
        frames = [*self._frames, (float(time), joined)]

        def list_frame() -> None:
            if comm.rank == 0:
                if comm.size > 1:
                    write_pieces(self._directory / joined, pieces, grid)
                write_collection(self._directory / "fields.pvd", frames)

        self._together(list_frame)
        self._frames = frames

    @property
    def frames(self) -> list[tuple[float, str]]:
        """Time in s and file of every frame so far."""
        return list(self._frames)

    def go_on(self, frames: Sequence[tuple[float, str]]) -> None:
        """Go on after the frames of an earlier session; later ones of its are forgotten and removed.

        Raises:
            OutputError: The list of frames cannot be written, or a frame not removed; the same on every rank.
        """
        self._frames = list(frames)

        def list_frames() -> None:
            if self._model.comm.rank == 0:
                write_collection(self._directory / "fields.pvd", self._frames)
                self._remove_unlisted()

        self._together(list_frames)

    def _remove_unlisted(self) -> None:
        """Frames are numbered: what has a number of none that is listed is left over, from other ranks perhaps."""
        for path in self._directory.glob("fields_[0-9][0-9][0-9][0-9][0-9]*.*vtu"):
            if int(path.name[7:12]) >= len(self._frames):
                try:
                    path.unlink()
                except OSError as error:
                    raise OutputError(f"{path} cannot be removed: {error.strerror or error}.") from error

    def section(self) -> SectionData | None:
        """What a picture of the deformed section needs; collective.

        Returns:
            The arrays on rank 0; None on other ranks, and on all ranks in 3D, where there is no such section.
        """
        model, fields = self._model, self._fields
        if model.domain.dimension != 2:
            return None
        owned = len(fields.phase)
        nodes = fields.reference + fields.displacement()
        cells = self._gathered(
            np.asarray(model.domain.mesh.topology.original_cell_index)[:owned, None],
            nodes[:, :3],
            nodes[:, 3:],
            fields.phase,
            fields.grain,
            fields.lithiation().mean(axis=1),
            fields.stress()[0],
            self._risk.grains().probability[fields.grain],
            self._risk.cell_intensity(),
        )
        unknowns = model.state.unknowns.x.array
        ends = np.stack([(s.reference + s.displacement(unknowns))[:, :2] for s in self._sides], axis=1)
        middle = self._sides[0].reference[:, :2].mean(axis=1)
        facets = self._gathered(middle, ends, fields.facet_debonded(), model.interfaces.kind)
        if cells is None or facets is None:
            return None
        corners, middles, phase, grain, lithiation, stress, probability, intensity = cells
        sides, debonded, kind = facets
        return SectionData(
            corners=corners,
            middles=middles,
            phase=phase,
            grain=grain,
            lithiation=lithiation,
            stress=stress,
            crack_probability=probability,
            stress_intensity=intensity,
            facets=sides,
            debonded=debonded,
            kind=kind,
            phases=np.array(model.domain.phases),
            kinds=np.array(model.interfaces.kinds, dtype=np.str_),
        )

    def _grid(self) -> Grid:
        fields, model = self._fields, self._model
        principal, hydrostatic = fields.stress()
        single = {
            "max_principal_stress_MPa": principal,
            "hydrostatic_stress_MPa": hydrostatic,
            "equivalent_plastic_strain": fields.flow_strain(),
            "debonded_share": fields.debonded(),
            "crack_probability": self._risk.grains().probability[fields.grain],
            "stress_intensity_ratio": self._risk.cell_intensity(),
        }
        corner_values = {
            "lithiation": fields.lithiation(),
            "chemical_potential_kJ_mol": fields.chemical_potential(),
        }
        point_data = {name: fields.with_midpoints(v).astype(np.float32) for name, v in corner_values.items()}
        return Grid(
            nodes=_in_space(fields.reference),
            cell_type=QUADRATIC_TRIANGLE if model.domain.dimension == 2 else QUADRATIC_TETRAHEDRON,
            point_data={"displacement_um": _in_space(fields.displacement()).astype(np.float32), **point_data},
            cell_data={
                "phase": fields.phase,
                "grain": fields.grain,
                **{name: values.astype(np.float32) for name, values in single.items()},
            },
        )

    def _gathered(self, key: Array, *arrays: npt.NDArray[np.generic]) -> list[Any] | None:
        """Join all ranks' arrays on rank 0, sorted by the columns of ``key``, shape (n, columns)."""
        parts = self._model.comm.gather((key, *arrays), root=0)
        if parts is None:
            return None
        keys, *joined = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.lexsort(np.round(keys, 9).T)
        return [values[order] for values in joined]

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self._directory} cannot be made: {error.strerror or error}.") from error

    def _together(self, action: Callable[[], None]) -> None:
        """Do something on every rank; if it fails on one, it fails on all."""
        problem: OutputError | None = None
        try:
            action()
        except OutputError as error:
            problem = error
        problems = [text for text in self._model.comm.allgather(str(problem) if problem else "") if text]
        if problems:
            raise OutputError(problems[0]) from problem


def _in_space(vectors: Array) -> Array:
    """Vectors with three components, the third zero in 2D."""
    missing = 3 - vectors.shape[-1]
    return np.pad(vectors, [(0, 0)] * (vectors.ndim - 1) + [(0, missing)])
