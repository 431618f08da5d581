"""Where everything stands in a QR code: function patterns, codeword placement, masks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.symbols.layout import Layout, Modules, Places, bit_table, finder_corner, zigzag
from napari_nanoqr.symbols.syntax import qr_syntax
from napari_nanoqr.symbols.tables import (
    LEVELS,
    alignment_centres,
    block_structure,
    format_information,
    side_modules,
    version_information,
)


@lru_cache(maxsize=40)
def function_patterns(version: int) -> tuple[Modules, Modules]:
    """Return the modules that are the same in every symbol of a version.

    Parameters
    ----------
    version : int
        1 to 40.

    Returns
    -------
    dark : (side, side) bool array
        Finder, separator, timing and alignment patterns, version information and the dark
        module; False elsewhere, also where the format information goes.
    reserved : (side, side) bool array
        True where no codeword module stands; includes the format information.
    """
    side = side_modules(version)
    dark = np.zeros((side, side), dtype=bool)
    reserved = np.zeros((side, side), dtype=bool)
    dark[6, :] = dark[:, 6] = np.arange(side) % 2 == 0
    reserved[6, :] = reserved[:, 6] = True
    ring = np.abs(np.arange(-4, 5))
    finder = np.maximum.outer(ring, ring)
    for row, column in ((3, 3), (3, side - 4), (side - 4, 3)):
        # the separator's outer edge falls off the symbol on two sides
        top, left = max(row - 4, 0), max(column - 4, 0)
        bottom, right = min(row + 5, side), min(column + 5, side)
        distance = finder[top - row + 4 : bottom - row + 4, left - column + 4 : right - column + 4]
        dark[top:bottom, left:right] = (distance != 2) & (distance != 4)
        reserved[top:bottom, left:right] = True
    for row in alignment_centres(version):
        for column in alignment_centres(version):
            if (row, column) in ((6, 6), (6, side - 7), (side - 7, 6)):
                continue
            block = np.s_[row - 2 : row + 3, column - 2 : column + 3]
            dark[block] = finder[2:7, 2:7] != 1
            reserved[block] = True
    for rows, columns in format_positions(version):
        reserved[rows, columns] = True
    dark[side - 8, 8] = reserved[side - 8, 8] = True
    if version >= 7:
        bits = version_information(version)
        for rows, columns in version_positions(version):
            dark[rows, columns] = (bits >> np.arange(18)) & 1 == 1
            reserved[rows, columns] = True
    dark.setflags(write=False)
    reserved.setflags(write=False)
    return dark, reserved


def format_positions(version: int) -> tuple[Places, Places]:
    """Return where both copies of the format information stand, bit 0 (least) first.

    Returns
    -------
    tuple of (rows, columns)
        Two pairs of (15,) int arrays (ISO/IEC 18004:2015, figure 25).
    """
    side = side_modules(version)
    rows = [0, 1, 2, 3, 4, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8]
    columns = [8, 8, 8, 8, 8, 8, 8, 8, 7, 5, 4, 3, 2, 1, 0]
    around = (np.array(rows), np.array(columns))
    split_rows = [8] * 8 + list(range(side - 7, side))
    split_columns = list(range(side - 1, side - 9, -1)) + [8] * 7
    return around, (np.array(split_rows), np.array(split_columns))


def version_positions(version: int) -> tuple[Places, Places]:
    """Return where both copies of the version information stand, bit 0 (least) first.

    Returns
    -------
    tuple of (rows, columns)
        Two pairs of (18,) int arrays (ISO/IEC 18004:2015, figures 27 and 28).
    """
    bit = np.arange(18)
    near, far = bit // 3, side_modules(version) - 11 + bit % 3
    return (far, near), (near, far)


def mask_conditions(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return all eight data masks over all modules (ISO/IEC 18004:2015, table 10).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    (8, rows, columns) bool array
        True where the mask turns a module over.
    """
    i, j = np.indices(shape)
    product = i * j
    conditions = (
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        product % 2 + product % 3,
        (product % 2 + product % 3) % 2,
        ((i + j) % 2 + product % 3) % 2,
    )
    return np.asarray(np.stack(conditions) == 0)


@lru_cache(maxsize=40)
def qr_layout(version: int) -> Layout:
    """Return where everything stands in a QR code.

    Parameters
    ----------
    version : int
        1 to 40.
    """
    side = side_modules(version)
    dark, reserved = function_patterns(version)
    both = format_positions(version)
    rows, columns = (np.concatenate([place[axis] for place in both]) for axis in (0, 1))
    certain = reserved.copy()
    certain[rows, columns] = False
    # the vertical timing pattern's column is left out
    rights = [c if c > 6 else c - 1 for c in range(side - 1, 0, -2)]
    corner = finder_corner((side, side))
    formats = tuple((error, mask) for error in LEVELS for mask in range(8))
    words = bit_table([format_information(error, mask) for error, mask in formats], 15)
    return Layout(
        symbology="QR",
        version=version,
        dark=dark,
        certain=certain,
        finders=corner | corner[::-1] | corner[:, ::-1],
        codeword_places=zigzag(reserved, rights),
        masks=mask_conditions((side, side)) & ~reserved,
        format_places=(rows, columns),
        formats=formats,
        format_words=np.tile(words, (1, 2)),
        blocks={error: block_structure(version, error) for error in LEVELS},
        syntax=qr_syntax(version),
    )
