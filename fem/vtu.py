"""ParaView's unstructured-grid files (.vtu, .pvtu, .pvd), each written whole or not at all."""

from __future__ import annotations

import base64
import os
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

from fem.errors import OutputError

Array = npt.NDArray[np.generic]

QUADRATIC_TRIANGLE, QUADRATIC_TETRAHEDRON = 22, 24
_BLOCK = 1 << 18  # bytes compressed at a time
_NAMES = {"f4": "Float32", "f8": "Float64", "i4": "Int32", "i8": "Int64", "u1": "UInt8"}
_GRID = '<VTKFile type="{}" version="1.0" byte_order="LittleEndian" header_type="UInt64"{}>\n'
_ZLIB = ' compressor="vtkZLibDataCompressor"'


@dataclass(frozen=True)
class Grid:
    """Cells with nodes of their own.

    Attributes:
        nodes: Positions, shape (cells, nodes per cell, 3).
        cell_type: VTK's number of the cell type.
        point_data: By name, arrays of shape (cells, nodes per cell) or (cells, nodes per cell, 3).
        cell_data: By name, arrays of shape (cells,).
    """

    nodes: Array
    cell_type: int
    point_data: Mapping[str, Array]
    cell_data: Mapping[str, Array]


def write_piece(path: Path, grid: Grid) -> None:
    """Write one ``.vtu`` file.

    Raises:
        OutputError: It cannot be written.
    """
    cells, per_cell = grid.nodes.shape[:2]
    points = np.ascontiguousarray(grid.nodes.reshape(-1, 3))
    topology: dict[str, Array] = {
        "connectivity": np.arange(len(points), dtype=np.int64),
        "offsets": per_cell * np.arange(1, cells + 1, dtype=np.int64),
        "types": np.full(cells, grid.cell_type, dtype=np.uint8),
    }
    flat = {name: a.reshape(len(points), *a.shape[2:]) for name, a in grid.point_data.items()}
    text = [
        _GRID.format("UnstructuredGrid", _ZLIB),
        f'<UnstructuredGrid><Piece NumberOfPoints="{len(points)}" NumberOfCells="{cells}">\n',
        "<Points>\n" + _array("Points", points) + "</Points>\n",
        "<Cells>\n" + "".join(_array(name, values) for name, values in topology.items()) + "</Cells>\n",
        "<PointData>\n" + "".join(_array(name, values) for name, values in flat.items()) + "</PointData>\n",
        "<CellData>\n"
        + "".join(_array(name, values) for name, values in grid.cell_data.items())
        + "</CellData>\n",
        "</Piece></UnstructuredGrid></VTKFile>\n",
    ]
    _write(path, "".join(text))


def write_pieces(path: Path, pieces: Sequence[str], grid: Grid) -> None:
    """Write the ``.pvtu`` file that joins pieces with the same arrays as ``grid``.

    Raises:
        OutputError: It cannot be written.
    """

    def declared(arrays: Mapping[str, Array], leading: int) -> str:
        return "".join(
            f"<PDataArray {_attributes(name, values, values.shape[leading:])}/>\n"
            for name, values in arrays.items()
        )

    text = [
        _GRID.format("PUnstructuredGrid", ""),
        '<PUnstructuredGrid GhostLevel="0">\n',
        "<PPoints>\n" + declared({"Points": grid.nodes}, 2) + "</PPoints>\n",
        "<PPointData>\n" + declared(grid.point_data, 2) + "</PPointData>\n",
        "<PCellData>\n" + declared(grid.cell_data, 1) + "</PCellData>\n",
        *(f"<Piece Source={quoteattr(piece)}/>\n" for piece in pieces),
        "</PUnstructuredGrid></VTKFile>\n",
    ]
    _write(path, "".join(text))


def write_collection(path: Path, frames: Sequence[tuple[float, str]]) -> None:
    """Write the ``.pvd`` file that lists times in s and files.

    Raises:
        OutputError: It cannot be written.
    """
    rows = "".join(
        f'<DataSet timestep="{time!r}" part="0" file={quoteattr(file)}/>\n' for time, file in frames
    )
    head = '<VTKFile type="Collection" version="1.0" byte_order="LittleEndian">\n'
    _write(path, f"{head}<Collection>\n{rows}</Collection></VTKFile>\n")


def _array(name: str, values: Array) -> str:
    """One data array: zlib blocks behind a header of their sizes, both in base64."""
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    blocks = [zlib.compress(raw[start : start + _BLOCK], 4) for start in range(0, len(raw), _BLOCK)]
    sizes = [len(blocks), _BLOCK, len(raw) % _BLOCK, *map(len, blocks)]
    header = base64.b64encode(np.array(sizes, dtype="<u8").tobytes()).decode()
    data = base64.b64encode(b"".join(blocks)).decode()
    return f'<DataArray {_attributes(name, values, values.shape[1:])} format="binary">{header}{data}</DataArray>\n'


def _attributes(name: str, values: Array, shape: tuple[int, ...]) -> str:
    components = f' NumberOfComponents="{shape[0]}"' if shape else ""
    return f'type="{_NAMES[values.dtype.str[1:]]}" Name={quoteattr(name)}{components}'


def _write(path: Path, text: str) -> None:
    aside: str | None = None
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
        aside = None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)
