"""Where everything lies in a tile of 512 x 512 modules, and the sequence that scrambles it.

A tile holds, from the largest to the smallest part:

- data cells: 258,000 modules that carry the codewords, and 208 fill cells after them;
- marks: four of 16 x 16 modules in the corners and 21 of 8 x 8 on a lattice of 128 modules, all
  different, so that a piece of a tile is enough to know which piece it is;
- two copies of the header, 16 x 49 modules each, beside two corners that lie opposite.

All but the marks is XORed with one sequence, the same for every tile: bit n is bit n - 18 XOR bit
n - 23 (the polynomial x^23 + x^18 + 1 of ITU-T O.150), and the first 23 bits are those of
:data:`SEED`, highest first. Its first 512 x 512 bits scramble the high bits of the modules in
raster order, the next 512 x 512 the low bits where a module holds two, and the bits after these
are the modules of the marks. The seed is the one among 120,000 whose corner marks are least like
each other, like themselves turned or mirrored, and like themselves displaced.

Bit 1 is a milled module, dark in a micrograph. Where a module holds two bits, its level of rising
depth is their Gray code: 00, 01, 11, 10 for the levels 0 to 3; marks, headers and fill then use
the levels 0 and 3 alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array", bound=NDArray[Any])

SIDE: Final = 512
"""Modules on a side of a tile."""

CORNER, NODE = 16, 8
"""Modules on a side of a corner mark and of a node mark."""

LATTICE: Final = (0, 124, 252, 380, 504)
"""First row or column of the node marks; the four at the corners give way to corner marks."""

HEADER_ROWS, HEADER_COLUMNS = 16, 49
"""Cells of a copy of the header; the last 4 of the 784 are fill."""

HEADER_BITS: Final = 780
"""Bits of the header's codeword."""

WORDS: Final = 25
"""Codewords in a plane of bits; two planes hold twice as many."""

WORD_BITS: Final = 10_320
"""Bits of a codeword of data."""

STRIDE: Final = 6379
"""From bit to bit of a codeword in the order of its cells: 10,320 over the golden ratio."""

RATES: Final = ("1/2", "2/3", "4/5", "0.88")
"""Rates of the code of the data, in the order of their numbers in the header."""

WORD_BYTES: Final = {"1/2": 632, "2/3": 848, "4/5": 1024, "0.88": 1128}
"""Payload bytes of a codeword; 8 bytes of CRC and zero bits up to the code's k follow them."""

SEED: Final = 0x492CA1
"""The first 23 bits of the sequence that scrambles."""

GRAY: Final = ((0, 0), (0, 1), (1, 1), (1, 0))
"""High and low bit of the levels 0 to 3."""


@dataclass(frozen=True)
class Mark:
    """A square of known modules.

    Attributes
    ----------
    row, column : int
        Its first module.
    bits : (16, 16) or (8, 8) uint8 array
        1 where a module is milled.
    """

    row: int
    column: int
    bits: NDArray[np.uint8]

    @property
    def side(self) -> int:
        """Modules on a side."""
        return len(self.bits)

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle, in modules from the tile's top-left outer corner."""
        return self.row + self.side / 2, self.column + self.side / 2


def capacity(rate: str, bits: int = 1) -> int:
    """Payload bytes of a tile.

    Parameters
    ----------
    rate : str
        One of :data:`RATES`.
    bits : int
        Bits a module, 1 or 2.

    Returns
    -------
    int
        25,600 at rate 4/5 and one bit a module.
    """
    return WORDS * bits * WORD_BYTES[rate]


def _sequence(count: int) -> NDArray[np.uint8]:
    """Return the first bits of the sequence."""
    bits = np.empty(count, np.uint8)
    bits[:23] = [SEED >> (22 - place) & 1 for place in range(23)]
    done, stride = 23, 1
    while done < count:
        # squaring the polynomial doubles both distances, and so the stretch that is known
        if done >= 46 * stride:
            stride *= 2
        end = min(done + 18 * stride, count)
        near, far = done - 18 * stride, done - 23 * stride
        bits[done:end] = bits[near : near + end - done] ^ bits[far : far + end - done]
        done = end
    return bits


@cache
def _whole_sequence() -> NDArray[np.uint8]:
    marks = 4 * CORNER**2 + 21 * NODE**2
    return _fixed(_sequence(2 * SIDE**2 + marks))


@cache
def scrambler() -> NDArray[np.uint8]:
    """Return the sequence that all but the marks is XORed with.

    Returns
    -------
    (2, 512, 512) uint8 array
        0 or 1; first for the high bits of the modules, or their only one, then for the low bits.
    """
    return _whole_sequence()[: 2 * SIDE**2].reshape(2, SIDE, SIDE)


@cache
def marks() -> tuple[Mark, ...]:
    """Return the 25 marks: top-left, top-right, bottom-left, bottom-right corner, then nodes.

    Returns
    -------
    tuple of Mark
        The nodes come in raster order.
    """
    far = SIDE - CORNER
    places = [(CORNER, row, column) for row in (0, far) for column in (0, far)]
    ends = (LATTICE[0], LATTICE[-1])
    places += [
        (NODE, row, column)
        for row in LATTICE
        for column in LATTICE
        if not (row in ends and column in ends)
    ]
    found, start = [], 2 * SIDE**2
    for side, row, column in places:
        bits = _whole_sequence()[start : start + side**2].reshape(side, side)
        found.append(Mark(row, column, bits))
        start += side**2
    return tuple(found)


@cache
def header_cells() -> NDArray[np.intp]:
    """Return where the two copies of the header lie.

    Returns
    -------
    (2, 784) intp array
        ``512 * row + column`` of each cell, in the order of the codeword's bits. The first copy
        is right of the top-left corner mark, the second left of the bottom-right one.
    """
    cells = np.arange(SIDE**2, dtype=np.intp).reshape(SIDE, SIDE)
    first = cells[:HEADER_ROWS, CORNER : CORNER + HEADER_COLUMNS]
    end = SIDE - CORNER
    second = cells[-HEADER_ROWS:, end - HEADER_COLUMNS : end]
    return _fixed(np.stack((first.ravel(), second.ravel())))


@cache
def data_cells() -> NDArray[np.intp]:
    """Return the cells that are neither mark nor header, in raster order.

    Returns
    -------
    (258208,) intp array
        ``512 * row + column``; the last 208 are fill.
    """
    free = np.ones((SIDE, SIDE), bool)
    for mark in marks():
        free[mark.row : mark.row + mark.side, mark.column : mark.column + mark.side] = False
    free.flat[header_cells().ravel()] = False
    return _fixed(np.flatnonzero(free))


@cache
def word_cells(bits: int = 1) -> NDArray[np.intp]:
    """Return where each bit of each codeword lies.

    Data cell q belongs to codeword c = q mod 25, so that a scratch takes the same share of all
    codewords, and holds its bit i = 6379 (q div 25) mod 10320, so that what is lost in one piece
    is spread over the codeword as if at random. (At rate 4/5 the upper 17 % of a tile may be
    missing; were they the first bits in their order, it could bear 6 %.) Where a module holds two
    bits, bit i of codeword c, 0 to 49, lies in a cell of codeword c mod 25 and in plane
    (c div 25 + i) mod 2, so that the plane that reads worse is spread too.

    Parameters
    ----------
    bits : int
        Bits a module, 1 or 2.

    Returns
    -------
    (25 * bits, 10320) intp array
        ``512 * 512 * plane + 512 * row + column``.
    """
    cells = np.empty((WORDS, WORD_BITS), np.intp)
    order = STRIDE * np.arange(WORD_BITS) % WORD_BITS
    cells[:, order] = data_cells()[: WORDS * WORD_BITS].reshape(WORD_BITS, WORDS).T
    planes = (np.arange(bits)[:, None] + np.arange(WORD_BITS)) % bits
    places = cells[None] + SIDE**2 * planes[:, None, :]
    return _fixed(np.ascontiguousarray(places.reshape(WORDS * bits, WORD_BITS)))


@cache
def known_modules() -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Return the modules that are the same in every tile: marks, and fill of data and headers.

    Returns
    -------
    known : (512, 512) bool array
        True where a module is the same in every tile.
    bits : (512, 512) uint8 array
        1 where such a module is milled as deep as any, else 0.
    """
    known = np.zeros((SIDE, SIDE), bool)
    known.flat[data_cells()[WORDS * WORD_BITS :]] = True
    known.flat[header_cells()[:, HEADER_BITS:].ravel()] = True
    bits = np.where(known, scrambler()[0], np.uint8(0))
    for mark in marks():
        here = np.s_[mark.row : mark.row + mark.side, mark.column : mark.column + mark.side]
        known[here], bits[here] = True, mark.bits
    known.setflags(write=False)
    return known, _fixed(bits)


def _fixed(array: Array) -> Array:
    """Forbid writing: these arrays are shared."""
    array.setflags(write=False)
    return array
