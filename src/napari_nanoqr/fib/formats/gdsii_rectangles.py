"""Rectangles on a grid as the bytes of a GDSII layout, fast.

The records of a rectangle are always as long, so that all are one array.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.formats.gdsii_records import BOUNDARY, ENDEL, XY

LAYER, DATATYPE = 0x0D, 0x0E

RECORDS = np.dtype(
    [
        ("boundary", ">u2", 2), ("layer", ">u2", 3), ("datatype", ">u2", 3),
        ("xy", ">u2", 2), ("corners", ">i4", (5, 2)), ("endel", ">u2", 2),
    ]
)  # fmt: skip
"""Each record is its length, its kind with its coding, and its values."""

TIME = datetime(2000, 1, 1)
"""That every cell is made at, so that the same levels are the same file."""

TAIL = 8
"""Bytes of the two records that end a cell and a library."""


def gds_rectangles(
    boxes: NDArray[np.int64], datatypes: NDArray[np.int64], *, name: str, layer: int,
    grid: int, units_per_um: int, origin: tuple[int, int],
) -> bytes:  # fmt: skip
    """Return a layout of one cell with rectangles as the bytes of its file.

    Parameters
    ----------
    boxes, datatypes, name, layer, grid, units_per_um, origin
        As for :func:`~napari_nanoqr.fib.formats.oasis_rectangles.oas_rectangles`.
    """
    top, left, bottom, right = boxes.T
    x = origin[0] + np.stack((left, right, right, left, left), axis=1) * grid
    y = origin[1] - np.stack((top, top, bottom, bottom, top), axis=1) * grid
    records = np.zeros(len(boxes), dtype=RECORDS)
    records["boundary"] = 4, BOUNDARY << 8
    records["layer"] = 6, LAYER << 8 | 2, layer
    records["datatype"] = 6, DATATYPE << 8 | 2, 0
    records["datatype"][:, 2] = datatypes
    records["xy"] = 4 + 5 * 8, XY << 8 | 3
    records["corners"] = np.stack((x, y), axis=2)
    records["endel"] = 4, ENDEL << 8
    empty = _empty(name, units_per_um)
    return empty[:-TAIL] + records.tobytes() + empty[-TAIL:]


def _empty(name: str, units_per_um: int) -> bytes:
    """Return a library with one cell and nothing in it."""
    import gdstk

    library = gdstk.Library("NANOQR", unit=1e-6, precision=1e-6 / units_per_um)
    library.new_cell(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.gds"
        library.write_gds(str(path), timestamp=TIME)
        return path.read_bytes()
