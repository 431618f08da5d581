"""A Reed-Solomon code seen as a binary code: its parity checks, solved for the worst bits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_nanoqr.codes.compiled import compiled
from napari_nanoqr.codes.gf256 import EXP, multiply


@lru_cache(maxsize=64)
def check_columns(n: int, parity: int) -> NDArray[np.uint64]:
    """Return what each bit of a block adds to the syndrome.

    Parameters
    ----------
    n : int
        Codewords in the block.
    parity : int
        Parity codewords among them.

    Returns
    -------
    (8 n, w) uint64 array
        Columns of the binary parity-check matrix, 8 ``parity`` rows packed into ``w`` words:
        row 0 is the highest bit of word 0. Bits of a codeword come highest first.
    """
    powers = np.multiply.outer(np.arange(n - 1, -1, -1), np.arange(parity)) % 255
    bits = np.uint8(1) << np.arange(7, -1, -1, dtype=np.uint8)
    columns = multiply(EXP[powers][:, None, :], bits[None, :, None]).reshape(8 * n, parity)
    words = -(-parity // 8)
    padded = np.zeros((8 * n, 8 * words), dtype=np.uint8)
    padded[:, :parity] = columns
    packed = padded.view(">u8").astype(np.uint64)
    packed.setflags(write=False)
    return packed


@compiled
def solve_checks(
    rows: NDArray[np.uint64], order: NDArray[np.int64], checks: int
) -> NDArray[np.int64]:
    """Solve the parity checks for the first independent bits of an order, in place.

    Afterwards each row belongs to one bit, whose column has a one in that row alone: these
    bits follow from all others.

    Parameters
    ----------
    rows : (w, bits) uint64 array
        Columns of the parity-check matrix, each word of all bits in one piece of memory;
        overwritten by the solved ones.
    order : (bits,) int64 array
        Bits in the order in which they are to be solved for, least reliable first.
    checks : int
        Number of rows.

    Returns
    -------
    (checks,) int64 array
        The bit of each row; that of the last row was found first. -1 where there is none.
    """
    solved = np.full(checks, -1, dtype=np.int64)
    words, bits = rows.shape
    one = np.uint64(1)
    masks = np.empty(bits, dtype=np.uint64)
    row = checks - 1
    for bit in order:
        pivot = -1
        for candidate in range(row, -1, -1):
            shift = np.uint64(63 - (candidate & 63))
            if (rows[candidate >> 6, bit] >> shift) & one:
                pivot = candidate
                break
        if pivot < 0:
            continue
        solved[row] = bit
        here, there = rows[row >> 6], rows[pivot >> 6]
        shift, shift2 = np.uint64(63 - (row & 63)), np.uint64(63 - (pivot & 63))
        if pivot != row:
            for other in range(bits):
                differ = ((here[other] >> shift) ^ (there[other] >> shift2)) & one
                here[other] ^= differ << shift
                there[other] ^= differ << shift2
        for other in range(bits):
            masks[other] = np.uint64(0) - ((here[other] >> shift) & one)
        for w in range(words):
            part = rows[w]
            add = part[bit]
            if w == row >> 6:
                add ^= one << shift
            # one loop a word: such loops become vector instructions
            for other in range(bits):
                part[other] ^= add & masks[other]
        row -= 1
        if row < 0:
            break
    return solved


@compiled
def cost_table(reliabilities: NDArray[np.float32], words: int) -> NDArray[np.float32]:
    """Tabulate the cost of flipping solved bits, a byte of rows at a time.

    Parameters
    ----------
    reliabilities : (checks,) float32 array
        Reliability of the bit of each row.
    words : int
        Words of a column.

    Returns
    -------
    (8 words, 256) float32 array
        Cost of each value of each byte, the highest byte of word 0 first.
    """
    table = np.zeros((8 * words, 256), dtype=np.float32)
    for byte in range((reliabilities.size + 7) // 8):
        for bit in range(8):
            row = 8 * byte + bit
            if row < reliabilities.size:
                for value in range(256):
                    if value >> (7 - bit) & 1:
                        table[byte, value] += reliabilities[row]
    return table
