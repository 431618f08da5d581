"""Control pages: plain text in large modules, which tells how to read all the rest of a sheet.

A page takes the place of a tile, but its modules are four times as wide, 128 x 128 of them, and
nothing is coded: 15 letters of ASCII a row, 8 modules each, highest bit first, milled for 1. Around
the 120 rows runs a frame: a solid line at the left, two modules wide, and at the top, one wide;
at the right and at the bottom a line of which every second module is milled, to count by. As the
first bit of every letter is 0, every eighth column of the text is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import SIDE

SCALE: Final = 4
"""Modules of a tile on a side of a module of a control page."""

PAGES: Final = 4
LETTERS: Final = 15
"""In a row."""

ROWS: Final = 120
BORDER: Final = 4
"""Modules of the page between its edge and the text."""

LIKENESS: Final = 0.6
"""Of the frame to what is seen, 1 where all agrees: below it, no page is found."""


class TextTooLong(ValueError):
    """A text that does not fit on the control pages."""


@cache
def _frame() -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Return which modules of a page belong to its frame, and the frame itself."""
    side = SIDE // SCALE
    belongs = np.ones((side, side), bool)
    belongs[BORDER:-BORDER, BORDER:-BORDER] = False
    frame = np.zeros((side, side), np.uint8)
    frame[2 : side - 2, 1:3] = 1
    frame[2, 1 : side - 2] = 1
    frame[2 : side - 2 : 2, side - 3] = 1
    frame[side - 3, 1 : side - 2 : 2] = 1
    return belongs, frame


def fill_rows(paragraphs: Sequence[str]) -> str:
    """Return paragraphs one after another, each from the start of a row, blanks between them."""
    return "".join(text.ljust((len(text) // LETTERS + 1) * LETTERS) for text in paragraphs)


def draw_pages(text: str, bits: int = 1) -> list[NDArray[np.uint8]]:
    """Draw the control pages.

    Parameters
    ----------
    text : str
        Printable ASCII. Each page starts with a row that says which it is.
    bits : int
        Bits a module of the tiles: the text is milled as deep as the deepest level.

    Returns
    -------
    list of (512, 512) uint8 arrays
        Four pages; level of each module of a tile.

    Raises
    ------
    TextTooLong
        Where the text does not fit.
    ValueError
        Where it is not printable ASCII.
    """
    strange = sorted({letter for letter in text if not " " <= letter <= "~"})
    if strange:
        raise ValueError(f"Control pages hold printable ASCII, not {strange[0]!r}.")
    room = LETTERS * (ROWS - 1)
    if len(text) > room * PAGES:
        raise TextTooLong(
            f"{len(text)} letters do not fit on {PAGES} control pages, which hold {room * PAGES}."
        )
    pages = []
    for page in range(PAGES):
        rows = f"PAGE {page + 1} OF {PAGES}".ljust(LETTERS)
        rows += text[page * room : (page + 1) * room].ljust(room)
        codes = np.frombuffer(rows.encode("ascii"), np.uint8).reshape(ROWS, LETTERS)
        modules = _frame()[1].copy()
        modules[BORDER:-BORDER, BORDER:-BORDER] = np.unpackbits(codes, axis=1)
        large = modules.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        pages.append(large * np.uint8(2**bits - 1))
    return pages


def read_page(soft: NDArray[np.int8]) -> str | None:
    """Read a control page.

    Parameters
    ----------
    soft : (planes, 512, 512) or (512, 512) int8 array
        Soft bits of the modules of its area as those of a tile, positive where a module is not
        milled; turned, mirrored or negative as the image was.

    Returns
    -------
    str or None
        Its text with the row that says which page it is, ``?`` for what is no letter; None
        where no frame is seen.
    """
    side = SIDE // SCALE
    first = soft.reshape(-1, SIDE, SIDE)[0].astype(np.int64)
    sums = first.reshape(side, SCALE, side, SCALE).sum(axis=(1, 3))
    belongs, frame = _frame()
    signs = np.where(frame[belongs] == 1, -1, 1)
    best, answer = 0.0, sums
    for turns in range(4):
        for seen in (np.rot90(sums, turns), np.rot90(sums, turns).T):
            around = seen[belongs]
            likeness = float((signs * around).sum() / max(np.abs(around).sum(), 1))
            if abs(likeness) > abs(best):
                best, answer = likeness, seen
    if abs(best) < LIKENESS:
        return None
    inside = answer[BORDER:-BORDER, BORDER:-BORDER] * (1 if best > 0 else -1)
    codes = np.packbits(inside < 0, axis=1)
    return "".join(chr(code) if 32 <= code < 127 else "?" for code in codes.ravel())
