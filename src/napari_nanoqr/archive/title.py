"""The first field of a sheet: large letters and pictograms that tell a finder what this is.

An electron microscope looks at dots; a dot is 1, no dot is 0; eight of these are a letter; letters
are files. Beside it stand the size of a dot, the number of the sheet, a scale bar, and an arrow to
the field to read next. All is drawn on 64 x 64 squares, the pictograms on squares of half the
side. In a field of 1024 modules of 49 nm, a square is 0.78 um wide: letters that a good optical
microscope shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE
from napari_nanoqr.design.lettering import lettering

GRID = 128
"""Squares on a side of the field; pictograms are made of these, letters of twice as wide ones."""

LINE = 10
"""Letters in a line."""

EXAMPLE = "HI"
"""What the dots of the pictogram say, in ASCII."""

Drawing = NDArray[np.bool_]


def draw_title(
    tiles_per_field: int = 2,
    pitch_nm: float = 49.0,
    sheet: int = 0,
    sheets: int = 1,
    bits: int = 1,
    onward: str = "right",
) -> NDArray[np.uint8]:
    """Draw the title of a sheet.

    Parameters
    ----------
    tiles_per_field : int
        Tiles on a side of the field.
    pitch_nm : float
        Side of a module in nm.
    sheet, sheets : int
        Number of the sheet, from 0, and how many there are.
    bits : int
        Bits a module: the letters are milled as deep as the deepest level.
    onward : {"right", "down"}
        Where the next field lies.

    Returns
    -------
    (512 * tiles_per_field, 512 * tiles_per_field) uint8 array
        Level of each module.

    Raises
    ------
    ValueError
        Where the arrow has no such direction.
    """
    if onward not in ("right", "down"):
        raise ValueError(f"The next field lies right or down, not {onward!r}.")
    squares = np.zeros((GRID, GRID), bool)
    _write(squares, 4, "DATA FILES")
    micrometres = pitch_nm / 1000
    sizes = [f"DOT {pitch_nm:.3g} NM", f"DOT {pitch_nm:.3g}NM", f"DOT {micrometres:.2g} UM"]
    _write(squares, 22, *sizes)
    _put(squares, 42, 2, _pictograms())
    _write(squares, 86, f"SHEET {sheet + 1}/{sheets}", f"{sheet + 1}/{sheets}", f"{sheet + 1}")
    arrow = _arrow(38, 24) if onward == "right" else _arrow(24, 38).T
    _put(squares, 102, 86, arrow)
    length_nm, label = _scale(pitch_nm * SIDE * tiles_per_field)
    _write(squares, 104, label)
    side = SIDE * tiles_per_field // GRID
    modules = squares.repeat(side, axis=0).repeat(side, axis=1)
    bar = round(length_nm / pitch_nm)
    modules[121 * side : 125 * side, 4 * side : 4 * side + bar] = True
    return modules.astype(np.uint8) * np.uint8(2**bits - 1)


def _scale(field_nm: float) -> tuple[float, str]:
    """Return the longest round length in nm that takes 0.55 of the field at most, and its name."""
    lengths = [step * 10.0**power for power in range(1, 9) for step in (1, 2, 5)]
    length = max(length for length in lengths if length <= 0.55 * field_nm)
    units = {"MM": 1e6, "UM": 1e3, "NM": 1.0}
    unit = next(unit for unit, nm in units.items() if length >= nm)
    return length, f"{length / units[unit]:g} {unit}"


def _write(squares: Drawing, row: int, *texts: str) -> None:
    """Write the first of the texts that fits into a line, letters of two squares a cell."""
    text = next((text for text in texts if len(text) <= LINE), texts[-1])
    _put(squares, row, 4, lettering(text).repeat(2, axis=0).repeat(2, axis=1))


def _put(squares: Drawing, row: int, column: int, drawing: Drawing) -> None:
    """Add a drawing with its top-left square here; what is beyond the field is cut off."""
    there = squares[row : row + drawing.shape[0], column : column + drawing.shape[1]]
    there |= drawing[: there.shape[0], : there.shape[1]]


def _arrow(length: int, height: int) -> Drawing:
    """Draw an arrow to the right."""
    rows, columns = np.mgrid[:height, :length]
    off = np.abs(2 * rows - (height - 1))
    head = length - height // 2 - 1
    shaft = (columns < head) & (off < height / 3)
    return np.asarray(shaft | ((columns >= head) & (off <= 2 * (length - 1 - columns))))


def _pictograms() -> Drawing:
    """Draw microscope, dots over bits, and page, with arrows between them; ``(40, 124)``."""
    drawing = np.zeros((40, 124), bool)
    small = _arrow(11, 9)
    _put(drawing, 0, 0, _microscope())
    _put(drawing, 15, 24, small)
    bits = np.unpackbits(np.frombuffer(EXAMPLE.encode("ascii"), np.uint8)).reshape(-1, 8)
    _put(drawing, 0, 37, _dots(bits))
    _put(drawing, 19, 55, _arrow(5, 9).T)
    for row, byte in enumerate(bits):
        _put(drawing, 25 + 8 * row, 37, lettering("".join(map(str, byte))))
    _put(drawing, 15, 86, small)
    _put(drawing, 3, 99, _page())
    return drawing


def _dots(bits: NDArray[np.uint8]) -> Drawing:
    """Draw a dot for each 1, as far apart as the digits beneath them."""
    drawing = np.zeros((9 * len(bits), 6 * bits.shape[1]), bool)
    for row, column in np.argwhere(bits):
        drawing[9 * row + 1 : 9 * row + 6, 6 * column : 6 * column + 5] = True
    return drawing


def _microscope() -> Drawing:
    """Draw a column that narrows downward, its beam, and the sheet below; ``(40, 22)``."""
    drawing = np.zeros((40, 22), bool)
    drawing[0:3, 9:13] = True
    drawing[3:16, 4:18] = True
    drawing[6:13, 7:15] = False
    for row in range(16, 22):
        inset = 4 + (row - 16) // 2 * 2
        drawing[row, inset : 22 - inset] = True
    # the beam is dashed, so that it is no part of the column
    for row in range(23, 33, 3):
        drawing[row : row + 2, 10:12] = True
    drawing[34:37, 1:21] = True
    drawing[37:40, 1:21:3] = True
    return drawing


def _page() -> Drawing:
    """Draw a page with a folded corner on which the example stands; ``(34, 25)``."""
    drawing = np.zeros((34, 25), bool)
    drawing[:, :] = True
    drawing[2:-2, 2:-2] = False
    for row in range(8):
        drawing[row, 17 + row :] = False
        drawing[row, 17 + row - 1 : 17 + row + 1] = True
    drawing[0, 18:] = False
    drawing[7:9, 17:] = True
    drawing[2:8, 17:19] = True
    _put(drawing, 12, 7, lettering(EXAMPLE))
    drawing[23:25, 5:-5] = True
    drawing[27:29, 5:-5] = True
    return drawing
