"""rMQR codes, R7x43 to R17x139: sizes, tables and where everything stands (ISO/IEC 23941:2022)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from napari_nanoqr.symbols.layout import (
    Layout,
    Modules,
    Places,
    bit_table,
    finder_corner,
    finder_pattern,
    zigzag,
)
from napari_nanoqr.symbols.qr import mask_conditions
from napari_nanoqr.symbols.syntax import Syntax
from napari_nanoqr.symbols.tables import BlockStructure, version_information

# parity codewords of each block and blocks, level M and level H (table 8); in the order of the
# version indicators
_BLOCKS = {
    (7, 43): (7, 1, 10, 1), (7, 59): (9, 1, 14, 1), (7, 77): (12, 1, 22, 1),
    (7, 99): (16, 1, 30, 1), (7, 139): (24, 1, 22, 2),
    (9, 43): (9, 1, 14, 1), (9, 59): (12, 1, 22, 1), (9, 77): (18, 1, 16, 2),
    (9, 99): (24, 1, 22, 2), (9, 139): (18, 2, 22, 3),
    (11, 27): (8, 1, 10, 1), (11, 43): (12, 1, 20, 1), (11, 59): (16, 1, 16, 2),
    (11, 77): (24, 1, 22, 2), (11, 99): (16, 2, 30, 2), (11, 139): (24, 2, 30, 3),
    (13, 27): (9, 1, 14, 1), (13, 43): (14, 1, 28, 1), (13, 59): (22, 1, 20, 2),
    (13, 77): (16, 2, 28, 2), (13, 99): (20, 2, 26, 3), (13, 139): (20, 3, 28, 4),
    (15, 43): (18, 1, 18, 2), (15, 59): (26, 1, 24, 2), (15, 77): (18, 2, 24, 3),
    (15, 99): (24, 2, 22, 4), (15, 139): (24, 3, 26, 5),
    (17, 43): (22, 1, 20, 2), (17, 59): (16, 2, 30, 2), (17, 77): (22, 2, 28, 3),
    (17, 99): (20, 3, 26, 4), (17, 139): (20, 4, 26, 6),
}  # fmt: skip

SIZES = tuple(_BLOCKS)
"""Rows and columns of all versions."""

# columns of the alignment patterns' centres (table D.1)
_ALIGNMENT = {
    27: (), 43: (21,), 59: (19, 39), 77: (25, 51), 99: (23, 49, 75), 139: (27, 55, 83, 111),
}  # fmt: skip

# widths of the character counts, in the order of the versions (table 3)
_COUNT_BITS = {
    "numeric": "45677567784677885677887788978889",
    "alphanumeric": "35566556674566775667786777867788",
    "byte": "34556455663556674566776677766778",
    "kanji": "23455345562455663556675566756667",
}

_INDICATORS = {
    "numeric": 1, "alphanumeric": 2, "byte": 3, "kanji": 4, "first fnc1": 5, "second fnc1": 6,
    "eci": 7,
}  # fmt: skip

# masks of the format information beside the finder pattern and beside the finder sub pattern
_FORMAT_MASKS = (0x1FAB2, 0x20A7B)

_MASK = 4
"""Which of a QR code's masks is in use; there is no other."""


@lru_cache(maxsize=32)
def rectangular_syntax(rows: int, columns: int) -> Syntax:
    """Return how rMQR codes of a size write their bit stream (tables 2 and 3)."""
    number = SIZES.index((rows, columns))
    widths = {mode: int(bits[number]) for mode, bits in _COUNT_BITS.items()}
    return Syntax(3, _INDICATORS, widths, 3)


@lru_cache(maxsize=32)
def rectangular_blocks(rows: int, columns: int) -> dict[str, BlockStructure]:
    """Return how codewords are divided into blocks, by error-correction level."""
    _, reserved = _patterns(rows, columns)
    reserved[_format_places(rows, columns)] = True
    codewords = int(np.count_nonzero(~reserved)) // 8
    parity_m, blocks_m, parity_h, blocks_h = _BLOCKS[rows, columns]
    structures = {}
    for error, parity, blocks in (("M", parity_m, blocks_m), ("H", parity_h, blocks_h)):
        short, longer = divmod(codewords - blocks * parity, blocks)
        data = (short,) * (blocks - longer) + (short + 1,) * longer
        structures[error] = BlockStructure(data, parity, parity // 2)
    return structures


@lru_cache(maxsize=32)
def rectangular_layout(rows: int, columns: int) -> Layout:
    """Return where everything stands in an rMQR code.

    Parameters
    ----------
    rows, columns : int
        One of :data:`SIZES`.
    """
    number = SIZES.index((rows, columns))
    dark, reserved = _patterns(rows, columns)
    certain = reserved.copy()
    format_places = _format_places(rows, columns)
    reserved[format_places] = True
    words = [version_information(level << 5 | number) for level in (0, 1)]
    return Layout(
        symbology="rMQR",
        version=f"R{rows}x{columns}",
        dark=dark,
        certain=certain,
        finders=finder_corner((rows, columns)),
        codeword_places=zigzag(reserved, range(columns - 2, 0, -2)),
        masks=mask_conditions((rows, columns))[[_MASK]] & ~reserved,
        format_places=format_places,
        formats=(("M", 0), ("H", 0)),
        format_words=np.hstack(
            [bit_table([w ^ mask for w in words], 18) for mask in _FORMAT_MASKS]
        ),
        blocks=rectangular_blocks(rows, columns),
        syntax=rectangular_syntax(rows, columns),
    )


def _patterns(rows: int, columns: int) -> tuple[Modules, Modules]:
    """Return the dark modules of all patterns, and all of their modules (clause 5.3)."""
    dark, reserved = np.zeros((2, rows, columns), dtype=bool)
    for edge in (0, rows - 1):
        dark[edge], reserved[edge] = np.arange(columns) % 2 == 0, True
    for column in (0, *_ALIGNMENT[columns], columns - 1):
        dark[:, column], reserved[:, column] = np.arange(rows) % 2 == 0, True
    for column in _ALIGNMENT[columns]:
        for row in (1, rows - 2):
            around = np.s_[row - 1 : row + 2, column - 1 : column + 2]
            dark[around] = reserved[around] = True
            dark[row, column] = False
    # three dark modules around a light one tell the other two corners
    for corner, pattern in (
        (np.s_[:2, columns - 2 : columns], [[True, True], [False, True]]),
        (np.s_[rows - 2 : rows, :2], [[True, False], [True, True]]),
    ):
        dark[corner], reserved[corner] = pattern, True
    # the finder pattern's separator covers one of them where there are few rows
    dark[:8, :8], reserved[:8, :8] = False, True
    if rows == 9:
        dark[8, :2] = True
    dark[:7, :7] = finder_pattern()
    ring = np.abs(np.arange(-2, 3))
    dark[-5:, -5:] = np.maximum.outer(ring, ring) != 1
    reserved[-5:, -5:] = True
    return dark, reserved


def _format_places(rows: int, columns: int) -> Places:
    """Return both copies' modules, the least bit first, downwards and then to the right."""
    bit = np.arange(18)
    down, right = bit % 5, bit // 5
    # the last three bits of the second copy run along a row
    sub_down = np.where(bit < 15, down, 0)
    sub_right = np.where(bit < 15, right, bit - 12)
    return (
        np.concatenate((1 + down, rows - 6 + sub_down)),
        np.concatenate((8 + right, columns - 8 + sub_right)),
    )
