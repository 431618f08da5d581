"""Fields of view as pattern files: the level of each module to shapes or points, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.fib.formats.gdsii import open_gds
from napari_nanoqr.fib.formats.gdsii_rectangles import gds_rectangles
from napari_nanoqr.fib.formats.layout import HIGHEST_LAYER, database_unit, flatten
from napari_nanoqr.fib.formats.oasis import oas_arrays
from napari_nanoqr.fib.formats.oasis_rectangles import oas_rectangles
from napari_nanoqr.fib.formats.thermo_bitmap import FULL_DWELL, bitmap_file, read_bitmap
from napari_nanoqr.fib.merging import merge_rectangles
from napari_nanoqr.fib.pattern import BadPattern
from napari_nanoqr.files import complete_file

FIELD_SUFFIXES = (".oas", ".gds", ".bmp")
"""Of the files that a field of view is written to."""

DOSE_STEPS = 1000
"""A dose of 1 as a data type, as Raith's software takes it."""

MOST_DOSE_ERROR = 0.01
"""By which the dose of a shape may differ from that of its level."""

TILE_SIDE = 512
"""Modules; fields are whole tiles, which tells how much empty film lies around the outermost
milled modules."""

GRID_NM = 1e-3
"""Finest database unit of layouts: pitches are multiples of it."""

_NAME = re.compile(r"NANOQR_(\d+)X(\d+)_(\d+)PM_(2|4)LEVELS")


def check_pitch(pitch_nm: float) -> None:
    """Raise where layouts cannot hold a pitch exactly.

    Raises
    ------
    ValueError
        With a sentence that says which can be held.
    """
    steps = pitch_nm / GRID_NM
    if not 1 <= pitch_nm <= 1e5 or abs(steps - round(steps)) > 1e-6:
        raise ValueError(
            f"A pitch of {pitch_nm:.9g} nm cannot be: give it in nm with at most three decimals."
        )


def write_field(
    levels: NDArray[np.uint8],
    path: str | Path,
    pitch_nm: float = 49.0,
    *,
    doses: Sequence[float] = (0.0, 1.0),
    layer: int = 0,
) -> None:
    """Write a field of view as a pattern file.

    Parameters
    ----------
    levels : (rows, columns) uint8 array
        Level of each module; 0 is left as it is.
    path : str or Path
        The file; its suffix is one of :data:`FIELD_SUFFIXES`. What stands there is replaced
        once the new file is complete. The field's middle is at 0, 0 of a layout, and the middle
        of a bitmap.
    pitch_nm : float
        Side of a module in nm.
    doses : sequence of float
        Dose of each level in units of the full one, rising, that of level 0 first. In layouts it
        is the data type, in thousandths; in bitmaps the dwell, in 255ths.
    layer : int
        0 to 63, of layouts.

    Raises
    ------
    ValueError
        Where the suffix, the pitch, a level or the layer cannot be, or nothing is milled.
    OSError
        Where it cannot be written.
    """
    path = Path(path)
    if levels.ndim != 2 or not levels.any():
        raise ValueError("A field has rows and columns of modules, and at least one is milled.")
    if int(levels.max()) >= len(doses):
        raise ValueError(f"A field of level {levels.max()} needs the dose of each of its levels.")
    check_pitch(pitch_nm)
    if layer not in range(HIGHEST_LAYER + 1):
        raise ValueError(f"Layer {layer} does not exist: Raith takes 0 to {HIGHEST_LAYER}.")
    writers = {".oas": _write_layout, ".gds": _write_layout, ".bmp": _write_bitmap}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise ValueError(
            f"{path.name} is no file of a field: use one of {', '.join(FIELD_SUFFIXES)}."
        )
    with complete_file(path) as temporary:
        write(levels, temporary, pitch_nm, np.array(doses), layer)


def read_field(
    path: str | Path,
    *,
    doses: Sequence[float] | None = None,
    pitch_nm: float | None = None,
    shape: tuple[int, int] | None = None,
) -> tuple[NDArray[np.uint8], float]:
    """Read a field of view from its pattern file.

    Parameters
    ----------
    path : str or Path
        A file of :func:`write_field`, or one that another program saved of it.
    doses : sequence of float, optional
        Dose of each level; by default those that occur, by rising dose, of as many levels as
        the name of a layout's cell tells; or else of two levels where one dose occurs, and of
        four where three do.
    pitch_nm : float, optional
        Side of a module in nm; by default as the cell's name tells, or else the largest length
        of which all others in it are multiples; of bitmaps the size of a pixel.
    shape : (int, int), optional
        Rows and columns of modules; by default as the cell's name tells, or else as few whole
        tiles around the middle as hold all that is milled; all of a bitmap.

    Returns
    -------
    levels : (rows, columns) uint8 array
        Level of each module.
    pitch_nm : float
        Side of a module.

    Raises
    ------
    BadPattern
        Where the file is none of a field, or is damaged.
    OSError
        Where it cannot be read.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FIELD_SUFFIXES:
        raise BadPattern(
            f"{path.name} is no file of a field: known are {', '.join(FIELD_SUFFIXES)}."
        )
    levels = None
    if suffix == ".bmp":
        boxes, dose, pitch_nm, shape = _read_bitmap(path, pitch_nm, shape)
    else:
        boxes, dose, levels, pitch_nm, shape = _read_layout(path, pitch_nm, shape)
    if doses is None:
        doses = _doses_of(dose, levels, path)
    apart = np.abs(dose[:, None] - np.array(doses)[None, 1:])
    if apart.min(axis=1, initial=math.inf).max(initial=0) > MOST_DOSE_ERROR:
        raise BadPattern(f"{path.name} holds other doses than those of its levels.")
    return _filled(boxes, (apart.argmin(axis=1) + 1).astype(np.uint8), shape, path), pitch_nm


def _doses_of(dose: NDArray[np.float64], levels: int | None, path: Path) -> tuple[float, ...]:
    """Return the dose of each level: those that occur, or the full one alone."""
    found = np.unique(dose)
    if levels is None:
        levels = 2 if len(found) == 1 else 4
    if len(found) == 1:
        # title and control pages use the deepest level alone
        return (0.0,) + (math.inf,) * (levels - 2) + (float(found[0]),)
    if len(found) != levels - 1:
        raise BadPattern(
            f"{path.name} holds {len(found)} doses, which do not tell which of {levels} levels "
            "they are: give the doses of all levels."
        )
    return (0.0, *found.tolist())


def _name(shape: tuple[int, ...], pitch_nm: float, levels: int) -> str:
    return f"NANOQR_{shape[1]}X{shape[0]}_{round(pitch_nm / GRID_NM)}PM_{levels}LEVELS"


def _write_layout(
    levels: NDArray[np.uint8], path: Path, pitch_nm: float, doses: NDArray[np.float64], layer: int
) -> None:
    boxes, values = merge_rectangles(levels)
    datatypes = np.rint(doses * DOSE_STEPS).astype(np.int64)[values]
    rows, columns = levels.shape
    height, width = rows * pitch_nm / 2, columns * pitch_nm / 2
    unit = database_unit(np.array((pitch_nm, height, width)), max(height, width))
    write = gds_rectangles if path.suffix.lower() == ".gds" else oas_rectangles
    data = write(
        boxes, datatypes, name=_name(levels.shape, pitch_nm, len(doses)), layer=layer,
        grid=round(pitch_nm / unit), units_per_um=round(1000 / unit),
        origin=(-round(width / unit), round(height / unit)),
    )  # fmt: skip
    path.write_bytes(data)


def _read_layout(
    path: Path, pitch_nm: float | None, shape: tuple[int, int] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], int | None, float, tuple[int, int]]:
    """Return rectangles in modules from the field's corner, their doses, and how many levels."""
    if path.suffix.lower() == ".gds":
        library = open_gds(path)
        polygons = flatten(library)
        lengths = np.array([len(polygon.points) for polygon in polygons])
        datatypes = np.array([polygon.datatype for polygon in polygons])
        corners = [np.array(polygon.points) for polygon in polygons]
        points = np.concatenate(corners or [np.empty((0, 2))])
        names = [cell.name for cell in library.top_level()]
    else:
        arrays = oas_arrays(path)
        points, lengths, datatypes = arrays["corners"], arrays["lengths"], arrays["datatypes"]
        names = arrays["names"].tolist()
    if not lengths.size or (lengths != 4).any():
        raise BadPattern(f"{path.name} holds other shapes than the rectangles of a field.")
    quads = np.rint(points.reshape(-1, 4, 2) * (1, -1) / GRID_NM).astype(np.int64)
    low, high = quads.min(axis=1), quads.max(axis=1)
    if ((quads != low[:, None]) & (quads != high[:, None])).any():
        raise BadPattern(f"{path.name} holds other shapes than the rectangles of a field.")
    named = _NAME.fullmatch(names[0]) if len(names) == 1 else None
    levels = None
    if named:
        shape = shape or (int(named[2]), int(named[1]))
        pitch_nm = pitch_nm or int(named[3]) * GRID_NM
        levels = int(named[4])
    if pitch_nm is None:
        pitch_nm = float(np.gcd.reduce(np.concatenate((low, high)), axis=None)) * GRID_NM
    corners_nm = np.concatenate((low[:, ::-1], high[:, ::-1]), axis=1) * GRID_NM
    if shape is None:
        reach = np.abs(corners_nm).max(axis=0) / (pitch_nm * TILE_SIDE / 2) - 1e-6
        rows, columns = np.ceil(np.maximum(reach[:2], reach[2:])).astype(int) * TILE_SIDE
        shape = int(rows), int(columns)
    boxes = np.rint(corners_nm / pitch_nm + np.array(shape * 2) / 2).astype(np.int64)
    dose = np.where(datatypes > 0, datatypes / DOSE_STEPS, 1.0)
    return boxes, dose, levels, pitch_nm, shape


def _write_bitmap(
    levels: NDArray[np.uint8], path: Path, pitch_nm: float, doses: NDArray[np.float64], layer: int
) -> None:
    shares = np.rint(doses.clip(0, 1) * FULL_DWELL).astype(np.uint8)
    path.write_bytes(bitmap_file(shares[levels], levels > 0, pitch_nm))


def _read_bitmap(
    path: Path, pitch_nm: float | None, shape: tuple[int, int] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], float, tuple[int, int]]:
    pattern = read_bitmap(path, {})
    if pattern.step_nm is None and pitch_nm is None:
        raise BadPattern(f"{path.name} does not tell the size of its pixels.")
    if pitch_nm is None:
        # whole pixels a metre, to the grid of layouts
        pitch_nm = round(float(pattern.step_nm or 0) / GRID_NM) * GRID_NM
    x, y = pattern.centre_step
    low = pattern.steps[:, ::-1]
    boxes = np.concatenate((low, low + 1), axis=1)
    dose = pattern.dwell_units / FULL_DWELL
    return boxes, dose, pitch_nm, shape or (round(2 * y) + 1, round(2 * x) + 1)


def _filled(
    boxes: NDArray[np.int64], values: NDArray[np.uint8], shape: tuple[int, int], path: Path
) -> NDArray[np.uint8]:
    """Fill rectangles that do not overlap with their values."""
    if boxes.min(initial=0) < 0 or (boxes[:, 2:] > shape).any():
        raise BadPattern(f"{path.name} reaches beyond a field of {shape[1]} x {shape[0]} modules.")
    # what is added at the left of a row and taken away at its right is in between, and so is
    # what is added at the top and taken away at the bottom
    steps = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int32)
    top, left, bottom, right = boxes.T
    for row, column, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1),
                              (bottom, right, 1)):  # fmt: skip
        np.add.at(steps, (row, column), sign * values.astype(np.int32))
    filled = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
    return filled.astype(np.uint8)
