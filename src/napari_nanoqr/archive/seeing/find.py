"""Find tiles among the values of modules by their corner marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.archive.layout import CORNER, SIDE, marks
from napari_nanoqr.codes.compiled import compiled

ROWS = 4
"""Rows of a mark that are compared first: 64 modules in one word."""

FIRST, ALL = 16, 64
"""Wrong modules of 64 and of 256 up to which a corner mark is one; in random modules one place in
4e4, and one in 1e15, has as few."""


@dataclass(frozen=True)
class Place:
    """Where a tile lies in a matrix of modules.

    Attributes
    ----------
    turned : int
        How the matrix shows it, 0 to 7: as :func:`turn` does.
    row, column : int
        Of the matrix, first module of the turned tile.
    dark : bool
        Milled modules are the darker ones.
    corners : tuple of int
        Wrong modules of each corner mark that was found, top-left, top-right, bottom-left,
        bottom-right; -1 for those that were not.
    """

    turned: int
    row: int
    column: int
    dark: bool
    corners: tuple[int, int, int, int]


def turn(matrix: NDArray[Any], turned: int) -> NDArray[Any]:
    """Return a matrix as it is seen: mirrored about its diagonal (4 to 7), then turned.

    Parameters
    ----------
    matrix : (rows, columns, ...) array
        As designed.
    turned : int
        Quarter turns anticlockwise, plus 4 if mirrored.

    Returns
    -------
    (..., ...) array
        A view.
    """
    if turned >= 4:
        matrix = matrix.swapaxes(0, 1)
    return np.rot90(matrix, turned % 4)


def turn_back(matrix: NDArray[Any], turned: int) -> NDArray[Any]:
    """Undo :func:`turn`.

    Parameters
    ----------
    matrix : (rows, columns, ...) array
        As seen.
    turned : int
        As in :func:`turn`.

    Returns
    -------
    (..., ...) array
        A view.
    """
    matrix = np.rot90(matrix, -(turned % 4))
    return matrix.swapaxes(0, 1) if turned >= 4 else matrix


def find_tiles(levels: NDArray[np.float32]) -> list[Place]:
    """Find tiles by their corner marks.

    Parameters
    ----------
    levels : (rows, columns) float32 array
        Negative where a module is dark, 0 where it is not seen.

    Returns
    -------
    list of Place
        One corner mark is enough; in the order of the matrix. Tiles that stick out of it too.
    """
    if min(levels.shape) < CORNER:
        return []
    words = _words(levels)
    patterns, wholes, offsets = _patterns()
    every = np.arange(len(patterns))
    # wherever tiles lie side by side a square a bit larger than one shows a corner of some tile
    part = tuple(
        slice(max(0, (length - SIDE) // 2 - CORNER), (length + SIDE) // 2 + CORNER)
        for length in words.shape
    )
    seen = np.unique(_search(words[part], patterns, wholes, every, FIRST, ALL)[:, 2] // 4)
    # all tiles of an image are turned alike
    likely = np.concatenate([every[4 * turned : 4 * turned + 4] for turned in seen] or [every])
    hits = _search(words, patterns, wholes, likely, FIRST, ALL)
    votes: dict[tuple[int, int, int, bool], list[int]] = {}
    for row, column, which, wrong in hits.tolist():
        turned, corner = divmod(which, 4)
        down, right = offsets[which]
        dark = wrong <= 256 - wrong
        key = (turned, row - down, column - right, dark)
        votes.setdefault(key, [-1] * 4)[corner] = min(wrong, 256 - wrong)
    return merged(votes)


def merged(votes: dict[tuple[int, int, int, bool], list[int]]) -> list[Place]:
    """Make one place of all whose first modules are near each other, the best supported.

    Parameters
    ----------
    votes : dict
        For a turn, the first row and column, and whether milled modules are dark: wrong modules of
        each corner mark, -1 where it is not seen.

    Returns
    -------
    list of Place
        In the order of the matrix.
    """

    def worth(item: tuple[tuple[int, int, int, bool], list[int]]) -> float:
        return -sum(80.0 - wrong for wrong in item[1] if wrong >= 0)

    kept: list[Place] = []
    for (turned, row, column, dark), corners in sorted(votes.items(), key=worth):
        near = [
            place
            for place in kept
            if abs(place.row - row) < SIDE // 2 and abs(place.column - column) < SIDE // 2
        ]
        if not near:
            a, b, c, d = corners
            kept.append(Place(turned, row, column, dark, (a, b, c, d)))
    return sorted(kept, key=lambda place: (place.row, place.column))


def _words(levels: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return 4 rows of 16 modules from each place on: 1 where a module is dark."""
    rows, columns = levels.shape
    words = np.zeros((rows - ROWS + 1, columns - CORNER + 1), np.uint64)
    _pack(levels, words)
    return words


@cache
def _patterns() -> tuple[NDArray[np.uint64], NDArray[np.uint64], list[tuple[int, int]]]:
    """Return the corner marks as they may be seen: 8 ways times 4 corners."""
    wholes = np.zeros((32, 4), np.uint64)
    offsets = []
    for turned in range(8):
        for corner in range(4):
            mark = marks()[corner]
            seen = np.ascontiguousarray(turn(mark.bits, turned))
            place = np.zeros((2, 2), int)
            place[corner // 2, corner % 2] = 1
            down, right = np.argwhere(turn(place, turned))[0] * (SIDE - CORNER)
            bits = np.packbits(seen.reshape(4, 64), axis=1)
            wholes[4 * turned + corner] = bits.view(">u8")[:, 0]
            offsets.append((int(down), int(right)))
    return wholes[:, 1].copy(), wholes, offsets


@compiled
def _pack(
    levels: NDArray[np.float32],
    words: NDArray[np.uint64],
) -> None:
    rows, columns = levels.shape
    line = np.zeros((4, columns), np.uint64)
    for i in range(rows):
        row = line[i % 4]
        recent = np.uint64(0)
        for j in range(columns):
            recent = ((recent << np.uint64(1)) | np.uint64(levels[i, j] < 0)) & np.uint64(0xFFFF)
            row[j] = recent
        if i >= 3:
            a, b, c, d = line[(i + 1) % 4], line[(i + 2) % 4], line[(i + 3) % 4], line[i % 4]
            for j in range(words.shape[1]):
                k = j + 15
                words[i - 3, j] = (
                    (a[k] << np.uint64(48)) | (b[k] << np.uint64(32)) | (c[k] << np.uint64(16))
                    | d[k]
                )  # fmt: skip


@compiled
def ones(
    word: np.uint64,
) -> np.uint64:
    """Count the ones of a word; compilers know this form and use the processor's own count."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def _search(
    words: NDArray[np.uint64],
    patterns: NDArray[np.uint64],
    wholes: NDArray[np.uint64],
    which_ones: NDArray[np.int64],
    first: int,
    most: int,
) -> NDArray[np.int64]:
    """Return row, column, pattern and wrong modules wherever a pattern or its negative fits."""
    found = []
    rows, columns = words.shape
    flags = np.zeros(columns, np.uint8)
    for i in range(4, rows - 8):
        for which in which_ones:
            pattern = patterns[which]
            any_hit = np.uint64(0)
            for j in range(columns):
                off = np.int64(ones(words[i, j] ^ pattern)) - 32
                hit = np.uint8(abs(off) >= 32 - first)
                flags[j] = hit
                any_hit |= np.uint64(hit)
            if any_hit:
                for j in range(columns):
                    if flags[j]:
                        wrong = np.int64(0)
                        for k in range(4):
                            wrong += np.int64(ones(words[i + 4 * k - 4, j] ^ wholes[which, k]))
                        if min(wrong, 256 - wrong) <= most:
                            found.append((i - 4, j, which, wrong))
    out = np.zeros((len(found), 4), np.int64)
    for k in range(len(found)):
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = found[k]
    return out
