"""Encode packed words: every block of bits is turned as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@compiled
def window(bits: Words, at: int, out: Words) -> None:
    """Copy whole 64-bit words out of a row of bits, from any bit on."""
    first, off = at >> 6, np.uint64(at & 63)
    rest = np.uint64(63) - off
    for i in range(out.size):
        # two shifts, as one by all 64 bits is not defined
        low = (bits[first + i + 1] >> np.uint64(1)) >> rest
        out[i] = (bits[first + i] << off) | low


@compiled
def add_window(bits: Words, at: int, out: Words) -> None:
    """Add to a block the same that `window` would copy."""
    first, off = at >> 6, np.uint64(at & 63)
    rest = np.uint64(63) - off
    for i in range(out.size):
        low = (bits[first + i + 1] >> np.uint64(1)) >> rest
        out[i] ^= (bits[first + i] << off) | low


@compiled
def place(block: Words, at: int, out: Words) -> None:
    """Add a block to a row of bits, from any bit on."""
    first, off = at >> 6, np.uint64(at & 63)
    rest = np.uint64(63) - off
    for i in range(block.size):
        out[first + i] ^= block[i] >> off
        out[first + i + 1] ^= (block[i] << np.uint64(1)) << rest


@compiled
def twice(block: Words, size: int, mask: np.uint64, out: Words) -> None:
    """Write a block two times in a row, so that each turn of it is a window."""
    block[-1] &= mask
    out[:] = 0
    place(block, 0, out)
    place(block, size, out)


@compiled
def encode_words(
    data: NDArray[np.uint8],
    size: int,
    rows: int,
    starts: Numbers,
    checks: Numbers,
    shifts: Numbers,
    out: NDArray[np.uint8],
) -> None:
    """Fill in codewords; all bits stand in bytes, the high bit first."""
    count = (size + 63) // 64
    mask = ~np.uint64(0) << np.uint64(64 * count - size)
    blocks = starts.size - 1
    line = np.empty((blocks + rows) * size // 64 + count + 3, np.uint64)
    block, double = np.empty(count, np.uint64), np.empty(2 * count + 2, np.uint64)
    sums, first = np.empty((rows, count), np.uint64), np.empty(count, np.uint64)
    for word in range(data.shape[0]):
        line[:] = 0
        for i in range(data.shape[1]):
            line[i >> 3] |= np.uint64(data[word, i]) << np.uint64(56 - 8 * (i & 7))
        # bits beyond the information would end up in the parity
        end = blocks * size
        if end & 63:
            line[end >> 6] &= ~(~np.uint64(0) >> np.uint64(end & 63))
        sums[:] = 0
        for column in range(blocks):
            window(line, column * size, block)
            twice(block, size, mask, double)
            for entry in range(starts[column], starts[column + 1]):
                add_window(double, shifts[entry], sums[checks[entry]])
        first[:] = 0
        for row in range(rows):
            for i in range(count):
                first[i] ^= sums[row, i]
        twice(first, size, mask, double)
        place(first, end, line)
        window(double, 1, block)
        for row in range(rows - 1):
            for i in range(count):
                block[i] ^= sums[row, i]
                if row == rows // 2:
                    block[i] ^= first[i]
            block[-1] &= mask
            place(block, end + (row + 1) * size, line)
        for i in range(out.shape[1]):
            out[word, i] = line[i >> 3] >> np.uint64(56 - 8 * (i & 7))
